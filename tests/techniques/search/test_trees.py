"""Trees of thoughts: Yao et al. 2023 (arXiv 2305.10601) and Long 2023 (2305.08291), replies sent by hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.core import Answer, Ask, Finish, Flow, Reply, UserError
from assay.core.agents import Calibrated, ModelDecides
from assay.core.problems.countdown import Countdown, Left
from assay.tasks.games.sudoku import Cells, Sudoku
from assay.tasks.games.word_square import WordSquare, can_be_finished
from assay.techniques.search import game_chain, tree_of_thoughts
from assay.techniques.search.tree import (
    Judge,
    Propose,
    Tree,
    asked,
    by_model,
    by_rules,
    drawn,
    judged,
    lines_of,
    mark_of,
    solved,
    valued_at_random,
    voted,
)
from assay.techniques.search.tree_controller import tree_controller, whole_attempts
from assay.techniques.search.tree_decided import (
    CHECK,
    JUDGE,
    NAME,
    STEP,
    Tallied,
    believed,
    checked,
    decided,
    named,
)
from assay.techniques.search.tree_filling import fill, valid
from assay.techniques.search.tree_organism import chains
from assay.techniques.search.tree_search import breadth_first, depth_first
from tests.techniques.by_hand import by_hand, says

GAME = Countdown((4, 9, 10, 13))
"""The worked example of the paper's figure 2."""
BOARD = Sudoku.read("12.4/34.2/.143/43.1", order="next")
WHOLE = "1234/3412/2143/4321"


def finished(flow: Flow[Any]) -> Any:
    """What a flow returns that asks nothing."""
    with pytest.raises(StopIteration) as stop:
        next(flow)
    return stop.value.value


def scripted(lines: Sequence[str]) -> Propose[Any]:
    """Proposes these lines, one a call, the last one for ever."""
    waiting = list(lines)

    def propose(state: Any, complaint: str) -> Flow[Sequence[str]]:
        yield from ()
        return [waiting.pop(0) if len(waiting) > 1 else waiting[0]]

    return propose


def after(line: str) -> Left:
    """The state of the worked example after a line."""
    state = GAME.step(GAME.start, line)
    assert state is not None
    return state


def makes_24(told: str | None) -> bool:
    """Whether an answer of the worked example is a right one."""
    return solved(GAME, after(f"Answer: {told}"))


def table(lines: Mapping[str, Sequence[str]]) -> Propose[Left]:
    """Proposes what stands in a table, by the state as it is shown."""

    def propose(state: Left, complaint: str) -> Flow[Sequence[str]]:
        yield from ()
        return lines.get(GAME.render(state), [])

    return propose


def priced(prices: dict[str, float]) -> Judge[Left]:
    """Judges by a table; what is not in it is worth 1."""

    def judge(states: Sequence[Left]) -> Flow[Sequence[float]]:
        yield from ()
        return [prices.get(GAME.render(state), 1.0) for state in states]

    return judge


# --- the tree ------------------------------------------------------------------------------------------


def test_commentary_and_illegal_lines_do_not_become_children() -> None:
    tree = Tree(GAME)
    said = [
        "Let me think about this.",
        "10 - 4 = 6 (left: 6 9 13)",
        "10 - 4 = 7",
        "So 13 - 9 = 4",
        "",
        "13 - 9 = 4",
    ]
    found = tree.grow(tree.root, said, "model")
    assert [GAME.render(node.state) for node in found] == ["6 9 13", "4 4 10"]
    assert [(node.depth, node.origin, node.parent) for node in found] == [(1, "model", tree.root)] * 2


def test_a_state_stands_in_the_tree_once() -> None:
    tree = Tree(GAME)
    (first,) = tree.grow(tree.root, ["10 - 4 = 6", "10 - 4 = 6", "1. 10 − 4 = 6"], "model")
    assert tree.grow(tree.root, ["10 - 4 = 6"], "model") == []
    assert tree.reach(tree.root, ["10 - 4 = 6"], "model") is first
    assert len(tree.nodes) == 2


class Circle:
    """Two states that lead to each other."""

    start = "a"

    def render(self, state: str) -> str:
        return state

    def step(self, state: str, line: str) -> str | None:
        return line if line in ("a", "b") else None

    def moves(self, state: str) -> Sequence[str]:
        return ("a", "b")

    def check(self, state: str) -> str:
        return ""

    def finished(self, state: str) -> bool:
        return False

    def told(self, state: str) -> str:
        return state


def test_a_circle_ends() -> None:
    tree = Tree(Circle())
    (b,) = tree.grow(tree.root, ["b"], "model")
    assert tree.grow(b, ["a", "b"], "model") == []
    answer = finished(depth_first(Circle(), drawn(Circle(), 0, 2), valued_at_random(0), threshold=0.0))
    assert (answer.value, answer.detail) == ("b", "every branch was given up")


@given(st.lists(st.integers(0, 4), max_size=30))
def test_no_node_is_above_itself_and_nothing_is_above_the_root(steps: list[int]) -> None:
    tree = Tree(BOARD)
    node = tree.root
    for digit in steps:
        node = tree.reach(node, [str(digit)], "model") or node.above(1)
    path = tree.path(node)
    assert path[0] is tree.root
    assert len({one.id for one in path}) == len(path)
    assert node.above(1000) is tree.root


# --- breadth first ---------------------------------------------------------------------------------------


def test_the_worked_example_asks_once_a_level_for_all_states() -> None:
    """4 9 10 13: 10 - 4 = 6, 13 - 9 = 4, 4 * 6 = 24; the judge has three samples for each new state."""
    said = (
        says("10 - 4 = 6 (left: 6 9 13)\nThat looks good.\n13 - 9 = 4 (left: 4 4 10)\n10 - 4 = 6 (left: 6 9 13)"),
        [tuple(map(Reply, ("sure", "sure", "likely"))), tuple(map(Reply, ("impossible", "likely", "likely")))],
        [*says("13 - 9 = 4 (left: 4 6)"), *says("4 + 4 = 8 (left: 8 10)")],
        [tuple(map(Reply, ("sure", "sure", "sure"))), tuple(map(Reply, ("impossible",) * 3))],
        [*says("Answer: 4 * 6 = 24"), *says("8 + 10 = 18")],
        [tuple(map(Reply, ("sure", "sure", "sure"))), tuple(map(Reply, ("impossible",) * 3))],
    )
    answer, asked_for = by_hand(tree_of_thoughts("4 9 10 13"), *said)
    assert answer.value in ("(13 - 9) * (10 - 4)", "(10 - 4) * (13 - 9)")
    # Equal states are judged once: the third line of the first reply is the first again.
    assert [len(step) for step in asked_for] == [1, 2, 2, 2, 2, 2]
    assert [request.n for request in asked_for[1]] == [3, 3]
    assert "6 9 13" in asked_for[1][0].prompt[-1].text
    assert answer.measures["any"] == 1.0
    assert answer.measures["mean"] == 0.5
    assert answer.measures["nodes"] == 7


LINES = {
    "4 9 10 13": ["10 - 4 = 6", "13 - 9 = 4", "10 - 9 = 1"],
    "6 9 13": ["13 - 9 = 4"],
    "4 4 10": ["4 + 4 = 8"],
    "4 6": ["4 * 6 = 24"],
    "8 10": ["8 + 10 = 18"],
}


def test_the_best_by_the_models_word_and_any_of_the_beam_are_two_answers() -> None:
    judge = priced({"18": 9.0, "24": 2.0})
    best = finished(breadth_first(GAME, table(LINES), judge, depth=3))
    any_of = finished(breadth_first(GAME, table(LINES), judge, depth=3, pick="any"))
    assert best.measures["any"] == any_of.measures["any"] == 1.0
    assert not makes_24(best.value)
    assert makes_24(any_of.value)


def test_only_the_best_states_are_kept() -> None:
    wrong = priced({"4 4 10": 5.0, "6 9 13": 1.0})
    narrow = finished(breadth_first(GAME, table(LINES), wrong, depth=3, breadth=1))
    wide = finished(breadth_first(GAME, table(LINES), wrong, depth=3, breadth=2))
    assert narrow.measures["any"] == 0.0
    assert wide.measures["any"] == 1.0


def test_a_search_that_runs_dry_answers_with_the_best_partial_and_says_why() -> None:
    answer = finished(breadth_first(GAME, table({"4 9 10 13": ["10 - 4 = 6"]}), priced({}), depth=3))
    assert answer.value == "10 - 4, 9, 13"
    assert answer.detail == "no step could be read on level 2"
    nothing = finished(breadth_first(GAME, table({}), priced({}), depth=3))
    assert (nothing.value, nothing.detail) == (None, "no step could be read on level 1")


def test_blind_values_differ_from_seed_to_seed_and_not_from_time_to_time() -> None:
    states = [GAME.start, after("10 - 4 = 6")]
    judge: Judge[Left] = valued_at_random(1)
    other: Judge[Left] = valued_at_random(2)
    first = finished(judge(states))
    assert finished(judge(states)) == first != finished(other(states))


def test_states_are_judged_once_and_labels_are_added() -> None:
    judge = judged(GAME, lambda shown: Ask(shown, n=3))
    one = after("10 - 4 = 6")
    values, asked_for = by_hand(judge([one, one]), says("sure", "not impossible? likely", "I cannot say"))
    assert values == [21.0, 21.0]
    assert [len(step) for step in asked_for] == [1]
    assert finished(judge([one])) == [21.0]


@pytest.mark.parametrize(
    ("text", "value"),
    [("Sure.", 20.0), ("10 + 14 = 24\nsure", 20.0), ("impossible", 0.001), ("unsure", 0.0), ("", 0.0)],
)
def test_the_last_label_counts(text: str, value: float) -> None:
    assert mark_of(text) == value


def test_votes_are_counted_by_number() -> None:
    judge = voted(GAME, lambda shown: Ask("\n".join(shown), n=4))
    votes, _ = by_hand(judge([GAME.start, GAME.start]), says("Not 1: the best is 2", "1", "choice 2.", "none"))
    assert votes == [1.0, 2.0]


def test_half_a_line_of_a_cut_reply_is_left_out() -> None:
    cut = Reply("10 - 4 = 6\n13 - 9 = 4 (left: 4 4 1", Finish.LENGTH)
    assert lines_of([cut]) == ["10 - 4 = 6"]
    assert lines_of([Reply("10 - 4 = 6", Finish.LENGTH)]) == ["10 - 4 = 6"]


# --- depth first -----------------------------------------------------------------------------------------


def test_depth_first_goes_to_the_best_child_and_back_from_hopeless_ones() -> None:
    judge = priced({"4 4 10": 9.0, "8 10": 0.001, "6 9 13": 2.0, "1 4 13": 0.001})
    answer = finished(depth_first(GAME, table(LINES), judge, threshold=0.5))
    assert answer.measures["pruned"] == 2.0
    assert makes_24(answer.value)


def test_depth_first_out_of_steps_answers_with_the_deepest_state() -> None:
    answer = finished(depth_first(GAME, table(LINES), priced({}), threshold=0.0, steps=2))
    assert answer.detail == "not finished after 2 steps"
    assert answer.measures["depth"] == 1.0


def test_depth_first_sees_a_finished_child_that_the_last_step_found() -> None:
    judge = priced({"4 4 10": 9.0, "8 10": 0.001, "6 9 13": 2.0, "1 4 13": 0.001})
    proposals = Counter[str]()

    def counted(state: Left, complaint: str) -> Flow[Sequence[str]]:
        proposals[GAME.render(state)] += 1
        return (yield from table(LINES)(state, complaint))

    finished(depth_first(GAME, counted, judge, threshold=0.5))
    # As many steps as proposals are needed: none goes into looking at what was found.
    answer = finished(depth_first(GAME, table(LINES), judge, threshold=0.5, steps=proposals.total()))
    assert answer.detail == ""
    assert makes_24(answer.value)


def test_depth_first_given_up_answers_with_the_deepest_state_and_not_the_last() -> None:
    lines = {shown: LINES[shown] for shown in ("4 9 10 13", "6 9 13")}
    answer = finished(depth_first(GAME, table(lines), priced({"6 9 13": 2.0}), threshold=0.0))
    assert (answer.detail, answer.measures["depth"]) == ("every branch was given up", 2.0)


def test_depth_first_ends_where_enough_was_spent() -> None:
    tally = Counter[str]()
    squares = WordSquare(".../.../...", ("ego", "gem", "ode", "dog", "egg"))
    perfect = Tallied(Calibrated({NAME: 1.0, JUDGE: 1.0}), tally).seeded(0)
    assert perfect.driver == "calibrated:judge=1.00,name=1.00"
    hopeful = partial(can_be_finished, squares)

    def search(calls: int) -> Answer:
        tally.clear()
        propose, judge = named(squares, perfect, hopeful, "", 3), believed(squares, perfect, hopeful, "")
        answer: Answer = finished(
            depth_first(squares, propose, judge, threshold=0.5, enough=lambda: tally.total() >= calls)
        )
        return answer

    # Two words may come first, one second; the last row is finished, and nobody is asked about it.
    assert squares.answers(search(9).value or "")
    assert tally == {NAME: 3, JUDGE: 3}
    short = search(4)
    assert short.value in ("ode", "dog")
    assert (short.detail, tally.total()) == ("not finished after 2 steps", 5)


def test_a_judge_who_decides_is_asked_about_what_is_not_finished() -> None:
    squares = WordSquare("../..", ("at", "to", "an", "no"))
    liar = Calibrated({JUDGE: 0.0}).seeded(0)
    judge = believed(squares, liar, partial(can_be_finished, squares), "")
    assert finished(judge([("at",), ("no",), ("at", "to")])) == [0.0, 1.0, 1.0]
    asks = believed(squares, ModelDecides(), partial(can_be_finished, squares), "Fill it.")
    values, (((request,)),) = by_hand(asks([("at",)]), says("impossible"))
    assert values == [0.0]
    assert request.prompt[-1].text.startswith(
        "Fill it.\nWords: at, to, an, no.\nat\n..\nCan this still be completed?"
    )


def test_words_are_named_among_those_that_may_come() -> None:
    squares = WordSquare("../..", ("at", "to", "an", "no"))
    perfect = Calibrated({NAME: 1.0}).seeded(0)
    name = named(squares, perfect, partial(can_be_finished, squares), "", 1)
    assert finished(name((), "")) in (("at",), ("an",))
    assert finished(name(("at",), "")) == ("to",)
    assert finished(name(("to",), "")) == ()  # no word is left, and nobody is asked


# --- the controller --------------------------------------------------------------------------------------


def test_an_invalid_step_is_taken_back_and_a_valid_one_kept() -> None:
    lines = ["1", "3", "what now?", "1", "2", "2"]
    answer = finished(tree_controller(BOARD, scripted(lines), by_rules(BOARD), rounds=20))
    assert (answer.value, answer.detail) == (WHOLE, "")
    assert answer.measures["rounds"] == 6


def test_the_complaint_of_the_checker_is_told_to_the_proposer() -> None:
    rules = "Every row holds each digit once."
    flow = tree_controller(BOARD, asked(BOARD, fill(rules, 4)), by_rules(BOARD), rounds=3)
    _, asked_for = by_hand(flow, says("r1c3=1"), says("r1c3=3"), says("r2c3=1"))
    assert "wrong" not in asked_for[0][0].prompt
    assert "Your last fill was wrong: 1 stands twice in row 1." in asked_for[1][0].prompt
    assert [form in asked_for[1][0].grammar for form in ("r1c3=", "r2c3=", "r1c1=")] == [True, True, False]
    assert "r1c3=" not in asked_for[2][0].grammar


def test_after_five_visits_the_step_before_is_taken_back_too() -> None:
    """3 4 . . / . . . . with a first fill that leaves no digit for the second cell."""
    board = Sudoku.read("1.../.2../..4./...3", order="next")
    lines = ["3", *["1"] * 5, "4"]
    seen: list[Cells] = []

    def propose(state: Cells, complaint: str) -> Flow[Sequence[str]]:
        yield from ()
        seen.append(state)
        return [lines[len(seen) - 1]]

    finished(tree_controller(board, propose, by_rules(board), rounds=7))
    start, after = board.start, board.step(board.start, "3")
    assert seen == [start, *[after] * 5, start]
    seen.clear()
    finished(tree_controller(board, propose, by_rules(board), rounds=7, visits=None))
    assert seen == [start, *[after] * 6]


def test_one_step_more_is_taken_back_at_a_time_and_the_deepest_board_is_the_answer() -> None:
    lines = ["3", "1", *["1"] * 4, *["3"] * 2]  # two right fills; then 1 in row 3 is wrong, and 3 in row 2
    seen: list[Cells] = []

    def propose(state: Cells, complaint: str) -> Flow[Sequence[str]]:
        yield from ()
        seen.append(state)
        return [lines[len(seen) - 1]]

    answer = finished(tree_controller(BOARD, propose, by_rules(BOARD), rounds=8, visits=4))
    one = BOARD.step(BOARD.start, "3")
    assert one is not None
    two = BOARD.step(one, "1")
    assert seen == [BOARD.start, one, *[two] * 4, one, one]
    assert answer.value == "1234/3412/.143/43.1"


def test_a_deeper_board_of_before_is_better_than_the_last_one() -> None:
    board = Sudoku.read("1.../.2../..4./...3", order="next")
    lines = ["3", "2", "1", "1", "4"]  # two fills, taken back one by one, and another first one
    answer = finished(tree_controller(board, scripted(lines), by_rules(board), rounds=5, visits=1))
    assert answer.value == "132./.2../..4./...3"


def test_a_reply_without_a_step_is_told_so() -> None:
    flow = tree_controller(BOARD, asked(BOARD, fill("", 4)), by_rules(BOARD), rounds=2)
    _, asked_for = by_hand(flow, says("I cannot."), says("r1c3=3"))
    assert "Your last fill was wrong: That was no step." in asked_for[1][0].prompt


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(["1", "2", "3", "4", "5", "x"]), min_size=1, max_size=60), st.integers(1, 6))
def test_the_controller_never_leaves_the_root_behind_and_keeps_valid_states_only(
    lines: list[str], visits: int
) -> None:
    board = Sudoku.read("1.../.2../..4./...3", order="next")
    seen: list[Cells] = []

    def propose(state: Cells, complaint: str) -> Flow[Sequence[str]]:
        yield from ()
        seen.append(state)
        return [lines[(len(seen) - 1) % len(lines)]]

    answer = finished(tree_controller(board, propose, by_rules(board), rounds=40, visits=visits))
    assert all(board.check(state) == "" for state in seen)
    assert all(given in (0, cell) for state in seen for given, cell in zip(board.givens, state, strict=True))
    assert answer.measures["rounds"] == len(seen) <= 40
    assert (answer.detail == "") == (answer.value is not None and board.answers(answer.value))


def test_out_of_rounds_the_best_partial_is_the_answer_with_the_reason() -> None:
    answer = finished(tree_controller(BOARD, scripted(["3", "1", "1"]), by_rules(BOARD), rounds=4))
    assert answer.value == "1234/3412/.143/43.1"
    assert answer.detail == "not finished after 4 rounds. 1 stands twice in row 3."


def test_a_start_against_the_rules_is_said_so_and_nothing_is_asked() -> None:
    board = Sudoku.read("11../..../..../....")
    answer = finished(tree_controller(board, scripted(["3"]), by_rules(board), rounds=9))
    assert answer.detail == "the start is invalid: 1 stands twice in row 1."
    assert answer.value is None


def test_a_solved_start_costs_nothing() -> None:
    board = Sudoku.read(WHOLE)
    assert finished(tree_controller(board, scripted(["3"]), by_rules(board), rounds=9)).value == WHOLE


def test_a_checking_model_is_believed() -> None:
    check = by_model(BOARD, valid("Every row holds each digit once."))
    wrong = BOARD.step(BOARD.start, "1")
    assert wrong is not None
    assert by_hand(check(wrong), says("yes"))[0] == ""
    assert by_hand(check(BOARD.start), says("No."))[0] == "You said that this breaks a rule."


def test_whole_boards_are_begun_again_until_the_calls_are_spent() -> None:
    lines = ["1", "1", "2", "2", "3", "1", "2", "2"]  # a wrong board of four cells, then the right one
    right = finished(whole_attempts(BOARD, scripted(lines), calls=8))
    assert (right.value, right.measures["rounds"], right.measures["attempts"]) == (WHOLE, 8, 2)
    short = finished(whole_attempts(BOARD, scripted(lines), calls=6))
    assert (short.value, short.measures["rounds"]) == ("1214/3412/2143/4321", 6)
    once = finished(whole_attempts(BOARD, scripted(lines), calls=8, attempts=1))
    assert (once.value, once.measures["rounds"]) == ("1214/3412/2143/4321", 4)


def test_an_early_check_begins_again_at_the_first_fault() -> None:
    answer = finished(whole_attempts(BOARD, scripted(["1", "3", "1", "2", "2"]), calls=8, early=True))
    assert (answer.value, answer.measures["rounds"]) == (WHOLE, 5)


# --- the others ------------------------------------------------------------------------------------------


def test_deciders_take_the_place_of_the_model() -> None:
    right = {BOARD.start.index(0): "r1c3=3"}

    def good(state: Cells) -> str | None:
        return right.get(state.index(0))

    perfect = Calibrated({STEP: 1.0, CHECK: 1.0}).seeded(0)
    assert finished(decided(BOARD, perfect, good)(BOARD.start, "")) == ("r1c3=3",)
    wrong = BOARD.step(BOARD.start, "1")
    assert wrong is not None
    assert finished(checked(BOARD, perfect)(wrong))
    assert not finished(checked(BOARD, perfect)(BOARD.start))
    liar = Calibrated({STEP: 0.0, CHECK: 0.0}).seeded(0)
    assert finished(decided(BOARD, liar, good)(BOARD.start, "")) != ("r1c3=3",)
    assert not finished(checked(BOARD, liar)(wrong))


def test_chains_that_break_the_rules_have_no_vote() -> None:
    right, wrong = "10-4=6\n13-9=4\n4*6=24", "10-4=6\n13-9=4\n4+6=10"
    replies = says(right, wrong, wrong, "10-4=7\n13-9=4\n4*7=24", "10-4=6\n13-9=4")
    answer, ((request,),) = by_hand(chains(GAME, 5), replies)
    assert request.raw
    assert request.prompt == "c4 9 10 13:"
    assert [count for _, count in answer.votes] == [2, 1, 1]
    assert answer.measures == {"any": 1.0, "mean": 0.2, "kept": 0.8}
    assert not makes_24(answer.value)
    lucky, _ = by_hand(chains(GAME, 5, any_right=True), replies)
    assert makes_24(lucky.value)


def test_chains_that_all_break_the_rules_are_a_wrong_answer() -> None:
    answer, _ = by_hand(chains(GAME, 1), says("10-4=7\n13-9=4"))
    assert (answer.value, answer.detail) == ("10-4=7; 13-9=4", "no chain kept the rules to its end")


def test_the_control_ends_in_the_same_kind_of_answer() -> None:
    answer, ((request,),) = by_hand(game_chain("4 9 10 13"), says("10 - 4 = 6\nAnswer: (10 - 4) * 4 = 24"))
    assert answer == Answer("10 - 4 = 6\nAnswer: (10 - 4) * 4 = 24")
    assert request.prompt[-1].text.endswith("Numbers: 4 9 10 13. Goal: 24.")


def test_a_question_that_is_no_row_of_numbers_is_refused() -> None:
    with pytest.raises(UserError):
        next(tree_of_thoughts("make 24"))
    with pytest.raises(UserError):
        next(tree_of_thoughts("4 9 10 13", values="none"))
    with pytest.raises(UserError):
        next(tree_of_thoughts("4 9 10 13", breadth=0))
