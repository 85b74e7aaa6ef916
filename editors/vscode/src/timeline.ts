/**
 * The timeline of a predicted run: its frames as a strip, calls nested, a variable's values along it.
 *
 * What it looks like is media/timeline.js's; here is where the frames come from and where a click leads.
 */

import * as vscode from "vscode";
import type { Stopped } from "./debug.js";
import type { Server } from "./server.js";
import { type Here, here, LANGUAGE, sentence } from "./words.js";

interface Value {
  repr: string;
  origin: string;
  confidence: number | null;
}

interface Frame {
  event: string;
  function: string;
  line: number;
  depth: number;
  locals: Record<string, Value>;
  arg: Value | null;
}

interface Run {
  uri: string;
  call: string;
  outcome: string;
  model: string;
  frames: Frame[];
}

type FromView = { kind: "ready" } | { kind: "jump"; line: number } | { kind: "predict" };

export class Timeline implements vscode.WebviewViewProvider {
  private view: vscode.WebviewView | undefined;
  private place: Here | undefined;
  private run: Run | undefined;
  private stop: Stopped | undefined;
  private readonly line = vscode.window.createTextEditorDecorationType({
    isWholeLine: true,
    backgroundColor: new vscode.ThemeColor("editor.rangeHighlightBackground"),
  });

  constructor(
    private readonly context: vscode.ExtensionContext,
    private readonly server: Server,
  ) {}

  resolveWebviewView(view: vscode.WebviewView): void {
    this.view = view;
    const media = vscode.Uri.joinPath(this.context.extensionUri, "media");
    view.webview.options = { enableScripts: true, localResourceRoots: [media] };
    view.webview.onDidReceiveMessage((message: FromView) => this.take(message));
    view.onDidDispose(() => (this.view = undefined));
    view.onDidChangeVisibility(() => view.visible && this.refresh());
    view.webview.html = page(view.webview, media);
  }

  /** Shows the run of the function at the cursor. */
  async show(): Promise<void> {
    this.place = here();
    if (!this.place) {
      return;
    }
    await vscode.commands.executeCommand("cwm.timeline.focus");
    await this.refresh();
  }

  /** Follows the cursor into another function, and a server that has predicted anew. */
  async refresh(): Promise<void> {
    if (!this.view?.visible) {
      return;
    }
    const editor = vscode.window.activeTextEditor;
    if (editor?.document.languageId === LANGUAGE) {
      const { line, character } = editor.selection.active;
      this.place = { uri: editor.document.uri.toString(), position: { line, character } };
    }
    if (!this.place) {
      this.post({ kind: "message", text: vscode.l10n.t("Put the cursor into a function to see its predicted run.") });
      return;
    }
    try {
      this.run = await this.server.request<Run>("cwm/trace", this.place);
      this.post({ kind: "run", run: this.run });
      this.stopped(this.stop);
    } catch (problem) {
      this.post({ kind: "message", text: sentence(problem) });
    }
  }

  /** A debug session stopped somewhere, or is over. */
  stopped(stop: Stopped | undefined): void {
    this.stop = stop;
    const same = stop && this.run && stop.session.configuration["call"] === this.run.call && !stop.edited;
    this.post({ kind: "stop", frame: same ? stop.frame : null });
  }

  private async take(message: FromView): Promise<void> {
    if (message.kind === "ready") {
      await this.refresh();
    } else if (message.kind === "jump" && this.run) {
      const document = await vscode.workspace.openTextDocument(vscode.Uri.parse(this.run.uri));
      const editor = await vscode.window.showTextDocument(document, { preserveFocus: true, preview: true });
      const range = document.lineAt(Math.min(message.line, document.lineCount) - 1).range;
      editor.revealRange(range, vscode.TextEditorRevealType.InCenterIfOutsideViewport);
      editor.setDecorations(this.line, [range]);
      setTimeout(() => editor.setDecorations(this.line, []), 1500);
    }
  }

  private post(message: object): void {
    void this.view?.webview.postMessage(message);
  }
}

function page(webview: vscode.Webview, media: vscode.Uri): string {
  const at = (name: string) => webview.asWebviewUri(vscode.Uri.joinPath(media, name)).toString();
  const policy = `default-src 'none'; style-src ${webview.cspSource}; script-src ${webview.cspSource};`;
  const words = {
    values: vscode.l10n.t("Values of"),
    none: vscode.l10n.t("no variable"),
    strip: vscode.l10n.t("The frames of the predicted run"),
    frame: vscode.l10n.t("frame {0} of {1}"),
    earlier: vscode.l10n.t("Frame before"),
    later: vscode.l10n.t("Frame after"),
  };
  const escaped = JSON.stringify(words).replace(/&/g, "&amp;").replace(/"/g, "&quot;").replace(/</g, "&lt;");
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="${at("timeline.css")}">
<title>Timeline</title>
</head>
<body data-words="${escaped}">
<main id="timeline"></main>
<script src="${at("timeline.js")}"></script>
</body>
</html>`;
}

export function registerTimeline(
  context: vscode.ExtensionContext,
  server: Server,
  onStopped: vscode.Event<Stopped | undefined>,
): void {
  const timeline = new Timeline(context, server);
  let waiting: NodeJS.Timeout | undefined;
  const soon = () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => void timeline.refresh(), 300);
  };
  context.subscriptions.push(
    vscode.window.registerWebviewViewProvider("cwm.timeline", timeline, {
      webviewOptions: { retainContextWhenHidden: true },
    }),
    vscode.commands.registerCommand("cwm.timeline.show", () => timeline.show()),
    onStopped((stop) => timeline.stopped(stop)),
    server.onPredicted(soon),
    vscode.window.onDidChangeActiveTextEditor(soon),
  );
}
