"""Blocks of questions and prompts without a right answer: what is asked, and what is scored."""

from __future__ import annotations

import pytest

from assay.core import Answer
from assay.tasks.facts.recall import RecallTask
from assay.tasks.writing.naming import NamingTask
from assay.techniques.search.branching import short_answer


@pytest.mark.parametrize("task", [RecallTask(), NamingTask()])
def test_samples_repeat_and_seeds_share_none(task: RecallTask | NamingTask) -> None:
    samples = task.samples(20, 3)
    assert samples == task.samples(20, 3)
    assert samples[:7] == task.samples(7, 3)
    assert len({sample.id for sample in samples}) == len(samples) == 20
    assert not {sample.id for sample in samples} & {sample.id for sample in task.samples(20, 4)}
    assert task.score(samples[0], Answer(measures={task.scored: 0.5})).score == 0.5


def test_no_question_stands_in_two_blocks() -> None:
    questions = [one for sample in RecallTask().samples(10**6, 0) for one in sample.meta["questions"]]
    assert len({one.question for one in questions}) == len(questions) > 300
    # What is asked for can be read back from the words that name it.
    assert all(short_answer(f" {one.target}.") == one.target.casefold() for one in questions)
