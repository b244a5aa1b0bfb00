"""Pages about what was found: all claims at a glance, one source, models beside each other."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import HTMLResponse, Response
from markupsafe import Markup

from assay.core import UnknownName
from assay.lab.plan import CONTROLS, SIZES
from assay.papers import claim_named, paper_named
from assay.report.drawings.strip import strip
from assay.studio.desk import Desk, desk_of
from assay.studio.models import model_names
from assay.studio.notebook import SHELVES, Entry, Found

router = APIRouter()
AtDesk = Annotated[Desk, Depends(desk_of)]
MOST_VERDICTS = 25
"""On one claim, on the page of its source."""
WORDS = ("holds", "fails", "undecided", "untested")


def drawn(found: Found | None) -> Markup:
    """The effect of a verdict with its interval on one line."""
    return Markup(strip(found.verdict)) if found else Markup("")


# What only reads is no coroutine: it is done in a thread, and holds up nobody.


@router.get("/", response_class=HTMLResponse)
def home(desk: AtDesk) -> Response:
    """Verdicts at a glance, by shelf and source."""
    shelves, unread = desk.notebook.shelves()
    counts = Counter(line.word for papers in shelves.values() for lines in papers for line in lines.lines)
    return desk.render(
        "home",
        shelves=shelves,
        unread=unread,
        says=SHELVES,
        counts=counts,
        words=WORDS,
        going=desk.store.listing.lines(ended="running", going=desk.going()),
        drawn=drawn,
        here="claims",
    )


@router.get("/papers/{slug}", response_class=HTMLResponse)
def paper(desk: AtDesk, slug: str) -> Response:
    """One source: its card, its claims, and the newest verdicts on them."""
    card = paper_named(slug)
    entries = desk.notebook.entries([claim.id for claim in card.claims])
    of_claim = {claim.id: [entry for entry in entries if entry.head.claim == claim.id] for claim in card.claims}
    return desk.render(
        "paper",
        paper=card,
        verdicts={claim: desk.notebook.found(of[:MOST_VERDICTS])[0] for claim, of in of_claim.items()},
        older={claim: len(of) - MOST_VERDICTS for claim, of in of_claim.items()},
        sizes=SIZES,
        controls=CONTROLS,
        models=model_names(desk),
        drawn=drawn,
        here="claims",
    )


@router.get("/claims/{claim}", response_class=HTMLResponse)
def claim(desk: AtDesk, claim: str) -> Response:
    """The page of its source, at its place."""
    card, found = claim_named(claim)
    return Response(status_code=303, headers={"location": f"/papers/{card.slug}#{found.id}"})


@router.get("/compare", response_class=HTMLResponse)
def compare(desk: AtDesk, model: Annotated[list[str] | None, Query()] = None) -> Response:
    """Models beside each other on every claim that two of them have a verdict on."""
    table = desk.notebook.by_model()
    known = sorted(table, key=lambda name: -len(table[name]))
    chosen = model or _side_by_side(table, known)
    for name in chosen:
        if name not in table:
            raise UnknownName("model with a verdict", name, known, hint="Choose one of those listed.")
    least = min(2, len(chosen))
    claims = sorted({claim for name in chosen for claim in table[name]})
    rows = {claim: [desk.notebook.best(table[name].get(claim, ()))[0] for name in chosen] for claim in claims}
    shared = {claim: row for claim, row in rows.items() if sum(one is not None for one in row) >= least}
    return desk.render(
        "compare", known=known, table=table, chosen=chosen, rows=shared, drawn=drawn, here="compare"
    )


def _side_by_side(table: dict[str, dict[str, list[Entry]]], known: list[str]) -> list[str]:
    """The model with most verdicts, and at most two others that were judged on a claim of its own."""
    return [name for name in known if table[name].keys() & table[known[0]].keys()][:3]
