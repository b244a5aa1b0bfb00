"""The ratings of a leaderboard with their intervals, one model beneath the other."""

from __future__ import annotations

import math
from collections.abc import Sequence

from assay.report.drawings.axis import Axis
from assay.report.drawings.forest import axis_below, whisker
from assay.report.drawings.shapes import EDGE, END, LINE, QUIET, drawing, line, short, text
from assay.report.wording import typographic
from assay.stats.ranking import OFFSET, Leaderboard

ROW = 34
MOST_ROWS = 200
STRIP_WIDTH, STRIP_HEIGHT, STRIP_EDGE = 180, 18, 6


def leaderboard_plot(board: Leaderboard, members: Sequence[int]) -> str:
    """The models of one component, best first; an interval without an end goes off the drawing with an arrow."""
    shown = list(members)[:MOST_ROWS]
    axis = rating_axis(board, shown, EDGE, END)
    bottom = 18 + ROW * len(shown)
    parts, says = [], []
    if axis.holds(OFFSET):
        parts.append(line(axis.at(OFFSET), 4, axis.at(OFFSET), bottom, LINE))
    for row, at in enumerate(shown):
        top, low, high = 20 + ROW * row, float(board.low[at]), float(board.high[at])
        value = rating_text(float(board.ratings[at]), low, high)
        parts.append(text(EDGE, top, f"{board.ranks[at]}"))
        parts.append(text(EDGE + 26, top, short(board.models[at], 26)))
        parts.append(text(END, top, value, anchor="end", colour=QUIET))
        parts += whisker(float(board.ratings[at]), (low, high), top + 11, axis, strong=False)
        says.append(f"{board.ranks[at]}. {board.models[at]} {value}")
    parts += axis_below(axis, bottom, 1.0, sign=False)
    title = f"Ratings on the Elo scale with {100 * board.level:g} % intervals"
    return drawing(title, "; ".join(says) + ".", bottom + 28, parts)


def rating_axis(board: Leaderboard, members: Sequence[int], start: float, end: float) -> Axis:
    """The axis on which the ratings of these models are drawn, with the ends that their intervals have."""
    settled = [at for at in members if not board.unbounded[at]] or list(members)
    ends = [float(end) for at in settled for end in (board.low[at], board.high[at]) if math.isfinite(end)]
    return Axis.around([*(float(board.ratings[at]) for at in settled), *ends], start, end)


def rating_strips(board: Leaderboard, members: Sequence[int]) -> list[str]:
    """Per model of one component its rating with its interval, no higher than a word, all on one axis."""
    axis = rating_axis(board, members, STRIP_EDGE, STRIP_WIDTH - STRIP_EDGE)
    size = f'width="{STRIP_WIDTH}" height="{STRIP_HEIGHT}" viewBox="0 0 {STRIP_WIDTH} {STRIP_HEIGHT}"'
    strips = []
    for at in members:
        rating, low, high = float(board.ratings[at]), float(board.low[at]), float(board.high[at])
        parts = [line(axis.at(OFFSET), 0, axis.at(OFFSET), STRIP_HEIGHT, LINE)] if axis.holds(OFFSET) else []
        parts += whisker(rating, (low, high), STRIP_HEIGHT / 2, axis, strong=False)
        says = rating_text(rating, low, high)
        strips.append(f'<svg class="strip" {size} role="img" aria-label="{says}">{"".join(parts)}</svg>')
    return strips


def rating_text(rating: float, low: float, high: float) -> str:
    """A rating with its interval; an end that the votes leave open is said as infinity."""
    ends = (f"{end:.0f}" if math.isfinite(end) else ("−∞" if end < 0 else "∞") for end in (low, high))
    return typographic(f"{rating:.0f} [{', '.join(ends)}]")
