/** The extension's door: what is there when a Python file is opened. One file a feature; no work is done here. */

import * as vscode from "vscode";
import { registerCommands } from "./commands.js";
import { registerDebug } from "./debug.js";
import { pythonApi } from "./find.js";
import { registerHoles } from "./holes.js";
import { Server } from "./server.js";
import { registerStatus } from "./status.js";
import { registerTimeline } from "./timeline.js";

let server: Server | undefined;

export async function activate(context: vscode.ExtensionContext): Promise<{ server: Server }> {
  const ours = new Server(context);
  server = ours;
  registerStatus(context, ours);
  registerCommands(context, ours);
  registerHoles(context, ours);
  registerTimeline(context, ours, registerDebug(context, ours));
  let waiting: NodeJS.Timeout | undefined;
  context.subscriptions.push(
    ours.log,
    vscode.workspace.onDidGrantWorkspaceTrust(() => void ours.restart()),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration("cwm.server")) {
        // The settings editor writes with each key that is typed.
        clearTimeout(waiting);
        waiting = setTimeout(() => void ours.restart(), 700);
      }
    }),
  );
  void ours.start();
  void pythonApi().then((api) => {
    if (api) {
      context.subscriptions.push(
        api.environments.onDidChangeActiveEnvironmentPath(() => {
          const where = ours.program?.where;
          if (where === undefined || where === "python") {
            void ours.restart();
          }
        }),
      );
    }
  });
  return { server: ours };
}

export async function deactivate(): Promise<void> {
  await server?.dispose();
}
