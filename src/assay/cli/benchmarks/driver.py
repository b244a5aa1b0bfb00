"""`assay bench driver`: hundreds of flows through one engine, beside what the engine can do at all."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from assay.core import Ask, ask
from assay.core.answers import extract_last
from assay.home import find_home
from assay.lab.driver import Driver, Job
from assay.models import ModelChoice, connect
from assay.models.llamacpp import LlamaCpp
from assay.tasks import ArithmeticTask
from assay.techniques.search import self_consistency

Say = Callable[[str], None]
PROBLEMS = 40
SAMPLES = 8
CEILING_TOKENS = 64
ROUNDS = 3


async def driver(say: Say) -> dict[str, Any]:
    """Self-consistency over 40 problems against the engine's own ceiling at the same concurrency.

    The ceiling is what bare streams get out of the engine: one per slot, always busy, the prompt in the
    engine's cache, end-of-text ignored. It is measured before, between and after the rounds, because the
    machine's speed drifts; ours pays for its prompts and for its tail.
    """
    model = await connect(ModelChoice(may_pull=True), find_home().make(), say=say)
    assert isinstance(model, LlamaCpp), "the embedded model"
    ceilings, ours, tokens, spent = [await _ceiling(model)], [], 0, 0.0
    samples = ArithmeticTask(levels=("1",)).samples(PROBLEMS, seed=time.time_ns() % 1500)
    for part in range(ROUNDS):
        chosen = samples[part::ROUNDS]
        say(f"round {part + 1} of {ROUNDS}: {len(chosen)} problems, {SAMPLES} samples each")
        made, seconds = await _self_consistency(model, chosen)
        tokens, spent = tokens + made, spent + seconds
        ours.append(made / seconds)
        ceilings.append(await _ceiling(model))
    evaluated, prefix = await _branches(model)
    await model.close()
    ceiling = statistics.mean(ceilings)
    return {
        "ratio": (tokens / spent) / ceiling,
        "tokens_per_s": tokens / spent,
        "ceiling_tokens_per_s": ceiling,
        "ceilings": [round(value, 1) for value in ceilings],
        "rounds": [round(value, 1) for value in ours],
        "tokens": tokens,
        "slots": model.slots,
        "prefix_tokens_evaluated": evaluated,
        "prefix_tokens": prefix,
    }


async def _ceiling(model: LlamaCpp) -> float:
    """Tokens per second of bare streams, one per slot."""
    prompt = [1, 4093, 198, 28120, 253, 986, 2557, 30]
    body = {
        "prompt": prompt,
        "n_predict": CEILING_TOKENS,
        "ignore_eos": True,
        "temperature": 0.7,
        "samplers": ["temperature", "top_p"],
        "cache_prompt": True,
    }

    async def stream(seed: int, turns: int) -> None:
        for turn in range(turns):
            await model.transport.post("/completion", body | {"seed": seed * 100 + turn})

    await asyncio.gather(*(stream(slot, 1) for slot in range(model.slots)))
    start = time.monotonic()
    await asyncio.gather(*(stream(slot, 3) for slot in range(model.slots)))
    return model.slots * 3 * CEILING_TOKENS / (time.monotonic() - start)


async def _self_consistency(model: LlamaCpp, samples: Any) -> tuple[int, float]:
    """Tokens generated and seconds taken, no cache between."""
    work = Driver()
    extract = extract_last("number")
    jobs = (
        Job(sample.id, partial(self_consistency, sample.question, extract, n=SAMPLES), model) for sample in samples
    )
    start, tokens = time.monotonic(), 0
    async for done in work.run(jobs):
        tokens += done.usage.tokens_out
    seconds = time.monotonic() - start
    await work.close()
    return tokens, seconds


async def _branches(model: LlamaCpp) -> tuple[int, int]:
    """Prompt tokens evaluated for eight continuations of one new long prompt, and the prompt's length."""
    text = " ".join(
        f"Line {i} of {time.time_ns() % 100_000}: the ledger notes {i * 37 % 91} crates." for i in range(18)
    )
    before = model.meter.prompt_tokens_evaluated
    work = Driver()
    request = Ask(text, n=8, temperature=0.8, max_tokens=8, raw=True)
    length = (await work.drive(Job("tree", lambda: ask(request), model))).usage.tokens_in
    await work.close()
    return model.meter.prompt_tokens_evaluated - before, length
