"""Votes in a file that two studios of one home write at the same time."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest

from assay.core import BadFile, UserError
from assay.studio.arena.ballots import Ballots

CASTING = """
import asyncio, pathlib, sys
from assay.studio.arena.ballots import Ballots
from tests.studio.test_ballots import row

async def cast():
    ballots = Ballots(pathlib.Path(sys.argv[1]))
    print("ready", flush=True)
    sys.stdin.readline()
    kept = 0
    for at in range(80):
        # But for every eighth a battle stands open in both studios.
        kept += await ballots.cast(row(f"both-{at}" if at % 8 else f"{sys.argv[2]}-{at}"))
        await ballots.standing() if at % 20 == 0 else None
    print(kept)

asyncio.run(cast())
"""


def row(key: str) -> dict[str, str]:
    return {"question_id": key, "model_a": "x", "model_b": "y", "winner": "model_a", "response_a": key * 20_000}


def test_of_two_studios_no_vote_is_torn_lost_or_counted_twice(tmp_path: Path) -> None:
    file = tmp_path / "arena" / "votes.jsonl"
    command = [sys.executable, "-c", CASTING, str(file)]
    root = Path(__file__).parents[2]
    both = [
        subprocess.Popen([*command, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root)
        for name in ("a", "b")
    ]
    for process in both:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in both:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    kept = [int(process.communicate(timeout=180)[0]) for process in both]
    lines = [json.loads(line)["question_id"] for line in file.read_text().splitlines()]
    assert sum(kept) == len(lines) == len(set(lines)) == 90
    own = {f"{name}-{at}" for name in "ab" for at in range(0, 80, 8)}
    assert set(lines) == own | {f"both-{at}" for at in range(80) if at % 8}


def test_what_another_studio_kept_is_known_here_at_once(tmp_path: Path) -> None:
    one, two = Ballots(tmp_path / "votes.jsonl"), Ballots(tmp_path / "votes.jsonl")

    async def vote() -> None:
        assert await one.standing() is None
        assert await one.cast(row("a"))
        assert await two.knows("a")
        assert not await two.cast(row("a"))
        assert await two.cast(row("b"))
        found = await one.standing()
        assert found is not None
        assert len(found[1].battles) == 2

    asyncio.run(vote())


def test_a_line_that_is_no_vote_is_said_at_every_look(tmp_path: Path) -> None:
    file = tmp_path / "votes.jsonl"
    file.write_text(json.dumps(row("a")) + "\n" + json.dumps({**row("b"), "model_a": "\ud800"}) + "\n")
    ballots = Ballots(file)
    for _ in range(2):
        with pytest.raises(BadFile, match="line 2, field 'model_a'"):
            asyncio.run(ballots.standing())


def test_a_file_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "votes.jsonl").mkdir()
    with pytest.raises(UserError, match="cannot be kept: Is a directory"):
        asyncio.run(Ballots(tmp_path / "votes.jsonl").cast(row("a")))
