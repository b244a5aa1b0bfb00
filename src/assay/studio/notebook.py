"""Every verdict there is, newest first: of the runs on this machine, and of a folder of results beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from assay.core import Claim, Paper
from assay.core.verdict import Verdict
from assay.lab.store import Store
from assay.papers import all_papers
from assay.workbench.records import read_results

SHELVES = {
    "prompting": "words in one call",
    "search": "many samples, a tree",
    "execution": "the model's text is run",
    "retrieval": "an index",
    "agents": "a loop with a world",
    "logits": "the next-token distribution",
    "activations": "hidden states",
    "training": "weights",
    "tasks": "nothing but the task",
}


@dataclass(frozen=True, slots=True)
class Found:
    """A verdict and where it is from."""

    verdict: Verdict
    run: str
    """The run on this machine; empty where it was read from a folder."""


def weight(found: Found) -> tuple[int, str]:
    """By which of several verdicts on a claim one stands for them: a smoke run checks that it runs, no more."""
    sizes = ("smoke", "small", "full")
    return sizes.index(found.verdict.size) if found.verdict.size in sizes else 1, found.verdict.created


@dataclass(frozen=True, slots=True)
class ClaimLine:
    """A claim as the first page lists it."""

    claim: Claim
    found: Found | None
    """The verdict that says most: of the largest size, and of those the newest."""
    count: int
    """Verdicts there are of it."""

    @property
    def word(self) -> str:
        """That verdict in one word, or `untested`."""
        return self.found.verdict.verdict.value if self.found else "untested"


@dataclass(frozen=True, slots=True)
class PaperLines:
    """A source with its claims."""

    paper: Paper
    lines: Sequence[ClaimLine]


class Notebook:
    """Reads verdicts anew each time it is asked: another process may have added one."""

    def __init__(self, store: Store, results: Path | None) -> None:
        self._store = store
        self._results = results

    def found(self) -> list[Found]:
        """All verdicts, newest first; one that is both a run and a file is listed once."""
        here = [Found(Verdict.from_json(row.verdict), row.id) for row in self._store.runs() if row.verdict]
        known = {one.run for one in here}
        kept = read_results(self._results) if self._results is not None else []
        every = here + [Found(verdict, "") for verdict in kept if verdict.run not in known]
        return sorted(every, key=lambda one: one.verdict.created, reverse=True)

    def shelves(self) -> dict[str, list[PaperLines]]:
        """Every claim with its newest verdict, by shelf and source."""
        by_claim: dict[str, list[Found]] = {}
        for one in self.found():
            by_claim.setdefault(one.verdict.claim, []).append(one)
        shelves: dict[str, list[PaperLines]] = {shelf: [] for shelf in SHELVES}
        for paper in all_papers():
            lines = [
                ClaimLine(claim, max(of, key=weight, default=None), len(of))
                for claim in paper.claims
                for of in [by_claim.get(claim.id, [])]
            ]
            shelves.setdefault(paper.shelf, []).append(PaperLines(paper, lines))
        return {shelf: papers for shelf, papers in shelves.items() if papers}

    def by_model(self) -> dict[str, dict[str, Found]]:
        """The verdict on each claim that says most, by the name of the model."""
        table: dict[str, dict[str, Found]] = {}
        for one in sorted(self.found(), key=weight, reverse=True):
            table.setdefault(str(one.verdict.model.get("name", "")), {}).setdefault(one.verdict.claim, one)
        return table
