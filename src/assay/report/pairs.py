"""Samples as readers compare them: what each arm made of an item, side by side, those that differ first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from assay.core.verdict import SampleRow, Verdict
from assay.report import kinds, wording
from assay.report.traces import Exchange, Shown, exchanges

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


@dataclass(slots=True)
class Room:
    """What is left of a file's room for traces."""

    left: int

    def take(self, steps: list[list[Exchange]]) -> list[list[Exchange]] | None:
        """The steps if there is room for them, else None."""
        size = sum(exchange.size for step in steps for exchange in step)
        if size > self.left:
            return None
        self.left -= size
        return steps


def is_ranked(verdict: Verdict) -> bool:
    """Whether scores of single samples are compared by their rank."""
    return verdict.measure == "score" or kinds.is_detector(verdict)


def groups_of(
    rows: Sequence[SampleRow], room: Room, *, ranked: bool, most: int | None = None
) -> tuple[list[Group], int]:
    """Items by who did better, and how many are not listed for want of room."""
    items: dict[tuple[str, int], dict[str, SampleRow]] = {}
    for row in rows:
        items.setdefault((row.item, row.repeat), {})[row.arm] = row
    # Items of a pilot chose the level, and are no part of what was found at it.
    items = {name: arms for name, arms in items.items() if {"treatment", "control"} & arms.keys()}
    differences = _differences(items, ranked=ranked)
    by_kind: dict[str, list[tuple[str, int]]] = {kind: [] for kind, _ in GROUPS}
    for name in sorted(items):
        by_kind[_kind(differences[name])].append(name)
    limit = MOST_PAIRS if most is None else most
    groups, listed = [], 0
    for kind, title in GROUPS:
        found = sorted(by_kind[kind], key=lambda name: -abs(differences[name] or 0.0))
        pairs = [_pair(items[name], room) for name in found[: max(0, limit - listed)]]
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


def _pair(arms: Mapping[str, SampleRow], room: Room) -> PairOfSamples:
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


def _sides(rows: Sequence[SampleRow], room: Room) -> Iterator[Side]:
    for row in rows:
        steps = room.take(exchanges(row.steps))
        yield Side(row, Shown.of(row.answer or "", 300), Shown.of(row.detail, 600), steps)
