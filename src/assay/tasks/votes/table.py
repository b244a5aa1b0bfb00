"""Tables of votes from CSV, JSONL and Parquet files; what is wrong is said with file, line and field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from assay.core.errors import BadFile, UnknownName
from assay.stats.ranking import Battles
from assay.tasks.lines import is_sound
from assay.tasks.votes.outcomes import KNOWN, OUTCOMES, NoVote, Vote, vote_of
from assay.tasks.votes.records import read_records, whole_table
from assay.tasks.votes.style import STYLES, style_of

Unknown = Literal["error", "tie", "drop"]
UNKNOWN = ("error", "tie", "drop")
CODED = ("model_a", "model_b", "winner")
"""Columns that are read as numbers with a dictionary of names."""
VOTERS = ("question_id", "id", "judge", "turn")
"""Columns by which two rows are known as one voter's vote on one question."""


class UnknownOutcome(BadFile):
    """A row whose outcome is none that is known; the one who reads may say what becomes of such rows."""


@dataclass(frozen=True, eq=False)
class Votes:
    """The battles of a table, and what was met on the way."""

    battles: Battles
    style: Mapping[str, tuple[np.ndarray, np.ndarray]]
    """By name: what was measured on the answers of side a and of side b."""
    duplicates: int = 0
    """Rows that repeat a question, judge and pair: they are counted as votes all the same."""
    dropped: int = 0
    """Rows left out because their outcome is unknown."""
    made_ties: int = 0
    """Rows with an unknown outcome that count as ties."""
    no_verdict: int = 0
    """Rows of a judge whose orders disagree, or lack an answer; left out, or ties where unknown outcomes are."""
    shown: tuple[int, int] = (0, 0)
    """How often what was shown first was chosen, and what was shown second."""


def read_votes(path: Path, *, unknown: Unknown = "error", style: Sequence[str] = ()) -> Votes:
    """The votes of a file.

    Args:
        path: ends in .csv, .jsonl, .ndjson or .parquet; the columns are those of `outcomes`.
        unknown: what becomes of a row whose outcome is none that is known.
        style: measures of style to read, of `STYLES`.

    Raises:
        BadFile: a row that is no vote, with its line.
    """
    for name in style:
        if name not in STYLES:
            raise UnknownName("measure of style", name, STYLES, hint=f"Measures: {', '.join(STYLES)}.")
    if unknown not in UNKNOWN:
        raise UnknownName("way with unknown outcomes", unknown, UNKNOWN, hint="Ways: error, tie, drop.")
    if not style and unknown == "error" and path.suffix.lower() == ".parquet" and path.is_file():
        whole = _columns(path)
        if whole is not None:
            return whole
    return _gathered(path, read_records(path), unknown, style)


def _gathered(
    path: Path, rows: Iterator[tuple[int, Mapping[str, Any]]], unknown: Unknown, style: Sequence[str]
) -> Votes:
    a, b, scores = list[str](), list[str](), list[float]()
    measured: dict[str, list[tuple[float, float]]] = {name: [] for name in style}
    counts = {"duplicates": 0, "dropped": 0, "made_ties": 0, "no_verdict": 0}
    seen, known, shown = set[tuple[str, ...]](), dict[tuple[Any, ...], Vote](), (0, 0)
    for line, row in rows:
        vote = _checked(path, line, row, known)
        if vote is None:
            continue
        score, shown = vote.score, (shown[0] + vote.shown[0], shown[1] + vote.shown[1])
        if score is None:
            counts["no_verdict" if not vote.verdict else "made_ties" if unknown == "tie" else "dropped"] += 1
            if vote.verdict and unknown == "error":
                hint = f"Outcomes: {KNOWN}; or type --unknown tie, or --unknown drop."
                problem = f"'{_printed(vote.said[:40])}' is no outcome."
                raise UnknownOutcome(path, problem, line=line, field=vote.field, hint=hint)
            if unknown != "tie":
                continue
            score = 0.5
        if "question_id" in row or "id" in row:
            voter = (*[str(row.get(name, "")) for name in VOTERS], vote.a, vote.b)
            counts["duplicates"] += voter in seen
            seen.add(voter)
        for name in style:
            found = style_of(row, name)
            if found is None or not all(0 <= value < np.inf for value in found):
                hint = f"It is read from {STYLES[name].format('a')}, conv_metadata, conversation_a or response_a."
                raise BadFile(path, f"the answers' {name} cannot be told.", line=line, hint=hint)
            measured[name].append(found)
        a.append(vote.a)
        b.append(vote.b)
        scores.append(score)
    if not scores and counts["no_verdict"]:
        problem = f"{counts['no_verdict']:,} rows, none with one verdict in both orders."
        raise BadFile(path, problem, hint="To count them as ties, type --unknown tie.")
    if not scores:
        raise BadFile(path, "there is no vote in it.", hint=f"A row has model_a, model_b and winner ({KNOWN}).")
    sides = {name: tuple(np.array(values).T) for name, values in measured.items()}
    style_sides = {name: (one, two) for name, (one, two) in sides.items()}
    return Votes(Battles.named(a, b, scores), style_sides, shown=shown, **counts)


def _checked(path: Path, line: int, row: Mapping[str, Any], known: dict[tuple[Any, ...], Vote]) -> Vote | None:
    """The vote of a row; `known` keeps those of three texts, of which a large table has few that differ."""
    texts = a, b, said = row.get("model_a"), row.get("model_b"), row.get("winner")
    plain = isinstance(a, str) and isinstance(b, str) and isinstance(said, str)
    if plain and texts in known:
        return known[texts]
    try:
        vote = vote_of(row)
    except NoVote as error:
        there = _printed(", ".join(str(name) for name in list(row)[:8]))
        hint = f"A row has model_a, model_b and winner; this one has {there}."
        raise BadFile(path, f"{error.problem}.", line=line, field=error.field, hint=hint) from None
    if vote is not None and vote.a == vote.b:
        raise BadFile(path, f"{vote.a} meets itself.", line=line, hint="Take such rows out.")
    if plain and vote is not None:
        known[texts] = vote
    return vote


def _printed(text: str) -> str:
    """Text as a terminal takes it, half a character as a '?'."""
    return text.encode("utf-8", "replace").decode()


def _columns(path: Path) -> Votes | None:
    """The quick way of Parquet: three columns as numbers with their dictionaries.

    None where a row needs to be looked at: those that are no votes are found, and said with their line, by the
    slow way.
    """
    table = whole_table(path, CODED, VOTERS)
    if table is None:
        return None
    coded = []
    for name in CODED:
        column = table[name].combine_chunks()
        if column.null_count or not hasattr(column, "dictionary"):
            return None
        try:
            values = column.dictionary.to_pylist()
        except UnicodeDecodeError:
            return None
        if not all(isinstance(value, str) for value in values):
            return None
        coded.append((column.indices.to_numpy(), [value.strip() for value in values]))
    (a, a_names), (b, b_names), (winner, said) = coded
    scores = np.array([OUTCOMES.get(one.casefold(), np.nan) for one in said])
    known = sorted({*a_names, *b_names})
    place = {name: at for at, name in enumerate(known)}
    first, second = (
        np.array([place[name] for name in own], np.int32)[codes] for own, codes in ((a_names, a), (b_names, b))
    )
    score = scores[winner]
    if not len(score) or np.isnan(scores).any() or not all(map(_is_name, known)) or (first == second).any():
        return None
    keys = [name for name in VOTERS if name in table.column_names]
    once = len(score)
    if keys[:1] in (["question_id"], ["id"]):
        voters = table.select(keys).append_column("a", [first]).append_column("b", [second])
        once = voters.group_by(voters.column_names).aggregate([]).num_rows
    shown = int((score == 1.0).sum()), int((score == 0.0).sum())
    return Votes(Battles(tuple(known), first, second, score), {}, duplicates=len(score) - once, shown=shown)


def _is_name(text: str) -> bool:
    return bool(text) and is_sound(text)
