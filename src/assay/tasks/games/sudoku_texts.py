"""Boards and the digit of their first empty cell, some of them wrong: what a fallible proposer learns.

    .2...34231..2431:   4       a digit for the first empty cell
    42...34231..2431?   yes     whether a board breaks no rule

The solution that a board was made from says which digit is right; of a board with several solutions that is
one of the right ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from assay.core.training import Example
from assay.core.validation import require, require_number
from assay.tasks.games.sudoku import BLOCKS, Cells, Sudoku, shown, solutions
from assay.tasks.splits import gather, require_split

if TYPE_CHECKING:
    import numpy

SIZE = 4
CHECKS = 0.25
"""Share of texts that are checks and no fills."""


@dataclass(frozen=True)
class Fills:
    """Three in four texts are fills, the others checks of a board after a fill, half of them wrong ones."""

    wrong: float = 0.15
    """Share of texts with another digit."""
    fewest: int = 1
    most: int = 10
    """Empty cells of a board, uniform between both."""
    split: str = "train"

    def __post_init__(self) -> None:
        require_number("The share of wrong fills", self.wrong, 0.0, 1.0)
        require(1 <= self.fewest <= self.most <= SIZE * SIZE, "A board has 1 to 16 empty cells.")
        require_split(self.split)

    @property
    def alphabet(self) -> str:
        """Digits, signs, and the letters of yes and no."""
        return "".join(sorted(".:?yesno" + "".join(str(digit) for digit in range(1, SIZE + 1))))

    def examples(self, count: int, rng: numpy.random.Generator) -> list[Example]:
        """Boards with their fills, drawn with replacement."""
        return gather(count, lambda number: self._draw(number, rng), lambda e: e.prompt[:-1], self.split)

    def mark(self, example: Example, reply: str) -> Mapping[str, float]:
        """ "exact": what stands in the text; "legal": a digit that breaks no rule now, or a right check."""
        if example.prompt.endswith("?"):
            return dict.fromkeys(("exact", "legal"), float(reply == example.answer))
        puzzle = Sudoku.read(example.prompt[:-1], order="next")
        after = puzzle.step(puzzle.givens, reply)
        legal = after is not None and not puzzle.check(after)
        return {"exact": float(reply.strip() == example.answer), "legal": float(legal)}

    def _draw(self, number: int, rng: numpy.random.Generator) -> list[Example]:
        grids = _grids()
        found = []
        for _ in range(number):
            cells = list(grids[int(rng.integers(len(grids)))])
            empty = rng.permutation(len(cells))[: int(rng.integers(self.fewest, self.most + 1))]
            first, checks = int(empty.min()), bool(rng.random() < CHECKS)
            digit = cells[first]
            if rng.random() < (0.5 if checks else self.wrong):
                digit = (digit - 1 + int(rng.integers(1, SIZE))) % SIZE + 1
            for at in empty:
                cells[int(at)] = 0
            if checks:
                cells[first] = digit
                broken = Sudoku(tuple(cells), BLOCKS[SIZE]).check(tuple(cells))
                found.append(Example(f"{shown(tuple(cells))}?", "no" if broken else "yes"))
            else:
                found.append(Example(f"{shown(tuple(cells))}:", str(digit)))
        return found


@cache
def _grids() -> tuple[Cells, ...]:
    """All 288 solved boards."""
    return tuple(solutions(Sudoku((0,) * SIZE * SIZE, BLOCKS[SIZE]), 1000))
