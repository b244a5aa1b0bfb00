"""Sudoku and Latin squares of any size: rules, a solver that counts, and puzzles with one solution."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from math import isqrt
from random import Random
from typing import Literal

from assay.core.validation import require

Cells = tuple[int, ...]
"""Digits in reading order; 0 is an empty cell."""
BLOCKS = {4: (2, 2), 6: (2, 3), 9: (3, 3)}
"""Rows and columns of a block."""
SIZES = range(2, 10)
_FILL = re.compile(
    r"r(?:ow)?\s*([1-9])[\s,;]*c(?:ol(?:umn)?)?\s*([1-9])\s*(?:=|:|is|->)+\s*([1-9])(?![0-9])", re.I
)
_LONE = re.compile(r"\s*([1-9])\s*")


@dataclass(frozen=True, slots=True)
class Sudoku:
    """A puzzle. A problem for a tree (`techniques.search.tree`); a state is its cells."""

    givens: Cells
    block: tuple[int, int] | None = None
    """Rows and columns of a block; None: a Latin square, whose rule is rows and columns alone."""
    order: Literal["any", "next"] = "any"
    """Which cell a step may fill: any empty one, or the first one in reading order."""

    def __post_init__(self) -> None:
        size = self.size
        require(size in SIZES and size * size == len(self.givens), f"{len(self.givens)} cells are no square.")
        require(all(0 <= digit <= size for digit in self.givens), f"Digits go from 1 to {size}.")
        if self.block is not None:
            require(self.block[0] * self.block[1] == size, f"A block holds {size} cells.")

    @classmethod
    def read(cls, text: str, *, latin: bool = False, order: Literal["any", "next"] = "any") -> Sudoku:
        """From a row of digits, with `.`, `_` or 0 for an empty cell; spaces, bars and slashes are looks.

        Raises:
            BadRequest: the text is no square board, or the size has no blocks.
        """
        plain = re.sub(r"[\s/|+,-]", "", text)
        require(re.fullmatch(r"[0-9._]+", plain) is not None, f"'{text[:60]}' is no board of digits and dots.")
        cells = tuple(0 if sign in "._" else int(sign) for sign in plain)
        size = isqrt(len(cells))
        require(latin or size in BLOCKS, f"A Sudoku has 4x4, 6x6 or 9x9 cells, not {len(cells)}.")
        return cls(cells, None if latin else BLOCKS[size], order)

    @property
    def size(self) -> int:
        """Cells of a side."""
        return isqrt(len(self.givens))

    @property
    def start(self) -> Cells:
        """The givens."""
        return self.givens

    def render(self, state: Cells) -> str:
        """Rows, one a line."""
        return "\n".join(" ".join(str(d) if d else "." for d in row) for row in self._rows(state))

    def step(self, state: Cells, line: str) -> Cells | None:
        """The board after every fill in the line ("r1c2=3 r2c2=4"), or after a lone digit for the next cell.

        None where a fill names a taken cell, a digit that does not exist, or a cell out of order: the givens
        cannot be changed. A fill against the rules is a step: it is for the checker to say so.
        """
        lone = _LONE.fullmatch(line)
        if lone is not None:
            return None if self.finished(state) else self._filled(state, state.index(0), int(lone[1]))
        now: Cells | None = state
        found = _FILL.findall(line)
        for row, column, digit in found:
            if max(int(row), int(column)) > self.size or now is None:
                return None
            now = self._filled(now, (int(row) - 1) * self.size + int(column) - 1, int(digit))
        return now if found else None

    def moves(self, state: Cells) -> tuple[str, ...]:
        """Every digit in every cell that may be filled."""
        empty = [at for at, digit in enumerate(state) if not digit]
        if self.order == "next":
            empty = empty[:1]
        size = self.size
        return tuple(f"r{at // size + 1}c{at % size + 1}={d}" for at in empty for d in range(1, size + 1))

    def check(self, state: Cells) -> str:
        """The first rule that is broken."""
        for name, places in units(self.size, self.block):
            digits = [state[at] for at in places if state[at]]
            twice = next((digit for digit in digits if digits.count(digit) > 1), None)
            if twice is not None:
                return f"{twice} stands twice in {name}."
        return ""

    def finished(self, state: Cells) -> bool:
        """Whether no cell is empty."""
        return 0 not in state

    def told(self, state: Cells) -> str:
        """Rows with slashes between."""
        return spelled(state, self.size)

    def answers(self, text: str) -> bool:
        """Whether a told board solves the puzzle: complete, by the rules, with the givens where they were."""
        cells = tuple(int(sign) if sign.isdigit() else 0 for sign in re.sub(r"[\s/]", "", text))
        if len(cells) != len(self.givens) or max(cells) > self.size or not self.finished(cells):
            return False
        return not self.check(cells) and all(a in (0, b) for a, b in zip(self.givens, cells, strict=True))

    def _rows(self, state: Cells) -> list[Cells]:
        return [state[at : at + self.size] for at in range(0, len(state), self.size)]

    def _filled(self, state: Cells, at: int, digit: int) -> Cells | None:
        in_order = self.order == "any" or state.index(0) == at if 0 in state else False
        if state[at] or digit > self.size or not in_order:
            return None
        return (*state[:at], digit, *state[at + 1 :])


def shown(cells: Cells) -> str:
    """Digits in reading order, a dot for an empty cell."""
    return "".join(str(digit) if digit else "." for digit in cells)


def spelled(cells: Cells, size: int) -> str:
    """The same in rows, with slashes between."""
    signs = shown(cells)
    return "/".join(signs[at : at + size] for at in range(0, len(signs), size))


@cache
def units(size: int, block: tuple[int, int] | None) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """Names and places of all rows, columns and blocks."""
    found = [(f"row {r + 1}", tuple(range(r * size, (r + 1) * size))) for r in range(size)]
    found += [(f"column {c + 1}", tuple(range(c, size * size, size))) for c in range(size)]
    if block is not None:
        high, wide = block
        corners = [(r, c) for r in range(0, size, high) for c in range(0, size, wide)]
        found += [
            (f"block {k + 1}", tuple((r + i) * size + c + j for i in range(high) for j in range(wide)))
            for k, (r, c) in enumerate(corners)
        ]
    return tuple(found)


@cache
def _peers(size: int, block: tuple[int, int] | None) -> tuple[tuple[int, ...], ...]:
    """Per cell the cells that must differ from it."""
    around: list[set[int]] = [set() for _ in range(size * size)]
    for _, places in units(size, block):
        for at in places:
            around[at] |= set(places) - {at}
    return tuple(tuple(sorted(peers)) for peers in around)


def solutions(puzzle: Sudoku, limit: int = 2, rng: Random | None = None) -> list[Cells]:
    """Up to `limit` solutions: none means that there is none, one that it is the only one.

    The cell with the fewest candidates is tried first; their order is the generator's, where one is given.
    """
    if puzzle.check(puzzle.givens):
        return []
    return list(_bounded(_solve(list(puzzle.givens), puzzle.size, _peers(puzzle.size, puzzle.block), rng), limit))


def _bounded(found: Iterator[Cells], limit: int) -> Iterator[Cells]:
    for _, cells in zip(range(limit), found, strict=False):
        yield cells


def _solve(cells: list[int], size: int, peers: Sequence[Sequence[int]], rng: Random | None) -> Iterator[Cells]:
    fewest: list[int] = []
    chosen = -1
    for at, digit in enumerate(cells):
        if digit:
            continue
        taken = {cells[peer] for peer in peers[at]}
        free = [d for d in range(1, size + 1) if d not in taken]
        if chosen < 0 or len(free) < len(fewest):
            chosen, fewest = at, free
            if len(free) < 2:
                break
    if chosen < 0:
        yield tuple(cells)
        return
    if rng is not None:
        rng.shuffle(fewest)
    for digit in fewest:
        cells[chosen] = digit
        yield from _solve(cells, size, peers, rng)
    cells[chosen] = 0


def generated(size: int, empties: int, rng: Random, *, latin: bool = False) -> tuple[Sudoku, Cells]:
    """A puzzle with that many empty cells and exactly one solution, and the solution.

    Cells are taken out one by one as long as the solution stays the only one; a board that gets stuck is
    thrown away. `BadRequest` where a hundred boards got stuck: there are hardly any such puzzles.
    """
    block = None if latin else BLOCKS[size]
    for _ in range(100):
        (whole,) = solutions(Sudoku((0,) * size * size, block), 1, rng)
        cells, left = list(whole), empties
        for at in rng.sample(range(size * size), size * size):
            if left == 0:
                return Sudoku(tuple(cells), block), whole
            cells[at] = 0
            if len(solutions(Sudoku(tuple(cells), block))) == 1:
                left -= 1
            else:
                cells[at] = whole[at]
        if left == 0:
            return Sudoku(tuple(cells), block), whole
    require(False, f"No {size}x{size} puzzle with {empties} empty cells and one solution was found.")
    raise AssertionError("required above")
