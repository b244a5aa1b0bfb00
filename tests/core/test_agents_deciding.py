"""Who decides: the model in a grammar or in its own words, or a policy as good as was measured."""

from __future__ import annotations

from statistics import mean

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.techniques.by_hand import by_hand, says

from assay.core import BadRequest, UnknownName, UserError, at_once
from assay.core.agents import Calibrated, ModelDecides, Question, correctness, decider_named

WHICH = Question("tool", "Which?", ("red key", "red", "map"), ("map",))
SOME = Question("new", "Which of these?", ("a", "b", "c", "d"), ("a", "b"), "select", most=4)
ORDER = Question("order", "How?", ("c", "a", "b"), ("a", "b", "c"), "order")


def test_the_model_is_held_to_the_options() -> None:
    found, ((request,), *_) = by_hand(ModelDecides().decide(WHICH), says("red key"))
    assert found == ("red key",)
    assert '"red key"' in request.grammar
    assert "map" in request.grammar
    assert "Answer with one of: red key; red; map." in request.prompt[-1].text


def test_what_is_right_is_never_in_a_prompt() -> None:
    told, untold = (Question("tool", "Which?", WHICH.options, right) for right in (("map",), ()))
    requests = [next(ModelDecides().decide(question)) for question in (told, untold)]
    assert requests[0] == requests[1]


def test_in_its_own_words_it_is_asked_once_more_and_no_more() -> None:
    decider = ModelDecides(constrained=False)
    found, asked = by_hand(decider.decide(WHICH), says("I would open the window."), says("Then the Map!"))
    assert found == ("map",)
    assert asked[0][0].grammar == ""
    assert "I would open the window." in asked[1][0].prompt[-1].text
    assert by_hand(decider.decide(WHICH), says("?"), says("mapping"))[0] == ()


def test_the_longest_option_that_stands_there_counts() -> None:
    found, _ = by_hand(ModelDecides(constrained=False).decide(SOME), says("d; a, and a again"))
    assert found == ("d", "a")
    assert by_hand(ModelDecides().decide(WHICH), says("reddish map"))[0] == ("map",)


def test_an_order_keeps_what_was_left_out() -> None:
    found, _ = by_hand(ModelDecides().decide(ORDER), says("b; c; b"))
    assert found == ("b", "c", "a")


@pytest.mark.parametrize("p", [0.3, 0.8, 1.0])
@pytest.mark.parametrize("question", [WHICH, SOME, ORDER])
def test_a_calibrated_policy_is_as_right_as_it_is_told(p: float, question: Question) -> None:
    policy = Calibrated(otherwise=p).seeded(3)
    shares = [correctness(question, at_once(policy.decide(question))) for _ in range(4000)]
    if question.form == "order":
        # Insertion stops at the first comparison that says so: errors of one do not reach all pairs.
        assert abs(mean(shares) - p) < 0.12
    else:
        assert abs(mean(shares) - p) < 0.03


def test_two_flows_with_one_seed_decide_alike_and_with_another_apart() -> None:
    def run(seed: int) -> list[tuple[str, ...]]:
        policy = Calibrated(otherwise=0.5).seeded(seed)
        return [at_once(policy.decide(WHICH)) for _ in range(40)]

    assert run(1) == run(1) != run(2)


@given(st.permutations(["a", "b", "c"]), st.floats(0, 1))
def test_an_order_is_always_a_permutation(options: list[str], p: float) -> None:
    question = Question("order", "How?", tuple(options), ("a", "b", "c"), "order")
    assert sorted(at_once(Calibrated(otherwise=p).seeded(0).decide(question))) == ["a", "b", "c"]


def test_correctness_of_each_form() -> None:
    assert correctness(WHICH, ("map",)) == 1
    assert correctness(WHICH, ("red",)) == correctness(WHICH, ()) == 0
    assert correctness(SOME, ("a", "c")) == 0.5
    assert correctness(ORDER, ("b", "a", "c")) == pytest.approx(2 / 3)


def test_drivers_by_name() -> None:
    assert decider_named("llm").driver == "llm"
    assert decider_named("constrained").driver == "constrained"
    assert decider_named("scripted").driver == "scripted"
    assert decider_named("calibrated:p=0.8,tool=0.5").driver == "calibrated:tool=0.50,p=0.80"
    measured = decider_named("calibrated", {"tool": 0.5}, "smollm2-135m")
    assert measured.driver == "calibrated:tool=0.50 measured on smollm2-135m"
    with pytest.raises(UserError, match="order"):
        at_once(measured.decide(ORDER))


@pytest.mark.parametrize(
    ("text", "says_what"),
    [
        ("oracle", "no driver"),
        ("calibrated", "calibrate"),
        ("llm:p=1", "no settings"),
        ("calibrated:p", "probability"),
        ("calibrated:p=2", "between 0 and 1"),
    ],
)
def test_what_is_no_driver_is_said(text: str, says_what: str) -> None:
    with pytest.raises(UserError, match=says_what):
        decider_named(text)


def test_unknown_drivers_get_suggestions() -> None:
    with pytest.raises(UnknownName, match="constrained"):
        decider_named("constraint")


@pytest.mark.parametrize("fields", [{"options": ()}, {"options": ("a", "a")}, {"right": ("z",)}])
def test_a_question_that_makes_no_sense_is_refused(fields: dict[str, tuple[str, ...]]) -> None:
    with pytest.raises(BadRequest):
        Question("x", "?", **{"options": ("a", "b"), **fields})
