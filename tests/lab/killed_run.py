"""Runs the planted claim against a store and prints a line for every sample that is acknowledged.

The process that `test_kill` kills: python -m tests.lab.killed_run DATABASE
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

from assay.core.verdict import Verdict
from assay.lab.driver import Driver
from assay.lab.plan import Plan
from assay.lab.session import Stamp, run_claim
from assay.lab.store import Recorded, Store

from . import planted

RUN = "planted-aaaaa"


class Telling(Store):
    """A store that says aloud what it has made durable."""

    async def record(self, run: str, recorded: Recorded, steps: list[Any]) -> None:
        await super().record(run, recorded, steps)
        print("ack", recorded.arm, recorded.item, recorded.repeat, flush=True)


async def main(database: Path) -> Verdict:
    store = Telling(database)
    paper = planted.paper(n=120, steps=2)
    model = planted.model({"treatment": 0.62, "control": 0.4}, seconds=0.004)
    driver = Driver(cache=store)
    plan = Plan(paper, paper.claims[0], controls=("format", "placebo"))
    try:
        return await run_claim(plan, model, RUN, store, driver, Stamp("", "0", "", {}), lambda event: None)
    finally:
        await driver.close()
        store.close()


if __name__ == "__main__":
    verdict = asyncio.run(main(Path(sys.argv[1])))
    print("verdict", verdict.verdict.value, verdict.n, verdict.effect, verdict.interval, flush=True)
