"""Instruction induction: rules with items that do not run out, and right outputs."""

from __future__ import annotations

import pytest

from assay.core import Answer, Ending, UnknownName
from assay.tasks.facts.words import kinds
from assay.tasks.instructions import PARTS, RULES, InstructionsTask

RIGHT = {
    "sentiment": lambda asked, told: told in ("positive", "negative"),
    "find the bird": lambda asked, told: [w for w in asked.split(", ") if w in kinds()["bird"]] == [told],
    "larger number": lambda asked, told: int(told) == max(map(int, asked.split(", "))),
    "plural": lambda asked, told: told.endswith("s") and told[:4] == asked[:4],
    "last word": lambda asked, told: asked.split()[-1] == told,
    "sum": lambda asked, told: sum(map(int, asked.split())) == int(told),
}


@pytest.mark.parametrize("rule", RULES)
def test_every_item_follows_its_rule(rule: str) -> None:
    samples = InstructionsTask().samples(150, 2, rule)
    assert len({sample.id for sample in samples}) == 150
    assert all(RIGHT[rule](sample.question, sample.target) for sample in samples)


@pytest.mark.parametrize("rule", RULES)
def test_seeds_share_no_item_unless_they_agree_modulo_the_parts(rule: str) -> None:
    task = InstructionsTask()
    parts = [{sample.id for sample in task.samples(60, seed, rule)} for seed in range(PARTS)]
    assert sum(map(len, parts)) == len(set().union(*parts))


def test_an_output_is_right_whatever_its_case_and_end_mark() -> None:
    task = InstructionsTask()
    (sample,) = task.samples(1, 0, "sum")
    assert task.score(sample, Answer(f" {sample.target}.")).score == 1.0
    assert task.score(sample, Answer(" 999")).score == 0.0
    assert task.score(sample, Answer("")).ending is Ending.UNPARSED
    assert InstructionsTask(scored="likelihood").score(sample, Answer(measures={"likelihood": 0.3})).score == 0.3


def test_what_cannot_be_is_said() -> None:
    with pytest.raises(UnknownName, match="plural"):
        InstructionsTask().samples(1, 0, "plurals")
    assert 200 < len(InstructionsTask().samples(50_000, 0, "plural")) < 1000
