"""Checks at the door of a request: each failure is one `BadRequest` sentence, before any model is asked."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from assay.core.errors import BadRequest

MAX_CHARACTERS = 4_000_000
HALF = re.compile("[\ud800-\udfff]")
"""Half a character (a lone surrogate), which no file and no other server takes."""
DEEPEST_JSON = 100
"""Beyond some 250, readers and writers of JSON give up, each at a depth of its own."""
SCHEMA_TYPES = ("object", "array", "string", "number", "integer", "boolean", "null")


def require(condition: bool, sentence: str) -> None:
    """Raise `BadRequest(sentence)` unless the condition holds."""
    if not condition:
        raise BadRequest(sentence)


def require_text(what: str, value: object, *, may_be_empty: bool = False) -> None:
    """A str that is valid Unicode (no lone surrogates), not too long and, as a rule, not empty."""
    require(isinstance(value, str), f"The {what} must be text, not {type(value).__name__}.")
    assert isinstance(value, str)
    require(may_be_empty or value != "", f"The {what} is empty.")
    require(len(value) <= MAX_CHARACTERS, f"The {what} is longer than {MAX_CHARACTERS:,} characters.")
    require("\x00" not in value, f"The {what} holds a NUL character.")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise BadRequest(f"The {what} holds half a character (a lone surrogate) at {error.start}.") from None


def check_json(found: object) -> None:
    """`ValueError` for what Python reads as JSON and nobody can write as such."""
    level = [found]
    for _ in range(DEEPEST_JSON + 1):
        level = [part for whole in level for part in _parts(whole)]
    if level:
        raise ValueError(f"it is nested more than {DEEPEST_JSON} deep")
    try:
        json.dumps(found, ensure_ascii=False, allow_nan=False).encode()
    except UnicodeEncodeError:
        raise ValueError("a text holds half a character (a lone surrogate)") from None
    except ValueError:
        raise ValueError("NaN, Infinity and numbers beyond 1e308 are no JSON") from None


def _parts(found: object) -> Iterable[object]:
    if isinstance(found, Mapping):
        return found.values()
    return found if isinstance(found, list | tuple) else ()


def require_number(what: str, value: object, low: float, high: float) -> None:
    """A finite number in [low, high]."""
    ok = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    require(ok, f"{what} must be a finite number, not {value!r}.")
    assert isinstance(value, int | float)
    require(low <= value <= high, f"{what} must be between {low:g} and {high:g}, not {value:g}.")


def require_whole(what: str, value: object, low: int, high: int) -> None:
    """An int in [low, high]."""
    ok = isinstance(value, int) and not isinstance(value, bool)
    require(ok, f"{what} must be a whole number, not {value!r}.")
    assert isinstance(value, int)
    require(low <= value <= high, f"{what} must be between {low} and {high}, not {value}.")


def require_json_schema(text: str) -> None:
    """JSON text of a schema with known types and no references.

    References are refused whole: a recursive one compiles into a grammar without end, and the
    flat schemas that replies need have no use for the rest.
    """
    require_text("JSON schema", text)
    try:
        schema = json.loads(text)
    except ValueError as error:
        raise BadRequest(f"The JSON schema is not JSON: {error}.") from None
    except RecursionError:
        raise BadRequest("The JSON schema is nested too deep.") from None
    require(isinstance(schema, dict), "A JSON schema is an object.")
    _check_schema(schema, depth=0)


def _check_schema(schema: Any, depth: int) -> None:
    require(depth < 32, "The JSON schema is nested more than 32 deep.")
    if isinstance(schema, bool):
        return
    require(isinstance(schema, dict), "Every part of a JSON schema is an object.")
    require("$ref" not in schema, "The JSON schema refers to other schemas ($ref): write them out.")
    kinds = schema.get("type", [])
    for kind in kinds if isinstance(kinds, list) else [kinds]:
        require(kind in SCHEMA_TYPES, f"The JSON schema has an unknown type {kind!r}.")
    for key in ("properties", "patternProperties", "$defs", "definitions"):
        properties = schema.get(key, {})
        require(isinstance(properties, dict), f"'{key}' of a JSON schema is an object.")
        for part in properties.values():
            _check_schema(part, depth + 1)
    for key in ("items", "additionalProperties", "not", "contains"):
        if key in schema:
            _check_schema(schema[key], depth + 1)
    for key in ("anyOf", "oneOf", "allOf", "prefixItems"):
        parts = schema.get(key, [])
        require(isinstance(parts, list), f"'{key}' of a JSON schema is a list.")
        for part in parts:
            _check_schema(part, depth + 1)


_TOKEN = re.compile(
    r"""(?P<comment>\#[^\n]*) | (?P<define>::=) | (?P<name>[A-Za-z][A-Za-z0-9-]*)
      | (?P<text>"(?:[^"\\\n]|\\.)*") | (?P<range>\[(?:[^\]\\\n]|\\.)+\]) | (?P<repeat>\{\d+(?:,\d*)?\})
      | (?P<mark>[|()*+?.]) | (?P<space>\s+)""",
    re.VERBOSE,
)


def require_grammar(text: str) -> None:
    """GBNF text that parses, defines `root` and every rule it uses, and has no left recursion."""
    require_text("grammar", text)
    tokens = _grammar_tokens(text)
    rules: dict[str, list[tuple[str, str]]] = {}
    current: list[tuple[str, str]] | None = None
    for index, (kind, value) in enumerate(tokens):
        if kind == "name" and index + 1 < len(tokens) and tokens[index + 1][0] == "define":
            current = rules.setdefault(value, [])
        elif kind == "define":
            require(index > 0 and tokens[index - 1][0] == "name", "The grammar has '::=' without a name.")
        else:
            require(current is not None, "The grammar does not begin with a rule 'name ::= ...'.")
            assert current is not None
            current.append((kind, value))
    require("root" in rules, "The grammar has no rule named 'root'.")
    for name, body in rules.items():
        require(bool(body), f"The grammar's rule '{name}' is empty.")
        opened = 0
        for kind, value in body:
            opened += {"(": 1, ")": -1}.get(value, 0) if kind == "mark" else 0
            require(opened >= 0, f"The grammar's rule '{name}' closes a bracket it never opened.")
            known = kind != "name" or value in rules
            require(known, f"The grammar's rule '{name}' uses '{value}', which is not defined.")
        require(opened == 0, f"The grammar's rule '{name}' leaves a bracket open.")
    for name in rules:
        _require_no_left_recursion(name, rules)


def _grammar_tokens(text: str) -> list[tuple[str, str]]:
    tokens: list[tuple[str, str]] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            line = text.count("\n", 0, at) + 1
            raise BadRequest(f"The grammar cannot be read at line {line}: {text[at : at + 20]!r}.")
        kind = match.lastgroup or ""
        if kind not in ("space", "comment"):
            tokens.append((kind, match.group()))
        at = match.end()
    return tokens


def _require_no_left_recursion(start: str, rules: dict[str, list[tuple[str, str]]]) -> None:
    """Follow what can stand first in a rule; meeting the rule itself would make a parser loop."""
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        body = rules[waiting.pop()]
        may_stand_first = True
        for kind, value in body:
            if kind == "mark" and value in "|(":
                may_stand_first = True
                continue
            if may_stand_first and kind == "name":
                require(value != start, f"The grammar's rule '{start}' begins with itself.")
                if value not in seen:
                    seen.add(value)
                    waiting.append(value)
            if not (kind == "mark" and value in "*?"):
                may_stand_first = False
