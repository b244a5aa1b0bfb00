"""Lists of runs: what a page or a terminal shows of thousands at once, without reading a verdict nobody sees."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

WORDS = ("holds", "fails", "undecided")
ENDINGS = (*WORDS, "stopped", "running")
"""What runs can be listed by."""


@dataclass(frozen=True, slots=True)
class RunLine:
    """One run as a list shows it: of its verdict the word alone, so that thousands are read at once."""

    id: str
    created: str
    status: str
    claim: str
    config: dict[str, Any]
    samples: int
    word: str
    """Of its verdict; empty where it has none."""
    model: str
    """The one of the verdict, or the one that was asked for."""


@dataclass(frozen=True, slots=True)
class Head:
    """What says which of many verdicts is wanted in full."""

    run: str
    claim: str
    size: str
    created: str
    model: str
    fingerprint: str


class Listing:
    """Reads off the database of a store, each thread by its own connection."""

    def __init__(self, connection: Callable[[], sqlite3.Connection]) -> None:
        self._connection = connection

    def ids(self, begins: str = "", most: int = -1) -> list[str]:
        """Ids of runs that begin so, newest first."""
        # `like` and `glob` have letters with a meaning of their own.
        rows = self._connection().execute(
            "select id from run where substr(id, 1, ?) = ? order by created desc, rowid desc limit ?",
            (len(begins), begins, most),
        )
        return [id for (id,) in rows]

    def claims(self) -> list[str]:
        """The claims that there are runs of."""
        return [claim for (claim,) in self._connection().execute("select distinct claim from run order by claim")]

    def noted_running(self) -> list[str]:
        """Runs that were begun and have not said how they ended; the process of one may be dead."""
        return [id for (id,) in self._connection().execute("select id from run where status = 'running'")]

    def lines(
        self,
        *,
        claims: Collection[str] = (),
        ended: str = "",
        going: Collection[str] = (),
        most: int = -1,
        skip: int = 0,
    ) -> list[RunLine]:
        """Runs for a list, newest first.

        Args:
            claims: of these claims alone; of any where none is named.
            ended: one of ENDINGS; "" for all.
            going: the runs that a process is at.
            most: so many at most; -1: all.
            skip: so many newer ones are left out.
        """
        where, values = ["true"], list[Any]()
        if claims:
            where.append("claim in (select value from json_each(?))")
            values.append(json.dumps(list(claims)))
        if ended in ("running", "stopped"):
            where.append(f"id {'in' if ended == 'running' else 'not in'} (select value from json_each(?))")
            values.append(json.dumps(list(going)))
        if ended == "stopped":
            where.append("not exists (select 1 from verdict where verdict.run = id)")
        elif ended in WORDS:
            where.append(f"{_said('verdict')} = ?")
            values.append(ended)
        # The verdicts are joined within, where a filter needs them; samples are counted of what is shown alone.
        rows = self._connection().execute(
            "select id, created, status, claim, config, (select count(*) from sample where sample.run = id), "
            f"{_said('verdict')}, {_said('model.name')} from (select run.*, run.rowid as place from run "
            f"{'left join verdict on verdict.run = id' if ended in WORDS else ''} where {' and '.join(where)} "
            "order by created desc, place desc limit ? offset ?) left join verdict on verdict.run = id "
            "order by created desc, place desc",
            (*values, most, skip),
        )
        return [
            RunLine(id, created, status, claim, config, samples, str(word or ""), str(model or _model_of(config)))
            for id, created, status, claim, text, samples, word, model in rows
            for config in [json.loads(text)]
        ]

    def heads(self, claims: Collection[str] = ()) -> list[Head]:
        """Every verdict there is (or every one on these claims), newest first."""
        named = "where claim in (select value from json_each(?))" if claims else ""
        head = f"{_said('model.name')}, {_said('model.fingerprint')}"
        rows = self._connection().execute(
            f"select id, claim, {_said('size')}, coalesce({_said('created')}, run.created), "
            f"{head} from verdict join run on verdict.run = id {named}",
            (json.dumps(list(claims)),) if claims else (),
        )
        found = [Head(*(str("" if part is None else part) for part in row)) for row in rows]
        return sorted(found, key=lambda head: head.created, reverse=True)

    def verdicts(self, runs: Collection[str]) -> dict[str, dict[str, Any]]:
        """The verdicts of these runs, as JSON."""
        rows = self._connection().execute(
            "select run, json from verdict where run in (select value from json_each(?))",
            (json.dumps(list(runs)),),
        )
        return {run: json.loads(text) for run, text in rows}


def _said(field: str) -> str:
    """In SQL what a verdict says there; null also where it is not JSON as SQLite has it, which knows no NaN."""
    return f"iif(json_valid(verdict.json), json_extract(verdict.json, '$.{field}'), null)"


def _model_of(config: Mapping[str, Any]) -> str:
    model = config.get("model")
    return str(model.get("name") or "") if isinstance(model, dict) else ""
