"""Runs filled code for real, in a child process: what its calls give, as `repr`. Not a test itself."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence

_CHILD = """
import json, resource, signal, sys
resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
class Late(BaseException): pass
def late(*_): raise Late
signal.signal(signal.SIGALRM, late)
out = []
for text, calls in json.load(sys.stdin):
    namespace = {"__name__": "filled"}
    results = []
    signal.setitimer(signal.ITIMER_REAL, 5.0)
    try:
        exec(compile(text, "filled", "exec"), namespace)
        for call in calls:
            try:
                results.append(repr(eval(call, namespace)))
            except Exception as error:
                results.append(type(error).__name__)
    except Late:
        pass
    except Exception as error:
        results = [type(error).__name__]
    signal.setitimer(signal.ITIMER_REAL, 0)
    out.append(results + ["?"] * (len(calls) - len(results)))
json.dump(out, sys.stdout)
"""


def really_run(jobs: Sequence[tuple[str, Sequence[str]]]) -> list[list[str]]:
    """For each text and its calls what they give: a `repr`, the name of an exception, or `?`."""
    done = subprocess.run(
        [sys.executable, "-c", _CHILD],
        input=json.dumps([(text, list(calls)) for text, calls in jobs]),
        capture_output=True,
        text=True,
        timeout=60 + 6 * len(jobs),
        check=True,
    )
    found: list[list[str]] = json.loads(done.stdout)
    return found


def all_right(text: str, checks: Sequence[tuple[str, str]]) -> bool:
    """True if every call really gives what it should."""
    [results] = really_run([(text, [call for call, _ in checks])])
    return results == [expected for _, expected in checks]
