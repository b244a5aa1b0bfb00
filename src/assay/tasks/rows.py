"""Rows of a JSONL or CSV file, read line by line; what is wrong is said with file, line and field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.core.errors import BadFile
from assay.tasks.lines import csv_rows, is_sound, json_name, json_objects

LARGEST_FILE = 1_000_000_000
"""Bytes. A file is held in memory once read."""

ALIASES: Mapping[str, tuple[str, ...]] = {
    "question": ("question", "prompt", "input"),
    "answer": ("answer", "target", "label", "gold"),
    "choices": ("choices", "options"),
    "id": ("id",),
    "cluster": ("cluster",),
}
"""Our field -> the names it may have in a file; where a row has several, the first listed counts."""

_NAMES_HINT = "A row has question (or prompt, input) and answer (or target, label, gold)."


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a file as it was given, checked field by field but not yet as a whole."""

    line: int
    question: str
    answer: str
    choices: tuple[str, ...] = ()
    id: str = ""
    cluster: str = ""


def read_rows(path: Path) -> Iterator[Row]:
    """The rows of a file that ends in .jsonl, .ndjson or .csv; raises `BadFile` at the first bad line."""
    suffix = path.suffix.lower()
    _require_readable(path)
    if suffix not in (".jsonl", ".ndjson", ".csv"):
        raise BadFile(path, "the name must end in .jsonl, .ndjson or .csv.")
    yield from _csv_rows(path) if suffix == ".csv" else _json_rows(path)


def _require_readable(path: Path) -> None:
    try:
        if path.is_dir():
            raise BadFile(path, "this is a folder, not a file.")
        if not path.exists():
            raise BadFile(path, "there is no such file.")
        if not path.is_file():
            raise BadFile(path, "this is no regular file.")
        size = path.stat().st_size
    except (OSError, ValueError) as error:
        raise BadFile(path, f"the file cannot be read: {error}.") from None
    if size == 0:
        raise BadFile(path, "the file is empty.")
    if size > LARGEST_FILE:
        hint = "Take a part of it: head -n 100000 FILE > PART."
        raise BadFile(path, "the file is larger than 1 GB, more than a test can use.", hint=hint)


def _json_rows(path: Path) -> Iterator[Row]:
    # Numbers with a point stay texts: a float would change the digits of the answer.
    for line, values in json_objects(path, exact=True):
        yield _row(path, line, values)


def _csv_rows(path: Path) -> Iterator[Row]:
    header: list[str] = []
    for line, cells in csv_rows(path, lambda name: name.strip().lower()):
        if not header:
            header = _checked_header(path, line, cells)
            continue
        values: dict[str, Any] = {name: cell for name, cell in zip(header, cells, strict=True) if cell.strip()}
        listed = _first_name(values, "choices")
        if listed:
            values[listed] = [choice.strip() for choice in values[listed].split("|")]
        yield _row(path, line, values)


def _checked_header(path: Path, line: int, names: list[str]) -> list[str]:
    for field in ("question", "answer"):
        if not set(ALIASES[field]) & set(names):
            problem = f"the first line must be a header, and it names no {field}."
            raise BadFile(path, problem, line=line, hint=_NAMES_HINT)
    return names


def _row(path: Path, line: int, values: Mapping[str, Any]) -> Row:
    return Row(
        line=line,
        question=_text(path, line, values, "question"),
        answer=_text(path, line, values, "answer"),
        choices=_choices(path, line, values),
        id=_text(path, line, values, "id", needed=False),
        cluster=_text(path, line, values, "cluster", needed=False),
    )


def _text(path: Path, line: int, values: Mapping[str, Any], field: str, *, needed: bool = True) -> str:
    """A field's text without surrounding blanks; "" where it is not needed and not there."""
    name = _first_name(values, field)
    value = values.get(name) if name else None
    if value is None:
        if needed:
            raise BadFile(path, f"the {field} is missing.", line=line, field=field, hint=_NAMES_HINT)
        return ""
    if isinstance(value, bool) and field == "answer":
        value = "yes" if value else "no"
    if isinstance(value, int) and not isinstance(value, bool) and field != "question":
        value = str(value)
    if not isinstance(value, str):
        problem = f"the {field} must be text, not {json_name(value)}."
        raise BadFile(path, problem, line=line, field=name)
    _require_sound(path, line, name, value)
    if needed and not value.strip():
        raise BadFile(path, f"the {field} is empty.", line=line, field=name)
    return value.strip()


def _choices(path: Path, line: int, values: Mapping[str, Any]) -> tuple[str, ...]:
    name = _first_name(values, "choices")
    value = values.get(name) if name else None
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(choice, str) for choice in value):
        raise BadFile(path, "the choices must be a list of texts.", line=line, field=name)
    choices = tuple(choice.strip() for choice in value)
    for choice in choices:
        _require_sound(path, line, name, choice)
    if not all(choices):
        raise BadFile(path, "one of the choices is empty.", line=line, field=name)
    if len(set(choices)) != len(choices):
        raise BadFile(path, "two of the choices are the same.", line=line, field=name)
    if not 2 <= len(choices) <= 26:
        raise BadFile(path, f"2 to 26 choices are needed, not {len(choices)}.", line=line, field=name)
    return choices


def _first_name(values: Mapping[str, Any], field: str) -> str:
    return next((name for name in ALIASES[field] if name in values), "")


def _require_sound(path: Path, line: int, field: str, text: str) -> None:
    if not is_sound(text):
        raise BadFile(path, "the text holds a NUL or half a character.", line=line, field=field)
