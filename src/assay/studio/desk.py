"""What every page of the studio works on, and how a page is made of a template."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi import Request
from fastapi.responses import HTMLResponse

from assay import __version__
from assay.core import Sample
from assay.core.home import Home
from assay.lab.branching import Trees
from assay.lab.store import RunRow
from assay.models import ModelChoice, weights_named
from assay.report.html import environment
from assay.studio.notebook import Notebook
from assay.studio.processes import Processes
from assay.studio.trees.growth import Growth
from assay.workbench.organisms import Trained
from assay.workbench.pool import Pool
from assay.workbench.records import samples_of
from assay.workbench.wish import model_choice

if TYPE_CHECKING:
    from jinja2 import Environment

MOST_REMEMBERED = 8
"""Runs whose samples are kept at hand."""


class Desk:
    """Home, store, models and processes of one studio."""

    def __init__(self, home: Home, choice: ModelChoice, results: Path | None) -> None:
        self.home = home
        self.pool = Pool(home, choice)
        self.store = self.pool.store
        self.notebook = Notebook(self.store, results)
        self.processes = Processes(home)
        self.trained = Trained(home.organisms)
        self.trees = Trees(home.trees)
        self.growth = Growth(self.trees)
        self._samples: OrderedDict[str, tuple[Sample, ...]] = OrderedDict()
        self._remembering = threading.Lock()

    @cached_property
    def templates(self) -> Environment:
        """The studio's templates over the report's: both doors show a verdict alike."""
        from jinja2 import ChoiceLoader, PackageLoader

        found = environment()
        assert found.loader is not None, "the report's templates have a loader"
        found.loader = ChoiceLoader([PackageLoader("assay.studio"), found.loader])
        found.globals["version"] = __version__
        return found

    def render(self, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        """A page, never kept by a browser: the next look may find a new verdict."""
        text = self.templates.get_template(f"{template}.html.j2").render(**values)
        return HTMLResponse(text, status, headers={"cache-control": "no-store"})

    def choice(self, name: str) -> ModelChoice:
        """How the model of that name is reached; none named is the one a claim is about, or the default."""
        own = self.pool.choice
        name = name or own.name
        if name and name != "organism" and not name.startswith(("gguf:", "hf:", "organism:", "openai/")):
            # A slip of the pen is said here, and not by a process that nobody waits for.
            weights_named(name)
        addresses = list(own.base_urls) if name.startswith("openai/") else None
        return replace(model_choice(name, addresses, own.slots, own.seconds), encoder=own.encoder)

    def going(self) -> set[str]:
        """The runs that a process is at."""
        return self.processes.running(self.store.listing.noted_running())

    def samples(self, row: RunRow) -> tuple[Sample, ...]:
        """The samples of a run, made again once: some tasks take their time."""
        key = f"{row.id} {row.verdict is not None}"
        with self._remembering:
            if key not in self._samples:
                self._samples[key] = samples_of(row)
                while len(self._samples) > MOST_REMEMBERED:
                    self._samples.popitem(last=False)
            self._samples.move_to_end(key)
            return self._samples[key]

    async def close(self) -> None:
        """Let go of models and store; runs go on."""
        await self.growth.close()
        await self.pool.close()


def desk_of(request: Request) -> Desk:
    """The desk of the application that was asked."""
    desk: Desk = request.app.state.desk
    return desk
