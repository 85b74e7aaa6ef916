"""The standard-library modules that the soundness tests exercise, what is run in each, and which files that shows.

The runs themselves are in tests/fixtures/stdlib_runs. Nothing is written outside of temporary folders.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any

from tests.fixtures.stdlib_runs import files, numbers, objects, text

RUNS: dict[str, tuple[str, Callable[[Any], None]]] = {
    # the module that a run gets: the modules it exercises, and the run
    "textwrap": ("textwrap", text.run_textwrap),
    "string": ("string", text.run_string),
    "fractions": ("fractions", numbers.run_fractions),
    "statistics": ("statistics", numbers.run_statistics),
    "bisect": ("bisect", objects.run_bisect),
    "heapq": ("heapq", objects.run_heapq),
    "difflib": ("difflib", text.run_difflib),
    "shlex": ("shlex", text.run_shlex),
    "csv": ("csv", text.run_csv),
    "json": ("json json.encoder json.decoder json.scanner", text.run_json),
    "ast": ("ast", text.run_ast),
    "tokenize": ("tokenize", text.run_tokenize),
    "configparser": ("configparser", files.run_configparser),
    "argparse": ("argparse", files.run_argparse),
    "urllib.parse": ("urllib.parse", files.run_urllib),
    "html": ("html html.parser _markupbase", text.run_html),
    "colorsys": ("colorsys", numbers.run_colorsys),
    "calendar": ("calendar", numbers.run_calendar),
    "datetime": ("_pydatetime datetime", numbers.run_datetime),
    "_strptime": ("_strptime", numbers.run_strptime),
    "copy": ("copy", objects.run_copy),
    "pprint": ("pprint", text.run_pprint),
    "reprlib": ("reprlib", text.run_reprlib),
    "random": ("random", numbers.run_random),
    "_pydecimal": ("_pydecimal", numbers.run_decimal),
    "ipaddress": ("ipaddress", files.run_ipaddress),
    "collections": ("collections", objects.run_collections),
    "functools": ("functools", objects.run_functools),
    "enum": ("enum", objects.run_enum),
    "dataclasses": ("dataclasses", objects.run_dataclasses),
    "inspect": ("inspect", objects.run_inspect),
    "re": ("re re._parser re._compiler", text.run_re),
    "fnmatch": ("fnmatch", text.run_fnmatch),
    "glob": ("glob", files.run_glob),
    "posixpath": ("posixpath genericpath", files.run_posixpath),
    "locale": ("locale", text.run_locale),
    "gettext": ("gettext", text.run_gettext),
    "optparse": ("optparse", files.run_optparse),
    "email": (
        "email.message email.parser email.feedparser email.utils email.header email._parseaddr email.generator "
        "email._header_value_parser email.policy email.charset",
        files.run_email,
    ),
    "base64": ("base64", files.run_base64),
    "quopri": ("quopri", files.run_quopri),
    "uuid": ("uuid", files.run_uuid),
    "zipfile": ("zipfile", files.run_zipfile),
    "tarfile": ("tarfile", files.run_tarfile),
    "contextlib": ("contextlib", objects.run_contextlib),
}


def sources(name: str) -> dict[str, str]:
    """The files that a run exercises: the name in its code objects, and where the text is."""
    found: dict[str, str] = {}
    for module_name in RUNS[name][0].split():
        with contextlib.suppress(ImportError):
            module = importlib.import_module(module_name)
            path = module.__file__ or ""
            code = next((f.__code__ for f in vars(module).values() if _is_own(f, module_name)), None)
            found[path] = path
            if code is not None:
                found[code.co_filename] = path
    return found


def _is_own(thing: object, module_name: str) -> bool:
    return hasattr(thing, "__code__") and getattr(thing, "__module__", "") == module_name


@contextlib.contextmanager
def in_peace() -> Iterator[None]:
    """Keeps what is run from writing to the terminal."""
    hook = sys.unraisablehook
    sys.unraisablehook = lambda unraisable: None
    try:
        with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        sys.unraisablehook = hook


def run(name: str) -> None:
    """Does what the run of that name does."""
    RUNS[name][1](importlib.import_module(name))
