"""A studio in a process of its own, and a real browser that looks at it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
ROOT = Path(__file__).parents[2]


@dataclass
class Studio:
    """A running studio."""

    home: Path
    results: Path = ROOT / "results"
    address: str = ""
    key: str = ""
    process: subprocess.Popen[str] | None = None

    def start(self, port: int = 0) -> None:
        """Start it, and wait until it says where it is."""
        environment = {**os.environ, "ASSAY_HOME": str(self.home), "HF_HUB_OFFLINE": "1", "ASSAY_THREADS": "1"}
        command = [sys.executable, "-m", "assay", "studio", "--no-open", "--port", str(port)]
        self.process = subprocess.Popen(
            [*command, "--results", str(self.results)], stdout=subprocess.PIPE, text=True, env=environment
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert "The studio is at " in line, line
        self.address, _, self.key = line.rpartition(" ")[2].strip().partition("/?key=")

    def kill(self) -> None:
        """As kill -9 does."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.address.rpartition(":")[2])


@pytest.fixture(scope="session")
def studio(tmp_path_factory: pytest.TempPathFactory, model_cache: Path) -> Iterator[Studio]:
    """One studio for all tests of a session."""
    home = tmp_path_factory.mktemp("studio")
    (home / "cache").symlink_to(model_cache, target_is_directory=True)
    found = Studio(home)
    found.start()
    yield found
    found.kill()


@dataclass
class Window:
    """A page of the browser, with everything that went wrong in it."""

    page: Any
    studio: Studio
    wrong: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    """Addresses it asked for."""

    def open(self, path: str) -> Any:
        """Go to a page of the studio."""
        self.page.goto(self.studio.address + path)
        return self.page


# For a module at a time: while it is open Playwright keeps a loop in this thread, and nothing else can run one.
@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Real chromium."""
    executable = shutil.which("chromium") or shutil.which("chromium-browser")
    if executable is None:
        pytest.skip("chromium is not installed (apt-get install chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield found
        found.close()


def opened(browser: Any, studio: Studio, **settings: Any) -> Window:
    """A window of its own, let in by the key."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, **settings)
    page = context.new_page()
    # A real model works for some of these pages, on a machine that has other things to do.
    page.set_default_timeout(180_000)
    window = Window(page, studio)
    page.on("console", lambda said: window.wrong.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: window.wrong.append(str(error)))
    page.on("request", lambda request: window.asked.append(request.url))
    page.goto(f"{studio.address}/?key={studio.key}")
    return window


def faults(page: Any) -> list[tuple[str, str]]:
    """What keeps somebody out of a page as it stands: the rule, and where it is broken first."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] != "minor"]


@pytest.fixture
def window(browser: Any, studio: Studio) -> Iterator[Window]:
    """A window in which nothing may go wrong."""
    found = opened(browser, studio)
    yield found
    found.page.context.close()
    assert found.wrong == []
