"""Verdicts with their samples as one static HTML file: no script, nothing fetched, nothing that acts.

Whatever a model wrote is text here: escaped by jinja2, its control characters written out, folded
and cut where it is long. A policy in the page forbids scripts and requests all the same.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from assay.core.samples import Ending
from assay.core.verdict import SampleRow, Verdict
from assay.report import svg, wording
from assay.report.traces import Exchange, Shown, exchanges

if TYPE_CHECKING:
    from jinja2 import Environment

LARGEST_TRACES = 12_000_000
"""Characters of traces in one file; beyond it a sample shows the command that prints its trace."""
MOST_PAIRS = 2_000
"""Pairs listed per claim, those where the arms differ first."""
GROUPS = (
    ("higher", "The treatment scored higher"),
    ("lower", "The control scored higher"),
    ("unscored", "Not scored in both arms"),
    ("same", "Same score in both arms"),
)


@dataclass(frozen=True, slots=True)
class Side:
    """One sample in one arm, as a pair shows it."""

    row: SampleRow
    answer: Shown
    detail: Shown
    steps: list[list[Exchange]] | None
    """None where the file is full and the trace was left out."""


@dataclass(frozen=True, slots=True)
class PairOfSamples:
    """One item with what every arm made of it."""

    item: str
    repeat: int
    question: Shown
    target: Shown
    sides: list[Side]


@dataclass(frozen=True, slots=True)
class Group:
    """Pairs that ended alike."""

    kind: str
    title: str
    count: int
    pairs: list[PairOfSamples]


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


@dataclass(slots=True)
class _Room:
    """What is left of the file's room for traces."""

    left: int

    def take(self, steps: list[list[Exchange]]) -> list[list[Exchange]] | None:
        size = sum(exchange.size for step in steps for exchange in step)
        if size > self.left:
            return None
        self.left -= size
        return steps


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
    room = _Room(LARGEST_TRACES)
    sections = [_section(i, verdict, samples.get(verdict.run, ()), room) for i, verdict in enumerate(verdicts, 1)]
    text: str = _environment().get_template("page.html.j2").render(sections=sections)
    return text


def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("assay.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"visible": wording.visible, "minus": wording.typographic}
    environment.globals |= {"w": wording, "endings": [ending.value for ending in Ending]}
    return environment


def _section(number: int, verdict: Verdict, rows: Sequence[SampleRow], room: _Room) -> Section:
    slug = re.sub("[^a-z0-9]+", "-", verdict.claim.lower()).strip("-")
    groups, left_out = _groups(verdict, rows, room)
    return Section(f"claim-{number}-{slug}"[:80], verdict, _figures(verdict, rows), groups, left_out)


def _figures(verdict: Verdict, rows: Sequence[SampleRow]) -> list[tuple[str, str]]:
    from markupsafe import Markup

    scores: dict[str, list[float]] = {}
    if not wording.is_binary(verdict):
        for row in rows:
            if row.score is not None:
                scores.setdefault(row.arm, []).append(row.score)
    unit = "percentage points" if wording.is_binary(verdict) else wording.visible(verdict.unit)
    drawings = (
        (f"Effect, in {unit}", svg.interval_plot(verdict)),
        ("The estimate as pairs came in", svg.trajectory_plot(verdict)),
        (f"Mean {wording.visible(verdict.unit)} of each arm", svg.arms_plot(verdict, scores)),
        ("How samples ended", svg.endings_bar(verdict)),
    )
    return [(caption, Markup(drawing)) for caption, drawing in drawings if drawing]


def _groups(verdict: Verdict, rows: Sequence[SampleRow], room: _Room) -> tuple[list[Group], int]:
    items: dict[tuple[str, int], dict[str, SampleRow]] = {}
    for row in rows:
        items.setdefault((row.item, row.repeat), {})[row.arm] = row
    by_kind: dict[str, list[dict[str, SampleRow]]] = {kind: [] for kind, _ in GROUPS}
    for _, arms in sorted(items.items()):
        by_kind[_kind(arms)].append(arms)
    groups, listed = [], 0
    for kind, title in GROUPS:
        found = sorted(by_kind[kind], key=_distance, reverse=True)
        pairs = [_pair(arms, verdict, room) for arms in found[: max(0, MOST_PAIRS - listed)]]
        listed += len(pairs)
        if found:
            groups.append(Group(kind, title, len(found), pairs))
    return groups, len(items) - listed


def _scores(arms: Mapping[str, SampleRow]) -> tuple[float | None, float | None]:
    control, treatment = arms.get("control"), arms.get("treatment")
    return (
        None if control is None else wording.finite(control.score),
        None if treatment is None else wording.finite(treatment.score),
    )


def _kind(arms: Mapping[str, SampleRow]) -> str:
    control, treatment = _scores(arms)
    if control is None or treatment is None:
        return "unscored"
    return "same" if control == treatment else "higher" if treatment > control else "lower"


def _distance(arms: Mapping[str, SampleRow]) -> float:
    control, treatment = _scores(arms)
    return 0.0 if control is None or treatment is None else abs(treatment - control)


def _pair(arms: Mapping[str, SampleRow], verdict: Verdict, room: _Room) -> PairOfSamples:
    order = [*(role for role in ("control", "treatment") if role in arms)]
    order += [name for name in arms if name not in order]
    first = arms[order[0]]
    return PairOfSamples(
        wording.visible(first.item),
        first.repeat,
        Shown.of(first.question),
        Shown.of(first.target),
        list(_sides([arms[name] for name in order], room)),
    )


def _sides(rows: Sequence[SampleRow], room: _Room) -> Iterator[Side]:
    for row in rows:
        steps = room.take(exchanges(row.steps))
        yield Side(row, Shown.of(row.answer or "", 300), Shown.of(row.detail, 600), steps)
