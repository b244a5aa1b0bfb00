"""Schemas that would keep llama.cpp busy are refused, and those that people write are not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.core import BadRequest
from assay.serve.forms import ChatForm
from assay.serve.schemas import LONGEST, MOST_CHOICES, MOST_WAYS, require_light, ways_of

TEXT = {"type": "string"}
NULLABLE = "[a-z]?"


def twice(name: int) -> dict[str, Any]:
    return {"anyOf": [{"$ref": f"#/$defs/{name}"}] * 2}


def nested(schema: dict[str, Any], depth: int, **more: Any) -> dict[str, Any]:
    for _ in range(depth):
        schema = {"type": "array", "items": schema} | more
    return schema


# By hand: after a letter of the first list below, that many positions of the written out pattern may come next.
@pytest.mark.parametrize(
    ("pattern", "ways"),
    [
        ("", 1),
        ("^abc$", 1),
        ("^a*$", 1),
        ("^a*b$", 2),
        ("a?b?c?d", 4),
        ("x" + NULLABLE * 9 + "y", 10),
        # Always there: each letter is followed by its like, or by the next group's first.
        ("^([a-z]{1,100}){1,100}$", 2),
        # Left out at will: from one group into every later one.
        ("^(a{0,10}){10}$", 10),
        ("^((a{0,6}){0,6}){0,6}$", 36),
        ("^((((((a{0,2}){0,2}){0,2}){0,2}){0,2}){0,2})$", 32),
        # Alternatives that begin with different letters are told apart by the first.
        ("^(kg|g|lb|oz)$", 1),
        ("^(ab|ac|[0-9]|d)$", 3),
        ("^[0-9]{1,3}(?:\\.[0-9]+)?$", 2),
        # What is no pattern is left to the engine, which refuses it.
        ("(((", 1),
        ("))a?b", 2),
        ("{5}*", 1),
        ("[", 1),
    ],
)
def test_letters_that_may_come_next_are_counted(pattern: str, ways: int) -> None:
    assert ways_of(pattern) == ways


@given(pattern=st.text("ab()[]{}0123456789,|*+?^$\\.-", max_size=60))
def test_whatever_a_pattern_is_it_is_counted(pattern: str) -> None:
    assert ways_of(pattern) >= 1
    assert ways_of(f"({pattern})?({pattern})") >= 1


@pytest.mark.parametrize(
    ("schema", "sentence"),
    [
        (TEXT | {"pattern": "^((a{0,100})b?){0,100}$"}, f"next in a pattern, .* {MOST_WAYS} at most"),
        (TEXT | {"pattern": NULLABLE * 60}, "next in a pattern"),
        (nested(TEXT | {"pattern": NULLABLE * 60}, 5), "next in a pattern"),
        ({"anyOf": [TEXT | {"pattern": f"^{NULLABLE * 4}$"}] * 5}, "next in a pattern"),
        (TEXT | {"pattern": "a" * (LONGEST + 1)}, f"{LONGEST:,} characters"),
        ({"enum": list(range(MOST_CHOICES + 1))}, "501 alternatives"),
        ({"anyOf": [{"enum": list(range(100))}] * 6}, "601 alternatives"),
        # The engine visits what stands below once for each type that is listed.
        (nested({"type": "null"}, 3, type=["array"] * 10), "1,000 alternatives"),
        (nested({"type": "null"}, 8, type=["array"] * 10), "places"),
        (nested({"type": "null"}, 30, type=["array"] * 100), "too many"),
        ({"type": "object", "properties": {f"p{i}": TEXT | {"maxLength": 2000} for i in range(60)}}, "places"),
        ({"type": "object", "properties": {"p" * 200_000: TEXT}}, "100,000 characters"),
        ({"$ref": "#"}, "refer to"),
        ({"$ref": "#/properties/a", "properties": {"a": TEXT}}, "refer to"),
        (
            {"$ref": "#/$defs/a", "$defs": {"a": {"type": "array", "items": {"$ref": "#/$defs/a"}}}},
            "refers to itself",
        ),
        # Each name twice the one before it: written out, 2 to the 12th, and what stands beside.
        (
            {"$ref": "#/$defs/12", "$defs": {"0": TEXT} | {f"{i + 1}": twice(i) for i in range(12)}},
            "8,191 alternatives",
        ),
        (nested(TEXT, 40), "deep"),
    ],
)
def test_what_would_keep_the_engine_busy_is_refused(schema: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BadRequest, match=sentence):
        require_light(schema)


SEMVER = r"^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-([0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*))?$"
ADDRESS = r"^(https?://)?(www\.)?[a-z0-9.-]+(:\d{1,5})?(/[^\s?#]*)?(\?[^#]*)?(#.*)?$"


@pytest.mark.parametrize(
    "schema",
    [
        {},
        TEXT | {"maxLength": 10**9},
        TEXT | {"pattern": SEMVER},
        TEXT | {"pattern": ADDRESS},
        TEXT | {"pattern": r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.){0,10}[a-z]{2,63}$"},
        {"type": ["string", "null"], "pattern": NULLABLE * MOST_WAYS},
        nested({"type": "integer"}, 5, maxItems=100),
        {"enum": [f"word {i}" for i in range(MOST_CHOICES)]},
        {
            "type": "array",
            "items": {"$ref": "#/definitions/a"},
            "definitions": {"a": TEXT, "unused": {"$ref": "#"}},
        },
        {"type": 5, "properties": [], "items": [TEXT], "enum": {}, "anyOf": "x", "maxItems": "x", "$defs": 7},
        {"type": "object", "properties": {f"p{i}": nested(TEXT, 1, maxItems=50) for i in range(100)}},
    ],
)
def test_what_people_write_is_accepted(schema: dict[str, Any]) -> None:
    require_light(schema)


HEAVY = TEXT | {"pattern": NULLABLE * 60}


@pytest.mark.parametrize(
    "fields",
    [
        {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": HEAVY}}},
        # llama.cpp reads it here, too.
        {"response_format": {"type": "json_object", "schema": HEAVY}},
        {"tools": [{"type": "function", "function": {"name": "f", "parameters": HEAVY}}]},
    ],
)
def test_a_schema_is_looked_at_wherever_the_engine_reads_one(fields: dict[str, Any]) -> None:
    form = ChatForm.model_validate({"model": "m", "messages": [{"role": "user", "content": "x"}]} | fields)
    with pytest.raises(BadRequest, match="too large for this model"):
        form.require_light()
    light = json.loads(json.dumps(fields).replace(HEAVY["pattern"], "^a+$"))
    ChatForm.model_validate({"model": "m", "messages": [{"role": "user", "content": "x"}]} | light).require_light()
