"""Trees on paper: JSON that is read back whole, Markdown for people, and what flux has saved."""

from __future__ import annotations

import json
from typing import Any

import pytest

from assay.core import Reply, UserError
from assay.core.branching import (
    Branches,
    Origin,
    Settings,
    Status,
    clusters,
    disagreement,
    from_flux,
    from_json,
    normalised,
    prompts,
    taken_in,
    to_json,
    to_markdown,
    to_text,
    transcript,
)
from assay.core.branching.flux import STORAGE_KEY
from assay.core.branching.form import FORM

from .test_branches import asked, grown


def test_the_text_of_a_tree_is_json_with_one_node_to_a_line() -> None:
    tree = grown("4", "four")
    tree.begin("live", "2", "m", Settings(n=1))
    text = to_text(tree)
    assert sum(line.startswith('  {"id"') for line in text.splitlines()) == len(tree.nodes)
    back = from_json(json.loads(text))
    assert to_json(back) == to_json(tree)
    back.append("live", "5", "goes on")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda d: d.pop("nodes"), "'nodes' is missing"),
        (lambda d: d.update(form="other/1"), "its form is 'other/1'"),
        (lambda d: d["nodes"].append(d["nodes"][0]), "share an id"),
        (lambda d: d["nodes"][1].update(parent="77"), "node 2 hangs below a node that is missing"),
        (lambda d: d["nodes"][0].update(parent="3"), "in a circle"),
        (lambda d: d["nodes"][0].update(text=5), "text is 5"),
        (lambda d: d["nodes"][0].update(colour="red"), "unknown fields colour"),
        (lambda d: d["nodes"][0].update(role="zebra"), "zebra"),
        (lambda d: d["nodes"][0].update(id="x"), "invalid literal"),
        (lambda d: d.update(undo=[{"what": "x", "before": {"1": {"text": 5}}}]), "text is 5"),
    ],
)
def test_what_is_no_tree_is_said(spoil: Any, said: str) -> None:
    found = json.loads(to_text(grown("4")))
    spoil(found)
    with pytest.raises((ValueError, UserError), match=said):
        from_json(found)


@pytest.mark.parametrize(
    ("spoilt", "said"),
    [
        ('"Be \\ud83d brief."', "half a character"),
        ('"\\udc00"', "half a character"),
        ("NaN", "are no JSON"),
        ("-Infinity", "are no JSON"),
    ],
)
def test_a_document_that_could_not_be_written_again_is_no_tree(spoilt: str, said: str) -> None:
    ours = to_text(grown("4")).replace('"Be brief."', spoilt)
    theirs = json.dumps({"nodes": [flux_node("a", "System", "@")], "edges": []}).replace('"@"', spoilt)
    for document in (ours, theirs, json.dumps({STORAGE_KEY: theirs})):
        with pytest.raises(UserError, match=f"^This is no tree.*{said}"):
            taken_in(json.loads(document), "t")
    with pytest.raises(ValueError, match=said):
        from_json(json.loads(ours))


def test_a_tree_of_ours_is_taken_in_under_a_name_of_its_own_and_nothing_is_written_in_it() -> None:
    tree = grown("4")
    tree.begin("live", "2", "m", Settings(n=1))
    tree.append("live", "4", "fo")
    found = taken_in(json.loads(to_text(tree)), "mine")
    assert (found.tree.id, found.tree.streams, found.notes) == ("mine", {}, ())
    assert (found.tree.node("4").text, found.tree.node("4").status) == ("fo", Status.CANCELLED)
    assert found.tree.version == tree.version
    assert len(found.tree.undoable) == len(tree.undoable)


@pytest.mark.parametrize("found", [{"form": "other/1"}, {"form": FORM, "nodes": 7}, {"form": FORM}])
def test_what_only_begins_like_a_tree_is_refused_in_one_sentence(found: Any) -> None:
    with pytest.raises(UserError, match=r"^This is no tree: "):
        taken_in(found, "t")


def test_the_replies_that_stand_below_a_node_share_their_prompt() -> None:
    tree = asked()
    for node in tree.begin("s", "2", "m", Settings(n=3)):
        tree.finish("s", node.id, Reply("4", tokens_in=20, tokens_out=2), 20 if node.index == 0 else 0)
    tree.add("2", "user", "a note costs nothing")
    for node in tree.begin("t", "3", "m", Settings(n=1)):
        tree.finish("t", node.id, Reply("!", tokens_in=23, tokens_out=1), 5)
    first, second = prompts(tree)
    assert first == {
        "node": "2",
        "replies": 3,
        "prompt": 20,
        "if not shared": 60,
        "evaluated": 20,
        "times": "1.00",
        "written": 6,
    }
    assert (second["node"], second["times"], second["written"]) == ("3", "0.22", 1)
    # What a person has edited was drawn all the same; what was deleted does not stand any more.
    tree.edit("3", "four")
    assert [row["evaluated"] for row in prompts(tree)] == [20, 5]
    tree.delete("3")
    assert [row["replies"] for row in prompts(tree)] == [2]


@pytest.mark.parametrize("found", [None, [], {}, "text", 7, {"form": "assay-tree/1"}])
def test_other_json_is_no_tree_either(found: Any) -> None:
    with pytest.raises(ValueError):
        from_json(found)


def test_markdown_nests_headings_and_counts_equal_answers() -> None:
    tree = grown("4", "Four.", "four")
    tree.edit("3", "mine")
    text = to_markdown(tree)
    assert "## 1. system\n\n> Be brief.\n" in text
    assert "### 2. user" in text
    assert "#### 3. assistant, edited from a model's words\n\n> mine\n" in text
    assert "Answers below: 2 x 'Four.'; 1 x 'mine'." in text
    assert transcript(tree, "4") == "System: Be brief.\n\nUser: What is 2 + 2?\n\nAssistant: Four."


def test_a_tree_deeper_than_the_stack_is_written_and_read() -> None:
    tree = Branches("deep")
    parent = None
    for _ in range(3000):
        parent = tree.add(parent, "user", "x").id
    tree.undoable.clear()
    assert len(from_json(json.loads(to_text(tree))).nodes) == 3000
    assert to_markdown(tree).count("> x") == 3000
    assert len(tree.lineage(parent or "")) == 3001


def test_equal_answers_are_a_cluster_with_its_share() -> None:
    tree = grown("Paris.", "paris", " PARIS! ", "Lyon", "Rome")
    found = clusters(tree.children("2"))
    assert [(cluster.answer, len(cluster.nodes), cluster.share) for cluster in found] == [
        ("paris", 3, 0.6),
        ("lyon", 1, 0.2),
        ("rome", 1, 0.2),
    ]
    assert disagreement(normalised(node.text) for node in tree.children("2")) == pytest.approx(0.4)


def test_replies_that_were_stopped_are_in_no_cluster() -> None:
    tree = grown("4")
    tree.begin("s", "2", "m", Settings(n=1))
    tree.cancel("s")
    assert [len(cluster.nodes) for cluster in clusters(tree.children("2"))] == [1]


# --- flux ---------------------------------------------------------------------------------------------


def flux_node(name: str, kind: str, text: str, **data: Any) -> dict[str, Any]:
    given = {"label": kind, "fluxNodeType": kind, "text": text} | data
    return {"id": name, "position": {"x": 0, "y": 0}, "data": given}


SAVED: dict[str, Any] = {
    "nodes": [
        flux_node("a", "System", "Be kind."),
        flux_node("b", "User", "Hello?"),
        flux_node("c", "GPT", "Hi!", label="greeting", hasCustomlabel=True),
        flux_node("d", "GPT (tweaked)", "Good day!"),
        flux_node("e", "GPT", "An orphan", streamId="x1"),
    ],
    "edges": [
        {"id": "1", "source": "a", "target": "b"},
        {"id": "2", "source": "gone", "target": "c"},
        {"id": "3", "source": "b", "target": "c"},
        {"id": "4", "source": "b", "target": "d"},
        {"id": "5", "source": "gone", "target": "e"},
        {"id": "6", "source": "d", "target": "gone"},
    ],
    "viewport": {"x": 0, "y": 0, "zoom": 1},
}


@pytest.mark.parametrize("wrapped", [SAVED, {STORAGE_KEY: json.dumps(SAVED)}, json.dumps(SAVED)])
def test_what_flux_saved_becomes_a_tree(wrapped: Any) -> None:
    found = from_flux(wrapped, "t")
    nodes = found.tree.nodes
    assert [(node.role, node.origin, node.parent) for node in nodes.values()] == [
        ("system", Origin.HUMAN, None),
        ("user", Origin.HUMAN, "1"),
        ("assistant", Origin.MODEL, "2"),
        ("assistant", Origin.HUMAN, "2"),
        ("assistant", Origin.MODEL, None),
    ]
    assert (nodes["3"].name, nodes["4"].name) == ("greeting", "")
    assert len(found.notes) == 2
    assert "Node 5 hung below a deleted node" in " ".join(found.notes)
    assert not found.tree.undoable
    assert to_json(from_json(to_json(found.tree))) == to_json(found.tree)


def test_a_circle_of_saved_edges_is_cut_and_said() -> None:
    edges = [{"source": "a", "target": "b"}, {"source": "b", "target": "a"}]
    found = from_flux({"nodes": SAVED["nodes"][:2], "edges": edges}, "t")
    assert [node.parent for node in found.tree.nodes.values()] == [None, "1"]
    assert "circle" in found.notes[0]


@pytest.mark.parametrize(
    "found", [[], {}, "no json", {"nodes": 5, "edges": []}, {"nodes": [{"id": 1, "data": {}}], "edges": []}]
)
def test_what_flux_never_saved_is_refused_in_one_sentence(found: Any) -> None:
    with pytest.raises(UserError, match="no tree that flux has saved"):
        from_flux(found, "t")
