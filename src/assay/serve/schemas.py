"""How much work a JSON schema makes llama.cpp, which writes it out as a grammar and follows every way through it.

Measured with the embedded engine: a repetition of something that is always there is cheap, however often and
however deep. What costs is everything that may be left out in a row. Sixty letters each of which may be
missing, or `((a{0,6}){0,6}){0,6}`, keep it busy for minutes, since after each letter it tries all ways to the
next, and after each of those again. So three things are bounded: how large the grammar is, how many
alternatives are open at a time, and how many letters of a pattern may come next.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from assay.core.validation import require

LARGEST = 100_000
"""Characters of a schema, and places of its written out repetitions."""
MOST_CHOICES = 500
"""Values of an enum, properties of an object, alternatives that are open side by side."""
LONGEST = 2000
"""Characters of a pattern."""
MOST_WAYS = 16
"""Letters of a pattern that may come next at one place. At 16 a token costs some 50 ms, at 30 a second."""
DEEPEST = 32
NAMED = ("$defs", "definitions")
UNROLLED = 2000
"""Repetitions beyond this number llama.cpp does not write out: it refuses them or takes them for endless."""


@dataclass(frozen=True, slots=True)
class Weight:
    """What a schema costs."""

    size: int = 1
    choices: int = 1
    """Alternatives open at one place; those of an object's parts come one after another."""
    ways: int = 0


def require_light(schema: dict[str, Any]) -> None:
    """Raise `BadRequest` with one sentence where the embedded engine would be kept busy by a schema."""
    text = len(json.dumps(schema))
    require(text <= LARGEST, f"A JSON schema for this model may have {LARGEST:,} characters.")
    weight = _Scale(schema).weight(schema)
    for found, most, what in (
        (text + weight.size, LARGEST, "places when its repetitions are written out"),
        (weight.choices, MOST_CHOICES, "alternatives at one place"),
        (weight.ways, MOST_WAYS, "letters that may come next in a pattern, because much may be left out"),
    ):
        shown = f"{found:,}" if found < 10**9 else "too many"
        require(found <= most, f"The JSON schema is too large for this model: {shown} {what}, {most:,} at most.")


class _Scale:
    """Weighs a schema by arithmetic alone: what is listed or referred to many times is visited once."""

    def __init__(self, root: dict[str, Any]) -> None:
        self._named = {f"#/{key}/{name}": part for key in NAMED for name, part in _named(root, key)}
        self._known: dict[str, Weight] = {}

    def weight(self, schema: Any, depth: int = 0) -> Weight:
        """What the engine makes of it; shapes that are no schema are left to the engine to refuse."""
        require(depth < DEEPEST, f"The JSON schema is nested more than {DEEPEST} deep, or refers to itself.")
        if not isinstance(schema, dict):
            return Weight()
        if isinstance(name := schema.get("$ref"), str):
            require(name in self._named, f"The JSON schema refers to {name[:40]!r}: refer to #/$defs/NAME.")
            if name not in self._known:
                self._known[name] = self.weight(self._named[name], depth + 1)
            return self._known[name]
        below = [part for key in ("properties", "patternProperties") for _, part in _named(schema, key)]
        below += [schema[key] for key in ("items", "additionalProperties") if key in schema]
        below += _listed(schema, "prefixItems")
        parts = [self.weight(part, depth + 1) for part in below]
        own, ways = _own(schema)
        found = Weight(
            1 + own + sum(part.size for part in parts),
            max([1, len(_listed(schema, "enum")), len(below), *(part.choices for part in parts)]),
            max([ways, *(part.ways for part in parts)]),
        )
        if kinds := [str(kind) for kind in _listed(schema, "type")]:
            # What stands below is written out again for each type of the list.
            same = max(Counter(kinds).values())
            found = Weight(found.size * same, found.choices * same, found.ways * same)
        beside = [part for key in ("anyOf", "oneOf", "allOf") for part in _listed(schema, key)]
        return _together([found, *(self.weight(part, depth + 1) for part in beside)]) if beside else found


def _own(schema: dict[str, Any]) -> tuple[int, int]:
    """Places and ways of a schema without its parts."""
    numbers = [schema.get(key) for key in ("minLength", "maxLength", "minItems", "maxItems")]
    pattern, ways = schema.get("pattern"), 0
    if isinstance(pattern, str):
        require(len(pattern) <= LONGEST, f"A pattern for this model may have {LONGEST:,} characters.")
        ways = ways_of(pattern)
        numbers += [int(number) for number in re.findall(r"[{,](\d{1,9})(?=[,}])", pattern)]
    return sum(
        min(int(number), UNROLLED) for number in numbers if isinstance(number, int | float) and number > 0
    ), ways


def _named(schema: dict[str, Any], key: str) -> list[tuple[str, Any]]:
    parts = schema.get(key)
    return list(parts.items()) if isinstance(parts, dict) else []


def _listed(schema: dict[str, Any], key: str) -> list[Any]:
    parts = schema.get(key)
    return parts if isinstance(parts, list) else []


def _together(parts: Iterable[Weight]) -> Weight:
    """Alternatives: all of them are open at a time."""
    parts = tuple(parts)
    return Weight(
        sum(part.size for part in parts), sum(part.choices for part in parts), sum(part.ways for part in parts)
    )


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a pattern: how many letters it may begin with, and how many may come after one of its own."""

    first: int = 0
    after_last: int = 0
    """Most letters that may come, within the piece, after a letter that it could also have ended with."""
    widest: int = 0
    may_be_empty: bool = True
    letter: str = ""
    """The one it begins with, where it is known: pieces that begin with different letters are told apart by it."""

    def then(self, other: Piece) -> Piece:
        """The other piece behind this one."""
        passed = max(other.after_last, self.after_last + other.first if other.may_be_empty else 0)
        return Piece(
            self.first + (other.first if self.may_be_empty else 0),
            passed,
            max(self.widest, other.widest, self.after_last + other.first),
            self.may_be_empty and other.may_be_empty,
            "" if self.may_be_empty and self.first else self.letter or (other.letter if not self.first else ""),
        )

    def repeated(self, least: int, most: int) -> Piece:
        """The piece again and again. One that may be empty lets every later one come next."""
        copies = most if self.may_be_empty else min(most, 2)
        after = self.after_last + self.first * max(copies - 1, 0)
        return replace(
            self,
            first=self.first * (max(copies, 1) if self.may_be_empty else 1),
            after_last=after,
            widest=max(self.widest, after),
            may_be_empty=self.may_be_empty or least == 0,
        )


def _either(parts: Sequence[Piece]) -> Piece:
    """One of several."""
    begins: Counter[str] = Counter()
    for part in parts:
        begins["" if part.may_be_empty else part.letter] += part.first
    known = max((count for letter, count in begins.items() if letter), default=0)
    return Piece(
        begins[""] + known,
        max(part.after_last for part in parts),
        max(part.widest for part in parts),
        any(part.may_be_empty for part in parts),
        parts[0].letter if len({part.letter for part in parts}) == 1 else "",
    )


_TOKEN = re.compile(
    r"(?P<open>\((?:\?(?:[:=!>]|<[=!]|P?<\w+>))?) | (?P<close>\)) | (?P<or>\|) | (?P<anchor>[\^$]|\\[bB])"
    r"| (?P<repeat>[*+?]|\{\d{1,9}(?:,\d{0,9})?\})\?? | (?P<atom>\\.|\[\^?\]?(?:\\.|[^\]\\])*+\]|.)",
    re.VERBOSE | re.DOTALL,
)


def ways_of(pattern: str) -> int:
    """Most letters that may come next anywhere in a regular expression, its repetitions written out."""
    # One list of alternatives for each open bracket; an alternative is a list of pieces.
    open_ones: list[list[list[Piece]]] = [[[]]]
    for match in _TOKEN.finditer(pattern):
        kind, text = match.lastgroup, match.group()
        here = open_ones[-1]
        if kind == "open":
            open_ones.append([[]])
        elif kind == "close" and len(open_ones) > 1:
            closed = _closed(open_ones.pop())
            open_ones[-1][-1].append(closed)
        elif kind == "or":
            here.append([])
        elif kind == "repeat" and here[-1]:
            here[-1].append(here[-1].pop().repeated(*_times(match["repeat"])))
        elif kind == "atom":
            one = text if text not in (".",) and text[0] not in "[\\" else ""
            here[-1].append(Piece(1, 0, 1, may_be_empty=False, letter=one))
    while len(open_ones) > 1:
        closed = _closed(open_ones.pop())
        open_ones[-1][-1].append(closed)
    whole = _closed(open_ones[0])
    return max(whole.first, whole.widest, 1)


def _closed(alternatives: list[list[Piece]]) -> Piece:
    found = []
    for pieces in alternatives:
        whole = Piece()
        for piece in pieces:
            whole = whole.then(piece)
        found.append(whole)
    return _either(found)


def _times(text: str) -> tuple[int, int]:
    """How often, at least and at most; an endless repetition comes back to the same letters."""
    if text in "*+?":
        return (1 if text == "+" else 0), (1 if text == "?" else 2)
    least, comma, most = text[1:-1].partition(",")
    return int(least), min(int(most), UNROLLED) if most else 2 if comma else int(least)
