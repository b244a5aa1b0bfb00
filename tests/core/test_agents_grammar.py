"""Grammars: what a rule allows it reads back, and nothing in it can run away."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.core import BadRequest
from assay.core.agents import (
    MalformedCall,
    Parameter,
    Rule,
    Tool,
    ToolCall,
    call_rule,
    characters,
    field,
    literal,
    number,
    one_of,
    read_call,
    repeated,
    sequence,
)
from assay.core.validation import require_grammar

words = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=12)
TOOLS = (
    Tool("look", "look at a thing", (Parameter("thing", choices=("red key", "red", "map")),)),
    Tool("add", "add two numbers", (Parameter("a", "integer"), Parameter("b", "number"))),
    Tool("note", "", (Parameter("text"), Parameter("loud", "yes-no"))),
    Tool("stop"),
)


def rules() -> st.SearchStrategy[Rule]:
    simple = st.one_of(
        words.map(literal),
        st.lists(words, min_size=1, max_size=4).map(lambda options: one_of(*options)),
        st.tuples(st.integers(0, 3), st.integers(0, 4)).map(lambda n: characters("a-z0-9 ", n[0], n[0] + n[1])),
        st.just(number(3, 2)),
    )
    return st.recursive(
        simple,
        lambda inner: st.one_of(
            st.lists(inner, min_size=1, max_size=3).map(lambda parts: sequence(*parts)),
            st.lists(inner, min_size=1, max_size=3).map(lambda parts: one_of(*parts)),
            st.tuples(inner, st.integers(0, 2), st.integers(0, 3), st.sampled_from(("", "; "))).map(
                lambda p: repeated(p[0], p[1], p[1] + p[2], p[3])
            ),
        ),
        max_leaves=6,
    )


@given(rules())
def test_every_grammar_is_well_formed_and_bounded(rule: Rule) -> None:
    require_grammar(rule.grammar)
    outside = re.sub(r'"(?:[^"\\]|\\.)*"|\[(?:[^\]\\]|\\.)*\]', "", rule.grammar)
    assert "*" not in outside
    assert "+" not in outside
    assert ",}" not in outside


@given(st.data())
def test_whatever_a_rule_allows_it_reads(data: st.DataObject) -> None:
    rule = data.draw(rules())
    text = data.draw(st.from_regex(re.compile(rule.pattern, re.DOTALL), fullmatch=True))
    assert rule.read(text) is not None


@given(st.data())
def test_whatever_the_grammar_of_calls_allows_is_a_call(data: st.DataObject) -> None:
    text = data.draw(st.from_regex(re.compile(call_rule(TOOLS).pattern), fullmatch=True))
    call = read_call(text, TOOLS)
    assert json.loads(call.spelled) == json.loads(text)


def test_fields_come_back_by_their_names() -> None:
    rule = sequence("get ", field("what", one_of("map", "key")), repeated(sequence(" in ", number(2)), 0, 1))
    assert rule.read("get map in 12") == {"what": "map"}
    assert rule.read("get lamp") is None


def test_an_option_may_begin_with_another() -> None:
    assert one_of("red", "red key").read("red key") == {}


@pytest.mark.parametrize("bad", ["", "^a", "]", '"', "\\d"])
def test_a_class_of_characters_is_plain(bad: str) -> None:
    with pytest.raises(BadRequest):
        characters(bad, 0, 1)


def test_a_dash_at_the_end_of_a_class_is_a_dash() -> None:
    assert characters("a-", 1, 1).read("-") == {}


@pytest.mark.parametrize(("least", "most"), [(0, 401), (3, 2), (-1, 2)])
def test_a_repetition_has_bounds(least: int, most: int) -> None:
    with pytest.raises(BadRequest):
        characters("a-z", least, most)


@pytest.mark.parametrize(
    ("text", "call"),
    [
        ('Sure: {"tool": "look", "arguments": {"thing": "map"}} is it', ToolCall("look", (("thing", "map"),))),
        ('{"thought": {"x": 1}} {"tool": "stop"}', ToolCall("stop")),
        ('{"tool": "add", "arguments": {"b": 2.5, "a": 1}}', ToolCall("add", (("a", 1), ("b", 2.5)))),
    ],
)
def test_a_call_is_found_among_prose(text: str, call: ToolCall) -> None:
    assert read_call(text, TOOLS) == call


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("I will look.", "no JSON object"),
        ("{look}", "cannot be read"),
        ('{"tool": "fly"}', "no tool"),
        ('{"tool": "look", "arguments": {}}', "needs thing"),
        ('{"tool": "look", "arguments": {"thing": "lamp"}}', "one of"),
        ('{"tool": "add", "arguments": {"a": true, "b": 1}}', "whole number"),
        ('{"tool": "add", "arguments": {"a": 1, "b": 1, "c": 1}}', "no argument c"),
        ('{"tool": "stop", "arguments": []}', "object"),
        ("{" * 50_000, "cannot be read"),
    ],
)
def test_what_is_wrong_with_a_call_is_said(text: str, says: str) -> None:
    with pytest.raises(MalformedCall, match=says):
        read_call(text, TOOLS)
