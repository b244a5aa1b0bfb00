"""What differs between kinds of evidence: how an effect is written, and what it is held against.

A paired claim has a difference of means, a detector a difference of AUROC (or of TPR), a rate its own
mean. The first two are held against 0 and the smallest effect worth having, or against a margin on
both sides where no difference is claimed; a rate is held against the numbers that the claim names.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from assay.core.verdict import ArmResult, ControlResult, Verdict
from assay.report.wording import (
    NONE,
    effect_text,
    finite,
    interval_text,
    is_binary,
    mean_text,
    score_text,
    visible,
)

LONGEST_UNIT = 40
_AT_FPR = re.compile(r"TPR at a false-positive rate of (\d+(?:\.\d+)?(?:e-?\d{1,3})?)")
_NO_NAME = re.compile("[^A-Za-z0-9 .%-]")


@dataclass(frozen=True, slots=True)
class Band:
    """Numbers between which an effect must lie for its claim to hold."""

    low: float
    high: float
    """Either end may be infinite."""
    label: str


def is_detector(verdict: Verdict) -> bool:
    """Whether arms tell positive samples from negative ones."""
    return verdict.evidence == "detector"


def is_rate(verdict: Verdict) -> bool:
    """Whether the effect is the treatment's own mean, held against numbers."""
    return verdict.evidence == "rate"


def is_trend(verdict: Verdict) -> bool:
    """Whether arms were trained anew from every seed, and what is compared is a number of their curves."""
    return verdict.evidence == "trend"


def is_equality(verdict: Verdict) -> bool:
    """Whether the claim says that the arms do not differ."""
    return verdict.direction == 0 and not is_rate(verdict)


def compared(verdict: Verdict) -> str:
    """What two detectors are compared in, short: `AUROC`, or `TPR at 1 %`."""
    found = str(verdict.test.get("compares", "AUROC"))
    at = _AT_FPR.fullmatch(found)
    return f"TPR at {100 * float(at[1]):g} %" if at else _NO_NAME.sub(" ", found)[:LONGEST_UNIT]


def compared_in_full(verdict: Verdict) -> str:
    """The same where there is room: `TPR at FPR 1 %`."""
    return compared(verdict).replace("TPR at ", "TPR at FPR ")


def effect_name(verdict: Verdict) -> str:
    """What the effect is called: a rate is none."""
    return "rate" if is_rate(verdict) else "effect"


def effect_alone(verdict: Verdict) -> str:
    """The effect without its interval, such as `+4.2 points`, `+0.112 AUROC` or `rate 12.3 %`."""
    if is_rate(verdict):
        text = rate_text(verdict.effect, verdict)
        return text if text == NONE else f"rate {text}"
    return difference_text(verdict.effect, verdict)


def effect_interval(verdict: Verdict) -> str:
    """The interval of the effect: signed, unless it is a rate's."""
    if is_rate(verdict):
        return interval_text(verdict.interval, is_binary(verdict), decimals=_decimals(verdict))
    return interval_text(verdict.interval, is_binary(verdict), sign=True)


def effect_with_interval(verdict: Verdict) -> str:
    """The effect with its interval, such as `+4.2 points [-1.0, +9.3]`."""
    return f"{effect_alone(verdict)} {effect_interval(verdict)}".rstrip()


def difference_text(value: float | None, verdict: Verdict) -> str:
    """A difference between two arms of this verdict, signed and with its unit."""
    text = effect_text(value, is_binary(verdict))
    return f"{text} {compared(verdict)}" if is_detector(verdict) and text != NONE else text


def control_with_interval(control: ControlResult, verdict: Verdict) -> str:
    """What a control showed: always a difference of two arms."""
    return f"{difference_text(control.effect, verdict)} {control_interval(control, verdict)}".rstrip()


def control_interval(control: ControlResult, verdict: Verdict) -> str:
    """The interval of that difference."""
    return interval_text(control.interval, is_binary(verdict), sign=True)


def rate_text(value: float | None, verdict: Verdict) -> str:
    """A rate: a percentage for 0/1 scores, the number itself else (a ratio may exceed 1)."""
    return mean_text(value, is_binary(verdict), decimals=_decimals(verdict))


def mean_of(arm: ArmResult, verdict: Verdict) -> str:
    """The mean of an arm, or its AUROC."""
    return mean_text(arm.mean, is_binary(verdict), decimals=_decimals(verdict))


def interval_of(arm: ArmResult, verdict: Verdict) -> str:
    """The interval of that mean."""
    return interval_text(arm.interval, is_binary(verdict), decimals=_decimals(verdict))


def mean_with_interval(arm: ArmResult, verdict: Verdict) -> str:
    """The mean of an arm with its interval."""
    return f"{mean_of(arm, verdict)} {interval_of(arm, verdict)}".rstrip()


def mean_name(verdict: Verdict) -> str:
    """What the number of an arm is called in tables and plots."""
    return "AUROC" if is_detector(verdict) else f"mean {visible(verdict.unit)}"


def unit_text(verdict: Verdict) -> str:
    """What effects are measured in, for the caption of a plot."""
    if is_detector(verdict):
        return compared_in_full(verdict)
    return "percentage points" if is_binary(verdict) else visible(verdict.unit)


def effect_measured(verdict: Verdict) -> list[str]:
    """What the effect is of, as lines beneath it."""
    if is_rate(verdict):
        return [f"of {visible(verdict.unit)}, the treatment alone", f"the claim says {expected_text(verdict)}"]
    of = f"in {compared_in_full(verdict)}" if is_detector(verdict) else f"of {visible(verdict.unit)}"
    held = [f"margin for no difference ±{margin_text(verdict)}"] if is_equality(verdict) else []
    return [f"{of}, treatment minus control", *held]


def counted_text(n: int, verdict: Verdict) -> str:
    """How many pairs, or samples of a rate or a detector, in words that agree."""
    word = _counted(verdict)
    return f"1 {word}" if n == 1 else f"{n:,} {word}s"


def _counted(verdict: Verdict) -> str:
    """What a verdict of this kind rests on."""
    return {"paired": "pair", "trend": "seed"}.get(verdict.evidence, "sample")


def control_counted(control: ControlResult, verdict: Verdict) -> str:
    """What a control rests on: pairs, and samples where a detector is judged."""
    word = "seed" if is_trend(verdict) else "sample" if is_detector(verdict) else "pair"
    return f"1 {word}" if control.n == 1 else f"{control.n:,} {word}s"


def count_heading(verdicts: Sequence[Verdict]) -> str:
    """The heading of their counts."""
    kinds = {_counted(verdict) for verdict in verdicts}
    return f"{kinds.pop().capitalize()}s" if len(kinds) == 1 else "Samples"


def control_heading(verdict: Verdict) -> str:
    """The heading of what controls show: differences of arms, which is not what a rate is."""
    return "difference [interval]" if is_rate(verdict) else "effect [interval]"


def effects_explained(verdicts: Sequence[Verdict]) -> str:
    """What a reader must know of an effect of another kind; empty where all are paired."""
    said = []
    if any(is_detector(verdict) for verdict in verdicts):
        said.append("Of two detectors it is the difference in AUROC, or in TPR where that is named.")
    if any(is_rate(verdict) for verdict in verdicts):
        said.append("A rate is no difference: it is the treatment's own mean, held against the numbers claimed.")
    if any(is_trend(verdict) for verdict in verdicts):
        said.append("Organisms are trained anew from every seed: n counts seeds, and tokens are trained on.")
    return " ".join(said)


def smallest_signed(verdict: Verdict) -> float:
    """Where the smallest effect worth having lies, on the side that the claim names."""
    return math.copysign(verdict.smallest_effect, verdict.direction)


def margin_text(verdict: Verdict) -> str:
    """The margin within which two arms count as equal, without a sign."""
    text = score_text(abs(verdict.smallest_effect), is_binary(verdict))
    if text == NONE:
        return text
    unit = " points" if is_binary(verdict) else f" {compared(verdict)}" if is_detector(verdict) else ""
    return text + unit


def held_against(verdict: Verdict) -> tuple[str, str]:
    """What the effect is held against, as a name and a value."""
    if is_rate(verdict):
        return "the claim says", expected_text(verdict)
    if is_equality(verdict):
        return "margin for no difference", f"±{margin_text(verdict)}"
    return "smallest effect worth having", difference_text(smallest_signed(verdict), verdict)


def expected_text(verdict: Verdict) -> str:
    """Where a claim puts its rate: `between 80.0 % and 90.0 %`, `at most 1.0 %`, `at least 2.000`."""
    low, high = expected_ends(verdict)
    least, most = rate_text(low, verdict), rate_text(high, verdict)
    if low == high:
        return f"exactly {least}"
    if math.isinf(low):
        return "any number" if math.isinf(high) else f"at most {most}"
    return f"at least {least}" if math.isinf(high) else f"between {least} and {most}"


def expected_ends(verdict: Verdict) -> tuple[float, float]:
    """The claimed numbers; infinite where a share has no bound on that side, or nobody named one."""
    low, high = verdict.expected or (-math.inf, math.inf)
    if is_binary(verdict):
        low, high = (-math.inf if low <= 0 else low), (math.inf if high >= 1 else high)
    return (-math.inf if finite(low) is None else low), (math.inf if finite(high) is None else high)


def band_of(verdict: Verdict) -> Band | None:
    """Where the effect must lie: of a rate where the claim puts it, of an equality within the margin."""
    if is_rate(verdict):
        return Band(*expected_ends(verdict), f"claimed {expected_text(verdict)}")
    margin = finite(verdict.smallest_effect)
    if not is_equality(verdict) or margin is None:
        return None
    binary, margin = is_binary(verdict), abs(margin)
    ends = [score_text(end, binary, sign=True) for end in (-margin, margin)]
    return Band(-margin, margin, f"no difference: {ends[0]} to {ends[1]}")


def _decimals(verdict: Verdict) -> int | None:
    """Enough decimals for a rate to be told from the numbers claimed; None: as many as ever."""
    if not is_rate(verdict) or not is_binary(verdict):
        return None
    steps = [step for end in verdict.expected or () for step in (abs(end), abs(1 - end)) if 0 < step < 1]
    return min(5, max(1, -math.floor(math.log10(100 * min(steps, default=1.0)) + 1e-9) + 1))
