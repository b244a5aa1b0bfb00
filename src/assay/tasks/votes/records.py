"""Rows of CSV, JSONL and Parquet files, each with its line."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from assay.core.errors import BadFile, CannotRun

Record = tuple[int, Mapping[str, Any]]
SUFFIXES = (".csv", ".jsonl", ".ndjson", ".parquet")


def read_records(path: Path) -> Iterator[Record]:
    """The rows of a file by their lines; of Parquet, which has none, by their numbers from 1."""
    suffix = path.suffix.lower()
    if path.is_dir():
        raise BadFile(path, "this is a folder, not a file.")
    if suffix not in SUFFIXES:
        raise BadFile(path, f"the name must end in {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}.")
    read = {".csv": _csv_rows, ".parquet": _parquet_rows}.get(suffix, _json_rows)
    try:
        yield from read(path)
    except UnicodeDecodeError:
        hint = "Convert it: iconv -f LATIN1 -t UTF-8 FILE > NEW."
        raise BadFile(path, "the text is not UTF-8.", hint=hint) from None
    except OSError as error:
        raise BadFile(path, f"the file cannot be read: {error.strerror or error}.") from None


def _csv_rows(path: Path) -> Iterator[Record]:
    before = csv.field_size_limit(sys.maxsize)  # a cell may hold a whole conversation
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            header = [name.strip() for name in next(reader, [])]
            begins = reader.line_num + 1
            for cells in reader:
                if len(cells) != len(header):
                    if cells:
                        problem = f"this row has {len(cells)} cells and the header has {len(header)}."
                        raise BadFile(path, problem, line=begins)
                else:
                    yield begins, dict(zip(header, cells, strict=True))
                begins = reader.line_num + 1
    except csv.Error as error:
        raise BadFile(path, f"this is not CSV: {error}.") from None
    finally:
        csv.field_size_limit(before)


def _json_rows(path: Path) -> Iterator[Record]:
    with path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise BadFile(path, f"this is not JSON: {error}.", line=number) from None
            if not isinstance(row, dict):
                raise BadFile(path, "a line must hold an object.", line=number)
            yield number, row


def _parquet_rows(path: Path) -> Iterator[Record]:
    """Rows of a Parquet file, numbered from 1; texts are read only batch by batch."""
    number = 0
    for batch in _parquet_file(path).iter_batches(batch_size=4096):
        for row in batch.to_pylist():
            number += 1
            yield number, row


def _parquet_file(path: Path, coded: Sequence[str] = ()) -> Any:
    try:
        return _arrow("parquet").ParquetFile(path, read_dictionary=list(coded))
    except ImportError:
        hint = "Type: pip install pyarrow. Or write the table as CSV or JSONL."
        raise CannotRun(f"{path}: Parquet is read by pyarrow, which is not installed.", hint=hint) from None
    except OSError as error:
        raise BadFile(path, f"the file cannot be read: {error.strerror or error}.") from None
    except ValueError as error:  # pyarrow's own errors are ValueErrors
        raise BadFile(path, f"this is not Parquet: {error}.") from None


def _arrow(part: str) -> Any:
    # By name: it is an extra, and nobody's dependency here.
    return import_module(f"pyarrow.{part}")


# --- whole columns


def coded_table(path: Path, coded: Sequence[str], also: Sequence[str]) -> Any | None:
    """A Parquet or CSV file as a table of pyarrow: `coded` columns as numbers with a dictionary, and `also`.

    None where that cannot be done, because a column is missing, the file is none of these or pyarrow is not here:
    then its rows are to be read, which also finds what is wrong with them.
    """
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        opened = _parquet_file(path, coded)
        names = opened.schema_arrow.names
        if not set(coded) <= set(names):
            return None
        return opened.read(columns=[*coded, *(name for name in also if name in names)]).unify_dictionaries()
    if suffix != ".csv":
        return None
    try:
        reader, types = _arrow("csv"), import_module("pyarrow")
        with path.open(encoding="utf-8-sig", newline="") as file:
            names = next(csv.reader(file), [])
        wanted = [*coded, *(name for name in also if name in names)]
        kinds = dict.fromkeys(wanted, types.string()) | dict.fromkeys(
            coded, types.dictionary(types.int32(), types.string())
        )
        options = reader.ConvertOptions(include_columns=wanted, column_types=kinds)
        parsing = reader.ParseOptions(newlines_in_values=True)
        return reader.read_csv(path, parse_options=parsing, convert_options=options).unify_dictionaries()
    except (
        ImportError,
        OSError,
        ValueError,
        KeyError,
        csv.Error,
    ):  # pyarrow's errors are ValueErrors and KeyErrors
        return None
