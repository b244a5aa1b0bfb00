"""Drawings of a verdict as inline SVG: no script, no ids, colours from the page's CSS variables.

Each stands alone too (the variables have fallbacks), carries its numbers as text, and never tells
anything by colour alone. A drawing of nothing is an empty text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from assay.core.samples import Ending
from assay.core.verdict import Verdict
from assay.report.drawings.axis import Axis, tick_text
from assay.report.drawings.forest import (
    Ends,
    Row,
    axis_below,
    band_parts,
    forest_axis,
    mark_label,
    row_numbers,
    whisker,
)
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
    frame,
    inward,
    line,
    path,
    rect,
    short,
    text,
)
from assay.report.kinds import (
    band_of,
    held_against,
    is_detector,
    mean_name,
    mean_with_interval,
    smallest_signed,
)
from assay.report.wording import (
    NONE,
    arm_title,
    control_title,
    finite,
    finite_interval,
    interval_text,
    is_binary,
    level_text,
    score_text,
    sentence_start,
    typographic,
)

MOST_LOOKS = 160
MOST_DOTS = 120
ENDING_COLOURS = {
    Ending.SCORED: ACCENT,
    Ending.UNPARSED: "var(--unparsed,#e0a100)",
    Ending.TRUNCATED: "var(--truncated,#b8a6cf)",
    Ending.REFUSED: "var(--refused,#b3431c)",
    Ending.ERRORED: "var(--errored,#5b6269)",
}
Look = tuple[int, float, float, float]


def interval_plot(verdict: Verdict) -> str:
    """The effect with its interval, 0 and what it is held against; the controls beneath. Not for a rate."""
    rows: list[Row] = [("effect", finite(verdict.effect), finite_interval(verdict.interval))]
    for control in verdict.controls.values():
        rows.append((control_title(control.name), finite(control.effect), finite_interval(control.interval)))
    if not any(row_numbers(row) for row in rows):
        return ""
    axis = forest_axis(rows, [0.0, *_lines(verdict)])
    bottom = 26 + 38 * len(rows)
    parts = _marks(verdict, axis, len(rows))
    for i, (name, effect, ends) in enumerate(rows):
        top, weight = 40 + 38 * i, 400 if i else 600
        parts.append(text(EDGE, top, short(name, 22), weight=weight))
        parts.append(text(END, top, _value(effect, ends, verdict), anchor="end", weight=weight))
        parts += whisker(effect, ends, top + 12, axis, strong=i == 0)
    parts += axis_below(axis, bottom, _factor(verdict), sign=True)
    says = "; ".join(f"{name} {_value(effect, ends, verdict)}" for name, effect, ends in rows)
    against = typographic(sentence_start(": ".join(held_against(verdict))))
    return drawing(
        f"Effect with its {level_text(verdict)} interval, treatment minus control",
        f"{says}. {against}.",
        bottom + 28,
        parts,
    )


def _lines(verdict: Verdict) -> list[float]:
    """What the effect is held against besides 0: the smallest effect, or the margin on both sides."""
    band = band_of(verdict)
    if band is not None:
        return [band.low, band.high]
    smallest = finite(smallest_signed(verdict))
    return [smallest] if smallest else []


def _marks(verdict: Verdict, axis: Axis, rows: int) -> list[str]:
    bottom, band = 26 + 38 * rows, band_of(verdict)
    zero = line(axis.at(0.0), 20, axis.at(0.0), bottom, INK)
    if band is not None:
        return [*band_parts(band, axis, rows), zero]
    parts = [zero]
    for smallest in _lines(verdict):
        parts.append(line(axis.at(smallest), 20, axis.at(smallest), bottom, QUIET, 1, "4 3"))
        parts.append(mark_label(axis.at(smallest), f"worth having from {_signed(smallest, verdict)}"))
    return parts


def trajectory_plot(verdict: Verdict) -> str:
    """The running estimate with its confidence sequence at each look; empty where no look was taken."""
    looks = _drawable_looks(verdict)
    if not looks:
        return ""
    wanted, left, top, bottom = _lines(verdict), 52, 14, 190
    settled = looks[len(looks) // 4 :]  # the first looks are far too wide to set the scale
    values = [0.0, *wanted, *(number for look in settled for number in look[1:])]
    y = Axis.around(values, bottom, top)
    x = Axis.around([0.0, *(look[0] for look in looks)], left, END, 0.0)
    parts = _band(looks, x, y)
    for tick in y.ticks(7):
        label = tick_text(tick, y.step(7), _factor(verdict), sign=True)
        parts.insert(0, line(left, y.at(tick), END, y.at(tick), LINE))
        parts.append(text(left - 6, y.at(tick) + 4, label, anchor="end", colour=QUIET))
    parts.append(line(left, y.at(0.0), END, y.at(0.0), INK))
    for value in wanted:
        parts.append(line(left, y.at(value), END, y.at(value), QUIET, 1.2, "4 3"))
    if wanted:
        label = "worth having" if len(wanted) == 1 else "margin"
        above = y.at(wanted[-1]) + (-5 if wanted[-1] > 0 else 14)
        parts.append(text(END, above, label, anchor="end", colour=QUIET, halo=False))
    for tick in (t for t in x.ticks(6) if t == int(t)):
        at = x.at(tick)
        parts.append(text(at, bottom + 16, tick_text(tick, 1.0), anchor=inward(at), colour=QUIET))
    parts.append(text((left + END) / 2, bottom + 34, "pairs", anchor="middle", colour=QUIET))
    n, estimate, low, high = looks[-1]
    last = f"At the last look, {n} pairs: {_value(estimate, (low, high), verdict)}."
    return drawing("Running estimate of the effect with its confidence sequence", last, bottom + 42, parts)


def _band(looks: Sequence[Look], x: Axis, y: Axis) -> list[str]:
    if len(looks) == 1:
        n, estimate, low, high = looks[0]
        return [line(x.at(n), y.at(low), x.at(n), y.at(high), BAND, 8), dot(x.at(n), y.at(estimate), 4, ACCENT)]
    edge = [(x.at(n), y.at(high)) for n, _, _, high in looks]
    edge += [(x.at(n), y.at(low)) for n, _, low, _ in reversed(looks)]
    return [area(edge, BAND), path(course([(x.at(n), y.at(middle)) for n, middle, _, _ in looks]), ACCENT, 2)]


def _drawable_looks(verdict: Verdict) -> list[Look]:
    looks = [look for look in verdict.trajectory if all(finite(number) is not None for number in look)]
    every = -(-len(looks) // MOST_LOOKS)
    return looks if every <= 1 else [*looks[:-1:every], looks[-1]]


def arms_plot(verdict: Verdict, scores: Mapping[str, Sequence[float]] | None = None) -> str:
    """The mean of each arm (of a detector its AUROC, with the coin's one half) with its interval.

    The scores of single samples are dots, where they are given.
    """
    binary = is_binary(verdict)
    rows: list[tuple[Row, list[float]]] = []
    for key, arm in verdict.arms.items():
        dots = sorted(score for score in (scores or {}).get(key, ()) if finite(score) is not None)
        row = (arm_title(key, arm), finite(arm.mean), finite_interval(arm.interval))
        rows.append((row, dots[:: max(1, -(-len(dots) // MOST_DOTS))]))
    values = [number for row, dots in rows for number in (*row_numbers(row), *dots)]
    marks = [0.0, 1.0] if binary else [0.5, 1.0] if is_detector(verdict) else []
    axis = Axis.around([*marks, *values], EDGE, END, 0.0 if binary else 0.06)
    parts, says, top = [], [], 18.0
    if is_detector(verdict):
        parts.append(line(axis.at(0.5), 4, axis.at(0.5), 8 + 38 * len(rows), QUIET, 1, "4 3"))
    for ((name, mean, ends), dots), arm in zip(rows, verdict.arms.values(), strict=True):
        value = typographic(mean_with_interval(arm, verdict))
        says.append(f"{name} {value}")
        parts += [text(EDGE, top, short(name, 27)), text(END, top, value, anchor="end")]
        for i, score in enumerate(dots):  # on three heights, so that equal scores do not hide each other
            parts.append(dot(axis.at(score), top + 23 + 4 * (i % 3), 1.6, QUIET))
        parts += whisker(mean, ends, top + 12, axis, strong=name.startswith("treatment"))
        top += 54 if dots else 38
    parts += axis_below(axis, top - 10, _factor(verdict), sign=False)
    title = f"{sentence_start(mean_name(verdict))} per arm with its interval"
    coin = " One half is a coin." if is_detector(verdict) else ""
    return drawing(title, f"{'; '.join(says)}.{coin}", top + 18, parts)


def endings_bar(verdict: Verdict) -> str:
    """How the samples of each arm ended: a bar in the order of the five counts written beneath it."""
    parts, says, top = [], [], 18.0
    for key, arm in verdict.arms.items():
        counts = [(ending, max(0, int(arm.endings.get(ending.value, 0)))) for ending in Ending]
        total, title = sum(count for _, count in counts), arm_title(key, arm)
        says.append(f"{title}: " + ", ".join(f"{count} {ending.value}" for ending, count in counts))
        parts += [text(EDGE, top, short(title, 40)), text(END, top, f"{total:,} samples", anchor="end")]
        parts += _stack(counts, total, top + 7)
        for i, (ending, count) in enumerate(counts):
            x, y = EDGE + 120 * (i % 3), top + 38 + 18 * (i // 3)
            parts.append(rect(x, y - 9, 10, 10, ENDING_COLOURS[ending]))
            parts.append(text(x + 15, y, f"{count:,} {ending.value}", colour=INK if count else QUIET))
        top += 88
    return drawing("How the samples of each arm ended", "; ".join(says) + ".", max(top - 26, 1), parts)


def _stack(counts: Sequence[tuple[Ending, int]], total: int, y: float) -> list[str]:
    there = [(ending, count) for ending, count in counts if count]
    if not there:
        return [frame(EDGE, y, END - EDGE, 14, LINE)]
    least = 4.0  # one sample of a thousand is still to be seen
    parts, x = [], float(EDGE)
    for ending, count in there:
        wide = least + (END - EDGE - least * len(there)) * (count / total)
        parts.append(rect(x, y, wide - 1, 14, ENDING_COLOURS[ending]))
        x += wide
    return parts


def _signed(value: float, verdict: Verdict) -> str:
    return typographic(score_text(value, is_binary(verdict), sign=True))


def _value(effect: float | None, ends: Ends, verdict: Verdict) -> str:
    if effect is None:
        return NONE
    interval = typographic(interval_text(ends, is_binary(verdict), sign=True))
    return f"{_signed(effect, verdict)} {interval}".rstrip()


def _factor(verdict: Verdict) -> float:
    return 100.0 if is_binary(verdict) else 1.0
