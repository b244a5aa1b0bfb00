"""Runs on a scripted model with a planted truth: verdicts, endings, controls, resume."""

from __future__ import annotations

import asyncio
import dataclasses
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from assay.core import Ask, EndpointDown, Finish, ModelError, Reply, UserError
from assay.core.verdict import Verdict, Word
from assay.lab import dispatch
from assay.lab.driver import Driver
from assay.lab.plan import Plan
from assay.lab.session import Stamp, run_claim
from assay.lab.store import Store
from assay.models import Scripted

from . import planted


def run(tmp_path: Path, model: Any, name: str = "planted-aaaaa", **settings: Any) -> Verdict:
    """One run of the planted claim."""
    paper = settings.pop("paper", planted.paper())

    async def work() -> Verdict:
        store = Store(tmp_path / "assay.sqlite")
        driver = Driver(cache=store)
        try:
            plan = Plan(paper, paper.claims[0], **{"controls": ("format", "arm-swap"), **settings})
            stamp = Stamp("assay run planted", "0", "abc", {})
            return await run_claim(plan, model, name, store, driver, stamp, lambda event: None)
        finally:
            await driver.close()
            store.close()

    return asyncio.run(work())


def test_a_planted_effect_is_found_and_stops_early(tmp_path: Path) -> None:
    verdict = run(tmp_path, planted.model({"treatment": 0.8, "control": 0.3}))
    assert verdict.verdict is Word.HOLDS
    assert verdict.n < 100
    assert verdict.interval is not None
    assert 0 < verdict.interval[0] <= verdict.effect <= verdict.interval[1]  # type: ignore[operator]
    assert verdict.controls["arm_swap"].details["verdict"] != "holds"


def test_a_run_does_not_go_on_with_another_model(tmp_path: Path) -> None:
    right = {"treatment": 0.8, "control": 0.3}
    run(tmp_path, planted.model(right, name="first"), n=10)
    with pytest.raises(UserError, match="The model has changed since the run planted-aaaaa began"):
        run(tmp_path, planted.model(right, name="second"), n=20)
    assert run(tmp_path, planted.model(right, name="first"), n=20).n > 10


def test_a_run_that_was_noted_without_fingerprints_goes_on(tmp_path: Path) -> None:
    right = {"treatment": 0.8, "control": 0.3}
    run(tmp_path, planted.model(right, name="first"), n=10)
    with sqlite3.connect(tmp_path / "assay.sqlite") as noted:
        noted.execute("update run set config = '{}'")
    assert run(tmp_path, planted.model(right, name="second"), n=20).n > 10


def test_no_effect_is_not_found(tmp_path: Path) -> None:
    words = [
        run(
            tmp_path, planted.model({"treatment": 0.5, "control": 0.5}, seed), f"planted-{seed}", seed=seed
        ).verdict
        for seed in range(8)
    ]
    assert Word.HOLDS not in words


def test_an_effect_the_other_way_fails(tmp_path: Path) -> None:
    verdict = run(tmp_path, planted.model({"treatment": 0.3, "control": 0.8}))
    assert verdict.verdict is Word.FAILS
    assert verdict.effect is not None
    assert verdict.effect < 0


def test_both_arms_at_chance_are_the_floor_and_never_a_failure(tmp_path: Path) -> None:
    verdict = run(tmp_path, planted.model({"treatment": 0.0, "control": 0.0}))
    assert verdict.verdict is Word.UNDECIDED
    assert verdict.reason.startswith("floor")


def test_a_perfect_control_is_the_ceiling(tmp_path: Path) -> None:
    verdict = run(tmp_path, planted.model({"treatment": 1.0, "control": 1.0}), n=20)
    assert (verdict.verdict, verdict.reason.split(":")[0]) == (Word.UNDECIDED, "ceiling")


def test_usage_adds_up_to_what_the_model_was_asked(tmp_path: Path) -> None:
    model = planted.model({"treatment": 0.5, "control": 0.5})
    verdict = run(tmp_path, model, n=30, rule="fixed")
    arms = verdict.arms.values()
    assert sum(arm.tokens_out for arm in arms) == model.meter.generated_tokens
    assert sum(arm.tokens_in for arm in arms) == model.meter.prompt_tokens
    assert sum(arm.calls for arm in arms) == model.meter.requests == 60


def test_every_ending_is_counted_and_none_is_a_score(tmp_path: Path) -> None:
    endings = {
        0: Reply(" 5"),
        1: Reply(" no number at all"),
        2: Reply(" 12", finish=Finish.LENGTH),
        3: Reply("", finish=Finish.LENGTH),
        4: Reply("I cannot", finish=Finish.REFUSED),
    }

    def script(request: Ask, index: int) -> Reply:
        return endings[int(str(request.prompt).split()[2]) % 5]

    verdict = run(tmp_path, Scripted(script), n=60, rule="fixed")
    counts = verdict.arms["treatment"].endings
    assert set(counts) == {"scored", "unparsed", "truncated", "refused", "errored"}
    assert sum(counts.values()) == 60
    assert min(counts[e] for e in ("scored", "unparsed", "truncated", "refused")) > 0
    assert verdict.n == counts["scored"]


def test_unreadable_replies_cannot_make_a_verdict(tmp_path: Path) -> None:
    """The control is as good as the treatment wherever it answers at all: a format effect."""
    good = planted.model({"treatment": 0.9, "control": 0.9})

    def script(request: Ask, index: int) -> str | Reply:
        target = int(str(request.prompt).split()[2])
        if "[control]" in request.prefill and target % 10 < 7:
            return " I would rather not say."
        return good._script(request, index)

    verdict = run(tmp_path, Scripted(script))
    assert verdict.verdict is Word.UNDECIDED
    assert verdict.reason.startswith("unparsed")
    assert verdict.controls["format"].effect > 0.3  # type: ignore[operator]


def test_the_same_seed_gives_the_same_verdict_and_asks_nothing_again(tmp_path: Path) -> None:
    model = planted.model({"treatment": 0.7, "control": 0.5})
    first = run(tmp_path, model, "planted-1", controls=("placebo", "equal-spend", "format", "aa", "arm-swap"))
    asked = model.meter.requests
    again = run(tmp_path, model, "planted-2", controls=("placebo", "equal-spend", "format", "aa", "arm-swap"))
    assert model.meter.requests == asked
    assert dataclasses.replace(again, run="", created="") == dataclasses.replace(first, run="", created="")


def test_controls_show_what_the_treatment_owes_to_them(tmp_path: Path) -> None:
    """Two steps: the placebo gets another sample's thought. The answer here depends on the arm alone,
    so the placebo does exactly as well, and the verdict says so."""
    paper = planted.paper(n=120, steps=2)
    verdict = run(
        tmp_path,
        planted.model({"treatment": 0.8, "control": 0.3}),
        paper=paper,
        controls=("placebo", "equal-spend", "aa", "arm-swap"),
    )
    assert verdict.verdict is Word.HOLDS
    assert verdict.controls["placebo"].effect == 0
    assert any("placebo" in note for note in verdict.notes)
    assert verdict.controls["aa"].effect == 0
    assert verdict.controls["equal_spend"].n == verdict.n


def test_the_pilot_picks_the_level_in_the_middle_on_other_items(tmp_path: Path) -> None:
    paper = planted.paper(n=40, levels=("easy", "middling", "hard"), pilot=30)
    hardness = {"easy": 1.0, "middling": 0.5, "hard": 0.0}
    task = planted.Sums(levels=("easy", "middling", "hard"))
    by_question = {
        sample.question: level
        for level in task.levels
        for seed in (0, 7_919)
        for sample in task.samples(100, seed, level)
    }
    models = {level: planted.model({"treatment": p, "control": p}) for level, p in hardness.items()}
    model = Scripted(lambda request, i: models[by_question[str(request.prompt)]]._script(request, i))
    verdict = run(tmp_path, model, paper=paper, rule="fixed")
    assert verdict.level == "middling"
    assert "easy: 1.00" in verdict.notes[0]
    tests = {sample.id for sample in task.samples(40, 0, "middling")}
    pilots = {sample.id for level in task.levels for sample in task.samples(30, 7_919, level)}
    assert not tests & pilots


def test_a_budget_ends_the_run_with_what_stands(tmp_path: Path) -> None:
    model = planted.model({"treatment": 0.6, "control": 0.5})
    verdict = run(tmp_path, model, budget_tokens=400)
    spent = sum(arm.tokens_in + arm.tokens_out for arm in verdict.arms.values())
    assert verdict.reason == "budget"
    assert 300 < spent <= 400
    assert verdict.n > 10


def test_a_dead_endpoint_ends_the_run_and_a_resume_finishes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch, "FIRST_WAIT", 0.001)
    good = planted.model({"treatment": 0.8, "control": 0.3})
    answered = [0]

    def failing(request: Ask, index: int) -> str | Reply:
        answered[0] += 1
        if answered[0] > 20:
            raise EndpointDown("Nothing answers at http://nowhere.")
        return good._script(request, index)

    with pytest.raises(ModelError, match="assay resume planted-aaaaa"):
        run(tmp_path, Scripted(failing))
    resumed = run(tmp_path, Scripted(good._script))
    whole = (
        run(tmp_path / "elsewhere", Scripted(good._script)) if (tmp_path / "elsewhere").mkdir() is None else None
    )
    assert whole is not None
    assert (resumed.verdict, resumed.effect, resumed.n) == (whole.verdict, whole.effect, whole.n)


def test_faults_of_transport_on_some_samples_are_counted_and_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch, "FIRST_WAIT", 0.0001)
    good = planted.model({"treatment": 0.8, "control": 0.2})

    def flaky(request: Ask, index: int) -> str | Reply:
        if int(str(request.prompt).split()[2]) % 4 == 0:
            raise EndpointDown("half a body")
        return good._script(request, index)

    verdict = run(tmp_path, Scripted(flaky), n=60, rule="fixed")
    assert verdict.arms["treatment"].endings["errored"] > 5
    assert verdict.n + verdict.arms["treatment"].endings["errored"] == 60
    assert verdict.verdict is Word.HOLDS


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"size": "huge"}, "no size named 'huge'"),
        ({"controls": ("placebos",)}, "Did you mean placebo"),
        ({"n": 0}, "0 samples show nothing"),
        ({"budget_tokens": 0}, "A budget of 0 tokens buys nothing"),
        ({"level": "absurd"}, "no level 'absurd'"),
        ({"repeats": 0}, "0 repeats"),
    ],
)
def test_bad_wishes_are_refused_in_a_sentence(tmp_path: Path, settings: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError, match=words):
        run(tmp_path, planted.model({"treatment": 0.5, "control": 0.5}), **settings)


def test_repeats_are_averaged_within_a_sample(tmp_path: Path) -> None:
    model = planted.model({"treatment": 0.9, "control": 0.4})
    verdict = run(tmp_path, model, n=30, repeats=3, rule="fixed")
    assert verdict.n == 30
    assert verdict.arms["treatment"].n == 90
