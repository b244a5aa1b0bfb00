"""Models that are trained here: what claims about training run on, and organisms that are finished."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Sequence
from pathlib import Path

from assay.core.artefacts import WEIGHTS, Artefact
from assay.core.errors import CannotRun
from assay.core.model import Capability, Fingerprint, Grouping
from assay.core.replies import Embeddings, Reading, Reply, Scores
from assay.core.requests import Ask, Embed, Read, Score

EXPORTED = ".exported"
ORGANISM = "organism"
"""The name a user types for: whatever the claim's recipes make."""


class TrainedHere:
    """Stands for the organisms that a claim trains, or for pretrained weights that it trains further."""

    grouping = Grouping.TOGETHER
    slots = 1

    def __init__(self, name: str, begins_with: str = "", identity: str = "") -> None:
        import hashlib

        self.name = name
        self.begins_with = begins_with
        self.identity = identity
        self.capabilities = frozenset({Capability.TRAIN} | ({Capability.SCRATCH} if not begins_with else set()))
        parts = {"begins with": identity or "random weights", "torch": _version("torch")}
        parts["transformers"] = _version("transformers")
        digest = hashlib.sha256(repr(sorted(parts.items())).encode()).hexdigest()[:16]
        self.fingerprint = Fingerprint(digest, tuple(parts.items()))

    async def generate(self, request: Ask, indexes: Sequence[int]) -> tuple[Reply, ...]:
        """It has no words before it is trained."""
        raise self._silent()

    async def score(self, request: Score) -> Scores:
        """It has no words before it is trained."""
        raise self._silent()

    async def read(self, request: Read) -> Reading:
        """It has no words before it is trained."""
        raise self._silent()

    async def embed(self, request: Embed) -> Embeddings:
        """It has no words before it is trained."""
        raise self._silent()

    async def close(self) -> None:
        """Nothing is open."""

    def _silent(self) -> CannotRun:
        return CannotRun(
            f"{self.name} stands for what a claim trains; it does not answer.",
            hint="Name a trained one: --model organism:NAME (assay organisms list).",
        )


def exported(organism: Artefact, root: Path) -> Path:
    """The organism as a GGUF file, written when it is first wanted; another exporter writes another file."""
    from assay.models.network.exporting import VERSION, export

    folder = root / EXPORTED
    folder.mkdir(exist_ok=True)
    file = folder / f"{organism.name}-{organism.files[WEIGHTS][:16]}-{VERSION}.gguf"
    if not file.is_file():
        export(organism.folder, file)
    return file


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        raise CannotRun(f"Training needs {package}.", hint="Type: pip install 'assay[train]'") from None
