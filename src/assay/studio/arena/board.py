"""The leaderboard as the page shows it: a line a model, with its interval drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from markupsafe import Markup

from assay.report.drawings.leaderboard import rating_strips
from assay.report.leaderboard import Entry, components_of, entry_of, notes_of
from assay.stats.ranking import Battles, Leaderboard, Resampling, leaderboard
from assay.tasks.votes import Unknown, Votes, read_votes
from assay.workbench.votes import facts_of

WIDE = 400.0
"""Points: odds of ten to one."""
FEW = 10
"""Votes. The intervals are made for many: of 2,000 simulated tables of 5 votes, two fifths of them ties, they held
the true rating in 89 %, of tables of 10 in 94 %."""


@dataclass(frozen=True, slots=True)
class Table:
    """What is shown of a leaderboard."""

    groups: Sequence[Sequence[tuple[Entry, Markup]]]
    """Models that met, be it through others, each with the drawing of its interval."""
    facts: Sequence[str]
    notes: Sequence[str]


def table_of(board: Leaderboard, votes: Votes) -> Table:
    """The lines and the sentences beside them."""
    groups = [
        [
            (entry_of(board, at), Markup(drawn))
            for at, drawn in zip(members, rating_strips(board, members), strict=True)
        ]
        for members in components_of(board)
    ]
    notes = notes_of(board)
    if float(board.votes.min()) < FEW:
        notes.insert(0, f"With fewer than {FEW} votes on a model its interval may be too narrow.")
    if float((board.high - board.low).max()) > WIDE:
        notes.insert(0, f"Some intervals are wider than {WIDE:.0f} points, odds of ten to one: cast more votes.")
    return Table(groups, facts_of(board, votes), notes)


def imported(file: Path, own: Votes | None, unknown: Unknown = "error") -> Table:
    """The leaderboard of a file of votes, with those cast here where they are to be counted in."""
    votes = read_votes(file, unknown=unknown)
    if own is not None:
        votes = together(votes, own)
    return table_of(leaderboard(votes.battles, Resampling.seeded(0)), votes)


def together(votes: Votes, more: Votes) -> Votes:
    """All votes of both."""
    one, two = votes.battles, more.battles
    first = [*(one.models[at] for at in one.a.tolist()), *(two.models[at] for at in two.a.tolist())]
    second = [*(one.models[at] for at in one.b.tolist()), *(two.models[at] for at in two.b.tolist())]
    battles = Battles.named(first, second, [*one.score.tolist(), *two.score.tolist()])
    shown = votes.shown[0] + more.shown[0], votes.shown[1] + more.shown[1]
    return replace(votes, battles=battles, shown=shown)
