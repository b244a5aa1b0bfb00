"""Self-consistency, Wang et al. 2022 (arXiv 2203.11171), its control and its equal spend."""

from __future__ import annotations

import pytest

from assay.core import Ask, Finish, Reply
from assay.core.answers import extract_last
from assay.tasks import multi_step
from assay.techniques.search import one_chain, rethink, self_consistency

from .by_hand import by_hand, says

# Figure 1 of the paper: three chains on one question, two of which arrive at $18.
EGGS = (
    "Janet's ducks lay 16 eggs per day. She eats three for breakfast every morning and bakes muffins for her "
    "friends every day with four. She sells the remainder for $2 per egg. How much does she make every day?"
)
CHAINS = (
    "She has 16 - 3 - 4 = 9 eggs left. So she makes $2 * 9 = $18 per day.",
    "This means she sells the remainder for $2 * (16 - 4 - 3) = $26 per day. The answer is $26.",
    "She eats 3 for breakfast, so she has 16 - 3 = 13 left. Then she bakes muffins, so she has 13 - 4 = 9 "
    "eggs left. So she has 9 eggs * $2 = $18.",
)


def test_the_papers_example_is_decided_two_to_one() -> None:
    answer, _ = by_hand(self_consistency(EGGS, n=3), says(*CHAINS))
    assert answer.value == "18"
    assert answer.votes == (("18", 2), ("26", 1))
    assert answer.measures["confidence"] == pytest.approx(2 / 3)


def test_all_chains_are_asked_for_in_one_step() -> None:
    _, asked = by_hand(self_consistency(EGGS, n=3, temperature=0.5, max_tokens=64), says(*CHAINS))
    wanted = Ask(EGGS, prefill="Let's think step by step.", n=3, temperature=0.5, max_tokens=64)
    assert asked == [[wanted]]


def test_departure_1_the_chain_is_zero_shot() -> None:
    """One user turn and no worked example before it."""
    _, asked = by_hand(self_consistency(EGGS, n=3), says(*CHAINS))
    assert asked[0][0].prompt == EGGS


def test_one_number_in_three_spellings_is_one_class() -> None:
    answer, _ = by_hand(self_consistency("q", extract=lambda text: text, n=3), says("8", "8.0", " 8 "))
    assert answer.votes == (("8", 3),)
    assert answer.measures["confidence"] == 1.0


def test_plurality_wins_with_thirty_percent_right_against_ten_times_seven_wrong() -> None:
    """A vote over scores instead of answers (as in some harnesses) would call this wrong."""
    texts = [f"The answer is {number}." for number in (7, 11, 12, 7, 13, 14, 15, 16, 17, 7)]
    answer, _ = by_hand(self_consistency("q", n=10), says(*texts))
    assert answer.value == "7"
    assert answer.votes[0] == ("7", 3)
    assert answer.measures["confidence"] == pytest.approx(0.3)


def test_without_any_vote_there_is_no_value_and_no_confidence() -> None:
    answer, _ = by_hand(self_consistency("q", n=3), says("Well.", "", "I wonder."))
    assert (answer.value, answer.votes, dict(answer.measures)) == (None, (), {})
    assert answer.detail == "no chain ended in an answer"


def test_chains_without_an_answer_have_no_vote() -> None:
    answer, _ = by_hand(self_consistency("q", n=4), says("Well.", "It is 5.", "Hm.", "It is 5."))
    assert answer.votes == (("5", 2),)
    assert answer.measures["confidence"] == 1.0


def test_ties_go_to_the_answer_that_came_first() -> None:
    answer, _ = by_hand(self_consistency("q", n=4), says("It is 9.", "It is 3.", "It is 3.", "It is 9."))
    assert answer.value == "9"


def test_departure_3_a_truncated_chain_votes_if_an_answer_stands_in_it() -> None:
    replies = [
        (Reply("So the answer is 4. And mo", Finish.LENGTH), Reply("Let me", Finish.LENGTH), Reply("It is 5."))
    ]
    answer, _ = by_hand(self_consistency("q", n=3), replies)
    assert answer.votes == (("4", 1), ("5", 1))


def test_where_all_chains_were_cut_the_answer_is_cut() -> None:
    answer, _ = by_hand(self_consistency("q", n=2), says("Let me", "Let us", finish=Finish.LENGTH))
    assert answer.finish is Finish.LENGTH


def test_the_extractor_of_the_task_is_used() -> None:
    extract = extract_last("choice", ("A", "B", "C"))
    answer, _ = by_hand(self_consistency("q", extract, n=3), says("It is (B).", "So (B)", "Thus (C)"))
    assert answer.votes == (("B", 2), ("C", 1))


def test_the_control_is_one_greedy_chain_read_the_same_way() -> None:
    answer, asked = by_hand(one_chain(EGGS), says(CHAINS[0]))
    assert asked == [[Ask(EGGS, prefill="Let's think step by step.", max_tokens=128)]]
    assert (answer.value, answer.votes) == ("18", (("18", 1),))


def test_rethinking_asks_round_by_round_and_its_prompt_grows() -> None:
    answer, asked = by_hand(rethink("q", rounds=3), says(" 5."), says(" No, 6."), says(" Yes, 6."))
    prefills = [step[0].prefill for step in asked]
    again = "\nLet me check that again, step by step."
    assert prefills == [
        "Let's think step by step.",
        f"Let's think step by step. 5.{again}",
        f"Let's think step by step. 5.{again} No, 6.{again}",
    ]
    assert {step[0].prompt for step in asked} == {"q"}
    assert answer.value == "6"


def test_rethinking_keeps_an_earlier_answer_where_the_last_round_has_none() -> None:
    answer, _ = by_hand(rethink("q", rounds=2), says(" 5."), says(" That seems right."))
    assert answer.value == "5"


def test_one_round_of_rethinking_is_the_control() -> None:
    _, once = by_hand(rethink("q", rounds=1), says(" 5."))
    _, control = by_hand(one_chain("q"), says(" 5."))
    assert once == control


def test_chains_that_a_filter_withheld_are_refused_and_not_unparsed() -> None:
    answer, _ = by_hand(self_consistency("q", n=2), says("", "", finish=Finish.REFUSED))
    assert answer.finish is Finish.REFUSED


def test_what_a_filter_withheld_has_no_vote() -> None:
    replies = [(Reply("I cannot do that, see rule 3.", Finish.REFUSED), Reply("It is 5."))]
    answer, _ = by_hand(self_consistency("q", n=2), replies)
    assert answer.votes == (("5", 1),)


def test_an_intermediate_number_of_a_cut_chain_is_not_its_answer() -> None:
    """'She has 16 - 3' was cut long before an answer: truncated, and never wrong."""
    task = multi_step()
    (sample,) = task.samples(1, 0)
    answer, _ = by_hand(one_chain("q"), says(" She has 16 eggs and eats 3 of", finish=Finish.LENGTH))
    assert task.score(sample, answer).ending.value == "truncated"


def test_words_of_a_refusal_are_not_scored_where_nothing_was_voted_for() -> None:
    task = multi_step()
    (sample,) = task.samples(1, 0)
    replies = [(Reply("I cannot do that, see rule 3.", Finish.REFUSED), Reply("Well, well."))]
    answer, _ = by_hand(self_consistency("q", n=2), replies)
    assert answer.value is None
    assert task.score(sample, answer).ending.value != "scored"
