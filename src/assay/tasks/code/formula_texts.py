"""Texts an organism learns to find formulas from, and to mend wrong ones.

    0>9 3>36 5>64 8>121:                    a formula for these examples
    0>9 3>36 5>64 8>121:(x*9)+9!5>54:       one for this wrong one, told what the first failing example gave
    0>9 3>36 5>64 8>121:(x*9)+9!:           one for this wrong one, told that it is wrong

Half of the wrong formulas differ from a right one in a step, half are right for an example at least.
Functions of the test split are never the answer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from assay.core.training import Example
from assay.core.validation import require_number
from assay.tasks.code.formulas import INPUTS, SHOWN, STEPS, Formula, Values, functions, question
from assay.tasks.splits import require_split

if TYPE_CHECKING:
    import numpy

_FORMULA = re.compile(r"\(x([^()]+)\)([^()]+)")
_PLACES = {step.text: place for place, step in enumerate(STEPS)}
MENDS = 0.5
"""Share of texts in which a wrong formula is to be mended."""
BROKEN = 0.02
"""Share of wrong formulas that are no formula: a character is gone, and they give nothing, written as "?"."""


@dataclass(frozen=True)
class FormulaTexts:
    """Half questions, half wrong formulas to be mended."""

    told: float = 0.5
    """Share of the wrong formulas of which it is told what they gave; of the others, that they are wrong."""
    split: str = "train"

    def __post_init__(self) -> None:
        require_number("The share of feedback", self.told, 0.0, 1.0)
        require_split(self.split)

    @property
    def alphabet(self) -> str:
        """Digits, signs and brackets, x, and what stands between the parts."""
        return "".join(sorted("0123456789+-*/%()x> :!?"))

    def examples(self, count: int, rng: numpy.random.Generator) -> list[Example]:
        """Functions drawn with replacement, each with examples of its own."""
        found = functions(self.split)
        drawn = rng.integers(len(found), size=count)
        return [self._text(*found[int(at)], rng) for at in drawn]

    def mark(self, example: Example, reply: str) -> Mapping[str, float]:
        """ "exact": the formula of the text; "right": one that gives what the examples ask for."""
        asked = example.prompt.partition(":")[0]
        wanted = {int(x): int(y) for x, y in (pair.split(">") for pair in asked.split())}
        values = given_by(reply)
        right = values is not None and all(values[x] == y for x, y in wanted.items())
        return {"exact": float(reply == example.answer), "right": float(right)}

    def _text(self, formula: Formula, values: Values, rng: numpy.random.Generator) -> Example:
        shown = sorted(int(x) for x in rng.choice(len(INPUTS), SHOWN, replace=False))
        asked = question(values, shown)
        if rng.random() >= MENDS:
            return Example(asked, formula.text)
        wrong, gave = self._wrong(formula, values, shown, rng)
        failing = next(x for x in shown if gave is None or gave[x] != values[x])
        tells = f"{failing}>{'?' if gave is None else gave[failing]}" if rng.random() < self.told else ""
        return Example(f"{asked}{wrong}!{tells}:", formula.text)

    def _wrong(
        self, formula: Formula, values: Values, shown: Sequence[int], rng: numpy.random.Generator
    ) -> tuple[str, Values | None]:
        """A formula that fails an example, and what it gives; None for one that is broken."""
        if rng.random() < BROKEN:
            at = int(rng.integers(len(formula.text)))
            broken = formula.text[:at] + formula.text[at + 1 :]
            if given_by(broken) is None:
                return broken, None
        while True:
            other = _near(formula, rng) if rng.random() < 0.5 else _agreeing(self.split, values, shown, rng)
            gave = other.values
            if any(gave[x] != values[x] for x in shown) and max(map(abs, gave)) < 100_000:
                return other.text, gave


def _near(formula: Formula, rng: numpy.random.Generator) -> Formula:
    """One of the two steps drawn anew."""
    first, second = formula.steps
    step = int(rng.integers(len(STEPS)))
    return Formula((step, second)) if rng.random() < 0.5 else Formula((first, step))


def _agreeing(split: str, values: Values, shown: Sequence[int], rng: numpy.random.Generator) -> Formula:
    """A formula of another function that is right for one of the examples."""
    x = int(shown[int(rng.integers(len(shown)))])
    there = _by_example(split)[x, values[x]]
    return functions(split)[there[int(rng.integers(len(there)))]][0]


@cache
def _by_example(split: str) -> Mapping[tuple[int, int], Sequence[int]]:
    found: dict[tuple[int, int], list[int]] = {}
    for at, (_, values) in enumerate(functions(split)):
        for x in INPUTS:
            found.setdefault((x, values[x]), []).append(at)
    return found


def given_by(text: str) -> Values | None:
    """What a formula gives at 0 to 9, read and never run; None for what is none."""
    found = _FORMULA.fullmatch(text.strip())
    if found is None or found[1] not in _PLACES or found[2] not in _PLACES:
        return None
    return Formula((_PLACES[found[1]], _PLACES[found[2]])).values
