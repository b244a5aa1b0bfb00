"""Whatever is done to a tree: it can be undone, kept, read back, and costs no less than before."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from assay.core import BadRequest, Piece, Reply, TokenLogprob, UserError
from assay.core.branching import Branches, Node, Settings, from_json, to_json, to_text

from .test_branches import asked, grown

# Every character there is, halves of characters and NUL among them.
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=5)
OPERATION = st.tuples(st.integers(0, 14), st.integers(0, 10**6), st.integers(0, 10**6), ANY_TEXT)
NATS = (-0.5, -math.inf, math.nan, math.inf)


def perform(tree: Branches, kind: int, one: int, other: int, text: str) -> None:
    """One operation on nodes picked by numbers; what is refused changes nothing."""
    names = sorted(tree.nodes, key=int)
    node, second = (names[number % len(names)] if names else None for number in (one, other))
    stream = f"s{tree.next_id}-{tree.version}"
    live = [(found.id, name) for found in tree.streams.values() for name in found.begun]
    before = to_json(tree)
    try:
        if kind == 0 or node is None or second is None:
            tree.add(node, "user", text)
        elif kind == 1:
            tree.edit(node, text)
        elif kind == 2:
            tree.rename(node, text)
        elif kind == 3:
            tree.disconnect(node)
        elif kind == 4:
            tree.connect(node, second)
        elif kind == 5:
            tree.rewire(node, second)
        elif kind in (6, 7):
            tree.delete(node, keep_children=kind == 6)
        elif kind in (8, 9):
            tree.begin(stream, node, "m", Settings(n=1 + other % 3), reuse=kind == 8)
        elif kind == 10:
            tree.begin_again(stream, node, "m", Settings(n=1))
        elif kind == 11:
            tree.undo()
        elif kind == 12:
            tree.redo()
        elif live:
            write(tree, *live[one % len(live)], text, NATS[other % 4], ends=kind == 14)
    except UserError:
        assert to_json(tree) == before


def write(tree: Branches, stream: str, node: str, text: str, nats: float, *, ends: bool) -> None:
    """What a model sends: anything."""
    tokens = (TokenLogprob(1, text, nats, ((2, text, nats),)),)
    reply = Reply(text, tokens_in=9, tokens_out=1, logprobs=tokens) if ends else None
    if reply:
        tree.finish(stream, node, reply)
    else:
        tree.append(stream, node, text, tokens)
    tree.pay([Piece(0, text, tokens, reply)], {})


def shown(tree: Branches) -> dict[str, Node]:
    return dict(sorted(tree.nodes.items()))


def kept(tree: Branches) -> Branches:
    """The tree as its file gives it back."""
    return from_json(json.loads(to_text(tree).encode()))


@settings(max_examples=150, deadline=None)
@given(st.lists(OPERATION, max_size=25), st.lists(OPERATION, max_size=25))
@example([], [(0, 0, 0, "\ud800")])
def test_any_changes_can_be_kept_and_undone_to_the_start_and_done_again(first: list[Any], then: list[Any]) -> None:
    tree = Branches("t")
    for operation in first:
        perform(tree, *operation)
    for stream in list(tree.streams):
        tree.cancel(stream)
    tree.undoable.clear()
    tree.redoable.clear()
    start, spent = shown(tree), tree.spent.tokens_out
    for operation in then:
        perform(tree, *operation)
        assert spent <= tree.spent.tokens_out
        spent = tree.spent.tokens_out
        again = kept(tree)
        assert (shown(again), again.spent, again.streams) == (shown(tree), tree.spent, tree.streams)
        assert to_json(again) == to_json(tree)
    for stream in list(tree.streams):
        tree.cancel(stream)
    while tree.redoable:
        tree.redo()
    end, count = shown(tree), len(tree.undoable)
    for _ in range(count):
        tree.undo()
    assert shown(tree) == start
    for _ in range(count):
        tree.redo()
    assert shown(tree) == end
    assert tree.spent.tokens_out == spent


@pytest.mark.parametrize("text", ["half \ud83d", "\udc00", "NUL \0"])
def test_what_no_file_can_hold_is_refused_in_one_sentence(text: str) -> None:
    tree = grown("4")
    before = to_json(tree)
    for change in (
        lambda: tree.add("2", "user", text),
        lambda: tree.edit("3", text),
        lambda: tree.rename("3", text),
        lambda: Branches("t", text),
        lambda: Branches("t", preamble=text),
    ):
        with pytest.raises(BadRequest, match=r"^The \w+ holds (half a|a NUL) character"):
            change()
    assert to_json(tree) == before


def test_a_models_words_are_kept_without_their_halves_of_characters() -> None:
    tree = asked()
    first, second = tree.begin("s", "2", "m", Settings(n=2))
    tree.append("s", first.id, "\ud83d", (TokenLogprob(1, "\ud83d", -1.0),))
    assert (tree.node(first.id).text, tree.node(first.id).tokens[0].text) == ("\ufffd", "\ufffd")
    tree.finish("s", first.id, Reply("\ud83d\ude00 \udc00 a\0b"))
    assert tree.node(first.id).text == "\U0001f600 \ufffd a\ufffdb"
    tree.cancel("s", "It said \ud800.")
    assert tree.node(second.id).problem == "It said \ufffd."


def test_a_token_that_could_not_come_is_kept_as_null() -> None:
    tree = asked()
    (node,) = tree.begin("s", "2", "m", Settings(n=1))
    token = TokenLogprob(1, "x", -math.inf, ((2, "y", -0.5), (3, "z", -math.inf)))
    tree.finish("s", node.id, Reply("x", logprobs=(token,)))
    assert to_json(tree)["nodes"][2]["tokens"] == [[1, "x", None, [[2, "y", -0.5], [3, "z", None]]]]
    assert kept(tree).node(node.id).tokens == (token,)
