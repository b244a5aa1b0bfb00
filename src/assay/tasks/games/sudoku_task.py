"""Sudoku puzzles as a task: generated with one solution, or from a file of one's own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from random import Random
from typing import Literal

from assay.core.errors import BadFile, BadRequest, UnknownName
from assay.core.samples import Answer, Outcome, Sample
from assay.core.validation import require_whole
from assay.tasks.games.sudoku import BLOCKS, SIZES, Cells, Sudoku, generated, shown, solutions, spelled
from assay.tasks.scoring import score_match
from assay.tasks.splits import split_of

LEVELS = ("4x4-4", "4x4-6", "4x4-8", "4x4-10", "6x6-12", "6x6-18", "9x9-30", "9x9-45")
TRAINED = 4
"""Size of the boards that organisms are trained on."""
_LEVEL = re.compile(r"([2-9])x\1-([0-9]{1,2})")
_BOARD = re.compile(r"[1-9](?:[\s/]*[1-9])+")


@dataclass(frozen=True, slots=True)
class SudokuTask:
    """Level "4x4-8" has eight empty cells. Every puzzle has exactly one solution, which is the target.

    4x4 puzzles are of the split that no organism is trained on. `meta`: `board` (rows with slashes) and `latin`.
    """

    levels: tuple[str, ...] = LEVELS
    latin: bool = False
    """Rows and columns alone, without blocks."""
    puzzles: tuple[Sudoku, ...] = ()
    """One's own, from `load_puzzles`; the levels are then one."""
    name: str = "sudoku"
    kind: str = "board"
    cue: str = "Therefore, the solved board (rows separated by slashes) is"
    chance: float | None = None

    def __post_init__(self) -> None:
        for level in () if self.puzzles else self.levels:
            found = _LEVEL.fullmatch(level)
            known = found is not None and int(found[1]) in (SIZES if self.latin else BLOCKS)
            if not known:
                raise UnknownName("Sudoku level", level, LEVELS, hint="Write it as 4x4-8: size and empty cells.")

    def samples(self, n: int, seed: int, level: str | None = None) -> tuple[Sample, ...]:
        """n puzzles of the level (None: the first); of one's own all, in their order."""
        require_whole("n", n, 0, 1_000_000)
        level = level or self.levels[0]
        if level not in self.levels:
            raise UnknownName("level", level, self.levels)
        if self.puzzles:
            return tuple(self._sample(puzzle, solutions(puzzle, 1)[0]) for puzzle in self.puzzles[:n])
        return tuple(islice(self._generated(level, seed), n))

    def extract(self, text: str) -> str | None:
        """The last full row of digits that is a square board, rows with slashes."""
        for found in reversed(_BOARD.findall(text)):
            digits = re.sub(r"[\s/]", "", found)
            size = round(len(digits) ** 0.5)
            if size > 1 and size * size == len(digits):
                return spelled(tuple(map(int, digits)), size)
        return None

    def score(self, sample: Sample, answer: Answer) -> Outcome:
        """1.0 for the solved board; a partial one, or one that changed a given, is 0.0."""
        puzzle = puzzle_of(sample)
        return score_match(sample, answer, self.extract, lambda value, _: puzzle.answers(value))

    def _generated(self, level: str, seed: int) -> Iterator[Sample]:
        found = _LEVEL.fullmatch(level)
        assert found is not None, "checked when the task was made"
        size, empties = int(found[1]), int(found[2])
        rng = Random(f"sudoku/{level}/{self.latin}/{seed}")
        seen: set[Cells] = set()
        while True:
            puzzle, whole = generated(size, empties, rng, latin=self.latin)
            held_out = size > TRAINED or split_of(shown(puzzle.givens)) == "test"
            if puzzle.givens not in seen and held_out:
                seen.add(puzzle.givens)
                yield self._sample(puzzle, whole)

    def _sample(self, puzzle: Sudoku, whole: Cells) -> Sample:
        size, board = puzzle.size, spelled(puzzle.givens, puzzle.size)
        parts = (
            "row and column" if puzzle.block is None else "row, column and block of {}x{}".format(*puzzle.block)
        )
        return Sample(
            id=f"{'sudoku' if puzzle.block else 'latin'}-{board.replace('/', '')}",
            question=f"Fill the {size}x{size} board so that every {parts} holds each digit from 1 to {size} once. "
            f"Dots are empty cells.\n{puzzle.render(puzzle.givens)}",
            target=spelled(whole, size),
            meta={"board": board, "latin": puzzle.block is None},
        )


def puzzle_of(sample: Sample, order: Literal["any", "next"] = "any") -> Sudoku:
    """The puzzle of a sample: from its `meta`, or from its question where that is a board."""
    board = str(sample.meta.get("board", sample.question))
    return Sudoku.read(board, latin=bool(sample.meta.get("latin", False)), order=order)


def load_puzzles(path: str | Path, *, latin: bool = False) -> SudokuTask:
    """The task of a text file: one puzzle a line, digits with `.` or 0 for empty cells; # begins a comment.

    Raises:
        BadFile: a line is no board, or its puzzle has no solution, or more than one.
    """
    path = Path(path)
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadFile(path, f"it cannot be read: {error}.") from None
    puzzles: dict[Sudoku, int] = {}
    for number, line in enumerate(lines, 1):
        text = line.partition("#")[0].strip()
        if not text:
            continue
        try:
            puzzle = Sudoku.read(text, latin=latin)
        except BadRequest as error:
            raise BadFile(path, error.message, line=number) from None
        found = solutions(puzzle)
        if len(found) != 1:
            problem = "the puzzle has more than one solution." if found else "the puzzle has no solution."
            raise BadFile(path, problem, line=number)
        if puzzle in puzzles:
            raise BadFile(path, f"the puzzle of line {puzzles[puzzle]} again.", line=number)
        puzzles[puzzle] = number
    if not puzzles:
        raise BadFile(path, "the file holds no puzzles.")
    return SudokuTask(levels=("own",), latin=latin, puzzles=tuple(puzzles), name=path.stem)
