/** The status bar item, and the menu behind it. */

import * as vscode from "vscode";
import type { Server, Status } from "./server.js";

const ICONS: Record<Status["state"], string> = {
  idle: "$(pulse)",
  loading: "$(sync~spin)",
  predicting: "$(loading~spin)",
  error: "$(error)",
  off: "$(circle-slash)",
};

/** What stands in the status bar. */
export function text(status: Status): string {
  const words = { idle: status.model || "CWM", loading: status.model, predicting: status.model, error: "CWM", off: "CWM" };
  return `${ICONS[status.state]} ${words[status.state] || "CWM"}`;
}

/** What a pointer resting on it is told. */
function tooltip(status: Status): string {
  const words = {
    idle: vscode.l10n.t("CWM: {0} is ready", status.model || "cwm-lsp"),
    loading: vscode.l10n.t("CWM: {0} is being loaded", status.model),
    predicting: `CWM: ${status.message}`,
    error: `CWM: ${status.message}`,
    off: status.message ? `CWM: ${status.message}` : vscode.l10n.t("CWM: the server is not running"),
  };
  const restricted = vscode.workspace.isTrusted
    ? ""
    : `\n${vscode.l10n.t("Restricted mode: only the embedded model is used.")}`;
  return words[status.state] + restricted;
}

/** Shows the item while the window is there. */
export function registerStatus(context: vscode.ExtensionContext, server: Server): void {
  const item = vscode.window.createStatusBarItem("cwm.status", vscode.StatusBarAlignment.Right, 90);
  item.name = "CWM";
  item.command = "cwm.menu";
  const show = (status: Status) => {
    item.text = text(status);
    item.tooltip = tooltip(status);
    item.backgroundColor =
      status.state === "error" ? new vscode.ThemeColor("statusBarItem.errorBackground") : undefined;
    item.accessibilityInformation = { label: tooltip(status) };
    item.show();
  };
  show(server.now);
  context.subscriptions.push(item, server.onStatus(show));
}

interface Choice extends vscode.QuickPickItem {
  command: string;
}

/** The menu: everything about the server that is no matter of one place in a file. */
export async function menu(server: Server): Promise<void> {
  const { state, model } = server.now;
  const choices: Choice[] = [];
  if (server.running) {
    choices.push(
      { label: `$(symbol-misc) ${vscode.l10n.t("Choose Model…")}`, description: model, command: "cwm.chooseModel" },
      { label: `$(server-process) ${vscode.l10n.t("Engine…")}`, command: "cwm.engine" },
    );
  } else {
    choices.push({ label: `$(cloud-download) ${vscode.l10n.t("Install Server…")}`, command: "cwm.installServer" });
  }
  choices.push(
    { label: `$(pulse) ${vscode.l10n.t("Doctor")}`, description: vscode.l10n.t("what is installed, what is missing"), command: "cwm.doctor" },
    { label: `$(output) ${vscode.l10n.t("Show Log")}`, command: "cwm.showLog" },
    { label: `$(debug-restart) ${vscode.l10n.t("Restart Server")}`, command: "cwm.restartServer" },
    { label: `$(gear) ${vscode.l10n.t("Settings")}`, command: "cwm.settings" },
  );
  const chosen = await vscode.window.showQuickPick(choices, { title: `CWM · ${state}` });
  if (chosen) {
    await vscode.commands.executeCommand(chosen.command);
  }
}
