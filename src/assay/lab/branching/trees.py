"""Trees on disk: one JSON file each, written whole; terminal and studio may have the same one open."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from assay.core.branching import Branches, from_json, to_text
from assay.core.errors import BadFile, UnknownName, UserError
from assay.lab.lease import is_held, lease

PATIENCE_SECONDS = 10.0
"""Whoever changes a tree holds its lock for one change."""


class Trees:
    """The trees in a folder. What is on disk is the truth; nobody keeps a tree in memory between two changes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def names(self) -> tuple[str, ...]:
        """All trees, the one changed last first."""
        found = [(file.stat().st_mtime, file.stem) for file in self.folder.glob("*.json")]
        return tuple(name for _, name in sorted(found, reverse=True))

    def find(self, beginning: str) -> str:
        """The one tree whose id begins so."""
        known = self.names()
        found = [name for name in known if name.startswith(beginning)] if beginning else []
        if beginning in found or len(found) == 1:
            return beginning if beginning in found else found[0]
        if found:
            raise UserError(f"{len(found)} trees begin with '{beginning}': {', '.join(sorted(found)[:6])}.")
        raise UnknownName("tree", beginning, known, hint="Type: assay tree list")

    def new(self, fill: Callable[[str], Branches]) -> Branches:
        """Keep a new tree: `fill` makes it under an id that no other has."""
        self.folder.mkdir(parents=True, exist_ok=True)
        while (self.folder / f"{(name := secrets.token_hex(4))}.json").exists():
            pass
        tree = fill(name)
        self._write(tree)
        return tree

    def read(self, name: str) -> Branches:
        """A tree as it stands; what a dead process was still writing is cancelled.

        Raises:
            UnknownName: there is none of that id.
            BadFile: its file cannot be read as one.
        """
        file = self._file(name)
        try:
            tree = from_json(json.loads(file.read_text(encoding="utf-8")))
        except (OSError, ValueError, RecursionError) as error:
            raise BadFile(
                file,
                f"this is no tree: {error}.",
                hint=f"Put it right, or type: assay tree delete {name} --whole-tree",
            ) from None
        for stream in list(tree.streams):
            if not is_held(self.folder, f"{name}.{stream}"):
                tree.cancel(stream)
        return tree

    @contextlib.contextmanager
    def changing(self, name: str, version: int | None = None) -> Iterator[Branches]:
        """A tree to be changed inside the block and kept at its end; nothing is kept of a block that fails.

        Raises:
            Conflict: the tree is not at the version that was read.
        """
        with self._alone(name):
            tree = self.read(name)
            tree.expect(version)
            yield tree
            self._write(tree)

    def delete(self, name: str) -> None:
        """Take a tree away for good, also one that cannot be read."""
        self._file(name)
        with self._alone(name):
            for file in self.folder.glob(f"{name}.*"):
                file.unlink(missing_ok=True)

    def _file(self, name: str) -> Path:
        file = self.folder / f"{name}.json"
        if not file.is_file():
            raise UnknownName("tree", name, self.names(), hint="Type: assay tree list")
        return file

    @contextlib.contextmanager
    def _alone(self, name: str) -> Iterator[None]:
        try:
            with FileLock(self.folder / f"{name}.lock").acquire(timeout=PATIENCE_SECONDS):
                yield
        except Timeout:
            raise UserError(f"The tree {name} is being changed by another process.", hint="Try again.") from None

    @contextlib.contextmanager
    def streaming(self, name: str, stream: str) -> Iterator[None]:
        """A stream of this process's, known as live to every other until the end of the block."""
        try:
            with lease(self.folder, f"{name}.{stream}"):
                yield
        finally:
            (self.folder / f"{name}.{stream}.lock").unlink(missing_ok=True)

    def _write(self, tree: Branches) -> None:
        draft = self.folder / f"{tree.id}.{os.getpid()}.draft"
        draft.write_text(to_text(tree), encoding="utf-8")
        os.replace(draft, self.folder / f"{tree.id}.json")
