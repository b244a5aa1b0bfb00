"""Word squares: rules, dead ends held against trying everything, and a task with several right answers."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.core import Answer, BadRequest, UnknownName
from assay.tasks import WordSquareTask
from assay.tasks.games.word_square import Rows, WordSquare, can_be_finished, puzzle_of

PUZZLE = WordSquare("p../.../...", ("are", "art", "den", "net", "one", "pan", "pit", "ran", "ten", "tie"))
"""pan, are, net read the same down; no word begins with i, so that pit leads nowhere."""


def brute_force(puzzle: WordSquare, rows: tuple[str, ...]) -> bool:
    """Whether some words complete the rows: all of them are tried, and read by rules spelled out here."""
    given_rows = puzzle.pattern.split("/")
    for rest in product(puzzle.bank, repeat=puzzle.size - len(rows)):
        square = (*rows, *rest)
        down = ["".join(row[at] for row in square) for at in range(puzzle.size)]
        fits = all(
            g in (".", s)
            for row, given in zip(square, given_rows, strict=True)
            for s, g in zip(row, given, strict=True)
        )
        if fits and set(down) <= set(puzzle.bank):
            return True
    return False


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.lists(st.integers(0, 11), max_size=3), st.sampled_from(["3x3-2", "4x4-2"]))
def test_dead_ends_are_those_that_trying_everything_finds(seed: int, picks: list[int], level: str) -> None:
    (sample,) = WordSquareTask().samples(1, seed, level)
    puzzle = puzzle_of(sample)
    rows: Rows = ()
    for pick in picks[: puzzle.size - 1]:
        words = puzzle.moves(rows)
        rows = (*rows, words[pick % len(words)]) if words else rows
    if puzzle.size == 3 or rows:
        assert can_be_finished(puzzle, rows) == brute_force(puzzle, rows)


def test_a_word_keeps_the_given_letters_and_may_lead_nowhere() -> None:
    assert PUZZLE.moves(()) == ("pan", "pit")
    assert PUZZLE.step((), " Pit\n") == ("pit",)
    assert PUZZLE.step((), "ten") is None
    assert PUZZLE.step((), "pot") is None
    assert PUZZLE.check(("pit", "are")) == ""
    assert [can_be_finished(PUZZLE, rows) for rows in ((), ("pan",), ("pit",))] == [True, True, False]
    assert PUZZLE.answers("pan/are/net")
    assert not can_be_finished(PUZZLE, ("pit", "are", "ten"))


def test_the_last_word_makes_words_of_all_columns() -> None:
    assert PUZZLE.moves(("pit", "are")) == ()
    assert PUZZLE.check(("pit", "are", "ten")) == "'pat', which reads down, is not in the list."
    assert PUZZLE.check(("pit", "are", "tin")) == "'tin' is not in the list."
    assert PUZZLE.check(("ran",)) == "'ran' does not keep the given letters p..."
    two = WordSquare(".../.../...", ("ode", "dog", "ego", "egg", "god"))
    assert two.moves(("ode", "dog")) == ("ego", "egg")


def test_several_squares_may_be_right_and_half_a_one_is_none() -> None:
    puzzle = WordSquare(".../.../...", ("ode", "dog", "ego", "egg", "god"))
    assert puzzle.answers("ode/dog/egg")
    assert not puzzle.answers("ode/dog")
    assert not puzzle.answers("ode/dog/god")
    assert not puzzle.answers("")


def test_every_puzzle_has_the_square_it_was_made_of() -> None:
    task = WordSquareTask()
    for level in task.levels:
        for sample in task.samples(8, 5, level):
            puzzle = puzzle_of(sample)
            size, letters = int(level[0]), int(level[4])
            assert puzzle.answers(sample.target)
            assert can_be_finished(puzzle, puzzle.start)
            assert (puzzle.size, len(set(puzzle.bank))) == (size, 4 * size)
            assert sum(sign.isalpha() for sign in puzzle.pattern) == letters
            rows = sample.target.split("/")
            assert rows == ["".join(column) for column in zip(*rows, strict=True)]


@pytest.mark.parametrize(
    ("text", "square"),
    [
        ("Therefore, the square is ode/dog/ego.", "ode/dog/ego"),
        ("Here it is:\nODE\ndog\nego\n", "ode/dog/ego"),
        ("ode/dog/egg, or rather ode / dog / ego", "ode/dog/ego"),
        ("I found ode/dog", None),
        ("yes/no", None),
        ("", None),
    ],
)
def test_squares_are_read_in_prose(text: str, square: str | None) -> None:
    assert WordSquareTask().extract(text) == square


def test_any_right_square_scores_and_no_other() -> None:
    task = WordSquareTask()
    (sample,) = task.samples(1, 0)
    assert task.score(sample, Answer(f"It is {sample.target}.")).score == 1.0
    assert task.score(sample, Answer(value=sample.target.rpartition("/")[0])).score == 0.0
    assert task.score(sample, Answer("aaa/aaa/aaa")).score == 0.0
    assert task.score(sample, Answer("I cannot.")).ending.value == "unparsed"


def test_what_is_no_square_is_refused() -> None:
    with pytest.raises(BadRequest, match="no square"):
        WordSquare("../...", ("at",))
    with pytest.raises(BadRequest, match="3 letters"):
        WordSquare(".../.../...", ("four",))
    with pytest.raises(UnknownName):
        WordSquareTask(levels=("9x9-0",))
