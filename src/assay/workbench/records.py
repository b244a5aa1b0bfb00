"""What was kept: the samples of a run made again, and verdicts in a folder."""

from __future__ import annotations

import json
from pathlib import Path

from assay.core import AssayError, BadFile, Sample
from assay.core.verdict import Verdict
from assay.lab.experiment import PILOT_SEED
from assay.lab.store import RunRow
from assay.papers import claim_named
from assay.workbench.wish import chosen_task


def samples_of(row: RunRow) -> tuple[Sample, ...]:
    """The samples of a run, made again: making them is a pure function of the run's settings."""
    if row.verdict is None and "seed" not in row.config:
        return ()
    try:
        _, claim = claim_named(row.claim)
        task = chosen_task(row.config["task"]) if row.config.get("task") else claim.task
        seed, size = int(row.config["seed"]), claim.sizes[row.config["size"]]
        n = row.config.get("n") or size.n
        level = row.verdict["level"] if row.verdict else None
        found = list(task.samples(n + size.pilot * len(task.levels), seed, level))
        for other in task.levels:
            found += task.samples(size.pilot, seed + PILOT_SEED, other)
    except (AssayError, KeyError):
        return ()
    return tuple(found)


def read_results(folder: Path) -> list[Verdict]:
    """The verdicts kept in a folder."""
    if not folder.is_dir():
        raise BadFile(folder, "there is no such folder.")
    verdicts = []
    for file in sorted(folder.glob("*.json")):
        try:
            verdicts.append(Verdict.from_json(json.loads(file.read_text())))
        except (ValueError, KeyError, TypeError) as error:
            raise BadFile(file, f"this is no verdict ({error}).") from None
    return verdicts
