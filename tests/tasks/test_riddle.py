"""Twenty questions in a closed world: the table, the dialogue, and what fits it."""

from __future__ import annotations

import pytest

from assay.core import Answer, Ending, UnknownName
from assay.tasks.games.riddle import OBJECTS, QUESTIONS, RiddleTask, consistent, intended


def test_there_are_64_objects_and_24_attributes_all_used() -> None:
    assert len(OBJECTS) == 64
    assert len(QUESTIONS) == 24
    used = set("".join(OBJECTS.values()))
    assert used == set(QUESTIONS)
    assert all(list(attributes) == sorted(set(attributes)) for attributes in OBJECTS.values())


def test_no_question_has_the_same_answer_for_every_object() -> None:
    for key in QUESTIONS:
        assert 0 < sum(key in attributes for attributes in OBJECTS.values()) < 64


def test_what_must_be_true_of_all_objects_is() -> None:
    for name, attributes in OBJECTS.items():
        living = {"b", "c"} & set(attributes)
        assert ("a" in attributes) == bool(living) or "d" in attributes, name
        assert not {"b", "c"} <= set(attributes), name
        assert not ("a" in attributes and "v" in attributes), name
        assert not {"e", "f"} <= set(attributes), name


@pytest.mark.parametrize("turns", [0, 3, 12, 24])
def test_the_secret_always_fits_its_own_answers(turns: int) -> None:
    for sample in RiddleTask().samples(50, 1, "12"):
        dialogue = intended(sample, turns)
        fitting = consistent(dialogue)
        assert len(dialogue) == turns
        assert sample.meta["secret"] in fitting
        assert len(fitting) == 64 if turns == 0 else len(fitting) < 64
        more = consistent(intended(sample, turns + 1))
        assert set(more) <= set(fitting)


def test_games_are_the_same_for_a_seed_and_apart_for_another() -> None:
    task = RiddleTask()
    assert task.samples(20, 1) == task.samples(20, 1)
    assert not {s.id for s in task.samples(20, 1)} & {s.id for s in task.samples(20, 2)}
    with pytest.raises(UnknownName):
        task.samples(1, 0, "7")


def test_scores_are_the_measure_that_was_chosen_or_the_slope() -> None:
    (sample,) = RiddleTask().samples(1, 0)
    assert RiddleTask().score(sample, Answer(measures={"entropy": 0.5})).score == 0.5
    assert RiddleTask().score(sample, Answer("the owl")).ending is Ending.UNPARSED
    curve = RiddleTask(summary="slope")
    assert curve.score(sample, Answer(value="[[0, 6], [3, 4.5], [6, 3]]")).score == pytest.approx(-0.5)
    assert curve.score(sample, Answer(value="[[0, 6]]")).ending is Ending.UNPARSED
