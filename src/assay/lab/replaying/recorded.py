"""Result files made elsewhere: one score per item, whatever the format.

A score that is missing is counted and left out, never taken for 0. An item that stands several times
is averaged: as repeats where a field tells them apart, else as duplicates, which are reported.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.core import BadFile
from assay.lab.replaying.recorded_formats import Record, Records, read_records

ID_FIELDS = (
    "id",
    "item",
    "question_id",
    "doc_id",
    "sample_id",
    "item_id",
    "task_id",
    "question",
    "prompt",
    "input",
)
SCORE_FIELDS = ("score", "correct", "acc", "exact_match", "is_correct", "passed", "accuracy")
REPEAT_FIELDS = ("repeat", "epoch", "seed", "sample_index")
NO_SCORE = ("", "nan", "null", "none", "na", "n/a")


@dataclass(frozen=True, slots=True)
class Fields:
    """The names a user gave; an empty one is found by itself."""

    id: str = ""
    score: str = ""
    cluster: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One item with its score, the mean over its repeats."""

    id: str
    score: float
    cluster: str = ""
    repeats: int = 1


@dataclass(frozen=True, slots=True)
class ResultFile:
    """What a result file says, by item, in an order that does not depend on that of its lines."""

    path: Path
    rows: tuple[Row, ...]
    duplicates: tuple[str, ...] = ()
    """Items that stand several times with nothing to tell the times apart; their mean is the score."""
    without_score: tuple[str, ...] = ()
    """Items that are there without any score."""
    id_field: str = ""
    score_field: str = ""


def read_result_file(path: Path, fields: Fields | None = None) -> ResultFile:
    """The items and scores of a file.

    A metric that lm-evaluation-harness computed under several filters is named with its filter, as its
    own tables do: `exact_match,strict-match`. `doc.subject` names a field inside another.

    Raises:
        BadFile: with line and field.
    """
    fields = fields or Fields()
    records = read_records(path, fields.score)
    if not records.entries:
        raise BadFile(path, "the file holds no results.")
    records, wanted = _one_variant(path, records, fields.score)
    id_field = _id_field(path, records, fields.id)
    score_field = _score_field(records, wanted)
    by_id: dict[str, list[Record]] = {}
    for record in records.entries:
        by_id.setdefault(_id_of(record, id_field), []).append(record)
    rows, duplicates, without_score = [], [], []
    for item in sorted(by_id, key=in_order):
        entries = by_id[item]
        if len(entries) > 1 and not _told_apart(entries):
            duplicates.append(item)
        scores = [s for record in entries if (s := _score_of(record, score_field)) is not None]
        cluster = _cluster_of(entries, fields.cluster, item)
        if scores:
            rows.append(Row(item, math.fsum(scores) / len(scores), cluster, len(scores)))
        else:
            without_score.append(item)
    return ResultFile(path, tuple(rows), tuple(duplicates), tuple(without_score), id_field, score_field)


def in_order(item: str) -> tuple[tuple[tuple[int, str], ...], str]:
    """Sorting key of ids that takes the numbers in them by value: q2 comes before q10."""
    parts = re.findall(r"[0-9]+|[^0-9]+", item)
    values = (part.lstrip("0") if part[0] in "0123456789" else part for part in parts)
    keyed = zip(parts, values, strict=True)
    return tuple((len(v), v) if p[0] in "0123456789" else (1_000_000, v) for p, v in keyed), item


# --- which fields


def _one_variant(path: Path, records: Records, score: str) -> tuple[Records, str]:
    """The entries of one filter (or arm), and the name of the score without it."""
    field = records.variant_field
    values = sorted({str(r.get(field)) for r in records.entries if r.has(field)}) if field else []
    name, comma, variant = score.rpartition(",")
    if any(record.has(score) for record in records.entries):
        name, comma, variant = score, "", ""
    if comma and field:
        chosen = tuple(record for record in records.entries if str(record.get(field)) == variant)
        if not chosen:
            problem = f"there is no '{variant}'; there are: {', '.join(values)}."
            raise BadFile(path, problem, field=field, hint=f"Name one: --score {name},{values[0]}")
        return Records(chosen, records.id_fields, records.score_fields, field), name
    if len(values) > 1:
        name = score or _score_field(records, "")
        problem = f"every item was scored under several: {', '.join(values)}."
        raise BadFile(path, problem, field=field, hint=f"Name one: --score {name},{values[0]}")
    return records, score


def _id_field(path: Path, records: Records, wanted: str) -> str:
    if wanted:
        return wanted
    candidates = records.id_fields or ID_FIELDS
    for everywhere in (all, any):
        for name in candidates:
            if everywhere(record.has(name) for record in records.entries):
                return name
    first = records.entries[0]
    raise first.wrong(f"no field names the item; there are: {_names(first)}.", hint="Name it: --id FIELD")


def _score_field(records: Records, wanted: str) -> str:
    """The asked one where any entry has it (others are then without score), else the first known one."""
    first = records.entries[0]
    names = (wanted,) if wanted and not _is_scorer(records) else (*records.score_fields, *SCORE_FIELDS)
    for name in names:
        if any(record.has(name) for record in records.entries):
            return name
    if wanted:
        raise first.wrong(f"there is no such field; there are: {_names(first)}.", wanted)
    raise first.wrong(f"no field holds the score; there are: {_names(first)}.", hint="Name it: --score FIELD")


def _is_scorer(records: Records) -> bool:
    """In an inspect_ai log the name was that of the scorer, whose value is the score by now."""
    return records.score_fields == ("score",) and not records.variant_field


def _names(record: Record) -> str:
    names = [str(name) for name in record.fields]
    return ", ".join(names[:20]) + (", ..." if len(names) > 20 else "")


# --- what stands in them


def _id_of(record: Record, field: str) -> str:
    value = record.get(field)
    if not record.has(field):
        raise record.wrong(f"there is no such field; there are: {_names(record)}.", field, "Name it: --id FIELD")
    if value is None or value == "":
        raise record.wrong("the item has no name.", field, "Name another field: --id FIELD")
    return _plain(value)


def _score_of(record: Record, field: str) -> float | None:
    """The score, or None where there is none: a missing score is no 0."""
    value = record.get(field)
    if isinstance(value, str):
        text = value.strip().lower()
        if text in NO_SCORE:
            return None
        if text in ("true", "false"):
            return float(text == "true")
        try:
            value = float(text)
        except ValueError:
            problem = f"'{value[:40]}' is no score: a number, true or false is needed."
            raise record.wrong(problem, field, "Name another field: --score FIELD") from None
    if value is None:
        return None
    if not isinstance(value, bool | int | float):
        problem = f"{json.dumps(value, ensure_ascii=False)[:40]} is no score: a number, true or false is needed."
        raise record.wrong(problem, field, "Name another field: --score FIELD")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if math.isinf(number):
        raise record.wrong("the score is not finite.", field)
    return None if math.isnan(number) else number


def _cluster_of(entries: Sequence[Record], field: str, item: str) -> str:
    if not field:
        return ""
    found: dict[str, Record] = {}
    for record in entries:
        value = record.get(field)
        if not record.has(field):
            raise record.wrong(f"there is no such field; there are: {_names(record)}.", field)
        if value is None or value == "":
            raise record.wrong("the item has no cluster.", field)
        found[_plain(value)] = record
    if len(found) > 1:
        raise entries[-1].wrong(f"the item '{item}' is in several clusters: {', '.join(sorted(found))}.", field)
    return next(iter(found))


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, ensure_ascii=False)


def _told_apart(entries: Iterable[Record]) -> bool:
    """Whether a field of repeats has another value each time."""
    marks = [tuple(_plain(record.get(name)) for name in REPEAT_FIELDS) for record in entries]
    return len(set(marks)) == len(marks)
