"""Schemas that would keep llama.cpp busy are refused, and those that people write are not."""

from __future__ import annotations

import contextlib
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from assay.core import BadRequest
from assay.serve.forms import ChatForm
from assay.serve.schemas import LONGEST, MOST_CHOICES, MOST_LOOSE, require_light, written_out

TEXT = {"type": "string"}
NULLABLE = "[a-z]?"


def twice(name: int) -> dict[str, Any]:
    return {"anyOf": [{"$ref": f"#/$defs/{name}"}] * 2}


def nested(schema: dict[str, Any], depth: int, **more: Any) -> dict[str, Any]:
    for _ in range(depth):
        schema = {"type": "array", "items": schema} | more
    return schema


@given(pattern=st.text("ab()[]{}0123456789,|*+?^$\\.-", max_size=60))
def test_whatever_a_pattern_is_it_is_taken_or_refused_in_a_sentence(pattern: str) -> None:
    with contextlib.suppress(BadRequest):
        require_light(TEXT | {"pattern": pattern})
        # What is taken has no brackets in brackets, and none that are repeated.
        plain = re.sub(r"\\.|\[(\\.|[^]\\])+\]", "", pattern)
        assert not re.search(r"\([^)]*\(|\)[*+?{]", plain)


@pytest.mark.parametrize("repetition", ["{,6}", "{0, 6}", "{ 6}", "{}", "{,}", "{1,2,3}", "{0,12345}", "+?", "**"])
def test_a_repetition_that_only_the_engine_can_read_is_refused(repetition: str) -> None:
    with pytest.raises(BadRequest, match="none of these"):
        require_light(TEXT | {"pattern": f"^[a-z]{repetition}$"})


@pytest.mark.parametrize(
    "pattern",
    [
        "^((a{0,100})b?){0,100}$",
        "^((([a-z]{,6}){,6}){,6}){,6}$",
        f"^({NULLABLE * 7}[a-z])+$",
        "^" + "([a-z]|[a-z])" * 10 + "$",
        "^(ab|ab)+$",
        "^a|b$",
        "^(a(b|c))$",
        "^(?=a)b$",
        r"^(a)\1$",
        "^[]a?b$",
        "(((",
        "))",
    ],
)
def test_what_can_be_read_in_many_ways_is_refused(pattern: str) -> None:
    with pytest.raises(BadRequest, match="none of these"):
        require_light(TEXT | {"pattern": pattern})


@pytest.mark.parametrize(
    ("schema", "sentence"),
    [
        (TEXT | {"pattern": NULLABLE * 60}, f"60 parts .* {MOST_LOOSE} at most"),
        (nested(TEXT | {"pattern": "[a-z]*" * 9}, 5), "9 parts"),
        ({"anyOf": [TEXT | {"pattern": f"^({'|'.join(['ab'] * 200)})$"}] * 3}, "601 alternatives"),
        (TEXT | {"pattern": f"^({'|'.join(['ab'] * 501)})$"}, "501 alternatives"),
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


LANDS = (
    "Albania|Algeria|Andorra|Angola|Argentina|Armenia|Australia|Austria|Azerbaijan|Bahamas|Bahrain|Bangladesh|"
    "Barbados|Belarus|Belgium|Belize|Benin|Bhutan|Bolivia|Botswana|Brazil|Brunei|Bulgaria|Burundi|Cambodia|"
    "Cameroon|Canada|Chad|Chile|China|Colombia|Comoros|Croatia|Cuba|Cyprus|Denmark|Djibouti|Dominica|Ecuador|"
    "Egypt|Eritrea|Estonia|Ethiopia|Fiji|Finland|France|Gabon|Gambia|Georgia|Germany"
)


@pytest.mark.parametrize(
    "schema",
    [
        {},
        TEXT | {"maxLength": 10**9},
        TEXT | {"pattern": r"^\d+\.\d+\.\d+$"},
        TEXT | {"pattern": r"^https?://[a-z0-9.-]+/[^\s?#]*$"},
        TEXT | {"pattern": r"^[a-zA-Z0-9._%+-]+@[a-zA-Z0-9.-]+\.[a-zA-Z]{2,}$"},
        TEXT | {"pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$"},
        TEXT | {"pattern": r"^\+?[0-9 ()-]{7,15}$"},
        TEXT | {"pattern": r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"},
        TEXT | {"pattern": r"^\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}$"},
        TEXT | {"pattern": r"^[1-9]\d* (kg|g|lb|oz\.)$"},
        TEXT | {"pattern": f"^({LANDS})$"},
        TEXT | {"pattern": f"^(?:{'|'.join(f'S{i}' for i in range(150))})$"},
        TEXT | {"pattern": r"^\{a\}[{]?$"},
        TEXT | {"pattern": ""},
        {"anyOf": [TEXT | {"pattern": f"^{i}$"} for i in range(100)]},
        {"type": ["string", "null"], "pattern": NULLABLE * MOST_LOOSE},
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


class Street(BaseModel):
    """One."""

    name: str
    number: int


class Person(BaseModel):
    """Someone, whose street stands in a definition of its own."""

    home: Street
    others: list[Street]


class Node(BaseModel):
    """One that holds its like."""

    below: list[Node]


def test_what_pydantic_writes_of_a_nested_model_is_written_out() -> None:
    sent = Person.model_json_schema()
    assert '"$ref": "#/$defs/Street"' in json.dumps(sent)
    street = Street.model_json_schema()
    found = written_out(sent)
    assert found["properties"]["home"] == street == found["properties"]["others"]["items"]
    assert set(found) == set(sent) - {"$defs"}
    assert written_out(found) == found
    wanted = {"type": "json_schema", "json_schema": {"name": "x", "schema": sent}}
    form = ChatForm.model_validate(
        {"model": "m", "messages": [{"role": "user", "content": "x"}], "response_format": wanted}
    )
    assert json.loads(form.to_ask().json_schema) == found


@pytest.mark.parametrize(
    ("schema", "sentence"),
    [
        (Node.model_json_schema(), "refers to itself"),
        ({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}}, "to itself"),
        ({"$ref": "#/$defs/0", "$defs": {f"{i}": {"$ref": f"#/$defs/{i + 1}"} for i in range(5000)}}, "32 deep"),
        ({"$ref": "#/$defs/25", "$defs": {"0": TEXT} | {f"{i + 1}": twice(i) for i in range(25)}}, "1,000,000"),
        ({"items": {"$ref": "#/$defs/none"}}, "'#/\\$defs/none': refer to"),
    ],
)
def test_references_that_cannot_be_written_out_are_refused(schema: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BadRequest, match=sentence):
        written_out(schema)


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
    with pytest.raises(BadRequest, match="parts of a pattern"):
        form.require_light()
    light = json.loads(json.dumps(fields).replace(HEAVY["pattern"], "^a+$"))
    ChatForm.model_validate({"model": "m", "messages": [{"role": "user", "content": "x"}]} | light).require_light()
