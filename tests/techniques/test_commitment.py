"""Commitment: the exact distribution of a reveal, and a hash that is or is not what it says."""

from __future__ import annotations

import hashlib
import math

import pytest

from assay.core import Scores, UnknownName
from assay.core.answers import curve_of
from assay.techniques.prompting import answered, entropy_along, forked, hashed_commitment, reveal
from tests.techniques.by_hand import by_hand, says

NAMES = ("owl", "oak", "saw", "hat")
DIALOGUE = (("Is it alive?", "Yes."), ("Can it fly?", "No."))


def scores(*probabilities: float) -> list[Scores]:
    """Log-probabilities of the names; they need not sum to one, for a model may want other words."""
    return [Scores(tuple(math.log(p) if p else -1000.0 for p in probabilities), (1,) * len(probabilities))]


def test_equal_names_are_all_open_and_a_certain_one_is_none() -> None:
    answer, _ = by_hand(reveal(NAMES, DIALOGUE, ("oak",)), scores(0.1, 0.1, 0.1, 0.1))
    assert answer.measures["bits"] == pytest.approx(2)
    assert answer.measures["entropy"] == pytest.approx(1)
    assert answer.measures["agree"] == answer.measures["consistent"] == pytest.approx(0.25)
    sure, _ = by_hand(reveal(NAMES, DIALOGUE, ("oak",)), scores(0, 0.3, 0, 0))
    assert sure.value == "oak"
    assert sure.measures["bits"] == pytest.approx(0, abs=1e-9)
    assert sure.measures["consistent"] == sure.measures["agree"] == pytest.approx(1)


def test_three_to_one_has_the_entropy_of_the_book() -> None:
    answer, _ = by_hand(reveal(NAMES, (), ("owl", "saw")), scores(0.03, 0.01, 0, 0))
    assert answer.measures["bits"] == pytest.approx(0.8112781, abs=1e-6)
    assert answer.measures["agree"] == pytest.approx(0.625)
    assert answer.measures["consistent"] == pytest.approx(0.75)


def test_the_dialogue_is_asked_turn_by_turn_and_every_name_is_scored() -> None:
    _, asked = by_hand(reveal(NAMES, DIALOGUE, ()), scores(1, 1, 1, 1))
    (request,) = asked[0]
    assert request.continuations == (" owl", " oak", " saw", " hat")
    assert [message.text for message in request.prompt][2:6] == ["Is it alive?", "Yes.", "Can it fly?", "No."]


@pytest.mark.parametrize(
    ("holding", "where"), [("nothing", None), ("note", "turns"), ("encoded", "turns"), ("tool", "prefill")]
)
def test_the_secret_stands_where_it_is_held_and_nowhere_else(holding: str, where: str | None) -> None:
    _, asked = by_hand(reveal(NAMES, DIALOGUE, (), "saw", holding=holding), scores(1, 1, 1, 1))  # type: ignore[arg-type]
    (request,) = asked[0]
    turns = " ".join(message.text for message in request.prompt[1:])
    secret = "c2F3" if holding == "encoded" else "the saw"
    assert (secret in turns) == (where == "turns")
    assert (secret in request.prefill) == (where == "prefill")


def test_an_unknown_way_of_holding_is_said() -> None:
    with pytest.raises(UnknownName, match="There is: nothing, note"):
        next(reveal(NAMES, (), (), holding="pocket"))  # type: ignore[arg-type]


def test_drawn_forks_agree_as_often_as_pairs_of_them_do() -> None:
    drawn = says(" owl.", " the owl", "Oak!", " number 3", " owls", " owl, I think")
    answer, asked = by_hand(forked(NAMES, DIALOGUE, ("oak",), forks=6), drawn)
    assert answer.value == "owl"
    assert answer.measures["agree"] == pytest.approx(3 / 6)
    assert answer.measures["consistent"] == pytest.approx(1 / 4)
    plain = 0.8112781 + 1 / (8 * math.log(2))
    assert answer.measures["bits"] == pytest.approx(plain, abs=1e-6)
    assert (asked[0][0].n, asked[0][0].temperature, asked[0][0].grammar) == (6, 1.0, "")


def test_forks_that_name_nothing_measure_nothing() -> None:
    answer, _ = by_hand(forked(NAMES, DIALOGUE, (), forks=3), says(" I", " owl", " forgot"))
    assert answer.measures == {}


def test_a_curve_has_a_point_for_every_number_of_turns() -> None:
    flow = entropy_along(NAMES, DIALOGUE, (0, 2))
    answer, asked = by_hand(flow, [*scores(1, 1, 1, 1), *scores(1, 1, 0, 0)])
    assert [len(request.prompt) for request in asked[0]] == [3, 7]
    assert curve_of(answer.value) == ((0.0, pytest.approx(2.0)), (2.0, pytest.approx(1.0)))


@pytest.mark.parametrize(("claimed", "valid"), [("oak", 1.0), ("owl", 0.0)])
def test_a_hash_is_valid_only_if_it_is_that_of_the_revealed_name(claimed: str, valid: float) -> None:
    digest = hashlib.sha256(claimed.encode()).hexdigest()
    answer, asked = by_hand(hashed_commitment(NAMES, DIALOGUE), says(digest), scores(0.1, 0.9, 0, 0))
    assert answer.value == "oak"
    assert answer.measures == {"valid": valid}
    assert asked[0][0].grammar == "root ::= [0-9a-f]{64,64}"


def test_one_more_question_is_answered_with_yes_or_no() -> None:
    answer, asked = by_hand(answered(NAMES, DIALOGUE, "Is it round?"), says("No."))
    assert answer.text == "No."
    assert asked[0][0].prompt[-1].text == "Is it round?"
    assert '"Yes."' in asked[0][0].grammar
