"""How what is made here lies on disk: a folder per recipe, with a record of what is in it."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import json
import os
import platform
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from assay.core.errors import ModelError, UnknownName
from assay.core.training import Made, Recipe, Work

RECORD = "organism.json"
DRAFTS = ".making"
WEIGHTS = "model.safetensors"
CHECKPOINT = "checkpoint.pt"
"""What a training needs to go on; it does not outlive the making of its folder."""


@dataclass(frozen=True, slots=True)
class Artefact:
    """A finished folder, as its record tells."""

    folder: Path
    name: str
    hash: str
    spec: Mapping[str, Any]
    made: Made
    created: str
    files: Mapping[str, str]
    """SHA-256 by name."""

    @property
    def is_network(self) -> bool:
        """Whether it holds weights, or a measurement only."""
        return WEIGHTS in self.files

    @property
    def writes(self) -> bool:
        """Whether it is a language model: a verifier or a reward model is a network and writes nothing."""
        try:
            config = json.loads((self.folder / "config.json").read_text())
            return self.is_network and any("CausalLM" in kind for kind in config["architectures"])
        except (OSError, ValueError, KeyError, TypeError):
            return False


def place_of(root: Path, recipe: Recipe) -> Path:
    """Where a recipe's artefact is, once it is finished."""
    return root / f"{recipe.name}-{recipe.hash}"


def draft_of(root: Path, recipe: Recipe) -> Path:
    """Where it is while it is being made."""
    return root / DRAFTS / f"{recipe.name}-{recipe.hash}"


def finish(root: Path, recipe: Recipe, work: Work, *, seconds: float, cpu_seconds: float) -> None:
    """Write the record and put the draft in its place, in one step."""
    draft = draft_of(root, recipe)
    for left in (*draft.glob(f"{CHECKPOINT}*"), *draft.glob("*.draft")):
        left.unlink()
    files = {
        file.name: file_sha256(file) for file in sorted(draft.iterdir()) if file.is_file() and file.name != RECORD
    }
    made = Made(
        recipe.name,
        recipe.hash,
        dict(work.numbers),
        tuple(dict(point) for point in work.curve),
        work.tokens_in,
        work.tokens_out,
        round(seconds, 3),
        # A training that was interrupted remembers what it had taken before.
        round(max(cpu_seconds, float(work.numbers.get("cpu_seconds", 0.0))), 3),
    )
    record = {
        "recipe": recipe.spec(),
        "made": asdict(made),
        "files": files,
        "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "made_with": _versions(),
    }
    (draft / RECORD).write_text(json.dumps(record, indent=1, allow_nan=False))
    place = place_of(root, recipe)
    if place.exists():
        shutil.rmtree(place)
    os.replace(draft, place)


def is_whole(folder: Path, *, thorough: bool = False) -> bool:
    """Whether a folder is finished: every file there, and unchanged if one looks thoroughly."""
    try:
        record = json.loads((folder / RECORD).read_text())
        made_of(record)
        files = record["files"].items()
        there = all((folder / name).is_file() for name, _ in files)
        return there and (not thorough or all(file_sha256(folder / name) == sha for name, sha in files))
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        return False


def made_of(record: Mapping[str, Any]) -> Made:
    """What a record says was made."""
    found = record["made"]
    return Made(**{**found, "curve": tuple(found["curve"])})


def made_in(folder: Path) -> Made:
    """What a finished folder's record says of it."""
    return made_of(json.loads((folder / RECORD).read_text()))


def artefacts(root: Path) -> Iterator[Artefact]:
    """Every finished folder, newest first."""
    found = []
    for record in root.glob(f"[!.]*/{RECORD}"):
        try:
            fields = json.loads(record.read_text())
            made = made_of(fields)
            found.append(
                Artefact(
                    record.parent, made.name, made.hash, fields["recipe"], made, fields["created"], fields["files"]
                )
            )
        except (OSError, ValueError, KeyError, TypeError):
            continue
    yield from sorted(found, key=lambda one: (one.created, one.name), reverse=True)


def organism_named(root: Path, name: str) -> Artefact:
    """The newest language model of that name, or the one whose folder's name or hash begins so.

    Of a folder's name at least the whole name and a dash are wanted, of a hash six characters.
    """
    networks = [one for one in artefacts(root) if one.writes]
    exact = [one for one in networks if one.name == name]
    begun = [
        one
        for one in networks
        if (len(name) >= 6 and one.hash.startswith(name))
        or (name.startswith(f"{one.name}-") and f"{one.name}-{one.hash}".startswith(name))
    ]
    for one in exact or begun:
        if not is_whole(one.folder, thorough=True):
            raise ModelError(
                f"The organism {one.name} is damaged.", hint=f"Type: assay organisms train {one.name}"
            )
        return one
    hint = f"Type: assay organisms train {name}. Names: assay organisms list"
    raise UnknownName("organism on this machine", name, [one.name for one in networks], hint=hint)


def _versions() -> dict[str, str]:
    """What it was made with: the same recipe may give other weights with another library."""
    found = {"python": platform.python_version()}
    for package in ("assay", "torch", "transformers", "trl", "numpy"):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[package] = importlib.metadata.version(package)
    return found


def file_sha256(file: Path) -> str:
    """Hex digest of a file's content."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
