"""Every verdict there is, newest first: of the runs on this machine, and of a folder of results beside them.

There may be ten thousand. What chooses among them is read of all, the verdicts themselves of those that are shown.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from assay.core import BadFile, Claim, Paper, UserError
from assay.core.verdict import Verdict
from assay.lab.listing import Head
from assay.lab.store import Store
from assay.papers import all_papers
from assay.workbench.records import read_verdict, result_files

MOST_AT_HAND = 512
"""Verdicts of runs that are kept read; those of the folder all are."""
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


@dataclass(frozen=True, slots=True)
class Entry:
    """A verdict that there is, by its head."""

    head: Head
    kept: Verdict | None
    """The verdict itself, where it was read from a folder; those of runs are read when they are wanted."""


def weight(entry: Entry) -> tuple[int, str]:
    """By which of several verdicts on a claim one stands for them: a smoke run checks that it runs, no more."""
    sizes = ("smoke", "small", "full")
    head = entry.head
    return sizes.index(head.size) if head.size in sizes else 1, head.created


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
    """Looks anew each time it is asked: another process may have added a verdict."""

    def __init__(self, store: Store, results: Path | None) -> None:
        self._store = store
        self._results = results
        self._of_run = lru_cache(MOST_AT_HAND)(self._read_run)
        self._of_file = dict[tuple[Path, int, int], Verdict | str]()

    def entries(self, claims: Collection[str] = ()) -> list[Entry]:
        """All verdicts, or those on these claims, newest first; one that is a run and a file is listed once."""
        return self._entries(claims)[0]

    def _entries(self, claims: Collection[str] = ()) -> tuple[list[Entry], list[str]]:
        here = [Entry(head, None) for head in self._store.listing.heads(claims)]
        known = {entry.head.run for entry in here}
        kept, wrong = self._kept()
        every = here + [
            Entry(_head_of(verdict), verdict)
            for verdict in kept
            if verdict.run not in known and (not claims or verdict.claim in claims)
        ]
        return sorted(every, key=lambda entry: entry.head.created, reverse=True), wrong

    def found(self, entries: Iterable[Entry]) -> tuple[list[Found], list[str]]:
        """These verdicts, and a sentence on each that cannot be read."""
        found, wrong = [], []
        for entry in entries:
            head = entry.head
            try:
                verdict = entry.kept or self._of_run(head.run, head.created)
            except UserError as error:
                wrong.append(f"The verdict of the run {head.run} is left out. {error}")
            else:
                found.append(Found(verdict, head.run))
        return found, wrong

    def shelves(self) -> tuple[dict[str, list[PaperLines]], list[str]]:
        """Every claim with the verdict that says most, by shelf and source; and what could not be read."""
        by_claim: dict[str, list[Entry]] = {}
        entries, unread = self._entries()
        for entry in entries:
            by_claim.setdefault(entry.head.claim, []).append(entry)
        best = dict[str, Found | None]()
        for claim, of in by_claim.items():
            best[claim], wrong = self.best(of)
            unread += wrong
        shelves: dict[str, list[PaperLines]] = {shelf: [] for shelf in SHELVES}
        for paper in all_papers():
            lines = [
                ClaimLine(claim, best.get(claim.id), len(by_claim.get(claim.id, ()))) for claim in paper.claims
            ]
            shelves.setdefault(paper.shelf, []).append(PaperLines(paper, lines))
        return {shelf: papers for shelf, papers in shelves.items() if papers}, unread

    def best(self, entries: Iterable[Entry]) -> tuple[Found | None, list[str]]:
        """Of verdicts that can be read the one that says most, and a sentence on each passed over for it."""
        unread: list[str] = []
        for entry in sorted(entries, key=weight, reverse=True):
            found, wrong = self.found([entry])
            unread += wrong
            if found:
                return found[0], unread
        return None, unread

    def by_model(self) -> dict[str, dict[str, list[Entry]]]:
        """The verdicts on each claim, by the name of the model."""
        table: dict[str, dict[str, list[Entry]]] = {}
        for entry in self.entries():
            table.setdefault(entry.head.model, {}).setdefault(entry.head.claim, []).append(entry)
        return table

    def _kept(self) -> tuple[list[Verdict], list[str]]:
        """Verdicts of the folder, and a sentence on each file without one; a file is read once as it stands."""
        at_hand = dict[tuple[Path, int, int], Verdict | str]()
        wrong = list[str]()
        try:
            for file in result_files(self._results) if self._results is not None else ():
                at = file.stat()
                key = file, at.st_mtime_ns, at.st_size
                at_hand[key] = self._of_file.get(key) or self._read_file(file)
        except (UserError, OSError) as error:
            wrong.append(f"{error}")
        # Replaced as a whole: pages are made in threads, and a file that went is let go.
        self._of_file = at_hand
        read = at_hand.values()
        kept = [one for one in read if isinstance(one, Verdict)]
        return kept, [one for one in read if isinstance(one, str)] + wrong

    def _read_file(self, file: Path) -> Verdict | str:
        try:
            return read_verdict(file)
        except BadFile as error:
            return f"A file of the results is left out. {error}"

    def _read_run(self, run: str, created: str) -> Verdict:
        return Verdict.from_json(self._store.listing.verdicts([run]).get(run))


def _head_of(verdict: Verdict) -> Head:
    name, fingerprint = (verdict.model.get(part, "") for part in ("name", "fingerprint"))
    return Head("", verdict.claim, verdict.size, verdict.created, name, fingerprint)
