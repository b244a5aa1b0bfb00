"""The open network as a model: requests that wait are taken together, one thread does the work."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from assay.core.errors import BadRequest, CannotRun, ModelError
from assay.core.model import Capability, Fingerprint, Grouping
from assay.core.replies import Embeddings, Finish, Reading, Reply, Scores, TokenLogprob
from assay.core.requests import Ask, Embed, Read, Score
from assay.core.validation import require
from assay.models.meter import Meter
from assay.models.network.network import Network
from assay.models.network.reading import (
    WINDOW,
    Passage,
    passages_of,
    read_passages,
    reading_of,
    score_continuations,
)
from assay.models.network.vocabulary import NetworkVocabulary
from assay.models.network.writing import Row, write, written_text
from assay.models.rendering import Renderer, require_room

ROWS = 32
"""Replies written at the same time, and readings taken together."""
LONGEST_READ = 200_000


@dataclass(slots=True, eq=False)
class _Waiting:
    """One request that waits for its turn."""

    kind: str
    payload: Any
    future: asyncio.Future[Any]


class OpenNetwork:
    """A network whose logits, hidden states and weights are open."""

    def __init__(
        self, name: str, network: Network, parts: dict[str, str], observer: Network | None = None
    ) -> None:
        self.name = name
        self.network = network
        self.observer = observer
        self.slots = ROWS
        self.grouping = Grouping.TOGETHER
        self.meter = Meter()
        self.context = min(network.context, WINDOW, observer.context if observer else WINDOW)
        self.fingerprint = Fingerprint.of(parts)
        self.vocabulary = NetworkVocabulary(network.tokenizer)
        abilities = {
            *(Capability.GENERATE, Capability.PREFILL, Capability.N, Capability.SEED, Capability.LOGPROBS),
            *(Capability.LOGIT_BIAS, Capability.TOKEN_PROMPTS, Capability.SCORE, Capability.TOKENS),
            *(Capability.PROMPT_LOGPROBS, Capability.LOGITS, Capability.ACTIVATIONS, Capability.WEIGHTS),
        }
        abilities |= {Capability.CHAT} if self.vocabulary.has_template else set()
        abilities |= {Capability.OBSERVER} if observer is not None else set()
        self.capabilities = frozenset(abilities)
        self._renderer = Renderer(self.vocabulary)
        self._untrained: dict[int, Network] = {}
        self._waiting: list[_Waiting] = []
        self._pump: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="assay-network")
        self._closed = False

    # --- what the lab asks

    async def generate(self, request: Ask, indexes: Sequence[int]) -> tuple[Reply, ...]:
        """One reply per sample index; sample i is drawn with seed + i."""
        if request.json_schema or request.grammar:
            raise CannotRun(
                f"{self.name} writes freely: it has no grammars.", hint="The embedded engine has: gguf:PATH"
            )
        assert request.seed is not None, "the driver sets the seed"
        self._check_tokens([token for token, _ in request.logit_bias])
        prompt = await self._prompt(request)
        require(len(prompt) > 0, "A prompt needs at least one token.")
        room = min(request.max_tokens, self.context - len(prompt))
        one = replace(request, n=1)
        seeds = [(request.seed + index) % 2**31 for index in indexes]
        futures = [self._submit("write", Row(prompt, one, seed, room)) for seed in seeds]
        try:
            return tuple(await asyncio.gather(*futures))
        finally:
            for future in futures:
                future.cancel()

    async def score(self, request: Score) -> Scores:
        """Log-probabilities of the continuations, in nats. Each is tokenised by itself."""
        prompt = await self._prompt(request)
        wanted = [await self._renderer.continuation(text) for text in request.continuations]
        if len(prompt) + max(map(len, wanted)) > self.context:
            raise BadRequest(
                f"Prompt and continuation have more than {self.context} tokens.", hint="Shorten them."
            )
        require(len(prompt) > 0, "A continuation needs at least one token before it.")
        require(all(wanted), "A continuation needs at least one token.")
        found: Scores = await self._submit("score", (prompt, wanted))
        return found

    async def read(self, request: Read) -> Reading:
        """What the network makes of a text."""
        if isinstance(request.text, str):
            tokens = tuple(self.vocabulary.ids(request.text))
            characters = self.vocabulary.offsets(request.text)
        else:
            tokens, characters = request.text, ()
            self._check_tokens(tokens)
        if request.only_tokens:
            return Reading(tokens, characters=characters, tokens_in=len(tokens))
        require(len(tokens) > 0, "The text has no tokens.")
        if len(tokens) > LONGEST_READ:
            raise BadRequest(
                f"The text has {len(tokens):,} tokens; at most {LONGEST_READ:,} are read in one piece.",
                hint="Read it in parts.",
            )
        self._check_tokens(request.vocabulary)
        if any(layer > self.network.layers for layer in request.layers):
            raise BadRequest(
                f"{self.name} has {self.network.layers} layers, and {max(request.layers)} was wanted."
            )
        if request.observer and self.observer is None:
            raise CannotRun(f"{self.name} was connected without an observer.", hint="Add: --observer hf:OTHER")
        before = tuple(self.vocabulary.ids(request.context, begin=True)) if request.context else ()
        before = before or tuple(self.vocabulary.ids("", begin=True))
        found: Reading = await self._submit("read", (tokens, before[-self.context // 2 :], request, characters))
        return found

    async def embed(self, request: Embed) -> Embeddings:
        """Not yet of this model's doing."""
        raise CannotRun(f"{self.name} gives no embeddings.", hint="Use an endpoint that has /v1/embeddings.")

    async def close(self) -> None:
        """Stop what is being worked on; the network is let go of."""
        self._closed = True
        for network in (self.network, self.observer, *self._untrained.values()):
            if network is not None:
                network.stopping = True
        for waiting in self._waiting:
            waiting.future.cancel()
        self._waiting.clear()
        if self._pump is not None and not self._pump.done():
            self._pump.cancel()
            await asyncio.gather(self._pump, return_exceptions=True)
        self._thread.shutdown(wait=True, cancel_futures=True)

    # --- the queue

    def _check_tokens(self, tokens: Sequence[int]) -> None:
        if tokens and max(tokens) >= self.network.vocabulary_size:
            raise BadRequest(
                f"Token {max(tokens)} is outside the vocabulary of {self.network.vocabulary_size:,}.",
                hint="These ids come from another tokenizer.",
            )

    async def _prompt(self, request: Ask | Score) -> tuple[int, ...]:
        prompt = await self._renderer.render(request.messages, request.prefill, raw=request.raw)
        require_room(self.name, prompt, self.context)
        return prompt

    def _submit(self, kind: str, payload: Any) -> asyncio.Future[Any]:
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(kind, payload, future))
        if self._pump is None or self._pump.done():
            self._pump = asyncio.get_running_loop().create_task(self._work())
        return future

    async def _work(self) -> None:
        """Batch after batch until nobody waits; those who ask meanwhile are in the next one."""
        while self._waiting:
            # Whoever is about to ask asks first: one batch instead of two.
            for _ in range(8):
                await asyncio.sleep(0)
            batch = self._take()
            if not batch:
                continue
            try:
                await self._do(batch)
            except BaseException:
                # Closed meanwhile: whoever waits must hear of it, or would wait for ever.
                for waiting in batch:
                    waiting.future.cancel()
                raise

    async def _do(self, batch: Sequence[_Waiting]) -> None:
        """Work on a batch; where it fails, on each of its requests alone."""
        kinds: dict[str, Work] = {"write": self._write, "score": self._score, "read": self._read}
        work = kinds[batch[0].kind]
        try:
            results = await asyncio.get_running_loop().run_in_executor(self._thread, _timed, work, batch)
        except Exception as error:
            if len(batch) == 1 or self._closed:
                _fail(batch, _sentence(self.name, error))
                return
            # One of them is at fault: the others need not share its end.
            for waiting in batch:
                await self._do([waiting])
        else:
            for waiting, result in zip(batch, results, strict=True):
                if not waiting.future.done():
                    waiting.future.set_result(result)

    def _take(self) -> list[_Waiting]:
        """The oldest request and others that can be done in one go with it."""
        self._waiting = [waiting for waiting in self._waiting if not waiting.future.done()]
        if not self._waiting:
            return []
        first = _alike(self._waiting[0])
        same = [waiting for waiting in self._waiting if _alike(waiting) == first][:ROWS]
        chosen = set(map(id, same))
        self._waiting = [waiting for waiting in self._waiting if id(waiting) not in chosen]
        return same

    # --- the work, on its own thread

    def _write(self, batch: Sequence[_Waiting]) -> list[Reply]:
        rows: list[Row] = []
        for waiting in batch:
            waiting.payload.is_wanted = lambda w=waiting: not w.future.cancelled()
            rows.append(waiting.payload)
        write(self.network, rows, lambda: self._closed)
        self.meter.requests += 1
        return [self._reply(row) for row in rows]

    def _reply(self, row: Row) -> Reply:
        decode = self.network.tokenizer.decode
        self.meter.prompt_tokens += len(row.prompt)
        self.meter.generated_tokens += len(row.tokens)
        text = written_text(self.network, row) if row.text is None else row.text
        return Reply(
            text=text.rstrip("\ufffd") if row.finish is Finish.LENGTH else text,
            finish=row.finish or Finish.LENGTH,
            tokens_in=len(row.prompt),
            tokens_out=len(row.tokens),
            logprobs=tuple(
                TokenLogprob(token, decode([token]), value, tuple((i, decode([i]), v) for i, v in top))
                for token, value, top in row.logprobs
            ),
        )

    def _score(self, batch: Sequence[_Waiting]) -> list[Scores]:
        sums = score_continuations(self.network, [waiting.payload for waiting in batch])
        found = []
        for waiting, values in zip(batch, sums, strict=True):
            prompt, wanted = waiting.payload
            counts = tuple(len(tokens) for tokens in wanted)
            found.append(Scores(tuple(values), counts, tokens_in=len(prompt) + sum(counts)))
        self._count(found)
        return found

    def _read(self, batch: Sequence[_Waiting]) -> list[Reading]:
        read = batch[0].payload[2]
        network = self._untrained_network(read.seed) if read.untrained else self.network
        passages: list[Passage] = []
        spans: list[tuple[int, int]] = []
        for waiting in batch:
            tokens, before, request, _ = waiting.payload
            own = passages_of(tokens, before, request, self.context)
            spans.append((len(passages), len(passages) + len(own)))
            passages.extend(own)
        parts = read_passages(network, passages, self.observer)
        found = []
        for waiting, (low, high) in zip(batch, spans, strict=True):
            tokens, before, _, characters = waiting.payload
            found.append(reading_of(tokens, len(before), parts[low:high], characters))
        self._count(found)
        return found

    def _untrained_network(self, seed: int) -> Network:
        if seed not in self._untrained:
            self._untrained.clear()
            self._untrained[seed] = self.network.untrained(seed)
        return self._untrained[seed]

    def _count(self, answers: Sequence[Scores | Reading]) -> None:
        self.meter.requests += 1
        self.meter.prompt_tokens += sum(answer.tokens_in for answer in answers)


def _alike(waiting: _Waiting) -> Any:
    """Requests with an equal key can be done together."""
    if waiting.kind != "read":
        return waiting.kind
    return "read", replace(waiting.payload[2], text=(0,), context="")


Work = Callable[[Sequence[_Waiting]], Sequence[Any]]


def _timed(work: Work, batch: Sequence[_Waiting]) -> list[Any]:
    """The answers, each with its share of the seconds they took together."""
    wall, cpu = time.monotonic(), time.process_time()
    answers = work(batch)
    share = 1 / len(answers)
    spent, burnt = (time.monotonic() - wall) * share, (time.process_time() - cpu) * share
    return [replace(answer, seconds=spent, cpu_seconds=burnt) for answer in answers]


def _sentence(name: str, error: Exception) -> Exception:
    """The error as a user can read it; torch says everything with RuntimeError, sometimes without a word."""
    if isinstance(error, MemoryError):
        return ModelError("There is too little memory for this.", hint="Take a smaller network.")
    if isinstance(error, RuntimeError):
        said = (str(error).splitlines() or [type(error).__name__])[0]
        return ModelError(f"{name} failed: {said}")
    return error


def _fail(batch: Sequence[_Waiting], error: Exception) -> None:
    for waiting in batch:
        if not waiting.future.done():
            waiting.future.set_exception(error)
