"""Controls made out of an arm: another sample's replies, resampling, forced choice."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from assay.core import (
    Answer,
    Ask,
    BudgetExceeded,
    Ended,
    Execute,
    Execution,
    Finish,
    Flow,
    Reply,
    Sample,
    Score,
    Scores,
    ask,
    execute,
)
from assay.lab.transforms import donated, forced, resampled
from assay.tasks import FactsTask
from assay.techniques.prompting import chain_of_thought, direct
from tests.techniques.by_hand import by_hand, says

from .planted import Sums

CUE = "Therefore, the answer is"
YES_NO = Sample("s", "Is fire hot?", "yes", choices=("yes", "no"))


# --- placebo


def test_a_donated_flow_begins_with_its_second_step() -> None:
    """The rationale of another question is thought, and the own question is answered."""
    flow = donated(chain_of_thought("How many legs has a dog?", CUE), says(" A spider has eight.")[0:1])
    answer, asked = by_hand(flow, says(" 4"))
    assert [step[0].prompt for step in asked] == ["How many legs has a dog?"]
    assert asked[0][0].prefill == f"Let's think step by step. A spider has eight.\n{CUE}"
    assert answer.text == " 4"


def test_a_donated_flow_of_one_step_asks_nothing() -> None:
    with pytest.raises(StopIteration) as stop:
        next(donated(direct("q", CUE), says(" 8")))
    assert stop.value.value.text == " 8"


# --- equal spend


def draws(text: str = "q", temperature: float = 0.0) -> Flow[Answer]:
    (reply,) = yield from ask(Ask(text, temperature=temperature))
    return Answer(reply.text, finish=reply.finish)


def test_all_draws_go_out_in_one_step_and_are_voted_on() -> None:
    replies = [says(text)[0] for text in (" 4", " 5", " 5.0")]
    answer, asked = by_hand(resampled(draws, Sums(), 3), replies)
    assert [len(step) for step in asked] == [3]
    assert (answer.value, answer.votes) == ("5", (("5", 2), ("4", 1)))


def asked_of(flow: Flow[Any]) -> list[Ask]:
    """The questions of the first step."""
    return [request for request in next(flow) if isinstance(request, Ask)]


@pytest.mark.parametrize(("temperature", "sampled"), [(0.0, 0.7), (0.3, 0.3)])
def test_the_temperature_changes_only_where_it_is_zero(temperature: float, sampled: float) -> None:
    """Greedy draws would all be the same one; draws that are sampled already keep their temperature."""
    asked = asked_of(resampled(lambda: draws(temperature=temperature), Sums(), 2))
    assert [request.temperature for request in asked] == [sampled, sampled]


def test_nothing_but_the_temperature_is_changed() -> None:
    wanted = Ask("q", prefill="p", max_tokens=7, stop=("x",), seed=3)
    (changed,) = asked_of(resampled(lambda: _asking(wanted), Sums(), 1))
    assert dataclasses.replace(changed, temperature=0.0) == wanted


def _asking(request: Ask) -> Flow[Answer]:
    (reply,) = yield from ask(request)
    return Answer(reply.text)


def test_what_is_no_question_to_a_model_is_left_alone() -> None:
    def runs() -> Flow[Answer]:
        execution = yield from execute(Execute("1 + 1"))
        return Answer(str(execution.value))

    answer, asked = by_hand(resampled(runs, Sums(), 2), [Execution(Ended.OK, 2), Execution(Ended.OK, 2)])
    assert asked == [[Execute("1 + 1"), Execute("1 + 1")]]
    assert answer.value == "2"


def test_the_answer_a_technique_found_itself_is_its_vote() -> None:
    def valued() -> Flow[Answer]:
        (reply,) = yield from ask(Ask("q"))
        return Answer("the words say 1", value=reply.text)

    answer, _ = by_hand(resampled(valued, Sums(), 2), [says("7")[0], says("7")[0]])
    assert answer.votes == (("7", 2),)


def test_draws_without_an_answer_give_none() -> None:
    answer, _ = by_hand(resampled(draws, Sums(), 2), [says(" well")[0], says(" hm")[0]])
    assert (answer.value, answer.votes) == (None, ())


def test_the_first_draw_alone_does_not_decide_the_ending() -> None:
    replies = [says("", finish=Finish.REFUSED)[0], *(says(" 5")[0] for _ in range(4))]
    answer, _ = by_hand(resampled(draws, Sums(), 5), replies)
    outcome = FactsTask().score(YES_NO, dataclasses.replace(answer, value="yes"))
    assert (answer.value, outcome.ending.value) == ("5", "scored")


def test_a_spent_budget_reaches_the_flows_inside() -> None:
    def patient() -> Flow[Answer]:
        try:
            yield from ask(Ask("q"))
        except BudgetExceeded:
            return Answer(value="3")
        return Answer()

    flow = resampled(patient, Sums(), 2)
    next(flow)
    with pytest.raises(StopIteration) as stop:
        flow.throw(BudgetExceeded("tokens", 1, 1))
    assert stop.value.value.value == "3"


# --- forced choice


def test_the_question_that_ends_in_the_cue_becomes_a_scoring_of_the_choices() -> None:
    answer, asked = by_hand(forced(direct(YES_NO.question, CUE), YES_NO, CUE), [Scores((-2.0, -1.0), (1, 1))])
    assert asked == [[Score("Is fire hot?", (" yes", " no"), prefill=CUE)]]
    assert answer.text == " no"
    assert FactsTask().extract(answer.text) == "no"


def test_steps_before_the_cue_stay_as_they_are() -> None:
    flow = forced(chain_of_thought(YES_NO.question, CUE), YES_NO, CUE)
    answer, asked = by_hand(flow, says(" Fire burns."), [Scores((-1.0, -2.0), (1, 1))])
    assert asked[0] == [Ask("Is fire hot?", prefill="Let's think step by step.", max_tokens=128)]
    assert asked[1] == [
        Score("Is fire hot?", (" yes", " no"), prefill=f"Let's think step by step. Fire burns.\n{CUE}")
    ]
    assert (answer.text, answer.detail) == (" yes", " Fire burns.")


def test_without_a_cue_nothing_is_forced() -> None:
    """Every text ends in an empty cue."""
    _, asked = by_hand(forced(direct("q", CUE), YES_NO, ""), says(" yes"))
    assert isinstance(asked[0][0], Ask)


def test_the_forced_reply_carries_the_prompts_tokens() -> None:
    def seen() -> Flow[Any]:
        (reply,) = yield from ask(Ask("q", prefill=CUE))
        return reply

    reply, _ = by_hand(forced(seen(), YES_NO, CUE), [Scores((-1.0, -2.0), (1, 1), tokens_in=17)])
    assert reply == Reply(" yes", tokens_in=17)
