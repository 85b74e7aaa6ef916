/**
 * Fills of holes as ghost text.
 *
 * VS Code shows ghost text only where it continues what stands there, and a fill is no continuation of the `?` that
 * it replaces. So a fill is offered behind the `?`, which is removed, in the same step for undo, once it is accepted.
 */

import * as vscode from "vscode";
import { sentence, telling, here } from "./words.js";
import type { Server } from "./server.js";

export const FILLED = "cwm.holeFilled";

type Items = vscode.InlineCompletionItem[] | vscode.InlineCompletionList | null | undefined;

/** The server's items, made into ones that VS Code shows. */
export function behindMarkers(document: vscode.TextDocument, items: Items): Items {
  if (!items) {
    return items;
  }
  const list = Array.isArray(items) ? items : items.items;
  return list.map((item) => behindMarker(document, item));
}

function behindMarker(document: vscode.TextDocument, item: vscode.InlineCompletionItem): vscode.InlineCompletionItem {
  const { range, insertText } = item;
  if (!range || typeof insertText !== "string" || document.getText(range) !== "?") {
    return item;
  }
  return new vscode.InlineCompletionItem(insertText, new vscode.Range(range.end, range.end), {
    title: item.command?.title ?? "",
    command: FILLED,
    arguments: [document.uri, range, item.command],
  });
}

/** Takes the `?` before an accepted fill away, and does what the server wanted done then. */
async function filled(uri: vscode.Uri, marker: vscode.Range, after?: vscode.Command): Promise<void> {
  const editor = vscode.window.visibleTextEditors.find((each) => each.document.uri.toString() === uri.toString());
  if (editor && editor.document.getText(marker) === "?") {
    await editor.edit((edit) => edit.delete(marker), { undoStopBefore: false, undoStopAfter: true });
  }
  void vscode.commands.executeCommand("setContext", "cwm.filledHole", true);
  if (after) {
    await vscode.commands.executeCommand(after.command, ...((after.arguments as unknown[] | undefined) ?? []));
  }
}

/** One fill, as `cwm.fill` tells. */
export interface Fill {
  text: string;
  verified?: string;
  examples?: [number, number];
  why?: string;
}

interface Fills {
  range: { start: vscode.Position; end: vscode.Position } | null;
  fills: Fill[];
  reason: string | null;
}

/** What `cwm.fillAll` answers. */
interface Filled {
  filled: number;
  left: Fills[];
}

/** The words beside a fill. */
export function words(fill: Fill): string {
  const [passed, all] = fill.examples ?? [0, 0];
  const counted = all > 0 ? vscode.l10n.t("{0} of {1} examples", passed, all) : "";
  return [fill.verified, counted].filter(Boolean).join(" · ");
}

/** Offers the fills of the hole at the cursor in a list, with what is known of each. */
async function fillHere(server: Server): Promise<void> {
  const place = here();
  const editor = vscode.window.activeTextEditor;
  if (!place || !editor) {
    return;
  }
  const answer = await server.command<Fills>("cwm.fill", place);
  if (!answer || answer.fills.length === 0) {
    void vscode.window.showInformationMessage(answer?.reason ?? vscode.l10n.t("No fill was found for this hole."));
    return;
  }
  const chosen = await vscode.window.showQuickPick(
    answer.fills.map((fill) => ({
      label: fill.text.replace(/\n\s*/g, " ⏎ "),
      description: words(fill),
      ...(fill.why ? { detail: fill.why } : {}),
      fill,
    })),
    { title: vscode.l10n.t("Fill this hole"), matchOnDescription: true },
  );
  if (chosen && answer.range) {
    const { start, end } = answer.range;
    const range = new vscode.Range(start.line, start.character, end.line, end.character);
    await editor.edit((edit) => edit.replace(range, chosen.fill.text));
    void vscode.commands.executeCommand("setContext", "cwm.filledHole", true);
  }
}

/** Registers the commands of holes. */
export function registerHoles(context: vscode.ExtensionContext, server: Server): void {
  context.subscriptions.push(
    vscode.commands.registerCommand(FILLED, (uri: vscode.Uri, range: vscode.Range, after?: vscode.Command) =>
      filled(uri, range, after),
    ),
    vscode.commands.registerCommand("cwm.fillHere", () => telling(() => fillHere(server))),
    vscode.commands.registerCommand("cwm.fillFunction", () => fillAll(server, true)),
    vscode.commands.registerCommand("cwm.fillFile", () => fillAll(server, false)),
  );
}

async function fillAll(server: Server, functionOnly: boolean): Promise<void> {
  const place = here();
  if (!place) {
    return;
  }
  await vscode.window.withProgress(
    { location: vscode.ProgressLocation.Window, title: vscode.l10n.t("Filling holes") },
    async () => {
      try {
        const answer = await server.command<Filled>("cwm.fillAll", functionOnly ? place : { uri: place.uri });
        if (answer.left.length > 0) {
          const reason = answer.left[0]?.reason ?? "";
          void vscode.window.showInformationMessage(
            vscode.l10n.t("{0} holes are filled, {1} are left. {2}", answer.filled, answer.left.length, reason),
          );
        }
        void vscode.commands.executeCommand("setContext", "cwm.filledHole", true);
      } catch (problem) {
        void vscode.window.showErrorMessage(sentence(problem));
      }
    },
  );
}
