"""Texts of the Game of 24 for an organism: it learns to propose steps, to judge states, and to solve in a chain.

    p4 9 10 13:     steps that are possible, up to eight, in random order, one a line
    v4 6 9:         s where 24 can still be reached, i where it cannot
    c4 9 10 13:     a solution, one step a line

Numbers stay whole, between 0 and 99. Which states are solvable is exact: everything is gone through once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING

from assay.core.problems.countdown import Countdown
from assay.core.training import Example
from assay.tasks.games.game24 import GOAL, HIGHEST, puzzle_key
from assay.tasks.splits import require_split, split_of

if TYPE_CHECKING:
    import numpy

Numbers = tuple[int, ...]
Move = tuple[str, Numbers]
"""A step as it is written, and the numbers that are left, rising."""
LARGEST = 99
PROPOSED = 8
"""Steps in one text, at most."""


@dataclass(frozen=True)
class Game24Texts:
    """Texts of the three kinds, as many of each; puzzles of the test split are never where a text begins from.

    States after a step are shared by many puzzles, so those of a test puzzle do occur.
    """

    split: str = "train"

    def __post_init__(self) -> None:
        require_split(self.split)

    @property
    def alphabet(self) -> str:
        """Digits, signs, three letters that ask and two that answer."""
        return "".join(sorted("0123456789 +-*/=:\npvcsi"))

    def examples(self, count: int, rng: numpy.random.Generator) -> list[Example]:
        """Texts in random order of their kinds, drawn with replacement."""
        return [self._text(int(kind), rng) for kind in rng.integers(0, 3, count)]

    def mark(self, example: Example, reply: str) -> Mapping[str, float]:
        """ "exact": a chain that makes 24, a right judgement, or steps of which every one is legal."""
        kind, numbers = example.prompt[0], tuple(map(int, example.prompt[1:-1].split()))
        if kind == "v":
            return {"exact": float(reply == example.answer)}
        puzzle = Countdown(numbers)
        state = puzzle.start
        lines = reply.split("\n")
        if kind == "p":
            return {"exact": float(all(puzzle.step(state, line) is not None for line in lines))}
        for line in lines:
            after = puzzle.step(state, line)
            if after is None:
                return {"exact": 0.0}
            state = after
        return {"exact": float(puzzle.finished(state) and not puzzle.check(state))}

    def _text(self, kind: int, rng: numpy.random.Generator) -> Example:
        puzzles = _puzzles(self.split, solvable=kind == 2)
        state = puzzles[int(rng.integers(len(puzzles)))]
        if kind == 2:
            return Example(f"c{_spelled(state)}:", _chain(state, rng))
        for _ in range(int(rng.integers(0, 3 + (kind == 1)))):
            found = moves(state)
            state = found[int(rng.integers(len(found)))][1]
        if kind == 1:
            return Example(f"v{_spelled(state)}:", "s" if reachable(state) else "i")
        found = moves(state)
        chosen = rng.permutation(len(found))[:PROPOSED]
        return Example(f"p{_spelled(state)}:", "\n".join(found[int(at)][0] for at in chosen))


@cache
def moves(state: Numbers) -> tuple[Move, ...]:
    """Steps that keep numbers whole and small, no two alike. There is always one: a sum, or a difference."""
    found: dict[str, Numbers] = {}
    for i, small in enumerate(state):
        for j in range(i + 1, len(state)):
            large, rest = state[j], state[:i] + state[i + 1 : j] + state[j + 1 :]
            results = [(f"{small}+{large}", small + large), (f"{large}-{small}", large - small)]
            results.append((f"{small}*{large}", small * large))
            if small and large % small == 0:
                results.append((f"{large}/{small}", large // small))
            for written, result in results:
                if result <= LARGEST:
                    found[f"{written}={result}"] = tuple(sorted((*rest, result)))
    return tuple(found.items())


@cache
def reachable(state: Numbers) -> bool:
    """Whether such steps can make 24 of all the numbers."""
    if len(state) == 1:
        return state[0] == GOAL
    return any(reachable(left) for _, left in moves(state))


@cache
def _puzzles(split: str, solvable: bool) -> Sequence[Numbers]:
    rows = combinations_with_replacement(range(1, HIGHEST["4"] + 1), 4)
    return [row for row in rows if split_of(puzzle_key(row, GOAL)) == split and (not solvable or reachable(row))]


def _chain(state: Numbers, rng: numpy.random.Generator) -> str:
    lines = []
    while len(state) > 1:
        good = [move for move in moves(state) if reachable(move[1])]
        line, state = good[int(rng.integers(len(good)))]
        lines.append(line)
    return "\n".join(lines)


def _spelled(state: Numbers) -> str:
    return " ".join(map(str, state))
