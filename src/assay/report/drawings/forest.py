"""Estimates with their intervals, one beneath the other on one axis: what several drawings are made of.

Here too is the drawing of a rate, which is such rows over the band where the claim puts it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from assay.core.verdict import Verdict
from assay.report.drawings.axis import Axis, clamp, tick_text
from assay.report.drawings.shapes import (
    ACCENT,
    BAND,
    EDGE,
    END,
    INK,
    LINE,
    QUIET,
    course,
    drawing,
    inward,
    line,
    path,
    rect,
    ring,
    short,
    text,
)
from assay.report.kinds import Band, band_of, effect_interval, expected_text, mean_with_interval, rate_text
from assay.report.wording import (
    arm_title,
    finite,
    finite_interval,
    is_binary,
    level_text,
    typographic,
)

Ends = tuple[float, float] | None
Row = tuple[str, float | None, Ends]


def row_numbers(row: Row) -> list[float]:
    """All numbers of a row."""
    return [*([] if row[1] is None else [row[1]]), *(row[2] or ())]


def forest_axis(rows: Sequence[Row], marks: Sequence[float]) -> Axis:
    """Made for the first row: a control with a huge interval must not squeeze it to a dot."""
    own = [*marks, *row_numbers(rows[0])]
    middle = Axis.around(own, 0, 1, 0.0)
    span = middle.high - middle.low
    others = [clamp(number) for row in rows[1:] for number in row_numbers(row)]
    kept = [min(max(number, middle.low - span), middle.high + span) for number in others]
    return Axis.around([*own, *kept], EDGE, END)


def whisker(effect: float | None, ends: Ends, y: float, axis: Axis, *, strong: bool) -> list[str]:
    """An interval with its estimate: a square on a thick line, or a ring on a thin one."""
    colour, parts = ACCENT if strong else INK, []
    if ends is not None:
        parts.append(line(axis.at(ends[0]), y, axis.at(ends[1]), y, colour, 3 if strong else 1.5))
        for end in ends:
            x = axis.at(end)
            if axis.holds(clamp(end)):
                parts.append(line(x, y - 4, x, y + 4, colour, 1.5))
            else:  # it goes on beyond the drawing: an arrow and no cap
                way = 5 if end < axis.low else -5
                parts.append(path(course([(x + way, y - 4), (x, y), (x + way, y + 4)]), colour))
    if effect is not None and axis.holds(clamp(effect)):
        x = axis.at(effect)
        parts.append(rect(x - 5, y - 5, 10, 10, colour) if strong else ring(x, y, 3.5, colour))
    return parts


def axis_below(axis: Axis, y: float, factor: float, *, sign: bool) -> list[str]:
    """The axis with its ticks beneath all rows."""
    parts = [line(axis.start, y, axis.end, y, LINE)]
    for tick in axis.ticks(7):
        x, label = axis.at(tick), tick_text(tick, axis.step(7), factor, sign=sign)
        parts += [line(x, y, x, y + 4, QUIET), text(x, y + 18, label, anchor=inward(x), colour=QUIET)]
    return parts


def band_parts(band: Band, axis: Axis, rows: int) -> list[str]:
    """The band where the effect must lie, behind each row's interval; its ends dashed, its name above."""
    left, right = axis.at(band.low), axis.at(band.high)
    parts = [rect(left, 43 + 38 * i, max(right - left, 1.0), 18, BAND) for i in range(rows)]
    for end in _ends_of(band):
        parts.append(line(axis.at(end), 20, axis.at(end), 26 + 38 * rows, QUIET, 1, "4 3"))
    return [*parts, mark_label((left + right) / 2, band.label)]


def mark_label(x: float, label: str) -> str:
    """The name of a mark at the head of a drawing, kept within it."""
    label = typographic(label)
    half = 3.4 * len(label)
    return text(min(max(x, EDGE + half), END - half), 14, label, anchor="middle", colour=QUIET)


def _ends_of(band: Band) -> list[float]:
    return [end for end in (band.low, band.high) if math.isfinite(end)]


def rate_plot(verdict: Verdict) -> str:
    """The treatment's rate with its interval over the band that the claim names; the other arms beneath."""
    rows = _rate_rows(verdict)
    if not row_numbers(rows[0][0]):
        return ""
    band = band_of(verdict) or Band(-math.inf, math.inf, "")
    axis = forest_axis([row for row, _ in rows], [*_ends_of(band), *_bounds(band, verdict)])
    bottom = 26 + 38 * len(rows)
    parts = band_parts(band, axis, len(rows))
    for i, ((name, mean, ends), value) in enumerate(rows):
        top, weight = 40 + 38 * i, 400 if i else 600
        parts.append(text(EDGE, top, short(name, 27), weight=weight))
        parts.append(text(END, top, value, anchor="end", weight=weight))
        parts += whisker(mean, ends, top + 12, axis, strong=i == 0)
    parts += axis_below(axis, bottom, 100.0 if is_binary(verdict) else 1.0, sign=False)
    says = "; ".join(f"{name} {value}" for (name, _, _), value in rows)
    return drawing(
        f"{verdict.unit} with its {level_text(verdict)} interval, against what the claim says",
        f"{says}. The claim says {expected_text(verdict)}.",
        bottom + 28,
        parts,
    )


def _bounds(band: Band, verdict: Verdict) -> list[float]:
    """Where an open band of shares ends after all: at none of them, or at all."""
    open_ends = ((band.low, 0.0), (band.high, 1.0))
    return [bound for end, bound in open_ends if is_binary(verdict) and math.isinf(end)]


def _rate_rows(verdict: Verdict) -> list[tuple[Row, str]]:
    """The treatment by the verdict's own numbers, then every other arm, each with its text."""
    arms = dict(verdict.arms)
    treatment = arms.pop("treatment", None)
    title = "rate" if treatment is None else arm_title("treatment", treatment)
    own = f"{rate_text(verdict.effect, verdict)} {effect_interval(verdict)}".rstrip()
    rows: list[tuple[Row, str]] = [((title, finite(verdict.effect), finite_interval(verdict.interval)), own)]
    for key, arm in arms.items():
        row = (arm_title(key, arm), finite(arm.mean), finite_interval(arm.interval))
        rows.append((row, mean_with_interval(arm, verdict)))
    return [(row, typographic(value)) for row, value in rows]
