"""Tic-tac-toe, solved: states, moves, values and symmetries.

A board is a text of nine signs in reading order, "X", "O" or "."; a cell is its digit "1" to "9". X
begins, so the board says who moves. Values are game-theoretic: a win is a win however long it takes.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from assay.core.validation import require

EMPTY = "........."
CELLS = "123456789"
_LINES = ((0, 1, 2), (3, 4, 5), (6, 7, 8), (0, 3, 6), (1, 4, 7), (2, 5, 8), (0, 4, 8), (2, 4, 6))
_TURN = (6, 3, 0, 7, 4, 1, 8, 5, 2)
_MIRROR = (2, 1, 0, 5, 4, 3, 8, 7, 6)


def winner(board: str) -> str | None:
    """The player with three in a row; None where there is none (yet)."""
    for a, b, c in _LINES:
        if board[a] != "." and board[a] == board[b] == board[c]:
            return board[a]
    return None


def player(board: str) -> str:
    """Who moves next."""
    return "X" if board.count("X") == board.count("O") else "O"


def is_over(board: str) -> bool:
    """Whether the game has ended, by a row or by a full board."""
    return winner(board) is not None or "." not in board


def require_running(board: str) -> None:
    """Raise `BadRequest` unless the board is one that play can reach and the game goes on."""
    require(len(board) == 9 and set(board) <= set("XO."), f"{board!r} is no board of nine X, O and dots.")
    require(board in reachable(), f"The board {board} cannot arise in play.")
    require(not is_over(board), f"The game on {board} is over: {_result(board)}.")


def legal_moves(board: str) -> str:
    """The digits of the free cells, ascending; `BadRequest` where the game is over."""
    require_running(board)
    return _free(board)


def play(board: str, cell: str) -> str:
    """The board after the player to move takes a cell; `BadRequest` for a move against the rules."""
    require(len(cell) == 1 and cell in CELLS, f"A cell is a digit from 1 to 9, not {cell!r}.")
    require(cell in legal_moves(board), f"Cell {cell} is taken on {board}.")
    return _after(board, cell)


def board_after(moves: Sequence[str]) -> str:
    """The board after a history of cells, X first; `BadRequest` names the first illegal move."""
    board = EMPTY
    for cell in moves:
        board = play(board, cell)
    return board


@cache
def value(board: str) -> int:
    """What perfect play brings the player to move: 1 a win, 0 a draw, -1 a loss."""
    if is_over(board):
        return 0 if winner(board) is None else -1
    return max(-value(_after(board, cell)) for cell in _free(board))


def optimal_moves(board: str) -> str:
    """The digits of the moves that keep the best result in reach; `BadRequest` where the game is over."""
    best = value(board) if board in reachable() else 0
    return "".join(cell for cell in legal_moves(board) if -value(_after(board, cell)) == best)


@cache
def reachable() -> frozenset[str]:
    """All 5,478 boards that play can reach, ended games included."""
    found = {EMPTY}
    waiting = [EMPTY]
    while waiting:
        board = waiting.pop()
        following = {_after(board, cell) for cell in ("" if is_over(board) else _free(board))}
        waiting += following - found
        found |= following
    return frozenset(found)


@cache
def running() -> tuple[str, ...]:
    """The 4,520 boards on which somebody has to move, in lexicographic order."""
    return tuple(sorted(board for board in reachable() if not is_over(board)))


def symmetries(board: str) -> tuple[str, ...]:
    """The board under the eight turns and mirrorings; index i is the image under `symmetry_cells(i)`."""
    return tuple("".join(board[CELLS.index(cell)] for cell in symmetry_cells(i)) for i in range(8))


def symmetry_cells(index: int) -> str:
    """Symmetry 0..7 as nine digits: the image's k-th cell shows what stood in the k-th digit's cell.

    A move `cell` on the board is the move `CELLS[symmetry_cells(i).index(cell)]` on image i.
    """
    require(0 <= index < 8, "There are eight symmetries, 0 to 7.")
    cells = CELLS
    for _ in range(index % 4):
        cells = "".join(cells[i] for i in _TURN)
    return "".join(cells[i] for i in _MIRROR) if index >= 4 else cells


def _after(board: str, cell: str) -> str:
    at = int(cell) - 1
    return board[:at] + player(board) + board[at + 1 :]


def _free(board: str) -> str:
    return "".join(cell for cell, sign in zip(CELLS, board, strict=True) if sign == ".")


def _result(board: str) -> str:
    won = winner(board)
    return f"{won} has won" if won else "a draw"
