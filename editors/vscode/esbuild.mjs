// Bundles the extension (dist/), and with --tests what the mocha tests run in the extension host (out/).
import { build } from "esbuild";

const production = process.argv.includes("--production");
const common = {
  bundle: true,
  format: "cjs",
  platform: "node",
  target: "node20",
  external: ["vscode"],
  sourcemap: !production,
  minify: production,
  logLevel: "warning",
};

await build({ ...common, entryPoints: ["src/extension.ts"], outfile: "dist/extension.js" });
await build({ ...common, entryPoints: ["src/browser.ts"], outfile: "dist/browser.js", platform: "browser" });
if (process.argv.includes("--tests")) {
  await build({ ...common, entryPoints: ["test/index.ts"], outfile: "out/index.js", external: ["vscode", "mocha"] });
}
