"""Errands: what the world says, what it keeps to itself, and what one would do who understood."""

from __future__ import annotations

import pytest

from assay.core import Answer, Ending, UnknownName, at_once
from assay.tasks import ErrandsTask
from assay.tasks.worlds import Errand, ErrandWorld, Thing

SMALL = Errand(
    (
        Thing("oak chest", 2, needs=("brass key", "red map")),
        Thing("brass key", mentions=("wool coat",)),
        Thing("red map"),
        Thing("wool coat", use=False),
        Thing("tin bell", reachable=False),
    ),
    ("oak chest",),
    10,
)


def tried(world: ErrandWorld, *names: str) -> list[str]:
    return [at_once(world.act(world.call_of(f"get the {name}"))) for name in names]


def test_a_thing_says_what_it_needs_and_then_can_be_got() -> None:
    world = ErrandWorld(SMALL)
    assert world.objective == "Get the oak chest."
    assert [world.call_of(option).spelled for option in world.which_call("", []).options] == [
        '{"tool": "get", "arguments": {"thing": "oak chest"}}'
    ]
    said = tried(world, "oak chest", "brass key", "red map", "oak chest")
    assert said == [
        "You cannot get the oak chest without the brass key and the red map.",
        "You have the brass key now. A note on it speaks of the wool coat.",
        "You have the red map now.",
        "You have the oak chest now.",
    ]
    assert world.finished == "done"
    assert world.measures() == {"goals": 1.0, "actions": 4.0, "waste": 0.25, "spent": 0.6}


def test_dead_ends_errors_and_repetitions_cost_and_bring_nothing() -> None:
    world = ErrandWorld(SMALL, heard=["oak chest", "wool coat", "tin bell"])
    said = tried(world, "wool coat", "wool coat", "tin bell", *["tin bell"] * 7)
    assert said[:3] == [
        "You have the wool coat now. It is of no use.",
        "You have the wool coat already.",
        "Error 503: the tin bell cannot be reached.",
    ]
    assert world.finished == "spent"
    tried(world, "tin bell", "tin bell")
    assert world.measures()["spent"] == 1.0
    assert world.measures()["waste"] == 1.0


def test_what_is_right_rests_on_what_was_seen_and_nothing_else() -> None:
    world = ErrandWorld(SMALL)
    seen = tried(world, "oak chest")
    task = "get the oak chest"
    assert world.which_call(task, []).right == ("get the oak chest",)
    assert world.which_call(task, seen).right == ("get the brass key",)
    seen += tried(world, "brass key")
    assert world.which_call(task, seen).right == ("get the red map",)
    assert world.which_call(task, seen[:1]).right == ("get the brass key",)
    assert world.is_done("get the brass key", seen)
    assert not world.is_done("get the brass key", seen[:1])


def test_new_tasks_are_what_is_missing_and_then_what_it_is_missing_for() -> None:
    world = ErrandWorld(SMALL)
    (result,) = tried(world, "oak chest")
    question = world.which_tasks(result, ("get the red map",))
    assert question is not None
    assert question.form == "select"
    assert question.right == ("get the brass key", "get the oak chest")
    assert world.which_tasks("Nothing happened.", ()) is None


def test_what_others_need_comes_first_and_what_is_had_last() -> None:
    world = ErrandWorld(SMALL)
    seen = tried(world, "oak chest", "red map")
    order = world.which_order(("get the red map", "get the oak chest", "get the brass key"), seen)
    assert order.right == ("get the brass key", "get the oak chest", "get the red map")


@pytest.mark.parametrize("level", ErrandsTask().levels)
def test_who_decides_rightly_reaches_every_goal_that_can_be_reached(level: str) -> None:
    for sample in ErrandsTask().samples(60, 3, level):
        task = ErrandsTask()
        world = task.world(sample)
        seen: list[str] = []
        while not world.finished and (right := world.which_call("", seen).right):
            seen.append(at_once(world.act(world.call_of(right[0]))))
        errand = sample.meta["errand"]
        reachable = [goal for goal in errand.goals if goal in errand.needed()]
        assert world.measures()["goals"] == len(reachable) / len(errand.goals)
        outcome = task.score(sample, Answer(measures=world.measures()))
        assert outcome.ending is Ending.SCORED
        assert outcome.score == world.measures()["goals"]


def test_worlds_are_the_same_for_a_seed_and_apart_for_another() -> None:
    task = ErrandsTask()
    first, again, other = (task.samples(30, seed) for seed in (1, 1, 2))
    assert first == again
    assert not {s.id for s in first} & {s.id for s in other}
    assert task.samples(10, 1) == first[:10]
    with pytest.raises(UnknownName, match="easy"):
        task.samples(1, 0, "esy")


def test_decisions_of_every_kind_have_a_right_answer_among_their_options() -> None:
    questions = ErrandsTask().questions(120, 0)
    assert len(questions) == 120
    assert {question.kind for question in questions} == {"tool", "new tasks", "order"}
    assert all(question.right for question in questions if question.form != "select")


def test_an_answer_without_measures_is_no_zero() -> None:
    (sample,) = ErrandsTask().samples(1, 0)
    assert ErrandsTask().score(sample, Answer("I did it")).ending is Ending.UNPARSED
