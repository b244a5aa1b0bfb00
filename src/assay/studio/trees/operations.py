"""The explorer's JSON: a tree as it stands, what is done to it, and what becomes of it as events."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse

from assay.core import AssayError, UserError
from assay.core.branching import StaleStream, transcript
from assay.lab.branching import go_on, grow
from assay.studio.desk import Desk, desk_of
from assay.studio.trees.changes import (
    GROWING,
    Asked,
    done,
    node_in,
    node_or_none,
    operation,
    settings_in,
    text_in,
    version_in,
)
from assay.studio.trees.scene import Tab

router = APIRouter(prefix="/api/trees")
AtDesk = Annotated[Desk, Depends(desk_of)]


def known(desk: AtDesk, tree: str) -> str:
    """The tree whose id begins so; nothing else of an address comes near a path."""
    return desk.trees.find(tree)


TreeName = Annotated[str, Depends(known)]
LOOK_SECONDS = 0.05
"""Between two messages to a tab: words that come faster come together."""
BEAT_SECONDS = 15.0
"""A line of comment after so long a silence: a dead connection is noticed."""


@router.get("/{tree}")
async def whole(desk: AtDesk, tree: TreeName) -> Response:
    """The tree with its version."""
    return JSONResponse((await desk.growth.scene(tree)).whole(), headers={"cache-control": "no-store"})


@router.post("/{tree}")
async def operate(desk: AtDesk, tree: TreeName, request: Request) -> Response:
    """Do one thing to the version that was read; an older one is refused with 409, and nothing is changed."""
    try:
        asked = json.loads(await request.body())
    except (ValueError, RecursionError):
        raise UserError("The body is no JSON.") from None
    if not isinstance(asked, dict):
        raise UserError("The body is no JSON object.")
    name = operation(asked)
    if name == "cancel":
        return JSONResponse({"stopped": await stop(desk, tree, node_or_none(asked, "node"))})
    if name in GROWING:
        return JSONResponse({"stream": await begin(desk, tree, name, asked)})
    return JSONResponse(await asyncio.to_thread(change, desk, tree, asked))


def change(desk: Desk, tree: str, asked: Asked) -> dict[str, Any]:
    """A change by hand."""
    with desk.trees.changing(tree, version_in(asked)) as found:
        node = done(found, asked)
        return {"version": found.version, "node": node}


async def begin(desk: Desk, tree: str, name: str, asked: Asked) -> str:
    """Replies below a node, or its next words; gives the stream when the first words are there."""
    node, settings, version = node_in(asked), settings_in(asked), version_in(asked)
    read = await asyncio.to_thread(desk.trees.read, tree)
    read.expect(version)
    read.node(node)
    model = await desk.pool.model(desk.choice(text_in(asked, "model", 200).strip()).name)
    if name == "continue":
        pieces = go_on(desk.trees, tree, node, settings, model, version=version)
    else:
        pieces = grow(desk.trees, tree, node, settings, model, reuse=name == "regenerate", version=version)
    return await desk.growth.begin(tree, pieces)


async def stop(desk: Desk, tree: str, node: str | None) -> int:
    """Stop what is being written, in one node and those of its stream or in all; gives the number of streams."""
    read = await asyncio.to_thread(desk.trees.read, tree)
    streams = {stream.id for stream in read.streams.values() if node is None or node in stream.begun}
    if node is not None and not streams:
        read.node(node)
        raise StaleStream(f"Node {node} waits for no words: its stream was stopped, or has come to its end.")
    await desk.growth.stop(tree, streams)
    return len(streams)


@router.get("/{tree}/lineage")
async def lineage(desk: AtDesk, tree: TreeName, node: str) -> Response:
    """The conversation that ends with a node, as plain text."""
    return PlainTextResponse(transcript(await asyncio.to_thread(desk.trees.read, tree), node))


@router.get("/{tree}/events")
async def events(
    desk: AtDesk, tree: TreeName, after: str = "", last_event_id: Annotated[str, Header()] = ""
) -> Response:
    """What has changed since the event of that number, and then what changes, as server-sent events."""
    scene = await desk.growth.scene(tree)
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    told = telling(desk, tree, Tab(scene, last_event_id or after))
    return StreamingResponse(told, media_type="text/event-stream", headers=headers)


async def telling(desk: Desk, tree: str, tab: Tab) -> AsyncGenerator[str]:
    """How the tree stands, again and again where it has changed."""
    silent = 0.0
    while True:
        try:
            scene = await desk.growth.scene(tree)
        except AssayError as error:
            yield f"event: lost\ndata: {json.dumps({'error': str(error)})}\n\n"
            return
        if (news := tab.news(scene)) is not None:
            silent = 0.0
            yield f"id: {scene.epoch}.{scene.number}\nevent: news\ndata: {json.dumps(news)}\n\n"
        elif (silent := silent + LOOK_SECONDS) >= BEAT_SECONDS:
            silent = 0.0
            yield ": still here\n\n"
        await asyncio.sleep(LOOK_SECONDS)
