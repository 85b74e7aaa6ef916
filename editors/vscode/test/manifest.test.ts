import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import * as vscode from "vscode";
import { settingNames } from "../src/settings.js";
import { ID } from "./helping.js";

suite("manifest", () => {
  const extension = vscode.extensions.getExtension(ID);
  assert.ok(extension);
  const read = (name: string) => fs.readFileSync(path.join(extension.extensionPath, name), "utf8");

  test("every text of package.json has its words, and no word is left over", () => {
    const words = Object.keys(JSON.parse(read("package.nls.json")) as object).sort();
    const used = [...new Set([...read("package.json").matchAll(/"%([\w.]+)%"/g)].map((match) => match[1]))].sort();
    assert.deepEqual(used, words);
  });

  test("every command of the manifest is there", async () => {
    const contributed = (extension.packageJSON as { contributes: { commands: { command: string }[] } }).contributes.commands;
    await extension.activate();
    const known = new Set(await vscode.commands.getCommands(true));
    assert.deepEqual(contributed.filter(({ command }) => !known.has(command)), []);
  });

  test("the texts of the source are exported for translation", () => {
    const bundle = JSON.parse(read("l10n/bundle.l10n.json")) as Record<string, string>;
    const folder = path.join(extension.extensionPath, "src");
    for (const file of fs.readdirSync(folder)) {
      const source = fs.readFileSync(path.join(folder, file), "utf8");
      for (const match of source.matchAll(/l10n\.t\(\s*"((?:[^"\\]|\\.)*)"/g)) {
        const text = JSON.parse(`"${match[1]}"`) as string;
        assert.ok(text in bundle, `${file}: run npm run l10n for: ${text}`);
      }
    }
  });

  test("what is ours is not handed to the server", () => {
    const names = settingNames(extension);
    assert.ok(names.includes("model"));
    assert.ok(!names.some((name) => name.startsWith("server")));
  });
});
