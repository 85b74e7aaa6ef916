/** Small things that several features need. */

import * as vscode from "vscode";

export const LANGUAGE = "python";

/** One place of a file, as the server's commands take it. */
export interface Here {
  uri: string;
  position: { line: number; character: number };
}

/** Where the cursor is, if it is in a Python file. */
export function here(): Here | undefined {
  const editor = vscode.window.activeTextEditor;
  if (!editor || editor.document.languageId !== LANGUAGE) {
    void vscode.window.showInformationMessage(vscode.l10n.t("Open a Python file first."));
    return undefined;
  }
  const { line, character } = editor.selection.active;
  return { uri: editor.document.uri.toString(), position: { line, character } };
}

/** The sentence of whatever was thrown. */
export function sentence(problem: unknown): string {
  return problem instanceof Error ? problem.message : String(problem);
}

/** Runs something for the user; what goes wrong is told in one sentence. */
export async function telling<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (problem) {
    if (!(problem instanceof vscode.CancellationError)) {
      void vscode.window.showErrorMessage(sentence(problem));
    }
    return undefined;
  }
}
