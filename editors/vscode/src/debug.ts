/** Stepping a predicted run: the debug type `cwm`, and the commands that begin it without launch.json. */

import * as vscode from "vscode";
import type { Server } from "./server.js";
import { here, telling } from "./words.js";

export const TYPE = "cwm";

/** What a stop tells of itself: the number of the frame in the run, from 0, and the session. */
export interface Stopped {
  session: vscode.DebugSession;
  frame: number;
  edited: boolean;
}

class Adapters implements vscode.DebugAdapterDescriptorFactory {
  constructor(private readonly server: Server) {}

  async createDebugAdapterDescriptor(): Promise<vscode.DebugAdapterDescriptor> {
    await this.server.start();
    const program = this.server.program;
    if (!program) {
      throw new Error(vscode.l10n.t("cwm-lsp was not found, so there is no debug adapter."));
    }
    return new vscode.DebugAdapterExecutable(program.command, [...program.arguments, "dap"], {
      env: Object.fromEntries(
        Object.entries(this.server.environment()).filter((pair): pair is [string, string] => pair[1] !== undefined),
      ),
    });
  }
}

class Configurations implements vscode.DebugConfigurationProvider {
  provideDebugConfigurations(): vscode.DebugConfiguration[] {
    return [fileConfiguration("${file}")];
  }

  resolveDebugConfiguration(
    _folder: vscode.WorkspaceFolder | undefined,
    configuration: vscode.DebugConfiguration,
  ): vscode.DebugConfiguration | undefined {
    const document = vscode.window.activeTextEditor?.document;
    if (!configuration.type && !configuration.request && !configuration.name) {
      if (document?.languageId !== "python") {
        return undefined;
      }
      return fileConfiguration(document.uri.fsPath);
    }
    if (configuration.request === "launch" && !configuration["program"]) {
      configuration["program"] = "${file}";
    }
    configuration["stopOnExit"] ??= true;
    return configuration;
  }
}

function fileConfiguration(program: string): vscode.DebugConfiguration {
  return {
    type: TYPE,
    request: "launch",
    name: vscode.l10n.t("CWM: predict this file"),
    program,
    stopOnEntry: true,
    stopOnExit: true,
  };
}

/** Listens to sessions, and tells where each stop is in the run. */
class Trackers implements vscode.DebugAdapterTrackerFactory {
  constructor(private readonly stopped: vscode.EventEmitter<Stopped | undefined>) {}

  createDebugAdapterTracker(session: vscode.DebugSession): vscode.DebugAdapterTracker {
    return {
      onDidSendMessage: (message: { type?: string; event?: string }) => {
        if (message.type === "event" && (message.event === "stopped" || message.event === "invalidated")) {
          void vscode.commands.executeCommand("setContext", "cwm.stepped", true);
          void this.tell(session);
        }
      },
      onWillStopSession: () => this.stopped.fire(undefined),
    };
  }

  private async tell(session: vscode.DebugSession): Promise<void> {
    try {
      const stack = (await session.customRequest("stackTrace", { threadId: 1, levels: 1 })) as { stackFrames: { id: number }[] };
      const scopes = (await session.customRequest("scopes", { frameId: stack.stackFrames[0]?.id })) as {
        scopes: { name: string; variablesReference: number }[];
      };
      const scope = scopes.scopes.find((each) => each.name === "Prediction");
      if (!scope) {
        return;
      }
      const rows = (await session.customRequest("variables", { variablesReference: scope.variablesReference })) as {
        variables: { name: string; value: string }[];
      };
      const row = (name: string) => rows.variables.find((each) => each.name === name)?.value ?? "";
      const frame = Number.parseInt(row("frame"), 10);
      if (Number.isInteger(frame)) {
        this.stopped.fire({ session, frame: frame - 1, edited: !row("branch").startsWith("0 ") });
      }
    } catch {
      // The run has moved on: the next stop tells.
    }
  }
}

/** Begins to step a call that is predicted, now if need be. */
export async function step(server: Server, asked: object): Promise<boolean> {
  const configuration = await vscode.window.withProgress(
    { location: vscode.ProgressLocation.Window, title: vscode.l10n.t("Predicting") },
    () => server.command<vscode.DebugConfiguration>("cwm.debugConfiguration", asked),
  );
  const program = (configuration as { program?: string }).program;
  const folder = program ? vscode.workspace.getWorkspaceFolder(vscode.Uri.file(program)) : undefined;
  return vscode.debug.startDebugging(folder, { ...configuration, stopOnEntry: true, stopOnExit: true });
}

/** Registers the debug type. Returns an event of each stop, undefined when a session ends. */
export function registerDebug(context: vscode.ExtensionContext, server: Server): vscode.Event<Stopped | undefined> {
  const stopped = new vscode.EventEmitter<Stopped | undefined>();
  context.subscriptions.push(
    stopped,
    vscode.debug.registerDebugAdapterDescriptorFactory(TYPE, new Adapters(server)),
    vscode.debug.registerDebugConfigurationProvider(TYPE, new Configurations()),
    vscode.debug.registerDebugAdapterTrackerFactory(TYPE, new Trackers(stopped)),
    vscode.commands.registerCommand("cwm.step", (asked: object) => telling(() => step(server, asked))),
    vscode.commands.registerCommand("cwm.stepHere", () =>
      telling(async () => {
        const place = here();
        return place ? step(server, place) : false;
      }),
    ),
  );
  return stopped.event;
}
