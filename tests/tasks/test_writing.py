import math

import pytest

from assay.core import Answer, BadRequest, Ending, Finish, Task, UnknownName
from assay.tasks import WritingTask


def long(tokens: float, finish: Finish = Finish.STOP) -> Answer:
    return Answer("some words", finish=finish, measures={"tokens": tokens})


def test_there_are_more_than_two_hundred_prompts() -> None:
    samples = WritingTask().samples(10_000, 0)
    assert len(samples) == len({s.question for s in samples}) == len({s.id for s in samples})
    assert len(samples) >= 200
    assert len({s.meta["genre"] for s in samples}) == 10
    assert not any("{" in s.question for s in samples)


def test_a_seed_is_an_order() -> None:
    task = WritingTask()
    assert task.samples(60, 1) == task.samples(100, 1)[:60]
    assert task.samples(60, 1) != task.samples(60, 2)
    assert {s.id for s in task.samples(999, 1)} == {s.id for s in task.samples(999, 2)}


@pytest.mark.parametrize("tokens", [0, 1, 30, 255, 256])
def test_the_score_is_the_length_on_a_logarithmic_scale(tokens: int) -> None:
    task: Task = WritingTask(cap=256)
    outcome = task.score(task.samples(1, 0)[0], long(tokens))
    assert outcome.score == pytest.approx(math.log(1 + tokens) / math.log(257))
    assert outcome.detail == ""


def test_a_reply_cut_at_the_cap_is_flagged() -> None:
    task = WritingTask(cap=64)
    (sample,) = task.samples(1, 0)
    cut = task.score(sample, long(64, Finish.LENGTH))
    assert (cut.score, cut.detail) == (1.0, "capped")
    longer = task.score(sample, long(90))
    assert (longer.score, longer.detail) == (1.0, "capped")
    early = task.score(sample, long(10, Finish.LENGTH))
    assert early.detail == "capped"
    assert early.score == pytest.approx(math.log(11) / math.log(65))


def test_what_is_no_length_is_no_score() -> None:
    task = WritingTask()
    (sample,) = task.samples(1, 0)
    assert task.score(sample, Answer(" \n", measures={"tokens": 1})).ending is Ending.UNPARSED
    assert task.score(sample, Answer("words")).ending is Ending.ERRORED
    assert task.score(sample, long(math.nan)).ending is Ending.ERRORED
    assert task.score(sample, long(3, Finish.REFUSED)).ending is Ending.REFUSED


def test_bad_settings() -> None:
    with pytest.raises(BadRequest, match="cap must be between 1"):
        WritingTask(cap=0)
    with pytest.raises(UnknownName, match="no level named 'closed'"):
        WritingTask().samples(1, 0, "closed")
