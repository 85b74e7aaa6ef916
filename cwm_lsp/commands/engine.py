"""`cwm-lsp engine`: the shared process that holds a model for all editors and command lines of this user."""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path
from typing import Any

from cwm_lsp.commands.errors import BAD_USAGE, CommandError
from cwm_lsp.commands.options import seconds, settings
from cwm_lsp.commands.terminal import Terminal, note, print_json
from cwm_lsp.look import printable
from cwm_lsp.model.backend import BackendError

DESCRIPTION = """\
A large model is loaded once, by an engine process that every editor and command line of yours shares. It is
started on demand and ends when nobody used it for a while; these commands are for looking and for deciding
yourself. The embedded model needs no engine."""
EXAMPLES = """\
examples:
  cwm-lsp engine start facebook-cwm-nf4         load it now, so that nothing waits later
  cwm-lsp engine status                         model, memory, queue, speed
  cwm-lsp engine stop"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `engine`."""
    actions = parser.add_subparsers(metavar="ACTION", dest="action", required=True)
    starting = actions.add_parser("start", help="start the engine of a model and wait until it is loaded")
    starting.add_argument(
        "model", metavar="MODEL", nargs="?", help="a model's name or folder; else that of the settings"
    )
    starting.add_argument(
        "--idle", metavar="SECONDS", type=seconds, help="end after so long without requests (900)"
    )
    showing = actions.add_parser("status", help="which engines run, and what they do")
    showing.add_argument("--json", action="store_true", help="one JSON object an engine")
    stopping = actions.add_parser("stop", help="end engines")
    stopping.add_argument("model", metavar="MODEL", nargs="?", help="only the engine of this model")
    stopping.add_argument("--when-idle", action="store_true", help="only once its requests are answered")
    stopping.add_argument("--all", action="store_true", help=argparse.SUPPRESS)
    running = actions.add_parser("run", help="be the engine, in this terminal (what `start` starts)")
    running.add_argument("model", metavar="MODEL", help="a model's name or folder")
    running.add_argument("--options", metavar="JSON", default="{}", help="options of the model's backend")
    running.add_argument(
        "--idle", metavar="SECONDS", type=seconds, help="end after so long without requests (900)"
    )
    running.add_argument(
        "--tcp", metavar="PORT", type=int, help="loopback TCP with a token, not a Unix socket (0: any port)"
    )
    running.add_argument("--write-timeout", metavar="SECONDS", type=seconds, help=argparse.SUPPRESS)


def run(args: argparse.Namespace) -> int:
    """Does what was asked."""
    try:
        if args.action == "run":
            return _run(args)
        if args.action == "start":
            return _start(args)
        if args.action == "status":
            return _status(as_json=args.json)
        return _stop(args)
    except BackendError as error:
        raise CommandError(str(error)) from None


def _run(args: argparse.Namespace) -> int:
    from cwm_lsp.model.engine_process import IDLE_SECONDS, WRITE_TIMEOUT, run_engine

    try:
        options: Any = json.loads(args.options)
    except ValueError:
        options = None
    if not isinstance(options, dict):
        raise CommandError("--options is no JSON object", BAD_USAGE)
    status = run_engine(
        args.model,
        options,
        idle=args.idle or IDLE_SECONDS,
        tcp=args.tcp,
        write_timeout=args.write_timeout or WRITE_TIMEOUT,
    )
    # Threads may be deep inside a library; nothing is left that would have to wait for them.
    os._exit(status)


def _start(args: argparse.Namespace) -> int:
    from cwm_lsp.model.catalog import engine_target
    from cwm_lsp.model.engine_client import open_engine

    chosen = settings()
    model, options = engine_target(args.model or chosen.model, dict(chosen.backend))
    terminal = Terminal()
    began = time.perf_counter()
    with terminal.status():
        backend = open_engine(
            model,
            options,
            idle=args.idle,
            progress=lambda doing, part: terminal.say(f"{model}: {doing} {100 * part:.0f} %"),
        )
    backend.supervisor.answered()
    about = backend.describe()
    took = time.perf_counter() - began
    terminal.line([(f"{about.name} is loaded", "bold"), (f" ({about.backend}, {took:.1f} s)", "dim")])
    if warning := about.details.get("warning"):
        note(str(warning))
    backend.close()
    return 0


def _status(*, as_json: bool) -> int:
    terminal = None if as_json else Terminal()
    count = 0
    for place, said in _engines():
        count += 1
        if terminal is None:
            print_json({"socket": str(place.socket), **said})
            continue
        dot = f" {terminal.marks.dot} "
        terminal.line([(printable(str(said.get("model"))), "bold"), (f"{dot}{said.get('state')}", "")])
        terminal.line([(f"  {_what(said, dot)}", "dim")])
        if said.get("state") == "ready":
            terminal.line([(f"  {_load(said, dot)}", "dim")])
        elif said.get("failure"):
            terminal.line([(f"  {printable(str(said['failure']))}", "red")])
    if terminal is not None and not count:
        terminal.line([("no engine runs; one is started when a model needs it", "dim")])
    return 0


def _stop(args: argparse.Namespace) -> int:
    from cwm_lsp.model.catalog import engine_target
    from cwm_lsp.model.http_client import HttpError

    wanted = None if args.model is None else engine_target(args.model, {})[0]
    terminal, stopped = Terminal(), 0
    for place, said in _engines():
        if wanted is not None and said.get("model") != wanted:
            continue
        try:
            _client(place).json("POST", "/v1/cwm-lsp/stop", {"when_idle": args.when_idle}, timeout=10.0)
        except HttpError as error:
            raise CommandError(str(error)) from None
        end = time.monotonic() + 10.0
        while not args.when_idle and place.state.exists() and time.monotonic() < end:
            time.sleep(0.05)
        stopped += 1
        how = "ends when it is idle" if args.when_idle else "ended"
        terminal.line([(f"{printable(str(said.get('model')))} {how}", "")])
    if not stopped:
        terminal.line([("no such engine runs" if wanted else "no engine runs", "dim")])
    return 0


def _engines() -> list[tuple[Any, dict[str, Any]]]:
    """The engines that answer, with their status; what dead ones left behind is removed."""
    from cwm_lsp.model.engine_paths import FileLock, places
    from cwm_lsp.model.http_client import HttpError

    found = []
    for place in places():
        try:
            found.append((place, _client(place).json("GET", "/v1/cwm-lsp/status", timeout=10.0)))
        except HttpError:
            lock = FileLock(place.lock)
            if lock.acquire():
                place.clear()
                lock.release()
            else:
                found.append((place, {**place.read_state(), "state": "not answering"}))
    return found


def _client(place: Any) -> Any:
    from cwm_lsp.model.http_client import Endpoint, HttpClient

    state = place.read_state()
    if state.get("port"):
        return HttpClient(Endpoint(f"http://127.0.0.1:{state['port']}", key=str(state.get("token", ""))))
    return HttpClient(Endpoint(socket=Path(place.socket)))


def _what(said: dict[str, Any], dot: str) -> str:
    details = said.get("details") or {}
    parts = [
        str(said.get("backend", "")),
        *(str(details[k]) for k in ("dtype", "quant", "device") if details.get(k)),
    ]
    parts += [f"pid {said.get('pid')}", f"version {said.get('version')}"]
    if said.get("memory"):
        parts.append(f"{said['memory'] / 1e9:.2f} GB of memory")
    if gpu := said.get("gpu_memory"):
        parts.append(f"{gpu / 1e9:.2f} GB on the GPU")
    return dot.join(part for part in parts if part)


def _load(said: dict[str, Any], dot: str) -> str:
    waiting = f"{said.get('running', 0)} running, {said.get('queued', 0)} queued"
    speed = f"{said.get('tokens_per_second', 0)} tokens/s over the last minute"
    idle = f"idle for {said.get('idle', 0):.0f} s"
    return dot.join([waiting, f"{said.get('answered', 0)} answered", speed, idle])
