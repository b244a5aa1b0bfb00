"""Growing a tree: one request for all branches, saved as it comes, stopped from anywhere, refused whole."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Any

import pytest

from assay.core import (
    Ask,
    BadRequest,
    EndpointDown,
    Message,
    ModelError,
    Piece,
    Reply,
    Streams,
    TokenLogprob,
)
from assay.core.branching import Branches, Settings, Status
from assay.lab.branching import Grown, Trees, go_on, grow, growing
from assay.models import Scripted

from .test_trees import question


class Writer(Scripted):
    """Streams two pieces a reply, branch after branch, and notes what it was asked."""

    def __init__(self, *, fails: Exception | None = None, after: int = 0) -> None:
        super().__init__(lambda request, index: f"reply {index}")
        self.asked: list[tuple[Ask, list[int]]] = []
        self.fails, self.after, self.closed, self.sent = fails, after, False, 0

    async def stream(self, request: Ask, indexes: Sequence[int]) -> AsyncGenerator[Piece]:
        self.asked.append((request, list(indexes)))
        try:
            for index in indexes:
                for piece in (
                    Piece(index, "reply "),
                    Piece(
                        index, str(index), (), Reply(f"reply {index}", tokens_in=9, tokens_out=2), 9 * (not index)
                    ),
                ):
                    if self.fails and self.sent == self.after:
                        raise self.fails
                    yield piece
                    await asyncio.sleep(0)
                    self.sent += 1
        finally:
            self.closed = True


@pytest.fixture
def trees(tmp_path: Path) -> Trees:
    return Trees(tmp_path / "trees")


async def drain(pieces: AsyncGenerator[Grown]) -> list[Grown]:
    return [piece async for piece in pieces]


def branches(trees: Trees, name: str, model: Any, n: int = 3, **settings: Any) -> list[Grown]:
    return asyncio.run(drain(grow(trees, name, "2", Settings(n=n), model, **settings)))


def test_all_branches_are_asked_for_at_once_and_kept(trees: Trees) -> None:
    name, model = trees.new(question).id, Writer()
    assert isinstance(model, Streams)
    pieces = branches(trees, name, model)
    assert [(piece.node, piece.text, piece.done) for piece in pieces[:3]] == [
        ("3", "reply ", False),
        ("3", "0", True),
        ("4", "reply ", False),
    ]
    ((request, indexes),) = model.asked
    assert (request.n, indexes, request.seed) == (3, [0, 1, 2], 0)
    assert request.messages == (Message("system", "Be brief."), Message("user", "What is 2 + 2?"))
    tree = trees.read(name)
    assert [(node.text, node.status, node.index) for node in tree.children("2")] == [
        ("reply 0", Status.DONE, 0),
        ("reply 1", Status.DONE, 1),
        ("reply 2", Status.DONE, 2),
    ]
    assert (tree.spent.replies, tree.spent.tokens_in, tree.spent.evaluated) == (3, 27, 9)
    assert not tree.streams


def test_further_branches_are_other_draws_and_regenerated_ones_too(trees: Trees) -> None:
    name, model = trees.new(question).id, Writer()
    branches(trees, name, model, 2)
    branches(trees, name, model, 2)
    branches(trees, name, model, 3, reuse=True)
    assert [indexes for _, indexes in model.asked] == [[0, 1], [2, 3], [4, 5, 6]]
    assert [node.text for node in trees.read(name).children("2")] == ["reply 4", "reply 5", "reply 6", "reply 3"]


def test_below_a_reply_the_model_goes_on_with_it(trees: Trees) -> None:
    name, model = trees.new(question).id, Writer()
    branches(trees, name, model, 1)
    asyncio.run(drain(grow(trees, name, "3", Settings(n=2), model)))
    request = model.asked[-1][0]
    assert (request.prefill, request.messages[-1].role) == ("reply 0", "user")
    assert trees.read(name).lineage("4")[-1].text == "reply 0reply 0"


def test_next_words_are_written_into_the_node_itself(trees: Trees) -> None:
    name, model = trees.new(question).id, Writer()
    branches(trees, name, model, 1)
    asyncio.run(drain(go_on(trees, name, "3", Settings(), model)))
    asyncio.run(drain(go_on(trees, name, "2", Settings(), model)))
    tree = trees.read(name)
    assert (tree.node("3").text, tree.node("2").text) == ("reply 0reply 0", "What is 2 + 2?reply 0")
    assert model.asked[1][0].prefill == "reply 0"
    assert model.asked[2][0].raw
    assert model.asked[2][0].prompt == "Be brief.\n\nWhat is 2 + 2?"


def test_a_model_that_cannot_stream_grows_a_tree_too(trees: Trees) -> None:
    name = trees.new(question).id
    branches(trees, name, Scripted(lambda request, index: f"whole {index}"), 2)
    assert [node.text for node in trees.read(name).children("2")] == ["whole 0", "whole 1"]


def test_closing_stops_the_model_and_what_had_come_stands(trees: Trees) -> None:
    name, model = trees.new(question).id, Writer()

    async def work() -> None:
        pieces = grow(trees, name, "2", Settings(n=3), model)
        for _ in range(3):
            await anext(pieces)
        await pieces.aclose()

    asyncio.run(work())
    assert model.closed
    assert [(node.text, node.status) for node in trees.read(name).children("2")] == [
        ("reply 0", Status.DONE),
        ("reply ", Status.CANCELLED),
        ("", Status.CANCELLED),
    ]


def test_somebody_else_can_stop_a_stream_through_the_file(trees: Trees, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growing, "AUTOSAVE_SECONDS", -1.0)
    name, model = trees.new(question).id, Writer()

    async def work() -> list[Grown]:
        got = []
        async for piece in grow(trees, name, "2", Settings(n=3), model):
            got.append(piece)
            if len(got) == 1:
                with trees.changing(name) as tree:
                    (stream,) = tree.streams
                    tree.cancel(stream)
        return got

    assert len(asyncio.run(work())) == 1
    assert model.closed
    assert model.sent == 0
    assert {node.status for node in trees.read(name).children("2")} == {Status.CANCELLED}


def test_a_change_by_hand_while_words_come_is_kept(trees: Trees, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growing, "AUTOSAVE_SECONDS", -1.0)
    name = trees.new(question).id

    async def work() -> None:
        count = 0
        async for _ in grow(trees, name, "2", Settings(n=2), Writer()):
            count += 1
            if count == 1:
                with trees.changing(name) as tree:
                    tree.edit("3", "mine")
                    tree.add("2", "user", "a note")

    asyncio.run(work())
    assert [node.text for node in trees.read(name).children("2")] == ["mine", "reply 1", "a note"]


class Talker(Scripted):
    """Replies of four tokens, token by token and in turn."""

    def __init__(self) -> None:
        super().__init__(lambda request, index: "")

    async def stream(self, request: Ask, indexes: Sequence[int]) -> AsyncGenerator[Piece]:
        for number in range(4):
            for index in indexes:
                ended = Reply("x x x x ", tokens_in=9, tokens_out=4) if number == 3 else None
                yield Piece(index, "x ", (TokenLogprob(number, "x ", -1.0),), ended)


# Where one node wants no more words the other one still does, and its neighbour's are written on and cost.
@pytest.mark.parametrize(
    ("change", "replies", "tokens"),
    [
        (lambda tree: tree.edit("3", "mine"), 2, 8),
        (lambda tree: tree.delete("3"), 2, 8),
        (lambda tree: tree.undo(), 0, 4),
        (lambda tree: tree.delete("2"), 0, 4),
        (lambda tree: [tree.cancel(stream) for stream in list(tree.streams)], 0, 4),
    ],
)
def test_what_was_written_stays_on_the_bill_whatever_becomes_of_it(
    trees: Trees, monkeypatch: pytest.MonkeyPatch, change: Any, replies: int, tokens: int
) -> None:
    monkeypatch.setattr(growing, "AUTOSAVE_SECONDS", -1.0)
    name = trees.new(question).id

    async def work() -> None:
        count = 0
        async for _ in grow(trees, name, "2", Settings(n=2), Talker()):
            count += 1
            if count == 4:
                with trees.changing(name) as tree:
                    change(tree)

    asyncio.run(work())
    spent = trees.read(name).spent
    assert (spent.replies, spent.tokens_out) == (replies, tokens)


def test_what_a_model_refuses_before_its_first_word_leaves_no_trace(trees: Trees) -> None:
    name = trees.new(question).id
    model = Writer(fails=BadRequest("The prompt has 4041 tokens and it has room for 2048."))
    with pytest.raises(BadRequest, match="4041 tokens"):
        branches(trees, name, model)
    tree = trees.read(name)
    assert (set(tree.nodes), len(tree.redoable)) == ({"1", "2"}, 0)


@pytest.mark.parametrize("error", [EndpointDown("It broke off."), ModelError("It is gone.")])
def test_a_model_that_fails_on_the_way_leaves_its_words_and_the_reason(trees: Trees, error: Exception) -> None:
    name = trees.new(question).id
    with pytest.raises(type(error)):
        branches(trees, name, Writer(fails=error, after=3))
    first, second, third = trees.read(name).children("2")
    assert (first.status, second.status, third.status) == (Status.DONE, Status.ERROR, Status.ERROR)
    assert (second.text, second.problem) == ("reply ", str(error))


def test_nothing_is_asked_about_a_node_that_is_not_there(trees: Trees) -> None:
    name, model = trees.new(lambda name: Branches(name)).id, Writer()
    with pytest.raises(Exception, match="There is no node named '2'"):
        branches(trees, name, model)
    assert not model.asked
