"""The formats result files come in, told apart by their content and brought to one: a line and its fields.

jsonl      an object per line: anybody's results, lm-evaluation-harness `samples_*.jsonl`, `assay export`
array      a JSON array of objects
csv        a header, then rows; comma, semicolon or tab
inspect    an inspect_ai log, as JSON or as the zip archive named `.eval`
"""

from __future__ import annotations

import csv
import io
import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.core import BadFile
from assay.lab.transfer import read_lines

INSPECT_VALUES: Mapping[str, float] = {"C": 1.0, "I": 0.0, "P": 0.5, "N": 0.0, "yes": 1.0, "no": 0.0}
"""How inspect_ai itself turns a score's value into a number (`value_to_float`): N is no answer, and 0."""
_KNOWN = "Known are JSONL, CSV with a header, a JSON array of objects, and inspect_ai logs."
_TO_JSON = "Convert it: inspect log convert FILE --to json --output-dir DIR"


@dataclass(frozen=True, slots=True)
class Record:
    """One entry of a result file as it stands there."""

    path: str
    """The file, and the member of an archive where it is one."""
    line: int | None
    fields: Mapping[str, Any]

    def has(self, name: str) -> bool:
        """Whether there is such a field; `doc.subject` names a field inside one."""
        return self._look(name)[0]

    def get(self, name: str) -> Any:
        """The field's value, None where there is none."""
        return self._look(name)[1]

    def _look(self, name: str) -> tuple[bool, Any]:
        if name in self.fields:
            return True, self.fields[name]
        value: Any = self.fields
        for part in name.split("."):
            if not isinstance(value, Mapping) or part not in value:
                return False, None
            value = value[part]
        return True, value

    def wrong(self, problem: str, field: str = "", hint: str = "") -> BadFile:
        """An error that points here."""
        return BadFile(self.path, problem, line=self.line, field=field, hint=hint)


@dataclass(frozen=True, slots=True)
class Records:
    """All entries of a file, and what its format says about their fields."""

    entries: tuple[Record, ...]
    id_fields: tuple[str, ...] = ()
    """Where the format itself names the item; else it is looked for."""
    score_fields: tuple[str, ...] = ()
    variant_field: str = ""
    """An item stands once for every value of this field (`filter`, `arm`): one of them is compared."""


def read_records(path: Path, score_field: str) -> Records:
    """Every entry of a result file; `score_field` names the scorer where an inspect_ai log has several.

    Raises:
        BadFile: with line and field, where the file is in no known format.
    """
    head = _beginning(path)
    if head.startswith(b"PK\x03\x04"):
        return _inspect(_zip_samples(path), path, score_field)
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not text:
        raise BadFile(path, "the file is empty.", hint=_KNOWN)
    if text.startswith(b"["):
        return Records(tuple(_array(path)))
    if text.startswith(b"{"):
        log = _single_object(path)
        return _jsonl(path) if log is None else _inspect(_log_samples(path, log), path, score_field)
    if path.suffix.lower() in (".json", ".jsonl", ".ndjson"):
        raise BadFile(path, "this is not JSON.", line=1, hint=_KNOWN)
    return Records(tuple(_csv(path)))


def _beginning(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(65_536)
    except FileNotFoundError:
        raise BadFile(path, "there is no such file.") from None
    except OSError as error:
        raise BadFile(path, f"it cannot be read ({error.strerror}).") from None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        hint = "Convert it: iconv -f LATIN1 -t UTF-8 FILE > NEW"
        raise BadFile(path, "the text is not UTF-8.", hint=hint) from None


# --- JSON


def _jsonl(path: Path) -> Records:
    entries = tuple(Record(str(path), number, fields) for number, fields in read_lines(path))
    first = entries[0].fields
    if str(first.get("format", "")).startswith("assay run"):
        return Records(entries[1:], ("item",), ("score",), "arm")
    if "doc_id" in first and ("filtered_resps" in first or "resps" in first):
        metrics = first.get("metrics")
        named = tuple(str(name) for name in metrics) if isinstance(metrics, list) else ()
        return Records(entries, ("doc_id",), named, "filter")
    return Records(entries)


def _array(path: Path) -> Iterator[Record]:
    """The array's elements, each with the line it begins on."""
    text = _text(path)
    try:
        values = json.loads(text)
    except ValueError as error:
        line = error.lineno if isinstance(error, json.JSONDecodeError) else None
        raise BadFile(path, f"this is not JSON ({error}).", line=line) from None
    decoder, at, line = json.JSONDecoder(), text.index("[") + 1, text.count("\n", 0, text.index("[")) + 1
    for value in values:
        start = at
        while text[at] in " \t\r\n,":
            at += 1
        line += text.count("\n", start, at)
        if not isinstance(value, dict):
            raise BadFile(path, "this element of the array is not an object.", line=line, hint=_KNOWN)
        yield Record(str(path), line, value)
        start, (_, at) = at, decoder.raw_decode(text, at)
        line += text.count("\n", start, at)


def _single_object(path: Path) -> dict[str, Any] | None:
    """The one object that the whole file is; None where a line holds one each."""
    try:
        with path.open(encoding="utf-8-sig") as lines:
            first = json.loads(next(line for line in lines if line.strip()))
    except ValueError:
        first = None
    if isinstance(first, dict) and not ("samples" in first and "eval" in first):
        return None
    try:
        whole = json.loads(_text(path))
    except ValueError:
        return None
    if "eval" not in whole or "version" not in whole:
        raise BadFile(path, "this JSON object is no inspect_ai log.", hint=_KNOWN)
    found: dict[str, Any] = whole
    return found


# --- CSV


def _csv(path: Path) -> Iterator[Record]:
    text = _text(path)
    head = text.lstrip("\r\n").split("\n", 1)[0]
    delimiter = max(",;\t", key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    names: list[str] = []
    begins = 1
    try:
        for cells in reader:
            line, begins = begins, reader.line_num + 1
            if not any(cell.strip() for cell in cells):
                continue
            if not names:
                names = _header(path, line, cells)
                continue
            if len(cells) != len(names):
                problem = f"this row has {len(cells)} cells and the header names {len(names)}."
                raise BadFile(path, problem, line=line, hint="Put a text that holds a comma in double quotes.")
            yield Record(str(path), line, dict(zip(names, (cell.strip() for cell in cells), strict=True)))
    except csv.Error as error:
        raise BadFile(path, f"this is not CSV: {error}.", line=begins) from None


def _header(path: Path, line: int, cells: Sequence[str]) -> list[str]:
    names = [cell.strip() for cell in cells]
    if len(names) < 2:
        raise BadFile(path, "the first line must be a header with an id and a score.", line=line, hint=_KNOWN)
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise BadFile(path, "two columns have this name.", line=line, field=twice[0])
    return names


# --- inspect_ai


def _log_samples(path: Path, log: Mapping[str, Any]) -> list[Record]:
    samples = log.get("samples")
    if not isinstance(samples, list) or not samples:
        problem = f"this inspect_ai log holds no samples (its status is {log.get('status', 'unknown')})."
        raise BadFile(path, problem)
    return [Record(str(path), None, sample if isinstance(sample, dict) else {}) for sample in samples]


def _zip_samples(path: Path) -> list[Record]:
    """The samples of a `.eval` archive; each is a JSON file of its own under `samples/`."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = [n for n in archive.namelist() if n.startswith("samples/") and n.endswith(".json")]
            samples = [(name, json.loads(archive.read(name))) for name in names]
    except NotImplementedError:
        raise BadFile(path, "the archive is packed in a way Python cannot read.", hint=_TO_JSON) from None
    except (zipfile.BadZipFile, zlib.error, ValueError, OSError, EOFError) as error:
        raise BadFile(path, f"the archive cannot be read ({error}).", hint=_TO_JSON) from None
    if not samples:
        raise BadFile(path, "the archive holds no samples/*.json: it is no inspect_ai log.", hint=_TO_JSON)
    return [Record(f"{path}/{name}", None, fields) for name, fields in samples if isinstance(fields, dict)]


def _inspect(samples: Sequence[Record], path: Path, score_field: str) -> Records:
    """Samples with the value of one scorer as their `score`."""
    scorers = sorted({name for sample in samples for name in _scores(sample)})
    if not scorers:
        raise BadFile(path, "no sample has a score.", field="scores", hint="Type: inspect score FILE")
    wanted, _, key = score_field.partition(".")
    if score_field in scorers:
        wanted, key = score_field, ""
    if not score_field and len(scorers) == 1:
        wanted = scorers[0]
    if wanted not in scorers:
        problem = "there is no such scorer" if score_field else "there are several scorers"
        hint = f"Name one: --score {scorers[0]}"
        raise BadFile(path, f"{problem}; the log has: {', '.join(scorers)}.", field="scores", hint=hint)
    entries = tuple(_with_score(sample, wanted, key) for sample in samples)
    return Records(entries, ("id",), ("score",))


def _scores(sample: Record) -> Mapping[str, Any]:
    scores = sample.fields.get("scores")
    return scores if isinstance(scores, dict) else {}


def _with_score(sample: Record, scorer: str, key: str) -> Record:
    score = _scores(sample).get(scorer)
    value = score.get("value") if isinstance(score, dict) else None
    where = f"sample '{sample.fields.get('id')}', epoch {sample.fields.get('epoch', 1)}"
    if isinstance(value, dict):
        if key not in value:
            hint = f"Name one: --score {scorer}.{next(iter(value), 'NAME')}"
            problem = f"{where}: the score has the parts {', '.join(value)}."
            raise sample.wrong(problem, f"scores.{scorer}.value", hint)
        value = value[key]
    if isinstance(value, list):
        raise sample.wrong(f"{where}: the score is a list.", f"scores.{scorer}.value")
    if isinstance(value, str):
        value = INSPECT_VALUES.get(value, INSPECT_VALUES.get(value.lower(), value))
    # The transcript is left behind: it is what makes a log large.
    kept = {name: sample.fields[name] for name in ("id", "epoch", "input", "metadata") if name in sample.fields}
    return Record(sample.path, sample.line, {**kept, "score": value})
