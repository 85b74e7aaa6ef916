"""Proposals of cwm-mini: asked in its infilling form, under a grammar of expressions over the names in scope.

How far it is believed is measured, not assumed: code that stands in the functions is cut out and the model is
asked for it among decoys. Leaves out the form (trace/mini_holes.py).
"""

from __future__ import annotations

import ast
import math
import time
from collections.abc import Iterator, Mapping, Sequence

from cwm_lsp.fill.candidates import Proposal
from cwm_lsp.fill.problems import Problem
from cwm_lsp.fill.search import Solution
from cwm_lsp.fill.sites import Site
from cwm_lsp.fill.states import State
from cwm_lsp.model.backend import Backend, BackendError, Cancel, Request
from cwm_lsp.source.document import Document, DocumentError
from cwm_lsp.source.holes import Hole
from cwm_lsp.source.operations import Unsupported
from cwm_lsp.trace import mini_holes
from cwm_lsp.trace import mini_layout as layout

SAMPLES = 8
SECONDS = 0.25
"""The most that a hole's proposals may take."""
PROBES = 3
ENOUGH_PROBES = 9
BELIEVED = 0.6
"""The share of probes that a model must get right to be believed; of four choices, chance gets a quarter."""
DEAR = 6


class Trust:
    """How often a model knew what stood in known code."""

    def __init__(self) -> None:
        self.asked = 0
        self.right = 0

    @property
    def known(self) -> bool:
        """True once enough was asked."""
        return self.asked >= ENOUGH_PROBES

    @property
    def believed(self) -> bool:
        """True if the model did clearly better than chance."""
        return self.known and self.right / self.asked >= BELIEVED


class MiniProposer:
    """Asks a model that speaks cwm-mini's layout."""

    _trusts: dict[str, Trust] = {}  # noqa: RUF012  (shared on purpose: by the model's name)

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.name = backend.describe().name
        self.trust = self._trusts.setdefault(self.name, Trust())
        self._specials = backend.vocabulary.specials()
        self._texts = {identity: name for name, identity in self._specials.items()}

    def __call__(
        self, document: Document, problem: Problem, states: Mapping[int, Sequence[State]], cancel: Cancel
    ) -> list[list[Proposal]]:
        """For each hole what the model writes: its first choice, then what it draws."""
        try:
            if states and not self.trust.known:
                self._probe(document, problem, cancel)
            if states and self.trust.known and not self.trust.believed:
                return []  # what it says would only take the search's time
            return [self._proposals(document, site, problem, states, cancel) for site in problem.sites]
        except (BackendError, Unsupported, RecursionError):
            return []

    def order(
        self, document: Document, problem: Problem, survivors: Sequence[Solution], cancel: Cancel
    ) -> list[Solution] | None:
        """By rank in both orders, size's and the model's; None while the model isn't believed."""
        if len(survivors) < 2 or not self.trust.believed or cancel.cancelled:
            return None
        totals = [0.0] * len(survivors)
        try:
            for place, site in enumerate(problem.sites):
                texts = [solution.texts[place] for solution in survivors]
                for at, score in enumerate(
                    self._scores(document, site.hole, site.function.name, problem, texts)
                ):
                    totals[at] += score
        except (BackendError, Unsupported, RecursionError):
            return None
        by_model = sorted(range(len(survivors)), key=lambda at: -totals[at])
        place_of = {at: place for place, at in enumerate(by_model)}
        # Cost is the stronger evidence: the model decides among what costs about the same.
        mixed = sorted(range(len(survivors)), key=lambda at: (survivors[at].cost + 0.75 * place_of[at], at))
        return [survivors[at] for at in mixed]

    # -- asking

    def _prompt(self, document: Document, hole: Hole, qualname: str, problem: Problem) -> list[int]:
        told = [(ex.arguments, ex.expected) for ex in problem.examples if ex.function == qualname]
        tokens = (
            *layout.source_tokens(document, qualname),
            *mini_holes.asked(document, hole, qualname, told),
        )
        return self._encode(tokens)

    def _proposals(
        self,
        document: Document,
        site: Site,
        problem: Problem,
        states: Mapping[int, Sequence[State]],
        cancel: Cancel,
    ) -> list[Proposal]:
        qualname = site.function.name
        naming = layout.naming_of(document, qualname)
        names = {name for state in states.get(site.index, ()) for name in state} or set(naming.variables) - {
            "_"
        }
        rule = mini_holes.grammar(naming, site.hole.place, sorted(names), self._specials)
        prompt = self._prompt(document, site.hole, qualname, problem)
        found: dict[str, float] = {}
        end = time.monotonic() + SECONDS
        samples = SAMPLES if self.trust.believed else 1
        for seed in range(samples):
            if cancel.cancelled or time.monotonic() > end:
                break
            request = Request(
                prompt,
                max_tokens=32,
                grammar=rule,
                temperature=0.9 if seed else 0.0,
                seed=seed,
                cancel=cancel,
            )
            completion = self.backend.complete(request)
            if completion.reason in ("cancelled", "length"):
                continue
            try:
                text = mini_holes.read_answer(naming, self._decode(completion.tokens))
            except ValueError:
                continue
            found[text] = max(found.get(text, -math.inf), sum(completion.choice_logprobs))
        ranked = sorted(found.items(), key=lambda item: -item[1])
        first = 2 if self.trust.believed else DEAR
        return [Proposal(text, logprob, first + at) for at, (text, logprob) in enumerate(ranked)]

    def _scores(
        self, document: Document, hole: Hole, qualname: str, problem: Problem, texts: Sequence[str]
    ) -> list[float]:
        score = getattr(self.backend, "score", None)
        if score is None:
            raise BackendError("This backend gives no scores.")
        naming = layout.naming_of(document, qualname)
        options = [self._encode(mini_holes.answer_tokens(naming, text)) for text in texts]
        return list(score(self._prompt(document, hole, qualname, problem), options))

    # -- how far it is believed

    def _probe(self, document: Document, problem: Problem, cancel: Cancel) -> None:
        """Asks for expressions that stand in the function, each among three others of it."""
        known = list(_known_expressions(problem))
        texts = list(dict.fromkeys(text for text, _ in known))
        for text, (line, start, end) in known[:PROBES]:
            decoys = [other for other in texts if other != text][:3]
            if len(decoys) < 3 or cancel.cancelled:
                return
            row = document.lines[line - 1]
            lines = list(document.lines)
            lines[line - 1] = row.encode()[:start].decode() + "?" + row.encode()[end:].decode()
            try:
                asked = Document.from_text("".join(lines))
            except DocumentError:
                continue
            hole = next(
                (
                    h
                    for h in asked.holes
                    if h.line == line and h.column == len(row.encode()[:start].decode()) + 1
                ),
                None,
            )
            if hole is None:
                continue
            scores = self._scores(asked, hole, problem.name, problem, [text, *decoys])
            # Long answers are less likely, whoever writes them: per token.
            naming = layout.naming_of(asked, problem.name)
            lengths = [len(mini_holes.answer_tokens(naming, one)) for one in [text, *decoys]]
            each = [score / length for score, length in zip(scores, lengths, strict=True)]
            self.trust.asked += 1
            self.trust.right += each[0] == max(each)

    # -- ids

    def _encode(self, tokens: Sequence[str]) -> list[int]:
        ids: list[int] = []
        for token in tokens:
            special = self._specials.get(token)
            if special is None:
                ids += self.backend.vocabulary.encode(token)
            else:
                ids.append(special)
        return ids

    def _decode(self, ids: Sequence[int]) -> list[str]:
        return [self._texts.get(identity) or self.backend.vocabulary.decode([identity]) for identity in ids]


Span = tuple[int, int, int]


def _known_expressions(problem: Problem) -> Iterator[tuple[str, Span]]:
    """Expressions of the problem's function that are no names or constants and hold no hole, with their line
    and columns in bytes."""
    function = problem.sites[0].function
    for node in ast.walk(function):
        if (
            not isinstance(node, ast.BinOp | ast.Compare | ast.Call | ast.Subscript)
            or node.lineno != node.end_lineno
        ):
            continue
        if any(
            hasattr(part, "_cwm_hole") or isinstance(getattr(part, "ctx", None), ast.Store)
            for part in ast.walk(node)
        ):
            continue
        yield ast.unparse(node), (node.lineno, node.col_offset, node.end_col_offset or 0)
