"""What was kept: the samples of a run made again, and verdicts in a folder."""

from __future__ import annotations

import json
from pathlib import Path

from assay.core import AssayError, BadFile, Sample, UnknownName, UserError
from assay.core.home import Home
from assay.core.verdict import Verdict
from assay.lab.experiment import PILOT_SEED
from assay.lab.lease import lease
from assay.lab.session import fingerprints_in
from assay.lab.store import RunRow, Store
from assay.papers import claim_named
from assay.workbench.wish import chosen_task, task_fingerprint


def samples_of(row: RunRow) -> tuple[Sample, ...]:
    """The samples of a run, made again: making them is a pure function of the run's settings.

    None where they cannot be made again: the claim is unknown, or the task file is gone or has changed since.
    """
    if row.verdict is None and "seed" not in row.config:
        return ()
    try:
        _, claim = claim_named(row.claim)
        task = chosen_task(row.config["task"]) if row.config.get("task") else claim.task
        noted = fingerprints_in(row.config).get("task")
        if noted and noted != task_fingerprint(row.config["task"]):
            return ()
        seed, size = int(row.config["seed"]), claim.sizes[row.config["size"]]
        n = row.config.get("n") or size.n
        level = row.verdict["level"] if row.verdict else None
        found = list(task.samples(n + size.pilot * len(task.levels), seed, level))
        for other in task.levels:
            found += task.samples(size.pilot, seed + PILOT_SEED, other)
    except (AssayError, KeyError, OSError, TypeError, ValueError):
        # A run from elsewhere may say anything of itself.
        return ()
    return tuple(found)


def run_meant(store: Store, name: str) -> RunRow:
    """The run of exactly that id: what is done to a run must not befall another whose id only begins so."""
    row = store.run(name)
    if row.id != name:
        raise UnknownName("run", name, [row.id], hint="Give the whole id.")
    return row


def forget_run(home: Home, store: Store, run: str) -> int:
    """Take a run away for good, with its samples, traces and verdict; returns the bytes that they had.

    Raises:
        UserError: a process is at it.
    """
    with lease(home.running, run):
        freed = store.discard(run)
    for file in (home.running / f"{run}.log", home.running / f"{run}.lock"):
        if file.exists():
            freed += file.stat().st_size
            file.unlink(missing_ok=True)
    return freed


def read_results(folder: Path) -> list[Verdict]:
    """The verdicts kept in a folder; `BadFile` at the first file that is none."""
    return [read_verdict(file) for file in result_files(folder)]


def result_files(folder: Path) -> list[Path]:
    """The files of a folder that should hold a verdict each."""
    if not folder.is_dir():
        raise BadFile(folder, "there is no such folder.")
    return sorted(folder.glob("*.json"))


def read_verdict(file: Path) -> Verdict:
    """The verdict in a file, whoever wrote it; `BadFile` where it holds none."""
    try:
        return Verdict.from_json(json.loads(file.read_text("utf-8")))
    except OSError as error:
        raise BadFile(file, f"the file cannot be read: {error.strerror}.") from None
    except RecursionError:
        raise BadFile(file, "this JSON is nested too deep to be a verdict.") from None
    except ValueError as error:
        raise BadFile(file, f"this is not JSON: {error}.") from None
    except UserError as error:
        raise BadFile(file, f"{error.message[:1].lower()}{error.message[1:]}") from None
