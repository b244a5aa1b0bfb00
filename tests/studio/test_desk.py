"""What pages of the studio rest on, without a browser: processes, verdicts, and runs that are taken away."""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from assay.core import UserError
from assay.core.home import Home
from assay.lab.lease import lease
from assay.models import ModelChoice
from assay.studio import notebook
from assay.studio.desk import Desk
from assay.studio.pages import compare
from assay.studio.runs import forget
from tests.studio.conftest import ROOT

GOOD = json.loads(min((ROOT / "results").glob("pal--*.json")).read_text("utf-8"))
FOREIGN = "999999999 1"
"""As the file of a process in a container says it outside: nobody here has that number."""


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    results = tmp_path / "results"
    results.mkdir()
    found = Desk(Home(tmp_path / "home", tmp_path / "cache").make(), ModelChoice(""), results)
    yield found
    asyncio.run(found.close())


@contextlib.contextmanager
def sleeping() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(["sleep", "60"])
    yield process
    process.kill()
    process.wait()


def test_a_run_on_its_way_is_not_forgotten(desk: Desk) -> None:
    asyncio.run(desk.store.begin("pal-aaaaa", "2026", "pal", {}))
    with sleeping() as process:
        # Started, and its lease is not taken yet.
        desk.processes._started["pal-aaaaa"] = process
        with pytest.raises(UserError, match="is going on"):
            forget(desk, "pal-aaaaa")
        assert desk.store.listing.ids() == ["pal-aaaaa"]
    forget(desk, "pal-aaaaa")
    assert desk.store.listing.ids() == []


def test_pages_ask_who_is_running_while_runs_are_started(desk: Desk) -> None:
    wrong, over = [], threading.Event()

    def look() -> None:
        while not over.is_set():
            try:
                desk.processes.running([])
            except RuntimeError as error:
                wrong.append(error)

    lookers = [threading.Thread(target=look) for _ in range(3)]
    with sleeping() as process:
        for looker in lookers:
            looker.start()
        for at in range(300):
            desk.processes._started[f"pal-{at}"] = process
            over.wait(0.002)
        over.set()
        for looker in lookers:
            looker.join()
    assert wrong == []


def test_a_run_at_which_a_process_out_of_reach_is_runs_and_is_not_stopped(desk: Desk) -> None:
    asyncio.run(desk.store.begin("pal-aaaaa", "2026", "pal", {}))
    with lease(desk.home.running, "pal-aaaaa"):
        (desk.home.running / "pal-aaaaa.pid").write_text(FOREIGN)
        assert desk.going() == {"pal-aaaaa"}
        assert desk.processes.state(desk.store.run("pal-aaaaa")) == "running"
        with pytest.raises(UserError, match="going on already"):
            desk.processes.start("pal-aaaaa")
        with pytest.raises(UserError, match="out of reach"):
            desk.processes.stop("pal-aaaaa")
    desk.processes.stop("pal-aaaaa")


async def judged(desk: Desk, *verdicts: dict[str, Any]) -> None:
    for verdict in verdicts:
        await desk.store.begin(verdict["run"], "2026", "pal", {})
        await desk.store.finish(verdict["run"], "done", verdict)


def test_a_verdict_that_cannot_be_read_hides_no_other_where_models_are_compared(desk: Desk) -> None:
    good = GOOD | {"run": "pal-small", "size": "small"}
    asyncio.run(judged(desk, good, GOOD | {"run": "pal-broken", "size": "full", "mood": "good"}))
    page = bytes(compare(desk).body).decode()
    assert "no verdict" not in page
    assert f'<span class="word {GOOD["verdict"]}">' in page
    shelves, unread = desk.notebook.shelves()
    (found,) = [line.found for of in shelves.values() for paper in of for line in paper.lines if line.found]
    assert found.run == "pal-small"
    assert len(unread) == 1


def counted(monkeypatch: pytest.MonkeyPatch, name: str) -> list[Path]:
    """What a function of the notebook is called with, from now on."""
    called: list[Path] = []
    real: Callable[[Path], Any] = getattr(notebook, name)

    def noting(path: Path) -> Any:
        called.append(path)
        return real(path)

    monkeypatch.setattr(notebook, name, noting)
    return called


def test_a_folder_of_any_size_is_looked_through_once_a_page_and_read_once(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "results"
    for at in range(600):
        (folder / f"{at}.json").write_text(json.dumps(GOOD | {"run": f"pal-{at}"}) if at else "{")
    read, looked = counted(monkeypatch, "read_verdict"), counted(monkeypatch, "result_files")
    _, unread = desk.notebook.shelves()
    assert (len(read), len(looked), len(unread)) == (600, 1, 1)
    (folder / "599.json").unlink()
    (folder / "0.json").write_text(json.dumps(GOOD | {"run": "pal-0"}))
    assert len(desk.notebook.entries()) == 599
    assert read[600:] == [folder / "0.json"]
