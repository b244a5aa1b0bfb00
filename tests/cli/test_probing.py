"""`assay probe`: layers, chosen layers and controls; and how these commands end on bad input."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.cli.app import run_command_line
from assay.cli.network import probing
from assay.tasks import TwinsTask

Capture = pytest.CaptureFixture[str]


def command(capsys: Capture, *words: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of one command."""
    code = run_command_line(list(words))
    said = capsys.readouterr()
    return code, said.out, said.err


def one_sentence(capsys: Capture, wanted: str, *words: str) -> None:
    code, out, err = command(capsys, *words)
    assert (code, out) == (2, "")
    assert wanted in err
    assert len(err.strip().splitlines()) == 1
    assert err.startswith("assay: ")


MISTAKES = {
    "topic": (("--topics", "citys"), "Did you mean cities"),
    "fitter": (("--fitter", "logistics"), "Did you mean logistic"),
    "no number": (("--n", "many"), "valid integer"),
    "too few": (("--topics", "cities", "--n", "4"), "Give --n 10 or more."),
    "twice": (("--topics", "cities,cities"), "named twice"),
    "no model": (("--model", "smollm2-135"), "Did you mean smollm2-135m"),
    "no network": (("--model", "hf:/no/such/folder"), "/no/such/folder"),
}


@pytest.mark.parametrize("name", [name for name in MISTAKES if name != "no network"])
def test_a_mistake_is_one_sentence(name: str, home: Path, capsys: Capture) -> None:
    words, wanted = MISTAKES[name]
    one_sentence(capsys, wanted, "probe", *words)


def planted(samples: Any, *, signal: float, rng: np.random.Generator) -> dict[int, Any]:
    """States of width 8 in which layer 4 holds the truth and layer 2 holds nothing."""
    truth = np.array([one.target == name for one in samples for name in ("first", "second")])
    noise = {layer: rng.normal(size=(len(truth), 8)) for layer in (2, 4)}
    noise[4][:, 0] += signal * np.where(truth, 1.0, -1.0)
    return noise


def test_the_layer_that_holds_the_truth_is_chosen_and_controls_stay_at_a_half(capsys: Capture) -> None:
    samples = TwinsTask(topics=("cities", "capitals", "kinds")).samples(120, 0)
    rng = np.random.default_rng(0)
    states, bare = planted(samples, signal=3.0, rng=rng), planted(samples, signal=0.0, rng=rng)
    within, left_out = probing.sweep(samples, states, bare, "ridge", 0)
    for one in (within, left_out):
        assert one.layers[4] > 0.95
        assert abs(one.layers[2] - 0.5) < 0.1
        assert set(one.chosen) == {4}
        assert one.nested > 0.95
        assert set(one.controls) == {"untrained", "shuffled", "bag of words"}
        assert one.controls["shuffled"] < 0.7
    assert len(left_out.chosen) == 3
    # A network whose untrained twin knows the truth as well has learnt nothing.
    (broken, _) = probing.sweep(samples, states, states, "ridge", 0)
    assert "untrained" in broken.broken


def test_the_bounds_of_the_controls() -> None:
    controls = {"untrained": 0.56, "shuffled": 0.439, "bag of words": 0.561}
    assert probing.Sweep("x", {}, 0.9, (), controls).broken == ["shuffled", "bag of words"]


def test_two_topics_have_no_topic_left_out() -> None:
    samples = TwinsTask(topics=("cities", "capitals")).samples(40, 0)
    states = planted(samples, signal=2.0, rng=np.random.default_rng(0))
    assert [one.split for one in probing.sweep(samples, states, states, "mean-difference", 0)] == ["within topics"]


def test_bars_grow_by_eighths() -> None:
    assert [probing.bar(value) for value in (0.2, 0.5, 0.75, 1.0)] == ["", "", "█" * 12, "█" * 24]
    assert probing.bar(0.5 + 1 / (2 * 24 * 8)) == "▏"


def test_completion_goes_on_behind_a_comma() -> None:
    assert probing.topic_names("cities,cap") == ["cities,capitals"]


@pytest.mark.engine
def test_a_real_network_is_probed(home: Path, capsys: Capture) -> None:
    words = ("probe", "--topics", "cities,capitals,kinds", "--n", "24", "--step", "15", "--fitter", "ridge")
    code, out, err = command(capsys, *words, "--json")
    assert code == 0, err
    found = json.loads(out)
    assert found["statements"] == 48
    assert set(found["splits"]) == {"within topics", "topic left out"}
    within = found["splits"]["within topics"]
    assert set(within["layers"]) == {"15", "30"}
    assert within["controls"]["bag of words"] == pytest.approx(0.5, abs=0.2)
    code, out, err = command(capsys, *words)
    assert code == 0, err
    assert "controls: untrained" in out
    assert "█" in out
