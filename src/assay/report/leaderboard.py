"""A leaderboard as one static HTML file: no script, nothing fetched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assay.report.drawings.leaderboard import leaderboard_plot, rating_text
from assay.report.html import environment
from assay.report.wording import sentence_start
from assay.stats.ranking import Leaderboard


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the table."""

    rank: int
    model: str
    rating: str
    votes: int
    unbounded: bool


def leaderboard_page(board: Leaderboard, source: str, facts: Sequence[str]) -> str:
    """The text of the file: drawing and table of every component, and what the numbers do not tell.

    Args:
        board: the ratings.
        source: what the votes are called.
        facts: sentences on the votes: how many, duplicates, position.
    """
    from markupsafe import Markup

    groups = [
        (Markup(leaderboard_plot(board, members)), [entry_of(board, at) for at in members])
        for members in components_of(board)
    ]
    style = [(name, f"{value:+.3f} ± {1.96 * error:.3f}") for name, (value, error) in board.style.items()]
    notes = notes_of(board)
    page: str = (
        environment()
        .get_template("leaderboard.html.j2")
        .render(groups=groups, source=source, facts=list(facts), notes=notes, style=style, level=board.level)
    )
    return page


def entry_of(board: Leaderboard, at: int) -> Entry:
    """The line of one model."""
    return Entry(
        int(board.ranks[at]),
        board.models[at],
        rating_text(float(board.ratings[at]), float(board.low[at]), float(board.high[at])),
        int(board.votes[at]),
        bool(board.unbounded[at]),
    )


def notes_of(board: Leaderboard) -> list[str]:
    """What must stand beside the numbers, as sentences."""
    return [f"{sentence_start(note)}." for note in board.notes]


def components_of(board: Leaderboard) -> list[list[int]]:
    """Models of each component, best first; the component with most votes first."""
    found: dict[int, list[int]] = {}
    for at in board.order.tolist():
        found.setdefault(int(board.component[at]), []).append(at)
    return list(found.values())
