"""How much work a JSON schema makes llama.cpp, which writes it out as a grammar and follows every way through it.

Measured with the embedded engine: a repetition of something that is always there is cheap. What costs is many
ways to read the same letters: sixty letters each of which may be missing, `((a{0,6}){0,6}){0,6}`, or ten groups
of seven like classes keep it busy for minutes, for each way is followed by itself, and they multiply along a
token. So three things are bounded: how large the grammar is, how many alternatives are open at a time, and what a
pattern may be: a row without brackets in brackets, of which a few parts only have no fixed length.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from assay.core.errors import BadRequest
from assay.core.validation import require

LARGEST = 100_000
"""Characters of a schema, and places of its written out repetitions."""
MOST_CHOICES = 500
"""Values of an enum, properties of an object, alternatives that are open side by side."""
LONGEST = 2000
"""Characters of a pattern."""
MOST_LOOSE = 8
"""Parts of a pattern that may be longer or shorter. Where such parts are alike the engine follows all ways to
share the letters of a token out among them."""
DEEPEST = 32
NAMED = ("$defs", "definitions")
UNROLLED = 2000
"""Repetitions beyond this number llama.cpp does not write out: it refuses them or takes them for endless."""
LONGEST_WRITTEN = 1_000_000
"""Characters of a schema whose references are written out."""
TOO_DEEP = f"The JSON schema is nested more than {DEEPEST} deep, or refers to itself."
REFERS = "The JSON schema refers to {!r}: refer to #/$defs/NAME."


@dataclass(frozen=True, slots=True)
class Weight:
    """What a schema costs."""

    size: int = 1
    choices: int = 1
    """Alternatives open at one place; those of an object's parts come one after another."""


def require_light(schema: dict[str, Any]) -> None:
    """Raise `BadRequest` with one sentence where the embedded engine would be kept busy by a schema."""
    text = len(json.dumps(schema))
    require(text <= LARGEST, f"A JSON schema for this model may have {LARGEST:,} characters.")
    weight = _Scale(schema).weight(schema)
    for found, most, what in (
        (text + weight.size, LARGEST, "places when its repetitions are written out"),
        (weight.choices, MOST_CHOICES, "alternatives at one place"),
    ):
        shown = f"{found:,}" if found < 10**9 else "too many"
        require(found <= most, f"The JSON schema is too large for this model: {shown} {what}, {most:,} at most.")


class _Scale:
    """Weighs a schema by arithmetic alone: what is listed or referred to many times is visited once."""

    def __init__(self, root: dict[str, Any]) -> None:
        self._named = _definitions(root)
        self._known: dict[str, Weight] = {}

    def weight(self, schema: Any, depth: int = 0) -> Weight:
        """What the engine makes of it; shapes that are no schema are left to the engine to refuse."""
        require(depth < DEEPEST, TOO_DEEP)
        if not isinstance(schema, dict):
            return Weight()
        if isinstance(name := schema.get("$ref"), str):
            require(name in self._named, REFERS.format(name[:40]))
            if name not in self._known:
                self._known[name] = self.weight(self._named[name], depth + 1)
            return self._known[name]
        below = [part for key in ("properties", "patternProperties") for _, part in _named(schema, key)]
        below += [schema[key] for key in ("items", "additionalProperties") if key in schema]
        below += _listed(schema, "prefixItems")
        parts = [self.weight(part, depth + 1) for part in below]
        own = _own(schema)
        found = Weight(
            own.size + sum(part.size for part in parts),
            max([own.choices, len(_listed(schema, "enum")), len(below), *(part.choices for part in parts)]),
        )
        if kinds := [str(kind) for kind in _listed(schema, "type")]:
            # What stands below is written out again for each type of the list.
            same = max(Counter(kinds).values())
            found = Weight(found.size * same, found.choices * same)
        beside = [part for key in ("anyOf", "oneOf", "allOf") for part in _listed(schema, key)]
        return _together([found, *(self.weight(part, depth + 1) for part in beside)]) if beside else found


def _own(schema: dict[str, Any]) -> Weight:
    """A schema without its parts."""
    numbers = [schema.get(key) for key in ("minLength", "maxLength", "minItems", "maxItems")]
    counted = [number for number in numbers if isinstance(number, int | float) and number > 0]
    pattern = schema.get("pattern")
    found = _weight_of_pattern(pattern) if isinstance(pattern, str) else Weight()
    return replace(found, size=found.size + sum(int(min(number, UNROLLED)) for number in counted))


def _definitions(root: dict[str, Any]) -> dict[str, Any]:
    """What a schema may refer to, by the reference."""
    return {f"#/{key}/{name}": part for key in NAMED for name, part in _named(root, key)}


def _named(schema: dict[str, Any], key: str) -> list[tuple[str, Any]]:
    parts = schema.get(key)
    return list(parts.items()) if isinstance(parts, dict) else []


def _listed(schema: dict[str, Any], key: str) -> list[Any]:
    parts = schema.get(key)
    return parts if isinstance(parts, list) else []


def _together(parts: Iterable[Weight]) -> Weight:
    """Alternatives: all of them are open at a time."""
    parts = tuple(parts)
    return Weight(sum(part.size for part in parts), sum(part.choices for part in parts))


def written_out(schema: dict[str, Any]) -> Any:
    """The schema with its definitions where they are referred to; what stands beside a `$ref` is left out."""
    named = _definitions(schema)
    left = LONGEST_WRITTEN

    def out(part: Any, inside: tuple[str, ...]) -> Any:
        nonlocal left
        left -= len(part) if isinstance(part, str) else 1
        require(left > 0, f"Its references written out, the JSON schema has over {LONGEST_WRITTEN:,} characters.")
        if isinstance(part, list):
            return [out(one, inside) for one in part]
        if not isinstance(part, dict):
            return part
        if isinstance(name := part.get("$ref"), str):
            require(name in named, REFERS.format(name[:40]))
            require(name not in inside and len(inside) < DEEPEST, TOO_DEEP)
            return out(named[name], (*inside, name))
        return {key: out(one, inside) for key, one in part.items()}

    return out({key: part for key, part in schema.items() if key not in NAMED}, ())


_ITEM = re.compile(
    r"(?P<words>\((?:\?:)?(?:[^][(){}\\*+?^$.]|\\[^bB\d])*\))"
    r"| (?:[^][(){}|\\*+?^$] | \\[^bB\d] | \[(?:\\.|[^]\\])+\]) (?P<times>[*+?]|\{\d{1,4}(?:,\d{0,4})?\})?",
    re.VERBOSE | re.DOTALL,
)
REFUSED = (
    "A pattern for this model is a row of characters, classes such as [a-z]{{2,5}}, and words (a|b|c), "
    "without brackets in brackets; {!r} is none of these."
)


def _weight_of_pattern(pattern: str) -> Weight:
    """A row of characters and classes, some of them repeated, and of groups of words; anything else is refused."""
    require(len(pattern) <= LONGEST, f"A pattern for this model may have {LONGEST:,} characters.")
    place, end = int(pattern.startswith("^")), len(pattern) - pattern.endswith("$")
    size, choices, loose = 1, 1, 0
    while place < end:
        found = _ITEM.match(pattern, place, end)
        if found is None:
            raise BadRequest(REFUSED.format(pattern[place : place + 20]))
        place = found.end()
        if found["words"]:
            choices, loose = max(choices, found["words"].count("|") + 1), loose + 1
        elif times := found["times"]:
            numbers = [int(number) for number in re.findall(r"\d+", times)]
            size, loose = size + max(numbers, default=1), loose + (not numbers or "," in times)
    require(
        loose <= MOST_LOOSE,
        f"{loose} parts of a pattern have no fixed length; for this model {MOST_LOOSE} at most may have none.",
    )
    return Weight(size, choices)
