"""What the arms of a run gave, and their scores in pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from assay.core.answers import Curve, curve_of
from assay.core.usage import Usage
from assay.lab.evidence import Pair
from assay.lab.store import Recorded


@dataclass(slots=True)
class ArmRecord:
    """What one arm gave, by (item, repeat)."""

    name: str
    says: str
    samples: dict[tuple[str, int], Recorded] = field(default_factory=dict)
    preparation: Usage = field(default_factory=Usage)
    """What it cost before the first sample."""

    def curve(self, item: str) -> Curve:
        """What it measured along the dose on that item; empty where it answered no curve."""
        recorded = self.samples.get((item, 0))
        return curve_of(recorded.outcome.answer) if recorded is not None else ()

    def usage(self, items: set[str]) -> Usage:
        """What the arm paid for these items, its preparation included."""
        chosen = (r.usage for (item, _), r in self.samples.items() if item in items)
        return sum(chosen, self.preparation)


def pair_of(item: str, treatment: ArmRecord, control: ArmRecord, repeats: int = 1) -> Pair | None:
    """The scores of an item in both arms, or None where one of them has none."""
    means = []
    for arm in (treatment, control):
        found = [arm.samples.get((item, repeat)) for repeat in range(repeats)]
        scores = [r.outcome.score for r in found if r is not None and r.outcome.score is not None]
        if not scores:
            return None
        means.append(float(np.mean(scores)))
    return Pair(item, means[0], means[1])


def pairs_of(items: Sequence[str], treatment: ArmRecord, control: ArmRecord, repeats: int = 1) -> list[Pair]:
    """All pairs that have a score in both arms, in the order of the items."""
    found = (pair_of(item, treatment, control, repeats) for item in items)
    return [pair for pair in found if pair is not None]
