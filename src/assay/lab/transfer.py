"""Runs as JSONL, out of the store and into it. A line per sample, after one line about the run."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from assay.core import BadFile, Ending, Outcome, Sample, Usage, UserError
from assay.core.verdict import Verdict
from assay.lab.store import Recorded, RunRow, Store, trace_hash

FORMAT = "assay run 1"


def export_run(row: RunRow, store: Store, samples: Sequence[Sample], file: Path) -> int:
    """Write a run with its traces; returns the number of samples."""
    by_id = {sample.id: sample for sample in samples}
    recorded = store.recorded(row.id)
    head: dict[str, Any] = {"format": FORMAT, "run": row.id, "created": row.created, "status": row.status}
    head |= {"claim": row.claim, "config": row.config, "verdict": row.verdict}
    with file.open("w", encoding="utf-8") as out:
        out.write(json.dumps(head, ensure_ascii=False) + "\n")
        for one in recorded.values():
            line = _line(one, store.trace(one.trace), by_id.get(one.item))
            out.write(json.dumps(line, ensure_ascii=False) + "\n")
    return len(recorded)


def _line(one: Recorded, steps: list[Any], sample: Sample | None) -> dict[str, Any]:
    replies = [
        reply["text"]
        for step in steps
        for pair in step
        if pair["request"]["kind"] == "ask"
        for reply in pair["reply"]
    ]
    return {
        "arm": one.arm,
        "item": one.item,
        "repeat": one.repeat,
        "question": sample.question if sample else "",
        "target": sample.target if sample else "",
        "replies": replies,
        "ending": one.outcome.ending.value,
        "score": one.outcome.score,
        "answer": one.outcome.answer,
        "detail": one.outcome.detail,
        "usage": asdict(one.usage),
        "steps": steps,
    }


async def import_file(file: Path, store: Store) -> tuple[str, int]:
    """Take a run in; returns its id and the number of samples. Taking it in twice changes nothing.

    Raises:
        BadFile: with the line that is at fault.
    """
    lines = read_lines(file)
    head: dict[str, Any] = next(lines, (1, {}))[1]
    if head.get("format") != FORMAT:
        raise BadFile(file, "the first line does not describe a run.", line=1, hint="Type: assay export RUN FILE")
    try:
        run, created, claim, status = (str(head[name]) for name in ("run", "created", "claim", "status"))
        config, verdict = dict(head["config"]), head["verdict"]
        if verdict is not None:
            Verdict.from_json(verdict)
    except (KeyError, TypeError, ValueError, UserError) as error:
        raise BadFile(file, f"the first line describes no run that can be read ({error}).", line=1) from None
    await store.begin(run, created, claim, config)
    count = 0
    for number, line in lines:
        try:
            outcome = Outcome(Ending(line["ending"]), line["score"], line["answer"], line["detail"])
            steps, usage = line["steps"], Usage(**line["usage"])
            one = Recorded(line["arm"], line["item"], line["repeat"], outcome, usage, trace_hash(steps))
        except (KeyError, TypeError, ValueError, AssertionError) as error:
            raise BadFile(file, f"this is no sample ({error!r}).", line=number) from None
        await store.record(run, one, steps)
        count += 1
    await store.finish(run, status, verdict)
    return run, count


def read_lines(file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """(line number, object) for every line that is not blank; `BadFile` for anything else."""
    try:
        with file.open(encoding="utf-8-sig") as lines:
            for number, text in enumerate(lines, 1):
                if not text.strip():
                    continue
                try:
                    fields = json.loads(text)
                except ValueError as error:
                    raise BadFile(file, f"this line is not JSON ({error}).", line=number) from None
                if not isinstance(fields, dict):
                    raise BadFile(file, "this line is not an object.", line=number)
                yield number, fields
    except FileNotFoundError:
        raise BadFile(file, "there is no such file.") from None
    except (IsADirectoryError, PermissionError, UnicodeDecodeError) as error:
        raise BadFile(file, f"it cannot be read ({type(error).__name__}).") from None
