"""An effect with its interval on a line no higher than a word, for lists of many verdicts."""

from __future__ import annotations

import html
import math

from assay.core.verdict import Verdict
from assay.report.drawings.shapes import ACCENT, BAND, QUIET, line, place, rect
from assay.report.kinds import band_of, effect_with_interval, is_equality, is_rate, smallest_signed
from assay.report.wording import finite, finite_interval, typographic, visible

WIDTH, HEIGHT, EDGE = 132, 18, 4


def strip(verdict: Verdict) -> str:
    """The drawing: nothing is at the thin line, an effect worth having begins at the dashed one; empty without
    an effect. A rate stands over the band where its claim puts it."""
    effect, ends = finite(verdict.effect), finite_interval(verdict.interval)
    if effect is None:
        return ""
    band = band_of(verdict) if is_rate(verdict) or is_equality(verdict) else None
    marks = [end for end in (band.low, band.high) if math.isfinite(end)] if band else [smallest_signed(verdict)]
    numbers = [effect, *(ends or ()), *marks, *([] if is_rate(verdict) else [0.0])]
    low, high = min(numbers), max(numbers)
    room = (high - low or abs(high) or 1.0) * 0.06
    low, high = low - room, high + room

    def at(number: float) -> float:
        inside = min(max(number, low), high)
        return float(EDGE + (WIDTH - 2 * EDGE) * (inside - low) / (high - low))

    middle = HEIGHT / 2
    parts = []
    if band:
        parts.append(rect(at(band.low), 2, max(at(band.high) - at(band.low), 1.0), HEIGHT - 4, BAND))
    else:
        parts.append(line(at(marks[0]), 2, at(marks[0]), HEIGHT - 2, QUIET, 1, "2 2"))
    if not is_rate(verdict):
        parts.append(line(at(0.0), 0, at(0.0), HEIGHT, QUIET, 1))
    if ends is not None:
        parts.append(line(at(ends[0]), middle, at(ends[1]), middle, ACCENT, 2))
    parts.append(f'<circle cx="{place(at(effect))}" cy="{place(middle)}" r="3.5" fill="{ACCENT}"/>')
    says = html.escape(visible(typographic(effect_with_interval(verdict))))
    size = f'width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}"'
    return f'<svg class="strip" {size} role="img" aria-label="{says}">{"".join(parts)}</svg>'
