"""The notebook: one verdict to the letter, order, and text that does not act."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import report_fixtures as fixtures

from assay.report.markdown import code, escaped, notebook, verdict_markdown


def test_one_verdict_to_the_letter() -> None:
    assert verdict_markdown(fixtures.holds()) == (Path(__file__).parent / "holds.md").read_text(encoding="utf-8")


def test_newest_first_and_the_same_for_any_order() -> None:
    text = notebook(fixtures.every())
    assert text == notebook(fixtures.every()[::-1])
    runs = [verdict.run for verdict in sorted(fixtures.every(), key=lambda v: v.created, reverse=True)]
    places = [text.index(f"run `{run}`") for run in runs]
    assert places == sorted(places)
    rows = [line for line in text.splitlines() if line.endswith("| 2026-03-11 |")]
    assert rows == [
        "| `cot.raises_accuracy` | smollm2-135m | small | holds | +14.2 points [+3.1, +26.2] | 118 "
        "| 11.0k / 36.0k | 2026-03-11 |"
    ]


def test_no_verdict_yet() -> None:
    assert "No verdict yet." in notebook([])


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a|b", "a\\|b"),
        ("<img src=x>", "\\<img src=x\\>"),
        ("*a* _b_ `c` [d](e) ![f]", "\\*a\\* \\_b\\_ \\`c\\` \\[d\\](e) !\\[f\\]"),
        ("one\n\n# two", "one \\# two"),
        ("1. one", "1\\. one"),
        ("- one", "\\- one"),
        ("-0.3", "-0.3"),
        ("===", "\\==="),
    ],
)
def test_text_stays_text(text: str, shown: str) -> None:
    assert escaped(text) == shown


def test_code_holds_backticks_and_pipes() -> None:
    assert code("a|b") == "`a\\|b`"
    assert code("`x``") == "``` `x`` ```"


def test_every_row_of_a_table_has_its_cells_whatever_a_card_says() -> None:
    verdict = dataclasses.replace(fixtures.graded(), claim="a|b", unit="x|y", size="s|t", model={"name": "m|n"})
    lines = notebook([verdict]).splitlines()
    for ruler in (i for i, line in enumerate(lines) if line.startswith("| ---")):
        cells = lines[ruler].count("|")
        for line in (lines[ruler - 1], lines[ruler + 1]):
            assert line.replace("\\|", "").count("|") == cells
