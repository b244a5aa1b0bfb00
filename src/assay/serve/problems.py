"""What went wrong, in the shape OpenAI's clients read: status, sentence, kind."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from fastapi.responses import JSONResponse

from assay.core import AssayError, BudgetExceeded, UserError
from assay.core.errors import EndpointDown

RETRY_SECONDS = 2


class Problem(Exception):
    """A request that ends in an error."""

    def __init__(self, status: int, sentence: str, kind: str = "", *, code: str = "") -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence
        self.kind = kind or ("invalid_request_error" if status < 500 else "server_error")
        self.code = code or None

    def body(self) -> dict[str, Any]:
        """As OpenAI shapes it."""
        return {"error": {"message": self.sentence, "type": self.kind, "param": None, "code": self.code}}

    def event(self) -> bytes:
        """As the last event of a stream that has begun; the line break ends what may stand half written."""
        return b"\ndata: " + json.dumps(self.body()).encode() + b"\n\n"

    def response(self, headers: dict[str, str] | None = None) -> JSONResponse:
        """As an answer of its own; a crowded or failing server says when to come again."""
        again = {"retry-after": str(RETRY_SECONDS)} if self.status in (429, 503) else {}
        return JSONResponse(self.body(), self.status, again | (headers or {}))


def problem_of(error: AssayError) -> Problem:
    """An error of ours as a client is told."""
    if isinstance(error, BudgetExceeded):
        return Problem(400, str(error), "budget_exceeded", code="budget_exceeded")
    if isinstance(error, UserError):
        return Problem(400, str(error))
    return Problem(503 if isinstance(error, EndpointDown) else 502, str(error))


def sentence_of(errors: Iterable[Any]) -> str:
    """The first things pydantic found wrong, in one sentence."""
    found = []
    for error in errors:
        # "body" says nothing, and which arm of a union was tried is no concern of the caller's.
        parts = [str(part) for part in error["loc"] if part != "body"]
        places = [part for part in parts if part.isidentifier() or part.isdigit()]
        found.append(f"{'.'.join(places) or 'the body'}: {error['msg'].removeprefix('Value error, ')}")
    return f"This request cannot be answered: {'; '.join(found[:3])}."
