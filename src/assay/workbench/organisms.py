"""Organisms by the name a user types: what the cards name, and what is finished on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from assay.core.artefacts import Artefact


def organism_names(incomplete: str) -> list[str]:
    """Names of recipes, for tab completion."""
    return [name for name in sorted(catalogue()) if name.startswith(incomplete)]


def recipe_names(name: str) -> list[str]:
    """What the recipes behind a name of the catalogue are called: sizes may have names of their own."""
    from assay.lab.plan import SIZES

    known = catalogue()
    return [name, *(known[name][1](0, size).name for size in SIZES)] if name in known else [name]


def found_organism(name: str) -> Artefact:
    """The newest finished organism of that name, or of the recipe that the catalogue calls so."""
    from assay.core.artefacts import artefacts, organism_named
    from assay.home import find_home

    root, names = find_home().organisms, recipe_names(name)
    here = [one for one in artefacts(root) if one.name in names and one.is_network]
    return here[0] if here else organism_named(root, name)


def catalogue() -> dict[str, tuple[str, Any]]:
    """Every recipe the cards name: the card's slug, and (seed, size) -> recipe."""
    from assay.papers import all_papers

    return {name: (paper.slug, make) for paper in all_papers() for name, make in paper.organisms.items()}


class Trained:
    """What a folder of organisms holds, for a server that is asked often."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._known: tuple[int, list[Artefact]] = (-1, [])

    def networks(self) -> list[Artefact]:
        """Finished networks, newest first; read anew only when one was added or taken away."""
        from assay.core.artefacts import artefacts

        changed = self._root.stat().st_mtime_ns if self._root.exists() else 0
        if self._known[0] != changed:
            self._known = changed, [one for one in artefacts(self._root) if one.is_network]
        return self._known[1]

    def writers(self) -> list[str]:
        """The names of those that are language models."""
        return list(dict.fromkeys(f"organism:{one.name}" for one in self.networks() if one.writes))
