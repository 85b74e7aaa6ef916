/** What the tests share. */

import * as path from "node:path";
import * as vscode from "vscode";
import type { Server } from "../src/server.js";

export const ID = "cwm-lsp.cwm-lsp";

export async function server(): Promise<Server> {
  const extension = vscode.extensions.getExtension<{ server: Server }>(ID);
  if (!extension) {
    throw new Error(`the extension ${ID} is not there`);
  }
  return (await extension.activate()).server;
}

/** Opens a copy of an example. */
export async function open(name: string): Promise<vscode.TextEditor> {
  const folder = vscode.workspace.workspaceFolders?.[0];
  if (!folder) {
    throw new Error("no folder is open");
  }
  const document = await vscode.workspace.openTextDocument(path.join(folder.uri.fsPath, name));
  return vscode.window.showTextDocument(document);
}

/** Waits until something holds, and gives it. */
export async function until<T>(what: string, look: () => T | Promise<T>, seconds = 30): Promise<NonNullable<T>> {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const seen = await look();
    if (seen) {
      return seen;
    }
    if (Date.now() > end) {
      throw new Error(`not within ${seconds} s: ${what}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** The line that holds a text. */
export function lineOf(document: vscode.TextDocument, text: string): number {
  for (let line = 0; line < document.lineCount; line++) {
    if (document.lineAt(line).text.includes(text)) {
      return line;
    }
  }
  throw new Error(`no line has ${text}`);
}
