"""Runs flows. The one place where a technique's requests meet models, sandbox and cache.

A flow is advanced as soon as all replies of its last step are there; hundreds are in flight and
their requests share the models' slots (`dispatch`). What a flow asked and got is its trace; given
the same trace again it takes the same path, which is how a run resumes.
"""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import inspect
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from assay.core.errors import AssayError, BudgetExceeded, CannotRun, UserError
from assay.core.flow import Flow
from assay.core.model import Grouping, Model, Trainable
from assay.core.replies import AnyReply, Ended, Execution, Finish, Page, Reply, Used
from assay.core.requests import Ask, Embed, Execute, Fetch, Read, Request, Score, Use
from assay.core.training import Made, Make
from assay.core.usage import Budget, Usage
from assay.lab.agents.toolbox import Toolbox
from assay.lab.codec import answer_from_json, cache_key, reply_from_json, reply_to_json, request_to_json, shown
from assay.lab.dispatch import Dispatcher
from assay.lab.workshop import Workshop
from assay.sandbox import Sandbox, open_sandbox

T = TypeVar("T")


class Cache(Protocol):
    """Keeps replies by key."""

    def get(self, key: bytes) -> Any | None:
        """The JSON kept under the key, or None."""
        ...

    def put(self, key: bytes, fingerprint: str, value: Any) -> None:
        """Keep a JSON value; it becomes durable before anything that is written after it."""
        ...


@dataclass(frozen=True, slots=True)
class Job(Generic[T]):
    """A flow to be run, and with what."""

    key: Any
    """Whatever tells the caller which job this is."""
    start: Callable[[], Flow[T]]
    model: Model
    seed: int = 0
    """Seeds of requests derive from it: two jobs with one seed draw the same replies to the same request."""
    first_index: int = 0
    """Sample indexes begin here; another start draws fresh replies to the same requests."""
    budget: Budget | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """What a flow asked at one point and what it got."""

    requests: tuple[Request, ...]
    replies: tuple[AnyReply, ...]

    def to_json(self) -> list[dict[str, Any]]:
        """The step as JSON, a pair per request."""
        pairs = zip(self.requests, self.replies, strict=True)
        return [{"request": shown(request_to_json(q)), "reply": reply_to_json(r)} for q, r in pairs]


@dataclass(slots=True)
class Done(Generic[T]):
    """How a job ended: with a value or with an error; never with both."""

    key: Any
    value: T | None = None
    error: AssayError | None = None
    usage: Usage = field(default_factory=Usage)
    """What it cost, replies from the cache included."""
    steps: list[Step] = field(default_factory=list)

    def result(self) -> T:
        """The value; the error is raised where the job ended in one."""
        if self.error is not None:
            raise self.error
        return self.value  # type: ignore[return-value]


@dataclass(slots=True)
class _Draw:
    """A reply that is being drawn, and how many flows wait for it."""

    task: asyncio.Task[Reply]
    waiting: int = 0

    def leave(self) -> None:
        """One flow waits no more; with the last one the draw is called off."""
        self.waiting -= 1
        if self.waiting == 0 and not self.task.done():
            self.task.cancel()


class Driver:
    """Runs jobs; belongs to one event loop. `fresh` counts what was really spent, the cache left out."""

    def __init__(
        self,
        *,
        cache: Cache | None = None,
        sandbox: Callable[[], Awaitable[Sandbox]] = open_sandbox,
        fetch: Callable[[Fetch], Awaitable[Page]] | None = None,
        workshop: Workshop | None = None,
        toolbox: Toolbox | None = None,
    ) -> None:
        self.fresh = Usage()
        self._cache = cache
        self._open_sandbox = sandbox
        self._sandbox: asyncio.Future[Sandbox] | None = None
        self._fetch = fetch
        self.workshop = workshop
        self.toolbox = toolbox
        self._dispatchers: dict[Model, Dispatcher] = {}
        self._drawing: dict[bytes, _Draw] = {}

    async def run(self, jobs: Iterable[Job[T] | None], *, in_flight: int = 0) -> AsyncGenerator[Done[T]]:
        """Ended jobs as they end. Jobs are taken from the iterable only when there is room for them.

        A None among them means "none just now": it is asked again when the next job has ended, and
        taken for the end where none is in flight. Closing the iterator early cancels what is in flight.
        """
        waiting = iter(jobs)
        running: set[asyncio.Task[Done[T]]] = set()
        exhausted = False
        try:
            while True:
                while not exhausted and len(running) < self._room(in_flight):
                    try:
                        job = next(waiting)
                    except StopIteration:
                        exhausted = True
                        break
                    if job is None:
                        break
                    running.add(asyncio.create_task(self.drive(job)))
                if not running:
                    return
                ended, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in ended:
                    yield task.result()
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    def _room(self, wish: int) -> int:
        """Enough flows that a freed slot always finds a request ready, even while some run code."""
        return wish or max((2 * model.slots + 2 for model in self._dispatchers), default=8)

    async def close(self) -> None:
        """Cancel everything in flight, stop the sandbox and whatever is being made."""
        if self.workshop is not None:
            await self.workshop.close()
        if self.toolbox is not None:
            await self.toolbox.close()
        for dispatcher in self._dispatchers.values():
            await dispatcher.close()
        if self._sandbox is not None and self._sandbox.done() and not self._sandbox.exception():
            await self._sandbox.result().close()

    async def drive(self, job: Job[T]) -> Done[T]:
        """One job to its end."""
        done: Done[T] = Done(job.key)
        asked: dict[bytes, int] = {}
        flow = job.start()
        if inspect.getgeneratorstate(flow) != inspect.GEN_CREATED:
            raise UserError("This flow has been run already.", hint="Call the technique again for a new one.")
        try:
            requests = next(flow)
            while True:
                try:
                    if job.budget is not None:
                        job.budget.check()
                    replies = await self._answer_all(job, requests, asked, done)
                except AssayError as error:
                    requests = flow.throw(error)
                    continue
                done.steps.append(Step(tuple(requests), tuple(replies)))
                requests = flow.send(replies)
        except StopIteration as stop:
            done.value = stop.value
        except AssayError as error:
            done.error = error
        finally:
            flow.close()
        return done

    async def _answer_all(
        self, job: Job[Any], requests: Sequence[Request], asked: dict[bytes, int], done: Done[Any]
    ) -> list[AnyReply]:
        tasks = [asyncio.ensure_future(self._answer(job, request, asked, done)) for request in requests]
        try:
            return list(await asyncio.gather(*tasks))
        finally:
            for task in tasks:
                task.cancel()

    async def _answer(self, job: Job[Any], request: Request, asked: dict[bytes, int], done: Done[Any]) -> AnyReply:
        answer: AnyReply
        wanted = request.max_tokens if isinstance(request, Ask) else 0
        if isinstance(request, Ask):
            request = self._prepare(request, job)
            key = cache_key(job.model.fingerprint.hash, request)
            first = job.first_index + asked.get(key, 0)
            # The same question asked again in one flow wants further samples, not the same ones.
            asked[key] = asked.get(key, 0) + request.n
            indexes = range(first, first + request.n)
            replies = await self._draw(job.model, request, list(indexes))
            answer, usage = replies, _usage_of(replies, job.model.grouping)
        elif isinstance(request, Score | Read | Embed):
            answer, usage = await self._whole(job.model, request)
        elif isinstance(request, Execute):
            answer = await self._execute(request)
            usage = Usage(executions=1, seconds=answer.seconds)
        elif isinstance(request, Use):
            answer = await self._use(request)
            usage = Usage(seconds=answer.seconds)
        elif isinstance(request, Make):
            answer = await self._make(job.model, request)
            usage = Usage(1, answer.tokens_in, answer.tokens_out, 0, answer.seconds, answer.cpu_seconds)
        else:
            answer, usage = await self._page(request), Usage()
        done.usage += usage
        if job.budget is not None:
            job.budget.spend(usage)
            if isinstance(request, Ask) and request.max_tokens < wanted and _any_cut(answer):
                # Cut by the budget and not by the model: no reply to be measured.
                raise BudgetExceeded("tokens", job.budget.spent("tokens"), job.budget.spent("tokens"))
        return answer

    def _prepare(self, request: Ask, job: Job[Any]) -> Ask:
        """With a seed, and with no more tokens wanted than the budget has left."""
        if job.budget is not None:
            left = job.budget.left("tokens") / request.n
            if left < 1:
                raise BudgetExceeded("tokens", job.budget.spent("tokens"), job.budget.spent("tokens"))
            request = dataclasses.replace(request, max_tokens=int(min(request.max_tokens, left)))
        if request.seed is not None:
            return request
        if request.temperature == 0:
            return dataclasses.replace(request, seed=0)
        text = json.dumps([job.seed, request_to_json(dataclasses.replace(request, n=1))], sort_keys=True)
        digest = hashlib.sha256(text.encode()).digest()
        return dataclasses.replace(request, seed=int.from_bytes(digest[:4], "big") >> 2)

    async def _draw(self, model: Model, request: Ask, indexes: list[int]) -> tuple[Reply, ...]:
        """One reply per sample: from the cache, from a flow that is drawing it already, or drawn now."""
        keys = {index: cache_key(model.fingerprint.hash, request, index) for index in indexes}
        known = {index: self._cached(key) for index, key in keys.items() if key not in self._drawing}
        missing = [index for index, reply in known.items() if reply is None]
        drawn = self._dispatcher(model).ask(request, missing) if missing else []
        for index, future in zip(missing, drawn, strict=True):
            keeping = self._keep(model, keys[index], future, bills_prompt=index == missing[0])
            self._drawing[keys[index]] = _Draw(asyncio.ensure_future(keeping))
        coming = {index: self._drawing[keys[index]] for index in indexes if known.get(index) is None}
        for draw in coming.values():
            draw.waiting += 1
        try:
            # Shielded: another flow may wait for the same reply when this one is cancelled.
            await asyncio.gather(*(asyncio.shield(draw.task) for draw in coming.values()))
        finally:
            for draw in coming.values():
                draw.leave()
        return tuple(known.get(i) or coming[i].task.result() for i in indexes)

    def _cached(self, key: bytes) -> Reply | None:
        fields = self._cache.get(key) if self._cache else None
        return None if fields is None else reply_from_json(fields)

    async def _keep(self, model: Model, key: bytes, future: asyncio.Future[Reply], *, bills_prompt: bool) -> Reply:
        """A reply on its way to the flow, written to the cache as it passes."""
        try:
            reply = await future
            prompt = reply.tokens_in if bills_prompt else 0
            self.fresh += Usage(int(bills_prompt), prompt, reply.tokens_out)
            if self._cache:
                (fields,) = reply_to_json((reply,))
                self._cache.put(key, model.fingerprint.hash, fields)
            return reply
        finally:
            self._drawing.pop(key, None)

    async def _whole(self, model: Model, request: Score | Read | Embed) -> tuple[AnyReply, Usage]:
        key = cache_key(model.fingerprint.hash, request)
        known = self._cache.get(key) if self._cache else None
        if known is not None:
            answer = answer_from_json(type(request).__name__.lower(), known)
        else:
            answer = await self._dispatcher(model).whole(request)
            if self._cache:
                self._cache.put(key, model.fingerprint.hash, reply_to_json(answer))
        assert not isinstance(answer, tuple | Execution | Page | Used | Made), "scores, a reading or vectors"
        usage = Usage(1, answer.tokens_in, seconds=answer.seconds, cpu_seconds=answer.cpu_seconds)
        if known is None:
            self.fresh += Usage(calls=1, tokens_in=answer.tokens_in)
        return answer, usage

    async def _execute(self, request: Execute) -> Execution:
        """From the cache where the program has ended by itself before: it ends so again, in the same time."""
        key = cache_key("sandbox", request)
        known = self._cache.get(key) if self._cache else None
        if known is not None:
            found = answer_from_json("execute", known)
            assert isinstance(found, Execution), "an execution was kept"
            return found
        execution = await (await self.sandbox()).run(request)
        if self._cache and execution.ended in (Ended.OK, Ended.ERROR):
            self._cache.put(key, "sandbox", reply_to_json(execution))
        return execution

    async def sandbox(self) -> Sandbox:
        """The sandbox, opened when it is first needed; `SandboxMissing` where this machine has none."""
        if self._sandbox is None:
            self._sandbox = asyncio.ensure_future(self._open_sandbox())
        return await asyncio.shield(self._sandbox)

    async def _page(self, request: Fetch) -> Page:
        if self._fetch is None:
            raise CannotRun("This flow fetches web pages, and no fetcher was given to the driver.")
        return await self._fetch(request)

    async def _use(self, request: Use) -> Used:
        if self.toolbox is None:
            raise CannotRun("This flow uses tools, and no toolbox was given to the driver.")
        return await self.toolbox.use(request)

    async def _make(self, model: Model, request: Make) -> Made:
        """The artefact of a recipe, on the model's own weights where it has some to begin with."""
        if self.workshop is None:
            raise CannotRun("This flow trains, and no workshop was given to the driver.")
        recipe = request.recipe
        if isinstance(model, Trainable) and model.begins_with:
            recipe = recipe.on(model.begins_with, model.identity)
        return await self.workshop.make(recipe)

    def _dispatcher(self, model: Model) -> Dispatcher:
        if model not in self._dispatchers:
            self._dispatchers[model] = Dispatcher(model)
        return self._dispatchers[model]


def _any_cut(answer: AnyReply) -> bool:
    return isinstance(answer, tuple) and any(reply.finish is Finish.LENGTH for reply in answer)


def _usage_of(replies: tuple[Reply, ...], grouping: Grouping) -> Usage:
    """Cost of one `Ask`: every reply in full, and the prompt once, or once a reply where there is no n."""
    each = grouping is Grouping.SINGLY
    return Usage(
        calls=len(replies) if each else 1,
        tokens_in=sum(reply.tokens_in for reply in replies) if each else replies[0].tokens_in,
        tokens_out=sum(reply.tokens_out for reply in replies),
        seconds=sum(reply.seconds for reply in replies),
        cpu_seconds=sum(reply.cpu_seconds for reply in replies),
    )
