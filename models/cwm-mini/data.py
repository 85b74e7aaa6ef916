"""Streams training batches for cwm-mini: programs are made, really run, walked and packed as they are needed.

Leaves out what the programs are (programs.py) and what a block is (blocks.py).
"""

from __future__ import annotations

import itertools
import random
import resource
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import drills
import holes
import mutations
import numpy as np
import practice
import programs
import tokenizer
import tracing
from blocks import DECIDED, FILLED, GIVEN, JUMPED, Block, Sample, samples_of
from network import Segment

from cwm_lsp.source.document import Document, DocumentError

HELD_OUT = 1_000_000_000
"""Programs from this seed number on are never trained on: tests and measurements use them."""
LONGEST_SOURCE = 360
LONGEST_BLOCK = 420
HERE = Path(__file__).parent
WEIGHTS = np.array([0.0, 0.05, 0.6, 1.0, 0.15, 0.3], dtype=np.float32)
"""Loss weights of the roles given, forced, event, decided, jumped and filled."""
KEPT_BLOCKS = 16
DRILL_SHARE = 0.35
HOLE_SHARE = 1.0
"""How many programs come with a function that has holes."""
PRACTICE_BLOCKS = 12
"""Blocks of single operations behind each source."""
BARE_SHARE = 0.65
"""How many blocks go without the values that their line reads."""


@dataclass(frozen=True, slots=True)
class Group:
    """A source and some of its blocks as ids and roles.

    `jump` moves the blocks away from the source, as a longer source would; `seed` is their program's number.
    """

    source: list[int]
    blocks: list[tuple[list[int], list[int]]]
    jump: int
    seed: int


@dataclass(frozen=True, slots=True)
class Batch:
    """Flat arrays over all tokens, padding included, and the segments they consist of."""

    ids: np.ndarray
    positions: np.ndarray
    roles: np.ndarray
    segments: list[Segment]


def limit_memory(gibibytes: int = 4) -> None:
    """A generated program must not take the machine with it."""
    resource.setrlimit(resource.RLIMIT_DATA, (gibibytes << 30, gibibytes << 30))


def seeds(folder: str = "seeds") -> list[str]:
    """Sources of the hand-written programs."""
    return [path.read_text() for path in sorted((HERE / folder).glob("*.py"))]


def samples(seed: int, texts: list[str]) -> list[Sample]:
    """The samples of one generated program or mutated seed file."""
    kind = seed % 20
    if kind < 9:
        source, calls = programs.program(seed)
    elif kind < 14:
        source, calls = programs.straight(seed)
    else:
        source, calls = mutations.mutated_seed(texts[(seed // 20) % len(texts)], seed)
        rng = random.Random(seed)
        calls = rng.sample(calls, min(len(calls), 6))
    return walked(source, calls)


def walked(source: str, calls: list[str]) -> list[Sample]:
    """The samples of some calls of a program, one a function."""
    found: dict[tuple[str, ...], Sample] = {}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            document = Document.from_text(source, "program.py")
            namespace = tracing.load(source, "program.py")
            for call in calls:
                frames = tracing.trace(namespace, "program.py", call, 160)
                for sample in samples_of(document, frames)[0].values():
                    known = found.setdefault(sample.source, sample)
                    if known is not sample:
                        known.blocks += sample.blocks
    except (DocumentError, SyntaxError, MemoryError, tracing.Stopped, RecursionError, NameError, TypeError):
        pass
    return list(found.values())


def groups(start: int, step: int) -> Iterator[Group]:
    """Groups from program seeds start, start + step, ...; the same start gives the same groups."""
    table = tokenizer.ids()
    texts = seeds()
    for seed in itertools.count(start, step):
        rng = random.Random(seed)
        drilled = walked(*drills.drill(seed)) if rng.random() < DRILL_SHARE else []
        holed = holes.samples(seed, texts) if rng.random() < HOLE_SHARE else []
        for sample in (*samples(seed, texts), *drilled, *holed):
            source = tokenizer.encode(sample.source, table)
            if len(source) > LONGEST_SOURCE:
                continue
            blocks = [_encoded(block, table) for block in _chosen(sample, rng)]
            blocks = [without_values(*block) if rng.random() < BARE_SHARE else block for block in blocks]
            if sample not in holed:
                blocks += [_encoded(block, table) for block in practised(sample, rng)]
            blocks = [block for block in blocks if len(block[0]) <= LONGEST_BLOCK]
            if blocks:
                yield Group(source, blocks, rng.randint(1, 600) if rng.random() < 0.2 else 0, seed)


def practised(sample: Sample, rng: random.Random) -> list[Block]:
    """Blocks of single operations that stand behind a sample's source, as its own do."""
    lines = sum(token.startswith("<|L") for token in sample.source)
    made = (practice.block(rng, lines) for _ in range(PRACTICE_BLOCKS))
    return [block for block in made if block is not None]


def _encoded(block: Block, table: dict[str, int]) -> tuple[list[int], list[int]]:
    return tokenizer.encode(block.tokens, table), _roles(block, table)


def without_values(ids: list[int], roles: list[int]) -> tuple[list[int], list[int]]:
    """The block of a line without the values that it reads: the questions hold what they need."""
    head = next((at for at, role in enumerate(roles) if role != GIVEN), len(roles))
    if head <= 3 or head == len(roles) or JUMPED in roles or FILLED in roles:
        return ids, roles
    return ids[:2] + ids[head - 1 :], roles[:2] + roles[head - 1 :]


def batches(start: int, step: int, tokens: int) -> Iterator[Batch]:
    """Batches of about `tokens` tokens, for training. Raises ValueError before a held-out program."""
    if start < 0:  # a generator of random numbers takes a seed and its negative for the same
        raise ValueError("Programs have seed numbers from 0 on.")
    held: list[Group] = []
    size = 0
    for group in groups(start, step):
        if group.seed >= HELD_OUT:
            raise ValueError(f"Programs from seed {HELD_OUT} on are held out: training must not reach them.")
        held.append(group)
        size += len(group.source) + sum(len(ids) for ids, _ in group.blocks)
        if size >= tokens:
            yield pack(held)
            held, size = [], 0


def pack(held: list[Group]) -> Batch:
    """One batch of some groups. Blocks of like length share a segment, so that little is padding."""
    ids: list[int] = []
    positions: list[int] = []
    roles: list[int] = []
    segments: list[Segment] = []
    for group in held:
        source = Segment(len(ids), 1, len(group.source))
        segments.append(source)
        ids += group.source
        positions += range(len(group.source))
        roles += [GIVEN] * len(group.source)
        blocks = sorted(group.blocks, key=lambda block: len(block[0]))
        while blocks:
            shortest = len(blocks[0][0])
            count = sum(len(block) <= shortest * 1.3 + 4 for block, _ in blocks)
            chunk, blocks = blocks[:count], blocks[count:]
            length = len(chunk[-1][0])
            segments.append(Segment(len(ids), count, length, source))
            first = len(group.source) + group.jump
            for block, kinds in chunk:
                padding = [0] * (length - len(block))
                ids += block + padding
                roles += kinds + padding
                positions += range(first, first + length)
    return Batch(*(np.array(part, dtype=np.int64) for part in (ids, positions, roles)), segments)


def _chosen(sample: Sample, rng: random.Random) -> list[Block]:
    wanted = {DECIDED, FILLED}
    blocks = [block for block in sample.blocks if wanted & {*block.roles} or rng.random() < 0.15]
    rng.shuffle(blocks)
    return blocks[:KEPT_BLOCKS]


def _roles(block: Block, table: dict[str, int]) -> list[int]:
    """Roles by id: a character outside of ASCII is several ids."""
    roles: list[int] = []
    for token, role in zip(block.tokens, block.roles, strict=True):
        roles += [role] * (1 if token in table else len(token.encode()))
    return roles
