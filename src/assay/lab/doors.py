"""Two doors to one driver: `run` for everybody, `arun` inside an event loop."""

from __future__ import annotations

import asyncio
from typing import TypeVar

from assay.core.errors import UserError
from assay.core.flow import Flow
from assay.core.model import Model
from assay.core.usage import Budget
from assay.lab.driver import Cache, Driver, Job

T = TypeVar("T")


async def arun(
    flow: Flow[T],
    model: Model,
    *,
    seed: int = 0,
    budget: Budget | None = None,
    cache: Cache | None = None,
) -> T:
    """Run one flow to its end on a model and return what it returns.

    Args:
        flow: a running technique, such as `self_consistency("...")`. It can be run once.
        model: what answers its requests.
        seed: sampled replies derive from it.
        budget: spent by the flow; where it ends, `BudgetExceeded` is thrown into the flow.
        cache: where replies are looked up and kept; None draws every reply afresh.

    Raises:
        AssayError: whatever the flow did not handle.
    """
    driver = Driver(cache=cache)
    try:
        return (await driver.drive(Job(None, lambda: flow, model, seed=seed, budget=budget))).result()
    finally:
        await driver.close()


def run(
    flow: Flow[T],
    model: Model,
    *,
    seed: int = 0,
    budget: Budget | None = None,
    cache: Cache | None = None,
) -> T:
    """`arun` for code without an event loop; see there."""

    async def work() -> T:
        try:
            return await arun(flow, model, seed=seed, budget=budget, cache=cache)
        finally:
            # The loop ends here, and its connections with it.
            await model.close()

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work())
    raise UserError("An event loop is running already (a notebook has one).", hint="Write: await assay.arun(...)")
