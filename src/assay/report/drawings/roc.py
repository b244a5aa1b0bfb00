"""The ROC curves of both arms: how many positives each catches for how many negatives flagged."""

from __future__ import annotations

from assay.core.verdict import ArmResult, Verdict
from assay.report.detectors import OperatingPoint, operating_points, roc_points
from assay.report.drawings.axis import Axis, tick_text
from assay.report.drawings.shapes import (
    ACCENT,
    EDGE,
    END,
    INK,
    LINE,
    QUIET,
    course,
    dot,
    drawing,
    inward,
    line,
    path,
    short,
    text,
)
from assay.report.kinds import mean_with_interval
from assay.report.wording import arm_title, typographic

LEFT, TOP, BOTTOM = 52, 24, 330
BEARABLE = 0.01
"""The false-positive rate that is marked on the curves."""
STROKES = {"control": (INK, 1.6, "6 3"), "treatment": (ACCENT, 2.4, "")}


def roc_plot(verdict: Verdict) -> str:
    """Both arms' curves with their AUROC, and their TPR at a false-positive rate of 1 %; empty without curves."""
    arms = [(key, verdict.arms[key]) for key in STROKES if key in verdict.arms]
    curves = [(key, arm, points) for key, arm in arms if len(points := roc_points(arm)) > 1]
    if not curves:
        return ""
    x, y = Axis(0.0, 1.0, LEFT, END), Axis(0.0, 1.0, BOTTOM, TOP)
    parts, says, top = _frame(x, y), [], BOTTOM + 84
    parts.append(text(END, top - 20, "AUROC", anchor="end", colour=QUIET))
    for key, arm, points in curves:
        colour, width, dashes = STROKES[key]
        parts.append(path(course([(x.at(false), y.at(true)) for false, true in points]), colour, width, dashes))
        parts += _point(arm, x, y, colour)
        title, value = arm_title(key, arm), typographic(mean_with_interval(arm, verdict))
        parts.append(line(EDGE, top - 4, EDGE + 26, top - 4, colour, width, dashes))
        parts.append(text(EDGE + 34, top, short(title, 27)))
        parts.append(text(END, top, value, anchor="end"))
        says.append(f"{title}: AUROC {value}, TPR {_bearable(arm).text} at a false-positive rate of 1 %")
        top += 20
    title = "ROC curves: true-positive rate against false-positive rate"
    return drawing(title, "; ".join(says) + ".", top - 8, parts)


def _frame(x: Axis, y: Axis) -> list[str]:
    """Grid, the diagonal of a coin, and the mark at a false-positive rate of 1 %."""
    parts = []
    for tick in y.ticks(6):
        parts.append(line(x.start, y.at(tick), x.end, y.at(tick), LINE))
        parts.append(text(x.start - 6, y.at(tick) + 4, tick_text(tick, 0.2), anchor="end", colour=QUIET))
    for tick in x.ticks(6):
        at = x.at(tick)
        parts.append(text(at, y.start + 16, tick_text(tick, 0.2), anchor=inward(at), colour=QUIET))
    middle = (x.start + x.end) / 2
    parts.append(line(x.start, y.start, x.end, y.end, QUIET, 1, "2 4"))
    parts.append(text(x.at(0.62), y.at(0.55), "a coin", colour=QUIET))
    parts.append(line(x.at(BEARABLE), y.end - 4, x.at(BEARABLE), y.start, QUIET, 1, "4 3"))
    parts.append(text(x.at(BEARABLE) + 6, y.start - 8, "FPR 1 %", colour=QUIET))
    parts.append(text(middle, y.start + 34, "negatives flagged (FPR)", anchor="middle", colour=QUIET))
    parts.append(text(EDGE, y.end - 10, "positives caught (TPR)", colour=QUIET))
    return parts


def _point(arm: ArmResult, x: Axis, y: Axis, colour: str) -> list[str]:
    point = _bearable(arm)
    if point.tpr is None:
        return []
    return [dot(x.at(BEARABLE if point.fpr is None else point.fpr), y.at(point.tpr), 4, colour)]


def _bearable(arm: ArmResult) -> OperatingPoint:
    return next(point for point in operating_points(arm) if point.nominal == BEARABLE)
