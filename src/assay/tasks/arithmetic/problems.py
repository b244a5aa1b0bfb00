"""Making one word problem: a story with its numbers, the answer and the expression that gives it.

The story and its numbers come from two generators, so that the same stories can be had with large
numbers (as GSM-hard does with GSM8K, arXiv 2211.10435): only the digits differ.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from assay.tasks.arithmetic.stories import FAMILIES, Family, Step
from assay.tasks.people import NAMES

_ATTEMPTS = 200


@dataclass(frozen=True, slots=True)
class Problem:
    """A word problem; `expression` is Python and evaluates to `answer` without any remainder."""

    family: str
    text: str
    answer: int
    expression: str
    steps: int


@dataclass(frozen=True, slots=True)
class Range:
    """From which numbers a problem is made; every running value lies in [2, cap]."""

    start: tuple[int, int]
    term: tuple[int, int]
    """Numbers that are added or subtracted."""
    factor: tuple[int, int]
    divisor: tuple[int, int]
    cap: int


@dataclass(frozen=True, slots=True)
class _Plan:
    """A story without its numbers."""

    family: Family
    steps: tuple[Step, ...]
    opening: str
    question: str
    unit: str
    cast: tuple[str, ...]


def number_range(steps: int, *, large: bool) -> Range:
    """Magnitudes that grow with the number of steps; `large` ones are far beyond mental arithmetic."""
    if large:
        return Range((10_000, 999_999), (1_000, 999_999), (101, 999), (3, 99), 10**15)
    high = 20 + 30 * steps
    return Range((4, high), (2, high), (2, 9), (2, 12), 600 * steps)


def make_problem(story: Random, numbers: Random, steps: int, *, large: bool = False) -> Problem:
    """One problem with this many operations: its story drawn from `story`, its digits from `numbers`.

    No number stands in it twice and the answer is none of them, so that copying never scores.
    """
    limits = number_range(steps, large=large)
    while True:
        plan = _draw_plan(story, steps)
        for _ in range(_ATTEMPTS):
            drawn = _draw_numbers(plan.steps, limits, numbers)
            if drawn is not None:
                start, operands, answer = drawn
                return Problem(
                    family=plan.family.name,
                    text=_tell(plan, start, operands),
                    answer=answer,
                    expression=_expression(plan.steps, start, operands),
                    steps=steps,
                )


def _draw_plan(rng: Random, steps: int) -> _Plan:
    family = rng.choice(FAMILIES)
    begin = [rng.choice(family.first)] if family.first else []
    rest = sorted(rng.sample(family.steps, steps - len(begin)), key=lambda step: step.closes)
    return _Plan(
        family=family,
        steps=(*begin, *rest),
        opening=rng.choice(family.openings),
        question=rng.choice(family.questions),
        unit=rng.choice(family.units),
        cast=tuple(rng.sample(family.who or NAMES, steps + 1)),
    )


def _draw_numbers(steps: tuple[Step, ...], limits: Range, rng: Random) -> tuple[int, list[int], int] | None:
    """The opening's number, one number per step and the answer; None where the draw came to nothing."""
    start = value = rng.randint(*limits.start)
    operands: list[int] = []
    for step in steps:
        n = _draw_operand(step.operation, value, limits, rng)
        if n is None or n == start or n in operands:
            return None
        operands.append(n)
        value = {"+": value + n, "-": value - n, "*": value * n, "/": value // n}[step.operation]
        if not 2 <= value <= limits.cap:
            return None
    return None if value in (start, *operands) else (start, operands, value)


def _draw_operand(operation: str, value: int, limits: Range, rng: Random) -> int | None:
    if operation == "*":
        return rng.randint(*limits.factor)
    if operation == "/":
        low, high = limits.divisor
        divisors = [d for d in range(low, high + 1) if value % d == 0 and value // d >= 2]
        return rng.choice(divisors) if divisors else None
    low, high = limits.term
    if operation == "-":
        high = min(high, value - 2)
    return rng.randint(low, high) if low <= high else None


def _tell(plan: _Plan, start: int, operands: list[int]) -> str:
    who, *waiting = plan.cast
    unit = plan.unit
    sentences = [plan.opening.format(who=who, start=start, unit=unit)]
    for step, n in zip(plan.steps, operands, strict=True):
        new = waiting.pop(0) if "{new}" in step.text else ""
        sentences.append(step.text.format(who=who, new=new, n=n, unit=unit))
        who = new if step.moves else who
        unit = step.unit or unit
    sentences.append(plan.question.format(who=who, unit=unit))
    return " ".join(sentences)


def _expression(steps: tuple[Step, ...], start: int, operands: list[int]) -> str:
    expression = str(start)
    for index, (step, n) in enumerate(zip(steps, operands, strict=True)):
        sign = "//" if step.operation == "/" else step.operation
        expression = f"({expression}) {sign} {n}" if index else f"{expression} {sign} {n}"
    return expression
