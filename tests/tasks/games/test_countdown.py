"""The Game of 24: exact arithmetic, legal steps, and a checker held against going through everything."""

from __future__ import annotations

import re
from fractions import Fraction
from itertools import permutations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.core import Answer, UserError
from assay.core.problems.countdown import Countdown, evaluated, makes
from assay.tasks import Game24Task
from assay.tasks.games.game24 import puzzle_of, solve

SHAPES = (
    "(({}{}{}){}{}){}{}",
    "({}{}({}{}{})){}{}",
    "({}{}{}){}({}{}{})",
    "{}{}(({}{}{}){}{})",
    "{}{}({}{}({}{}{}))",
)


def brute_force(numbers: tuple[int, ...]) -> bool:
    """Every order, every sign, every one of the five bracketings, by Python's own arithmetic on fractions."""
    for a, b, c, d in set(permutations(numbers)):
        for x, y, z in product("+-*/", repeat=3):
            for shape in SHAPES:
                text = shape.format(*(f"F({a})", x, f"F({b})", y, f"F({c})", z, f"F({d})"))
                try:
                    if eval(text, {"F": Fraction}) == 24:  # text of this test alone
                        return True
                except ZeroDivisionError:
                    continue
    return False


@settings(max_examples=12, deadline=None)
@given(st.tuples(*[st.integers(1, 13)] * 4))
def test_the_solver_agrees_with_brute_force_and_the_checker_with_the_solver(numbers: tuple[int, ...]) -> None:
    solution = solve(numbers)
    assert (solution is not None) == brute_force(numbers)
    assert solution is None or makes(solution, numbers)


def test_all_puzzles_of_the_authors_file_are_there() -> None:
    """Their list has 1362 puzzles: every solvable set of four numbers up to 13."""
    assert len(Game24Task().samples(10_000, 0, "4")) == 1362


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("(10 - 4) * (13 - 9)", 24),
        ("(10 − 4) × (13 – 9)", 24),
        ("8 ÷ (3 - 8 / 3)", 24),
        ("1 / (2 - 2)", None),
        ("2 * 3 4", "none"),
        ("-4 + 28", "none"),
        ("2 ** 3", "none"),
        ("__import__('os')", "none"),
        ("(1 + 2", "none"),
        ("1" * 7, "none"),
        ("(" * 300 + "1" + ")" * 300, "none"),
        ("", "none"),
    ],
)
def test_expressions_are_read_exactly_or_not_at_all(text: str, value: object) -> None:
    found = evaluated(text)
    assert ("none" if found is None else found.value) == value


trees = st.recursive(
    st.integers(0, 99).map(str),
    lambda inner: st.tuples(inner, st.sampled_from("+-*/"), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
    max_leaves=8,
)


@given(trees)
def test_the_evaluator_agrees_with_python(text: str) -> None:
    found = evaluated(text)
    assert found is not None
    exact = re.sub("[0-9]+", lambda number: f"Fraction({number[0]})", text)
    try:
        expected = eval(exact, {"Fraction": Fraction})  # text of this test alone
    except ZeroDivisionError:
        expected = None
    assert found.value == expected


@given(st.text(max_size=60))
def test_any_text_can_be_read(text: str) -> None:
    Game24Task().extract(text)
    puzzle = Countdown((4, 9, 10, 13))
    after = puzzle.step(puzzle.start, text)
    assert after is None or len(after.values) < 4


@pytest.mark.parametrize(
    ("line", "left"),
    [
        ("10 - 4 = 6 (left: 6 9 13)", "6 9 13"),
        ("13 − 9 = 4", "4 4 10"),
        ("- 13 - 9 = 4", "4 4 10"),
        ("2. 4 / 9 = 4/9", "4/9 10 13"),
        ("9 - 10 = -1", "-1 4 13"),
        ("Answer: (13 − 9) × (10 − 4) = 24", "24"),
        ("10 - 4 = 7", None),  # wrong arithmetic
        ("4 + 4 = 8", None),  # there is only one 4
        ("10 - 4 = 6.5", None),
        ("10 / 4 = 2", None),
        ("First, 10 - 4 = 6", None),  # commentary
        ("10 - 4 * 6 = 24", None),
        ("Answer: (13 - 9) * 6 = 24", None),  # 6 was not given
        ("", None),
    ],
)
def test_a_line_is_a_legal_step_or_no_step(line: str, left: str | None) -> None:
    puzzle = Countdown((4, 9, 10, 13))
    after = puzzle.step(puzzle.start, line)
    assert (None if after is None else puzzle.render(after)) == left


def test_states_that_differ_only_in_their_past_are_equal() -> None:
    puzzle = Countdown((1, 2, 3, 6))
    one, other = puzzle.step(puzzle.start, "1 + 2 = 3"), puzzle.step(puzzle.start, "6 / 2 = 3")
    assert one is not None
    assert other is not None
    assert puzzle.render(one) == "3 3 6"
    assert puzzle.render(other) == "1 3 3"
    again = puzzle.step(puzzle.start, "1 + 2 = 3")
    assert one == again != other
    twos = Countdown((2, 2))
    assert twos.step(twos.start, "2 + 2 = 4") == twos.step(twos.start, "2 * 2 = 4") is not None
    assert puzzle.told(one) == "3, 1 + 2, 6"


@given(st.lists(st.integers(1, 9), min_size=2, max_size=4), st.randoms(use_true_random=False))
def test_every_move_is_a_step_and_what_is_told_comes_to_what_is_left(numbers: list[int], random: object) -> None:
    puzzle = Countdown(tuple(numbers))
    state = puzzle.start
    while not puzzle.finished(state):
        after = puzzle.step(state, random.choice(puzzle.moves(state)))  # type: ignore[attr-defined]
        assert after is not None
        state = after
    told = puzzle.told(state)
    if "/" not in told and "-" not in told:
        assert makes(told, numbers, int(state.values[0]))
    elif (found := evaluated(told)) is not None:
        assert found.value == state.values[0]


def score(text: str) -> object:
    task = Game24Task()
    sample = next(s for s in task.samples(2000, 0, "4") if s.meta["numbers"] == (4, 9, 10, 13))
    outcome = task.score(sample, Answer(text))
    return outcome.score if outcome.score is not None else outcome.ending.value


@pytest.mark.parametrize(
    ("text", "scored"),
    [
        ("Answer: (13 - 9) * (10 - 4) = 24", 1.0),
        ("10 - 4 = 6\n13 - 9 = 4\nThe answer is (10−4)×(13−9).", 1.0),
        ("(10 - 4) * (13 - 9)", 1.0),
        ("4 + 9 = 13 is no way.\n(10 - 4) * (13 - 9)", 1.0),  # the last line counts
        ("Answer: 4 * 6", 0.0),  # other numbers
        ("Answer: 4 + 9 + 10 + 13 = 24", 0.0),  # the right numbers make 36
        ("Answer: (10 - 4) * 4 = 24", 0.0),  # one left out
        ("Answer: 9 + 10 + 13 - 4 - 4 = 24", 0.0),  # one used twice
        ("Answer: 9 + 10 + 13 / (4 - 4) = 24", 0.0),
        ("It cannot be done.", "unparsed"),
    ],
)
def test_an_answer_is_checked_exactly(text: str, scored: object) -> None:
    assert score(text) == scored


def test_the_puzzle_that_needs_fractions_is_solved() -> None:
    assert makes(solve((3, 3, 8, 8)) or "", (3, 3, 8, 8))


def test_numbers_are_read_or_refused_in_one_sentence() -> None:
    assert Countdown.read(" 4, 9,10 13 ").numbers == (4, 9, 10, 13)
    for text in ("four", "4", "1 2 3 4 5 6 7", "4 -9", ""):
        with pytest.raises(UserError):
            Countdown.read(text)


def test_puzzles_for_training_and_testing_are_kept_apart() -> None:
    train, test = (Game24Task(split=split).samples(2000, 0, "4") for split in ("train", "test"))
    assert not {s.id for s in train} & {s.id for s in test}
    assert len(train) + len(test) == 1362
    assert puzzle_of(test[0]).goal == 24
