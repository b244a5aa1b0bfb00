"""Games with an exact solver."""

from assay.tasks.games.tictactoe import TicTacToeTask

__all__ = ["TicTacToeTask"]
