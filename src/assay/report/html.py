"""Verdicts with their samples as one static HTML file: no script, nothing fetched, nothing that acts.

Whatever a model wrote is text here: escaped by jinja2, its control characters written out, folded
and cut where it is long. A policy in the page forbids scripts and requests all the same.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
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
from assay.report.readings import shade_names
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
RANKED = {
    "higher": "The treatment ranks it higher than the control does",
    "lower": "The control ranks it higher than the treatment does",
    "same": "Same rank in both arms",
}
"""Detectors have scales of their own: what two of them make of a sample is compared by its rank."""


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
    text: str = _environment().get_template("page.html.j2").render(sections=sections, verdicts=verdicts)
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
    environment.globals |= {"w": wording, "k": kinds, "d": detectors, "s": sentences}
    environment.globals |= {"endings": [ending.value for ending in Ending], "shades": shade_names()}
    return environment


def _section(number: int, verdict: Verdict, rows: Sequence[SampleRow], room: _Room) -> Section:
    slug = re.sub("[^a-z0-9]+", "-", verdict.claim.lower()).strip("-")
    groups, left_out = _groups(verdict, rows, room)
    return Section(f"claim-{number}-{slug}"[:80], verdict, _figures(verdict, rows), groups, left_out)


def _figures(verdict: Verdict, rows: Sequence[SampleRow]) -> list[tuple[str, str]]:
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


def _groups(verdict: Verdict, rows: Sequence[SampleRow], room: _Room) -> tuple[list[Group], int]:
    items: dict[tuple[str, int], dict[str, SampleRow]] = {}
    for row in rows:
        items.setdefault((row.item, row.repeat), {})[row.arm] = row
    ranked = verdict.measure == "score" or kinds.is_detector(verdict)
    differences = _differences(items, ranked=ranked)
    by_kind: dict[str, list[tuple[str, int]]] = {kind: [] for kind, _ in GROUPS}
    for name in sorted(items):
        by_kind[_kind(differences[name])].append(name)
    groups, listed = [], 0
    for kind, title in GROUPS:
        found = sorted(by_kind[kind], key=lambda name: -abs(differences[name] or 0.0))
        pairs = [_pair(items[name], verdict, room) for name in found[: max(0, MOST_PAIRS - listed)]]
        listed += len(pairs)
        if found:
            groups.append(Group(kind, RANKED.get(kind, title) if ranked else title, len(found), pairs))
    return groups, len(items) - listed


def _differences(
    items: Mapping[tuple[str, int], Mapping[str, SampleRow]], *, ranked: bool
) -> dict[tuple[str, int], float | None]:
    """Treatment minus control of every item, in scores or in ranks; None where one has no score."""
    scores = {name: _scores(arms) for name, arms in items.items()}
    both = {name: (t, c) for name, (c, t) in scores.items() if c is not None and t is not None}
    if ranked:
        of_treatment, of_control = (_ranks([pair[side] for pair in both.values()]) for side in (0, 1))
        both = {name: (of_treatment[t], of_control[c]) for name, (t, c) in both.items()}
    return {name: both[name][0] - both[name][1] if name in both else None for name in items}


def _ranks(scores: Sequence[float]) -> dict[float, float]:
    """The rank of each score among all, equal scores sharing the middle of theirs."""
    ranks: dict[float, float] = {}
    below = 0
    for score, count in sorted(Counter(scores).items()):
        ranks[score] = below + (count - 1) / 2
        below += count
    return ranks


def _scores(arms: Mapping[str, SampleRow]) -> tuple[float | None, float | None]:
    control, treatment = arms.get("control"), arms.get("treatment")
    return (
        None if control is None else wording.finite(control.score),
        None if treatment is None else wording.finite(treatment.score),
    )


def _kind(difference: float | None) -> str:
    if difference is None:
        return "unscored"
    return "same" if difference == 0 else "higher" if difference > 0 else "lower"


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
