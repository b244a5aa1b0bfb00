"""The numbers and names of a verdict, in one wording for terminal, Markdown and HTML.

What differs between kinds of evidence is in `report.kinds`; whole sentences are in `report.sentences`.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from assay.core.verdict import ArmResult, Verdict

NONE = "n/a"
CONTROL_TITLES = {
    "placebo": "placebo",
    "equal_spend": "equal spend",
    "format": "format",
    "aa": "A/A",
    "arm_swap": "arm swap",
}
TEST_TITLES = {
    "rule": "stopping rule",
    "level": "level of the interval",
    "p": "p-value",
    "e": "e-value",
    "only_treatment": "pairs only the treatment won",
    "only_control": "pairs only the control won",
    "mcnemar_p": "exact McNemar p-value",
    "sign_flip_p": "sign-flip p-value",
}
REASONS = {
    "budget": "the budget ran out before the interval was clear of either line",
    "too few samples": "the samples ran out before the interval was clear of either line",
    "errored": "more than half of the samples met a fault of transport",
    "floor": "both arms are within noise of chance, so this task is too hard to tell them apart",
    "ceiling": "both arms are close to the best possible score, so there is no room for an effect",
    "invalid": "a control that must be at chance is not",
    "unchecked": "a control that must be at chance was not run",
    "one class only": "there are samples of one kind alone, or too few of one",
    "unparsed": "too many replies hold no readable answer",
    "clustered": "samples that belong together, taken as such, do not decide it",
}
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff0-\ufffb\ufffe\uffff"
    "\U000e0000-\U000e0fff]"
)

_HYPHEN_AS_MINUS = re.compile(r"(?<![\w.])-(?=\d)")


def visible(text: str) -> str:
    """The text with every character that acts instead of showing (escape codes, overrides) written out."""
    return _UNSEEN.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", text.replace("\r\n", "\n"))


def typographic(text: str) -> str:
    """Our own numbers for paper and screen: a minus sign before a digit, where a hyphen stood."""
    return _HYPHEN_AS_MINUS.sub("−", text)


def sentence_start(words: str) -> str:
    """The words with a capital at their head."""
    return words[:1].upper() + words[1:]


def finite(value: Any) -> float | None:
    """The number, or None for what cannot be shown as one (None, NaN, infinity)."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def finite_interval(interval: tuple[float, float] | None) -> tuple[float, float] | None:
    """Both ends as numbers, or None if either cannot be shown."""
    if interval is None:
        return None
    low, high = finite(interval[0]), finite(interval[1])
    return None if low is None or high is None else (low, high)


def score_text(value: float | None, binary: bool, *, sign: bool = False, decimals: int | None = None) -> str:
    """A score or a difference of scores without its unit: hundredths for binary, the score itself else."""
    number = finite(value)
    if number is None:
        return NONE
    number = number * 100 if binary else number
    decimals = (1 if binary else 3) if decimals is None else decimals
    plus = "+" if sign and round(number, decimals) else ""
    if abs(number) >= 1e6:
        return f"{number:{plus}.3g}"
    return f"{round(number, decimals) + 0.0:{plus}.{decimals}f}"  # + 0.0: no minus before a zero


def score_plain(score: float) -> str:
    """The score of one sample, no longer than it needs to be."""
    return NONE if finite(score) is None else f"{score:.4g}"


def mean_text(value: float | None, binary: bool, *, decimals: int | None = None) -> str:
    """The mean of an arm: a percentage for binary scores."""
    text = score_text(value, binary, decimals=decimals)
    return f"{text} %" if binary and text != NONE else text


def interval_text(
    interval: tuple[float, float] | None, binary: bool, *, sign: bool = False, decimals: int | None = None
) -> str:
    """Both ends in square brackets; nothing where there is no interval."""
    ends = finite_interval(interval)
    if ends is None:
        return ""
    low, high = (score_text(end, binary, sign=sign, decimals=decimals) for end in ends)
    return f"[{low}, {high}]"


def effect_text(value: float | None, binary: bool) -> str:
    """A signed effect with its unit: percentage points for binary scores, none for graded ones."""
    text = score_text(value, binary, sign=True)
    return f"{text} points" if binary and text != NONE else text


def count_text(count: int) -> str:
    """A short count: 950, 12.3k, 1.2M."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(count) >= size * 0.9995:
            return f"{count / size:.1f}{letter}"
    return str(count)


def ratio_text(ratio: float | None) -> str:
    """A cost ratio, such as 3.7x."""
    number = finite(ratio)
    if number is None:
        return NONE
    return f"{number:,.0f}x" if number >= 99.95 else f"{number:.1f}x" if number >= 0.995 else f"{number:.2f}x"


def date_text(created: str) -> str:
    """The moment a run was made, to the minute; as it stands where it is no ISO date."""
    found = re.match(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)", created)
    if not found:
        return visible(created)
    return f"{found[1]} {found[2]}" + (" UTC" if created.endswith(("Z", "+00:00")) else "")


def seconds_text(seconds: float) -> str:
    """Seconds without their unit, one decimal below a hundred."""
    number = finite(seconds)
    return NONE if number is None else f"{number:.1f}" if number < 99.95 else f"{number:,.0f}"


def is_binary(verdict: Verdict) -> bool:
    """Whether effects are told in percentage points: scores are 0 or 1, and no detector is told by its AUROC."""
    return verdict.measure == "binary" and verdict.evidence != "detector"


def level_text(verdict: Verdict) -> str:
    """The level of the intervals, such as `95 %`."""
    return f"{100 * (finite(verdict.test.get('level')) or 0.95):g} %"


def tokens_of(arm: ArmResult | None) -> str:
    """All tokens of an arm, short."""
    return NONE if arm is None else count_text(arm.tokens_in + arm.tokens_out)


def arm_title(key: str, arm: ArmResult) -> str:
    """Role and name of an arm; the name alone where both are one."""
    return visible(arm.name if arm.name in (key, "") else f"{key}: {arm.name}") or key


def control_title(name: str) -> str:
    """What a control is called in tables."""
    return visible(CONTROL_TITLES.get(name, name))


def reason_text(verdict: Verdict) -> str:
    """Why the verdict is what it is, a lab's one-word reason explained."""
    return visible(REASONS.get(verdict.reason, verdict.reason))


def word_with_reason(verdict: Verdict) -> str:
    """The verdict in a few words: `undecided (floor)`, but plain `holds` where the reason is a sentence."""
    short = verdict.reason in REASONS
    return f"{verdict.verdict.value} ({verdict.reason})" if short else verdict.verdict.value


def plain_details(details: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Names and values of a small mapping as text, numbers at four digits."""
    return [(visible(str(name)).replace("_", " "), _value_text(value)) for name, value in details.items()]


def test_details(verdict: Verdict) -> list[tuple[str, str]]:
    """The statistics behind the verdict, by their names."""
    return plain_details({TEST_TITLES.get(name, name): value for name, value in verdict.test.items()})


def _value_text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {text}" for name, text in plain_details(value))
    if isinstance(value, list | tuple):
        quoted = (json.dumps(one, ensure_ascii=False) if isinstance(one, str) else one for one in value)
        return "[" + ", ".join(_value_text(one) for one in quoted) + "]"
    return visible(str(value))


def driver_caution(verdict: Verdict) -> str:
    """What a driver other than the model itself means for the verdict; empty for `llm`."""
    known = {
        "llm": "",
        "replay": "Recorded replies were judged; no model was asked.",
        "constrained": "The model chose within a grammar, not freely.",
    }
    if verdict.driver in known:
        return known[verdict.driver]
    return (
        f"Decisions were made by a {visible(verdict.driver)} policy and not by the model: "
        "this can show that a mechanism works, and no more."
    )
