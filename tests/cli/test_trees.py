"""Trees of thoughts on the real embedded model, from the command line to the verdict; and published logs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.lab.test_game24_logs import SAMPLED, TREE, folder

from .test_errors import assay


@pytest.mark.engine
def test_a_tree_search_runs_to_its_verdict(home: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    done = assay("run", "tree-of-thoughts", "--size", "smoke", "--json", str(out), home=home)
    assert done.returncode == 0, done.stderr
    (verdict,) = json.loads(out.read_text())
    tree, chain = verdict["arms"]["treatment"], verdict["arms"]["control"]
    assert sum(tree["endings"].values()) == sum(chain["endings"].values()) == 2
    assert tree["endings"]["errored"] == chain["endings"]["errored"] == 0
    # A proposal for the start, and a judgement of what it leads to; a chain is one call.
    assert tree["calls"] >= 2 * 2
    assert chain["calls"] == 2
    assert tree["tokens_out"] > 0


@pytest.mark.engine
def test_a_model_held_to_words_searches_depth_first(home: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    words = ("run", "depth-first-prunes", "--n", "1", "--level", "3x3-2", "--controls", "format")
    done = assay(*words, "--json", str(out), home=home)
    assert done.returncode == 0, done.stderr
    (verdict,) = json.loads(out.read_text())
    assert verdict["driver"] == "constrained"
    assert verdict["arms"]["treatment"]["endings"]["errored"] == 0
    assert 1 <= verdict["arms"]["control"]["calls"] <= 15


def test_a_supposed_policy_searches_without_a_model(home: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    words = ("run", "depth-first-prunes", "--n", "12", "--driver", "scripted", "--json", str(out))
    done = assay(*words, home=home)
    assert done.returncode == 0, done.stderr
    (verdict,) = json.loads(out.read_text())
    assert verdict["arms"]["treatment"]["tokens_out"] == 0
    assert verdict["arms"]["treatment"]["mean"] == 1.0


def test_a_folder_of_published_logs_is_judged(home: Path, tmp_path: Path) -> None:
    out, logs = tmp_path / "out.json", tmp_path / "logs"
    logs.mkdir()
    folder(logs, tree=TREE, cot=SAMPLED)
    done = assay("replay", str(logs), "--claim", "tree-of-thoughts", "--json", str(out), home=home)
    assert done.returncode == 0, done.stderr
    assert "75.0 % [19.4, 99.4]" in done.stdout
    tree, _ = json.loads(out.read_text())
    assert tree["shares"]["top-1"][0] == 0.5
    other = assay("replay", str(logs), "--claim", "pal", home=home)
    assert other.returncode != 0
    assert "tree-of-thoughts" in other.stderr
