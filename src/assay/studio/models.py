"""Models and organisms: what is on this machine, what it can do, how it was trained."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form
from fastapi.responses import HTMLResponse, Response

from assay.core import Ask
from assay.models import KNOWN, locate
from assay.studio.desk import Desk, desk_of
from assay.workbench.organisms import catalogue, recipe_names

router = APIRouter()
MOST_SHOWN = 120
"""Organisms on one page."""
AtDesk = Annotated[Desk, Depends(desk_of)]


def model_names(desk: Desk) -> list[str]:
    """Names a user may mean: known weights that write, the studio's own model, organisms that write."""
    own = desk.pool.choice.name
    named = [weights.name for weights in KNOWN if not weights.encodes]
    return list(dict.fromkeys([*([own] if own else []), *named, *desk.trained.writers()]))


@router.get("/models", response_class=HTMLResponse)
def models(desk: AtDesk) -> Response:
    """Known weights, and every model that verdicts are about."""
    known = [(weights, locate(weights, desk.home) is not None) for weights in KNOWN]
    judged = Counter((entry.head.model, entry.head.fingerprint) for entry in desk.notebook.entries())
    return desk.render("models", known=known, judged=judged, names=model_names(desk), checked=None, here="models")


@router.post("/models/check", response_class=HTMLResponse)
async def check(desk: AtDesk, model: Annotated[str, Form()]) -> Response:
    """Connect to a model, say what it can do, and have it write a few words."""
    found = await desk.pool.model(desk.choice(model.strip()).name)
    start = time.monotonic()
    (reply,) = await found.generate(Ask("Say hello.", max_tokens=32, seed=0), [0])
    checked = {
        "name": found.name,
        "fingerprint": found.fingerprint.hash,
        "parts": found.fingerprint.parts,
        "can": sorted(ability.value for ability in found.capabilities),
        "slots": found.slots,
        "says": reply.text,
        "speed": reply.tokens_out / max(time.monotonic() - start, 1e-9),
    }
    return desk.render("checked", checked=checked, here="models")


@router.get("/organisms", response_class=HTMLResponse)
def organisms(desk: AtDesk, name: str = "") -> Response:
    """What is trained here with its loss, the newest of each name or all of one, and what could be."""
    cards = {called: card for known, (card, _) in catalogue().items() for called in recipe_names(known)}
    here = desk.trained.networks()
    count = Counter(one.name for one in here)
    if name:
        shown = [one for one in here if one.name == name]
    else:
        newest = {one.name: one for one in reversed(here)}
        shown = sorted(newest.values(), key=lambda one: one.created, reverse=True)
    missing = [known for known in sorted(catalogue()) if not count.keys() & set(recipe_names(known))]
    lines = [(one, cards.get(one.name, ""), curve_of(one.made.curve)) for one in shown[:MOST_SHOWN]]
    return desk.render(
        "organisms",
        lines=lines,
        count=count,
        name=name,
        left=len(shown) - len(lines),
        here="organisms",
        missing=missing,
        catalogue=catalogue(),
    )


def curve_of(curve: tuple[Mapping[str, Any], ...]) -> dict[str, list[Any]]:
    """Columns of a training's curve that are numbers against tokens, for the plot."""
    points = [point for point in curve if "tokens" in point]
    wanted = sorted({name for point in points for name, value in point.items() if isinstance(value, int | float)})
    return {
        name: [point.get(name) for point in points] for name in wanted if name in ("tokens", "loss", "held_out")
    }
