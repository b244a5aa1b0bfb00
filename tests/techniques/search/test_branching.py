"""Branches compared, with replies by hand: who disagrees, who was improbable, and how many differ."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.core import Ask, Ending, Finish, Reply, Sample, TokenLogprob, UserError
from assay.core.branching import disagreement
from assay.tasks.facts.recall import RecallTask
from assay.tasks.writing.naming import NamingTask
from assay.techniques.search.branching import error_ranking, short_answer, uncertain, variety
from tests.techniques.by_hand import by_hand


def said(text: str, logprob: float = -1.0) -> Reply:
    return Reply(text, logprobs=(TokenLogprob(1, text, logprob),))


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (" Paris.", "paris"),
        (" 'far'. This is a fundamental", "far"),
        ('"silver" in Latin', "silver"),
        (" the United Kingdom, where", "united kingdom"),
        (" Poland that depends on", "poland"),
        (" South Korea\nQuestion", "south korea"),
        (" non-identical", "non-identical"),
        ("", None),
        (" ...", None),
    ],
)
def test_an_answer_is_what_is_named_first(text: str, answer: str | None) -> None:
    assert short_answer(text) == answer


def test_uncertainty_is_the_branches_that_do_not_say_the_commonest_answer() -> None:
    draws = tuple(said(f" {name}.") for name in ("Paris", "paris", "Lyon", "Paris", "Rome", "PARIS", "", ""))
    (answer, level), asked = by_hand(uncertain("Capital?", "It is"), [(said(" Paris."),)], [draws])
    # Two branches without an answer agree with nobody, not with each other.
    assert (answer, level) == ("paris", 0.5)
    greedy, drawn = (step[0] for step in asked)
    assert isinstance(greedy, Ask)
    assert isinstance(drawn, Ask)
    assert (greedy.temperature, greedy.n, greedy.prefill) == (0.0, 1, "It is")
    assert (drawn.temperature, drawn.n, drawn.prefill) == (1.0, 8, "It is")


def test_the_likelihood_is_read_off_the_one_answer() -> None:
    found, asked = by_hand(uncertain("Capital?", "It is", by="likelihood"), [(said(" Paris.", -0.25),)])
    assert found == ("paris", 0.25)
    assert len(asked) == 1
    draws = tuple(said(" x", -float(index)) for index in range(8))
    found, _ = by_hand(uncertain("Capital?", "", by="likelihood of branches"), [(said(" Paris."),)], [draws])
    assert found == ("paris", 3.5)


def test_what_follows_an_answer_is_not_held_against_it() -> None:
    tokens = tuple(
        TokenLogprob(1, text, logprob) for text, logprob in ((" Par", -0.1), ("is", -0.3), (", which", -9.0))
    )
    reply = Reply(" Paris, which", logprobs=tokens)
    found, _ = by_hand(uncertain("Capital?", "It is", by="likelihood"), [(reply,)])
    assert found == ("paris", pytest.approx(0.2))


def block(*targets: str) -> tuple[Sample, ...]:
    return tuple(
        Sample(f"q{i}", f"Question {i}?", target, meta={"cue": "It is"}) for i, target in enumerate(targets)
    )


def test_wrong_answers_that_are_ranked_above_right_ones_make_an_auroc_of_one() -> None:
    replies = [(said(" A", -0.1),), (said(" X", -3.0),), (said(" C", -0.2),), (said(" Y", -2.0),)]
    answer, _ = by_hand(error_ranking(block("a", "b", "c", "d"), by="likelihood"), replies)
    assert answer.measures == {"auroc": 1.0}
    assert answer.detail == "2 right, 2 wrong, 0 without an answer"
    # Every question with the uncertainty of the next one: here the order turns round.
    misplaced, _ = by_hand(error_ranking(block("a", "b", "c", "d"), by="likelihood", shift=1), replies)
    assert misplaced.measures == {"auroc": 0.0}


def test_questions_without_an_answer_are_left_out_and_one_kind_alone_has_no_ranking() -> None:
    replies = [(said(" A", -0.1),), (said("", -9.0),), (said(" C", -0.2),)]
    answer, _ = by_hand(error_ranking(block("a", "b", "c"), by="likelihood"), replies)
    assert (answer.measures, answer.detail) == ({}, "2 right, 0 wrong, 1 without an answer")
    outcome = RecallTask().score(block("a")[0], answer)
    assert (outcome.ending, outcome.score) == (Ending.UNPARSED, None)


def test_a_task_without_blocks_is_refused_in_one_sentence() -> None:
    with pytest.raises(UserError, match="Leave out --task"):
        next(error_ranking(()))


def test_variety_is_the_share_of_different_answers() -> None:
    """Two cats, one of them explained; one that names nothing; and a sentence, which counts as another."""
    texts = ("A cat, which purrs.", "a  cat", "A dog", "An owl!", "...", "The cat is an animal")
    replies = tuple(Reply(text) for text in texts)
    answer, ((request,), *_) = by_hand(variety("Name an animal.", "", n=6), [replies])
    assert answer.measures == {"distinct": 4 / 6}
    assert (request.n, request.temperature) == (6, 1.0)
    refused, _ = by_hand(variety("?", "", n=2), [(Reply("", Finish.REFUSED), Reply("a"))])
    assert NamingTask().score(Sample("s", "?"), refused).ending is Ending.REFUSED


@given(st.lists(st.sampled_from("abcd"), min_size=1, max_size=12))
def test_disagreement_lies_between_none_and_everybody(answers: list[str]) -> None:
    found = disagreement(answers)
    assert 0 <= found <= 1 - 1 / len(answers)
    assert (found == 0) == (len(set(answers)) == 1)
    assert disagreement(sorted(answers)) == found
