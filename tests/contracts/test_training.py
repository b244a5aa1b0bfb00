"""Every claim about training, really run at its smoke size: the form of what comes out, never the verdict."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from assay.cli.app import run_command_line
from assay.core import Capability, Paper, with_inputs
from assay.papers import all_papers

TRAINING = [paper for paper in all_papers() if any(Capability.TRAIN in claim.needs for claim in paper.claims)]


@pytest.mark.slow
@pytest.mark.parametrize("paper", TRAINING, ids=lambda paper: paper.slug)
def test_smoke(paper: Paper, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All claims of a card in one go: they share what they train."""
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path))
    claims = {claim.id: claim for claim in paper.claims if Capability.TRAIN in claim.needs}
    out = tmp_path / "verdicts.json"
    assert run_command_line(["run", *claims, "--size", "smoke", "--quiet", "--json", str(out)]) == 0
    verdicts = {verdict["claim"]: verdict for verdict in json.loads(out.read_text())}
    assert set(verdicts) == set(claims)
    for name, verdict in verdicts.items():
        assert verdict["verdict"] in ("holds", "fails", "undecided"), name
        assert verdict["reason"]
        assert verdict["level"] == verdict["size"] == "smoke"
        assert verdict["model"]["name"] == "organism"
        seeds = claims[name].sizes["smoke"].n
        arms = [verdict["arms"][role] for role in ("treatment", "control")]
        for arm in arms:
            # A law that was fitted to a few tiny runs may have no exponent: that is no score, and said so.
            assert arm["endings"]["scored"] + arm["endings"]["unparsed"] == arm["n"] == seeds, name
            assert arm["endings"]["scored"] == 0 or math.isfinite(arm["mean"])
            assert arm["calls"] > 0
            assert arm["cpu_seconds"] > 0
        if all(arm["endings"]["scored"] == seeds for arm in arms):
            assert math.isfinite(verdict["effect"])
            low, high = verdict["interval"]
            assert low <= verdict["effect"] <= high
        else:
            assert paper.row in ("R04", "R35", "R48"), "only exponents may be missing"


@pytest.mark.parametrize("paper", TRAINING, ids=lambda paper: paper.slug)
@pytest.mark.parametrize("size", ["smoke", "small", "full"])
def test_organisms_of_a_card_are_recipes_of_their_own(paper: Paper, size: str) -> None:
    for name, make in paper.organisms.items():
        recipe = make(1, size)
        assert recipe.name
        json.dumps(recipe.spec(), allow_nan=False)
        assert with_inputs([recipe])[-1] is recipe
        assert recipe.on("hub/name", "hub/name at 1").hash != recipe.hash, name
