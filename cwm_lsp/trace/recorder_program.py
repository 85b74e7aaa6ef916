"""Loads the document as a module, evaluates the call's function and arguments, and runs it traced.

Part of the recorder's child: runs on Python 3.8 and later. Leaves out limits and processes
(recorder_child.py) and what is recorded (recorder_tracer.py).
"""

from __future__ import annotations

import ast
import builtins
import importlib
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import CodeType, CoroutineType, FunctionType, GeneratorType, MethodType, ModuleType, TracebackType
from typing import TYPE_CHECKING, Any

from cwm_lsp.trace.recorder_tracer import Channel, Tracer, quote
from cwm_lsp.trace.recorder_values import Renderer

# Functions look their builtins up here: a program that replaces `builtins.compile` does not reach this file.
__builtins__ = dict(vars(builtins))  # type: ignore[assignment]

_MAX_MESSAGE = 300

if TYPE_CHECKING:
    _Answer = tuple[str, str | None, str | None]


class _Call:
    """A function with the values of its arguments."""

    def __init__(self, function: Any, arguments: Sequence[Any], keywords: dict[str, Any]) -> None:
        self.function = function
        self.arguments = arguments
        self.keywords = keywords


class FailedError(Exception):
    """The call could not begin: one sentence."""


class _Finder:
    """Finds the document, and nothing else, under its module name; its source is the text given."""

    def __init__(self, name: str, code: CodeType, text: str) -> None:
        self.name = name
        self.path = Path(code.co_filename)
        self.code = code
        self.text = text

    def find_spec(self, name: str, _path: Any = None, _target: Any = None) -> ModuleSpec | None:
        if name != self.name:
            return None
        package = self.path.name == "__init__.py"
        spec = ModuleSpec(name, self, origin=str(self.path), is_package=package)  # type: ignore[arg-type]
        if spec.submodule_search_locations is not None:
            spec.submodule_search_locations.append(str(self.path.parent))
        spec.has_location = True
        return spec

    def create_module(self, _spec: ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        module.__dict__["__builtins__"] = builtins.__dict__
        exec(self.code, module.__dict__)  # noqa: S102

    def get_source(self, _name: str) -> str:
        return self.text


def run(request: dict[str, Any], channel: Channel) -> None:
    """Does all of it and sends how it ended."""
    path, limits = request["path"], request["limits"]
    name, places = module_name(Path(path))
    render = Renderer(limits["value_chars"], limits["repr_seconds"], name)
    try:
        code = _compiled(request["text"], path)
        tree = _parsed(request["call"])
        tracer = Tracer(code, channel, render, limits)
        sys.path[:0] = places
        sys.argv[:] = [path]
        sys.meta_path.insert(0, _Finder(name, code, request["text"]))
        module = _loaded(name, path)
        call = _evaluated(tree, module, Path(path).name)
    except FailedError as failure:
        _end(channel, "failed", None, str(failure))
        return
    channel.send('"phase","call"')
    _end(channel, *_called(tracer, render, _cut(request["call"]), call))


def _called(tracer: Tracer, render: Renderer, said: str, call: _Call) -> _Answer:
    """Calls the function, traced: how that ended, the value, and a sentence if there is something to say."""
    tracer.start(_entry(call.function))
    try:
        result = call.function(*call.arguments, **call.keywords)
        if type(result) is CoroutineType and tracer.frames == 0:
            result = _awaited(tracer, result)
        whole = tracer.stop()
    except BaseException as error:
        whole = tracer.stop()
        trace = error.__traceback__
        here = trace is not None and trace.tb_next is None
        if here and tracer.frames == 0 and isinstance(error, TypeError):
            return "failed", None, f"{said} can't be called so: {_said(error)}."
        answer: _Answer = "raised", render(error), f"{said} raised {_named(error)}."
    else:
        message = None
        if type(result) is GeneratorType and tracer.frames == 0:
            message = f"{said} only made a generator: nothing runs until something takes its values."
        elif tracer.frames == 0:
            message = f"{said} ran no code of this file."
        answer = "returned", render(result), message
    if not whole:
        return "failed", None, "The program ended its own tracing, so the frames are not complete."
    return answer


def _entry(function: Any) -> CodeType | None:
    """The code that runs once when the function is called; None if it is no plain function."""
    inner = getattr(function, "__func__", function) if type(function) is MethodType else function
    if type(inner) is not FunctionType or inner.__code__.co_flags & (0x20 | 0x80 | 0x200):
        return None
    return inner.__code__


def _awaited(tracer: Tracer, coroutine: Any) -> Any:
    tracer.stop()
    import asyncio

    tracer.start()
    return asyncio.run(coroutine)


def _end(channel: Channel, reason: str, value: str | None, message: str | None) -> None:
    shown = ["null" if text is None else quote(text) for text in (value, message)]
    channel.send(f'"end","{reason}",{shown[0]},{shown[1]}')


def module_name(path: Path) -> tuple[str, list[str]]:
    """The name under which the document is imported, and what goes to the front of `sys.path`.

    A file in a package gets its dotted name, so that its relative imports work. A name that the standard
    library uses (`types`) or that can't be one gives way to a neutral one.
    """
    parts = [] if path.name == "__init__.py" else [path.stem]
    places = [str(path.parent)]
    above = path.parent
    while (above / "__init__.py").is_file() and above.name:
        parts.insert(0, above.name)
        above = above.parent
        places = [str(path.parent), str(above)]
    name = ".".join(parts)
    taken = {"", "__main__", *sys.modules, *getattr(sys, "stdlib_module_names", ())}
    if name not in taken and all(part.isidentifier() for part in parts):
        return name, places
    return "cwm_program", [str(path.parent)]


def _compiled(text: str, path: str) -> CodeType:
    where = Path(path).name
    try:
        return compile(text, path, "exec", dont_inherit=True)
    except SyntaxError as error:
        place = f"line {error.lineno}" + (f", column {error.offset}" if error.offset else "")
        raise FailedError(f"{where} is not valid Python: {place}: {error.msg}.") from None
    except Exception as error:
        raise FailedError(f"{where} can't be compiled: {_said(error)}.") from None


def _parsed(call: str) -> ast.Call:
    try:
        tree = ast.parse(call.strip(), mode="eval").body
    except SyntaxError as error:
        raise FailedError(f"The call {_cut(call)} is not valid Python: {error.msg}.") from None
    except Exception as error:
        raise FailedError(f"The call {_cut(call)} can't be read: {_said(error)}.") from None
    if not isinstance(tree, ast.Call):
        raise FailedError(f"{_cut(call)} is not a call; write it as f(1, 2).")
    return tree


def _loaded(name: str, path: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except BaseException as error:
        line = _line_in(error.__traceback__, path)
        place = f"line {line} raised " if line else ""
        raise FailedError(f"{Path(path).name} could not be loaded: {place}{_named(error)}.") from None


def _evaluated(call: ast.Call, module: ModuleType, where: str) -> _Call:
    """The function with its arguments, evaluated in the module's namespace, untraced."""
    try:
        function = _value(call.func, module, {})
    except BaseException as error:
        if isinstance(error, NameError) and isinstance(call.func, ast.Name):
            raise FailedError(f"{where} has no function {call.func.id}.") from None
        raise FailedError(f"The function of the call could not be found: {_named(error)}.") from None
    taken = ast.Call(ast.Name("__cwm_take__", ast.Load()), call.args, call.keywords)
    ast.copy_location(taken, call)
    ast.fix_missing_locations(taken)
    try:
        arguments, keywords = _value(taken, module, {"__cwm_take__": lambda *a, **k: (a, k)})
    except BaseException as error:
        raise FailedError(f"The arguments of the call could not be evaluated: {_named(error)}.") from None
    return _Call(function, arguments, keywords)


def _value(node: ast.expr, module: ModuleType, names: dict[str, Any]) -> Any:
    code = compile(ast.Expression(node), "<call>", "eval", dont_inherit=True)
    return eval(code, module.__dict__, names)  # noqa: S307


def _line_in(trace: TracebackType | None, path: str) -> int | None:
    line = None
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == path:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def _named(error: BaseException) -> str:
    said = _said(error)
    kind = type(error).__name__
    return kind if said == kind else f"{kind}: {said}"


def _said(error: BaseException) -> str:
    """What an exception says, on one line, without a full stop; its type if it says nothing."""
    try:
        text = " ".join(str.__str__(str(error)).split())
    except BaseException:
        text = ""
    return _cut(text.rstrip(".")) or type(error).__name__


def _cut(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _MAX_MESSAGE else text[:_MAX_MESSAGE] + "..."
