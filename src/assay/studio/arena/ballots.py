"""Votes in a file: a line each, on disk before it is told to be, in the columns that `assay arena rank` reads."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from io import FileIO
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool

from assay.core import BadFile, UserError
from assay.stats.ranking import Battles, Leaderboard, Resampling, leaderboard
from assay.tasks.lines import is_sound
from assay.tasks.votes import OUTCOMES, Votes, read_records

CHOICES: Mapping[str, str] = {"left": "model_a", "right": "model_b", "tie": "tie", "both-bad": "both_bad"}
"""What a voter says, and what stands in the column `winner`; left is a."""


class Ballots:
    """The votes of this machine and their leaderboard; another process may add to the file meanwhile."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.torn = 0
        """Bytes of a last line that a crash cut; it was never acknowledged, and is dropped."""
        self._lock = asyncio.Lock()
        self._size = 0
        self._keys: set[str] = set()
        self._a: list[str] = []
        self._b: list[str] = []
        self._score: list[float] = []
        self._board: Leaderboard | None = None
        self._ranked = 0
        """Votes that the board counts."""

    async def knows(self, key: str) -> bool:
        """Whether there is a vote on that battle."""
        async with self._lock:
            await run_in_threadpool(self._look)
            return key in self._keys

    async def cast(self, row: Mapping[str, Any]) -> bool:
        """Keep a vote; False where there is one on its battle. Durable when this returns."""
        async with self._lock:
            return await run_in_threadpool(self._cast, row)

    async def standing(self) -> tuple[Leaderboard, Votes] | None:
        """The leaderboard, its fit begun where the last one stood; None without votes."""
        async with self._lock:
            return await run_in_threadpool(self._rank)

    def _rank(self) -> tuple[Leaderboard, Votes] | None:
        self._look()
        if not self._score:
            return None
        known = self._board.models if self._board else ()
        battles = Battles.named(self._a, self._b, self._score, known=known)
        if self._board is None or self._ranked < len(battles):
            self._board = leaderboard(battles, Resampling.seeded(0), start=self._board)
            self._ranked = len(battles)
        won = self._score.count(1.0), self._score.count(0.0)
        return self._board, Votes(battles, {}, shown=won)

    def _cast(self, row: Mapping[str, Any]) -> bool:
        line = json.dumps(row, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
        with self._alone() as file:
            self._refresh(file)
            if row["question_id"] in self._keys:
                return False
            self._append(file, line)
        self._count(row)
        self._size += len(line)
        return True

    def _look(self) -> None:
        if self.file.exists():
            with self._alone() as file:
                self._refresh(file)
        else:
            self._forget()

    @contextlib.contextmanager
    def _alone(self) -> Iterator[FileIO]:
        """The file, with nobody else at it: another studio may keep its votes there too."""
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            with self.file.open("a+b", buffering=0) as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                yield file
        except OSError as error:
            raise UserError(f"The votes in {self.file} cannot be kept: {error.strerror}.") from None

    def _refresh(self, file: FileIO) -> None:
        """Read the file where it is not as it was left; a torn last line is taken off, whose writer is dead."""
        if os.fstat(file.fileno()).st_size == self._size:
            return
        self._forget()
        file.seek(0)
        found = file.readall()
        whole = found.rfind(b"\n") + 1
        if whole < len(found):
            self.torn = len(found) - whole
            file.truncate(whole)
            os.fsync(file.fileno())
        for line, row in read_records(self.file) if whole else ():
            if wrong := _wrong_field(row):
                hint = "Mend the line, or move the file away."
                raise BadFile(self.file, "this is no vote of the arena.", line=line, field=wrong, hint=hint)
            self._count(row)
        # Last: where a line is wrong, the next look must find it again.
        self._size = whole

    def _append(self, file: FileIO, line: bytes) -> None:
        before = os.fstat(file.fileno()).st_size
        try:
            if file.write(line) != len(line):
                raise OSError(None, "the disk is full")
            os.fsync(file.fileno())
            if not before:
                _sync_folder(self.file.parent)
        except OSError:
            file.truncate(before)
            raise

    def _forget(self) -> None:
        for held in (self._keys, self._a, self._b, self._score):
            held.clear()
        self._board, self._ranked, self._size = None, 0, 0

    def _count(self, row: Mapping[str, Any]) -> None:
        self._keys.add(str(row["question_id"]))
        self._a.append(str(row["model_a"]))
        self._b.append(str(row["model_b"]))
        self._score.append(OUTCOMES[str(row["winner"])])


def _wrong_field(row: Mapping[str, Any]) -> str:
    """The first field that is not as a vote has it; empty where all are."""
    for name in ("question_id", "model_a", "model_b", "winner"):
        value = row.get(name)
        if not isinstance(value, str) or not is_sound(value) or (name == "winner" and value not in OUTCOMES):
            return name
    return "model_b" if row["model_a"] == row["model_b"] else ""


def _sync_folder(folder: Path) -> None:
    """A new file is only there after a crash once its folder is on disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
