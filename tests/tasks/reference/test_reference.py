"""Questions whose answers stand in a work of reference: right targets, seeds apart, and what a reply must say."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from assay.core import Answer, BadRequest, Ending, UnknownName
from assay.tasks import DictionaryTask, RegisterTask, WeekdayTask


@pytest.mark.parametrize("level", WeekdayTask().levels)
def test_the_day_is_right_counted_from_the_day_that_is_told(level: str) -> None:
    for sample in WeekdayTask().samples(60, 0, level):
        day = date.fromisoformat(sample.meta["today"]) + timedelta(sample.meta["offset"])
        assert sample.target == f"{day:%A}"
    offsets = {sample.meta["offset"] for sample in WeekdayTask().samples(60, 0, level)}
    assert offsets == {"today": {0}, "near": {-1, 0, 1}, "days": {2, 3, 4, 5, 6}}[level]


def test_samples_of_two_seeds_share_nothing() -> None:
    for task in (WeekdayTask(), RegisterTask(), DictionaryTask()):
        one, other = (task.samples(200, seed) for seed in (0, 1))
        assert not {sample.id for sample in one} & {sample.id for sample in other}
        assert task.samples(20, 0) == task.samples(200, 0)[:20]


def test_the_beginning_of_many_weekdays_is_few_weekdays() -> None:
    assert WeekdayTask().samples(5, 3, "near") == WeekdayTask().samples(40, 3, "near")[:5]


def test_a_level_that_is_not_there() -> None:
    with pytest.raises(UnknownName, match="nearly"):
        WeekdayTask().samples(1, 0, "nearly")


def test_every_question_of_the_register_is_answered_by_one_document() -> None:
    samples = RegisterTask().samples(300, 2)
    assert len(samples) == len({sample.question for sample in samples}) == 300
    for sample in samples:
        documents = sample.meta["documents"]
        assert len(documents) == 300
        asked = set(sample.question.rstrip("?").lower().split())
        assert any(text.split()[0] in asked and text.endswith(f" {sample.target}.") for text in documents)


def test_the_dictionary_translates_what_is_asked() -> None:
    for sample in DictionaryTask().samples(50, 4):
        words = sample.question.split("'")[1].split()
        assert " ".join(sample.meta["dictionary"][word] for word in words) == sample.target
    with pytest.raises(BadRequest):
        DictionaryTask().samples(10_000, 0)


@pytest.mark.parametrize(
    ("reply", "score"),
    [("The answer is Red house.", 1.0), ("red house", 1.0), ("The answer is house red.", 0.0), ("a red house", 1)],
)
def test_both_words_count_in_their_order(reply: str, score: float) -> None:
    task = DictionaryTask()
    sample = next(s for s in task.samples(300, 0) if s.target == "red house")
    assert task.score(sample, Answer(reply)).score == score
    assert task.score(sample, Answer(" ")).ending is Ending.UNPARSED


def test_a_weekday_is_read_among_words() -> None:
    task = WeekdayTask()
    (sample,) = task.samples(1, 0)
    assert task.score(sample, Answer(f"So it is {sample.target}, I think.")).score == 1
    assert task.score(sample, Answer("I do not know.")).ending is Ending.UNPARSED
