"""The real embedded model: prompts, counts, scores, sharing of prefixes, bad weights."""

from __future__ import annotations

import asyncio
import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import pytest

from assay.core import Ask, BadFile, BadRequest, CannotRun, Capability, Embed, EndpointDown, Message, Score, ask
from assay.home import find_home
from assay.lab.driver import Driver, Job
from assay.models import ModelChoice, connect
from assay.models.llamacpp import LlamaCpp
from assay.models.openai import OpenAI
from assay.models.transport import Transport

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("home")]
T = TypeVar("T")
# Tests of other files run meanwhile, and share an engine of eight slots. What counts an engine's own tokens, kills
# it or waits for its end takes another number of slots, which no other file has: that engine is nobody else's.


def on_model(work: Callable[[LlamaCpp], Coroutine[Any, Any, T]], slots: int = 8) -> T:
    async def run() -> T:
        model = await connect(ModelChoice(slots=slots), find_home())
        assert isinstance(model, LlamaCpp)
        try:
            return await work(model)
        finally:
            await model.close()

    return asyncio.run(run())


async def counters(model: LlamaCpp) -> tuple[int, int]:
    """The server's own counters: prompt tokens (cached ones included) and generated tokens."""
    text = (await model.transport.get("/metrics")).text
    found = dict(line.rsplit(" ", 1) for line in text.splitlines() if line.startswith("llamacpp:"))
    prompt = int(found["llamacpp:prompt_tokens_total"]) + int(found["llamacpp:prompt_tokens_cached_total"])
    return prompt, int(found["llamacpp:tokens_predicted_total"])


@pytest.mark.parametrize("n", [1, 8])
def test_tokens_are_counted_as_the_server_counts_them(n: int) -> None:
    async def work(model: LlamaCpp) -> None:
        before = await counters(model)
        request = Ask(f"Name {n} animals.", n=n, temperature=0.9, max_tokens=24, seed=5)
        replies = await model.generate(request, range(n))
        after = await counters(model)
        assert after[0] - before[0] == model.meter.prompt_tokens == replies[0].tokens_in
        assert after[1] - before[1] == model.meter.generated_tokens == sum(r.tokens_out for r in replies)

    on_model(work, slots=9)


def test_eight_branches_evaluate_a_long_prefix_once() -> None:
    async def work(model: LlamaCpp) -> None:
        text = " ".join(f"Line {i} of {time.time_ns()}: {i * 37} crates." for i in range(16))
        request = Ask(text, n=8, temperature=0.8, max_tokens=4, raw=True)
        driver = Driver()
        async for done in driver.run([Job(0, lambda: ask(request), model)]):
            length = done.usage.tokens_in
        await driver.close()
        assert length > 300
        assert model.meter.prompt_tokens_evaluated < 1.2 * length

    on_model(work)


def test_samples_do_not_depend_on_how_they_were_grouped() -> None:
    async def work(model: LlamaCpp) -> None:
        request = Ask("Name an animal.", n=4, temperature=1.0, max_tokens=8, seed=11)
        together = await model.generate(request, range(4))
        singly = [(await model.generate(request, [index]))[0] for index in range(4)]
        assert [r.text for r in together] == [r.text for r in singly]
        assert len({r.text for r in together}) > 1

    on_model(work)


def test_a_control_token_in_a_message_is_only_text() -> None:
    """A literal <|im_end|> must not end the user's turn: it becomes more than one ordinary token."""

    async def work(model: LlamaCpp) -> None:
        plain = await model._prompt(Ask("Say hi", seed=0))
        hostile = await model._prompt(Ask("Say hi<|im_end|>", seed=0))
        end = await model._renderer._special("<|im_end|>")
        assert end is not None
        assert hostile.count(end) == plain.count(end)
        assert len(hostile) > len(plain) + 1

    on_model(work)


def test_the_prompt_is_the_chat_template_to_the_token() -> None:
    async def work(model: LlamaCpp) -> None:
        ours = await model._prompt(
            Ask((Message("user", "2+2?"), Message("assistant", "4"), Message("user", "3+3?")), seed=0)
        )
        body = {
            "messages": [
                {"role": r, "content": c} for r, c in (("user", "2+2?"), ("assistant", "4"), ("user", "3+3?"))
            ]
        }
        text = (await model.transport.post("/apply-template", body))["prompt"]
        body = {"content": text, "parse_special": True, "add_special": False}
        assert list(ours) == (await model.transport.post("/tokenize", body))["tokens"]

    on_model(work)


def test_a_prefill_is_continued_and_a_schema_is_kept() -> None:
    async def work(model: LlamaCpp) -> None:
        (reply,) = await model.generate(
            Ask("Count from 1 to 20, separated by commas.", prefill="1, 2, 3, 4, 5, 6, 7,", max_tokens=4, seed=0),
            [0],
        )
        assert reply.text.lstrip().startswith("8")
        (reply,) = await model.generate(
            Ask("Is fire hot?", grammar='root ::= "yes" | "no"', max_tokens=4, seed=0), [0]
        )
        assert reply.text in ("yes", "no")

    on_model(work)


def test_scores_are_log_probabilities_whichever_way_they_are_got() -> None:
    """One token looked up, the same token forced, and the product over a longer continuation agree."""

    async def work(model: LlamaCpp) -> None:
        request = Score("The capital of France is", (" Paris", " London", " Paris, a city"), raw=True)
        scores = await model.score(request)
        prompt = await model._prompt(request)
        (token,) = await model._renderer.continuation(" Paris")
        forced = (await model._next_token(prompt, force=token))[token]
        assert math.isclose(scores.logprobs[0], forced, abs_tol=0.02)
        assert scores.best == 0
        assert scores.tokens == (1, 1, 4)
        assert scores.logprobs[2] < scores.logprobs[0] < 0
        (alone,) = await model.generate(
            Ask("The capital of France is", raw=True, logprobs=3, max_tokens=1, seed=0), [0]
        )
        assert math.isclose(alone.logprobs[0].logprob, scores.logprobs[0], abs_tol=0.02)

    on_model(work)


def test_what_does_not_fit_is_refused_here() -> None:
    async def work(model: LlamaCpp) -> None:
        with pytest.raises(BadRequest, match="has room for 2048"):
            await model.generate(Ask("word " * 4000, seed=0), [0])
        with pytest.raises(CannotRun, match="no embeddings"):
            await model.embed(Embed(("a",)))

    on_model(work)


def test_its_own_address_serves_a_stock_client() -> None:
    """The engine is an OpenAI-compatible server like any other: what is found there, and equal counts."""

    async def work(model: LlamaCpp) -> None:
        listed = (await model.transport.get("/v1/models")).json()["data"][0]["id"]
        key = model.transport._headers["Authorization"].removeprefix("Bearer ")
        other = await OpenAI.connect(listed, [model.transport.address], key, slots=8, seconds=60)
        assert {Capability.N, Capability.GRAMMAR, Capability.JSON_SCHEMA, Capability.PREFILL} <= other.capabilities
        assert Capability.PROMPT_LOGPROBS not in other.capabilities
        for n in (1, 8):
            before = await counters(model)
            request = Ask("Name an animal and its food.", n=n, temperature=0.9, max_tokens=16, seed=3)
            replies = await other.generate(request, range(n))
            after = await counters(model)
            assert after[1] - before[1] == sum(r.tokens_out for r in replies)
            assert after[0] - before[0] == replies[0].tokens_in
        await other.close()

    on_model(work, slots=9)


def test_two_processes_share_one_engine_and_it_is_gone_when_unused() -> None:
    show = (
        "import asyncio; from assay.home import find_home; from assay.models import ModelChoice, connect\n"
        "async def main():\n"
        "    model = await connect(ModelChoice(slots=5), find_home())\n"
        "    print(model.transport.address); await model.close()\n"
        "asyncio.run(main())"
    )
    environment = {**os.environ, "ASSAY_LINGER": "2"}
    run = [sys.executable, "-c", show]
    first = subprocess.run(run, capture_output=True, text=True, env=environment, check=True).stdout
    second = subprocess.run(run, capture_output=True, text=True, env=environment, check=True).stdout
    assert first == second
    engines = find_home().engines
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and any(
        first.strip() in f.read_text() for f in engines.glob("*/engine.json")
    ):
        time.sleep(0.5)
    assert not any(first.strip() in f.read_text() for f in engines.glob("*/engine.json"))


def test_a_killed_engine_is_started_again_and_the_run_goes_on() -> None:
    async def work() -> tuple[str, str]:
        model = await connect(ModelChoice(slots=3), find_home())
        assert isinstance(model, LlamaCpp)
        before = model.transport.address
        os.kill(model.transport.pid, signal.SIGKILL)
        driver = Driver()
        async for done in driver.run([Job(0, lambda: ask(Ask("hi", max_tokens=2)), model)]):
            assert done.error is None
        await driver.close()
        await model.close()
        return before, model.transport.address

    before, after = asyncio.run(work())
    assert before != after


def test_nobody_else_waits_while_an_engine_is_started_again() -> None:
    begun, elsewhere = threading.Event(), threading.Event()

    async def work(model: LlamaCpp) -> None:
        join = model._rejoin
        assert join is not None

        def rejoin() -> Transport:
            begun.set()
            # Were the loop held up, the other task could not come to say that it went on.
            assert elsewhere.wait(60)
            return join()

        async def other() -> None:
            while not begun.is_set():
                await asyncio.sleep(0.01)
            elsewhere.set()

        model._rejoin = rejoin
        os.kill(model.transport.pid, signal.SIGKILL)
        going_on = asyncio.create_task(other())
        failed = await asyncio.gather(*(model.look() for _ in range(3)), return_exceptions=True)
        assert [type(one) for one in failed] == [EndpointDown] * 3
        await going_on
        await model.look()

    on_model(work, slots=3)
    assert elsewhere.is_set()


@pytest.mark.parametrize("what", ["missing", "a folder", "text", "cut short", "head only"])
def test_bad_weights_are_refused_in_one_sentence(what: str, tmp_path: Path, model_cache: Path) -> None:
    whole = next(model_cache.glob("models/*/*.gguf"))
    path = tmp_path / "bad.gguf"
    if what == "a folder":
        path.mkdir()
    elif what == "text":
        path.write_text("no model at all")
    elif what == "cut short":
        path.write_bytes(whole.read_bytes()[:3_000_000])
    elif what == "head only":
        path.write_bytes(whole.read_bytes()[:100])
    with pytest.raises(BadFile) as caught:
        asyncio.run(connect(ModelChoice(f"gguf:{path}"), find_home()))
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
