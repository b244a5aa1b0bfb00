"""A tree of turns: what is refused, what can be undone, and which words come too late."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from assay.core import Message, Piece, Reply, TokenLogprob, UnknownName, UserError
from assay.core.branching import (
    PREAMBLE,
    Branches,
    Conflict,
    Origin,
    Original,
    Settings,
    Spent,
    StaleStream,
    Status,
)

TWO = Settings(n=2, max_tokens=8)


def asked() -> Branches:
    """A system's turn (1) and a question (2)."""
    tree = Branches("t")
    root = tree.add(None, "system", "Be brief.")
    tree.add(root.id, "user", "What is 2 + 2?")
    return tree


def grown(*texts: str) -> Branches:
    """The question with these replies below it, from 3 on."""
    tree = asked()
    for node, text in zip(tree.begin("s", "2", "m", Settings(n=len(texts))), texts, strict=True):
        tree.finish("s", node.id, Reply(text, tokens_in=9, tokens_out=1))
    return tree


def test_a_lineage_is_the_conversation_from_the_root_with_a_preamble_where_it_has_none() -> None:
    tree = grown("4")
    assert tree.lineage("3") == (
        Message("system", "Be brief."),
        Message("user", "What is 2 + 2?"),
        Message("assistant", "4"),
    )
    alone = tree.add(None, "user", "hi")
    assert tree.lineage(alone.id) == (Message("system", PREAMBLE), Message("user", "hi"))


def test_an_assistant_below_an_assistant_goes_on_with_its_turn() -> None:
    tree = grown("The answer")
    more = tree.add("3", "assistant", " is 4.")
    assert tree.lineage(more.id)[-1] == Message("assistant", "The answer is 4.")


def test_an_edited_reply_is_a_persons_and_keeps_the_first_words() -> None:
    tree = grown("4")
    tree.edit("3", "four")
    tree.edit("3", "vier")
    node = tree.node("3")
    assert (node.text, node.origin, node.edited_from) == ("vier", Origin.HUMAN, Original("4", Origin.MODEL))
    assert node.tokens == ()


def test_circles_and_second_parents_are_refused() -> None:
    tree = grown("4", "5")
    tree.disconnect("2")
    with pytest.raises(UserError, match="circle"):
        tree.connect("3", "2")
    with pytest.raises(UserError, match="circle"):
        tree.connect("2", "2")
    with pytest.raises(UserError, match="parent already"):
        tree.connect("1", "3")
    tree.connect("1", "2")
    assert [node.id for node in tree.ancestry("3")] == ["1", "2", "3"]


def test_a_node_is_deleted_with_all_below_it_or_its_children_take_its_place() -> None:
    tree = grown("4", "5")
    tree.delete("2", keep_children=True)
    assert [node.id for node in tree.children("1")] == ["3", "4"]
    tree.undo()
    tree.delete("2")
    assert set(tree.nodes) == {"1"}
    tree.undo()
    assert [node.id for node in tree.children("2")] == ["3", "4"]


def test_labels_are_the_first_characters_until_somebody_renames() -> None:
    tree = grown("## **Sure!**\n\nThe answer to your question is four.")
    assert tree.node("3").label == "Sure! The answer to your questio"
    tree.rename("3", "the long one")
    assert tree.node("3").label == "the long one"
    tree.undo()
    assert tree.node("3").label.startswith("Sure!")


def test_the_last_256_changes_can_be_undone_and_no_more() -> None:
    tree = asked()
    for number in range(300):
        tree.rename("2", str(number))
    for _ in range(256):
        tree.undo()
    assert tree.node("2").name == "43"
    with pytest.raises(UserError, match="nothing to undo"):
        tree.undo()
    for _ in range(256):
        tree.redo()
    assert tree.node("2").name == "299"


def test_a_new_change_forgets_what_was_undone() -> None:
    tree = asked()
    tree.edit("2", "And 3 + 3?")
    tree.undo()
    tree.add("2", "user", "other")
    with pytest.raises(UserError, match="nothing to redo"):
        tree.redo()


def test_an_old_version_is_refused() -> None:
    tree = asked()
    read = tree.version
    tree.expect(read)
    tree.edit("2", "new")
    with pytest.raises(Conflict, match="Look at it again"):
        tree.expect(read)


def test_words_for_a_stopped_stream_are_refused() -> None:
    tree = asked()
    first, second = tree.begin("s", "2", "m", TWO)
    tree.append("s", first.id, "fo")
    tree.cancel("s")
    assert tree.node(first.id).status is tree.node(second.id).status is Status.CANCELLED
    late: list[Callable[[], None]] = [
        lambda: tree.append("s", first.id, "ur"),
        lambda: tree.finish("s", first.id, Reply("four")),
    ]
    for words in late:
        with pytest.raises(StaleStream):
            words()
    assert tree.node(first.id).text == "fo"


@pytest.mark.parametrize("change", ["edit", "delete", "undo", "regenerate"])
def test_a_node_that_was_changed_takes_no_more_words_of_its_old_stream(change: str) -> None:
    tree = asked()
    first, second = tree.begin("s", "2", "m", TWO)
    if change == "edit":
        tree.edit(first.id, "mine")
    elif change == "delete":
        tree.delete(first.id)
    elif change == "undo":
        tree.undo()
    else:
        tree.begin("again", "2", "m", Settings(n=1), reuse=True)
    with pytest.raises(StaleStream):
        tree.append("s", first.id, "late")
    if change != "undo":
        tree.append("s", second.id, "still wanted")
        assert tree.node(second.id).text == "still wanted"


def test_what_was_renamed_while_it_streamed_keeps_its_words_when_the_name_is_undone() -> None:
    tree = asked()
    first, _ = tree.begin("s", "2", "m", TWO)
    tree.append("s", first.id, "fo")
    tree.rename(first.id, "sum")
    tree.finish("s", first.id, Reply("four"))
    tree.undo()
    assert (tree.node(first.id).text, tree.node(first.id).status) == ("four", Status.DONE)


def test_a_finished_node_holds_what_generate_would_have_given() -> None:
    tree = asked()
    (node, *_) = tree.begin("s", "2", "m", TWO)
    tree.append("s", node.id, "4\ufffd")
    tokens = (TokenLogprob(7, "4", -0.5),)
    tree.finish("s", node.id, Reply("4", tokens_in=9, tokens_out=1, logprobs=tokens), evaluated=9)
    done = tree.node(node.id)
    assert (done.text, done.tokens, done.tokens_in, done.evaluated) == ("4", tokens, 9, 9)
    assert done.mean_logprob == -0.5


def test_regenerating_writes_a_models_replies_anew_and_leaves_a_persons() -> None:
    tree = grown("4", "5", "6")
    tree.edit("4", "mine")
    nodes = tree.begin("again", "2", "m", Settings(n=3), reuse=True)
    assert [node.id for node in nodes] == ["3", "5", "6"]
    # Never an index a sibling had: the same seed would draw the same words.
    assert [node.index for node in nodes] == [3, 4, 5]
    assert tree.node("4").text == "mine"
    tree.undo()
    assert [node.text for node in tree.children("2")] == ["4", "mine", "6"]


def test_going_on_writes_behind_what_stands_there() -> None:
    tree = grown("The answer")
    tree.begin_again("more", "3", "m", Settings(n=1))
    tree.append("more", "3", " is")
    tree.finish("more", "3", Reply(" is 4.", tokens_out=3))
    assert (tree.node("3").text, tree.node("3").tokens_out) == ("The answer is 4.", 4)
    tree.undo()
    assert (tree.node("3").text, tree.node("3").status) == ("The answer", Status.DONE)


def test_undoing_gives_no_tokens_back() -> None:
    tree = grown("4")
    tree.pay([Piece(0, "4", reply=Reply("4", tokens_in=9, tokens_out=1), evaluated=9)], {})
    tree.undo()
    assert tree.spent == Spent(replies=1, tokens_in=9, tokens_out=1, evaluated=9)


def test_tokens_are_on_the_bill_as_they_come_and_once() -> None:
    tree = asked()
    token = TokenLogprob(1, "x", -1.0)
    paid = tree.pay([Piece(0, "xx", (token, token)), Piece(1, "y")], {})
    # Two that were listed, and of the other reply a piece without a list.
    assert tree.spent == Spent(tokens_out=3)
    whole = Reply("xxx", tokens_in=9, tokens_out=4)
    paid = tree.pay([Piece(0, "x", (token,)), Piece(0, "", reply=whole, evaluated=9)], paid)
    assert tree.spent == Spent(replies=1, tokens_in=9, tokens_out=5, evaluated=9)
    # A server that counts fewer than came is told nothing back.
    tree.pay([Piece(1, "", reply=Reply("y", tokens_in=9, tokens_out=0))], paid)
    assert tree.spent.tokens_out == 5


def test_a_branch_hangs_elsewhere_in_one_change() -> None:
    tree = grown("4", "5")
    tree.rewire("3", "4")
    assert [node.id for node in tree.ancestry("3")] == ["1", "2", "4", "3"]
    tree.rewire("4", None)
    assert [node.id for node in tree.ancestry("3")] == ["4", "3"]
    with pytest.raises(UserError, match="circle"):
        tree.rewire("4", "3")
    tree.undo()
    tree.undo()
    assert [node.parent for node in tree.nodes.values()] == [None, "1", "2", "2"]


def test_an_unknown_node_is_named_with_those_there_are() -> None:
    with pytest.raises(UnknownName, match="Nodes: 1, 2"):
        asked().add("7", "user", "hi")
