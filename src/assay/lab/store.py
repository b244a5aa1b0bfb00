"""The one SQLite file: runs, how every sample ended, traces, verdicts, and the cache of replies.

One writer thread commits whatever is queued in one transaction (WAL, synchronous=FULL), so a
hundred small writes cost one flush to disk. `await store.record(...)` returns when the row is
durable: from then on a kill -9 cannot lose it. Rows have natural keys: writing twice is harmless.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import queue
import sqlite3
import threading
import time
import zlib
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.core.errors import BadDatabase, UnknownName, UserError
from assay.core.samples import Ending, Outcome
from assay.core.usage import Usage
from assay.lab.listing import Listing

SCHEMA = 2
_TABLES = """
create table run (
  id text primary key, created text not null, status text not null, claim text not null,
  config text not null) strict;
create table sample (
  run text not null references run(id) on delete cascade, arm text not null, item text not null,
  repeat integer not null, ending text not null, score real, answer text, detail text not null,
  usage text not null, trace text not null, primary key (run, arm, item, repeat)) strict, without rowid;
create table verdict (run text primary key references run(id) on delete cascade, json text not null) strict;
create table blob (sha text primary key, body blob not null) strict, without rowid;
create table cache (
  key blob primary key, model text not null, created integer not null default (unixepoch()),
  value blob not null) strict, without rowid;
"""
_EVENTS = """
create table event (
  id integer primary key autoincrement, run text not null references run(id) on delete cascade,
  at real not null, body text not null) strict;
create index event_of_run on event(run, id);
"""
"""What was told while a run went on, for whoever looks in from another process; since format 2."""
LARGEST_BATCH = 512


@dataclass(frozen=True, slots=True)
class Recorded:
    """How one sample ended in one arm of a run."""

    arm: str
    item: str
    repeat: int
    outcome: Outcome
    usage: Usage
    trace: str
    """Hash of the trace's blob."""


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run as the table of runs shows it."""

    id: str
    created: str
    status: str
    claim: str
    config: dict[str, Any]
    samples: int
    verdict: dict[str, Any] | None


_Statement = tuple[str, tuple[Any, ...]]
_Entry = tuple[tuple[_Statement, ...], Future[None] | None]


class Store:
    """Opens (and makes) the file; `close` when done. Reads happen on the caller's thread.

    After a write that failed nothing more is written: the order of rows is what makes a resume safe. A server,
    whose writes stand each for itself, says `goes_on`, and tries the next one.
    """

    def __init__(self, path: Path, *, goes_on: bool = False) -> None:
        self.path = path
        self._goes_on = goes_on
        try:
            self._writer = _open(path)
            _migrate(self._writer, path)
            self._readers = _Readers(path)
            self.listing = Listing(lambda: self._reader)
        except sqlite3.Error as error:
            raise BadDatabase(path, error) from None
        self._queue: queue.SimpleQueue[_Entry | None] = queue.SimpleQueue()
        self._failure: Exception | None = None
        self._unwritten: dict[bytes, Any] = {}
        self._thread = threading.Thread(target=self._write_all, name="assay-store", daemon=True)
        self._thread.start()

    @property
    def _reader(self) -> sqlite3.Connection:
        """This thread's own."""
        return self._readers.connection

    # --- the cache of replies

    def get(self, key: bytes) -> Any | None:
        """The JSON kept under a cache key, or None."""
        waiting = self._unwritten.get(key)
        if waiting is not None:
            return waiting
        row = self._reader.execute("select value from cache where key = ?", (key,)).fetchone()
        return None if row is None else json.loads(zlib.decompress(row[0]))

    def put(self, key: bytes, fingerprint: str, value: Any) -> None:
        """Keep a JSON value; it becomes durable before anything that is written after it."""
        self._unwritten[key] = value
        body = zlib.compress(json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass"), 1)
        try:
            self._enqueue(
                ("insert or ignore into cache(key, model, value) values (?, ?, ?)", (key, fingerprint, body))
            )
        except UserError:
            del self._unwritten[key]
            raise

    def forget(self, model: str | None = None) -> int:
        """Drop cached replies, of one model fingerprint or of all; returns how many there were."""
        where, what = ("where model = ?", (model,)) if model else ("", ())
        (count,) = self._reader.execute(f"select count(*) from cache {where}", what).fetchone()
        self._run((f"delete from cache {where}", what))
        return int(count)

    # --- runs

    async def begin(self, run: str, created: str, claim: str, config: dict[str, Any]) -> None:
        """Note a run; noting it again (a resume) sets it to running, and its settings to these."""
        noted = (
            "insert into run(id, created, status, claim, config) values (?, ?, 'running', ?, ?) "
            "on conflict(id) do update set status = 'running', config = excluded.config"
        )
        await self._written((noted, (run, created, claim, json.dumps(config))))

    async def record(self, run: str, recorded: Recorded, steps: list[Any]) -> None:
        """Keep how a sample ended, with its trace. Durable when this returns."""
        outcome = recorded.outcome
        sample = (
            *(run, recorded.arm, recorded.item, recorded.repeat),
            *(outcome.ending.value, outcome.score, _whole(outcome.answer), _whole(outcome.detail)),
            *(json.dumps(_usage_fields(recorded.usage)), recorded.trace),
        )
        await self._written(
            _kept(recorded.trace, steps),
            ("insert or ignore into sample values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", sample),
        )

    async def keep(self, name: str, steps: list[Any]) -> None:
        """Keep a trace that belongs to no run under a name of its own; `trace` finds it again."""
        await self._written(_kept(name, steps))

    async def finish(self, run: str, status: str, verdict: dict[str, Any] | None) -> None:
        """Set the run's status (`done`, `stopped`) and keep its verdict, if it has one."""
        statements: list[_Statement] = [("update run set status = ? where id = ?", (status, run))]
        if verdict is not None:
            text = json.dumps(verdict, ensure_ascii=False)
            statements.append(("insert or replace into verdict(run, json) values (?, ?)", (run, text)))
        await self._written(*statements)

    def tell(self, run: str, event: Mapping[str, Any]) -> None:
        """Keep something that happened in a run. Not waited for: a kill may lose the last few."""
        body = json.dumps(event, ensure_ascii=False).encode("utf-8", "replace").decode()
        # What is told late of a run that was discarded is told to nobody.
        sql = "insert into event(run, at, body) select id, ?, ? from run where id = ?"
        self._enqueue((sql, (time.time(), body, run)))

    def events(self, run: str, after: int = 0, most: int = 1000) -> list[tuple[int, dict[str, Any]]]:
        """What happened in a run since the event of that number, oldest first."""
        rows = self._reader.execute(
            "select id, at, body from event where run = ? and id > ? order by id limit ?", (run, after, most)
        )
        return [(id, {**json.loads(body), "at": at}) for id, at, body in rows]

    def discard(self, run: str) -> int:
        """Forget a run with its samples, its traces, what it told and its verdict; returns their size in bytes.

        Replies stay in the cache, and traces that another run has too stay with that one.
        """
        mine = "sha in (select trace from sample where run = ?1 except select trace from sample where run <> ?1)"
        (freed,) = self._reader.execute(
            f"select (select total(length(body)) from blob where {mine}) "
            "+ (select total(length(cast(body as blob))) from event where run = ?1) "
            "+ (select total(length(cast(json as blob))) from verdict where run = ?1) "
            "+ (select total(length(cast(config as blob))) from run where id = ?1) "
            "+ (select total(length(cast(item || coalesce(answer, '') || detail || usage || trace as blob))) "
            "from sample where run = ?1)",
            (run,),
        ).fetchone()
        self._run((f"delete from blob where {mine}", (run,)), ("delete from run where id = ?1", (run,)))
        return int(freed)

    def recorded(self, run: str) -> dict[tuple[str, str, int], Recorded]:
        """Every sample of a run that has ended, by (arm, item, repeat)."""
        rows = self._reader.execute(
            "select arm, item, repeat, ending, score, answer, detail, usage, trace from sample where run = ?",
            (run,),
        )
        found = {}
        for arm, item, repeat, ending, score, answer, detail, usage, trace in rows:
            outcome = Outcome(Ending(ending), score, answer, detail)
            found[arm, item, repeat] = Recorded(arm, item, repeat, outcome, Usage(**json.loads(usage)), trace)
        return found

    def tally(self, run: str) -> list[dict[str, Any]]:
        """Per arm of a run so far: its name, how its samples ended, their mean score, tokens and calls."""
        rows = self._reader.execute(
            "select arm, ending, count(*), total(score), sum(json_extract(usage, '$.tokens_in')), "
            "sum(json_extract(usage, '$.tokens_out')), sum(json_extract(usage, '$.calls')) "
            "from sample where run = ? group by arm, ending",
            (run,),
        )
        arms: dict[str, dict[str, Any]] = {}
        for arm, ending, count, score, tokens_in, tokens_out, calls in rows:
            found = arms.setdefault(
                arm, {"arm": arm, "endings": {}, "score": 0.0, "tokens_in": 0, "tokens_out": 0, "calls": 0}
            )
            found["endings"][ending] = count
            for name, value in (
                ("score", score),
                ("tokens_in", tokens_in),
                ("tokens_out", tokens_out),
                ("calls", calls),
            ):
                found[name] += value
        return list(arms.values())

    def trace(self, sha: str) -> list[Any]:
        """The steps of a recorded sample."""
        row = self._reader.execute("select body from blob where sha = ?", (sha,)).fetchone()
        steps: list[Any] = json.loads(zlib.decompress(row[0])) if row else []
        return steps

    def runs(self) -> Iterator[RunRow]:
        """All runs, newest first."""
        yield from self._runs("")

    def run(self, name: str) -> RunRow:
        """The run of that id, or the one whose id begins so; `UnknownName` otherwise."""
        exact = list(self._runs("where run.id = ?", name))
        beginning = self.listing.ids(name, 2) if name and not exact else []
        begins = exact or list(self._runs("where id in (select value from json_each(?))", json.dumps(beginning)))
        if len(begins) == 1:
            return begins[0]
        hint = "Type: assay runs" if not begins else f"It could be {begins[0].id} or {begins[1].id}."
        raise UnknownName("run", name, self.listing.ids(name[:2], 200), hint=hint)

    def _runs(self, where: str, *values: str) -> Iterator[RunRow]:
        for row in self._reader.execute(
            "select run.id, created, status, claim, config, verdict.json, "
            "(select count(*) from sample where sample.run = run.id) "
            f"from run left join verdict on verdict.run = run.id {where} order by created desc, run.rowid desc",
            values,
        ).fetchall():
            verdict = json.loads(row[5]) if row[5] else None
            yield RunRow(row[0], row[1], row[2], row[3], json.loads(row[4]), row[6], verdict)

    # --- the writer

    def _enqueue(self, *statements: _Statement, done: Future[None] | None = None) -> None:
        """All of them are written, or none."""
        if self._failure is not None:
            raise BadDatabase(self.path, self._failure)
        self._queue.put((statements, done))

    async def _written(self, *statements: _Statement) -> None:
        done: Future[None] = Future()
        self._enqueue(*statements, done=done)
        try:
            await asyncio.wrap_future(done)
        except (sqlite3.Error, ValueError) as error:
            raise BadDatabase(self.path, error) from None

    def _run(self, *statements: _Statement) -> None:
        done: Future[None] = Future()
        self._enqueue(*statements, done=done)
        done.result()

    def _write_all(self) -> None:
        while (entry := self._queue.get()) is not None:
            batch = [entry]
            while len(batch) < LARGEST_BATCH and not self._queue.empty():
                following = self._queue.get()
                if following is None:
                    self._queue.put(None)
                    break
                batch.append(following)
            self._commit(batch)

    def _commit(self, batch: list[_Entry]) -> None:
        failure: Exception | None = None
        try:
            with self._writer:
                self._writer.execute("begin immediate")
                for statements, _ in batch:
                    for sql, values in statements:
                        self._writer.execute(sql, values)
        except Exception as error:
            # Nothing after a failed write may be acknowledged: order is what makes resume safe.
            failure = error
            self._failure = None if self._goes_on else error
        for statements, done in batch:
            sql, values = statements[0]
            if sql.startswith("insert or ignore into cache"):
                self._unwritten.pop(values[0], None)
            # Whoever was cancelled meanwhile (Ctrl-C) waits no more; its row is written all the same.
            if done is not None and done.set_running_or_notify_cancel():
                done.set_exception(failure) if failure else done.set_result(None)

    def close(self) -> None:
        """Write what is queued and close the file."""
        self._queue.put(None)
        self._thread.join()
        self._writer.close()
        self._reader.close()


def trace_hash(steps: list[Any]) -> str:
    """Name of a trace: equal traces are kept once."""
    body = json.dumps(steps, ensure_ascii=False).encode("utf-8", "surrogatepass")
    return hashlib.sha256(body).hexdigest()


def _whole(text: str | None) -> str | None:
    """Text as SQLite takes it: half a character, as a limit on tokens may leave it, becomes a '?'."""
    return None if text is None else text.encode("utf-8", "replace").decode()


def _kept(name: str, steps: list[Any]) -> _Statement:
    """A trace under its name."""
    body = json.dumps(steps, ensure_ascii=False).encode("utf-8", "surrogatepass")
    return "insert or ignore into blob(sha, body) values (?, ?)", (name, zlib.compress(body, 6))


class _Readers(threading.local):
    """A connection for each thread: while one reads, what it stands on is old, and so it would be for all."""

    def __init__(self, path: Path) -> None:
        self.connection = _open(path)


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=60.0, isolation_level=None, check_same_thread=False)
    connection.execute("pragma journal_mode = wal")
    connection.execute("pragma synchronous = full")
    connection.execute("pragma foreign_keys = on")
    return connection


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    steps = {0: _TABLES + _EVENTS, 1: _EVENTS}
    (version,) = connection.execute("pragma user_version").fetchone()
    if version in steps:
        _upgrade(connection, version, steps)
    elif version != SCHEMA:
        raise UserError(
            f"The database {path} is of format {version}, and this assay writes format {SCHEMA}.",
            hint="Use the assay that wrote it, or set ASSAY_HOME to another folder.",
        )


def _upgrade(connection: sqlite3.Connection, found: int, steps: Mapping[int, str]) -> None:
    """Two processes may come to an old file at the same time: the second finds the work done."""
    connection.execute("begin immediate")
    (version,) = connection.execute("pragma user_version").fetchone()
    if version == found:
        for statement in steps[version].split(";"):
            if statement.strip():
                connection.execute(statement)
        connection.execute(f"pragma user_version = {SCHEMA}")
    connection.execute("commit")


def _usage_fields(usage: Usage) -> dict[str, Any]:
    return {name: getattr(usage, name) for name in Usage.__slots__}
