"""Trends: from curves over seeds to a verdict, by hand and through a whole run without training."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest
import scipy.stats

from assay.core import Answer, Arm, Claim, EvidenceKind, Flow, Measure, Paper, Sample, Size, Task
from assay.core.answers import Curve, curve_text
from assay.core.verdict import Verdict, Word
from assay.lab.driver import Driver
from assay.lab.evidence import Pair, Question
from assay.lab.plan import CONTROLS, Plan
from assay.lab.session import Stamp, run_claim
from assay.lab.store import Store
from assay.lab.trend import TrendEvidence, band
from assay.models import Scripted
from assay.tasks import SeedsTask


def evidence(differences: list[float], direction: int = 1, least: float = 0.1) -> TrendEvidence:
    found = TrendEvidence(Question(least, direction, binary=False))
    for seed, difference in enumerate(differences):
        curve: Curve = ((0.0, 0.0), (1.0, difference), (2.0, 2 * difference + 0.01 * seed))
        found.add(Pair(f"seed-{seed}", 0.5 + difference, 0.5, curves=(curve, ())))
    return found


def test_the_interval_is_students_over_seeds() -> None:
    differences = [0.2, 0.3, 0.25, 0.4, 0.1]
    finding = evidence(differences).finding(complete=True)
    known = scipy.stats.t.interval(0.95, 4, np.mean(differences), scipy.stats.sem(differences))
    assert finding.word is Word.HOLDS
    assert finding.interval == pytest.approx(known)
    assert finding.test["p"] == pytest.approx(scipy.stats.ttest_1samp(differences, 0).pvalue)
    assert finding.test["sign_flip_p"] == pytest.approx(2 / 32)
    assert finding.test["page_p"] < 0.01
    assert finding.n == 5


@pytest.mark.parametrize(
    ("differences", "direction", "word", "reason"),
    [
        ([0.2, 0.3, 0.25], -1, Word.FAILS, "the other way"),
        ([0.2, -0.3, 0.25], 1, Word.UNDECIDED, "too few samples"),
        ([0.01, 0.012, 0.011], 1, Word.FAILS, "excludes the smallest effect"),
        ([0.01, -0.012, 0.011], 0, Word.HOLDS, "within the margin"),
        ([0.3, 0.31, 0.32], 0, Word.FAILS, "outside the margin"),
        ([0.0, 0.0, 0.0], 1, Word.UNDECIDED, "the same difference on every seed"),
        ([0.0, 0.0, 0.0], 0, Word.UNDECIDED, "the same difference on every seed"),
        ([0.3, 0.3], 1, Word.UNDECIDED, "the same difference on every seed"),
        ([0.3], 1, Word.UNDECIDED, "too few samples"),
        ([], 1, Word.UNDECIDED, "too few samples"),
    ],
)
def test_the_word_follows_the_interval(differences: list[float], direction: int, word: Word, reason: str) -> None:
    finding = evidence(differences, direction).finding(complete=True, out_of_samples="too few samples")
    assert finding.word is word
    assert reason in finding.reason
    assert evidence(differences, direction).finding(complete=False).word is Word.UNDECIDED


def test_the_band_is_over_seeds_that_share_their_doses() -> None:
    curves = [((0.0, 1.0), (1.0, 2.0)), ((0.0, 3.0), (1.0, 4.0)), ((0.0, 9.0),)]
    rows = band(curves)
    assert [row[:2] for row in rows] == [[0.0, 2.0], [1.0, 3.0]]
    assert rows[0][2] < 2.0 < rows[0][3]
    assert band([]) == []


def arm(name: str, height: float, slope: float, noise: float) -> Arm:
    def flow(sample: Sample, task: Task) -> Flow[Answer]:
        yield from ()
        shift = noise * np.random.default_rng([sample.meta["seed"], len(name)]).normal()
        return Answer(value=curve_text([(dose, height + (slope + shift) * dose) for dose in range(4)]))

    return Arm(name, flow, "a curve")


def run(claim: Claim, tmp_path: Path, size: str = "small") -> Verdict:
    paper = Paper("p", "P", "A", 2023, "https://x", "R62", "training", "Says.", "Reads.", (claim,))

    async def work() -> Verdict:
        store, driver = Store(tmp_path / "runs.sqlite"), Driver()
        try:
            plan = Plan(paper, claim, size=size, seed=4, controls=CONTROLS)
            model = Scripted(lambda request, index: "")
            return await run_claim(plan, model, "r-1", store, driver, Stamp("", "", ""), lambda event: None)
        finally:
            await driver.close()
            store.close()

    return asyncio.run(work())


def claim(treatment: Arm, control: Arm, task: SeedsTask, **other: object) -> Claim:
    sizes = {"small": Size(5, level="small"), "smoke": Size(2, level="smoke")}
    settings: dict[str, object] = {
        "measure": Measure.GRADED,
        "needs": frozenset(),
        "evidence": EvidenceKind.TREND,
        "equal_spend": False,
    }
    return Claim("c", "S.", treatment, control, task, 0.1, sizes, **(settings | other))  # type: ignore[arg-type]


def test_a_run_trains_from_every_seed_at_the_size_it_was_asked_for(tmp_path: Path) -> None:
    steep, flat = arm("steep", 0.0, 1.0, 0.05), arm("flat", 0.0, 0.0, 0.0)
    verdict = run(claim(steep, flat, SeedsTask("slope")), tmp_path)
    assert (verdict.verdict, verdict.n, verdict.level, verdict.evidence) == (Word.HOLDS, 5, "small", "trend")
    assert verdict.effect == pytest.approx(1.0, abs=0.1)
    assert [row[0] for row in verdict.arms["treatment"].details["band"]] == [0, 1, 2, 3]
    assert set(verdict.controls) == {"arm_swap"}
    assert verdict.controls["arm_swap"].details["verdict"] != "holds"
    assert Verdict.from_json(verdict.to_json()) == verdict


@pytest.mark.parametrize("direction", [1, 0])
def test_two_arms_that_learned_nothing_decide_nothing(direction: int, tmp_path: Path) -> None:
    low, lower = arm("low", 0.04, 0.0, 0.001), arm("lower", 0.01, 0.0, 0.001)
    verdict = run(claim(low, lower, SeedsTask(chance=0.0), direction=direction), tmp_path)
    assert (verdict.verdict, verdict.reason) == (Word.UNDECIDED, "floor")
    assert "guess" in verdict.notes[0]


def test_seeds_of_two_runs_are_never_the_same() -> None:
    task = SeedsTask()
    one, other = task.samples(10, 1, "small"), task.samples(10, 2, "small")
    assert not {s.meta["seed"] for s in one} & {s.meta["seed"] for s in other}
    assert {s.meta["size"] for s in one} == {"small"}
    assert task.extract("no curve") is None
    assert task.score(one[0], Answer(value=None)).score is None
    assert SeedsTask("last").score(one[0], Answer(value="[[0, 1.0], [1, 3.0]]")).score == 3.0
    assert SeedsTask("slope").score(one[0], Answer(value="[[0, 1.0], [1, 3.0]]")).score == 2.0
    assert SeedsTask("mean").score(one[0], Answer(value="[[0, 1.0], [1, 3.0]]")).score == 2.0
