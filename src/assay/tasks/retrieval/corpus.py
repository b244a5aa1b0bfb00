"""A corpus: documents, and queries with what is relevant to each. Read from a BEIR folder or a folder of texts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.core.errors import BadFile, UserError
from assay.tasks.lines import is_sound, json_objects, text_lines
from assay.tasks.rows import read_rows

TEXTS = (".txt", ".md")
QUERIES = ("queries.jsonl", "queries.csv")
_JUDGED = "A line is: query id, tab, document id, tab, grade (a whole number)."


@dataclass(frozen=True, slots=True)
class Document:
    """Something that can be found."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class Query:
    """Something that is searched for."""

    text: str
    relevant: Mapping[str, float]
    """Document id -> gain, above 0; what is not named is not relevant."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """Documents and queries over them."""

    name: str
    documents: tuple[Document, ...]
    queries: tuple[Query, ...]
    kind: str = "passage"
    """What its documents are, in the words of `techniques.retrieval.INSTRUCTIONS`."""


def load_corpus(folder: str | Path) -> Corpus:
    """The corpus in a folder: BEIR's form where a corpus.jsonl stands in it, else .txt and .md files.

    Of a folder of texts the queries stand in queries.jsonl or queries.csv (question, answer: the relevant
    file). Without such a file every title is a query for the rest of its own text.

    Raises:
        BadFile: with file and line, where something is malformed.
        UserError: there is nothing to search in, or nothing to search for.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise UserError(
            f"There is no folder {folder}.", hint="Name one with .txt or .md files, or in BEIR's form."
        )
    if (folder / "corpus.jsonl").is_file():
        return _beir(folder)
    texts = text_files(folder)
    written = next((folder / name for name in QUERIES if (folder / name).is_file()), None)
    if written is not None:
        documents = tuple(Document(name, text) for name, text in texts.items())
        return Corpus(folder.name, documents, _written_queries(written, texts))
    titled = {name: _title_and_rest(text) for name, text in texts.items()}
    pairs = [(name, title, rest) for name, (title, rest) in titled.items() if title and rest]
    if not pairs:
        raise UserError(
            f"No text in {folder} has a title and something below it.",
            hint=f"Put queries into {folder / QUERIES[0]}: question, answer (the relevant file).",
        )
    relevant: dict[str, dict[str, float]] = {}
    for name, title, _ in pairs:
        relevant.setdefault(title, {})[name] = 1.0
    queries = tuple(Query(title, found) for title, found in relevant.items())
    return Corpus(folder.name, tuple(Document(name, rest) for name, _, rest in pairs), queries)


def text_files(folder: Path) -> dict[str, str]:
    """Relative path -> text of every .txt and .md file below a folder, hidden ones left out."""
    found = {}
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if path.suffix.lower() not in TEXTS or not path.is_file() or any(p.startswith(".") for p in inside.parts):
            continue
        try:
            text = path.read_bytes().decode("utf-8-sig").replace("\x00", " ")
        except UnicodeDecodeError as error:
            line = error.object.count(b"\n", 0, error.start) + 1
            hint = "Convert it: iconv -f LATIN1 -t UTF-8 FILE > NEW."
            raise BadFile(path, "the text is not UTF-8.", line=line, hint=hint) from None
        except OSError as error:
            raise BadFile(path, f"the file cannot be read: {error.strerror}.") from None
        if text.strip():
            found[inside.as_posix()] = text
    if not found:
        raise UserError(f"{folder} holds no .txt or .md file with words in it.", hint="Name another folder.")
    return found


def _title_and_rest(text: str) -> tuple[str, str]:
    """The first line that is not blank, heading marks taken off, and what stands below it."""
    title, _, rest = text.strip().partition("\n")
    return title.strip("#= \t"), rest.strip()


def _written_queries(path: Path, texts: Mapping[str, str]) -> tuple[Query, ...]:
    """Rows of one question are one query with several relevant files."""
    relevant: dict[str, dict[str, float]] = {}
    for row in read_rows(path):
        if row.answer not in texts:
            hint = "Write its path as seen from the folder, such as notes/a.md."
            raise BadFile(
                path, f"there is no text file '{row.answer[:80]}'.", line=row.line, field="answer", hint=hint
            )
        relevant.setdefault(row.question, {})[row.answer] = 1.0
    if not relevant:
        raise BadFile(path, "the file holds no queries.")
    return tuple(Query(question, found) for question, found in relevant.items())


# --- BEIR's form: corpus.jsonl, queries.jsonl, qrels/*.tsv ---------------------------------------------------


def beir_documents(folder: Path) -> tuple[Document, ...]:
    """The documents of a corpus in BEIR's form that have words, whether or not anything was judged."""
    return _with_words(folder, _beir_texts(folder))


def _with_words(folder: Path, texts: Mapping[str, str]) -> tuple[Document, ...]:
    documents = tuple(Document(name, text) for name, text in texts.items() if text)
    if not documents:
        raise BadFile(folder / "corpus.jsonl", "no document has words.")
    return documents


def _beir_texts(folder: Path) -> dict[str, str]:
    corpus = folder / "corpus.jsonl"
    texts: dict[str, str] = {}
    for line, fields in json_objects(corpus):
        text = " ".join(
            f"{_text(corpus, line, fields, 'title', '')} {_text(corpus, line, fields, 'text')}".split()
        )
        name = _text(corpus, line, fields, "_id")
        if name in texts:
            raise BadFile(corpus, f"the id '{name[:80]}' stands on an earlier line too.", line=line, field="_id")
        # BEIR has documents without words, and some are judged; nothing can find them.
        texts[name] = text
    return texts


def _beir(folder: Path) -> Corpus:
    texts = _beir_texts(folder)
    asked_in = folder / "queries.jsonl"
    asked: dict[str, str] = {}
    for line, fields in json_objects(asked_in):
        name, text = _text(asked_in, line, fields, "_id"), _text(asked_in, line, fields, "text").strip()
        if not text:
            raise BadFile(asked_in, "the text is empty.", line=line, field="text")
        if name in asked:
            raise BadFile(asked_in, f"the id '{name[:80]}' stands on an earlier line too.", line=line, field="_id")
        asked[name] = text
    judged = _judgements(_judgement_file(folder), asked, texts)
    queries = tuple(Query(asked[name], found) for name, found in judged.items())
    return Corpus(folder.name, _with_words(folder, texts), queries)


def _judgement_file(folder: Path) -> Path:
    """The judgements of the test set where they are there, else the first file in order of names."""
    files = sorted((folder / "qrels").glob("*.tsv"))
    if not files:
        raise BadFile(folder / "qrels", "there is no .tsv file of judgements.", hint=_JUDGED)
    return next((file for file in files if file.stem == "test"), files[0])


def _judgements(path: Path, asked: Mapping[str, str], texts: Mapping[str, str]) -> dict[str, dict[str, float]]:
    """Query id -> document id -> gain; only grades above 0, and only queries that have one."""
    found: dict[str, dict[str, float]] = {}
    seen: set[tuple[str, str]] = set()
    for line, text in text_lines(path):
        if not text.strip():
            continue
        cells = text.rstrip("\r\n").split("\t")
        if line == 1 and cells[-1].strip().lower() == "score":
            continue
        if len(cells) != 3:
            raise BadFile(path, f"this line has {len(cells)} columns and not 3.", line=line, hint=_JUDGED)
        query, document, grade = (cell.strip() for cell in cells)
        for what, name, known in (("query", query, asked), ("document", document, texts)):
            if name not in known:
                raise BadFile(path, f"there is no {what} '{name[:80]}'.", line=line)
        if not re.fullmatch(r"-?[0-9]{1,6}", grade):
            problem = f"the grade '{grade[:20]}' is no whole number of up to 6 digits."
            raise BadFile(path, problem, line=line, hint=_JUDGED)
        if (query, document) in seen:
            raise BadFile(path, f"'{query[:40]}' and '{document[:40]}' were judged before.", line=line)
        seen.add((query, document))
        if int(grade) > 0:
            found.setdefault(query, {})[document] = float(grade)
    if not found:
        raise BadFile(path, "no document is relevant to any query.")
    return found


def _text(path: Path, line: int, fields: Mapping[str, Any], name: str, default: str | None = None) -> str:
    value = fields.get(name)
    if value is None:
        value = default
    if value is None:
        raise BadFile(path, "it is missing.", line=line, field=name, hint="A line has _id and text.")
    if name == "_id" and isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise BadFile(path, "it must be text.", line=line, field=name)
    if not is_sound(value):
        raise BadFile(path, "it holds a NUL or half a character.", line=line, field=name)
    if name == "_id" and not value.strip():
        raise BadFile(path, "it is empty.", line=line, field=name)
    return value.strip() if name == "_id" else value
