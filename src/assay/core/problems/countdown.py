"""Combining numbers to reach a goal, exactly: expressions, and the game that joins two numbers at a time.

It stands here because the task that checks answers and the technique that is given four numbers share it.
Nothing is ever handed to `eval`: a reply is read by a parser of four operations over fractions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from assay.core.errors import UserError

LONGEST_EXPRESSION = 120
"""Characters; brackets cannot nest deeper."""
LONGEST_NUMERAL = 6
MOST_NUMBERS = 6
_SIGNS = str.maketrans(
    dict.fromkeys("×·∗✕⋅xX", "*")
    | dict.fromkeys("÷⁄∕", "/")
    | dict.fromkeys("−–—﹣－", "-")
    | dict.fromkeys("＋", "+")
    | dict(zip("（）＝０１２３４５６７８９", "()=0123456789", strict=True))
)
_TOKEN = re.compile(r"\s*([0-9]+|[-+*/()])")
_VALUE = r"-?[0-9]{1,6}(?:/[0-9]{1,6})?"
_MOVE = re.compile(
    rf"\s*(?:[-*•]\s+|[0-9]{{1,2}}[.)]\s+)?({_VALUE})\s*([-+*/])\s*\(?({_VALUE})\)?\s*=\s*({_VALUE})(?![./]?[0-9])"
    r"\s*(?:$|[;,.(])"
)
"""A step opens its line: what stands in the middle of a sentence is commentary."""
_STATED = re.compile(r"\banswer(?:\s+is)?\s*[:=]?(.*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Expression:
    """What a text of numbers and operations comes to."""

    value: Fraction | None
    """None where something is divided by zero."""
    numbers: tuple[int, ...]
    """The numbers in it, in order."""


def plain_signs(text: str) -> str:
    """Multiplication, division and minus in one spelling each."""
    return text.translate(_SIGNS)


def evaluated(text: str) -> Expression | None:
    """The value of an expression and its numbers; None where the text is none.

    Whole numbers, four operations and brackets; no sign before a bracket, no decimals, no powers.
    """
    text = plain_signs(text).strip()
    if not text or len(text) > LONGEST_EXPRESSION:
        return None
    tokens = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or len(match[1]) > LONGEST_NUMERAL:
            return None
        tokens.append(match[1])
        at = match.end()
    parser = _Parser(tokens)
    try:
        value = parser.sum()
    except _NoExpression:
        return None
    return Expression(value, tuple(parser.numbers)) if parser.at == len(tokens) else None


def makes(text: str, numbers: Sequence[int], goal: int = 24) -> bool:
    """Whether an expression uses exactly these numbers and comes to the goal."""
    found = evaluated(text)
    return found is not None and sorted(found.numbers) == sorted(numbers) and found.value == goal


class _NoExpression(Exception):
    """The tokens end, or the wrong one stands there."""


class _Parser:
    """Recursive descent; brackets nest no deeper than the text is long."""

    def __init__(self, tokens: Sequence[str]) -> None:
        self.tokens, self.at = tokens, 0
        self.numbers: list[int] = []

    def _next(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def sum(self) -> Fraction | None:
        value = self._product()
        while self._next() in ("+", "-"):
            value = self._applied(value, self._product)
        return value

    def _product(self) -> Fraction | None:
        value = self._atom()
        while self._next() in ("*", "/"):
            value = self._applied(value, self._atom)
        return value

    def _applied(self, left: Fraction | None, read: Callable[[], Fraction | None]) -> Fraction | None:
        sign = self._next()
        self.at += 1
        right = read()
        return None if left is None or right is None else applied(left, sign, right)

    def _atom(self) -> Fraction | None:
        token = self._next()
        self.at += 1
        if token.isdigit():
            self.numbers.append(int(token))
            return Fraction(int(token))
        if token != "(":
            raise _NoExpression
        value = self.sum()
        if self._next() != ")":
            raise _NoExpression
        self.at += 1
        return value


def applied(left: Fraction, sign: str, right: Fraction) -> Fraction | None:
    """One operation; None for a division by zero."""
    match sign:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case _:
            return left / right if right else None


def joined(values: Sequence[Fraction]) -> Iterator[tuple[str, tuple[Fraction, ...]]]:
    """Every way to join two of the numbers: as a line, and the numbers that are left, rising."""
    for i, left in enumerate(values):
        for j, right in enumerate(values):
            for sign in "+-*/" if i < j else "-/" if i > j else "":
                result = applied(left, sign, right)
                if result is not None:
                    rest = [value for at, value in enumerate(values) if at not in (i, j)]
                    yield f"{left} {sign} {right} = {result}", tuple(sorted([*rest, result]))


@dataclass(frozen=True, slots=True)
class Left:
    """The numbers that are left, rising. Equal ones have one future, however they were made."""

    values: tuple[Fraction, ...]
    made: tuple[str, ...] = field(compare=False)
    """How each was made of the first numbers."""


@dataclass(frozen=True, slots=True)
class Countdown:
    """Join two numbers at a time until one is left: it ought to be the goal.

    A problem for a tree (`techniques.search.tree`), whose steps are lines such as `10 - 4 = 6`.
    """

    numbers: tuple[int, ...]
    goal: int = 24

    @classmethod
    def read(cls, text: str, goal: int = 24) -> Countdown:
        """From numbers in a text, "4 9 10 13" or "4, 9, 10, 13"; `UserError` for anything else."""
        if not re.fullmatch(r"\s*[0-9]{1,6}(?:[\s,;]+[0-9]{1,6})*\s*", text):
            raise UserError(f"'{text[:60]}' is no row of numbers.", hint='For instance: "4 9 10 13"')
        numbers = tuple(int(number) for number in re.findall("[0-9]+", text))
        if not 2 <= len(numbers) <= MOST_NUMBERS:
            raise UserError(
                f"{len(numbers)} numbers are not played with.", hint=f"Give 2 to {MOST_NUMBERS} of them."
            )
        return cls(numbers, goal)

    @property
    def start(self) -> Left:
        """All numbers."""
        return _left((Fraction(number), str(number)) for number in self.numbers)

    def render(self, state: Left) -> str:
        """The numbers that are left."""
        return " ".join(map(str, state.values))

    def step(self, state: Left, line: str) -> Left | None:
        """What a line such as "10 - 4 = 6 (left: 6 9 13)" leads to; None where it is no legal step.

        Or a whole answer: an expression of exactly the numbers that are left. What the line says is left is
        not read: it follows from the step.
        """
        line = plain_signs(line)
        stated = _STATED.search(line)
        if stated is not None:
            return _answered(state, stated[1])
        match = _MOVE.match(line)
        if match is None:
            return None
        try:
            left, right, result = Fraction(match[1]), Fraction(match[3]), Fraction(match[4])
        except ZeroDivisionError:
            return None
        rest = list(zip(state.values, state.made, strict=True))
        taken = []
        for value in (left, right):
            found = next((pair for pair in rest if pair[0] == value), None)
            if found is None:
                return None
            rest.remove(found)
            taken.append(found[1])
        if applied(left, match[2], right) != result:
            return None
        return _left([*rest, (result, f"({taken[0]} {match[2]} {taken[1]})")])

    def moves(self, state: Left) -> tuple[str, ...]:
        """Every legal step as a line."""
        return tuple(dict.fromkeys(line for line, _ in joined(state.values)))

    def check(self, state: Left) -> str:
        """What is wrong with a last number; steps themselves are legal."""
        if not self.finished(state) or state.values[0] == self.goal:
            return ""
        return f"It makes {state.values[0]} and not {self.goal}."

    def finished(self, state: Left) -> bool:
        """Whether one number is left."""
        return len(state.values) == 1

    def told(self, state: Left) -> str:
        """The expression; of an unfinished state those that are to be joined."""
        return ", ".join(_without_brackets(text) for text in state.made)


def _left(pairs: Iterable[tuple[Fraction, str]]) -> Left:
    ordered = sorted(pairs, key=lambda pair: pair[0])
    return Left(tuple(value for value, _ in ordered), tuple(text for _, text in ordered))


def _answered(state: Left, text: str) -> Left | None:
    """The last state of an answer, where it uses exactly the numbers that are left."""
    body = text.partition("=")[0].strip(" .:*`$")
    found = evaluated(body)
    if found is None or found.value is None or sorted(map(Fraction, found.numbers)) != list(state.values):
        return None
    made = dict(zip(state.values, state.made, strict=True))
    spelled = re.sub("[0-9]+", lambda number: made[Fraction(number[0])], body)
    return Left((found.value,), (f"({spelled})",))


def _without_brackets(text: str) -> str:
    """Without a pair of brackets around the whole."""
    if not (text.startswith("(") and text.endswith(")")):
        return text
    depth = 0
    for at, sign in enumerate(text):
        depth += (sign == "(") - (sign == ")")
        if depth == 0 and at < len(text) - 1:
            return text
    return text[1:-1]
