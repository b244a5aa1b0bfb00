"""kill -9 at random moments: what was acknowledged is there, once, and the verdict does not change."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

KILLS = 50
COMMAND = [sys.executable, "-m", "tests.lab.killed_run"]
ROOT = Path(__file__).parents[2]


def start(database: Path) -> subprocess.Popen[str]:
    return subprocess.Popen([*COMMAND, str(database)], stdout=subprocess.PIPE, text=True, cwd=ROOT)


def whole(database: Path) -> tuple[list[str], str]:
    """Acknowledgements and the verdict of a run that is left alone."""
    out, _ = start(database).communicate(timeout=120)
    lines = out.splitlines()
    return [line for line in lines if line.startswith("ack")], lines[-1]


@pytest.mark.slow
def test_fifty_kills_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    began = time.monotonic()
    _, verdict = whole(tmp_path / "reference.sqlite")
    longest = time.monotonic() - began
    assert verdict.startswith("verdict")
    rng = random.Random(7)
    acknowledged: set[str] = set()
    finished, kills, round_ = 0, 0, 0
    database = tmp_path / "killed.sqlite"
    while kills < KILLS:
        process = start(database)
        time.sleep(rng.uniform(0.25, max(0.6, longest * 0.8)))
        process.send_signal(signal.SIGKILL)
        out, _ = process.communicate(timeout=60)
        lines = out.splitlines()
        acknowledged |= {line for line in lines if line.startswith("ack") and line.count(" ") == 3}
        kills += 1
        check(database, acknowledged)
        if lines and lines[-1].startswith("verdict"):
            assert lines[-1] == verdict
            finished, round_ = finished + 1, round_ + 1
            database, acknowledged = tmp_path / f"killed-{round_}.sqlite", set()
    _, resumed = whole(database)
    assert resumed == verdict


def check(database: Path, acknowledged: set[str]) -> None:
    """Every acknowledged sample stands in the file exactly once, and the file is sound."""
    if not database.exists():
        assert not acknowledged
        return
    with sqlite3.connect(database) as connection:
        assert connection.execute("pragma integrity_check").fetchone() == ("ok",)
        tables = connection.execute("select count(*) from sqlite_master where name = 'sample'").fetchone()
        if tables == (0,):
            assert not acknowledged
            return
        rows = connection.execute("select arm, item, repeat from sample").fetchall()
    kept = [f"ack {arm} {item} {repeat}" for arm, item, repeat in rows]
    assert len(kept) == len(set(kept))
    assert acknowledged <= set(kept)
