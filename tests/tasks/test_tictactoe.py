from fractions import Fraction
from typing import Any

import pytest

from assay.core import Answer, BadRequest, Ending, Task, UnknownName
from assay.tasks import TicTacToeTask
from assay.tasks.games import solver
from assay.tasks.games.tictactoe import NORMAL, RULES, SHUFFLED, exact_chance, prompt, render


def test_the_known_numbers_of_states() -> None:
    states = solver.reachable()
    assert len(states) == 5478
    assert len(solver.running()) == 4520
    assert len({min(solver.symmetries(board)) for board in states}) == 765
    ended = [solver.winner(board) for board in states if solver.is_over(board)]
    assert (ended.count("X"), ended.count("O"), ended.count(None)) == (626, 316, 16)


def test_known_values() -> None:
    assert solver.value(solver.EMPTY) == 0
    assert solver.optimal_moves(solver.EMPTY) == solver.CELLS
    assert solver.optimal_moves("X........") == "5"
    assert solver.optimal_moves("XX.OO....") == "3"
    assert solver.optimal_moves("XX..O....") == "3"
    assert solver.value("XX.OO....") == 1


def test_values_agree_with_a_plain_search() -> None:
    def plain(board: str) -> int:
        lines = (
            board[0:3],
            board[3:6],
            board[6:9],
            board[0::3],
            board[1::3],
            board[2::3],
            board[0::4],
            board[2:7:2],
        )
        for mark, won in (("X", 1), ("O", -1)):
            if mark * 3 in lines:
                return won
        free = [i for i in range(9) if board[i] == "."]
        if not free:
            return 0
        mover = "X" if len(free) % 2 else "O"
        results = [plain(board[:i] + mover + board[i + 1 :]) for i in free]
        return max(results) if mover == "X" else min(results)

    for board in solver.running()[::40]:
        sign = 1 if solver.player(board) == "X" else -1
        assert solver.value(board) == sign * plain(board)


def test_symmetries_carry_moves_along() -> None:
    for board in solver.running()[::37]:
        images = solver.symmetries(board)
        assert images[0] == board
        for index, image in enumerate(images):
            cells = solver.symmetry_cells(index)
            assert sorted(cells) == list(solver.CELLS)
            carried = {solver.CELLS[cells.index(cell)] for cell in solver.optimal_moves(board)}
            assert carried == set(solver.optimal_moves(image))
    assert len({solver.symmetry_cells(index) for index in range(8)}) == 8
    with pytest.raises(BadRequest, match="eight symmetries"):
        solver.symmetry_cells(8)


def test_a_history_is_played_by_the_rules() -> None:
    assert solver.board_after("5913") == "X.O.X...O"
    with pytest.raises(BadRequest, match=r"Cell 5 is taken on \.{4}X\.{4}"):
        solver.board_after("55")
    with pytest.raises(BadRequest, match=r"The game on XXXOO.... is over: X has won\."):
        solver.board_after("142539")
    with pytest.raises(BadRequest, match="A cell is a digit from 1 to 9, not '0'"):
        solver.board_after("0")


def test_boards_that_cannot_be() -> None:
    with pytest.raises(BadRequest, match="cannot arise in play"):
        solver.legal_moves("OO.......")
    with pytest.raises(BadRequest, match="is no board of nine"):
        solver.optimal_moves("X")
    with pytest.raises(BadRequest, match=r"is over: a draw\."):
        solver.legal_moves("XOXXOOOXX")


def test_all_positions_stand_in_order_and_share_prefixes() -> None:
    task: Task = TicTacToeTask()
    samples = task.samples(5000, 0)
    assert len(samples) == len({s.id for s in samples}) == 4520
    boards = [s.meta["board"] for s in samples]
    assert boards == sorted(boards)
    assert all(s.question.startswith(RULES) for s in samples)
    assert all(s.question.endswith(render(s.meta["board"])) for s in samples)
    assert max(len(s.question) for s in samples) == min(len(s.question) for s in samples)


def test_fewer_positions_are_a_seeded_choice() -> None:
    task = TicTacToeTask()
    some = task.samples(100, 1)
    assert len(some) == 100
    assert some == task.samples(100, 1) != task.samples(100, 2)
    assert [s.id for s in some] == sorted(s.id for s in some)


def test_shuffled_symbols_change_the_board_alone() -> None:
    assert render("XO.......") == "X O . . . . . . ."
    assert render("XO.......", SHUFFLED) == ". X O O O O O O O"
    plain, shuffled = prompt("XO......."), prompt("XO.......", SHUFFLED)
    assert plain.removesuffix(render("XO.......")) == shuffled.removesuffix(render("XO.......", SHUFFLED))
    normal, control = TicTacToeTask().samples(50, 0), TicTacToeTask(symbols=SHUFFLED).samples(50, 0)
    assert [s.id for s in normal] == [s.id for s in control]
    assert all(a.question != b.question for a, b in zip(normal, control, strict=True))
    assert (NORMAL, SHUFFLED) == ("XO.", ".XO")


@pytest.mark.parametrize("score_as", ["legal", "optimal"])
def test_chance_is_what_a_uniform_guess_scores(score_as: Any) -> None:
    task = TicTacToeTask(score_as=score_as)
    samples = task.samples(4520, 0)
    total = sum(Fraction(int(task.score(s, Answer(value=cell)).score or 0)) for s in samples for cell in s.choices)
    assert total / (9 * 4520) == exact_chance(score_as)
    assert task.chance == float(exact_chance(score_as))
    assert all(s.meta["legal"] == len(s.meta["legal_moves"]) for s in samples)
    assert all(s.meta["optimal"] == len(s.meta["optimal_moves"]) for s in samples)


def test_scores() -> None:
    legal, optimal = TicTacToeTask(score_as="legal"), TicTacToeTask(score_as="optimal")
    (sample,) = (s for s in optimal.samples(5000, 0) if s.meta["board"] == "X........")
    assert sample.target == "5"
    assert optimal.score(sample, Answer("I take cell 5.")).score == 1.0
    assert optimal.score(sample, Answer("9")).score == 0.0
    assert legal.score(sample, Answer("9")).score == 1.0
    assert legal.score(sample, Answer("1")).score == 0.0
    assert legal.score(sample, Answer(value="23456789")).score == 0.0
    assert legal.score(sample, Answer("the centre")).ending is Ending.UNPARSED


def test_bad_settings() -> None:
    bad: Any = "best"
    with pytest.raises(UnknownName, match="no score of tic-tac-toe named 'best'"):
        TicTacToeTask(score_as=bad)
    with pytest.raises(BadRequest, match="Three different symbols"):
        TicTacToeTask(symbols="XX.")
