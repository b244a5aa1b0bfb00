"""Scaling runs with the law fitted to them: loss against compute, and the best size against compute."""

from __future__ import annotations

import math
from collections.abc import Sequence

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
    rect,
    ring,
    text,
)
from assay.report.wording import typographic
from assay.stats import Bootstrap, Fit, Law, RunTable

LEFT = 52
LOSS = (24.0, 234.0)
"""From the top to the bottom of the drawing of losses."""
SIZE = (298.0, 468.0)
"""From the top to the bottom of the drawing of sizes."""
KEY = 44
POINTS = 33
MOST_CURVES = 5
LETTERS = "-kMBTQ"
Band = Sequence[tuple[float, float, float]]
"""A position on the axis of compute with the ends of an interval."""


def scaling_plot(table: RunTable, fit: Fit, resampled: Bootstrap | None = None) -> str:
    """Loss against compute with a curve per size and the optimum, and beneath it the best size at each compute.

    The band is the 95 % interval of the bootstrap. A method without a law has no curves, and shows the optima it
    found as rings.
    """
    compute = [math.log10(flops) for flops in table.compute.tolist()]
    x = Axis.around(compute, LEFT, END, 0.03)
    budgets = [x.low + (x.high - x.low) * i / (POINTS - 1) for i in range(POINTS)]
    parts = [*_losses(table, fit, resampled, x, budgets), *_sizes(table, fit, resampled, x, budgets)]
    parts += _key(table, fit, resampled)
    known = math.isfinite(fit.a)
    exponent = f"N ~ C^{fit.a:.3f}" if known else "no optimal size"
    if known and resampled is not None:
        interval = resampled.spread("a").interval
        exponent += f" [{interval.low:.3f}, {interval.high:.3f}]"
    parts.append(text(END, SIZE[0] - 10, typographic(exponent), anchor="end", weight=600))
    says = f"{len(table)} runs, fitted by {fit.method}; {exponent}."
    if not fit.converged:
        says += " The search did not converge."
    return drawing("Loss and optimal size against training compute", says, SIZE[1] + 40 + KEY, parts)


def _losses(
    table: RunTable, fit: Fit, resampled: Bootstrap | None, x: Axis, budgets: Sequence[float]
) -> list[str]:
    """Runs, the curve of each of a few sizes, and the lowest loss at each compute with its band."""
    compute, loss = [math.log10(flops) for flops in table.compute.tolist()], table.loss.tolist()
    law = fit.law if fit.coefficient > 0.0 else None
    lowest = [] if law is None else [_best_loss(law, 10.0**at, fit.flops_per) for at in budgets]
    y = Axis.around([*loss, *lowest], LOSS[1], LOSS[0], 0.04)
    parts = [*_ticks_of_compute(x, LOSS[1]), text(EDGE, LOSS[0] - 10, "loss, nats a token", colour=QUIET)]
    for tick in y.ticks(9):
        parts.append(line(x.start, y.at(tick), x.end, y.at(tick), LINE))
        parts.append(text(x.start - 6, y.at(tick) + 4, tick_text(tick, y.step(9)), anchor="end", colour=QUIET))
    dots = [dot(x.at(at), y.at(value), 1.6, QUIET) for at, value in zip(compute, loss, strict=True)]
    if law is None:
        return [*parts, *dots]
    if resampled is not None:
        laws = [one.law for one in resampled.fits if one.law is not None and one.coefficient > 0.0]
        band = [
            (at, *_middle([_best_loss(one, 10.0**at, fit.flops_per) for one in laws])) for at in budgets if laws
        ]
        parts += [_band(band, x, y)] if laws else []
    parts.append(path(_course(budgets, lowest, x, y), ACCENT, 2.4))
    names: list[tuple[float, float, str]] = []
    for size in _chosen(table):
        way = _curve(table, law, size, x, y)
        parts.append(path(course(way), INK, 1))
        if all(abs(way[0][0] - at) > 46 or abs(way[0][1] - height) > 15 for at, height, _ in names):
            names.append((*way[0], _short(size)))
    labels = [text(at + 4, max(height - 4, LOSS[0] + 8), name) for at, height, name in names]
    return [*parts, *dots, *labels]


def _curve(table: RunTable, law: Law, size: float, x: Axis, y: Axis) -> list[tuple[float, float]]:
    """Where the loss of one size runs by the law, over the compute of its runs."""
    runs = zip(table.parameters.tolist(), table.compute.tolist(), strict=True)
    mine = [math.log10(flops) for parameters, flops in runs if parameters == size]
    low, high = min(mine), max(mine)
    places = [low + (high - low) * i / (POINTS - 1) for i in range(POINTS)]
    values = [float(law.loss(size, 10.0**at / (table.flops_per * size))) for at in places]
    return [(x.at(at), y.at(value)) for at, value in zip(places, values, strict=True)]


def _sizes(table: RunTable, fit: Fit, resampled: Bootstrap | None, x: Axis, budgets: Sequence[float]) -> list[str]:
    """Runs by size and compute, the optimal size with its band, and the optima the method found."""
    sizes = [math.log10(size) for size in table.parameters.tolist()]
    best = [math.log10(fit.coefficient) + fit.a * at for at in budgets] if fit.coefficient > 0.0 else []
    y = Axis.around([*sizes, *best], SIZE[1], SIZE[0], 0.04)
    parts = [*_ticks_of_compute(x, SIZE[1]), text(EDGE, SIZE[0] - 10, "parameters", colour=QUIET)]
    parts.append(text((x.start + x.end) / 2, SIZE[1] + 34, "training FLOP", anchor="middle", colour=QUIET))
    for tick in _decades(y):
        parts.append(line(x.start, y.at(tick), x.end, y.at(tick), LINE))
        parts.append(text(x.start - 6, y.at(tick) + 4, _short(10.0**tick), anchor="end", colour=QUIET))
    compute = [math.log10(flops) for flops in table.compute.tolist()]
    dots = [dot(x.at(at), y.at(size), 1.6, QUIET) for at, size in zip(compute, sizes, strict=True)]
    if best and resampled is not None:
        intervals = [resampled.optimal_parameters(10.0**at).interval for at in budgets]
        band = [
            (at, math.log10(max(one.low, 1.0)), math.log10(one.high))
            for at, one in zip(budgets, intervals, strict=True)
        ]
        parts.append(_band(band, x, y))
    parts += dots
    if best:
        parts.append(path(_course(budgets, best, x, y), ACCENT, 2.4))
    if len(fit.optima) <= POINTS:
        parts += [
            ring(x.at(math.log10(one.flops)), y.at(math.log10(one.parameters)), 3, INK) for one in fit.optima
        ]
    elif fit.optima:  # approach 1 has one at each of many budgets: a course of steps
        places = [math.log10(one.flops) for one in fit.optima]
        parts.append(path(_course(places, [math.log10(one.parameters) for one in fit.optima], x, y), INK, 1))
    return parts


def _key(table: RunTable, fit: Fit, resampled: Bootstrap | None) -> list[str]:
    """What the signs mean, beneath both drawings."""
    at = SIZE[1] + 58
    parts = [dot(EDGE + 13, at - 4, 1.6, QUIET), text(EDGE + 34, at, "a run", colour=QUIET)]
    if not fit.coefficient > 0.0:
        return parts
    if resampled is not None:
        parts.append(rect(EDGE + 92, at - 9, 26, 10, BAND))
    parts.append(line(EDGE + 92, at - 4, EDGE + 118, at - 4, ACCENT, 2.4))
    said = f"optimum by {fit.method}" + (" with 95 % band" if resampled is not None else "")
    parts.append(text(EDGE + 126, at, said + ("" if fit.converged else ", not converged"), colour=QUIET))
    if fit.optima:
        parts.append(
            ring(EDGE + 13, at + 14, 3, INK)
            if len(fit.optima) <= POINTS
            else line(EDGE, at + 14, EDGE + 26, at + 14, INK)
        )
        parts.append(text(EDGE + 34, at + 18, "the best size found at a budget", colour=QUIET))
    elif fit.law is not None and _chosen(table):
        parts.append(line(EDGE, at + 14, EDGE + 26, at + 14, INK))
        parts.append(text(EDGE + 34, at + 18, "the law at one size", colour=QUIET))
    return parts


def _ticks_of_compute(x: Axis, bottom: float) -> list[str]:
    return [
        text(x.at(tick), bottom + 16, _power(tick), anchor=inward(x.at(tick)), colour=QUIET)
        for tick in _decades(x)
    ]


def _decades(axis: Axis) -> list[float]:
    """Whole powers of ten, at most six of them; thirds of one where there are fewer than two."""
    first, last = math.ceil(axis.low), math.floor(axis.high)
    if last - first < 1:
        thirds = [math.log10(m) + n for n in range(first - 1, last + 1) for m in (1, 2, 5)]
        return [tick for tick in thirds if axis.holds(tick)]
    step = -(-(last - first) // 6) or 1
    return [float(tick) for tick in range(first, last + 1, step)]


def _power(exponent: float) -> str:
    return f"{10.0**exponent:.0e}".replace("e+", "e").replace("e0", "e")


def _short(value: float) -> str:
    """A count as 70M or 1.3B."""
    group = min(max(0, math.floor(math.log10(value) / 3 + 1e-9)), len(LETTERS) - 1)
    return f"{value / 1000.0**group:.3g}{LETTERS[group] if group else ''}"


def _best_loss(law: Law, budget: float, flops_per: float) -> float:
    split = law.optimal(budget, flops_per)
    return float(law.loss(split.parameters, split.tokens))


def _middle(values: Sequence[float]) -> tuple[float, float]:
    """The ends of the middle 95 % of some numbers."""
    ranked = sorted(values)
    cut = int(0.025 * len(ranked))
    return ranked[cut], ranked[-1 - cut]


def _band(band: Band, x: Axis, y: Axis) -> str:
    there = [(x.at(at), y.at(high)) for at, _, high in band]
    return area([*there, *((x.at(at), y.at(low)) for at, low, _ in reversed(band))], BAND)


def _course(places: Sequence[float], values: Sequence[float], x: Axis, y: Axis) -> str:
    return course([(x.at(at), y.at(value)) for at, value in zip(places, values, strict=True)])


def _chosen(table: RunTable) -> list[float]:
    """A few of the sizes with runs of several lengths, from the smallest to the largest, evenly by rank."""
    lengths: dict[float, set[float]] = {}
    for size, flops in zip(table.parameters.tolist(), table.compute.tolist(), strict=True):
        lengths.setdefault(size, set()).add(flops)
    curved = sorted(size for size, each in lengths.items() if len(each) > 1)
    count = min(MOST_CURVES, len(curved))
    return [curved[round(i * (len(curved) - 1) / max(count - 1, 1))] for i in range(count)]
