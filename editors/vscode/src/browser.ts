/** In a browser without a machine behind it there is no process to start: this says so, once, and does nothing. */

import * as vscode from "vscode";

export function activate(): void {
  void vscode.window.showInformationMessage(
    vscode.l10n.t(
      "CWM needs a machine to run its server on. Open this folder in desktop VS Code, or in a remote window, to see predicted values.",
    ),
  );
}

export function deactivate(): void {}
