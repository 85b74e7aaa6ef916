"""What a launch or attach asks for: the file, the call, the model and the budgets, made into a simulation.

launch.json lies in the workspace, which may be a stranger's: it may name a model that this user's own
settings know, never a folder, an address or a program. Leaves out the session.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, NotRequired, TypedDict

from cwm_lsp import config
from cwm_lsp.dap.channel import RefusedError
from cwm_lsp.dap.checking import complaint
from cwm_lsp.model.backend import Backend, BackendError
from cwm_lsp.model.catalog import connect, profiles, target
from cwm_lsp.source.calls import CallError, bind, calls_in, parse_call
from cwm_lsp.source.dependencies import closure_of
from cwm_lsp.source.document import Document, DocumentError
from cwm_lsp.source.entry import entry_function
from cwm_lsp.trace.cache import CachedTrace, TraceCache, default_path
from cwm_lsp.trace.frame import End, Frame
from cwm_lsp.world.budgets import Budgets
from cwm_lsp.world.choices import Grounding
from cwm_lsp.world.grounding import LazyPredictor
from cwm_lsp.world.predictor import Predictor
from cwm_lsp.world.predictors import computing_first, predictor_for
from cwm_lsp.world.prefetch import FRAMES_AHEAD
from cwm_lsp.world.replaying import replay
from cwm_lsp.world.simulation import Simulation


class Asked(TypedDict):
    """The fields of launch.json that we know; docs/debugger.md tells each."""

    program: NotRequired[str]
    call: NotRequired[str]
    function: NotRequired[str]
    arguments: NotRequired[str | list[Any]]
    trace: NotRequired[str]
    key: NotRequired[str]
    stopOnEntry: NotRequired[bool]
    stopOnExit: NotRequired[bool]
    grounding: NotRequired[Literal["none", "flow", "values"]]
    model: NotRequired[str]
    maxFrames: NotRequired[int]
    maxTokens: NotRequired[int]
    maxSeconds: NotRequired[float]
    prefetch: NotRequired[int]
    stepOver: NotRequired[Literal["follow", "jump"]]
    marks: NotRequired[bool]
    noDebug: NotRequired[bool]


@dataclass(slots=True)
class Models:
    """Loads a model once for a session, and knows which it is."""

    settings: config.Settings
    name: str
    backend: Backend | None = None
    predictors: dict[str, Predictor] = field(default_factory=dict)
    _loading: threading.Lock = field(default_factory=threading.Lock)

    def predictor(self, grounding: str) -> Predictor:
        """The predictor of the model. The model is loaded now; where values are computed, when something
        can't be. Raises BackendError."""
        if grounding not in self.predictors:
            if grounding == "values":
                target(self.name, self.settings.backend)
                self.predictors[grounding] = computing_first(self._load)
            else:
                self.predictors[grounding] = predictor_for(self._load(), _form(grounding))
        return self.predictors[grounding]

    def _load(self) -> Backend:
        with self._loading:
            if self.backend is None:
                self.backend = connect(self.name, **self.settings.backend)
            return self.backend

    @property
    def title(self) -> str:
        """The model's name."""
        return self.backend.describe().name if self.backend is not None else self.name

    def close(self) -> None:
        """Frees the model."""
        if self.backend is not None:
            self.backend.close()
            self.backend = None


@dataclass(slots=True)
class Launched:
    """A run that can be debugged, and how."""

    simulation: Simulation
    document: Document
    path: str | None
    call: str
    asked: Asked
    model: str
    observed: bool = False
    note: str = ""

    @property
    def ahead(self) -> int:
        """How many frames are predicted ahead."""
        return max(0, min(1000, self.asked.get("prefetch", FRAMES_AHEAD)))


def read(arguments: Any) -> Asked:
    """The fields of a launch or attach. Raises RefusedError with the field that is wrong."""
    wrong = complaint(arguments, Asked, "the launch configuration")
    if wrong is not None:
        raise RefusedError(wrong)
    asked: Asked = arguments
    for name in ("maxFrames", "maxTokens", "maxSeconds"):
        if asked.get(name) is not None and not asked[name] > 0:
            raise RefusedError(f"the launch configuration.{name} must be above 0.")
    return asked


def models_of(asked: Asked) -> Models:
    """The model that is asked for, not yet loaded. Raises RefusedError."""
    settings = config.load().settings
    name = asked.get("model") or settings.model
    if name != settings.model:
        try:
            known = [profile.name for profile in profiles()]
        except BackendError as error:
            raise RefusedError(str(error)) from None
        if name not in known:
            raise RefusedError(
                f"'{name[:80]}' is not the name of a model ({', '.join(known)}). Folders and addresses of "
                "models are taken from your own settings only."
            )
    return Models(settings, name)


def launch(asked: Asked, models: Models) -> Launched:
    """A predicted run of a call of the program. Raises RefusedError."""
    path = asked.get("program")
    if not path:
        raise RefusedError("The launch configuration names no program.")
    if asked.get("trace"):
        return attach(asked, models)
    document = _document(lambda: Document.from_file(path))
    call = _call(document, asked)
    grounding = asked.get("grounding") or models.settings.grounding
    try:
        predictor = models.predictor(grounding)
        simulation = Simulation.start(document, call, predictor, _form(grounding), _budgets(asked, models))
    except (BackendError, CallError) as error:
        raise RefusedError(str(error)) from None
    return Launched(simulation, document, path, call, asked, models.title)


def attach(asked: Asked, models: Models) -> Launched:
    """A run that is there already: a trace that the language server keeps (`key`), or one in a file
    (`trace`, as `record --json` and `trace --json` write it). Raises RefusedError."""
    key, file = asked.get("key"), asked.get("trace")
    note = ""
    if key:
        cache = TraceCache(default_path())
        try:
            kept = cache.get(key)
        finally:
            cache.close()
        if kept is None:
            if asked.get("program"):
                return replace(launch(asked, models), note="The trace is not kept any more: predicted anew.")
            raise RefusedError("That trace is not kept any more: let the editor predict it again.")
        document, kept, note = _placed(kept, asked.get("program"))
        frames, end, path, call, model = kept.frames, kept.end, kept.path, kept.call, kept.model
        grounding = asked.get("grounding") or kept.grounding
    elif file:
        program = asked.get("program")
        if not program:
            raise RefusedError("The launch configuration names no program that the trace is of.")
        document = _document(lambda: Document.from_file(program))
        frames, end = _read_trace(file)
        path, call, model = program, asked.get("call") or frames[0].function, "a trace"
        grounding = asked.get("grounding") or models.settings.grounding
    else:
        raise RefusedError("To attach, give the key of a trace, or the file of one as 'trace'.")
    chosen = grounding if grounding in config.GROUNDINGS else models.settings.grounding
    if any(not 1 <= frame.line <= len(document.lines) for frame in frames):
        raise RefusedError("The trace is not one of this file: it has other lines.")
    later = LazyPredictor(lambda: models.predictor(chosen))
    simulation = replay(
        document, frames, end, later, grounding=_form(chosen), budgets=_budgets(asked, models)
    )
    observed = any(value.origin == "observed" for frame in frames[:50] for value in frame.locals.values())
    return Launched(simulation, document, path, call, asked, model, observed, note)


def _placed(kept: CachedTrace, program: str | None) -> tuple[Document, CachedTrace, str]:
    """A kept trace on the file as it is now, in which the same statements may stand on other lines. Where
    they are not the same the trace keeps its own text, which an editor may not have saved yet; the third says
    so."""
    own = _document(lambda: Document.from_text(kept.text, program or kept.path))
    path = program or kept.path
    if path is None:
        return own, kept, ""
    try:
        now = Document.from_file(path)
    except DocumentError:
        return own, replace(kept, path=path), ""
    if now.text == own.text:
        return own, replace(kept, path=path), ""
    entry = kept.function.partition(".")[0]
    before, after = closure_of(own, [entry]), closure_of(now, [entry])
    try:
        if before.text == after.text:
            return now, replace(kept, spans=before.spans).moved(now.text, after.spans, path), ""
    except ValueError:
        pass
    return (
        own,
        replace(kept, path=path),
        f"{path} has been changed since, or is not saved: the lines may differ.",
    )


def _call(document: Document, asked: Asked) -> str:
    """The text of the call, or a function's name where its arguments are the model's to invent."""
    text, function, arguments = asked.get("call"), asked.get("function"), asked.get("arguments")
    if text:
        return _checked(document, text)
    if function:
        if arguments is None:
            fitting = (call.text for call in calls_in(document) if call.function == function)
            return next((text for text in fitting if _fits(document, text)), function)
        if isinstance(arguments, list):
            arguments = ", ".join(_python(each) for each in arguments)
        return _checked(document, f"{function}({arguments})")
    for call in calls_in(document):
        if _fits(document, call.text):
            return call.text
    found = entry_function(document)
    if found is None:
        raise RefusedError(f"{document.path or 'The file'} has no function to debug.")
    return found


def _checked(document: Document, text: str) -> str:
    if document.function(text.strip()) is not None:
        return text.strip()
    try:
        call = parse_call(document, text)
        bind(document, call)
    except CallError as error:
        raise RefusedError(f"The call can't be made: {error}") from None
    return call.text


def _fits(document: Document, text: str) -> bool:
    try:
        bind(document, parse_call(document, text))
    except CallError:
        return False
    return True


def _python(value: Any) -> str:
    """A JSON value as Python writes it."""
    return repr(value)


def _form(grounding: str) -> Grounding:
    """How the next frame is chosen."""
    return "none" if grounding == "none" else "values" if grounding == "values" else "flow"


def _budgets(asked: Asked, models: Models) -> Budgets:
    settings = models.settings
    return Budgets(
        asked.get("maxFrames") or settings.max_frames,
        asked.get("maxTokens") or settings.max_tokens,
        asked.get("maxSeconds") or settings.max_seconds,
    )


def _document(make: Callable[[], Document]) -> Document:
    try:
        return make()
    except DocumentError as error:
        raise RefusedError(str(error)) from None


def _read_trace(file: str) -> tuple[tuple[Frame, ...], End]:
    frames: list[Frame] = []
    end: End | None = None
    try:
        for line in Path(file).read_text(encoding="utf-8").splitlines():
            data = json.loads(line)
            if data.get("event") == "end":
                end = End(data["reason"], data["value"], len(frames), message=data.get("message"))
            else:
                frames.append(Frame.from_json(data))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RefusedError(f"{file} is no trace that can be read: {error}.") from None
    if not frames:
        raise RefusedError(f"{file} has no frames.")
    return tuple(frames), end or End("budget", None, len(frames), message="The trace ends here.")
