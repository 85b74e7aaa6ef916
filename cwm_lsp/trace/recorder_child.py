"""The program that the recorder starts: watches over a second process, in which the user's code runs traced.

Started as `python recorder_child.py`, on Python 3.8 and later; one line of JSON on stdin is the request, and
stdin stays open as long as the recorder lives. Two processes, because the code may kill its parent, its
process group or itself; where there is no `fork` (Windows) one has to do. The limits are against accidents:
this is no sandbox, the code runs with the user's rights.

Leaves out the tracing (recorder_tracer.py), loading and calling (recorder_program.py).
"""

# ruff: noqa: E402
from __future__ import annotations

import sys

_BARE_MODULES = frozenset(sys.modules)
if __name__ == "__main__":
    # The folder of this file: its modules must not stand in for those of the standard library.
    del sys.path[0]

import contextlib
import json
import os
import select
import signal
import time
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

_exit = os._exit
_DESCRIPTOR = 200
"""The channel's number is at least this, out of the way of programs that use small ones."""


def main() -> NoReturn:
    """Reads the request, runs the program, reports how its process ended."""
    request = json.loads(_line(0))
    descriptor = _away(_opened(request["channel"]))
    if not hasattr(os, "fork"):
        _work(request, descriptor)
    wake, alarm = os.pipe()
    os.set_blocking(alarm, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(alarm, warn_on_full_buffer=False)
    _adopt_orphans()
    worker = os.fork()
    if not worker:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.close(wake)
        os.close(alarm)
        _work(request, descriptor)
    _own_group(worker)
    _say(descriptor, request, ["worker", worker])
    status, seconds = _watch(worker, wake)
    _end_group(worker)
    _end_orphans()
    code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else -os.WTERMSIG(status)
    _say(descriptor, request, ["exit", code, seconds])
    _exit(0)


def _line(descriptor: int) -> bytes:
    parts: list[bytes] = []
    while not parts or not parts[-1].endswith(b"\n"):
        part = os.read(descriptor, 1 << 20)
        if not part:
            _exit(2)
        parts.append(part)
    return b"".join(parts)


def _opened(channel: int) -> int:
    """The channel is given as a descriptor, on Windows as a handle."""
    if sys.platform == "win32":
        import msvcrt

        return msvcrt.open_osfhandle(channel, os.O_WRONLY)
    return channel


def _away(descriptor: int) -> int:
    """The descriptor under a higher number, not inherited by programs that are started."""
    if sys.platform == "win32":
        return descriptor
    import fcntl

    high = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _DESCRIPTOR)
    os.close(descriptor)
    return high


def _say(descriptor: int, request: dict[str, Any], message: list[Any]) -> None:
    os.write(descriptor, f"{request['token']}{json.dumps(message)}\n".encode("ascii"))


def _own_group(process: int) -> None:
    # It fails where it is done already: both processes try, so that neither has to wait for the other.
    with contextlib.suppress(OSError):
        os.setpgid(process, process)


def _adopt_orphans() -> None:
    """Processes whose parents end become children of this one (Linux), so that they can be found."""
    try:
        import ctypes

        set_child_subreaper = 36
        ctypes.CDLL(None).prctl(set_child_subreaper, 1, 0, 0, 0)
    except (ImportError, OSError, AttributeError, TypeError):
        pass


def _watch(worker: int, wake: int) -> tuple[int, float]:
    """Waits until the worker ends; kills it when the recorder closes stdin. Its status and CPU seconds."""
    while True:
        ended, status, usage = os.wait4(worker, os.WNOHANG)
        if ended:
            return status, usage.ru_utime + usage.ru_stime
        readable, _, _ = select.select([0, wake], [], [])
        if wake in readable:
            os.read(wake, 1 << 10)
        if 0 in readable and not os.read(0, 1 << 10):
            _end_group(worker)
            _, status, usage = os.wait4(worker, 0)
            return status, usage.ru_utime + usage.ru_stime


def _end_group(worker: int) -> None:
    with contextlib.suppress(OSError):
        os.killpg(worker, signal.SIGKILL)


def _end_orphans() -> None:
    """Kills what the program left running in other process groups, generation after generation (Linux)."""
    own = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children")
    deadline = time.monotonic() + 2
    while time.monotonic() < deadline:
        try:
            for child in own.read_text(encoding="ascii").split():
                os.kill(int(child), signal.SIGKILL)
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except OSError:
            return
        time.sleep(0.002)


def _work(request: dict[str, Any], descriptor: int) -> NoReturn:
    """The second process: becomes the program's."""
    if hasattr(os, "setpgid"):
        _own_group(0)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.chdir(request["cwd"])
    run, channel_type = _parts()
    _limit(request["limits"])
    own = {name: module for name, module in sys.modules.items() if name not in _BARE_MODULES}
    own["__main__"] = sys.modules["__main__"]
    for name in own:
        del sys.modules[name]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        run(request, channel_type(descriptor, request["token"]))
    finally:
        _exit(0)


def _parts() -> tuple[Any, Any]:
    """What the second process needs of the package, by its place, whatever is installed under its name."""
    root = str(Path(__file__).absolute().parents[2])
    sys.path.insert(0, root)
    try:
        from cwm_lsp.trace.recorder_program import run
        from cwm_lsp.trace.recorder_tracer import Channel
    finally:
        sys.path.remove(root)
    return run, Channel


def _limit(limits: dict[str, Any]) -> None:
    """Sets the limits that the system enforces, those that it knows."""
    try:
        import resource
    except ImportError:
        return
    cpu = max(1, round(limits["cpu_seconds"]))
    wanted = {
        "RLIMIT_CORE": (0, 0),
        "RLIMIT_CPU": (cpu, cpu + 1),
        "RLIMIT_FSIZE": (limits["file_bytes"], limits["file_bytes"]),
        "RLIMIT_AS": (limits["memory"], limits["memory"]),
    }
    tasks = _tasks_of_user()
    if tasks is not None:
        wanted["RLIMIT_NPROC"] = (tasks + limits["processes"], tasks + limits["processes"])
    for name, pair in wanted.items():
        kind = getattr(resource, name, None)
        if kind is None:
            continue
        most = resource.getrlimit(kind)[1]
        soft, hard = pair if most == resource.RLIM_INFINITY else (min(pair[0], most), min(pair[1], most))
        # macOS knows RLIMIT_AS but does not always take it.
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(kind, (soft, hard))


def _tasks_of_user() -> int | None:
    """How many tasks this user has, for the system's limit counts them all; None where it has no effect."""
    if not sys.platform.startswith("linux") or os.getuid() == 0:
        return None
    count = 0
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if process.stat().st_uid == os.getuid():
                count += len(list((process / "task").iterdir()))
    return count


if __name__ == "__main__":
    main()
