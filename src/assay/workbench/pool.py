"""Models that stay open for a server: each opened when it is first asked for, and shared from then on."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
from collections.abc import Set
from dataclasses import replace

from assay.core import WHITE_BOX, Capability
from assay.core.home import Home
from assay.core.model import Model
from assay.lab.driver import Driver
from assay.lab.store import Store
from assay.lab.workshop import Workshop
from assay.models import ModelChoice, connect
from assay.workbench.opening import say


class Pool:
    """One store, one driver, and the models opened so far; belongs to one event loop.

    `choice` says where models are reached (addresses, slots, seconds); its name is the one taken where
    nobody names another.
    """

    def __init__(self, home: Home, choice: ModelChoice) -> None:
        self.home = home
        self.choice = choice
        self.store = Store(home.database, goes_on=True)
        self.driver = Driver(cache=self.store, workshop=Workshop(home.organisms))
        self._opening: dict[tuple[str, Set[Capability], tuple[str, ...]], asyncio.Task[Model]] = {}

    async def model(
        self, name: str = "", needs: Set[Capability] = frozenset(), addresses: tuple[str, ...] = ()
    ) -> Model:
        """The model of that name, opened if need be; whoever comes while it opens waits for the same one.

        `addresses`: which of the servers have it, where not all of them do.
        """
        key = (name or self.choice.name, frozenset(needs & {*WHITE_BOX, Capability.EMBED}), addresses)
        if key not in self._opening:
            reached = (addresses or self.choice.base_urls) if key[0].startswith("openai/") else ()
            choice = replace(self.choice, name=key[0], base_urls=reached)
            self._opening[key] = asyncio.create_task(self._open(choice, needs))
        task = self._opening[key]
        try:
            # Shielded: one who gives up waiting must not stop the others' model from opening.
            return await asyncio.shield(task)
        except Exception:
            # What could not be opened is tried again by the next who asks.
            if self._opening.get(key) is task:
                del self._opening[key]
            raise

    async def _open(self, choice: ModelChoice, needs: Set[Capability]) -> Model:
        """Starting an engine and loading torch keep a thread busy: another one, for others are being served."""
        if choice.name.startswith("hf:") or needs & WHITE_BOX:
            with contextlib.suppress(ImportError):
                await asyncio.to_thread(importlib.import_module, "transformers")
        elif not choice.name.startswith("openai/"):
            await asyncio.to_thread(lambda: asyncio.run(self._touch(choice, needs)))
        return await connect(choice, self.home, needs=needs, say=say)

    async def _touch(self, choice: ModelChoice, needs: Set[Capability]) -> None:
        """Open a model and let it go: its engine stays a while, and is found running."""
        await (await connect(choice, self.home, needs=needs, say=say)).close()

    async def close(self) -> None:
        """Let go of everything."""
        await self.driver.close()
        opened = await asyncio.gather(*self._opening.values(), return_exceptions=True)
        for model in opened:
            if not isinstance(model, BaseException):
                await model.close()
        self.store.close()
