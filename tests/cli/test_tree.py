"""`assay tree`: what is printed, what is kept, and one sentence for what cannot be done."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from assay.cli.app import app
from assay.core import Reply, TokenLogprob
from assay.core.branching import Branches, Settings
from assay.home import find_home
from assay.lab.branching import Trees

from .test_probing import Capture, command, one_sentence


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path))


def kept() -> tuple[Trees, str]:
    """A question (2) with replies 3 to 6: three say four, one has an escape code in it."""
    trees = Trees(find_home().trees)

    def fill(name: str) -> Branches:
        tree = Branches(name, "sums")
        tree.add(tree.add(None, "system", "Be brief.").id, "user", "What is [red]2 + 2[/red]?")
        nodes = tree.begin("s", "2", "m", Settings(n=4))
        for node, text in zip(nodes, ("Four.", "four", "FOUR", "\x1b[31mfive"), strict=True):
            tokens = (TokenLogprob(1, text[:2], -0.1), TokenLogprob(2, text[2:], -8.0))
            reply = Reply(text, tokens_in=20, tokens_out=2, logprobs=tokens)
            tree.finish("s", node.id, reply, 20 if node.index == 0 else 0)
        return tree

    return trees, trees.new(fill).id


def test_equal_siblings_are_drawn_once_with_their_share(capsys: Capture) -> None:
    _, name = kept()
    code, out, err = command(capsys, "tree", "show", name[:6])
    assert (code, err) == (0, "")
    assert "3,4,5 model (3 alike, 75 %" in out
    assert "Below 2: 2 different answers among 4; disagreement 0.25." in out
    assert "What is [red]2 + 2[/red]?" in out
    assert "\x1b" not in out


def test_an_output_that_knows_no_more_than_ascii_is_written_all_the_same(tmp_path: Path) -> None:
    trees, name = kept()
    with trees.changing(name) as tree:
        tree.edit("6", "cinq… café")
    words = [sys.executable, "-m", "assay", "tree", "show"]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(words, capture_output=True, text=True, env=environment, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "cinq\\u2026 caf\\xe9" in done.stdout


def test_heat_shows_every_word(capsys: Capture) -> None:
    kept()
    _, out, _ = command(capsys, "tree", "show", "--heat", "--node", "6")
    assert "⟨U+001B⟩[31mfive" in out


def test_heat_colours_what_was_least_expected() -> None:
    from assay.cli.tree.looking import heated

    trees, name = kept()
    text = heated(trees.read(name).node("4"))
    assert text.plain == "four"
    assert [(text.plain[span.start : span.end], span.style) for span in text.spans] == [("ur", "bold red")]


def test_the_cost_says_that_the_prefix_was_evaluated_once(capsys: Capture) -> None:
    kept()
    _, out, _ = command(capsys, "tree", "cost", "--json")
    (row,) = json.loads(out)["prompts"]
    assert row == {
        "node": "2",
        "replies": 4,
        "prompt": 20,
        "if not shared": 80,
        "evaluated": 20,
        "times": "1.00",
        "written": 8,
    }
    code, out, _ = command(capsys, "tree", "cost")
    assert code == 0
    assert "1.00" in out


def test_changes_by_hand_are_kept_and_undone(capsys: Capture) -> None:
    trees, name = kept()
    command(capsys, "tree", "edit", name, "3", "mine")
    _, out, _ = command(capsys, "tree", "add", name, "3", "Why?")
    assert out == "Node 7.\n"
    command(capsys, "tree", "rename", name, "7", "the doubt")
    command(capsys, "tree", "disconnect", name, "3")
    command(capsys, "tree", "connect", name, "6", "3")
    assert trees.read(name).node("3").parent == "6"
    for _ in range(4):
        command(capsys, "tree", "undo", name)
    _, out, _ = command(capsys, "tree", "undo")
    assert out == "Undone: edit.\n"
    assert trees.read(name).node("3").text == "Four."
    _, out, _ = command(capsys, "tree", "redo")
    assert (out, trees.read(name).node("3").text) == ("Done again: edit.\n", "mine")


def test_a_node_or_the_whole_tree_is_deleted(capsys: Capture) -> None:
    trees, name = kept()
    command(capsys, "tree", "delete", name, "2", "--keep-children")
    assert trees.read(name).node("3").parent == "1"
    one_sentence(capsys, "Name a node, or the whole tree.", "tree", "delete", name)
    command(capsys, "tree", "delete", name, "--whole-tree")
    _, out, _ = command(capsys, "tree", "list")
    assert "No tree yet" in out


def test_what_was_exported_is_imported_as_a_tree_of_its_own(tmp_path: Path, capsys: Capture) -> None:
    trees, name = kept()
    file = tmp_path / "out.json"
    assert command(capsys, "tree", "export", name, "--out", str(file)) == (0, "", "")
    code, out, _ = command(capsys, "tree", "import", str(file))
    assert code == 0
    (other,) = set(trees.names()) - {name}
    assert out == f"Tree {other}: 6 nodes.\n"
    assert trees.read(other).nodes == trees.read(name).nodes
    _, out, _ = command(capsys, "tree", "export", name, "--markdown")
    assert out.startswith("# sums\n")


def test_a_tree_of_flux_says_what_it_left_behind(tmp_path: Path, capsys: Capture) -> None:
    node = {"id": "a", "data": {"label": "GPT", "fluxNodeType": "GPT", "text": "Hi!"}}
    file = tmp_path / "flux.json"
    file.write_text(json.dumps({"nodes": [node], "edges": [{"source": "gone", "target": "a"}]}))
    code, out, err = command(capsys, "tree", "import", str(file))
    assert (code, "1 nodes" in out) == (0, True)
    assert "Node 1 hung below a deleted node" in err


MISTAKES: dict[str, tuple[tuple[str, ...], str]] = {
    "no tree of that name": (("show", "zzz"), "There is no tree named 'zzz'"),
    "no node of that number": (("copy", "TREE", "99"), "There is no node named '99'"),
    "a circle": (("connect", "TREE", "3", "1"), "circle"),
    "a second parent": (("connect", "TREE", "1", "3"), "parent already"),
    "an old version": (("edit", "TREE", "3", "x", "--version", "1"), "Look at it again"),
    "nothing to redo": (("redo", "TREE"), "nothing to redo"),
    "a role there is none of": (("add", "TREE", "2", "x", "--role", "zebra"), "zebra"),
    "an empty prompt": (("new", "-p", " "), "The prompt is empty."),
    "both forms": (("export", "TREE", "--markdown", "--json"), "two files"),
    "a file that is not there": (("import", "no-such.json"), "No such file"),
    "a model there is none of": (("grow", "TREE", "2", "--model", "smollm2-135"), "Did you mean smollm2-135m"),
    "too many branches": (("grow", "TREE", "2", "--n", "1000"), "128"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_sentence(mistake: str, capsys: Capture) -> None:
    _, name = kept()
    words, said = MISTAKES[mistake]
    one_sentence(capsys, said, "tree", *(name if word == "TREE" else word for word in words))


@pytest.mark.parametrize("text", ["{", "[]", '{"form": "other"}', '{"nodes": 3}'])
def test_a_file_that_is_no_tree_is_one_sentence(text: str, tmp_path: Path, capsys: Capture) -> None:
    file = tmp_path / "spoilt.json"
    file.write_text(text)
    one_sentence(capsys, "spoilt.json", "tree", "import", str(file))


def test_without_a_tree_the_first_one_is_proposed(capsys: Capture) -> None:
    one_sentence(capsys, "assay tree new", "tree", "show")


@pytest.mark.engine
def test_a_new_tree_has_ten_nodes_and_its_prefix_was_evaluated_once(home: Path, capsys: Capture) -> None:
    words = ("tree", "new", "-p", "Name a river.", "--n", "8", "--seed", "0", "--max-tokens", "4", "--json")
    code, out, err = command(capsys, *words)
    assert (code, err) == (0, "")
    found: dict[str, Any] = json.loads(out)
    assert len(found["nodes"]) == 10
    assert all(len(node["tokens"]) == node["tokens_out"] for node in found["nodes"][2:])
    _, out, _ = command(capsys, "tree", "cost", "--json")
    (row,) = json.loads(out)["prompts"]
    assert 0 < row["evaluated"] < 1.2 * row["prompt"]
    command(capsys, "tree", "continue", found["id"], "3", "--max-tokens", "2")
    _, out, _ = command(capsys, "tree", "regenerate", found["id"], "2", "--n", "2", "--max-tokens", "2")
    assert "Name a river." in out
    after = Trees(find_home().trees).read(found["id"])
    assert [node.index for node in after.children("2")][:3] == [8, 9, 2]
    # The same seed draws the same branches.
    again = json.loads(command(capsys, *words)[1])
    assert [node["text"] for node in again["nodes"]] == [node["text"] for node in found["nodes"]]


def test_the_tab_key_knows_trees_nodes_and_roles(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    _, name = kept()

    def offered(*words: str) -> str:
        monkeypatch.setenv("_ASSAY_COMPLETE", "complete_zsh")
        monkeypatch.setenv("_TYPER_COMPLETE_ARGS", " ".join(("assay", "tree", *words)))
        with pytest.raises(SystemExit):
            app(prog_name="assay")
        return capsys.readouterr().out

    assert name in offered("show", name[:2])
    assert all(word in offered("grow", name, "") for word in ('"3":"Four."', '"6":"⟨U+001B⟩[31mfive"'))
    assert '"2"' in offered("show", name, "--node", "")
    assert '"assistant"' in offered("add", name, "2", "Why?", "--role", "a")
    assert "Four" not in offered("grow", "no such tree", "")
