"""`assay runs`, `report --results` and `forget`, on runs that were planted."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import sqlite3
import subprocess
import sys
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from assay.cli import conducting
from assay.cli.delivering import keep_results
from assay.core import Outcome, UnknownName, Usage
from assay.core.verdict import Verdict
from assay.lab.lease import lease
from assay.lab.store import Recorded, Store, trace_hash
from assay.models import ModelChoice
from assay.workbench.records import read_verdict, result_files
from assay.workbench.wish import Wish

from .test_errors import assay

KEPT = Path(__file__).parents[2] / "results"


def plant(home: Path, *runs: str) -> None:
    """Runs that were stopped, of one sample each."""

    async def begin() -> None:
        with contextlib.closing(Store(home / "assay.sqlite")) as store:
            for run in runs:
                await store.begin(
                    run, "2026-01-01T00:00:00+00:00", "pal", {"model": {"name": "m"}, "size": "small"}
                )
                steps = [[{"request": {"kind": "ask", "prompt": run * 500}, "reply": []}]]
                recorded = Recorded("program", "a", 0, Outcome.scored(1.0), Usage(), trace_hash(steps))
                await store.record(run, recorded, steps)
                await store.finish(run, "stopped", None)

    asyncio.run(begin())


def listed(home: Path) -> dict[str, str]:
    return {row["run"]: row["status"] for row in json.loads(assay("runs", "--json", home=home).stdout)}


def test_runs_are_forgotten_without_a_question_and_with_their_size(home: Path) -> None:
    home.mkdir(exist_ok=True)
    plant(home, "pal-aaaaa", "pal-bbbbb", "pal-ccccc")
    (home / "running").mkdir()
    (home / "running" / "pal-aaaaa.log").write_text("x" * 5000)
    # One name that is wrong, and none is forgotten.
    wrong = assay("forget", "pal-aaaaa", "pal-zzzzz", home=home)
    assert wrong.returncode == 2
    assert len(listed(home)) == 3
    # Half a name might be meant for another run.
    half = assay("forget", "pal-bbbbb", "pal-a", home=home)
    assert half.returncode == 2
    assert "Did you mean pal-aaaaa?" in half.stderr
    assert len(listed(home)) == 3
    done = assay("forget", "pal-aaaaa", "pal-bbbbb", home=home)
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.splitlines()
    assert first.startswith("pal-aaaaa is forgotten: 5,")
    assert second.startswith("pal-bbbbb is forgotten: ")
    assert listed(home) == {"pal-ccccc": "stopped"}
    assert [file.name for file in (home / "running").iterdir()] == []


def test_a_run_that_is_going_on_is_not_forgotten(home: Path) -> None:
    home.mkdir(exist_ok=True)
    plant(home, "pal-aaaaa")
    with lease(home / "running", "pal-aaaaa"):
        refused = assay("forget", "pal-aaaaa", home=home)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "is being run by process" in refused.stderr
    assert listed(home) == {"pal-aaaaa": "stopped"}


def test_a_run_that_is_forgotten_while_somebody_goes_on_with_it_does_not_come_back(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSAY_HOME", str(home))
    home.mkdir(exist_ok=True)
    plant(home, "pal-aaaaa")

    def late(folder: Path, run: str) -> AbstractContextManager[None]:
        """The lease, for which somebody was quicker: it was found, and now it is no more."""
        assert assay("forget", run, home=home).returncode == 0
        return lease(folder, run)

    monkeypatch.setattr(conducting, "lease", late)
    wish = Wish(claims=("pal",), model=ModelChoice("gguf:/nowhere.gguf"), size="smoke")
    with pytest.raises(UnknownName, match="pal-aaaaa"):
        conducting.run_wish(wish, "", resume="pal-aaaaa", quiet=True)
    assert listed(home) == {}


def test_ids_are_completed(home: Path) -> None:
    home.mkdir(exist_ok=True)
    plant(home, "pal-aaaaa", "pal-bbbbb")
    environment = {"ASSAY_HOME": str(home), "COMP_WORDS": "assay forget pal-b", "COMP_CWORD": "2"}
    completed = subprocess.run(
        [sys.executable, "-m", "assay"],
        env={**environment, "_ASSAY_COMPLETE": "complete_bash"},
        text=True,
        capture_output=True,
        check=False,
    )
    assert completed.stdout.split() == ["pal-bbbbb"]


def test_a_report_on_a_folder_is_on_that_folder(home: Path, tmp_path: Path) -> None:
    folder, html = tmp_path / "kept", tmp_path / "r.html"
    folder.mkdir()
    kept = min(KEPT.glob("tip-length--*.json"))
    (folder / "one.json").write_text(kept.read_text())
    done = assay("report", "--results", str(folder), "--html", str(html), home=home)
    assert done.returncode == 0, done.stderr
    assert "tip-length" in html.read_text()


def verdict(name: str, **fields: Any) -> Verdict:
    """A verdict that is kept here, with other words in some fields."""
    (file,) = KEPT.glob(name)
    return Verdict.from_json(json.loads(file.read_text()) | fields)


def test_verdicts_on_another_task_level_or_number_stand_beside_each_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "zero-shot-cot--smollm2-135m-*--small--seed1.json"
    own = verdict(name)
    mine = verdict(name, task="my questions", level="all", power={**own.power, "pairs": 5})
    few = verdict(name, power={**own.power, "pairs": 2})
    keep_results([own, mine, few], tmp_path)
    again = verdict(name, effect=0.5)
    keep_results([again, few], tmp_path)
    found = {file.name: read_verdict(file) for file in result_files(tmp_path)}
    (plain,) = (file.name for file in KEPT.glob(name))
    start = plain.removesuffix(".json")
    assert found == {
        plain: again,
        f"{start}--my-questions--all--n5.json": mine,
        f"{start}--multi-step--2--n2.json": few,
    }
    assert f"{start}--my-questions--all--n5.json" in capsys.readouterr().out.replace("\n", "")


def test_what_is_kept_here_is_kept_under_the_same_names_again(tmp_path: Path) -> None:
    keep_results([read_verdict(file) for file in result_files(KEPT)], tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == {file.name for file in result_files(KEPT)}


def test_a_list_of_runs_on_a_narrow_terminal_says_state_verdict_and_when(home: Path) -> None:
    home.mkdir(exist_ok=True)
    plant(home, "process-vote-beats-majority-ab2cd")
    lines = [line.split() for line in assay("runs", home=home, COLUMNS="80").stdout.splitlines()]
    assert ["process-vote-beats-majority-ab2cd", "stopped", "-", "2026-01-01", "00:00"] in lines
    plant(home, "process-beats-outcome-at-equal-labels-ab2cd")
    lines = [line.split() for line in assay("runs", home=home, COLUMNS="80").stdout.splitlines()]
    assert ["process-beats-outcome-at-equal-labels-ab2cd", "stopped", "-", "2026-01-01"] in lines
    lines = [line.split() for line in assay("runs", home=home, COLUMNS="140").stdout.splitlines()]
    assert ["run", "model", "size", "samples", "state", "verdict", "when"] in lines


def test_a_damaged_database_is_said_and_nothing_is_promised(home: Path) -> None:
    home.mkdir(exist_ok=True)
    plant(home, *(f"pal-{number:05}" for number in range(40)))
    file = home / "assay.sqlite"
    with sqlite3.connect(file) as database:
        database.execute("pragma wal_checkpoint(truncate)")
    rng, whole = random.Random(1), bytearray(file.read_bytes())
    for page in range(8192, len(whole), 8192):
        whole[page : page + 4096] = rng.randbytes(4096)
    file.write_bytes(whole)
    said = (
        f"assay: The database is damaged: {file}. "
        f"Rescue what can be read: sqlite3 {file} .recover; or move it away.\n"
    )
    for words in (("runs",), ("report",), ("trace", "pal-00001"), ("forget", "pal-00001")):
        done = assay(*words, home=home)
        assert (words, done.returncode, done.stderr) == (words, 2, said)


@pytest.mark.parametrize("option", ["--markdown", "--html"])
def test_a_report_that_finds_no_room_is_one_sentence_and_leaves_what_was_there(
    option: str, home: Path, tmp_path: Path
) -> None:
    file = tmp_path / "report"
    file.write_text("before")
    words = f"{sys.executable} -m assay report --results {KEPT} {option} {file}"
    done = subprocess.run(["bash", "-c", f"ulimit -f 8; {words}"], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("assay: ")
    assert "File too large" in done.stderr
    assert done.stderr.count("\n") == 1
    assert {path.name: path.read_text() for path in tmp_path.iterdir() if path.is_file()} == {"report": "before"}


def test_a_report_is_written_into_a_pipe(home: Path) -> None:
    done = assay("report", "--results", str(KEPT), "--markdown", "/dev/stdout", home=home)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("# Notebook")


def test_a_broken_file_among_the_results_is_one_sentence(home: Path, tmp_path: Path) -> None:
    (tmp_path / "good.json").write_text(next(KEPT.glob("*.json")).read_text())
    (tmp_path / "bad.json").write_text("[" * 100_000)
    done = assay("report", "--results", str(tmp_path), home=home)
    assert done.returncode == 2
    assert done.stderr.startswith(f"assay: {tmp_path / 'bad.json'}: this JSON is nested too deep")
    assert done.stderr.count("\n") == 1
