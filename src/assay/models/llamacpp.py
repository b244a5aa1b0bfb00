"""The embedded engine as a model: llama.cpp's own HTTP interface, prompts sent as token ids.

Scoring goes token by token with a `logit_bias` that forces the wanted token, because llama.cpp
ignores `echo` + `logprobs` in silence: https://github.com/ggml-org/llama.cpp/issues/27174
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, TypeVar

from assay.core.errors import BadReply, BadRequest, CannotRun, ClosedModel, EndpointDown
from assay.core.model import Capability, Fingerprint, Grouping
from assay.core.replies import Embeddings, Finish, Piece, Reading, Reply, Scores, TokenLogprob
from assay.core.requests import Ask, Embed, Read, Score
from assay.models.meter import Meter, ProcessClock
from assay.models.rendering import Renderer, require_room
from assay.models.transport import Transport

T = TypeVar("T")
LIKELIEST = 100
"""How many of the likeliest tokens are asked for where continuations branch, so that few need forcing."""
FORCED = 1000.0
"""Bias that makes one token certain; the log-probability reported is the one before the bias."""


class ServerVocabulary:
    """Template and tokenizer of a llama.cpp server."""

    def __init__(self, transport: Transport, *, has_template: bool) -> None:
        self.transport = transport
        self.has_template = has_template

    async def template(self, messages: Sequence[dict[str, str]]) -> str:
        """The rendered conversation."""
        return str((await self.transport.post("/apply-template", {"messages": messages}))["prompt"])

    async def tokenize(self, text: str, *, special: bool = False, begin: bool = False) -> Sequence[int]:
        """Token ids."""
        body = {"content": text, "parse_special": special, "add_special": begin}
        found: Sequence[int] = (await self.transport.post("/tokenize", body))["tokens"]
        return found


class LlamaCpp:
    """A llama.cpp server that is ours."""

    def __init__(
        self,
        name: str,
        transport: Transport,
        properties: dict[str, Any],
        parts: dict[str, str],
        rejoin: Callable[[], Transport] | None = None,
    ) -> None:
        template = str(properties.get("chat_template") or "")
        self.name = name
        self.slots = int(properties["total_slots"])
        self.context = int(properties["default_generation_settings"]["n_ctx"])
        self.grouping = Grouping.BY_SLOT
        self.meter = Meter()
        self.transport = transport
        self._clock = ProcessClock(transport.pid)
        self._rejoin, self._rejoining = rejoin, asyncio.Lock()
        parts = parts | {"template": hashlib.sha256(template.encode()).hexdigest()[:16]}
        self.fingerprint = Fingerprint.of(parts)
        self._vocabulary = ServerVocabulary(transport, has_template=bool(template))
        self._renderer = Renderer(self._vocabulary)
        abilities = {
            *(Capability.GENERATE, Capability.PREFILL, Capability.N, Capability.SEED, Capability.LOGPROBS),
            *(Capability.LOGIT_BIAS, Capability.JSON_SCHEMA, Capability.GRAMMAR, Capability.TOKEN_PROMPTS),
            *(Capability.SCORE, Capability.TOKENS),
        }
        self.capabilities = frozenset(abilities | ({Capability.CHAT} if template else set()))

    @classmethod
    async def connect(
        cls, name: str, transport: Transport, parts: dict[str, str], rejoin: Callable[[], Transport] | None = None
    ) -> LlamaCpp:
        """Reads the server's properties; `parts` say which weights and engine build these are, and
        `rejoin` finds or starts the engine again should it die."""
        response = await transport.get("/props")
        if response.status_code != 200:
            raise BadReply(f"{transport.address} is no llama.cpp server (/props answers {response.status_code}).")
        return cls(name, transport, response.json(), parts, rejoin)

    async def generate(self, request: Ask, indexes: Sequence[int]) -> tuple[Reply, ...]:
        """One reply per sample index; neighbours in one request share the evaluated prompt."""
        return await self._alive(self._generate(request, indexes))

    async def _generate(self, request: Ask, indexes: Sequence[int]) -> tuple[Reply, ...]:
        prompt = await self._prompt(request)
        runs = _consecutive(indexes)
        parts = await asyncio.gather(*(self._complete(request, prompt, start, n) for start, n in runs))
        return tuple(reply for part in parts for reply in part)

    async def _prompt(self, request: Ask | Score) -> tuple[int, ...]:
        prompt = await self._renderer.render(request.messages, request.prefill, raw=request.raw)
        require_room(self.name, prompt, self.context)
        return prompt

    async def _complete(self, request: Ask, prompt: tuple[int, ...], start: int, n: int) -> list[Reply]:
        answer = await self.transport.post("/completion", self._body(request, prompt, start, n))
        choices = answer if isinstance(answer, list) else [answer]
        if len(choices) != n:
            raise BadReply(f"The engine gave {len(choices)} replies and not {n}.")
        self._count(choices)
        cpu = self._clock.since_last() / n
        return [_reply(choice, len(prompt), cpu) for choice in choices]

    def _body(self, request: Ask, prompt: tuple[int, ...], start: int, n: int) -> dict[str, Any]:
        assert request.seed is not None, "the driver sets the seed"
        if request.processor is not None:
            raise ClosedModel(self.name)
        body: dict[str, Any] = {
            "prompt": prompt,
            "n_predict": min(request.max_tokens, self.context - len(prompt)),
            "temperature": request.temperature,
            "top_p": request.top_p,
            "samplers": ["temperature", "top_p"],
            "seed": (request.seed + start) % 2**31,
            "stop": list(request.stop),
            "cache_prompt": True,
            "n_probs": request.logprobs,
            "return_tokens": False,
        }
        if n > 1:
            body["n_cmpl"] = n
        if request.logit_bias:
            body["logit_bias"] = [[token, bias] for token, bias in request.logit_bias]
        if request.json_schema:
            body["json_schema"] = json.loads(request.json_schema)
        if request.grammar:
            body["grammar"] = request.grammar
        return body

    async def stream(self, request: Ask, indexes: Sequence[int]) -> AsyncGenerator[Piece]:
        """The replies piece by piece; more than there are slots go out one wave after another."""
        async with self._watched():
            prompt = await self._prompt(request)
            for start, length in _consecutive(indexes):
                for first in range(start, start + length, self.slots):
                    n = min(self.slots, start + length - first)
                    async with contextlib.aclosing(self._wave(request, prompt, first, n)) as pieces:
                        async for piece in pieces:
                            yield piece

    async def _wave(self, request: Ask, prompt: tuple[int, ...], first: int, n: int) -> AsyncGenerator[Piece]:
        """Replies of one request. Only its first evaluates the prompt, the others are given a copy."""
        # Timings in every event, so that what was cancelled is counted too.
        body = self._body(request, prompt, first, n) | {"stream": True, "timings_per_token": True}
        written: dict[int, dict[str, Any]] = {}
        try:
            async with contextlib.aclosing(self.transport.events("/completion", body)) as events:
                async for event in events:
                    index = int(event["index"])
                    before = written.get(index, {"content": "", "completion_probabilities": []})
                    listed = event.get("completion_probabilities", [])
                    whole = written[index] = event | {
                        "content": before["content"] + event["content"],
                        "completion_probabilities": before["completion_probabilities"] + listed,
                    }
                    tokens = tuple(_token_logprob(token) for token in listed)
                    if not event["stop"]:
                        yield Piece(first + index, event["content"], tokens)
                        continue
                    if event["stop_type"] == "word":
                        whole["completion_probabilities"] = _before_stop(whole["completion_probabilities"])
                    reply = _reply(whole, len(prompt), self._clock.since_last())
                    evaluated = event["timings"]["prompt_n"] if index == 0 else 0
                    yield Piece(first + index, event["content"], tokens, reply, evaluated)
        except (KeyError, TypeError, ValueError) as error:
            raise EndpointDown(f"The engine streamed an unknown shape ({error!r:.60}).") from None
        finally:
            if written:
                self._count([written[index] for index in sorted(written)])
        if sum(bool(event["stop"]) for event in written.values()) != n:
            raise EndpointDown("The engine's stream ended before its replies did.")

    async def look(self) -> None:
        """Ask the engine for a sign of life; where it has died another is started, and `EndpointDown` raised."""
        await self._alive(self.transport.get("/health"))

    async def shows(self, tools: Sequence[dict[str, Any]]) -> bool:
        """Whether the chat template puts these tools before the model.

        Raises:
            BadRequest: the engine cannot read them.
        """
        return await self._alive(self._shows(tools))

    async def _shows(self, tools: Sequence[dict[str, Any]]) -> bool:
        messages = [{"role": "user", "content": "Hello"}]
        bare = await self._vocabulary.template(messages)
        body = json.dumps({"messages": messages, "tools": tools}).encode()
        async with self.transport.opened("/apply-template", body) as response:
            await response.aread()
        answer = response.json()
        if response.status_code != 200:
            # The engine says 500 here, though the fault is the caller's.
            said = str(answer["error"]["message"]).partition("; tools =")[0][:200]
            raise BadRequest(f"The engine cannot read these tools ({said}).")
        return bool(answer["prompt"] != bare)

    async def _alive(self, work: Awaitable[T]) -> T:
        """The result of some work that the engine is watched over."""
        async with self._watched():
            return await work

    @contextlib.asynccontextmanager
    async def _watched(self) -> AsyncIterator[None]:
        """Where the engine has died another is started, and the caller's next try meets it; whoever met the dead
        one waits meanwhile, and nobody else does."""
        used = self.transport
        try:
            yield
        except EndpointDown:
            async with self._rejoining:
                if self._rejoin is not None and self.transport is used:
                    found = await asyncio.to_thread(self._rejoin)
                    if found.address != used.address:
                        self.transport = self._vocabulary.transport = found
                        self._clock = ProcessClock(found.pid)
            raise

    def _count(self, choices: list[dict[str, Any]]) -> None:
        """Of n replies only the first evaluated the prompt; the others were given a copy."""
        timings = choices[0]["timings"]
        self.meter.requests += 1
        self.meter.prompt_tokens += timings["prompt_n"] + timings["cache_n"]
        self.meter.prompt_tokens_evaluated += timings["prompt_n"]
        self.meter.generated_tokens += sum(choice["tokens_predicted"] for choice in choices)

    async def score(self, request: Score) -> Scores:
        """Sum of the tokens' log-probabilities for each continuation, in nats.

        Continuations are tokenised by themselves: the prompt's tokens never change with them. Where
        several go on from the same tokens, one request serves them all.
        """
        return await self._alive(self._score(request))

    async def _score(self, request: Score) -> Scores:
        started = time.monotonic()
        prompt = await self._prompt(request)
        wanted = [await self._renderer.continuation(text) for text in request.continuations]
        branches: dict[tuple[int, ...], set[int]] = {}
        for tokens in wanted:
            for index, token in enumerate(tokens):
                branches.setdefault(tokens[:index], set()).add(token)
        tables = {begun: await self._branch(prompt + begun, after) for begun, after in branches.items()}
        counts = tuple(len(tokens) for tokens in wanted)
        return Scores(
            tuple(sum(tables[t[:i]][token] for i, token in enumerate(t)) for t in wanted),
            counts,
            tokens_in=len(prompt) + sum(counts),
            seconds=time.monotonic() - started,
            cpu_seconds=self._clock.since_last(),
        )

    async def _branch(self, prompt: tuple[int, ...], after: set[int]) -> dict[int, float]:
        """Log-probabilities of these next tokens: looked up among the likeliest, else forced one by one."""
        found = await self._next_token(prompt, force=None) if len(after) > 1 else {}
        for token in after - found.keys():
            found |= await self._next_token(prompt, force=token)
        return found

    async def _next_token(self, prompt: tuple[int, ...], force: int | None) -> dict[int, float]:
        """Log-probabilities of the next token: of the likeliest ones, or of one forced token."""
        body: dict[str, Any] = {
            "prompt": prompt,
            "n_predict": 1,
            "temperature": 0.0,
            "samplers": ["temperature"],
            "seed": 0,
            "cache_prompt": True,
            "n_probs": LIKELIEST if force is None else 1,
        }
        if force is not None:
            body["logit_bias"] = [[force, FORCED]]
        answer = await self.transport.post("/completion", body)
        self._count([answer])
        token = answer["completion_probabilities"][0]
        found = {other["id"]: float(other["logprob"]) for other in token["top_logprobs"]}
        found[token["id"]] = float(token["logprob"])
        if force is not None and force not in found:
            raise BadReply(f"The engine did not take the forced token {force}.")
        return found

    async def read(self, request: Read) -> Reading:
        """Token ids; the network itself is closed here."""
        if not request.only_tokens:
            raise ClosedModel(self.name)
        if not isinstance(request.text, str):
            return Reading(request.text, tokens_in=len(request.text))
        tokens = await self._alive(self._renderer.continuation(request.text))
        return Reading(tokens, tokens_in=len(tokens))

    async def embed(self, request: Embed) -> Embeddings:
        """Not with this engine: it is started for generation."""
        raise CannotRun(f"{self.name} gives no embeddings.", hint="Use an endpoint that has /v1/embeddings.")

    async def close(self) -> None:
        """Let go of this event loop's connections; the engine ends itself when nobody uses it."""
        await self.transport.close()


def _consecutive(indexes: Sequence[int]) -> list[tuple[int, int]]:
    """Runs of neighbouring indexes as (start, length): the engine draws reply j with seed + j."""
    runs: list[tuple[int, int]] = []
    for index in indexes:
        if runs and index == sum(runs[-1]):
            runs[-1] = (runs[-1][0], runs[-1][1] + 1)
        else:
            runs.append((index, 1))
    return runs


def _reply(choice: dict[str, Any], tokens_in: int, cpu_seconds: float) -> Reply:
    timings = choice["timings"]
    finish = Finish.LENGTH if choice["stop_type"] == "limit" else Finish.STOP
    return Reply(
        text=choice["content"].rstrip("\ufffd") if finish is Finish.LENGTH else choice["content"],
        finish=finish,
        tokens_in=tokens_in,
        tokens_out=choice["tokens_predicted"],
        logprobs=tuple(_token_logprob(token) for token in choice.get("completion_probabilities", ())),
        seconds=(timings["prompt_ms"] + timings["predicted_ms"]) / 1000,
        cpu_seconds=cpu_seconds,
    )


def _before_stop(listed: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The tokens without those of the stop text, which are streamed without their words."""
    last = max((index for index, token in enumerate(listed) if token["token"]), default=-1)
    return listed[: last + 1]


def _token_logprob(token: dict[str, Any]) -> TokenLogprob:
    top = tuple((t["id"], t["token"], float(t["logprob"])) for t in token.get("top_logprobs", ()))
    return TokenLogprob(token["id"], token["token"], float(token["logprob"]), top)
