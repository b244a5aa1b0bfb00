"""Zero-shot chain of thought, Kojima et al. 2022 (arXiv 2205.11916), and its control."""

from __future__ import annotations

import pytest

from assay.core import Ask, BudgetExceeded, Finish
from assay.tasks import multi_step
from assay.techniques.prompting import chain_of_thought, direct

from .by_hand import by_hand, says

# The first example of the paper's figure 1.
JUGGLER = (
    "A juggler can juggle 16 balls. Half of the balls are golf balls, and half of the golf balls are blue. "
    "How many blue golf balls are there?"
)
RATIONALE = (
    " There are 16 balls in total. Half of the balls are golf balls. That means that there are 8 golf balls. "
    "Half of the golf balls are blue. That means that there are 4 blue golf balls."
)
CUE = "Therefore, the answer (arabic numerals) is"


def test_the_papers_example_is_asked_in_two_steps() -> None:
    answer, asked = by_hand(chain_of_thought(JUGGLER, CUE), says(RATIONALE), says(" 4."))
    assert len(asked) == 2
    assert [len(step) for step in asked] == [1, 1]
    assert answer.text == " 4."
    assert multi_step().extract(answer.text) == "4"


def test_the_second_prefill_is_trigger_rationale_newline_cue() -> None:
    _, asked = by_hand(chain_of_thought(JUGGLER, CUE), says(RATIONALE), says(" 4."))
    assert asked[0][0].prefill == "Let's think step by step."
    assert asked[1][0].prefill == f"Let's think step by step.{RATIONALE}\n{CUE}"


def test_departure_1_the_question_is_the_users_turn_in_both_steps() -> None:
    """Trigger and rationale stand in the assistant's turn: the user says the question and nothing else."""
    _, asked = by_hand(chain_of_thought(JUGGLER, CUE), says(RATIONALE), says(" 4."))
    assert [step[0].prompt for step in asked] == [JUGGLER, JUGGLER]


@pytest.mark.parametrize("heading", ["Q:", "Question:", "Question 2:", "\n\nQ: "])
def test_departure_2_a_rationale_that_begins_another_question_is_cut_there(heading: str) -> None:
    rambling = f" So there are 4.\n{heading} A box holds 9 apples. How many?\nA: 9"
    answer, asked = by_hand(chain_of_thought(JUGGLER, CUE), says(rambling), says(" 4"))
    assert asked[1][0].prefill == f"Let's think step by step. So there are 4.\n{CUE}"
    assert answer.detail == " So there are 4."


def test_blank_space_behind_the_rationale_does_not_reach_the_second_step() -> None:
    _, asked = by_hand(chain_of_thought(JUGGLER, CUE), says(" 8 / 2 = 4. \n\n "), says(" 4"))
    assert asked[1][0].prefill.endswith(f" 8 / 2 = 4.\n{CUE}")


def test_an_empty_rationale_still_leads_to_the_cue() -> None:
    _, asked = by_hand(chain_of_thought(JUGGLER, CUE), says(""), says(" 4"))
    assert asked[1][0].prefill == f"Let's think step by step.\n{CUE}"


def test_a_truncated_rationale_goes_on_and_the_second_reply_decides_the_finish() -> None:
    """43 of 1319 published GSM8K replies were cut: that alone says nothing about the answer."""
    cut = says(" There are 16 balls and half", finish=Finish.LENGTH)
    answer, _ = by_hand(chain_of_thought(JUGGLER, CUE), cut, says(" 4", finish=Finish.STOP))
    assert answer.finish is Finish.STOP
    answer, _ = by_hand(chain_of_thought(JUGGLER, CUE), says(RATIONALE), says(" 4", finish=Finish.LENGTH))
    assert answer.finish is Finish.LENGTH


def test_the_authors_numbers_of_tokens_and_greedy_decoding() -> None:
    _, asked = by_hand(chain_of_thought(JUGGLER, CUE), says(RATIONALE), says(" 4"))
    assert [step[0].max_tokens for step in asked] == [128, 32]
    assert {step[0].temperature for step in asked} == {0.0}


def test_another_trigger_stands_in_both_steps() -> None:
    flow = chain_of_thought(JUGGLER, CUE, trigger="Abrakadabra!")
    _, asked = by_hand(flow, says(" 4 it is."), says(" 4"))
    assert [step[0].prefill[:12] for step in asked] == ["Abrakadabra!", "Abrakadabra!"]


def test_the_control_ends_in_the_same_cue_and_is_one_call() -> None:
    answer, asked = by_hand(direct(JUGGLER, CUE), says(" 8", finish=Finish.LENGTH))
    assert asked == [[Ask(JUGGLER, prefill=CUE, max_tokens=32)]]
    assert (answer.text, answer.finish) == (" 8", Finish.LENGTH)


def test_a_spent_budget_ends_it_with_that_error() -> None:
    flow = chain_of_thought(JUGGLER, CUE)
    next(flow)
    with pytest.raises(BudgetExceeded):
        flow.throw(BudgetExceeded("tokens", 10, 10))
