"""Drawings are well-formed whatever the numbers are, and show what they should."""

from __future__ import annotations

import dataclasses
import math
import re
from xml.etree import ElementTree

import pytest
import report_fixtures as fixtures
from hypothesis import example, given, settings
from hypothesis import strategies as st

from assay.core.verdict import Verdict
from assay.report.drawings import svg
from assay.report.drawings.axis import Axis, tick_text
from assay.report.drawings.forest import rate_plot
from assay.report.drawings.roc import roc_plot

SVG = "{http://www.w3.org/2000/svg}"
numbers = st.floats() | st.floats(-1, 1) | st.sampled_from([0.0, 1e308, -1e308, 5e-324, 0.05])
maybe = st.none() | numbers
intervals = st.none() | st.tuples(numbers, numbers)


def check(drawing: str) -> ElementTree.Element:
    """Well-formed, titled, and every coordinate a number within the drawing's box."""
    root = ElementTree.fromstring(drawing)
    assert root.find(f"{SVG}title") is not None
    assert root.find(f"{SVG}desc") is not None
    width, height = (float(part) for part in root.attrib["viewBox"].split()[2:])
    for element in root.iter():
        for name, value in element.attrib.items():
            if name in ("x", "cx", "width"):
                assert -1 <= float(value) <= width
            elif name in ("y", "cy", "height"):
                assert -1 <= float(value) <= height
            elif name == "d":
                for x, y in re.findall(r"[ML](\S+) ([^LMZ]+)", value):
                    assert -6 <= float(x) <= width + 6
                    assert -6 <= float(y) <= height + 6
    return root


def words(root: ElementTree.Element) -> list[str]:
    return ["".join(element.itertext()) for element in root.iter(f"{SVG}text")]


@settings(max_examples=150, deadline=None)
@given(
    effect=maybe,
    ends=intervals,
    other=maybe,
    others=intervals,
    smallest=numbers,
    measure=st.sampled_from(["binary", "graded"]),
)
def test_interval_and_arms_for_any_numbers(
    effect: float | None,
    ends: tuple[float, float] | None,
    other: float | None,
    others: tuple[float, float] | None,
    smallest: float,
    measure: str,
) -> None:
    base = fixtures.holds()
    verdict = dataclasses.replace(
        base,
        effect=effect,
        interval=ends,
        smallest_effect=smallest,
        measure=measure,
        controls={"placebo": fixtures.control("placebo", other, others, "says")},
        arms={
            "control": fixtures.arm("a<b>&", other, others, {}),
            "treatment": fixtures.arm("\x00", effect, ends, {}),
        },
    )
    drawing = svg.interval_plot(verdict)
    if drawing:
        check(drawing)
    check(svg.arms_plot(verdict, {"control": [x for x in (effect, other) if x is not None]}))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 10**9), numbers, numbers, numbers), max_size=30), numbers)
def test_trajectories_for_any_numbers(looks: list[tuple[int, float, float, float]], smallest: float) -> None:
    verdict = dataclasses.replace(fixtures.holds(), trajectory=tuple(looks), smallest_effect=smallest)
    drawing = svg.trajectory_plot(verdict)
    drawable = [look for look in looks if all(math.isfinite(part) for part in look)]
    assert bool(drawing) == bool(drawable)
    if drawing:
        check(drawing)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 10**7), min_size=5, max_size=5))
def test_endings_for_any_counts(counts: list[int]) -> None:
    verdict = dataclasses.replace(
        fixtures.holds(), arms={"control": fixtures.arm("a", 0.1, None, fixtures.endings(*counts))}
    )
    shown = words(check(svg.endings_bar(verdict)))
    for count, name in zip(counts, ("scored", "unparsed", "truncated", "refused", "errored"), strict=True):
        assert f"{count:,} {name}" in shown


@pytest.mark.parametrize("verdict", [*fixtures.every(), *fixtures.kinds()], ids=lambda v: v.run)
def test_the_numbers_stand_in_the_drawing(verdict: Verdict) -> None:
    for drawing in (svg.trajectory_plot(verdict), svg.arms_plot(verdict), svg.endings_bar(verdict)):
        if drawing:
            check(drawing)
    if verdict.effect is None:
        assert svg.interval_plot(verdict) == ""


def test_the_forest_has_a_row_per_control() -> None:
    shown = words(check(svg.interval_plot(fixtures.holds())))
    for part in (
        "effect",
        "+14.2 [+3.1, +26.2]",
        "arm swap",
        "−14.2 [−26.2, −3.1]",
        "worth having from +5.0",
        "0",
    ):
        assert part in shown


def test_a_wide_control_does_not_squeeze_the_effect() -> None:
    wild = fixtures.control("placebo", 0.0, (-1.0, 1.0), "one pair only")
    verdict = dataclasses.replace(fixtures.fails(), controls={"placebo": wild})
    path = next(e for e in check(svg.interval_plot(verdict)).iter(f"{SVG}path") if e.get("stroke-width") == "3")
    left, right = (float(x) for x in re.findall(r"[ML](\S+) ", path.attrib["d"]))
    assert right - left > 80


def test_long_trajectories_are_thinned_and_keep_the_last_look() -> None:
    looks = tuple((n, 0.1, 0.0, 0.2) for n in range(1, 20_000))
    drawing = svg.trajectory_plot(dataclasses.replace(fixtures.holds(), trajectory=looks))
    assert len(drawing) < 12_000
    assert "19999 pairs" in drawing


@settings(deadline=None)
@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=5), st.integers(4, 9))
def test_ticks_are_round_few_and_on_the_axis(values: list[float], most: int) -> None:
    axis = Axis.around(values, 0, 100)
    ticks = axis.ticks(most)
    assert 1 <= len(ticks) <= most
    step = axis.step(most)
    assert float(f"{step:e}".split("e")[0]) in (1.0, 2.0, 5.0)
    assert all(-1 <= axis.at(tick) <= 101 for tick in ticks)


def test_labels_of_ticks() -> None:
    assert [tick_text(v, 0.05, 100.0, sign=True) for v in (-0.05, 0.0, 0.1)] == ["−5", "0", "+10"]
    assert [tick_text(v, 0.005) for v in (0.0, 0.015)] == ["0.000", "0.015"]
    assert tick_text(2e6, 1e6) == "2e+06"


def test_roc_curves_of_both_arms_with_their_auroc_and_the_bearable_rate() -> None:
    root = check(roc_plot(fixtures.detector()))
    shown = words(root)
    for part in ("treatment: curvature", "0.812 [0.769, 0.849]", "control: log-probability", "FPR 1 %", "AUROC"):
        assert part in shown
    said = root.findtext(f"{SVG}desc") or ""
    assert "treatment: curvature: AUROC 0.812 [0.769, 0.849], TPR 0.310 [0.250, 0.380]" in said
    curves = [e for e in root.iter(f"{SVG}path") if e.attrib["d"].count("L") > 30]
    assert [bool(curve.get("stroke-dasharray")) for curve in curves] == [True, False]
    assert len(list(root.iter(f"{SVG}circle"))) == 2


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(maybe, min_size=2, max_size=2), max_size=6), maybe, maybe)
def test_roc_curves_for_any_numbers(
    points: list[list[float | None]], tpr: float | None, fpr: float | None
) -> None:
    base = fixtures.detector()
    details = {"roc": points, "tpr_at_1_percent": {"tpr": tpr, "interval": None, "fpr": fpr}}
    arms = {key: dataclasses.replace(arm, details=details) for key, arm in base.arms.items()}
    drawing = roc_plot(dataclasses.replace(base, arms=arms))
    drawable = [p for p in points if all(number is not None and math.isfinite(number) for number in p)]
    assert bool(drawing) == (len(drawable) > 1)
    if drawing:
        check(drawing)


def test_no_curve_and_no_rate_is_no_drawing() -> None:
    assert roc_plot(fixtures.holds()) == ""
    assert rate_plot(dataclasses.replace(fixtures.rate(), effect=None, interval=None)) == ""


def test_a_rate_lies_over_what_is_claimed_and_not_over_zero() -> None:
    root = check(rate_plot(fixtures.ratio()))
    shown = words(root)
    assert shown[0] == "claimed between 0.800 and 1.250"
    assert [part for part in shown if "[" in part] == ["1.042 [0.951, 1.133]", "7.310 [6.800, 7.820]"]
    assert "worth having" not in " ".join(shown)
    assert not any(part.startswith(("+", "−")) for part in shown)
    assert "0.0" not in shown  # the axis does not reach 0: nothing is held against it
    bands = [e for e in root.iter(f"{SVG}rect") if "--band" in e.attrib["fill"]]
    assert len(bands) == 2
    square = next(e for e in root.iter(f"{SVG}rect") if e.get("width") == "10")
    left, wide = float(bands[0].attrib["x"]), float(bands[0].attrib["width"])
    assert left < float(square.attrib["x"]) < left + wide


def test_an_open_band_of_shares_ends_at_all_of_them() -> None:
    shown = words(check(rate_plot(fixtures.rate())))
    assert shown[0] == "claimed at least 90.0 %"
    assert "100" in shown


def test_an_arm_far_off_is_one_arrow() -> None:
    root = check(rate_plot(fixtures.ratio()))
    arrows = [e for e in root.iter(f"{SVG}path") if e.attrib["d"].count("L") == 2]
    assert len({arrow.attrib["d"] for arrow in arrows}) == 1


@settings(max_examples=80, deadline=None)
@given(
    effect=maybe, ends=intervals, other=maybe, others=intervals, low=numbers, high=numbers, binary=st.booleans()
)
def test_rates_for_any_numbers(
    effect: float | None,
    ends: tuple[float, float] | None,
    other: float | None,
    others: tuple[float, float] | None,
    low: float,
    high: float,
    binary: bool,
) -> None:
    verdict = dataclasses.replace(
        fixtures.rate(),
        effect=effect,
        interval=ends,
        expected=(low, high),
        measure="binary" if binary else "graded",
        arms={
            "control": fixtures.arm("\x00", other, others, {}),
            "treatment": fixtures.arm("t", effect, ends, {}),
        },
    )
    drawing = rate_plot(verdict)
    if drawing:
        check(drawing)


@settings(max_examples=50, deadline=None)
@given(effect=maybe, ends=intervals, smallest=numbers)
@example(effect=0.1, ends=(0.0, 0.2), smallest=math.nan)
def test_equality_for_any_numbers(effect: float | None, ends: tuple[float, float] | None, smallest: float) -> None:
    verdict = dataclasses.replace(fixtures.equality(), effect=effect, interval=ends, smallest_effect=smallest)
    check(svg.interval_plot(verdict))
    check(svg.trajectory_plot(verdict))


def test_equality_is_marked_on_both_sides() -> None:
    root = check(svg.interval_plot(fixtures.equality()))
    assert "no difference: −5.0 to +5.0" in words(root)
    assert "worth having" not in " ".join(words(root))
    assert "Margin for no difference: ±5.0 points." in (root.findtext(f"{SVG}desc") or "")
    for drawing in (root, check(svg.trajectory_plot(fixtures.equality()))):
        assert sum(e.get("stroke-dasharray") == "4 3" for e in drawing.iter(f"{SVG}path")) == 2
    assert "margin" in words(check(svg.trajectory_plot(fixtures.equality())))


def test_detectors_are_drawn_in_auroc_with_the_coin() -> None:
    root = check(svg.arms_plot(fixtures.detector()))
    assert root.findtext(f"{SVG}title") == "AUROC per arm with its interval"
    assert "One half is a coin." in (root.findtext(f"{SVG}desc") or "")
    assert "0.5" in words(root)
    assert "+0.112 [+0.061, +0.163]" in words(check(svg.interval_plot(fixtures.detector())))
