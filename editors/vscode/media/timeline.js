// The timeline's picture: made anew from the run that the extension sends. Knows no VS Code beyond messages.
(() => {
  const api = acquireVsCodeApi();
  const main = document.getElementById("timeline");
  const words = JSON.parse(document.body.dataset.words);
  const MARKS = { predicted: "≈ ", computed: "= ", edited: "✎ ", observed: "✓ ", given: "" };
  const ROW = 22;

  let run = null;
  let chosen = 0;
  let stop = null;
  let variable = (api.getState() || {}).variable || "";

  /** An element with a class, text and attributes. */
  function make(tag, className, text, attributes = {}) {
    const element = document.createElement(tag);
    element.className = className;
    if (text !== undefined) element.textContent = text;
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
  }

  const shown = (value) => (MARKS[value.origin] ?? "") + value.repr;

  /** predicted, unsure, computed, … as classes of the colours. */
  function look(value) {
    if (!value) return "";
    const unsure = value.origin === "predicted" && value.confidence !== null && value.confidence < 0.5;
    return unsure ? "unsure" : value.origin;
  }

  /** The least confidence of a frame's values. */
  function confidence(frame) {
    const values = [...Object.values(frame.locals), ...(frame.arg ? [frame.arg] : [])];
    return Math.min(1, ...values.filter((v) => v.origin === "predicted" && v.confidence !== null).map((v) => v.confidence));
  }

  /** Calls as spans of frames: [first, last, depth, function]. */
  function calls(frames) {
    const open = [];
    const found = [];
    frames.forEach((frame, at) => {
      if (frame.event === "call") open.push([at, at, frame.depth, frame.function]);
      for (const each of open) each[1] = at;
      if (frame.event === "return" && open.length > 0) found.push(open.pop());
    });
    return [...found, ...open].sort((a, b) => a[0] - b[0]);
  }

  /** The values of a name, as spans of equal ones: [first, last, value]. Frames without it leave a gap. */
  function history(frames, key) {
    const [where, name] = key.split("\0");
    const spans = [];
    let last = null;
    frames.forEach((frame, at) => {
      const value = frame.function === where ? frame.locals[name] : undefined;
      if (value === undefined) {
        const leaves = frame.function === where && frame.event === "return";
        if (last && (leaves || frame.function !== where)) last[1] = at;
        if (leaves || frame.function === where) last = null;
        return;
      }
      if (last && last[2].repr === value.repr && last[2].origin === value.origin) last[1] = at;
      else spans.push((last = [at, at, value]));
    });
    return spans;
  }

  /** Every variable of every function, most changing first. */
  function variables(frames) {
    const keys = new Map();
    for (const frame of frames)
      for (const name of Object.keys(frame.locals))
        if (!name.startsWith(".")) keys.set(`${frame.function}\0${name}`, 0);
    for (const key of keys.keys()) keys.set(key, history(frames, key).length);
    return [...keys].sort((a, b) => b[1] - a[1]).map(([key]) => key);
  }

  function draw() {
    main.replaceChildren();
    const frames = run.frames;
    const head = make("header", "head");
    head.append(make("span", "call", run.call), make("span", "outcome", run.outcome), make("span", "dim", run.model));
    const names = variables(frames);
    if (!names.includes(variable)) variable = names[0] ?? "";
    const label = make("label", "dim", `${words.values} `);
    const select = make("select", "", undefined, { id: "variable" });
    if (names.length === 0) select.append(new Option(words.none, ""));
    for (const key of names) {
      const [where, name] = key.split("\0");
      select.append(new Option(`${name}  (${where})`, key, false, key === variable));
    }
    select.addEventListener("change", () => {
      variable = select.value;
      api.setState({ variable });
      draw();
    });
    label.append(select);
    head.append(label);

    const depth = Math.max(1, ...frames.map((frame) => frame.depth));
    const room = Math.max(200, main.clientWidth - 24);
    const width = Math.max(7, Math.min(28, room / Math.max(1, frames.length)));
    const strip = make("div", "strip", undefined, { role: "listbox", tabindex: "0", "aria-label": words.strip, id: "strip" });
    strip.style.width = `${width * frames.length}px`;
    strip.style.height = `${(depth + 1) * ROW + 8}px`;

    for (const [first, last, level, name] of calls(frames)) {
      const bar = make("div", "bar", name, { title: name });
      place(bar, first, last, (level - 1) * ROW, width);
      strip.append(bar);
    }
    frames.forEach((frame, at) => {
      const cell = make("div", `frame ${frame.event}`, undefined, {
        role: "option", "data-frame": String(at), title: describe(frame, at), id: `frame-${at}`,
      });
      cell.style.opacity = String(0.35 + 0.65 * confidence(frame));
      place(cell, at, at, frame.depth * ROW - 5, width);
      strip.append(cell);
    });
    for (const [first, last, value] of variable ? history(frames, variable) : []) {
      const span = make("div", `value ${look(value)}`, shown(value), { title: shown(value), "data-frame": String(first) });
      place(span, first, last, depth * ROW + 6, width);
      strip.append(span);
    }
    const here = make("div", "here");
    here.id = "here";
    strip.append(here);
    strip.addEventListener("click", (event) => {
      const at = event.target.closest("[data-frame]")?.dataset.frame;
      choose(at === undefined ? Math.floor((event.clientX - strip.getBoundingClientRect().left) / width) : Number(at), true);
    });
    strip.addEventListener("keydown", (event) => {
      const by = { ArrowRight: 1, ArrowLeft: -1, PageDown: 10, PageUp: -10, Home: -1e9, End: 1e9 }[event.key];
      if (by !== undefined) {
        event.preventDefault();
        choose(chosen + by, true);
      }
    });
    const scroll = make("div", "scroll");
    scroll.append(strip);
    main.append(head, scroll, make("footer", "about", "", { id: "about", "aria-live": "polite" }));
    main.dataset.width = String(width);
    choose(Math.min(stop ?? chosen, frames.length - 1), false);
  }

  function place(element, first, last, top, width) {
    element.style.left = `${first * width}px`;
    element.style.width = `${(last - first + 1) * width - 1}px`;
    element.style.top = `${top}px`;
  }

  function describe(frame, at) {
    const place = words.frame.replace("{0}", at + 1).replace("{1}", run.frames.length);
    const values = Object.entries(frame.locals).filter(([name]) => !name.startsWith("."));
    const arg = frame.arg && frame.event !== "exception" ? ` → ${shown(frame.arg)}` : "";
    return `${place} · ${frame.event} · ${frame.function}:${frame.line}${arg}   ${values.map(([n, v]) => `${n} ${shown(v)}`).join("   ")}`;
  }

  /** Marks a frame; `jump` shows its line in the editor. */
  function choose(at, jump) {
    if (!run || run.frames.length === 0) return;
    chosen = Math.max(0, Math.min(run.frames.length - 1, at));
    const width = Number(main.dataset.width);
    const here = document.getElementById("here");
    here.style.left = `${chosen * width}px`;
    here.style.width = `${width - 1}px`;
    here.classList.toggle("stopped", stop === chosen);
    document.getElementById("strip").setAttribute("aria-activedescendant", `frame-${chosen}`);
    for (const cell of document.querySelectorAll(".frame[aria-selected]")) cell.removeAttribute("aria-selected");
    document.getElementById(`frame-${chosen}`).setAttribute("aria-selected", "true");
    document.getElementById("about").textContent = describe(run.frames[chosen], chosen);
    here.scrollIntoView({ block: "nearest", inline: "nearest" });
    if (jump) api.postMessage({ kind: "jump", line: run.frames[chosen].line });
  }

  window.addEventListener("message", ({ data }) => {
    if (data.kind === "run") {
      if (!run || run.call !== data.run.call) chosen = 0;
      run = data.run;
      draw();
    } else if (data.kind === "stop") {
      stop = data.frame;
      if (run && stop !== null) choose(stop, false);
    } else if (data.kind === "message") {
      run = null;
      main.replaceChildren(make("p", "dim", data.text));
    }
  });
  new ResizeObserver(() => run && draw()).observe(document.body);
  api.postMessage({ kind: "ready" });
})();
