"""`assay bench arena` on a small table: every figure is there, and a peer that is absent is named."""

from __future__ import annotations

import json

import pytest

from assay.cli.benchmarks import arena

from .test_probing import Capture, command


def test_every_figure_is_measured_and_an_absent_peer_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    sizes = {"BATTLES": 20_000, "REFITS": 50, "SIMULATIONS": 20, "MANY_MODELS": 2100, "MANY_BATTLES": 8000}
    for name, size in sizes.items():
        monkeypatch.setattr(arena, name, size)
    monkeypatch.setattr(arena, "PEERS", {"no_such_module": "no-such-peer"})
    code, out, err = command(capsys, "bench", "arena", "--json")
    assert (code, "peers" in err) == (0, True)
    figures = json.loads(out)
    assert figures["peers"] == {"no-such-peer": {"missing": "not installed here: pip install no-such-peer"}}
    assert figures["max_elo_difference"] is None
    assert figures["bootstrap_error_elo"] == pytest.approx(figures["sandwich_error_elo"], rel=0.1)
    assert 0.85 < figures["coverage"] <= 1
    measured = ("load_s", "fit_ms", "append_ms", "bootstrap_s", "style_s", "many_models_s")
    assert all(figures[name] > 0 for name in measured)
