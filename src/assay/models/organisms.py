"""Models that are trained here: what claims about training run on, and organisms that are finished."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Sequence
from pathlib import Path

from assay.core.errors import CannotRun
from assay.core.model import Capability, Fingerprint, Grouping
from assay.core.replies import Embeddings, Reading, Reply, Scores
from assay.core.requests import Ask, Embed, Read, Score

ORGANISM = "organism"
"""The name a user types for: whatever the claim's recipes make."""


class TrainedHere:
    """Stands for the organisms that a claim trains, or for pretrained weights that it trains further."""

    grouping = Grouping.TOGETHER
    slots = 1
    capabilities = frozenset({Capability.TRAIN})

    def __init__(self, name: str, begins_with: str = "", identity: str = "") -> None:
        import hashlib

        self.name = name
        self.begins_with = begins_with
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


def exported(folder: Path) -> Path:
    """The organism as a GGUF file beside its weights, written when it is first wanted."""
    from assay.models.network.exporting import export

    file = folder / "organism.gguf"
    if not file.is_file():
        export(folder, file)
    return file


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        raise CannotRun(f"Training needs {package}.", hint="Type: pip install 'assay[train]'") from None
