"""Drawings are well-formed whatever the numbers are, and show what they should."""

from __future__ import annotations

import dataclasses
import math
import re
from xml.etree import ElementTree

import pytest
import report_fixtures as fixtures
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.core.verdict import Verdict
from assay.report import svg
from assay.report.axis import Axis, tick_text

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


@pytest.mark.parametrize("verdict", fixtures.every(), ids=lambda v: v.run)
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
