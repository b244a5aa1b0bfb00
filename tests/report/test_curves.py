"""Curves over seeds and losses: what is drawn, and what a hostile or empty record does not break."""

from __future__ import annotations

import dataclasses
import itertools
from typing import Any
from xml.etree import ElementTree

import pytest
import report_fixtures as fixtures

from assay.core.verdict import Verdict
from assay.report import html
from assay.report.drawings.curves import curve_plot, loss_svg, points_of, sparkline


def trend(bands: dict[str, Any]) -> Verdict:
    base = fixtures.holds()
    arms = {
        key: dataclasses.replace(base.arms[key], details={"band": rows, "dose": "generation"})
        for key, rows in bands.items()
    }
    return dataclasses.replace(base, evidence="trend", arms=arms, unit="nats a generation")


BAND = [[0, 1.0, 0.9, 1.1], [1, 2.0, 1.5, 2.5], [2, 2.5, 2.0, 3.0]]


def test_both_arms_are_drawn_with_their_bands_and_the_dose_is_named() -> None:
    svg = curve_plot(trend({"treatment": BAND, "control": [[0, 1, 1, 1], [2, 1, 1, 1]]}))
    root = ElementTree.fromstring(svg)
    texts = [element.text for element in root.iter() if element.tag.endswith("text")]
    assert "generation" in texts
    assert "nats" in texts
    assert svg.count("<circle") == 5
    assert "from 1 to 2.5" in svg


def test_doses_far_apart_stand_at_equal_ratios() -> None:
    rows = [[n, 0.5, 0.4, 0.6] for n in (1, 2, 4, 8, 16)]
    root = ElementTree.fromstring(curve_plot(trend({"treatment": rows, "control": rows})))
    across = sorted({float(e.get("cx", 0)) for e in root.iter() if e.tag.endswith("circle")})
    steps = [b - a for a, b in itertools.pairwise(across)]
    assert max(steps) - min(steps) < 0.3


@pytest.mark.parametrize(
    "rows", [[], [[0, 1, 1, 1]], "band", [[0, "x", 1, 1], [1]], [[0, float("nan"), 0, 0], [1, float("inf"), 0, 0]]]
)
def test_what_is_no_curve_is_not_drawn(rows: Any) -> None:
    verdict = trend({"treatment": rows, "control": rows})
    assert len(points_of(verdict.arms["treatment"])) < 2
    assert curve_plot(verdict) == ""


def test_a_loss_is_drawn_over_tokens_and_named_safely() -> None:
    curve = [{"tokens": 1000 * i, "loss": 3.0 / (i + 1)} for i in range(5)] + [{"tokens": 4000, "held_out": 1.0}]
    svg = loss_svg("<script>", curve)
    ElementTree.fromstring(svg)
    assert "<script>" not in svg
    assert "training: 3.000 to 0.6000" in svg
    assert ElementTree.fromstring(loss_svg("x", [])) is not None


def test_a_sparkline_falls_as_its_numbers_do() -> None:
    line = sparkline([3.0, 2.0, 1.0, 0.5])
    assert line[0] == "█"
    assert line[-1] == "▁"
    assert sparkline([]) == sparkline([float("nan")]) == ""
    assert len(sparkline(list(range(1000)))) <= 32


def test_the_page_of_a_trend_shows_its_curves() -> None:
    page = html.page([trend({"treatment": BAND, "control": BAND})], {})
    assert "Curves over seeds" in page
    assert "What both arms measured along the dose" in page
    assert "Curves over seeds" not in html.page([fixtures.holds()], {})
