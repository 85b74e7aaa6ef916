/** The commands of the palette and the menu that ask the server or its command line. */

import { spawn } from "node:child_process";
import * as vscode from "vscode";
import { installServer } from "./install.js";
import type { Server } from "./server.js";
import { menu } from "./status.js";
import { here, telling } from "./words.js";

/** The argument of the lens "other call…". */
interface OtherCall {
  uri: string;
  function: string;
  calls: string[];
}

interface Explained {
  function: string;
  calls?: (string | { text: string })[];
  text: string;
}

export function registerCommands(context: vscode.ExtensionContext, server: Server): void {
  const commands: Record<string, (...given: never[]) => unknown> = {
    "cwm.menu": () => menu(server),
    "cwm.traceHere": () => withPlace((place) => server.command("cwm.showTrace", place)),
    "cwm.otherCall": (asked: OtherCall) => telling(() => otherCall(server, asked)),
    "cwm.otherCallHere": () => withPlace((place) => otherCallHere(server, place.uri, place)),
    "cwm.whatIfHere": () => withPlace((place) => whatIf(server, place)),
    "cwm.explainHere": () => withPlace((place) => explain(server, place)),
    "cwm.chooseModel": () => telling(() => chooseModel(server)),
    "cwm.engine": () => telling(() => engine(server)),
    "cwm.doctor": () => telling(() => doctor(server)),
    "cwm.restartServer": () => telling(() => server.restart()),
    "cwm.showLog": () => server.log.show(),
    "cwm.settings": () => vscode.commands.executeCommand("workbench.action.openSettings", `@ext:${context.extension.id}`),
    "cwm.installServer": () =>
      telling(async () => {
        if (await installServer(context, server.log)) {
          await server.restart();
        }
      }),
  };
  for (const [name, run] of Object.entries(commands)) {
    context.subscriptions.push(vscode.commands.registerCommand(name, run));
  }
}

async function withPlace(work: (place: NonNullable<ReturnType<typeof here>>) => Promise<unknown>): Promise<void> {
  const place = here();
  if (place) {
    await telling(() => work(place));
  }
}

/** Asks for a call of a function; from then on that one is traced. */
async function otherCall(server: Server, asked: OtherCall): Promise<void> {
  const typed = vscode.l10n.t("Type a call…");
  let call: string | undefined = typed;
  if (asked.calls.length > 0) {
    const title = vscode.l10n.t("Which call of {0} is to be predicted?", asked.function);
    call = await vscode.window.showQuickPick([...asked.calls, typed], { title });
  }
  if (call === typed) {
    call = await vscode.window.showInputBox({
      title: vscode.l10n.t("A call of {0}", asked.function),
      value: asked.calls[0] ?? `${asked.function}()`,
      validateInput: (value) => (value.trim().endsWith(")") ? undefined : vscode.l10n.t("Type a call, like f(1, 2).")),
    });
  }
  if (call) {
    await server.command("cwm.traceWith", { uri: asked.uri, call });
  }
}

async function otherCallHere(server: Server, uri: string, place: object): Promise<void> {
  const known = await server.command<Explained>("cwm.explain", place);
  const calls = (known.calls ?? []).map((call) => (typeof call === "string" ? call : call.text));
  await otherCall(server, { uri, function: known.function, calls });
}

/** Asks for a name and a value, and shows the trace in which the line began with it. */
async function whatIf(server: Server, place: object): Promise<void> {
  const word = vscode.window.activeTextEditor;
  const range = word?.document.getWordRangeAtPosition(word.selection.active);
  const name = range ? word?.document.getText(range) : undefined;
  const typed = await vscode.window.showInputBox({
    title: vscode.l10n.t("What if, before this line runs, a variable held another value?"),
    prompt: vscode.l10n.t("name = value"),
    value: name ? `${name} = ` : "",
    validateInput: (value) =>
      /^\s*[A-Za-z_]\w*\s*=\s*\S/.test(value) ? undefined : vscode.l10n.t("Type it as  name = value."),
  });
  const match = typed?.match(/^\s*([A-Za-z_]\w*)\s*=\s*(.+)$/);
  if (match) {
    await server.command("cwm.whatIf", { ...place, name: match[1], value: match[2]?.trim() });
  }
}

async function explain(server: Server, place: object): Promise<void> {
  const answer = await server.command<Explained>("cwm.explain", place);
  const document = await vscode.workspace.openTextDocument({ content: answer.text, language: "markdown" });
  await vscode.window.showTextDocument(document, vscode.ViewColumn.Beside, true);
}

interface ListedModel {
  name: string;
  description?: string;
  installed?: boolean;
  state?: string;
}

async function chooseModel(server: Server): Promise<void> {
  const listed = (await output(server, ["models", "list", "--json"]))
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as ListedModel);
  const chosen = await vscode.window.showQuickPick(
    listed.map((model) => ({
      label: model.name,
      ...(model.name === server.now.model ? { description: vscode.l10n.t("predicts now") } : {}),
      ...(model.description ? { detail: model.description } : {}),
    })),
    { title: vscode.l10n.t("Which model is to predict?") },
  );
  if (chosen) {
    await server.command("cwm.selectModel", { model: chosen.label });
  }
}

/** Looks at, starts or ends the shared engine of a large model. */
async function engine(server: Server): Promise<void> {
  if (!vscode.workspace.isTrusted) {
    throw new Error(vscode.l10n.t("Engines are not started in restricted mode: trust this workspace first."));
  }
  const status = (await output(server, ["engine", "status"])).trim();
  const chosen = await vscode.window.showQuickPick(
    [
      { label: vscode.l10n.t("Start"), arguments: ["engine", "start"] },
      { label: vscode.l10n.t("Stop"), arguments: ["engine", "stop"] },
      { label: vscode.l10n.t("Reload the model"), arguments: [] },
    ],
    { title: status.split("\n")[0] ?? "" },
  );
  if (chosen?.arguments.length === 0) {
    await server.command("cwm.restartEngine", {});
  } else if (chosen) {
    await vscode.window.withProgress(
      { location: vscode.ProgressLocation.Notification, title: `cwm-lsp ${chosen.arguments.join(" ")}` },
      async () => {
        const said = (await output(server, chosen.arguments)).trim();
        void vscode.window.showInformationMessage(said.split("\n").at(-1) ?? "");
      },
    );
  }
}

async function doctor(server: Server): Promise<void> {
  const said = await output(server, ["doctor"]);
  server.log.info(`cwm-lsp doctor\n${said}`);
  const document = await vscode.workspace.openTextDocument({ content: said, language: "plaintext" });
  await vscode.window.showTextDocument(document, { preview: true });
}

/** What a command of `cwm-lsp` prints. */
async function output(server: Server, arguments_: string[]): Promise<string> {
  await server.start();
  const program = server.program;
  if (!program) {
    throw new Error(vscode.l10n.t("cwm-lsp was not found."));
  }
  return new Promise((resolve, reject) => {
    const child = spawn(program.command, [...program.arguments, ...arguments_], {
      env: { ...server.environment(), PYTHONUTF8: "1" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let text = "";
    let problem = "";
    child.stdout.on("data", (data: Buffer) => (text += data.toString()));
    child.stderr.on("data", (data: Buffer) => (problem += data.toString()));
    child.on("error", reject);
    // Status 1 of doctor means that something is missing, and its words say what.
    child.on("close", () => (text ? resolve(text) : reject(new Error(problem.trim() || "cwm-lsp said nothing"))));
  });
}
