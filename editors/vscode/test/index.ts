/** What VS Code calls to run the tests inside its extension host. */

import Mocha from "mocha";

/** One line a test, as one text: VS Code hands on what is logged without its formats. */
class Lines extends Mocha.reporters.Base {
  constructor(runner: Mocha.Runner, options?: Mocha.MochaOptions) {
    super(runner, options);
    const say = (sign: string, test: Mocha.Test, more = "") => {
      console.log(`mocha: ${sign} ${test.fullTitle()} (${test.duration ?? 0} ms)${more}`);
    };
    runner.on("pass", (test) => say("✓", test));
    runner.on("fail", (test, problem: Error) => say("✗", test, `\n${problem.stack ?? problem.message}`));
    runner.on("end", () => console.log(`mocha: ${runner.stats?.passes} passed, ${runner.stats?.failures} failed`));
  }
}

export async function run(): Promise<void> {
  const mocha = new Mocha({ ui: "tdd", timeout: 60_000, color: false, reporter: Lines });
  mocha.suite.emit("pre-require", globalThis, "", mocha);
  await import("./manifest.test.js");
  await import("./server.test.js");
  await import("./holes.test.js");
  await import("./debug.test.js");
  await new Promise<void>((resolve, reject) => {
    mocha.run((failures) => (failures > 0 ? reject(new Error(`${failures} failed`)) : resolve()));
  });
}
