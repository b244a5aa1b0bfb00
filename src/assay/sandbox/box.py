"""What every sandbox is: a name and a way to run one program. And what counts as a program's value."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Protocol

from assay.core.replies import Execution
from assay.core.requests import Execute
from assay.sandbox.program import VALUE_BYTES

OUTPUT_BYTES = 65_536
"""A program that prints more is stopped."""
DEEPEST_VALUE = 100
"""A value nested deeper could exhaust the stack of whoever writes it down."""


class Sandbox(Protocol):
    """Runs untrusted programs, each in a fresh state; `name` is reported as `Execution.tier`."""

    name: str

    async def run(self, request: Execute) -> Execution:
        """Run one program to its end; never raises for anything that the program does."""

    async def close(self) -> None:
        """Stop every process that belongs to the sandbox."""


class BlockingSandbox:
    """A sandbox whose work is a blocking call, done on its own few threads.

    So it serves any event loop, and plain code through `execute`. Cancelling `run` abandons the
    program, which still ends at its own limit.
    """

    name = ""

    def __init__(self, at_once: int) -> None:
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="sandbox")

    def execute(self, request: Execute) -> Execution:
        """Run one program and wait for it, from code that is not async."""
        return self.start(request).result()

    async def run(self, request: Execute) -> Execution:
        """Run one program without holding up the event loop."""
        return await asyncio.wrap_future(self.start(request))

    def start(self, request: Execute) -> Future[Execution]:
        """Queue one program."""
        return self._threads.submit(self._perform, request)

    async def close(self) -> None:
        """Stop every process that belongs to the sandbox."""
        await asyncio.to_thread(self.shut)

    def shut(self) -> None:
        """Close from code that is not async; waits for the programs under way."""
        self._threads.shutdown()

    def _perform(self, request: Execute) -> Execution:
        raise NotImplementedError


def read_value(text: str | None) -> tuple[bool, Any]:
    """(True, the value) where the text is strict JSON and not null, else (False, None).

    Both tiers encode inside the sandbox with `json.dumps`, so tuples come back as lists and the keys
    of dicts as texts, alike. NaN and Infinity, lone surrogates, integers beyond Python's 4300 digits
    and deep nesting are no values; nor is None, which a function without `return` gives.
    """
    if text is None or len(text) > VALUE_BYTES:
        return False, None
    try:
        value = json.loads(text)
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError):
        return False, None
    if value is None or deeper_than(DEEPEST_VALUE, value):
        return False, None
    return True, value


def deeper_than(levels: int, value: object) -> bool:
    """Whether lists and dicts are nested deeper than this."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return levels < 0 or any(deeper_than(levels - 1, one) for one in inner)
