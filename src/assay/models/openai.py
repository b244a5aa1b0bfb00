"""Any OpenAI-compatible endpoint as a model: vLLM, SGLang, Ollama, llama-server, a hosted service.

Several addresses may serve the same model; each request goes to the one with the fewest outstanding.
What the endpoint can do is found by `probing`, never guessed from a name.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import time
from base64 import b64encode
from collections.abc import AsyncGenerator, Sequence
from typing import Any

from assay.core.errors import BadReply, CannotRun, ClosedModel, EndpointDown, UnknownName, UserError
from assay.core.model import Capability, Fingerprint, Grouping
from assay.core.replies import Embeddings, Finish, Numbers, Piece, Reading, Reply, Scores, TokenLogprob
from assay.core.requests import Ask, Embed, Image, Message, Read, Score, Text
from assay.models.meter import Meter
from assay.models.probing import Probed, probe
from assay.models.streaming import Listening
from assay.models.transport import Transport

MOST_TOKENS = 1_000_000_000
"""More than this no request has."""
_FINISH = {"stop": Finish.STOP, "eos": Finish.STOP, "length": Finish.LENGTH, "content_filter": Finish.REFUSED}


class OpenAI:
    """A model behind one or more OpenAI-compatible addresses."""

    def __init__(self, name: str, transports: Sequence[Transport], probed: Probed, *, slots: int) -> None:
        self.name = f"openai/{name}"
        self.capabilities = probed.capabilities
        self.slots = slots * len(transports)
        self.grouping = Grouping.TOGETHER if Capability.N in probed.capabilities else Grouping.SINGLY
        self.meter = Meter()
        self.transports = tuple(transports)
        self._most_together = 128 if Capability.N in probed.capabilities else 1
        self._wire_name = name
        self._cap_field = probed.cap_field
        # Where the usage counts one reply of n, listed log-probabilities count the tokens of each.
        self.counts_all = probed.counts_all
        self._must_list = not probed.counts_all and Capability.LOGPROBS in probed.capabilities
        abilities = " ".join(sorted(capability.value for capability in probed.capabilities))
        parts = {
            "abilities": abilities,
            "endpoint": " ".join(sorted(t.address for t in transports)),
            "model": name,
            "served": probed.served,
        }
        self.fingerprint = Fingerprint.of(parts)

    @classmethod
    async def connect(cls, name: str, addresses: Sequence[str], key: str, *, slots: int, seconds: float) -> OpenAI:
        """Checks that every address serves the model, and probes the first for what it can do.

        Raises:
            EndpointDown: nothing answers at an address.
            UnknownName: the server lists its models and this is none of them.
        """
        transports = [Transport(with_version(address), key=key, seconds=seconds) for address in addresses]
        for transport in transports:
            await _check_served(transport, name)
        return cls(name, transports, await probe(transports[0], name), slots=slots)

    @classmethod
    def encoder(cls, name: str, addresses: Sequence[str], key: str, *, seconds: float) -> OpenAI:
        """A model that is asked for vectors alone; it is not probed, for it need not chat."""
        transports = [Transport(with_version(address), key=key, seconds=seconds) for address in addresses]
        return cls(name, transports, Probed(frozenset({Capability.EMBED}), "max_tokens", False, ""), slots=8)

    @property
    def _transport(self) -> Transport:
        return min(self.transports, key=lambda transport: transport.outstanding)

    async def generate(self, request: Ask, indexes: Sequence[int]) -> tuple[Reply, ...]:
        """One reply per sample index; where the endpoint gave fewer than asked, it is asked again."""
        replies: list[Reply] = []
        most = self._most_together
        while len(replies) < len(indexes):
            wanted = len(indexes) - len(replies)
            together = min(wanted, most)
            try:
                got = await self._generate_once(request, indexes[len(replies)], together)
            except BadReply:
                if together == 1:
                    raise
                # Servers have an n they refuse, and say it each in their own words.
                most = together // 2
                continue
            self._most_together = most
            if not got:
                raise EndpointDown(f"{self.name} answered without a choice.")
            replies.extend(got[:wanted])
        return tuple(replies)

    async def _generate_once(self, request: Ask, first: int, n: int) -> list[Reply]:
        started = time.monotonic()
        path, body = self._body(request, first, n)
        answer = await self._transport.post(path, body | {"stream": False})
        return self._read(answer, request, time.monotonic() - started)

    async def stream(self, request: Ask, indexes: Sequence[int]) -> AsyncGenerator[Piece]:
        """The replies piece by piece. Counts come at a request's end, and with them its last pieces."""
        done = 0
        while done < len(indexes):
            together = min(len(indexes) - done, self._most_together)
            path, body = self._body(request, indexes[done], together)
            body |= {"stream": True, "stream_options": {"include_usage": True}}
            started, heard = time.monotonic(), Listening(together, request.prefill)
            try:
                async with contextlib.aclosing(self._transport.events(path, body)) as events:
                    async for event in events:
                        for index, text, listed in heard.take(event):
                            yield Piece(indexes[done + index], text, tuple(_token_logprob(one) for one in listed))
            except BadReply:
                if together == 1 or heard.begun:
                    raise
                self._most_together = together // 2
                continue
            except (GeneratorExit, asyncio.CancelledError):
                # The endpoint says what it bills at the end, which does not come now.
                self.meter.requests += 1
                self.meter.generated_tokens += heard.tokens
                raise
            replies = self._read(heard.answer(self.name), request, time.monotonic() - started)
            for index, reply in enumerate(replies):
                # An endpoint with n evaluates the prompt once; what it had in a cache it does not say.
                evaluated = 0 if index else reply.tokens_in
                yield Piece(indexes[done + index], heard.rest(index), (), reply, evaluated)
            done += together

    def _body(self, request: Ask, first: int, n: int) -> tuple[str, dict[str, Any]]:
        """Path and body of the request for replies first to first + n - 1."""
        assert request.seed is not None, "the driver sets the seed"
        if request.processor is not None:
            raise ClosedModel(self.name)
        body: dict[str, Any] = {
            "model": self._wire_name,
            "temperature": request.temperature,
            "top_p": request.top_p,
            "n": n,
        }
        if request.stop:
            body["stop"] = list(request.stop)
        if Capability.SEED in self.capabilities:
            body["seed"] = (request.seed + first) % 2**31
        self._add_constraints(body, request)
        if request.raw:
            body |= {"prompt": request.prompt, "max_tokens": request.max_tokens}
            return "/completions", body | ({"logprobs": request.logprobs} if request.logprobs else {})
        body |= {"messages": self._messages(request), self._cap_field: request.max_tokens}
        if request.logprobs or (n > 1 and self._must_list):
            body |= {"logprobs": True, "top_logprobs": max(1, request.logprobs)}
        return "/chat/completions", body

    def _messages(self, request: Ask) -> list[dict[str, Any]]:
        messages = [{"role": message.role, "content": _content(message)} for message in request.messages]
        if request.prefill:
            if Capability.PREFILL not in self.capabilities:
                # The nearest shape such an endpoint has: the model is told how its answer begins.
                asked = f"Begin your answer with exactly these words and go on from there:\n{request.prefill}"
                return [*messages, {"role": "user", "content": asked}]
            messages.append({"role": "assistant", "content": request.prefill})
        return messages

    def _add_constraints(self, body: dict[str, Any], request: Ask) -> None:
        for wanted, capability in (
            (request.json_schema, Capability.JSON_SCHEMA),
            (request.grammar, Capability.GRAMMAR),
            (request.logit_bias, Capability.LOGIT_BIAS),
            (request.logprobs, Capability.LOGPROBS),
        ):
            if wanted and capability not in self.capabilities:
                raise CannotRun(
                    f"{self.name} has no {capability.value.replace('_', ' ')}.",
                    hint="The embedded model has: --model smollm2-135m",
                )
        if request.json_schema:
            schema = {"name": "reply", "strict": True, "schema": json.loads(request.json_schema)}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        if request.grammar:
            body["grammar"] = request.grammar
        if request.logit_bias:
            body["logit_bias"] = {str(token): bias for token, bias in request.logit_bias}

    def _read(self, answer: Any, request: Ask, seconds: float) -> list[Reply]:
        """The replies of an answer; anything that is not of the promised shape is worth another try."""
        try:
            usage = answer.get("usage") or {}
            choices = [_choice(choice, request) for choice in answer["choices"]]
            tokens_in = _counted(usage.get("prompt_tokens")) or _guessed_tokens(_told(request))
            said = _counted(usage.get("completion_tokens")) or sum(_guessed_tokens(text) for text, *_ in choices)
            self.meter.guessed += not usage.get("prompt_tokens")
        except (AttributeError, KeyError, TypeError, ValueError, IndexError, OverflowError) as error:
            raise EndpointDown(f"{self.name} answered in an unknown shape ({error!r:.60}).") from None
        counts = _tokens_per_choice(choices, said)
        self.meter.requests += 1
        self.meter.prompt_tokens += tokens_in
        self.meter.generated_tokens += sum(counts)
        return [
            Reply(text, finish, tokens_in, count, logprobs, seconds)
            for (text, finish, logprobs), count in zip(choices, counts, strict=True)
        ]

    async def score(self, request: Score) -> Scores:
        """By the endpoint's own prompt log-probabilities (`echo`), where it has them."""
        if Capability.PROMPT_LOGPROBS not in self.capabilities:
            raise CannotRun(
                f"{self.name} cannot score a given text: it has no prompt log-probabilities.",
                hint="The embedded model can: --model smollm2-135m",
            )
        if not request.raw:
            raise CannotRun(f"{self.name} can score raw text only, not a chat.", hint="Use --model smollm2-135m.")
        prompt = str(request.prompt) + request.prefill
        totals, counts, tokens_in = [], [], 0
        for continuation in request.continuations:
            body = {
                "model": self._wire_name,
                "prompt": prompt + continuation,
                "max_tokens": 1,
                "temperature": 0.0,
            }
            answer = await self._transport.post("/completions", body | {"echo": True, "logprobs": 1})
            try:
                listed = answer["choices"][0]["logprobs"]
                inside = [
                    logprob
                    for logprob, offset in zip(listed["token_logprobs"], listed["text_offset"], strict=True)
                    if len(prompt) <= offset < len(prompt) + len(continuation)
                ]
                totals.append(float(sum(inside)))
            except (KeyError, TypeError, ValueError, IndexError) as error:
                raise EndpointDown(f"{self.name} scored in an unknown shape ({error!r:.60}).") from None
            counts.append(len(inside))
            tokens_in += int((answer.get("usage") or {}).get("prompt_tokens") or 0)
        return Scores(tuple(totals), tuple(counts), tokens_in)

    async def read(self, request: Read) -> Reading:
        """Never: an endpoint shows neither its tokenizer nor its network."""
        raise ClosedModel(self.name)

    async def embed(self, request: Embed) -> Embeddings:
        """One vector per text, by `/embeddings`."""
        started = time.monotonic()
        body = {"model": self._wire_name, "input": list(request.texts)}
        answer = await self._transport.post("/embeddings", body)
        vectors, tokens = read_embeddings(answer, len(request.texts), self.name)
        self.meter.requests += 1
        self.meter.prompt_tokens += tokens
        return Embeddings(vectors, tokens, time.monotonic() - started)

    async def close(self) -> None:
        """Let go of this event loop's connections."""
        for transport in self.transports:
            await transport.close()


def read_embeddings(answer: Any, count: int, name: str) -> tuple[Numbers, int]:
    """Vectors and tokens of an answer of `/v1/embeddings`; `BadReply` where it is none for that many texts."""
    try:
        rows = sorted(answer["data"], key=lambda row: int(row["index"]))
        vectors = Numbers.of([[float(x) for x in row["embedding"]] for row in rows])
        tokens = int((answer.get("usage") or {}).get("prompt_tokens") or 0)
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise BadReply(f"{name} answered /embeddings in an unknown shape ({error!r:.60}).") from None
    if len(vectors) != count:
        raise BadReply(f"{name} gave {len(vectors)} vectors for {count} texts.")
    if not all(map(math.isfinite, vectors.array().flat)):
        raise BadReply(f"{name} gave a vector with a number that is not finite.")
    return vectors, tokens


def with_version(address: str) -> str:
    """Addresses are given with or without `/v1`; an address without a path gets it."""
    address = address.rstrip("/")
    if not address.startswith(("http://", "https://")):
        raise UserError(f"'{address}' is not an address.", hint="Write it as http://HOST:PORT/v1")
    return address if "/" in address.split("://", 1)[1] else address + "/v1"


async def _check_served(transport: Transport, name: str) -> None:
    response = await transport.get("/models")
    if response.status_code in (401, 403):
        raise UserError(f"{transport.address} wants a key.", hint="Set OPENAI_API_KEY in the environment.")
    if response.status_code != 200:
        return
    try:
        listed = [str(entry["id"]) for entry in response.json()["data"]]
    except (ValueError, KeyError, TypeError):
        return
    if listed and name not in listed:
        raise UnknownName(
            f"model at {transport.address}", name, listed, hint=f"It serves: {', '.join(listed[:8])}."
        )


def _content(message: Message) -> Any:
    if isinstance(message.content, str):
        return message.content
    parts: list[dict[str, Any]] = []
    for part in message.content:
        if isinstance(part, Image):
            data = f"data:{part.media_type};base64,{b64encode(part.data).decode()}"
            parts.append({"type": "image_url", "image_url": {"url": data}})
        else:
            parts.append({"type": "text", "text": part.text})
    return parts


_Choice = tuple[str, Finish, tuple[TokenLogprob, ...]]


def _choice(choice: dict[str, Any], request: Ask) -> _Choice:
    message = choice.get("message") or {}
    text = _words(choice["text"] if "text" in choice else message.get("content"))
    refusal = message.get("refusal")
    finish = Finish.REFUSED if refusal else _FINISH.get(str(choice.get("finish_reason")), Finish.STOP)
    if text is None and not refusal and not choice.get("finish_reason"):
        raise ValueError("a choice without text")
    # One that was cut while it thought, or that calls a tool, ends without a word: no fault, and it was paid for.
    body = text or str(refusal or "")
    # Servers differ in whether they repeat a prefill.
    if request.prefill and body.startswith(request.prefill):
        body = body[len(request.prefill) :]
    listed = (choice.get("logprobs") or {}).get("content") or ()
    return body, finish, tuple(_token_logprob(entry) for entry in listed)


def _words(content: Any) -> str | None:
    """The text of a message, whole or in parts; None where it has none."""
    if content is None or isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise ValueError(f"content of type {type(content).__name__}")
    return "".join(str(part["text"]) for part in content if isinstance(part, dict) and part.get("type") == "text")


def _told(request: Ask) -> str:
    """All text of a prompt."""
    turns = [request.prompt] if isinstance(request.prompt, str) else [turn.content for turn in request.prompt]
    parts = [part for turn in turns for part in (turn if isinstance(turn, tuple) else (Text(turn),))]
    return "".join(part.text for part in parts if isinstance(part, Text)) + request.prefill


def _token_logprob(entry: dict[str, Any]) -> TokenLogprob:
    top = tuple((-1, str(t["token"]), float(t["logprob"])) for t in entry.get("top_logprobs") or ())
    return TokenLogprob(-1, str(entry["token"]), float(entry["logprob"]), top)


def _counted(said: Any) -> int:
    """A count of tokens as the server says it; 0 where it says none."""
    count = int(said or 0)
    if not 0 <= count < MOST_TOKENS:
        raise ValueError("a token count that cannot be")
    return count


def _guessed_tokens(text: str) -> int:
    """About four characters to a token, where a server counts nothing."""
    return max(1, round(len(text) / 4)) if text else 0


def _tokens_per_choice(choices: Sequence[_Choice], said: int) -> list[int]:
    """Tokens of each choice: counted where log-probabilities are listed, else the total shared by length."""
    if all(logprobs for _, _, logprobs in choices):
        return [len(logprobs) for _, _, logprobs in choices]
    lengths = [max(1, len(text)) for text, _, _ in choices]
    counts = [said * length // sum(lengths) for length in lengths]
    counts[0] += said - sum(counts)
    return counts
