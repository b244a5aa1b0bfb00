"""The Game of 24, and making other numbers of fewer: puzzles with a solver and an exact checker."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import combinations_with_replacement, islice
from random import Random

from assay.core.errors import UnknownName
from assay.core.problems.countdown import Countdown, evaluated, joined, makes, plain_signs
from assay.core.samples import Answer, Outcome, Sample
from assay.core.validation import require_whole
from assay.tasks.scoring import score_match
from assay.tasks.splits import require_split, split_of

GOAL = 24
LEVELS = ("3", "4")
HIGHEST = {"3": 9, "4": 13}
GOALS = {"3": tuple(range(10, 31)), "4": (GOAL,)}
_RUN = re.compile(r"[0-9(][0-9+\-*/() ]*[0-9)]")
_STATED = re.compile(r"\banswer\b[^0-9(]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Game24Task:
    """Level "4": make 24 of four numbers up to 13, all 1362 puzzles there are; "3": some number of three.

    Every puzzle has a solution. The set is finite: two seeds overlap, and whoever needs them apart drops by id.
    `meta`: numbers and goal.
    """

    levels: tuple[str, ...] = LEVELS
    split: str = ""
    """ "test": only puzzles that no organism is trained on; empty: all."""
    name: str = "game24"
    kind: str = "expression"
    cue: str = "Therefore, the answer (an expression) is"
    chance: float | None = None

    def __post_init__(self) -> None:
        for level in self.levels:
            if level not in LEVELS:
                raise UnknownName("level", level, LEVELS)
        if self.split:
            require_split(self.split)

    def samples(self, n: int, seed: int, level: str | None = None) -> tuple[Sample, ...]:
        """n puzzles of the level (None: the first), or as many as there are."""
        require_whole("n", n, 0, 1_000_000)
        level = level or self.levels[0]
        if level not in self.levels:
            raise UnknownName("level", level, self.levels)
        puzzles = [puzzle for puzzle in _all(level) if self.split in ("", split_of(puzzle_key(*puzzle)))]
        Random(f"game24/{level}/{seed}").shuffle(puzzles)
        return tuple(islice(_solvable(puzzles), n))

    def extract(self, text: str) -> str | None:
        """The expression a reply ends with: behind the word "answer" where that stands, left of an equals sign."""
        text = plain_signs(text)
        stated = list(_STATED.finditer(text))
        for place in ([text[stated[-1].end() :]] if stated else []) + [text]:
            for line in reversed(place.splitlines()):
                found = [run for run in _RUN.findall(line) if re.search("[-+*/]", run) and evaluated(run)]
                if found:
                    return " ".join(found[0].split())
        return None

    def score(self, sample: Sample, answer: Answer) -> Outcome:
        """1.0 for an expression that uses each number once and makes the goal exactly."""
        puzzle = puzzle_of(sample)
        return score_match(
            sample, answer, self.extract, lambda value, _: makes(value, puzzle.numbers, puzzle.goal)
        )


def puzzle_of(sample: Sample) -> Countdown:
    """The puzzle of a sample: from its `meta`, or from a question that is a row of numbers."""
    if "numbers" in sample.meta:
        return Countdown(tuple(sample.meta["numbers"]), sample.meta["goal"])
    return Countdown.read(sample.question)


def solve(numbers: Sequence[int], goal: int = GOAL) -> str | None:
    """A solution, found by going through everything; None where there is none."""
    puzzle = Countdown(tuple(numbers), goal)
    state = puzzle.start
    if not reaches(state.values, goal):
        return None
    while not puzzle.finished(state):
        line = next(line for line, left in joined(state.values) if reaches(left, goal))
        after = puzzle.step(state, line)
        assert after is not None, "every way to join two numbers is a step"
        state = after
    return puzzle.told(state)


@cache
def reaches(values: tuple[Fraction, ...], goal: int = GOAL) -> bool:
    """Whether numbers, rising, can be joined to the goal."""
    if len(values) == 1:
        return values[0] == goal
    return any(reaches(left, goal) for _, left in joined(values))


def _all(level: str) -> list[tuple[tuple[int, ...], int]]:
    """Every multiset of the level with every goal."""
    rows = combinations_with_replacement(range(1, HIGHEST[level] + 1), int(level))
    return [(row, goal) for row in rows for goal in GOALS[level]]


def puzzle_key(numbers: Sequence[int], goal: int) -> str:
    """What decides on the split of a puzzle."""
    return f"{' '.join(map(str, numbers))}={goal}"


def _solvable(puzzles: Sequence[tuple[tuple[int, ...], int]]) -> Iterator[Sample]:
    for numbers, goal in puzzles:
        solution = solve(numbers, goal)
        if solution is not None:
            named = ", ".join(map(str, numbers[:-1]))
            yield Sample(
                id=f"make-{goal}-of-{'-'.join(map(str, numbers))}",
                question=f"Use each of the numbers {named} and {numbers[-1]} once, with + - * / and brackets, "
                f"to make {goal}.",
                target=solution,
                meta={"numbers": numbers, "goal": goal},
            )
