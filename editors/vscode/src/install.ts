/** Installing the server into an environment of our own, from the wheel that we carry, once the user agrees. */

import { spawn } from "node:child_process";
import * as fs from "node:fs/promises";
import * as path from "node:path";
import * as vscode from "vscode";
import { findOnPath, ownEnvironment, pythonApi, script } from "./find.js";

const VERSIONS = ["3.13", "3.12", "3.11"];

/** Asks, installs, and says how it went. True if the server is there now. */
export async function installServer(context: vscode.ExtensionContext, log: vscode.LogOutputChannel): Promise<boolean> {
  const wheel = await bundledWheel(context);
  const python = await findPython(log);
  if (!python) {
    void vscode.window.showErrorMessage(
      vscode.l10n.t("Python 3.11, 3.12 or 3.13 is needed to install cwm-lsp, and none was found on the PATH."),
    );
    return false;
  }
  const target = ownEnvironment(context);
  const install = vscode.l10n.t("Install");
  const chosen = await vscode.window.showInformationMessage(
    vscode.l10n.t("Install cwm-lsp into an environment of its own?"),
    {
      modal: true,
      detail: vscode.l10n.t(
        "With {0}, into {1}. Its dependencies (about 250 MB) are downloaded from your package index. Nothing else on this machine is changed; removing the folder removes it.",
        python,
        target,
      ),
    },
    install,
  );
  if (chosen !== install) {
    return false;
  }
  return vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, title: vscode.l10n.t("Installing cwm-lsp"), cancellable: true },
    async (progress, cancel) => {
      try {
        await fs.mkdir(path.dirname(target), { recursive: true });
        await step(log, cancel, python, ["-m", "venv", "--clear", target]);
        progress.report({ message: vscode.l10n.t("downloading dependencies") });
        await step(log, cancel, script(target, "python"), [
          "-m", "pip", "install", "--disable-pip-version-check", "--no-input", wheel ?? "cwm-lsp",
        ]);
        return true;
      } catch (problem) {
        await fs.rm(target, { recursive: true, force: true });
        if (!cancel.isCancellationRequested) {
          const show = vscode.l10n.t("Show Log");
          const words = vscode.l10n.t("cwm-lsp could not be installed: {0}", String((problem as Error).message));
          if ((await vscode.window.showErrorMessage(words, show)) === show) {
            log.show();
          }
        }
        return false;
      }
    },
  );
}

/** The wheel in the package, if it was built with one. */
async function bundledWheel(context: vscode.ExtensionContext): Promise<string | undefined> {
  const folder = context.asAbsolutePath("bundled");
  try {
    const wheels = (await fs.readdir(folder)).filter((name) => name.endsWith(".whl"));
    return wheels[0] === undefined ? undefined : path.join(folder, wheels[0]);
  } catch {
    return undefined;
  }
}

async function findPython(log: vscode.LogOutputChannel): Promise<string | undefined> {
  const candidates: string[] = [];
  const api = vscode.workspace.isTrusted ? await pythonApi() : undefined;
  if (api) {
    const selected = await api.environments.resolveEnvironment(api.environments.getActiveEnvironmentPath());
    if (selected?.executable.uri) {
      candidates.push(selected.executable.uri.fsPath);
    }
  }
  for (const name of [...VERSIONS.map((version) => `python${version}`), "python3", "python"]) {
    const found = await findOnPath(name, vscode.workspace.isTrusted);
    if (found) {
      candidates.push(found);
    }
  }
  for (const candidate of candidates) {
    try {
      const said = await output(candidate, ["-I", "-c", "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])"]);
      if (VERSIONS.includes(said.trim())) {
        return candidate;
      }
    } catch (problem) {
      log.debug(`${candidate}: ${String(problem)}`);
    }
  }
  return undefined;
}

function output(command: string, arguments_: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, arguments_, { stdio: ["ignore", "pipe", "ignore"], timeout: 15_000 });
    let text = "";
    child.stdout.on("data", (data: Buffer) => (text += data.toString()));
    child.on("error", reject);
    child.on("close", (code) => (code === 0 ? resolve(text) : reject(new Error(`exit status ${code}`))));
  });
}

function step(
  log: vscode.LogOutputChannel,
  cancel: vscode.CancellationToken,
  command: string,
  arguments_: string[],
): Promise<void> {
  log.info(`${command} ${arguments_.join(" ")}`);
  return new Promise((resolve, reject) => {
    const child = spawn(command, arguments_, { stdio: ["ignore", "pipe", "pipe"] });
    let last = "";
    const take = (data: Buffer) => {
      const text = data.toString().trimEnd();
      last = text.split("\n").at(-1) ?? last;
      log.info(text);
    };
    child.stdout.on("data", take);
    child.stderr.on("data", take);
    const stop = cancel.onCancellationRequested(() => child.kill());
    child.on("error", reject);
    child.on("close", (code) => {
      stop.dispose();
      return code === 0 ? resolve() : reject(new Error(last || `exit status ${code}`));
    });
  });
}
