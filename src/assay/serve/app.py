"""The proxy: OpenAI's interface in front of every model and technique of this machine."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from assay.core import AssayError, Capability, Embed
from assay.core.errors import EndpointDown
from assay.core.model import Model
from assay.models.encoding import WithEncoder
from assay.models.llamacpp import LlamaCpp
from assay.serve.answering import Answering
from assay.serve.forms import ChatForm, CompletionForm, EmbeddingForm, Form, Sampled
from assay.serve.gate import Gate
from assay.serve.guard import Guard, Rules
from assay.serve.names import ENDPOINT, Named, Names
from assay.serve.problems import Problem, problem_of, sentence_of
from assay.serve.relay import EndpointRoute, EngineRoute, Relayed
from assay.serve.replying import Replying
from assay.serve.shapes import Sheet, embeddings_of
from assay.serve.upstreams import Upstreams
from assay.workbench.opening import say
from assay.workbench.pool import Pool

TOKENS = 200_000
"""What one answer of a technique may cost, prompts included."""
WAITING = 512
"""Requests that wait for a bare model."""
AT_WORK, BEHIND = 8, 64
"""Answers of techniques in work, and waiting."""
NOT_PASSED_ON = {
    "n_cmpl",
    "id_slot",
    "n_predict",
    "slot_id",
    "lora",
    "assay",
    "grammar",
    "grammar_lazy",
    "json_schema",
    "n_probs",
    "max_completion_tokens",
}
"""Fields of llama.cpp's own: they would write what nobody counts, reach into other requests' slots, or (a grammar
that repeats without bound) keep the engine busy for ever. The limit always goes in as `max_tokens`: without one it
writes until its context is full."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What requests may take."""

    tokens: float = TOKENS
    """Of one answer of a technique."""
    at_work: int = AT_WORK
    behind: int = BEHIND
    waiting: int = WAITING


class Proxy:
    """Finds who answers a request."""

    def __init__(self, pool: Pool, upstreams: Upstreams, limits: Limits) -> None:
        self.pool = pool
        self.upstreams = upstreams
        self.names = Names(pool.home, pool.choice.name, upstreams)
        self._limits = limits
        self._models: dict[str, Gate] = {}
        self._techniques = Gate(limits.at_work, limits.behind)
        self._aliases: dict[str, str] = {}

    def _gate(self, model: str) -> Gate:
        """Each model has its own, so that a slow one holds up nobody else."""
        if model not in self._models:
            servers = max(1, len(self.upstreams.of(model)))
            self._models[model] = Gate(self.pool.choice.slots * servers, self._limits.waiting)
        return self._models[model]

    def _reached(self, model: str) -> tuple[str, ...]:
        """The addresses of an endpoint's model, the living ones if any; empty for a model of this machine."""
        serving = self.upstreams.of(model)
        living = [address for address in serving if address.alive]
        return tuple(address.transport.address for address in living or serving)

    async def _open(self, model: str) -> Model:
        addresses = self._reached(model)
        return await self.pool.model(f"{ENDPOINT}{model}" if addresses else model, addresses=addresses)

    async def chat(self, form: ChatForm) -> Response:
        """A conversation: answered by a technique, by a server, or by a model that we ask ourselves."""
        named = self.names.find(form.model)
        if named.technique:
            reached = self._reached(named.model)
            return Answering(self.pool, named, reached, form, self._techniques, self._limits.tokens)
        if self._reached(named.model):
            if form.wants_one or await self._counts_all(named.model):
                return self._relayed(named.model, "/chat/completions", form)
        else:
            form.require_light()
            model = await self._open(named.model)
            if form.wants_one and isinstance(model, LlamaCpp) and Capability.CHAT in model.capabilities:
                if form.calls_tools:
                    await _require_shown(model, form)
                else:
                    form.to_ask()  # refuses what the engine would take in silence
                return await self._by_engine(model, named.model, "/chat/completions", form)
        sheet = Sheet(form.model, alternatives=form.alternatives or 0)
        return self._replying(named.model, form, sheet, [form.to_ask()])

    async def complete(self, form: CompletionForm) -> Response:
        """A text that goes on."""
        named = self.names.find(form.model)
        if named.technique:
            raise Problem(400, "Techniques answer /v1/chat/completions.")
        if self._reached(named.model):
            if form.wants_one or await self._counts_all(named.model):
                return self._relayed(named.model, "/completions", form)
        elif form.wants_one and isinstance(form.prompt, str):
            model = await self._open(named.model)
            if isinstance(model, LlamaCpp):
                form.to_asks()
                return await self._by_engine(model, named.model, "/completions", form)
        return self._replying(named.model, form, Sheet(form.model, "text"), form.to_asks())

    async def embed(self, form: EmbeddingForm) -> Response | dict[str, Any]:
        """Vectors: by an endpoint, or by what `--encoder` names, or by the model's own weights."""
        encoder = self.pool.choice.encoder
        named = Named("") if encoder and form.model == encoder else self.names.find(form.model)
        if named.technique:
            raise Problem(400, "Techniques answer /v1/chat/completions.")
        name = named.model
        if name and self._reached(name):
            return self._relayed(name, "/embeddings", form)
        if form.dimensions is not None:
            raise Problem(400, "The vectors of this model have one width; leave out dimensions.")
        request = Embed(form.texts)
        model = await self.pool.model(name or self.names.default, frozenset({Capability.EMBED}))
        async with self._gate(name).enter():
            if isinstance(model, WithEncoder):
                await model.require_whole(request)
            found = await model.embed(request)
        return embeddings_of(form.model, found, packed=form.encoding_format == "base64")

    async def _counts_all(self, model: str) -> bool:
        """Whether a server's usage counts every reply; found by asking it, once."""
        return bool(getattr(await self._open(model), "counts_all", False))

    def _relayed(self, model: str, path: str, form: Form) -> Relayed:
        body = form.model_dump(mode="json", by_alias=True, exclude_unset=True) | {"model": model}
        return Relayed(EndpointRoute(self.upstreams, model), path, json.dumps(body).encode(), self._gate(model))

    async def _by_engine(self, model: LlamaCpp, name: str, path: str, form: Sampled) -> Relayed:
        fields = form.model_dump(mode="json", by_alias=True, exclude_unset=True)
        body = {key: value for key, value in fields.items() if key not in NOT_PASSED_ON}
        body["max_tokens"] = form.length
        if form.seed is not None:
            body["seed"] = form.seed % 2**31
        if name not in self._aliases:
            listed = (await model.transport.get("/v1/models")).json()
            self._aliases[name] = str(listed["data"][0]["id"])
        begun, alternatives = "", None
        if isinstance(form, ChatForm):
            begun, alternatives = form.begun, form.alternatives
        if alternatives is not None:
            # For none the engine sends no log-probabilities at all.
            body["top_logprobs"] = max(1, alternatives)
        route = EngineRoute(model, form.model, self._aliases[name], begun=begun, alternatives=alternatives)
        return Relayed(route, path, json.dumps(body).encode(), self._gate(name))

    def _replying(self, name: str, form: Sampled, sheet: Sheet, asks: list[Any]) -> Replying:
        return Replying(
            lambda: self._open(name),
            asks,
            sheet,
            self._gate(name),
            streams=bool(form.stream),
            wants_usage=form.wants_usage,
        )

    async def warm(self) -> None:
        """Open the default model, so that the first who asks does not wait for it; an endpoint's costs tokens."""
        if self.upstreams.addresses:
            return
        try:
            await self._open(self.names.default)
        except AssayError as error:
            say(f"{self.names.default} could not be opened. {error}")


async def _require_shown(model: LlamaCpp, form: ChatForm) -> None:
    """`Problem` where the engine would leave the client's tools out in silence."""
    with contextlib.suppress(EndpointDown):
        await model.look()  # One that was dead before is started anew.
    if not await model.shows(form.tools or []):
        raise Problem(
            400,
            f"The chat template of {form.model} shows a model no tools; leave them out, "
            "or ask a model whose template has them.",
        )


def create(pool: Pool, upstreams: Upstreams, rules: Rules, limits: Limits = Limits()) -> Guard:
    """The application behind its guard; it closes the pool when the server ends."""
    proxy = Proxy(pool, upstreams, limits)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        await upstreams.look()
        tasks = [asyncio.create_task(upstreams.watch()), asyncio.create_task(proxy.warm())]
        yield
        # Streams that were cut off say so to their clients; the process ends as soon as this does.
        await asyncio.sleep(0.1)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await upstreams.close()
        await pool.close()

    app = FastAPI(title="assay", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    _add_routes(app, proxy)
    _add_problems(app)
    return Guard(app, rules)


def _add_routes(app: FastAPI, proxy: Proxy) -> None:
    """The paths of OpenAI's interface, and one of ours for traces."""

    @app.get("/v1/models")
    async def models() -> dict[str, Any]:
        return {"object": "list", "data": [_listed(name) for name in proxy.names.listed()]}

    @app.get("/v1/models/{name:path}")
    async def model(name: str) -> dict[str, Any]:
        proxy.names.find(name)
        return _listed(name)

    @app.post("/v1/chat/completions", response_model=None)
    async def chat(form: ChatForm) -> Response:
        return await proxy.chat(form)

    @app.post("/v1/completions", response_model=None)
    async def complete(form: CompletionForm) -> Response:
        return await proxy.complete(form)

    @app.post("/v1/embeddings", response_model=None)
    async def embed(form: EmbeddingForm) -> Response | dict[str, Any]:
        return await proxy.embed(form)

    @app.get("/v1/traces/{name}")
    async def trace(name: str) -> dict[str, Any]:
        steps = proxy.pool.store.trace(name)
        if not steps:
            raise Problem(404, "There is no trace of that id.", code="trace_not_found")
        return {"object": "trace", "id": name, "steps": steps}


def _listed(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": int(time.time()), "owned_by": "assay"}


def _add_problems(app: FastAPI) -> None:
    """Every error in OpenAI's shape."""

    async def refused(_: Request, error: Exception) -> Response:
        if isinstance(error, Problem):
            return error.response()
        if isinstance(error, RequestValidationError):
            return Problem(400, sentence_of(error.errors())).response()
        if isinstance(error, HTTPException):
            return Problem(error.status_code, str(error.detail)).response()
        if isinstance(error, AssayError):
            return problem_of(error).response()
        return Problem(500, "The proxy itself failed here; what it printed says why.").response()

    for kind in (Problem, RequestValidationError, HTTPException, AssayError, Exception):
        app.add_exception_handler(kind, refused)
