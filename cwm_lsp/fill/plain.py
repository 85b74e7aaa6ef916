"""The plain way to fill holes, for code that the fast one refuses: generators, classes, unknown modules.

The names' values come from the simulated runs up to the hole; each candidate is put into the text, and the
examples are simulated as any call is, computed where that can be and predicted where it can't. A hundred
times slower than search.py, so only the cheapest candidates are tried.
"""

from __future__ import annotations

import ast
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from cwm_lsp.fill import style
from cwm_lsp.fill.bank import Clock
from cwm_lsp.fill.candidates import Candidate, Proposal, candidates_for
from cwm_lsp.fill.examples import Example
from cwm_lsp.fill.running import Program
from cwm_lsp.fill.sites import Site
from cwm_lsp.fill.states import State
from cwm_lsp.model.backend import Backend, BackendError, Cancel
from cwm_lsp.source.calls import CallError
from cwm_lsp.source.document import Document, DocumentError
from cwm_lsp.source.flow_compile import FlowError
from cwm_lsp.source.literals import Refused, value_of
from cwm_lsp.trace.codec import Choices
from cwm_lsp.trace.frame import Frame
from cwm_lsp.world.budgets import Budgets
from cwm_lsp.world.grounding import GroundedPredictor, RunLimits, run_call
from cwm_lsp.world.predictor import Prediction, PredictionError, Predictor
from cwm_lsp.world.predictors import predictor_for
from cwm_lsp.world.simulation import Simulation

MOST_TRIED = 400
MOST_FOUND = 5
FRAMES = 300
_LIMITS = RunLimits(frames=FRAMES, seconds=0.3)


_UNTELLABLE = (CallError, FlowError, ValueError, RecursionError)
"""What simulating can end in where the code is not Python after all (a `nonlocal` without its name)."""


@dataclass(frozen=True, slots=True)
class PlainFind:
    """Texts for the sites that make the examples come out right; `computed` if no model had a say."""

    texts: tuple[str, ...]
    computed: bool


class Nobody:
    """A predictor without a model: what can't be computed isn't told."""

    def predict(
        self,
        document: Document,  # noqa: ARG002
        frames: Sequence[Frame],  # noqa: ARG002
        choices: Choices,  # noqa: ARG002
        cancel: Cancel,  # noqa: ARG002
    ) -> Prediction:
        """Always refuses."""
        raise PredictionError("refused", "This can't be computed, and there is no model.")


class PlainSearch:
    """The holes of some functions, tried by simulation."""

    def __init__(
        self,
        document: Document,
        program: Program,
        sites: Sequence[Site],
        examples: Sequence[Example],
        *,
        backend: Backend | None,
        seconds: float,
        stop: Callable[[], bool],
        clock: Clock = time.monotonic,
    ) -> None:
        self.document, self.program = document, program
        self.sites, self.examples = list(sites), list(examples)
        self.states: dict[int, list[State]] = {}
        self.known: dict[int, tuple[str, ...]] = {}
        self._backend = backend
        self._predictor: Predictor | None = None
        self._seconds, self._clock, self._stop = seconds, clock, stop
        self._end = clock() + seconds

    @property
    def over(self) -> bool:
        """True once the time is used up or nobody wants the answer any more."""
        return self._stop() or self._clock() > self._end

    def observe(self) -> bool:
        """Simulates the examples up to the holes. False if no run comes there."""
        for site in self.sites:
            self.states[site.index] = []
        for example in self.examples:
            if self.over:
                break
            for site, state in self._arrivals(example):
                self.states[site.index].append(state)
                told = tuple(f"{name} = {value!r}" for name, value in state.items())
                self.known.setdefault(site.index, told)
        return any(self.states.values())

    def _arrivals(self, example: Example) -> Iterator[tuple[Site, State]]:
        """The first arrival at each hole's statement, with the locals there."""
        try:
            simulation = Simulation.start(
                self.document,
                example.call,
                GroundedPredictor(Nobody()),
                "flow",
                Budgets(frames=FRAMES, seconds=1.0),
            )
        except _UNTELLABLE:
            return
        waiting = {self._line(site): site for site in self.sites}
        for frame in _frames(simulation):
            if frame.event == "line" and frame.line in waiting:
                yield waiting.pop(frame.line), _state(frame)
            if not waiting or self._stop():
                return

    @staticmethod
    def _line(site: Site) -> int:
        """The line at which a run comes to the hole: that of the innermost statement."""
        return next((node.lineno for node, _ in site.path if isinstance(node, ast.stmt)), site.hole.line)

    def solve(self, proposals: Sequence[Sequence[Proposal]]) -> Iterator[PlainFind]:
        """What passes, the cheapest combinations first."""
        banks: list[list[Candidate]] = []
        for at, site in enumerate(self.sites):
            given = proposals[at] if at < len(proposals) else ()
            states = self.states[site.index] or [{}]
            share = min(0.3, 0.2 * self._seconds)
            some = candidates_for(
                site, self.program, states, self.examples, given, seconds=share, highest=4, clock=self._clock
            )
            banks.append(some[: MOST_TRIED if len(self.sites) == 1 else 40])
        found = 0
        ordered = sorted(product(*banks), key=lambda each: sum(one.cost for one in each))
        for chosen in ordered[:MOST_TRIED]:
            if self.over or found >= MOST_FOUND:
                return
            texts = tuple(
                style.bracketed(self.document, site.hole, one.text)
                for site, one in zip(self.sites, chosen, strict=True)
            )
            computed = self._passes(texts)
            if computed is not None:
                found += 1
                yield PlainFind(texts, computed)

    def _passes(self, texts: tuple[str, ...]) -> bool | None:
        """None if an example comes out wrong; else whether all was computed."""
        fills = {site.index: text for site, text in zip(self.sites, texts, strict=True)}
        try:
            filled = Document.from_text(style.put(self.document, fills))
        except DocumentError:
            return None
        computed = True
        for example in self.examples:
            if self._stop():
                return None
            try:
                outcome = run_call(filled, example.call.text, _LIMITS)
            except _UNTELLABLE:
                return None
            value, sure = outcome.value, outcome.kind == "returned" and outcome.all_computed
            if outcome.kind == "stopped":
                value, sure = self._predicted(filled, example)
            elif outcome.kind == "raised":
                return None
            if value is None or not _meets(example, value):
                return None
            computed = computed and sure
        return computed

    def _predicted(self, filled: Document, example: Example) -> tuple[str | None, bool]:
        """What the model says where it can't be computed."""
        if self._backend is None:
            return None, False
        try:
            if self._predictor is None:
                self._predictor = GroundedPredictor(predictor_for(self._backend))
            budgets = Budgets(frames=FRAMES, seconds=max(0.05, self._end - self._clock()))
            simulation = Simulation.start(filled, example.call.text, self._predictor, "flow", budgets)
        except (BackendError, *_UNTELLABLE):
            return None, False
        for _ in _frames(simulation):
            if self._stop():
                return None, False
        end = simulation.end
        return (end.value if end is not None and end.reason == "returned" else None), False


def contradicted(
    document: Document, fills: Mapping[int, str], examples: Sequence[Example], stop: Callable[[], bool]
) -> bool:
    """True if simulating an example with these fills (by hole) computes something else than it says: what the
    fast way found is believed only if the plain one doesn't object."""
    try:
        filled = Document.from_text(style.put(document, dict(fills)))
    except DocumentError:
        return True
    for example in examples:
        if stop():
            return False
        try:
            outcome = run_call(filled, example.call.text, _LIMITS)
        except _UNTELLABLE:
            return False
        if outcome.kind == "raised" and outcome.all_computed:
            return True
        if outcome.kind == "returned" and outcome.all_computed and not _meets(example, outcome.value or ""):
            return True
    return False


def _frames(simulation: Simulation) -> Iterator[Frame]:
    """The frames of a simulation, as far as it goes."""
    try:
        yield from simulation.frames
        yield from simulation.run()
    except _UNTELLABLE:
        return


def _state(frame: Frame) -> State:
    state: State = {}
    for name, value in frame.locals.items():
        try:
            state[name] = value_of(value.repr)
        except Refused:
            continue
    return state


def _meets(example: Example, text: str) -> bool:
    if text == example.expected:
        return True
    try:
        return example.met_by(value_of(text))
    except Refused:
        return False
