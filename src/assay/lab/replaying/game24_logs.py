"""Logs of the Game of 24 in the form Yao et al. published theirs, judged again.

A log is a JSON array with an object a puzzle: `idx`; `ys`, the candidates, best first where a tree was searched;
`infos`, whose `r` says how each was marked then; `usage_so_far`, tokens up to here; and after a tree search
`steps`, which alone name the puzzle's numbers (`x`). Logs of one folder are of the same puzzles.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.core import BadFile
from assay.core.errors import UserError
from assay.core.problems.countdown import Countdown, makes
from assay.stats import Interval, clopper_pearson, mcnemar_exact, mean_t

_FORM = "A log is a JSON array of objects with idx, ys and infos."


@dataclass(frozen=True, slots=True)
class Log:
    """What one log says, by puzzle."""

    path: Path
    right: Mapping[int, tuple[bool, ...]]
    """Per puzzle and candidate, by our checker."""
    marked: Mapping[int, tuple[bool, ...]]
    """The same as it was marked then."""
    searched: bool
    """A tree's last beam, best first; else samples, of which none is the best."""
    tokens_in: float
    """Per puzzle."""
    tokens_out: float

    @property
    def candidates(self) -> int:
        """Of a puzzle, at most."""
        return max(map(len, self.right.values()))

    @property
    def differ(self) -> int:
        """Candidates that were marked otherwise than our checker does."""
        pairs = ((self.right[at], self.marked[at]) for at in self.right)
        return sum(ours != theirs for right, marked in pairs for ours, theirs in zip(right, marked, strict=True))

    def first(self) -> dict[int, bool]:
        """Whether the best candidate is right; a puzzle without any is not solved."""
        return {at: right[:1] == (True,) for at, right in self.right.items()}

    def any(self) -> dict[int, bool]:
        """Whether some candidate is right, which only a checker knows."""
        return {at: any(right) for at, right in self.right.items()}


@dataclass(frozen=True, slots=True)
class Share:
    """A share of puzzles, or of their candidates, with its interval."""

    name: str
    value: float
    interval: Interval


def read_logs(folder: Path) -> tuple[Log, ...]:
    """Every log of a folder, trees first.

    Raises:
        BadFile: a file is no log, or no log of the folder names a puzzle's numbers.
    """
    files = sorted(folder.glob("*.json"))
    if not files:
        raise UserError(f"{folder} holds no logs.", hint=f"Name the folder with the *.json files. {_FORM}")
    records = {path: _records(path) for path in files}
    puzzles = {
        record["idx"]: _numbers(path, record["steps"][0]["x"])
        for path, found in records.items()
        for record in found
        if record.get("steps")
    }
    return tuple(
        sorted((_log(path, found, puzzles) for path, found in records.items()), key=lambda log: not log.searched)
    )


def shares(log: Log) -> tuple[Share, ...]:
    """Top-1 of a tree, the mean over candidates, and any of them."""
    n = len(log.right)
    first, some = sum(log.first().values()), sum(log.any().values())
    mean = mean_t([sum(right) / len(right) if right else 0.0 for right in log.right.values()])
    top = [Share("top-1", first / n, clopper_pearson(first, n))] if log.searched else []
    return (
        *top,
        Share("mean of the beam" if log.searched else "one sample", mean.mean, mean.interval),
        Share(f"any of {log.candidates}", some / n, clopper_pearson(some, n)),
    )


def against(one: Mapping[int, bool], other: Mapping[int, bool]) -> tuple[int, int, float]:
    """On the puzzles of both: solved by the first alone, by the second alone, and McNemar's exact p."""
    both = one.keys() & other.keys()
    only_one = sum(one[at] and not other[at] for at in both)
    only_other = sum(other[at] and not one[at] for at in both)
    return only_one, only_other, mcnemar_exact(only_one, only_other)


def _records(path: Path) -> list[dict[str, Any]]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadFile(path, f"it cannot be read: {error}.", hint=_FORM) from None
    if not isinstance(found, list) or len(found) < 2:
        raise BadFile(path, "this is no array of two puzzles or more.", hint=_FORM)
    for number, record in enumerate(found, 1):
        if not (isinstance(record, dict) and _whole(record)):
            raise BadFile(
                path, f"puzzle {number} of the array lacks one of the fields, or they do not fit.", hint=_FORM
            )
    if len({record["idx"] for record in found}) < len(found):
        raise BadFile(path, "a puzzle stands twice.", field="idx")
    return found


def _whole(record: Mapping[str, Any]) -> bool:
    """Whether the fields are there and of the right kind."""
    ys, infos, steps = record.get("ys"), record.get("infos"), record.get("steps", [])
    usage = record.get("usage_so_far") or {}
    return (
        isinstance(record.get("idx"), int)
        and isinstance(ys, list)
        and all(isinstance(y, str) for y in ys)
        and isinstance(infos, list)
        and len(infos) == len(ys)
        and all(isinstance(info, dict) and info.get("r") in (0, 1) for info in infos)
        and isinstance(steps, list)
        and all(isinstance(step, dict) and isinstance(step.get("x"), str) for step in steps[:1])
        and isinstance(usage, dict)
        and all(isinstance(usage.get(name, 0), int) for name in ("prompt_tokens", "completion_tokens"))
    )


def _numbers(path: Path, text: str) -> tuple[int, ...]:
    try:
        return Countdown.read(text).numbers
    except UserError as error:
        raise BadFile(path, error.message, field="x", hint=error.hint) from None


def _log(path: Path, records: Sequence[Mapping[str, Any]], puzzles: Mapping[int, tuple[int, ...]]) -> Log:
    unknown = [record["idx"] for record in records if record["idx"] not in puzzles]
    if unknown:
        raise BadFile(
            path,
            f"no log of the folder says which numbers puzzle {unknown[0]} has.",
            field="idx",
            hint="Put the log of a tree search over the same puzzles beside it.",
        )
    usage = records[-1].get("usage_so_far") or {}
    return Log(
        path,
        {r["idx"]: tuple(makes(_answer(y), puzzles[r["idx"]]) for y in r["ys"]) for r in records},
        {r["idx"]: tuple(info["r"] == 1 for info in r["infos"]) for r in records},
        any(record.get("steps") for record in records),
        usage.get("prompt_tokens", 0) / len(records),
        usage.get("completion_tokens", 0) / len(records),
    )


def _answer(text: str) -> str:
    """The expression on the last line, in front of the equals sign."""
    lines = text.strip().splitlines() or [""]
    return lines[-1].casefold().rpartition("answer:")[2].partition("=")[0]
