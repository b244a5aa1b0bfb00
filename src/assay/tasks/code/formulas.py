"""Formulas of two steps to be found from examples: programming small enough for an organism.

`(x*17)-23` multiplies and subtracts. A function is what a formula gives at 0 to 9; of the formulas that give the
same, the shortest stands for them. What one step gives already is none of them.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from random import Random

from assay.core.errors import UnknownName
from assay.core.problems.programs import Case, Problem
from assay.core.samples import Sample
from assay.core.validation import require_whole
from assay.tasks.code.programs import TestedPrograms, sample_of
from assay.tasks.splits import require_split, split_of

INPUTS = range(10)
OPERANDS = range(2, 30)
LARGEST = 999
"""No function that is asked for gives more, or less than the negative of it."""
DIFFERENT = 4
"""Values that a function gives at least: one that hardly varies has too many formulas."""
SHOWN = 4
"""Examples in a question; the other inputs decide."""
ENTRY = "f"
Values = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """An operation with its operand."""

    sign: str
    operand: int

    @property
    def text(self) -> str:
        """As it is written behind what it is done to."""
        return f"{self.sign}{self.operand}"

    def __call__(self, x: int) -> int:
        return SIGNS[self.sign](x, self.operand)


SIGNS: Mapping[str, Callable[[int, int], int]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "//": operator.floordiv,
    "%": operator.mod,
    "**": operator.pow,
}
STEPS = (Step("**", 2), *(Step(sign, operand) for operand in OPERANDS for sign in SIGNS if sign != "**"))
"""All 141 of them."""


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula by its two steps."""

    steps: tuple[int, int]
    """Places in STEPS, the first one first."""

    @property
    def text(self) -> str:
        """As Python writes it, over x."""
        first, second = (STEPS[step].text for step in self.steps)
        return f"(x{first}){second}"

    @property
    def values(self) -> Values:
        """What it gives at 0 to 9."""
        found = []
        for x in INPUTS:
            for step in self.steps:
                x = STEPS[step](x)
            found.append(x)
        return tuple(found)


@cache
def functions(split: str) -> tuple[tuple[Formula, Values], ...]:
    """The functions of a split, each by its shortest formula; which split one is in follows from its values."""
    require_split(split)
    shortest: dict[Values, Formula] = {}
    simple = {tuple(INPUTS), *(tuple(step(x) for x in INPUTS) for step in STEPS)}
    for i, j in product(range(len(STEPS)), range(len(STEPS))):
        formula = Formula((i, j))
        values = formula.values
        if values in simple or max(map(abs, values)) > LARGEST or len(set(values)) < DIFFERENT:
            continue
        known = shortest.get(values)
        if known is None or (len(formula.text), formula.text) < (len(known.text), known.text):
            shortest[values] = formula
    return tuple(
        (formula, values) for values, formula in shortest.items() if split_of(" ".join(map(str, values))) == split
    )


def question(values: Values, shown: Sequence[int]) -> str:
    """What is asked: `0>9 3>36 5>64 8>121:`."""
    return " ".join(f"{x}>{values[x]}" for x in shown) + ":"


@dataclass(frozen=True, slots=True)
class FormulaTask(TestedPrograms):
    """A function of 0 to 9 by four examples; the six other inputs are the hidden tests.

    `meta["problem"]` as with other programs. Its questions are in the form organisms are trained on, not in words.
    """

    levels: tuple[str, ...] = ("two steps",)
    split: str = "test"
    name: str = "formulas"
    cue: str = ""
    kind: str = "score"
    chance: float | None = 0.0

    def __post_init__(self) -> None:
        require_split(self.split)

    def samples(self, n: int, seed: int, level: str | None = None) -> tuple[Sample, ...]:
        """n functions of the split, or as many as there are, each with four inputs drawn to be shown."""
        require_whole("n", n, 0, 1_000_000)
        if level is not None and level not in self.levels:
            raise UnknownName("level", level, self.levels)
        rng = Random(f"formulas/{self.split}/{seed}")
        chosen = rng.sample(functions(self.split), min(n, len(functions(self.split))))
        return tuple(_sample(formula, values, rng) for formula, values in chosen)


def _sample(formula: Formula, values: Values, rng: Random) -> Sample:
    shown = sorted(rng.sample(INPUTS, SHOWN))
    cases = {x: Case(f"{ENTRY}({x})", str(values[x])) for x in INPUTS}
    problem = Problem(
        ENTRY,
        question(values, shown),
        tuple(cases[x] for x in shown),
        tuple(case for x, case in cases.items() if x not in shown),
        solution=f"def {ENTRY}(x):\n    return {formula.text}\n",
    )
    return sample_of(problem, f"formula-{formula.text}-{''.join(map(str, shown))}")
