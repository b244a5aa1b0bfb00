"""Rows of CSV, JSONL and Parquet files, each with its line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from assay.core.errors import BadFile, CannotRun
from assay.tasks.lines import csv_rows, json_objects

Record = tuple[int, Mapping[str, Any]]
SUFFIXES = (".csv", ".jsonl", ".ndjson", ".parquet")


def read_records(path: Path) -> Iterator[Record]:
    """The rows of a file by their lines; of Parquet, which has none, by their numbers from 1."""
    suffix = path.suffix.lower()
    if path.is_dir():
        raise BadFile(path, "this is a folder, not a file.")
    if suffix not in SUFFIXES:
        raise BadFile(path, f"the name must end in {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}.")
    yield from {".csv": _csv_records, ".parquet": _parquet_records}.get(suffix, json_objects)(path)


def _csv_records(path: Path) -> Iterator[Record]:
    rows = csv_rows(path)
    _, header = next(rows, (0, []))
    for line, cells in rows:
        yield line, dict(zip(header, cells, strict=True))


# --- Parquet


def _parquet_records(path: Path) -> Iterator[Record]:
    """Rows of a Parquet file, numbered from 1; texts are read only batch by batch."""
    opened = opened_parquet(path)
    number = 0
    try:
        for batch in opened.iter_batches(batch_size=4096):
            for row in batch.to_pylist():
                number += 1
                yield number, row
    except (OSError, ValueError) as error:
        raise _broken(path, error) from None


def opened_parquet(path: Path, coded: Sequence[str] = ()) -> Any:
    """A Parquet file of pyarrow, of which the columns `coded` are read as numbers with a dictionary."""
    try:
        opened = parquet().ParquetFile(path, read_dictionary=list(coded))
    except ImportError:
        hint = 'Type: pip install "assay[parquet]". Or write the table as CSV or JSONL.'
        raise CannotRun(f"{path}: Parquet is read by pyarrow, which is not installed.", hint=hint) from None
    except (OSError, ValueError) as error:
        raise _broken(path, error) from None
    names = opened.schema_arrow.names
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise BadFile(path, "two columns have this name.", field=twice[0])
    return opened


def whole_table(path: Path, coded: Sequence[str], also: Sequence[str]) -> Any | None:
    """A Parquet file as a table of pyarrow: the columns `coded`, and those of `also` that are there.

    None where one of `coded` is missing.
    """
    opened = opened_parquet(path, coded)
    names = opened.schema_arrow.names
    if not set(coded) <= set(names):
        return None
    try:
        return opened.read(columns=[*coded, *(name for name in also if name in names)]).unify_dictionaries()
    except (OSError, ValueError) as error:
        raise _broken(path, error) from None


def parquet() -> Any:
    """pyarrow's module; by name, because it is an extra and nobody's dependency here."""
    return import_module("pyarrow.parquet")


def _broken(path: Path, error: Exception) -> BadFile:
    if isinstance(error, OSError) and error.strerror:
        return BadFile(path, f"the file cannot be read: {error.strerror}.")
    # pyarrow's own errors are ValueErrors and OSErrors; so is text that is not UTF-8.
    return BadFile(path, f"this is not Parquet: {error}.")
