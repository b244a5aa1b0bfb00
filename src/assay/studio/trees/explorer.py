"""Pages of the explorer: all trees, one tree, and trees on their way in and out."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, UploadFile
from fastapi.responses import HTMLResponse, PlainTextResponse, Response

from assay.core import AssayError, UserError
from assay.core.branching import PREAMBLE, Branches, Settings, taken_in, to_markdown, to_text
from assay.lab.branching import Trees
from assay.report.readings import SHADES
from assay.studio.desk import Desk, desk_of
from assay.studio.models import model_names
from assay.studio.trees.changes import text_in
from assay.studio.trees.operations import TreeName

router = APIRouter()
AtDesk = Annotated[Desk, Depends(desk_of)]
LARGEST_FILE = 64_000_000
"""Bytes of a tree that is brought."""


@router.get("/trees", response_class=HTMLResponse)
async def listed(desk: AtDesk) -> Response:
    """All trees, the one changed last first, and the forms for another."""
    return await _list(desk)


async def _list(desk: Desk, came: Branches | None = None, notes: tuple[str, ...] = ()) -> Response:
    rows = await asyncio.to_thread(_rows, desk.trees)
    return desk.render("trees", rows=rows, came=came, notes=notes, preamble=PREAMBLE, here="explorer")


def _rows(trees: Trees) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for name in trees.names():
        try:
            tree = trees.read(name)
        except AssayError as error:
            rows.append({"id": name, "problem": str(error)})
        else:
            asks = next((node.label for node in tree.nodes.values() if node.role == "user" and node.text), "")
            rows.append({"id": name, "tree": tree, "title": tree.title or asks or "untitled"})
    return rows


@router.post("/trees")
async def new(
    desk: AtDesk,
    prompt: Annotated[str, Form()] = "",
    system: Annotated[str, Form()] = "",
    title: Annotated[str, Form()] = "",
) -> Response:
    """Begin a tree with a user's turn, below a system's where one is given."""
    given = {"prompt": prompt.replace("\r\n", "\n"), "system": system.replace("\r\n", "\n"), "title": title}

    def fill(name: str) -> Branches:
        tree = Branches(name, text_in(given, "title", 200).strip())
        above = tree.add(None, "system", text_in(given, "system")).id if system.strip() else None
        tree.add(above, "user", text_in(given, "prompt"))
        # What it begins with is no change to take back.
        tree.undoable.clear()
        return tree

    tree = await asyncio.to_thread(desk.trees.new, fill)
    return _see(f"/trees/{tree.id}")


def _see(path: str) -> Response:
    return Response(status_code=303, headers={"location": path})


@router.post("/trees/import")
async def bring(desk: AtDesk, file: UploadFile) -> Response:
    """Take in a tree of ours, or what flux keeps in the browser; what could not be kept as it was is said."""
    try:
        found = json.loads(await file.read(LARGEST_FILE))
    except (ValueError, RecursionError) as error:
        raise UserError(f"This file is no JSON: {error}.", hint="Bring a tree as JSON.") from None
    notes: tuple[str, ...] = ()

    def fill(name: str) -> Branches:
        nonlocal notes
        imported = taken_in(found, name)
        notes = imported.notes
        return imported.tree

    tree = await asyncio.to_thread(desk.trees.new, fill)
    return await _list(desk, tree, notes) if notes else _see(f"/trees/{tree.id}")


@router.get("/trees/{tree}", response_class=HTMLResponse)
async def page(desk: AtDesk, tree: TreeName) -> Response:
    """One tree."""
    found = await asyncio.to_thread(desk.trees.read, tree)
    usual = Settings()
    own = desk.pool.choice.name
    names = model_names(desk)
    return desk.render(
        "tree", tree=found, usual=usual, models=names, model=own or names[0], bounds=SHADES, here="explorer"
    )


@router.post("/trees/{tree}/delete")
async def delete(desk: AtDesk, tree: TreeName) -> Response:
    """Take a whole tree away for good."""
    await asyncio.to_thread(desk.trees.delete, tree)
    return _see("/trees")


@router.get("/trees/{tree}/export.json")
async def as_json(desk: AtDesk, tree: TreeName) -> Response:
    """Everything there is to know of it, its history included."""
    text = to_text(await asyncio.to_thread(desk.trees.read, tree))
    return Response(text, media_type="application/json", headers=_as_file(f"{tree}.json"))


@router.get("/trees/{tree}/export.md")
async def as_markdown(desk: AtDesk, tree: TreeName) -> Response:
    """All branches, for people."""
    text = to_markdown(await asyncio.to_thread(desk.trees.read, tree))
    return PlainTextResponse(text, media_type="text/markdown", headers=_as_file(f"{tree}.md"))


def _as_file(name: str) -> dict[str, str]:
    return {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
