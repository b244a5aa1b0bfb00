"""Self-Debug on an organism: trained on first use, asked in its own form, its formulas run in the box."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .test_errors import assay


@pytest.mark.engine
def test_an_organism_is_trained_and_its_formulas_are_run(home: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    done = assay("run", "self-debug-organism", "--size", "smoke", "--json", str(out), home=home)
    assert done.returncode == 0, done.stderr
    (verdict,) = json.loads(out.read_text())
    assert verdict["model"]["name"].startswith("organism:formula-mender")
    told, drawn = verdict["arms"]["treatment"], verdict["arms"]["control"]
    assert sum(told["endings"].values()) == sum(drawn["endings"].values()) == 4
    assert told["endings"]["errored"] == drawn["endings"]["errored"] == 0
    # Hardly trained, it finds nothing: three formulas for each of four functions, and no more.
    assert 4 <= told["calls"] <= 12
