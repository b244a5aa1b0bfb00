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
from assay.studio.notebook import SHELVES, Found

router = APIRouter()
AtDesk = Annotated[Desk, Depends(desk_of)]
WORDS = ("holds", "fails", "undecided", "untested")


def drawn(found: Found | None) -> Markup:
    """The effect of a verdict with its interval on one line."""
    return Markup(strip(found.verdict)) if found else Markup("")


@router.get("/", response_class=HTMLResponse)
async def home(desk: AtDesk) -> Response:
    """Verdicts at a glance, by shelf and source."""
    shelves = desk.notebook.shelves()
    counts = Counter(line.word for papers in shelves.values() for lines in papers for line in lines.lines)
    going = [row for row in desk.store.runs() if desk.processes.state(row) == "running"]
    return desk.render(
        "home", shelves=shelves, says=SHELVES, counts=counts, words=WORDS, going=going, drawn=drawn, here="claims"
    )


@router.get("/papers/{slug}", response_class=HTMLResponse)
async def paper(desk: AtDesk, slug: str) -> Response:
    """One source: its card, its claims, and every verdict on them."""
    card = paper_named(slug)
    found = desk.notebook.found()
    verdicts = {claim.id: [one for one in found if one.verdict.claim == claim.id] for claim in card.claims}
    return desk.render(
        "paper",
        paper=card,
        verdicts=verdicts,
        sizes=SIZES,
        controls=CONTROLS,
        models=model_names(desk),
        drawn=drawn,
        here="claims",
    )


@router.get("/claims/{claim}", response_class=HTMLResponse)
async def claim(desk: AtDesk, claim: str) -> Response:
    """The page of its source, at its place."""
    card, found = claim_named(claim)
    return Response(status_code=303, headers={"location": f"/papers/{card.slug}#{found.id}"})


@router.get("/compare", response_class=HTMLResponse)
async def compare(desk: AtDesk, model: Annotated[list[str] | None, Query()] = None) -> Response:
    """Models beside each other on every claim that two of them have a verdict on."""
    table = desk.notebook.by_model()
    known = sorted(table, key=lambda name: -len(table[name]))
    chosen = model or known[:3]
    for name in chosen:
        if name not in table:
            raise UnknownName("model with a verdict", name, known, hint="Choose one of those listed.")
    least = min(2, len(chosen))
    claims = sorted({claim for name in chosen for claim in table[name]})
    rows = {claim: [table[name].get(claim) for name in chosen] for claim in claims}
    shared = {claim: found for claim, found in rows.items() if sum(one is not None for one in found) >= least}
    return desk.render(
        "compare", known=known, table=table, chosen=chosen, rows=shared, drawn=drawn, here="compare"
    )
