"""One file per source: the card. Finding them is listing this folder."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from assay.core import Claim, Paper, UnknownName


@cache
def all_papers() -> tuple[Paper, ...]:
    """Every card, by row and title."""
    modules = (
        importlib.import_module(f"{__name__}.{m.name}") for m in pkgutil.iter_modules(__path__) if not m.ispkg
    )
    return tuple(sorted((module.PAPER for module in modules), key=lambda paper: (paper.row, paper.slug)))


def all_claims() -> dict[str, tuple[Paper, Claim]]:
    """Every claim with its card, by the claim's id."""
    return {claim.id: (paper, claim) for paper in all_papers() for claim in paper.claims}


def claim_named(name: str) -> tuple[Paper, Claim]:
    """The claim of that id with its card; `UnknownName` with suggestions otherwise."""
    claims = all_claims()
    if name not in claims:
        raise UnknownName("claim", name, claims, hint="Type: assay list")
    return claims[name]


def paper_named(name: str) -> Paper:
    """The card with that slug, or the card of the claim of that id."""
    by_slug = {paper.slug: paper for paper in all_papers()}
    claims = all_claims()
    if name in by_slug:
        return by_slug[name]
    if name in claims:
        return claims[name][0]
    raise UnknownName("claim or card", name, [*by_slug, *claims], hint="Type: assay list")
