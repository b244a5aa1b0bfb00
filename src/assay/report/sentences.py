"""What a verdict says in whole sentences, for every kind of evidence."""

from __future__ import annotations

from assay.core.verdict import ArmResult, Verdict, Word
from assay.report.detectors import named_point
from assay.report.kinds import (
    compared,
    compared_in_full,
    counted_text,
    effect_interval,
    expected_text,
    is_detector,
    is_equality,
    is_rate,
    is_trend,
    margin_text,
    mean_with_interval,
    rate_text,
)
from assay.report.wording import (
    finite,
    finite_interval,
    is_binary,
    level_text,
    plain_details,
    ratio_text,
    reason_text,
    score_text,
    visible,
)


def reading(verdict: Verdict) -> str:
    """The result in plain language, a few sentences."""
    if finite(verdict.effect) is None:
        return _nothing(verdict)
    said = _rate(verdict) if is_rate(verdict) else _detectors(verdict) if is_detector(verdict) else _pairs(verdict)
    within = f" {_equality(verdict)}" if is_equality(verdict) else ""
    return f"{said}{within}{_cost(verdict)}"


def _nothing(verdict: Verdict) -> str:
    model = visible(verdict.model.get("name", "this model"))
    if is_rate(verdict):
        return f"On {model} too few samples were scored, so there is no rate to tell."
    if is_detector(verdict):
        return f"On {model} too few samples were scored by both detectors, so there is no effect to tell."
    return f"On {model} no pair was scored in both arms, so there is no effect to tell."


def _pairs(verdict: Verdict) -> str:
    effect, binary = verdict.effect or 0.0, is_binary(verdict)
    size = score_text(abs(effect), binary) + (" points" if binary else "")
    same = not float(score_text(effect, binary))
    how = "the same as" if same else f"{size} {'more' if effect > 0 else 'less'} than"
    return (
        f"On {_model(verdict)} the treatment{_named(verdict, 'treatment')} scored {how} "
        f"the control{_named(verdict, 'control')} "
        f"in {visible(verdict.unit)}{_between(verdict)}, over {counted_text(verdict.n, verdict)}."
    )


def _detectors(verdict: Verdict) -> str:
    effect = verdict.effect or 0.0
    same = not float(score_text(effect, False))
    size = score_text(abs(effect), False)
    how = "as high as" if same else f"{size} {'higher' if effect > 0 else 'lower'} than"
    arms = [verdict.arms.get(role) for role in ("treatment", "control")]
    areas = [mean_with_interval(arm, verdict) for arm in arms if arm is not None and finite(arm.mean) is not None]
    areas_said = f": an AUROC of {areas[0]} against {areas[1]}" if len(areas) == 2 else ""
    classes = _classes(arms[0])
    found = (
        f"On {_model(verdict)} the treatment{_named(verdict, 'treatment')} tells positive samples from negative "
        f"ones with {_article(compared_in_full(verdict))} {how} that of the control{_named(verdict, 'control')}"
        f"{_between(verdict)}, over {counted_text(verdict.n, verdict)}{classes}{areas_said}."
    )
    points = [named_point(arm, 0.01) for arm in arms if arm is not None]
    if len(points) == 2 and points[0] and points[1]:
        found += (
            f" With 1 % of the negatives flagged it catches {points[0]} of the positives, the control {points[1]}."
        )
    return found


def _article(name: str) -> str:
    return f"an {name}" if name.startswith("A") else f"a {name}" if name.startswith("TPR") else name


def _classes(arm: ArmResult | None) -> str:
    details = {} if arm is None else arm.details
    counts = [details.get(name) for name in ("positives", "negatives")]
    if not all(isinstance(count, int) for count in counts):
        return ""
    return f" ({counts[0]:,} positive, {counts[1]:,} negative)"


def _rate(verdict: Verdict) -> str:
    control = verdict.arms.get("control")
    found = (
        f"On {_model(verdict)} the treatment{_named(verdict, 'treatment')} comes to "
        f"{rate_text(verdict.effect, verdict)} in {visible(verdict.unit)}{_between(verdict)}, "
        f"over {counted_text(verdict.n, verdict)}; the claim says {expected_text(verdict)}."
    )
    if control is not None and finite(control.mean) is not None:
        found += f" The control{_named(verdict, 'control')} stands at {mean_with_interval(control, verdict)}."
    return found


def _equality(verdict: Verdict) -> str:
    ends, margin = finite_interval(verdict.interval), abs(verdict.smallest_effect)
    if ends is None:
        return ""
    if -margin <= ends[0] and ends[1] <= margin:
        return f"That is no difference beyond the margin of {margin_text(verdict)}."
    if ends[0] > margin or ends[1] < -margin:
        return f"That is a difference beyond the margin of {margin_text(verdict)}."
    return f"A difference beyond the margin of {margin_text(verdict)} is not ruled out."


def _model(verdict: Verdict) -> str:
    if is_trend(verdict) and verdict.model.get("name") == "organism":
        return "organisms"
    return visible(verdict.model.get("name", "this model"))


def _between(verdict: Verdict) -> str:
    interval = effect_interval(verdict)
    return f" ({level_text(verdict)} interval {interval})" if interval else ""


def _named(verdict: Verdict, role: str) -> str:
    arm = verdict.arms.get(role)
    return f" ({visible(arm.name)})" if arm is not None and arm.name not in ("control", "treatment", "") else ""


def _cost(verdict: Verdict) -> str:
    if finite(verdict.cost_ratio) is None:
        return ""
    return f" It spent {ratio_text(verdict.cost_ratio)[:-1]} times the tokens."


def conclusion(verdict: Verdict) -> str:
    """What that means for the claim, in one sentence."""
    start = {
        Word.HOLDS: "The claim holds here",
        Word.FAILS: "The claim fails here",
        Word.UNDECIDED: "Nothing is decided",
    }[verdict.verdict]
    return f"{start}: {reason_text(verdict)}." if verdict.reason else f"{start}."


def power_sentence(verdict: Verdict) -> str:
    """What effect this budget could have found, and what that assumes; empty where nobody said."""
    power = dict(verdict.power)
    if "detectable_effect" not in power:
        return ""
    detectable = finite(power.pop("detectable_effect"))
    if detectable is None:
        sentence = "This budget could not detect any effect reliably."
    else:
        sentence = _detectable(detectable, verdict)
    assumes = power.pop("assumes", None)
    if isinstance(assumes, str) and assumes:
        sentence += f" It assumes {visible(assumes).rstrip('.')}."
    if verdict.evidence != "paired" and "pairs" in power:
        called = "seeds" if verdict.evidence == "trend" else "samples"
        power = {called if name == "pairs" else name: value for name, value in power.items()}
    rest = ", ".join(f"{name} {value}" for name, value in plain_details(power))
    return f"{sentence} ({rest})" if rest else sentence


def _detectable(detectable: float, verdict: Verdict) -> str:
    binary = is_binary(verdict)
    unit = " points" if binary else ""
    size = score_text(detectable, binary) + unit
    if is_rate(verdict):
        return f"This budget could tell a rate {size} away from the numbers that the claim names."
    relation = "above" if detectable > verdict.smallest_effect else "within"
    if is_detector(verdict):
        sentence = f"This budget could detect a difference of {size} in AUROC"
        if compared(verdict) != "AUROC":
            return f"{sentence}; the claim is about {compared_in_full(verdict)}, which takes more."
    else:
        sentence = f"This budget could detect {'a difference' if is_equality(verdict) else 'an effect'} of {size}"
    smallest = score_text(verdict.smallest_effect, binary) + unit
    against = "the margin" if is_equality(verdict) else "the smallest effect worth having"
    return f"{sentence}, {relation} {against} ({smallest})."
