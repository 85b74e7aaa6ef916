import * as assert from "node:assert/strict";
import * as vscode from "vscode";
import { behindMarkers, type Fill, FILLED, words } from "../src/holes.js";
import { lineOf, open, server, until } from "./helping.js";

suite("holes", () => {
  test("a fill is offered behind the ?, which goes when it is accepted", async () => {
    const document = await vscode.workspace.openTextDocument({ content: "x = ? + 1\n", language: "plaintext" });
    const editor = await vscode.window.showTextDocument(document);
    const marker = new vscode.Range(0, 4, 0, 5);
    const items = behindMarkers(document, [new vscode.InlineCompletionItem("y * 2", marker)]) as vscode.InlineCompletionItem[];
    const item = items[0];
    assert.ok(item?.range && item.command);
    assert.ok(item.range.isEqual(new vscode.Range(0, 5, 0, 5)));
    assert.equal(item.command.command, FILLED);

    // What VS Code does when a fill is accepted.
    const { range, insertText, command } = item;
    await editor.edit((edit) => edit.replace(range, insertText as string), { undoStopBefore: true, undoStopAfter: false });
    await vscode.commands.executeCommand(command.command, ...(command.arguments as unknown[]));
    assert.equal(document.getText(), "x = y * 2 + 1\n");
    await vscode.commands.executeCommand("undo");
    assert.equal(document.getText(), "x = ? + 1\n");
  });

  test("other items are left as they are", async () => {
    const document = await vscode.workspace.openTextDocument({ content: "x = y\n" });
    const item = new vscode.InlineCompletionItem(" + 1", new vscode.Range(0, 5, 0, 5));
    assert.deepEqual(behindMarkers(document, [item]), [item]);
    assert.equal(behindMarkers(document, null), null);
  });

  test("the words of a fill tell how it was checked", () => {
    assert.equal(words({ text: "a", verified: "passed", examples: [2, 3] }), "passed · 2 of 3 examples");
    assert.equal(words({ text: "a" }), "");
  });
});

suite("holes of a file", () => {
  test("all holes of a function are filled together", async () => {
    const editor = await open("holes/best_profit.py");
    const line = lineOf(editor.document, "lowest = ");
    editor.selection = new vscode.Selection(line, 0, line, 0);
    await vscode.commands.executeCommand("cwm.fillFunction");
    const text = await until("the fills", () => {
      const now = editor.document.getText().split('"""').at(-1) ?? "";
      return now.includes("?") ? undefined : now;
    });
    assert.match(text, /lowest = prices\[0\]/);
    assert.match(text, /lowest = min\(/);
    await vscode.commands.executeCommand("workbench.action.files.revert");
  });

  test("the fills of one hole are told with what they passed", async () => {
    const { document } = await open("holes/brackets.py");
    const line = lineOf(document, "if ?");
    const position = { line, character: document.lineAt(line).text.indexOf("?") };
    const answer = await (await server()).command<{ fills: Fill[] }>("cwm.fill", { uri: document.uri.toString(), position });
    assert.equal(answer.fills[0]?.text, "depth < 0");
    assert.match(words(answer.fills[0]), /^passed · 5 of 5 examples$/);
  });
});
