"""Recipes for tests of the workshop: importable, so that its processes can find them."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

from assay.core import Place, Recipe, Stopped, UserError, Work


@dataclass(frozen=True)
class Count(Recipe):
    """Adds one to its input's number, and notes beside `log` that it was made."""

    name: str
    log: str
    before: Recipe | None = None

    def make(self, place: Place) -> Work:
        with Path(self.log).open("a") as file:
            file.write(self.name + "\n")
        start = int((place.of(self.before) / "number").read_text()) if self.before else 0
        (place.folder / "number").write_text(str(start + 1))
        return Work({"number": start + 1}, tokens_in=10, tokens_out=1)


@dataclass(frozen=True)
class Slow(Recipe):
    """Takes its time, and keeps how far it came."""

    name: str
    steps: int = 40

    def make(self, place: Place) -> Work:
        kept = place.folder / "kept"
        begun = int(kept.read_text()) if kept.exists() else 0
        for step in range(begun, self.steps):
            if place.stopping():
                raise Stopped
            time.sleep(0.05)
            kept.write_text(str(step + 1))
            place.tell(step / self.steps, "working")
        kept.unlink()
        (place.folder / "done").write_text(str(begun))
        return Work({"begun": begun})


@dataclass(frozen=True)
class Failing(Recipe):
    """Fails in one of several ways."""

    name: str
    how: str

    def make(self, place: Place) -> Work:
        if self.how == "user":
            raise UserError("The corpus is empty.", hint="Give it texts.")
        if self.how == "full":
            import resource

            resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
            (place.folder / "large").write_bytes(b"x" * 5000)
        if self.how == "killed":
            os.kill(os.getpid(), 9)
        if self.how == "infinite":
            return Work({"loss": float("inf")})
        return Work({"ratio": 1 // 0})
