"""The likeliest option is the answer: nothing to parse."""

from __future__ import annotations

from assay.core import Score, Scores
from assay.techniques.prompting import forced_choice

from .by_hand import by_hand


def test_every_option_is_scored_after_the_same_words() -> None:
    _, asked = by_hand(
        forced_choice("Is fire hot?", ["yes", "no"], prefill="It is"), [Scores((-1.0, -2.0), (1, 1))]
    )
    assert asked == [[Score("Is fire hot?", (" yes", " no"), prefill="It is")]]


def test_the_likeliest_option_wins_and_its_logprob_is_kept() -> None:
    answer, _ = by_hand(forced_choice("q", ["a", "b", "c"]), [Scores((-3.0, -0.5, -2.0), (1, 1, 1))])
    assert (answer.value, answer.measures) == ("b", {"logprob": -0.5})


def test_the_first_of_equals_wins() -> None:
    answer, _ = by_hand(forced_choice("q", ["a", "b", "c"]), [Scores((-2.0, -1.0, -1.0), (1, 1, 1))])
    assert answer.value == "b"


def test_departure_1_sums_are_compared_without_regard_to_length() -> None:
    """Per token the longer option would win: -3 / 4 is above -2 / 1."""
    answer, _ = by_hand(forced_choice("q", ["long one here", "short"]), [Scores((-3.0, -2.0), (4, 1))])
    assert answer.value == "short"
