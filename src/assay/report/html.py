"""Verdicts with their samples as one static HTML file: no script, nothing fetched, nothing that acts.

Whatever a model wrote is text here: escaped by jinja2, its control characters written out, folded
and cut where it is long. A policy in the page forbids scripts and requests all the same.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from assay.core.samples import Ending
from assay.core.verdict import SampleRow, Verdict
from assay.report import detectors, kinds, sentences, wording
from assay.report.drawings import svg
from assay.report.drawings.curves import curve_plot
from assay.report.drawings.forest import rate_plot
from assay.report.drawings.roc import roc_plot
from assay.report.pairs import Group, Room, groups_of, is_ranked
from assay.report.readings import shade_names

if TYPE_CHECKING:
    from jinja2 import Environment

LARGEST_TRACES = 12_000_000
"""Characters of traces in one file; beyond it a sample shows the command that prints its trace."""


@dataclass(frozen=True, slots=True)
class Section:
    """One claim of the page."""

    anchor: str
    verdict: Verdict
    figures: list[tuple[str, str]]
    """Caption and drawing."""
    groups: list[Group]
    left_out: int = 0
    """Pairs that are not listed."""


def write_html(path: str | Path, verdicts: Sequence[Verdict], samples: Mapping[str, Sequence[SampleRow]]) -> Path:
    """Write one file with all verdicts and, by run id, their samples; the file appears whole or not at all."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        unfinished.write_text(page(verdicts, samples), encoding="utf-8", newline="\n")
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return path


def page(verdicts: Sequence[Verdict], samples: Mapping[str, Sequence[SampleRow]]) -> str:
    """The text of that file; the same input gives the same text."""
    room = Room(LARGEST_TRACES)
    sections = [section(i, verdict, samples.get(verdict.run, ()), room) for i, verdict in enumerate(verdicts, 1)]
    text: str = environment().get_template("page.html.j2").render(sections=sections, verdicts=verdicts)
    return text


def environment() -> Environment:
    """Templates with every wording they use; a door of its own builds on it."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("assay.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"visible": wording.visible, "minus": wording.typographic}
    environment.globals |= {"w": wording, "k": kinds, "d": detectors, "s": sentences}
    environment.globals |= {"endings": [ending.value for ending in Ending], "shades": shade_names()}
    return environment


def section(number: int, verdict: Verdict, rows: Sequence[SampleRow], room: Room) -> Section:
    """One claim with its drawings and samples."""
    slug = re.sub("[^a-z0-9]+", "-", verdict.claim.lower()).strip("-")
    groups, left_out = groups_of(rows, room, ranked=is_ranked(verdict))
    return Section(f"claim-{number}-{slug}"[:80], verdict, figures(verdict, rows), groups, left_out)


def figures(verdict: Verdict, rows: Sequence[SampleRow]) -> list[tuple[str, str]]:
    """Caption and drawing of everything that is drawn of a verdict."""
    from markupsafe import Markup

    arms = (
        f"{wording.sentence_start(kinds.mean_name(verdict))} of each arm",
        svg.arms_plot(verdict, _dots(verdict, rows)),
    )
    effect = (f"Effect, in {kinds.unit_text(verdict)}", svg.interval_plot(verdict))
    running = ("The estimate as pairs came in", svg.trajectory_plot(verdict))
    if kinds.is_rate(verdict):
        unit = wording.sentence_start(wording.visible(verdict.unit))
        rate = (f"{unit}, against what the claim says", rate_plot(verdict))
        drawings = [rate] if wording.is_binary(verdict) else [rate, arms]
    elif kinds.is_detector(verdict):
        drawings = [effect, ("ROC curves", roc_plot(verdict)), arms]
    elif kinds.is_trend(verdict):
        drawings = [effect, ("Curves over seeds", curve_plot(verdict)), arms]
    else:
        drawings = [effect, running, arms]
    drawings.append(("How samples ended", svg.endings_bar(verdict)))
    return [(caption, Markup(drawing)) for caption, drawing in drawings if drawing]


def _dots(verdict: Verdict, rows: Sequence[SampleRow]) -> dict[str, list[float]]:
    """Scores of single samples by arm, where they are on the scale of the arm's mean and not all 0 or 1."""
    scores: dict[str, list[float]] = {}
    if not (wording.is_binary(verdict) or kinds.is_detector(verdict)):
        for row in rows:
            if row.score is not None:
                scores.setdefault(row.arm, []).append(row.score)
    return scores
