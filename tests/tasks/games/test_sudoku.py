"""Sudoku and Latin squares: rules, a solver that counts, puzzles with one solution, files of one's own."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from random import Random

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.core import Answer, BadFile, BadRequest
from assay.tasks import SudokuTask
from assay.tasks.games.sudoku import Sudoku, generated, solutions, spelled
from assay.tasks.games.sudoku_task import load_puzzles, puzzle_of
from assay.tasks.games.sudoku_texts import Fills

EASY = "12.4/34.2/.143/43.1"


def brute_force(puzzle: Sudoku) -> int:
    """Solutions, by trying every digit in every empty cell."""
    empty = [at for at, digit in enumerate(puzzle.givens) if not digit]
    count = 0
    for digits in product(range(1, puzzle.size + 1), repeat=len(empty)):
        cells = list(puzzle.givens)
        for at, digit in zip(empty, digits, strict=True):
            cells[at] = digit
        count += not puzzle.check(tuple(cells))
    return count


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.booleans(), st.integers(0, 6))
def test_the_solver_counts_as_brute_force_does(seed: int, latin: bool, empties: int) -> None:
    rng = Random(seed)
    whole = solutions(Sudoku((0,) * 16, None if latin else (2, 2)), 1, rng)[0]
    cells = list(whole)
    for at in rng.sample(range(16), empties):
        cells[at] = 0
    if rng.random() < 0.3:
        cells[rng.randrange(16)] = rng.randrange(1, 5)  # most often this leaves no solution
    puzzle = Sudoku(tuple(cells), None if latin else (2, 2))
    assert len(solutions(puzzle, 10**4)) == brute_force(puzzle)


def test_there_are_288_sudokus_and_576_latin_squares_of_four() -> None:
    assert len(solutions(Sudoku((0,) * 16, (2, 2)), 10**4)) == 288
    assert len(solutions(Sudoku((0,) * 16), 10**4)) == 576


def test_a_latin_square_that_cannot_be_filled_is_found_out() -> None:
    puzzle = Sudoku.read("1234./....5/...../...../.....", latin=True)
    assert not puzzle.check(puzzle.start)  # no digit stands twice, and yet row 1 has none left for its last cell
    assert solutions(puzzle) == []
    assert len(solutions(Sudoku((0,) * 25))) == 2


@pytest.mark.parametrize(
    ("size", "empties", "latin"), [(4, 8, False), (4, 10, True), (6, 16, False), (9, 40, False)]
)
def test_generated_puzzles_have_one_solution(size: int, empties: int, latin: bool) -> None:
    for seed in range(5 if size < 9 else 1):
        puzzle, whole = generated(size, empties, Random(seed), latin=latin)
        assert puzzle.givens.count(0) == empties
        assert solutions(puzzle) == [whole]
    assert puzzle.answers(spelled(whole, size))


def test_the_block_rule_is_a_rule_of_sudoku_and_none_of_latin_squares() -> None:
    board = "1234/2143/3412/4321"
    puzzle, square = Sudoku.read(board), Sudoku.read(board, latin=True)
    assert puzzle.check(puzzle.start) == "1 stands twice in block 1."
    assert square.check(square.start) == ""


def test_a_fill_names_an_empty_cell_and_may_be_wrong() -> None:
    puzzle = Sudoku.read(EASY)
    after = puzzle.step(puzzle.start, "r1c3=3 and row 2, column 3: 1")
    assert after is not None
    assert spelled(after, 4) == "1234/3412/.143/43.1"
    wrong = puzzle.step(puzzle.start, "r1c3=4")
    assert wrong is not None
    assert puzzle.check(wrong) == "4 stands twice in row 1."
    for line in ("r1c1=3", "r5c1=1", "r1c3=5", "r1c3=3 r1c3=3", "I would begin in row 1.", "", "12"):
        assert puzzle.step(puzzle.start, line) is None
    assert puzzle.step(puzzle.start, " 3 ") == puzzle.step(puzzle.start, "r1c3=3")


def test_in_order_only_the_first_empty_cell_is_filled() -> None:
    puzzle = Sudoku.read(EASY, order="next")
    assert puzzle.moves(puzzle.start) == ("r1c3=1", "r1c3=2", "r1c3=3", "r1c3=4")
    assert puzzle.step(puzzle.start, "r2c3=1") is None
    assert len(Sudoku.read(EASY).moves(puzzle.start)) == 16


def test_an_answer_keeps_the_givens_and_is_complete() -> None:
    puzzle = Sudoku.read(EASY)
    assert puzzle.answers("1234/3412/2143/4321")
    for board in ("1234/3412/.143/4321", "2143/4321/1234/3412", "1234/3412/2143", "", "1234/3412/2143/4329"):
        assert not puzzle.answers(board)


def test_the_task_scores_boards_and_reads_them_in_prose() -> None:
    task = SudokuTask()
    (sample,) = task.samples(1, 0, "4x4-6")
    board = sample.target.replace("/", "\n")
    assert task.score(sample, Answer(f"Here it is:\n{board}\nDone in 3 steps.")).score == 1.0
    assert task.score(sample, Answer(value=str(sample.meta["board"]))).score == 0.0
    assert task.score(sample, Answer("I cannot.")).ending.value == "unparsed"


@pytest.mark.parametrize("text", ["12", "1234/341", "12a4/3412/2143/4321", "1234567", "0" * 25])
def test_what_is_no_board_is_refused(text: str) -> None:
    with pytest.raises(BadRequest):
        Sudoku.read(text)


def test_a_file_of_ones_own_puzzles(tmp_path: Path) -> None:
    file = tmp_path / "mine.sudoku"
    file.write_text(f"# mine\n{EASY}\n\n{EASY.replace('/', '').replace('.', '0')[:-1]}1  # the same\n")
    with pytest.raises(BadFile, match=r"line 4.*line 2 again"):
        load_puzzles(file)
    file.write_text(f"{EASY}\n")
    (sample,) = load_puzzles(file).samples(5, 0)
    assert sample.target == "1234/3412/2143/4321"
    assert puzzle_of(sample) == Sudoku.read(EASY)
    for text, problem in (
        ("." * 16, "more than one"),
        ("123." + "...4" + "." * 8, "no solution"),
        ("12", "not 2"),
    ):
        file.write_text(f"{EASY}\n{text}\n")
        with pytest.raises(BadFile, match=f"line 2.*{problem}"):
            load_puzzles(file)


def test_a_share_of_the_fills_is_wrong_and_no_tested_board_is_among_them() -> None:
    drawn = Fills(wrong=0.2).examples(3000, numpy.random.default_rng(0))
    fills = [example for example in drawn if example.prompt.endswith(":")]
    unique = [(e, found[0]) for e in fills if len(found := solutions(Sudoku.read(e.prompt[:-1]))) == 1]
    wrong = [e for e, whole in unique if int(e.answer) != whole[e.prompt.index(".")]]
    assert abs(len(wrong) / len(unique) - 0.2) < 0.03
    tested = {sample.id.removeprefix("sudoku-") for sample in SudokuTask().samples(200, 0, "4x4-8")}
    assert not tested & {example.prompt[:-1] for example in drawn}
    checks = [example for example in drawn if example.prompt.endswith("?")]
    assert {example.answer for example in checks} == {"yes", "no"}
    assert all(Fills().mark(example, example.answer)["exact"] == 1.0 for example in drawn)
