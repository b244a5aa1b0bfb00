"""Where things are kept on this machine."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from assay.core.errors import UserError


@dataclass(frozen=True, slots=True)
class Home:
    """The folders and files assay keeps; all of them stand under one root per kind."""

    data: Path
    """Runs: worth a backup."""
    cache: Path
    """Weights and engines: can be deleted, will be fetched again."""

    @property
    def database(self) -> Path:
        """The one file with all runs, traces and cached replies."""
        return self.data / "assay.sqlite"

    @property
    def competence(self) -> Path:
        """How well models decide, one file per model and task."""
        return self.data / "competence"

    @property
    def agents(self) -> Path:
        """Traces of agents, one file each."""
        return self.data / "agents"

    @property
    def trees(self) -> Path:
        """Branching conversations, one file each."""
        return self.data / "trees"

    @property
    def running(self) -> Path:
        """Who is at which run."""
        return self.data / "running"

    @property
    def models(self) -> Path:
        """Downloaded weights, one folder per content hash."""
        return self.cache / "models"

    @property
    def engines(self) -> Path:
        """Lock files and logs of running engines."""
        return self.cache / "engines"

    @property
    def networks(self) -> Path:
        """Weights converted to safetensors, one folder per content hash and precision."""
        return self.cache / "networks"

    @property
    def organisms(self) -> Path:
        """What was trained and measured here, one folder per recipe."""
        return self.cache / "organisms"

    def make(self) -> Home:
        """Create the folders; `UserError` where they cannot be written."""
        for folder in (self.data, self.models, self.engines, self.networks, self.organisms):
            try:
                folder.mkdir(parents=True, exist_ok=True)
                writable = os.access(folder, os.W_OK)
            except OSError as error:
                raise UserError(
                    f"The folder {folder} cannot be made: {error.strerror}.",
                    hint="Set ASSAY_HOME to a folder you may write to.",
                ) from None
            if not writable:
                raise UserError(
                    f"The folder {folder} cannot be written to.",
                    hint="Set ASSAY_HOME to a folder you may write to.",
                )
        return self
