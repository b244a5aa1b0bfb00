"""Seeds as samples: for claims about training, where everything is trained anew from every seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from assay.core.answers import Curve, curve_of, slope
from assay.core.errors import UnknownName
from assay.core.samples import Answer, Ending, Outcome, Sample
from assay.core.validation import require_whole

APART = 1000
"""Seeds of one run lie this far from those of the next."""
Summary = Literal["slope", "mean", "last"]


@dataclass(frozen=True, slots=True)
class SeedsTask:
    """A sample is a seed, in `meta["seed"]`, and the size of what is trained, in `meta["size"]`.

    The flow returns a curve as its answer; its score is one number of it.
    """

    summary: Summary = "mean"
    """What a curve comes to: its slope, the mean of its points, or its last one."""
    dose: str = "dose"
    """What a curve is measured along, in one word."""
    name: str = "seeds"
    cue: str = ""
    kind: str = "curve"
    chance: float | None = None
    """What an organism that learned nothing scores, where that is known."""
    levels: tuple[str, ...] = ("smoke", "small", "full")
    """How much is trained; chosen by the size of the run."""

    def samples(self, n: int, seed: int, level: str | None = None) -> tuple[Sample, ...]:
        """n seeds; two runs share none."""
        require_whole("n", n, 0, APART)
        size = level or self.levels[0]
        if size not in self.levels:
            raise UnknownName("level", size, self.levels)
        return tuple(
            Sample(f"seed-{at}", f"Trained from seed {at}.", meta={"seed": at, "size": size})
            for at in range(seed * APART, seed * APART + n)
        )

    def extract(self, text: str) -> str | None:
        """The curve in a text."""
        return text if curve_of(text) else None

    def score(self, sample: Sample, answer: Answer) -> Outcome:
        """The summary of the curve."""
        curve = curve_of(answer.value)
        if not curve:
            return Outcome(Ending.UNPARSED, detail="Nothing could be measured on what was trained.")
        return Outcome.scored(self.summarised(curve), answer.value, answer.detail)

    def summarised(self, curve: Curve) -> float:
        """One number of a curve."""
        if self.summary == "slope":
            return slope(curve)
        if self.summary == "last":
            return curve[-1][1]
        return sum(y for _, y in curve) / len(curve)
