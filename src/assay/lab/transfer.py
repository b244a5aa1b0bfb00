"""Runs as JSONL, out of the store and into it. A line per sample, after one line about the run."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from assay.core import BadFile, Ending, Outcome, Sample, Usage, UserError
from assay.core.validation import HALF
from assay.core.verdict import Verdict
from assay.lab.lease import lease
from assay.lab.store import Recorded, RunRow, Store, trace_hash

FORMAT = "assay run 1"
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
"""Files are named after a run."""
_USAGE = {one.name: int if isinstance(one.default, int) else int | float for one in fields(Usage)}


def export_run(row: RunRow, store: Store, samples: Sequence[Sample], file: Path) -> int:
    """Write a run with its traces; returns the number of samples."""
    by_id = {sample.id: sample for sample in samples}
    recorded = store.recorded(row.id)
    head: dict[str, Any] = {"format": FORMAT, "run": row.id, "created": row.created, "status": row.status}
    head |= {"claim": row.claim, "config": row.config, "verdict": row.verdict}
    # Half a character in a model's words is written as JSON escapes it.
    with file.open("w", encoding="utf-8", errors="backslashreplace") as out:
        out.write(json.dumps(head, ensure_ascii=False) + "\n")
        for one in recorded.values():
            line = _line(one, store.trace(one.trace), by_id.get(one.item))
            out.write(json.dumps(line, ensure_ascii=False) + "\n")
    return len(recorded)


def _line(one: Recorded, steps: list[Any], sample: Sample | None) -> dict[str, Any]:
    return {
        "arm": one.arm,
        "item": one.item,
        "repeat": one.repeat,
        "question": sample.question if sample else "",
        "target": sample.target if sample else "",
        "replies": _replies(steps),
        "ending": one.outcome.ending.value,
        "score": one.outcome.score,
        "answer": one.outcome.answer,
        "detail": one.outcome.detail,
        "usage": asdict(one.usage),
        "steps": steps,
    }


def _replies(steps: list[Any]) -> list[Any]:
    return [
        reply["text"]
        for step in steps
        for pair in step
        if pair["request"]["kind"] == "ask"
        for reply in pair["reply"]
    ]


async def import_file(file: Path, store: Store, running: Path) -> tuple[str, int]:
    """Take a run in, whole or not at all; returns its id and the number of samples. Twice changes nothing.

    Args:
        running: the folder of leases; nobody else may be at the run.

    Raises:
        BadFile: with the line that is at fault.
        UserError: a process is at a run of that id.
    """
    lines = read_lines(file)
    head: dict[str, Any] = next(lines, (1, {}))[1]
    if head.get("format") != FORMAT:
        raise BadFile(file, "the first line does not describe a run.", line=1, hint="Type: assay export RUN FILE")
    try:
        run, created, claim, status = (_field(head, name, str) for name in ("run", "created", "claim", "status"))
        config, verdict = _field(head, "config", dict), head["verdict"]
        if "model" in config:
            _field(config, "model", dict)
        if not _ID.fullmatch(run):
            raise ValueError(f"{run[:80]!r} is no id")
        if verdict is not None:
            Verdict.from_json(verdict)
    except (KeyError, ValueError, UserError) as error:
        raise BadFile(file, f"the first line describes no run that can be read ({error}).", line=1) from None
    samples = []
    for number, line in lines:
        try:
            samples.append(_sample(line))
        except (KeyError, TypeError, ValueError, AssertionError, RecursionError) as error:
            raise BadFile(file, f"this is no sample: {error}.", line=number) from None
    with lease(running, run):
        if run in store.listing.ids(run):
            here = store.run(run)
            config = here.config
            # What was exported before the run came to its verdict does not take that back.
            status = "done" if here.status == "done" else status
        await store.begin(run, created, claim, config)
        for one, steps in samples:
            await store.record(run, one, steps)
        await store.finish(run, status, verdict)
    return run, len(samples)


def _sample(line: dict[str, Any]) -> tuple[Recorded, list[Any]]:
    """A sample with its steps, as `_line` wrote them."""
    steps = _field(line, "steps", list)
    _replies(steps)  # Whoever exports the run again reads them so.
    ending, score = Ending(_field(line, "ending", str)), _field(line, "score", int | float | None)
    outcome = Outcome(ending, score, _field(line, "answer", str | None), _field(line, "detail", str))
    given = _field(line, "usage", dict)
    usage = Usage(**{name: _field(given, name, _USAGE[name]) for name in given})
    arm, item, repeat = _field(line, "arm", str), _field(line, "item", str), _field(line, "repeat", int)
    return Recorded(arm, item, repeat, outcome, usage, trace_hash(steps)), steps


def _field(fields: dict[str, Any], name: str, kind: Any) -> Any:
    """A field of that kind, its characters whole, its number finite and of a size that SQLite takes."""
    if name not in fields:
        raise ValueError(f"its field {name!r} is missing")
    value = fields[name]
    good = isinstance(value, kind) and not isinstance(value, bool)
    if isinstance(value, str):
        good = good and not HALF.search(value)
    elif isinstance(value, int | float):
        good = good and abs(value) < (2**63 if isinstance(value, int) else math.inf)
    if not good:
        raise ValueError(f"its field {name!r} cannot be {value!r:.80}")
    return value


def read_lines(file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """(line number, object) for every line that is not blank; `BadFile` for anything else."""
    try:
        with file.open(encoding="utf-8-sig") as lines:
            for number, text in enumerate(lines, 1):
                if not text.strip():
                    continue
                try:
                    fields = json.loads(text)
                except (ValueError, RecursionError) as error:
                    raise BadFile(file, f"this line is not JSON ({error}).", line=number) from None
                if not isinstance(fields, dict):
                    raise BadFile(file, "this line is not an object.", line=number)
                yield number, fields
    except FileNotFoundError:
        raise BadFile(file, "there is no such file.") from None
    except (IsADirectoryError, PermissionError, UnicodeDecodeError) as error:
        raise BadFile(file, f"it cannot be read ({type(error).__name__}).") from None
