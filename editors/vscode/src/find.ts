/**
 * Where the server is: the setting, the selected Python environment, PATH, our own environment.
 *
 * In a workspace that is not trusted, nothing of it is looked at: not its settings, not an environment that lies
 * within it.
 */

import { execFile } from "node:child_process";
import * as fs from "node:fs/promises";
import * as path from "node:path";
import { promisify } from "node:util";
import * as vscode from "vscode";

const run = promisify(execFile);
const WINDOWS = process.platform === "win32";

/** How the server is started, and how we came by it. */
export interface Found {
  command: string;
  arguments: string[];
  where: "setting" | "python" | "path" | "own";
}

/** The part of the Python extension's API that is used. */
interface PythonApi {
  ready?: Promise<void>;
  environments: {
    getActiveEnvironmentPath(resource?: vscode.Uri): { path: string };
    resolveEnvironment(environment: { path: string }): Promise<{ executable: { uri?: vscode.Uri } } | undefined>;
    onDidChangeActiveEnvironmentPath: vscode.Event<unknown>;
  };
}

/** The Python extension, if it is there. */
export async function pythonApi(): Promise<PythonApi | undefined> {
  const extension = vscode.extensions.getExtension<PythonApi>("ms-python.python");
  if (!extension) {
    return undefined;
  }
  try {
    const api = extension.isActive ? extension.exports : await extension.activate();
    await api.ready;
    return api;
  } catch {
    return undefined;
  }
}

/** The folder of our own environment. */
export function ownEnvironment(context: vscode.ExtensionContext): string {
  return path.join(context.globalStorageUri.fsPath, "server");
}

/** The program of a name in the scripts' folder of an environment. */
export function script(environment: string, name: string): string {
  return WINDOWS ? path.join(environment, "Scripts", `${name}.exe`) : path.join(environment, "bin", name);
}

/** Looks in all places, in order. */
export async function findServer(context: vscode.ExtensionContext): Promise<Found | undefined> {
  const trusted = vscode.workspace.isTrusted;
  const set = vscode.workspace.getConfiguration("cwm").inspect<string>("server.path")?.globalValue?.trim();
  if (set) {
    const command = set.startsWith("~") ? path.join(process.env["HOME"] ?? "", set.slice(1)) : set;
    return { command, arguments: [], where: "setting" };
  }
  if (trusted) {
    const python = await selectedPython();
    if (python) {
      const beside = path.join(path.dirname(python), WINDOWS ? "cwm-lsp.exe" : "cwm-lsp");
      if (await isExecutable(beside)) {
        return { command: beside, arguments: [], where: "python" };
      }
      if (await hasModule(python)) {
        return { command: python, arguments: ["-m", "cwm_lsp"], where: "python" };
      }
    }
  }
  const onPath = await findOnPath("cwm-lsp", trusted);
  if (onPath) {
    return { command: onPath, arguments: [], where: "path" };
  }
  const own = script(ownEnvironment(context), "cwm-lsp");
  return (await isExecutable(own)) ? { command: own, arguments: [], where: "own" } : undefined;
}

/** The interpreter that the Python extension has selected. */
async function selectedPython(): Promise<string | undefined> {
  const api = await pythonApi();
  if (!api) {
    return undefined;
  }
  const resource = vscode.window.activeTextEditor?.document.uri ?? vscode.workspace.workspaceFolders?.[0]?.uri;
  const environment = await api.environments.resolveEnvironment(api.environments.getActiveEnvironmentPath(resource));
  return environment?.executable.uri?.fsPath;
}

async function hasModule(python: string): Promise<boolean> {
  try {
    await run(python, ["-I", "-c", "import cwm_lsp"], { timeout: 10_000 });
    return true;
  } catch {
    return false;
  }
}

/** A program on PATH; where the workspace is not trusted, not one that lies within it. */
export async function findOnPath(name: string, trusted = true): Promise<string | undefined> {
  const folders = (process.env["PATH"] ?? "").split(path.delimiter).filter((folder) => path.isAbsolute(folder));
  const within = (file: string) =>
    (vscode.workspace.workspaceFolders ?? []).some((folder) => file.startsWith(folder.uri.fsPath + path.sep));
  for (const folder of folders) {
    for (const ending of WINDOWS ? [".exe", ".cmd"] : [""]) {
      const file = path.join(folder, name + ending);
      if ((trusted || !within(file)) && (await isExecutable(file))) {
        return file;
      }
    }
  }
  return undefined;
}

async function isExecutable(file: string): Promise<boolean> {
  try {
    await fs.access(file, WINDOWS ? fs.constants.F_OK : fs.constants.X_OK);
    return (await fs.stat(file)).isFile();
  } catch {
    return false;
  }
}
