import * as assert from "node:assert/strict";
import * as vscode from "vscode";
import { lineOf, open, server, until } from "./helping.js";

interface Stop {
  session: vscode.DebugSession;
  reason: string;
}

/** The stops of all sessions, in order. */
class Stops implements vscode.DebugAdapterTrackerFactory {
  readonly seen: Stop[] = [];

  createDebugAdapterTracker(session: vscode.DebugSession): vscode.DebugAdapterTracker {
    return {
      onDidSendMessage: (message: { type: string; event?: string; body?: { reason: string } }) => {
        if (message.type === "event" && message.event === "stopped") {
          this.seen.push({ session, reason: message.body?.reason ?? "" });
        }
      },
    };
  }

  /** The stop after the first `count`. */
  next(count: number): Promise<Stop> {
    return until("a stop", () => this.seen[count]);
  }
}

async function line(session: vscode.DebugSession): Promise<number> {
  const stack = (await session.customRequest("stackTrace", { threadId: 1 })) as { stackFrames: { line: number }[] };
  return (stack.stackFrames[0]?.line ?? 0) - 1;
}

async function locals(session: vscode.DebugSession): Promise<Map<string, string>> {
  const stack = (await session.customRequest("stackTrace", { threadId: 1 })) as { stackFrames: { id: number }[] };
  const scopes = (await session.customRequest("scopes", { frameId: stack.stackFrames[0]?.id })) as {
    scopes: { variablesReference: number }[];
  };
  const read = (await session.customRequest("variables", {
    variablesReference: scopes.scopes[0]?.variablesReference,
  })) as { variables: { name: string; value: string }[] };
  return new Map(read.variables.map(({ name, value }) => [name, value]));
}

suite("debugging", () => {
  const stops = new Stops();
  let registered: vscode.Disposable;

  suiteSetup(() => {
    registered = vscode.debug.registerDebugAdapterTrackerFactory("cwm", stops);
  });
  suiteTeardown(() => registered.dispose());
  teardown(async () => {
    await vscode.debug.stopDebugging();
    await until("no session", () => !vscode.debug.activeDebugSession);
  });

  test("a call is stepped without launch.json, forwards and backwards, and changed", async () => {
    const { document } = await open("strawberry.py");
    await until("the server runs", async () => (await server()).running);
    const before = stops.seen.length;
    await vscode.commands.executeCommand("cwm.step", { uri: document.uri.toString(), function: "count_letter", call: 'count_letter("berry", "r")' });
    const { session } = await stops.next(before);
    assert.equal(await line(session), lineOf(document, "def count_letter"));
    let count = before + 1;
    const move = async (request: string) => {
      await session.customRequest(request, { threadId: 1 });
      await stops.next(count);
      count += 1;
      return line(session);
    };
    assert.equal(await move("next"), lineOf(document, "count = 0"));
    assert.equal(await move("next"), lineOf(document, "for char in word"));
    assert.equal((await locals(session)).get("count"), "= 0");
    assert.equal(await move("stepBack"), lineOf(document, "count = 0"));
    assert.equal(await move("next"), lineOf(document, "for char in word"));

    const frame = (await session.customRequest("stackTrace", { threadId: 1 })) as { stackFrames: { id: number }[] };
    await session.customRequest("setExpression", { expression: "count", value: "40", frameId: frame.stackFrames[0]?.id });
    assert.equal((await locals(session)).get("count"), "✎ 40");
    await move("continue");
    assert.match((await locals(session)).get("count") ?? "", /42$/);
    await move("reverseContinue");
    assert.equal(await line(session), lineOf(document, "def count_letter"));
  });

  test("a launch without a call takes the best one of the file", async () => {
    const { document } = await open("strawberry.py");
    const before = stops.seen.length;
    const started = await vscode.debug.startDebugging(undefined, {
      type: "cwm", request: "launch", name: "predict", program: document.uri.fsPath, stopOnEntry: true,
    });
    assert.ok(started);
    const { session, reason } = await stops.next(before);
    assert.equal(reason, "entry");
    assert.equal(await line(session), lineOf(document, "def how_many"));
  });

  test("breakpoints on lines and data stop it", async () => {
    const { document } = await open("strawberry.py");
    const wanted = lineOf(document, "count += 1");
    const breakpoint = new vscode.SourceBreakpoint(new vscode.Location(document.uri, new vscode.Position(wanted, 0)));
    vscode.debug.addBreakpoints([breakpoint]);
    try {
      const before = stops.seen.length;
      await vscode.commands.executeCommand("cwm.step", { uri: document.uri.toString(), function: "how_many" });
      const { session } = await stops.next(before);
      await session.customRequest("continue", { threadId: 1 });
      assert.equal((await stops.next(before + 1)).reason, "breakpoint");
      assert.equal(await line(session), wanted);
      const info = (await session.customRequest("dataBreakpointInfo", { name: "count" })) as { dataId: string };
      await session.customRequest("setDataBreakpoints", { breakpoints: [{ dataId: info.dataId, accessType: "write" }] });
      await session.customRequest("continue", { threadId: 1 });
      assert.equal((await stops.next(before + 2)).reason, "data breakpoint");
    } finally {
      vscode.debug.removeBreakpoints([breakpoint]);
    }
  });
});
