/** The language server as a child process, and the client that speaks with it. */

import * as vscode from "vscode";
import {
  CloseAction,
  ErrorAction,
  LanguageClient,
  type LanguageClientOptions,
  RevealOutputChannelOn,
  State,
  Trace,
} from "vscode-languageclient/node";
import { type Found, findServer } from "./find.js";
import { behindMarkers } from "./holes.js";
import { serverSettings, settingNames } from "./settings.js";
import { LANGUAGE, sentence } from "./words.js";

/** What the server does, as `cwm/status` tells. */
export interface Status {
  state: "idle" | "loading" | "predicting" | "error" | "off";
  model: string;
  message: string;
}

const OFF: Status = { state: "off", model: "", message: "" };

/** One server for all windows' folders of this window. */
export class Server implements vscode.Disposable {
  readonly log: vscode.LogOutputChannel;
  private client: LanguageClient | undefined;
  private found: Found | undefined;
  private status: Status = OFF;
  private readonly changed = new vscode.EventEmitter<Status>();
  private readonly predicted = new vscode.EventEmitter<void>();
  private starting: Promise<boolean> | undefined;
  private told = false;

  constructor(private readonly context: vscode.ExtensionContext) {
    this.log = vscode.window.createOutputChannel("CWM", { log: true });
  }

  /** Told whenever the status changes. */
  get onStatus(): vscode.Event<Status> {
    return this.changed.event;
  }

  /** Told whenever the server has been predicting and is done. */
  get onPredicted(): vscode.Event<void> {
    return this.predicted.event;
  }

  get now(): Status {
    return this.status;
  }

  /** How the server is started; undefined where it wasn't found. */
  get program(): Found | undefined {
    return this.found;
  }

  get running(): boolean {
    return this.client?.state === State.Running;
  }

  /** Starts the server unless it runs. False where there is none. */
  start(): Promise<boolean> {
    this.starting ??= this.begin().finally(() => (this.starting = undefined));
    return this.starting;
  }

  private async begin(): Promise<boolean> {
    if (this.running) {
      return true;
    }
    this.found = await findServer(this.context);
    if (!this.found) {
      this.take({ state: "off", model: "", message: vscode.l10n.t("cwm-lsp was not found") });
      this.tellMissing();
      return false;
    }
    const { command, arguments: arguments_ } = this.found;
    this.log.info(`${command} ${arguments_.join(" ")} (${this.found.where})`);
    const client = new LanguageClient(
      "cwm",
      "CWM",
      { command, args: arguments_, options: { env: this.environment() } },
      this.clientOptions(),
    );
    this.client = client;
    client.onDidChangeState(({ newState }) => {
      void vscode.commands.executeCommand("setContext", "cwm.serverRunning", newState === State.Running);
      if (newState === State.Stopped) {
        this.take(OFF);
      }
    });
    client.onNotification("cwm/status", (status: Status) => this.take(status));
    try {
      await client.start();
    } catch (problem) {
      this.client = undefined;
      this.take({ state: "error", model: "", message: sentence(problem) });
      this.log.error(sentence(problem));
      return false;
    }
    const trace = vscode.workspace.getConfiguration("cwm").get<string>("server.trace", "off");
    await client.setTrace(Trace.fromString(trace));
    if (this.status.state === "off") {
      this.take({ state: "idle", model: "", message: "" });
    }
    return true;
  }

  /** What the server's process gets. Where the workspace is not trusted, the embedded model and no other. */
  environment(): NodeJS.ProcessEnv {
    return vscode.workspace.isTrusted ? { ...process.env } : { ...process.env, CWM_LSP_MODEL: "cwm-mini" };
  }

  private clientOptions(): LanguageClientOptions {
    const names = settingNames(this.context.extension);
    return {
      documentSelector: [
        { scheme: "file", language: LANGUAGE },
        { scheme: "untitled", language: LANGUAGE },
        { scheme: "vscode-notebook-cell", language: LANGUAGE },
      ],
      outputChannel: this.log,
      revealOutputChannelOn: RevealOutputChannelOn.Never,
      initializationOptions: { status: true, clientCommands: ["cwm.step", "cwm.otherCall"] },
      synchronize: { configurationSection: "cwm" },
      errorHandler: {
        error: (_error, _message, count) => ({ action: (count ?? 0) <= 3 ? ErrorAction.Continue : ErrorAction.Shutdown }),
        closed: () => this.closed(),
      },
      middleware: {
        workspace: {
          configuration: (params) =>
            params.items.map((item) =>
              item.section === "cwm"
                ? serverSettings(item.scopeUri ? vscode.Uri.parse(item.scopeUri) : undefined, names)
                : null,
            ),
        },
        provideInlineCompletionItems: async (document, position, context, token, next) =>
          behindMarkers(document, await next(document, position, context, token)),
        executeCommand: async (command, arguments_, next) => {
          try {
            return await (next(command, arguments_) as Promise<unknown>);
          } catch (problem) {
            void vscode.window.showErrorMessage(sentence(problem));
            return undefined;
          }
        },
      },
    };
  }

  private readonly ends: number[] = [];

  /** The server ended by itself: it is started again, unless it keeps ending. */
  private closed(): { action: CloseAction; message?: string; handled?: boolean } {
    this.ends.push(Date.now());
    const recent = this.ends.filter((when) => Date.now() - when < 180_000);
    if (recent.length < 4) {
      return { action: CloseAction.Restart, handled: true };
    }
    void this.offerRestart();
    return { action: CloseAction.DoNotRestart, handled: true };
  }

  private async offerRestart(): Promise<void> {
    const restart = vscode.l10n.t("Restart");
    const show = vscode.l10n.t("Show Log");
    const chosen = await vscode.window.showErrorMessage(
      vscode.l10n.t("cwm-lsp has ended four times within three minutes and is not started any more."),
      restart,
      show,
    );
    if (chosen === restart) {
      this.ends.length = 0;
      await this.restart();
    } else if (chosen === show) {
      this.log.show();
    }
  }

  private tellMissing(): void {
    if (this.told) {
      return;
    }
    this.told = true;
    const install = vscode.l10n.t("Install…");
    const locate = vscode.l10n.t("Set its path…");
    void vscode.window
      .showWarningMessage(
        vscode.l10n.t("cwm-lsp was not found: not in the selected Python environment, nor on the PATH."),
        install,
        locate,
      )
      .then((chosen) => {
        if (chosen === install) {
          void vscode.commands.executeCommand("cwm.installServer");
        } else if (chosen === locate) {
          void vscode.commands.executeCommand("workbench.action.openSettings", "cwm.server.path");
        }
      });
  }

  private take(status: Status): void {
    const before = this.status.state;
    this.status = status;
    this.changed.fire(status);
    if (before === "predicting" && status.state === "idle") {
      void vscode.commands.executeCommand("setContext", "cwm.sawValues", true);
      this.predicted.fire();
    }
  }

  /** Runs a command of the server. Throws its one sentence if it fails. */
  async command<T>(name: string, argument?: object): Promise<T> {
    return this.request<T>("workspace/executeCommand", {
      command: name,
      arguments: argument === undefined ? [] : [argument],
    });
  }

  /** Sends a request to the server, which is started if need be. */
  async request<T>(method: string, params: object): Promise<T> {
    if (!(await this.start()) || !this.client) {
      throw new Error(vscode.l10n.t("cwm-lsp is not running."));
    }
    return this.client.sendRequest<T>(method, params);
  }

  private queue: Promise<void> = Promise.resolve();

  /** Ends the server and starts it anew, one time after the other however often it is asked for. */
  restart(): Promise<void> {
    this.queue = this.queue.then(async () => {
      this.told = false;
      await this.stop();
      await this.start();
    });
    return this.queue;
  }

  async stop(): Promise<void> {
    await this.starting;
    const client = this.client;
    this.client = undefined;
    try {
      if (client?.needsStop()) {
        await client.stop(5000);
      }
      await client?.dispose();
    } catch (problem) {
      // One that never came up can't be ended in order.
      this.log.debug(sentence(problem));
    }
  }

  dispose(): Promise<void> {
    this.changed.dispose();
    return this.stop();
  }
}
