"""The studio as an ASGI application: pages, their files, and the guard before them."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from assay.core import AssayError, UnknownName
from assay.core.branching import Conflict, StaleStream
from assay.core.home import Home
from assay.models import ModelChoice
from assay.serve.guard import Application, Guard, Rules
from assay.serve.problems import sentence_of
from assay.studio import arena, models, pages, runs
from assay.studio.desk import Desk, desk_of
from assay.studio.trees import explorer, operations

STATIC = Path(__file__).parent / "static"
STATUS = {UnknownName: 404, Conflict: 409, StaleStream: 409}
"""What an error answers; 400 is any other."""


def create(home: Home, choice: ModelChoice, rules: Rules, results: Path | None = None) -> Application:
    """The whole studio. `choice` says where models are reached, `results` is a folder of verdicts to show
    beside those of this machine."""

    @contextlib.asynccontextmanager
    async def living(app: FastAPI) -> AsyncGenerator[None]:
        app.state.desk = Desk(home, choice, results)
        yield
        await app.state.desk.close()

    app = FastAPI(title="assay studio", lifespan=living, docs_url=None, redoc_url=None, openapi_url=None)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    for part in (pages, runs, models, explorer, operations, arena):
        app.include_router(part.router)
    app.add_api_route("/look.css", _look, include_in_schema=False)
    for kind in (AssayError, HTTPException, RequestValidationError):
        app.add_exception_handler(kind, _error)
    return Guard(app, rules)


async def _look(request: Request) -> Response:
    """The report's own style sheet: a verdict looks alike in both."""
    text = desk_of(request).templates.get_template("style.css.j2").render()
    return PlainTextResponse(text, media_type="text/css", headers={"cache-control": "max-age=300"})


async def _error(request: Request, error: Exception) -> Response:
    """One sentence, as a page or as JSON, as was asked for."""
    if isinstance(error, HTTPException):
        status, message = error.status_code, str(error.detail)
    elif isinstance(error, RequestValidationError):
        status, message = 400, sentence_of(error.errors())
    else:
        status = next((code for kind, code in STATUS.items() if isinstance(error, kind)), 400)
        message = str(error)
    if "text/html" not in request.headers.get("accept", ""):
        return JSONResponse({"error": message}, status)
    return desk_of(request).render("error", status, message=message)
