"""A technique as a model: its flow on the last message, run by the lab, its answer as the assistant's message.

What a technique sees   the last user message is its question. Earlier turns, a system message among them, stand
                        as turns of their own in front of every request it makes; raw text has no turns, and a
                        technique that sends it is refused such a conversation.
What it decides itself  temperature, top_p and stop texts: fields of that kind are ignored, and `assay.ignored`
                        in the answer names them. Its own settings go into the field `assay` of the request.
`max_tokens`            bounds every single reply of the model. What the whole may cost is the server's to say.
"""

from __future__ import annotations

import asyncio
import dataclasses
import secrets
from collections.abc import Callable, Sequence
from typing import Any

from assay.core import Answer, Ask, BadRequest, Budget, Finish, Flow, Message, Score, UserError
from assay.core.flow import rewrite
from assay.core.requests import Request
from assay.lab.driver import Done, Job
from assay.serve.forms import ChatForm, Setting, messages_of
from assay.serve.gate import Gate
from assay.serve.names import Named
from assay.serve.problems import Problem
from assay.serve.shapes import Sheet, usage_of
from assay.serve.watched import Watched
from assay.workbench.pool import Pool
from assay.workbench.techniques import bind, needs_of

BEAT_SECONDS = 5.0
"""A stream that has nothing to say sends a comment so often, lest somebody in between takes it for dead."""
TRACE = "x-assay-trace"
IGNORED = ("temperature", "top_p", "stop", "presence_penalty", "frequency_penalty", "logit_bias")


class Answering(Watched):
    """The answer of a technique; its trace is kept under the id that the header `x-assay-trace` names."""

    def __init__(
        self, pool: Pool, named: Named, addresses: tuple[str, ...], form: ChatForm, gate: Gate, tokens: float
    ) -> None:
        super().__init__()
        self._pool = pool
        self._named = named
        self._model = f"openai/{named.model}" if addresses else named.model
        self._addresses = addresses
        self._form = form
        self._gate = gate
        self._tokens = tokens
        self._start = flow_of(named, form)
        self._sheet = Sheet(form.model)
        self.trace = secrets.token_hex(16)

    def named(self) -> dict[str, str]:
        """The header with the trace's id; an answer that failed has one, too."""
        return {TRACE: self.trace}

    async def answer(self) -> None:
        """In one piece or as a stream."""
        work = asyncio.ensure_future(self._work())
        try:
            if self._form.stream:
                await self._stream(work)
                return
            done, answer = await work
            spent = usage_of(done.usage.tokens_in, done.usage.tokens_out)
            choices = [_choice(answer, done)]
            await self.whole(self._sheet.whole([], spent, choices=choices, assay=self._about(done, answer)))
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)

    async def _stream(self, work: asyncio.Future[tuple[Done[Answer], Answer]]) -> None:
        # Whoever finds no place to wait in is sent away with a status, and not inside a stream.
        if (await asyncio.wait((work,), timeout=0))[0]:
            work.result()
        await self.begin_events()
        await self.event(self._sheet.begins(0))
        while not (await asyncio.wait((work,), timeout=BEAT_SECONDS))[0]:
            await self.piece(b": at work\n\n")
        done, answer = work.result()
        said, refusal = words_of(answer, _written(done))
        if said:
            await self.event(self._sheet.says(0, said))
        last = self._sheet.ends(0, answer.finish, assay=self._about(done, answer))
        if refusal:
            last["choices"][0]["delta"] = {"refusal": refusal}
        await self.event(last)
        if self._form.wants_usage:
            await self.event(self._sheet.cost(usage_of(done.usage.tokens_in, done.usage.tokens_out)))
        await self.end(b"data: [DONE]\n\n")

    async def _work(self) -> tuple[Done[Answer], Answer]:
        """Run the flow under the budget and keep what it asked and got, however it ended."""
        async with self._gate.enter():
            model = await self._pool.model(self._model, needs_of(self._named.technique), self._addresses)
            seed = secrets.randbits(31) if self._form.seed is None else self._form.seed % 2**31
            budget = Budget(tokens=self._tokens)
            done = await self._pool.driver.drive(Job(None, self._start, model, seed=seed, budget=budget))
        pairs = [pair for step in done.steps for pair in step.to_json()]
        await self._pool.store.keep(self.trace, pairs)
        return done, done.result()

    def _about(self, done: Done[Answer], answer: Answer) -> dict[str, Any]:
        """What OpenAI's shape has no place for."""
        return {
            "technique": self._named.technique,
            "value": answer.value,
            "votes": [list(vote) for vote in answer.votes],
            "measures": dict(answer.measures),
            "detail": answer.detail,
            "calls": done.usage.calls,
            "executions": done.usage.executions,
            "ignored": [name for name in IGNORED if getattr(self._form, name) is not None],
            "trace": self.trace,
        }


def flow_of(named: Named, form: ChatForm) -> Callable[[], Flow[Answer]]:
    """Starts the technique on the last user message; `Problem` or `UserError` where the request asks for more."""
    for asked, what in (
        (form.calls_tools, "tools"),
        ((form.n or 1) > 1, "n above 1"),
        (form.logprobs, "logprobs"),
        (form.response_format and form.response_format.schema_text, "response_format"),
    ):
        if asked:
            raise Problem(400, f"{named.technique} has no {what}; ask the bare model {named.model} for that.")
    *before, last = form.messages
    if last.role != "user" or not last.words.strip():
        raise Problem(400, "A technique answers the last message, which must be the user's and not empty.")
    given = (f"{name}={_setting(name, value)}" for name, value in (form.assay or {}).items())
    settings = [*named.settings, *given]
    earlier = messages_of([(turn.role, turn.words) for turn in before])
    try:
        bind(named.technique, last.words, settings).close()
    except UserError as error:
        hint = error.hint if "--set" not in error.hint else 'Settings go into the field "assay": {NAME: VALUE}.'
        raise Problem(400, f"{error.message} {hint}") from None

    def start() -> Flow[Answer]:
        flow = bind(named.technique, last.words, settings)
        return rewrite(flow, lambda request: _placed(request, earlier, form.longest))

    return start


def _setting(name: str, value: Setting) -> str:
    """A value as settings are typed; `Problem` for options that are fewer than two or hold their separator."""
    options = value if isinstance(value, list) else str(value).split("|")
    if any("|" in option for option in options) or (name == "choices" and len(options) < 2):
        raise Problem(400, f"assay.{name} is a list of two or more texts, without '|' in them.")
    return "|".join(options)


def _placed(request: Request, earlier: tuple[Message, ...], longest: int | None) -> Request:
    """A technique's request with the conversation in front of it and its replies bounded."""
    if isinstance(request, Ask) and longest is not None:
        request = dataclasses.replace(request, max_tokens=min(request.max_tokens, longest))
    if not earlier or not isinstance(request, Ask | Score):
        return request
    if request.raw:
        raise BadRequest(
            "This technique sends raw text, before which no conversation can stand. Send one message."
        )
    begun, own = earlier, request.messages
    if begun[0].role == own[0].role == "system":
        # One system message is all that most templates know.
        both = Message("system", f"{begun[0].text}\n\n{own[0].text}")
        begun, own = (both, *begun[1:]), own[1:]
    return dataclasses.replace(request, prompt=begun + own)


def words_of(answer: Answer, written: Sequence[str] = ()) -> tuple[str, str]:
    """What the assistant says, and why it says nothing where it has no answer.

    What the model has `written` is no reason: a detail may be a piece of that, such as a chain of thoughts.
    """
    said = answer.value if answer.value is not None else answer.text.strip()
    said = said or "\n".join(f"{name} {value:.4g}" for name, value in answer.measures.items())
    if said:
        return said, ""
    reason = "" if any(answer.detail in text for text in written) else answer.detail
    cut = "The reply was cut at its limit of tokens." if answer.finish is Finish.LENGTH else ""
    return "", reason or cut or "The technique came to no answer."


def _written(done: Done[Answer]) -> list[str]:
    """Every text of the model's."""
    drawn = [replies for step in done.steps for replies in step.replies if isinstance(replies, tuple)]
    return [reply.text for replies in drawn for reply in replies]


def _choice(answer: Answer, done: Done[Answer]) -> dict[str, Any]:
    said, refusal = words_of(answer, _written(done))
    finish = {Finish.LENGTH: "length", Finish.REFUSED: "content_filter"}.get(answer.finish, "stop")
    message = {"role": "assistant", "content": said or None, "refusal": refusal or None}
    return {"index": 0, "message": message, "finish_reason": finish, "logprobs": None}
