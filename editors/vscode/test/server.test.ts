import * as assert from "node:assert/strict";
import * as vscode from "vscode";
import { findOnPath, findServer } from "../src/find.js";
import { serverSettings } from "../src/settings.js";
import { lineOf, open, server, until } from "./helping.js";

suite("server", () => {
  suiteSetup(async () => {
    await open("strawberry.py");
    const running = await server();
    await until("the server runs", () => running.running);
  });

  test("it is found on the PATH", async () => {
    const found = (await server()).program;
    assert.equal(found?.where, "path");
    assert.match(found.command, /cwm-lsp$/);
  });

  test("a program that is not there is not found", async () => {
    assert.equal(await findOnPath("cwm-lsp-of-nobody"), undefined);
  });

  test("the setting comes first, and only that of the user counts", async () => {
    const settings = vscode.workspace.getConfiguration("cwm");
    const context = { globalStorageUri: vscode.Uri.file("/nowhere") } as vscode.ExtensionContext;
    const before = await findServer(context);
    await settings.update("server.path", "/somewhere/cwm-lsp", vscode.ConfigurationTarget.Global);
    try {
      assert.deepEqual(await findServer(context), { command: "/somewhere/cwm-lsp", arguments: [], where: "setting" });
    } finally {
      await settings.update("server.path", undefined, vscode.ConfigurationTarget.Global);
    }
    assert.equal(before?.where, "path");
    const running = await server();
    await until("the server runs again", () => running.running);
  });

  test("only settings that were set are handed over", async () => {
    const names = ["model", "hintWidth", "hover"];
    assert.deepEqual(serverSettings(undefined, names), {});
    const settings = vscode.workspace.getConfiguration("cwm");
    await settings.update("hintWidth", 33, vscode.ConfigurationTarget.Workspace);
    try {
      assert.deepEqual(serverSettings(undefined, names), { hintWidth: 33 });
    } finally {
      await settings.update("hintWidth", undefined, vscode.ConfigurationTarget.Workspace);
    }
  });

  test("values are shown at the end of lines", async () => {
    const { document } = await open("strawberry.py");
    const whole = new vscode.Range(0, 0, document.lineCount, 0);
    const line = lineOf(document, "count += 1");
    const label = await until("a hint", async () => {
      const hints = await vscode.commands.executeCommand<vscode.InlayHint[]>(
        "vscode.executeInlayHintProvider", document.uri, whole,
      );
      const hint = hints.find((each) => each.position.line === line);
      return hint && (typeof hint.label === "string" ? hint.label : hint.label.map((part) => part.value).join(""));
    });
    assert.match(label, /^count [=≈] 1 → 2 → 3/);
  });

  test("a hover tells a value", async () => {
    const { document } = await open("strawberry.py");
    const line = lineOf(document, "return count");
    const text = await until("a hover", async () => {
      const hovers = await vscode.commands.executeCommand<vscode.Hover[]>(
        "vscode.executeHoverProvider", document.uri, new vscode.Position(line, 13),
      );
      return hovers.flatMap((hover) => hover.contents).map((each) => (each as vscode.MarkdownString).value).join("\n");
    });
    assert.match(text, /[=≈] 3/);
  });

  test("lenses offer to step and to choose another call", async () => {
    const { document } = await open("strawberry.py");
    const titles = await until("lenses", async () => {
      const lenses = await vscode.commands.executeCommand<vscode.CodeLens[]>("vscode.executeCodeLensProvider", document.uri);
      const found = lenses.map((lens) => lens.command?.title ?? "");
      return found.includes("step") ? found : undefined;
    });
    assert.ok(titles.includes("other call…"));
  });

  test("a command that can't be carried out says why", async () => {
    await assert.rejects((await server()).command("cwm.trace", { uri: "file:///nowhere.py" }), /is not open/);
  });

  test("a restart brings it back", async () => {
    const running = await server();
    await running.restart();
    assert.ok(running.running);
    const status = await running.command<{ version: string }>("cwm.status", {});
    assert.match(status.version, /^\d+\.\d+/);
  });
});
