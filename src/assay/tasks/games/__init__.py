"""Games and puzzles with an exact solver."""

from assay.tasks.games.game24 import Game24Task
from assay.tasks.games.sudoku_task import SudokuTask, load_puzzles
from assay.tasks.games.tictactoe import TicTacToeTask
from assay.tasks.games.word_square import WordSquareTask

__all__ = ["Game24Task", "SudokuTask", "TicTacToeTask", "WordSquareTask", "load_puzzles"]
