"""A task from a user's own file: JSONL or CSV with a question and an answer in each row."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from random import Random
from string import ascii_uppercase

from assay.core.answers import (
    canonical_number,
    extract_choice,
    extract_number,
    extract_text,
    extract_yes_no,
    same_number,
)
from assay.core.errors import BadFile, UnknownName
from assay.core.samples import Answer, Outcome, Sample
from assay.core.validation import require_whole
from assay.tasks.people import digest
from assay.tasks.rows import Row, read_rows
from assay.tasks.scoring import score_match

_CUES = {
    "number": "Therefore, the answer (arabic numerals) is",
    "yes-no": "Therefore, the answer (yes or no) is",
    "choice": "Therefore, the answer (the letter of one option) is",
    "text": "Therefore, the answer is",
}


@dataclass(frozen=True, slots=True)
class FileTask:
    """The samples of one file. It is finite: two seeds overlap, and whoever needs them apart drops by id.

    In kind "choice" the options stand lettered behind the question, target and `choices` are letters,
    and the options' texts are in `meta["options"]`; a reply may name either.
    """

    name: str
    kind: str
    items: tuple[Sample, ...] = field(repr=False)
    levels: tuple[str, ...] = ("file",)

    @property
    def cue(self) -> str:
        """By kind."""
        return _CUES[self.kind]

    @property
    def chance(self) -> float | None:
        """One in two for yes or no, the mean of one in so many for choices, unknown otherwise."""
        if self.kind == "yes-no":
            return 0.5
        if self.kind == "choice":
            return float(sum(Fraction(1, len(item.choices)) for item in self.items) / len(self.items))
        return None

    def samples(self, n: int, seed: int, level: str | None = None) -> tuple[Sample, ...]:
        """The first n of the file's samples, shuffled by the seed."""
        require_whole("n", n, 0, 1_000_000_000)
        if level is not None and level not in self.levels:
            raise UnknownName("level", level, self.levels)
        order = list(range(len(self.items)))
        Random(f"file/{seed}").shuffle(order)
        return tuple(self.items[index] for index in order[:n])

    def extract(self, text: str) -> str | None:
        """The answer in a reply, by kind; of choices only the letter can be read without the sample."""
        if self.kind == "number":
            return extract_number(text)
        if self.kind == "yes-no":
            return extract_yes_no(text)
        if self.kind == "choice":
            most = max(len(item.choices) for item in self.items)
            return extract_choice(text, tuple(ascii_uppercase[:most]))
        return extract_text(text)

    def score(self, sample: Sample, answer: Answer) -> Outcome:
        """1.0 for the right answer. Numbers are compared by value, texts in normal form (first line)."""
        if self.kind == "number":
            return score_match(sample, answer, self.extract, same_number)
        if self.kind == "yes-no":
            return score_match(sample, answer, self.extract, lambda a, b: a.strip().lower() == b)
        if self.kind == "choice":
            return score_match(
                sample, answer, lambda text: _letter(text, sample), lambda a, b: a.strip().upper() == b
            )
        return score_match(sample, answer, self.extract, lambda a, b: extract_text(a) == b)


def load_task(path: str | Path, *, name: str = "") -> FileTask:
    """The task in a file; raises `BadFile` with file, line and field where something is wrong.

    Fields: question, answer, and where wanted choices (a list; in CSV separated by `|`), id and cluster.
    Also accepted: prompt or input for question; target, label or gold for answer; options for choices.
    An answer of choices is the text of one of them or its capital letter. Of an answer with `####`
    (GSM8K) what follows the last one counts. The kind is "choice" where rows have choices, else "number"
    where all answers are numbers, "yes-no" where all are yes or no, and "text". Ids that are not given
    are hashes of the content.
    """
    path = Path(path)
    rows = [_with_final_answer(path, row) for row in read_rows(path)]
    if not rows:
        raise BadFile(path, "the file holds no samples.")
    kind = _kind(path, rows)
    lines: dict[str, int] = {}
    items = []
    for row in rows:
        sample = _sample(path, row, kind)
        if sample.id in lines:
            raise _same_id(path, row, lines[sample.id])
        lines[sample.id] = row.line
        items.append(sample)
    return FileTask(name=name or path.stem, kind=kind, items=tuple(items))


def _with_final_answer(path: Path, row: Row) -> Row:
    """The row with what stands behind GSM8K's `####` as its answer."""
    if "####" not in row.answer:
        return row
    final = row.answer.rpartition("####")[2].strip()
    if not final:
        raise BadFile(path, "nothing follows the '####'.", line=row.line, field="answer")
    return Row(row.line, row.question, final, row.choices, row.id, row.cluster)


def _kind(path: Path, rows: Sequence[Row]) -> str:
    with_choices = next((row for row in rows if row.choices), None)
    if with_choices is not None:
        without = next((row for row in rows if not row.choices), None)
        if without is not None:
            problem = f"this row has no choices and line {with_choices.line} has."
            raise BadFile(path, problem, line=without.line, field="choices")
        return "choice"
    if all(canonical_number(row.answer) is not None for row in rows):
        return "number"
    if all(row.answer.lower() in ("yes", "no") for row in rows):
        return "yes-no"
    return "text"


def _sample(path: Path, row: Row, kind: str) -> Sample:
    sample_id = row.id or digest("\x00".join((row.question, row.answer, *row.choices)))
    if kind == "choice":
        letters = tuple(ascii_uppercase[: len(row.choices)])
        return Sample(
            id=sample_id,
            question=_with_options(row),
            target=_target_letter(path, row),
            choices=letters,
            cluster=row.cluster,
            meta={"options": row.choices},
        )
    target = {
        "number": canonical_number(row.answer),
        "yes-no": row.answer.lower(),
        "text": extract_text(row.answer),
    }[kind]
    if target is None:
        raise BadFile(path, "the answer holds nothing but signs.", line=row.line, field="answer")
    choices = ("yes", "no") if kind == "yes-no" else ()
    return Sample(sample_id, row.question, target, choices, row.cluster)


def _target_letter(path: Path, row: Row) -> str:
    letters = ascii_uppercase[: len(row.choices)]
    if row.answer in row.choices:
        return letters[row.choices.index(row.answer)]
    if len(row.answer) == 1 and row.answer in letters:
        return row.answer
    problem = f"the answer '{row.answer[:60]}' is not among the choices."
    hint = "Give the text of a choice or its letter."
    raise BadFile(path, problem, line=row.line, field="answer", hint=hint)


def _with_options(row: Row) -> str:
    """The question with its options lettered behind it, unless they stand in it already."""
    if all(choice in row.question for choice in row.choices) and re.search(r"\bA[).:]", row.question):
        return row.question
    options = (f"({letter}) {choice}" for letter, choice in zip(ascii_uppercase, row.choices, strict=False))
    return "\n".join((row.question, *options))


def _letter(text: str, sample: Sample) -> str | None:
    """The letter a reply names, or the letter of the option whose text it gives."""
    options: tuple[str, ...] = sample.meta["options"]
    found = extract_choice(text, options)
    by_text = None if found is None else sample.choices[options.index(found)]
    return extract_choice(text, sample.choices) or by_text


def _same_id(path: Path, row: Row, earlier: int) -> BadFile:
    if row.id:
        return BadFile(path, f"the id '{row.id}' stands on line {earlier} too.", line=row.line, field="id")
    hint = "Remove it, or give each row an id."
    return BadFile(path, f"this row is the same as that on line {earlier}.", line=row.line, hint=hint)
