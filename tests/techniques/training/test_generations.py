"""Generations: what each one reads, what is measured of it, and the theory of the smallest ones."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy
import pytest

from assay.core.errors import BadRequest
from assay.tasks.language import Gaussian, Markov, Ngram, TwoHumps
from assay.techniques.training.fitted_generations import FittedGenerations
from assay.techniques.training.generations import TEXTS, Generation, _compared, line_of
from assay.techniques.training.organisms.loop import Schedule
from assay.techniques.training.organisms.network import Tiny

from .by_hand import Here

SOURCE = Markov(symbols=12, length=16)
FIRST = Generation(
    "g", SOURCE, count=20, kept=0.25, start=Tiny(32, 1, 2, context=24), schedule=Schedule(steps=4, batch=8)
)


def made(line: list[Generation], root: Path) -> list[dict[str, Any]]:
    """What each generation read and wrote, with its numbers."""
    folders: dict[Any, Path] = {}
    found = []
    for generation in line:
        folder = root / generation.hash
        folder.mkdir(parents=True, exist_ok=True)
        work = generation.make(Here(folder, folders))
        folders[generation] = folder
        found.append(json.loads((folder / TEXTS).read_text()) | {"numbers": work.numbers})
    return found


def test_replace_keep_accumulate_and_fresh_read_what_they_say(tmp_path: Path) -> None:
    by_policy = {
        policy: made(line_of(FIRST, 2, policy=policy), tmp_path / policy)
        for policy in ("replace", "keep", "accumulate", "fresh")
    }
    zero = by_policy["replace"][0]
    for line in by_policy.values():
        assert line[0]["set"] == zero["set"]
        assert line[0]["written"] == zero["written"]
        assert all(len(text) == 16 and set(text) <= set(SOURCE.alphabet) for text in line[1]["written"])
    assert by_policy["replace"][1]["set"] == zero["written"]
    assert by_policy["replace"][2]["set"] == by_policy["replace"][1]["written"]
    assert by_policy["keep"][1]["set"] == zero["set"][:5] + zero["written"][:15]
    assert by_policy["accumulate"][1]["set"] == zero["set"] + zero["written"]
    assert len(by_policy["accumulate"][2]["set"]) == 60
    assert len(by_policy["fresh"][1]["set"]) == 20
    assert not set(by_policy["fresh"][1]["set"]) & set(zero["set"] + zero["written"])
    numbers = by_policy["replace"][2]["numbers"]
    assert numbers["generation"] == 2
    assert numbers["divergence"] > 0
    assert 0 < numbers["entropy"] <= math.log(12) + 1e-6


def test_texts_go_on_from_real_prefixes_and_beams_all_write_the_likeliest(tmp_path: Path) -> None:
    (sampled,) = made([FIRST.__class__(**{**vars(FIRST), "prefix": 6})], tmp_path)
    (beamed,) = made([FIRST.__class__(**{**vars(FIRST), "prefix": 6, "beams": 3})], tmp_path)
    assert [text[:6] for text in sampled["written"]] == [text[:6] for text in beamed["written"]]
    assert len({text[6:] for text in beamed["written"]}) < len({text[6:] for text in sampled["written"]})
    with pytest.raises(BadRequest, match="Beams need a prefix"):
        Generation("x", SOURCE, beams=5)


def test_measures_are_exact_on_tables_that_are_known() -> None:
    truth = SOURCE.transitions()
    with numpy.errstate(divide="ignore"):
        at_truth = _compared(truth, numpy.log(truth))
    assert at_truth["divergence"] == pytest.approx(0.0, abs=1e-12)
    assert at_truth["entropy"] == pytest.approx(at_truth["true_entropy"])
    assert at_truth["tail"] == pytest.approx(at_truth["true_tail"])
    uniform = numpy.full_like(truth, 1 / 12)
    found = _compared(truth, numpy.log(uniform))
    assert found["entropy"] == pytest.approx(math.log(12))
    assert found["divergence"] == pytest.approx(math.log(12) - found["true_entropy"])


def test_a_gaussian_keeps_its_variance_on_average_and_loses_its_logarithm(tmp_path: Path) -> None:
    """Shumailov et al.: the unbiased variance is a martingale, so E[var_n] = 1, and yet it tends to 0."""
    lines = [
        FittedGenerations("g", Gaussian(), generations=5, count=50, seed=seed).make(Here(tmp_path)).numbers
        for seed in range(400)
    ]
    last = numpy.array([line["log_deviation"][5][1] for line in lines])
    variances = numpy.exp(2 * last)
    error = variances.std(ddof=1) / math.sqrt(len(variances))
    assert abs(variances.mean() - 1) < 3 * error
    # E[log chi2_k / k] is about -1/k: six fits lose 6 / (2 * 49) of the log deviation.
    error = last.std(ddof=1) / math.sqrt(len(last))
    assert abs(last.mean() + 6 / (2 * 49)) < 3 * error
    assert last.mean() < -3 * error


@pytest.mark.parametrize("fitting", [Gaussian(), TwoHumps(), Ngram(SOURCE)], ids=lambda f: type(f).__name__)
@pytest.mark.parametrize("policy", ["replace", "keep", "accumulate", "fresh"])
def test_every_fit_goes_through_every_policy(fitting: Any, policy: Any, tmp_path: Path) -> None:
    recipe = FittedGenerations("f", fitting, policy, generations=4, count=40, seed=1)
    numbers = recipe.make(Here(tmp_path)).numbers
    points = numbers["points"]
    assert points == (40 * (1 + 2 + 3 + 4 + 5) if policy == "accumulate" else 200)
    for name in set(numbers) - {"points"}:
        assert [generation for generation, _ in numbers[name]] == [0, 1, 2, 3, 4]
        assert all(math.isfinite(value) for _, value in numbers[name])
    assert recipe.make(Here(tmp_path)).numbers == numbers


def test_an_ngram_writes_as_it_read() -> None:
    """The table's own texts, counted again, give the table back."""
    rng = numpy.random.default_rng(0)
    fitting = Ngram(SOURCE)
    table = fitting.fit(fitting.real(400, rng), rng)
    again = fitting.fit(fitting.sample(table, 4000, rng), rng)
    seen = SOURCE.stationary() > 0.05
    assert numpy.abs(table - again)[seen].max() < 0.05
    assert fitting.measured(table)["divergence"] < 0.1


@pytest.mark.parametrize("wrong", [{"policy": "mix"}, {"count": 1}, {"kept": 2.0}, {"generations": 0}], ids=str)
def test_what_makes_no_line_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadRequest):
        FittedGenerations("f", Gaussian(), **wrong)
