"""Files read line by line, JSON objects or CSV rows; what is wrong is said with file and line."""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NoReturn

from assay.core.errors import BadFile

_UNSOUND = re.compile("[\x00\ud800-\udfff]")


def text_lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines of a file by their numbers, with their ends; the byte order mark is taken off."""
    try:
        with path.open("rb") as file:
            for number, raw in enumerate(file, start=1):
                try:
                    line = raw.decode("utf-8-sig" if number == 1 else "utf-8")
                except UnicodeDecodeError:
                    wide = number == 1 and raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
                    hint = f"Convert it: iconv -f {'UTF-16' if wide else 'LATIN1'} -t UTF-8 FILE > NEW."
                    raise BadFile(path, "the text is not UTF-8.", line=number, hint=hint) from None
                yield number, line
    except OSError as error:
        raise BadFile(path, f"the file cannot be read: {error.strerror or error}.") from None


def json_objects(path: Path, *, exact: bool = False) -> Iterator[tuple[int, dict[str, Any]]]:
    """The object of each line that is not blank.

    Args:
        path: a JSONL file.
        exact: a number with a point stays the text that it is, and NaN is refused.
    """
    reading: dict[str, Any] = {"parse_float": str, "parse_constant": _refuse_constant} if exact else {}
    for number, line in text_lines(path):
        if not line.strip():
            continue
        try:
            found = json.loads(line, **reading)
        except json.JSONDecodeError as error:
            problem = f"this is not JSON: {error.msg} at character {error.colno}."
            raise BadFile(path, problem, line=number, hint="Each line holds one JSON object.") from None
        except (ValueError, RecursionError) as error:
            raise BadFile(path, f"this JSON cannot be read: {error}.", line=number) from None
        if not isinstance(found, dict):
            raise BadFile(path, f"a line must hold an object, not {json_name(found)}.", line=number)
        yield number, found


def csv_rows(path: Path, heading: Callable[[str], str] = str.strip) -> Iterator[tuple[int, list[str]]]:
    """The header, each of its names through `heading`, then every row as long as it, by the line it begins on.

    Rows without a word are left out.
    """
    # A cell may hold a whole conversation. It is one limit for the process: who sets it back takes it from others.
    csv.field_size_limit(sys.maxsize)
    reader = csv.reader(_split_at_returns(line for _, line in text_lines(path)), strict=True)
    header: list[str] = []
    begins = 1
    try:
        for cells in reader:
            line, begins = begins, reader.line_num + 1
            if not "".join(cells).strip():
                continue
            if not header:
                header = [heading(name) for name in cells]
                twice = [name for name in header if name and header.count(name) > 1]
                if twice:
                    raise BadFile(path, "two columns have this name.", line=line, field=twice[0])
                yield line, header
                continue
            if len(cells) != len(header):
                problem = f"this row has {len(cells)} columns and the header has {len(header)}."
                hint = "Put a text that holds a comma in double quotes."
                raise BadFile(path, problem, line=line, hint=hint)
            yield line, cells
    except csv.Error as error:
        raise BadFile(path, f"this is not CSV: {error}.", line=begins) from None


def _split_at_returns(lines: Iterable[str]) -> Iterator[str]:
    """A lone carriage return, as old spreadsheets write, ends a line too."""
    for line in lines:
        if "\r" in line[:-2]:
            yield from io.StringIO(line, newline="")
        else:
            yield line


def is_sound(text: str) -> bool:
    """Whether a text holds no NUL and no half character: no model can be sent them, and no file can hold them."""
    return _UNSOUND.search(text) is None


def json_name(value: object) -> str:
    """What a value is in JSON."""
    names = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")
