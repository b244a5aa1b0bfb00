"""Trees on disk: written whole, changed by one at a time, and healed after a process that died."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from assay.core import BadFile, UnknownName, UserError
from assay.core.branching import Branches, Conflict, Settings, Status
from assay.lab.branching import Trees


def question(name: str) -> Branches:
    tree = Branches(name)
    tree.add(tree.add(None, "system", "Be brief.").id, "user", "What is 2 + 2?")
    return tree


@pytest.fixture
def trees(tmp_path: Path) -> Trees:
    return Trees(tmp_path / "trees")


def test_what_was_changed_is_read_back_with_its_history(trees: Trees) -> None:
    name = trees.new(question).id
    with trees.changing(name) as tree:
        tree.edit("2", "And 3 + 3?")
    with trees.changing(name) as tree:
        assert tree.node("2").text == "And 3 + 3?"
        tree.undo()
    assert trees.read(name).node("2").text == "What is 2 + 2?"


def half_done(trees: Trees, name: str) -> None:
    with trees.changing(name) as tree:
        tree.edit("2", "half done")
        tree.connect("1", "2")


def test_nothing_is_kept_of_a_change_that_fails(trees: Trees) -> None:
    name = trees.new(question).id
    with pytest.raises(UserError, match="parent already"):
        half_done(trees, name)
    assert trees.read(name).node("2").text == "What is 2 + 2?"
    assert not list(trees.folder.glob("*.draft"))


def test_a_change_to_an_old_version_is_refused(trees: Trees) -> None:
    name = trees.new(question).id
    version = trees.read(name).version
    with trees.changing(name, version) as tree:
        tree.edit("2", "first come")
    with pytest.raises(Conflict, match="Look at it again"), trees.changing(name, version) as tree:
        tree.edit("2", "too late")
    assert trees.read(name).node("2").text == "first come"


def test_a_tree_is_found_by_how_its_id_begins(trees: Trees) -> None:
    names = [trees.new(question).id for _ in range(2)]
    assert trees.find(names[0][:7]) == names[0]
    with pytest.raises(UnknownName, match="assay tree list"):
        trees.find("no such")
    for name in ("abc1", "abc2"):
        tree = question(name)
        trees._write(tree)
    with pytest.raises(UserError, match="2 trees begin with 'abc'"):
        trees.find("abc")


def test_words_of_a_process_that_died_stand_as_cancelled(trees: Trees, tmp_path: Path) -> None:
    name = trees.new(question).id
    dying = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from assay.core.branching import Settings\n"
        "from assay.lab.branching import Trees\n"
        "trees = Trees(Path(sys.argv[1]))\n"
        "with trees.streaming(sys.argv[2], 's'):\n"
        "    with trees.changing(sys.argv[2]) as tree:\n"
        "        tree.begin('s', '2', 'm', Settings(n=1))\n"
        "        tree.append('s', '3', 'fo')\n"
        "    os._exit(0)\n"
    )
    subprocess.run([sys.executable, "-c", dying, str(trees.folder), name], check=True)
    assert json.loads((trees.folder / f"{name}.json").read_text())["nodes"][2]["status"] == "streaming"
    node = trees.read(name).node("3")
    assert (node.text, node.status) == ("fo", Status.CANCELLED)


def test_a_stream_that_is_alive_is_left_alone(trees: Trees) -> None:
    name = trees.new(question).id
    with trees.streaming(name, "s"):
        with trees.changing(name) as tree:
            tree.begin("s", "2", "m", Settings(n=1))
        assert trees.read(name).node("3").status is Status.STREAMING
        # So it is too where the number of its process says nothing, as outside of a container.
        (trees.folder / f"{name}.s.pid").write_text("999999999 1")
        assert trees.read(name).node("3").status is Status.STREAMING
    assert trees.read(name).node("3").status is Status.CANCELLED
    assert not list(trees.folder.glob(f"{name}.s.lock"))


@pytest.mark.parametrize("text", ["", "{", "[]", '{"form": "assay-tree/1"}', "\x00", "[" * 100_000])
def test_a_spoilt_file_is_named_in_one_sentence(trees: Trees, text: str) -> None:
    name = trees.new(question).id
    (trees.folder / f"{name}.json").write_text(text)
    with pytest.raises(BadFile, match="this is no tree"):
        trees.read(name)
    trees.delete(name)
    assert not os.listdir(trees.folder)
    with pytest.raises(UnknownName):
        trees.delete(name)


def test_deleting_leaves_nothing(trees: Trees) -> None:
    name = trees.new(question).id
    trees.delete(name)
    assert not os.listdir(trees.folder)
    with pytest.raises(UnknownName):
        trees.read(name)


def test_many_writers_lose_no_change(trees: Trees) -> None:
    name = trees.new(question).id
    adding = (
        "import sys\n"
        "from pathlib import Path\n"
        "from assay.lab.branching import Trees\n"
        "for number in range(20):\n"
        "    with Trees(Path(sys.argv[1])).changing(sys.argv[2]) as tree:\n"
        "        tree.add('2', 'user', sys.argv[3])\n"
    )
    writers = [
        subprocess.Popen([sys.executable, "-c", adding, str(trees.folder), name, str(who)]) for who in range(3)
    ]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    assert len(trees.read(name).children("2")) == 60
