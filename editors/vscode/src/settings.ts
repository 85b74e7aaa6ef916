/** The settings that are handed to the server: only what was set, for its own file says the rest. */

import * as vscode from "vscode";

/** Names under `cwm` that are ours, not the server's. */
const OURS = new Set(["server"]);
/** What a workspace that is not trusted may not choose. */
const RESTRICTED = new Set(["model"]);

/** The settings of `cwm` that somebody has set. */
export function serverSettings(scope: vscode.Uri | undefined, names: readonly string[]): Record<string, unknown> {
  const all = vscode.workspace.getConfiguration("cwm", scope ?? null);
  const found: Record<string, unknown> = {};
  for (const name of names) {
    const known = all.inspect(name);
    const user = known?.globalValue;
    const workspace = known?.workspaceFolderValue ?? known?.workspaceValue;
    const value = RESTRICTED.has(name) && !vscode.workspace.isTrusted ? user : (workspace ?? user);
    if (value !== undefined && value !== null) {
      found[name] = value;
    }
  }
  return found;
}

/** The names of the server's settings, as package.json contributes them. */
export function settingNames(extension: vscode.Extension<unknown>): string[] {
  const manifest = extension.packageJSON as { contributes: { configuration: { properties: Record<string, unknown> } } };
  return Object.keys(manifest.contributes.configuration.properties)
    .map((name) => name.replace(/^cwm\./, ""))
    .filter((name) => !OURS.has(name.split(".")[0] ?? ""));
}
