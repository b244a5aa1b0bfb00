"""Curves along a dose: what both arms of a trend measured, and how a loss fell."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from assay.core.verdict import ArmResult, Verdict
from assay.report.drawings.axis import Axis, tick_text
from assay.report.drawings.shapes import (
    ACCENT,
    BAND,
    EDGE,
    END,
    INK,
    LINE,
    QUIET,
    area,
    course,
    dot,
    drawing,
    inward,
    line,
    path,
    short,
    text,
)
from assay.report.wording import arm_title, visible

LEFT, TOP, BOTTOM = 58, 24, 250
STROKES = {"control": (INK, 1.6, "6 3", "var(--line,#d5d9dc)"), "treatment": (ACCENT, 2.4, "", BAND)}
DOUBLINGS = 8
"""Doses whose largest is this many times their smallest stand at equal ratios."""
BARS = "▁▂▃▄▅▆▇█"
Point = tuple[float, float, float, float]
"""Dose, mean over seeds, and the ends of its interval."""


def points_of(arm: ArmResult) -> list[Point]:
    """What an arm measured along the dose; empty where its record holds no such thing."""
    found, rows = [], arm.details.get("band")
    for row in rows if isinstance(rows, list | tuple) else ():
        if isinstance(row, list | tuple) and len(row) == 4 and all(_is_number(value) for value in row):
            found.append((float(row[0]), float(row[1]), float(row[2]), float(row[3])))
    return found


def curve_plot(verdict: Verdict) -> str:
    """Both arms' curves with the band of their interval over seeds; empty where no arm has two points."""
    arms = [(key, verdict.arms[key]) for key in STROKES if key in verdict.arms]
    drawn = [(key, arm, points) for key, arm in arms if len(points := points_of(arm)) > 1]
    if not drawn:
        return ""
    everything = [point for _, _, points in drawn for point in points]
    x, shown = _doses(sorted({dose for dose, *_ in everything}))
    y = Axis.around([value for _, *values in everything for value in values], BOTTOM, TOP)
    along = visible(str(drawn[0][1].details.get("dose", "dose")))
    unit = visible(verdict.unit).removesuffix(f" a {along}")
    parts, says, top = _frame(x, y, shown, unit, along), [], BOTTOM + 58
    for key, _, points in drawn:
        parts.append(area(_band(points, x, y), STROKES[key][3]))
    for key, arm, points in drawn:
        colour, width, dashes, _ = STROKES[key]
        at = [(x.at(_place(dose, x)), y.at(mean)) for dose, mean, _, _ in points]
        parts.append(path(course(at), colour, width, dashes))
        parts += [dot(across, up, 3, colour) for across, up in at]
        title = arm_title(key, arm)
        parts.append(line(EDGE, top - 4, EDGE + 26, top - 4, colour, width, dashes))
        parts.append(text(EDGE + 34, top, short(title, 44)))
        says.append(f"{title}: from {points[0][1]:.3g} to {points[-1][1]:.3g}")
        top += 20
    description = "; ".join(says) + ". Bands: 95 % intervals over seeds."
    return drawing("What both arms measured along the dose", description, top - 8, parts)


def loss_svg(name: str, curve: Sequence[Mapping[str, float]]) -> str:
    """A training's loss, and what was watched beside it, over tokens."""
    lines = []
    for key, label, style in (
        ("loss", "training", STROKES["control"]),
        ("held_out", "held out", STROKES["treatment"]),
    ):
        points = [(point["tokens"], point[key]) for point in curve if key in point and math.isfinite(point[key])]
        if points:
            lines.append((label, points, style))
    if not lines:
        return drawing(f"Loss of {name}", "Nothing was noted.", 40, [text(EDGE, 24, "No losses were noted.")])
    everything = [point for _, points, _ in lines for point in points]
    x = Axis.around([tokens for tokens, _ in everything], LEFT, END, 0.0)
    y = Axis.around([loss for _, loss in everything], BOTTOM, TOP)
    parts, top = _frame(x, y, x.ticks(5), "loss (nats a token)", "tokens"), BOTTOM + 58
    for label, points, (colour, width, dashes, _) in lines:
        parts.append(path(course([(x.at(a), y.at(b)) for a, b in points]), colour, width, dashes))
        parts.append(line(EDGE, top - 4, EDGE + 26, top - 4, colour, width, dashes))
        parts.append(text(EDGE + 34, top, f"{label}: {points[0][1]:.3f} to {points[-1][1]:.4f}"))
        top += 20
    return drawing(
        f"Loss of {name}", f"{name}: {everything[0][1]:.3f} to {everything[-1][1]:.3f}.", top - 8, parts
    )


def sparkline(values: Sequence[float], width: int = 32) -> str:
    """Numbers as a line of bars; empty for none."""
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return ""
    step = max(1, math.ceil(len(finite) / width))
    means = [sum(finite[i : i + step]) / len(finite[i : i + step]) for i in range(0, len(finite), step)]
    low, span = min(means), (max(means) - min(means)) or 1.0
    return "".join(BARS[min(7, int((value - low) / span * 8))] for value in means)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


class RatioAxis(Axis):
    """An axis whose values are logarithms to base 2."""


def _doses(doses: Sequence[float]) -> tuple[Axis, list[float]]:
    """The axis of the doses, and those that are labelled."""
    if doses[0] > 0 and doses[-1] >= DOUBLINGS * doses[0]:
        low, high = math.log2(doses[0]), math.log2(doses[-1])
        room = (high - low) * 0.04
        axis: Axis = RatioAxis(low - room, high + room, LEFT, END)
    else:
        axis = Axis.around(doses, LEFT, END, 0.04)
    few = list(doses) if len(doses) <= 8 else list(doses)[:: math.ceil(len(doses) / 8)]
    return axis, few


def _place(dose: float, axis: Axis) -> float:
    return math.log2(dose) if isinstance(axis, RatioAxis) else dose


def _band(points: Sequence[Point], x: Axis, y: Axis) -> list[tuple[float, float]]:
    upper = [(x.at(_place(dose, x)), y.at(high)) for dose, _, _, high in points]
    lower = [(x.at(_place(dose, x)), y.at(low)) for dose, _, low, _ in points]
    return upper + lower[::-1]


def _frame(x: Axis, y: Axis, doses: Sequence[float], unit: str, along: str) -> list[str]:
    parts = []
    step = y.step(6)
    for tick in y.ticks(6):
        parts.append(line(x.start, y.at(tick), x.end, y.at(tick), LINE))
        parts.append(text(x.start - 6, y.at(tick) + 4, tick_text(tick, step), anchor="end", colour=QUIET))
    for dose in doses:
        at = x.at(_place(dose, x))
        parts.append(text(at, y.start + 16, _dose_text(dose), anchor=inward(at), colour=QUIET))
    parts.append(text((x.start + x.end) / 2, y.start + 34, along, anchor="middle", colour=QUIET))
    parts.append(text(EDGE, y.end - 10, short(unit, 52), colour=QUIET))
    return parts


def _dose_text(dose: float) -> str:
    """A dose as people write it: 0.05, 32, 20k, 2.5M."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(dose) >= size:
            return f"{dose / (1e3 if letter == 'k' else size):.4g}{letter}"
    return f"{dose:.4g}"
