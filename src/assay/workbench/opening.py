"""Opens what a flow runs on: store, model and driver."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import AsyncGenerator, Set

from assay.core import Capability
from assay.core.home import Home
from assay.core.model import Model
from assay.home import find_home
from assay.lab.driver import Driver
from assay.lab.store import Store
from assay.lab.workshop import Workshop
from assay.models import ModelChoice, connect


def open_store() -> Store:
    """The user's store."""
    return Store(find_home().make().database)


@contextlib.asynccontextmanager
async def bench(
    choice: ModelChoice, home: Home, needs: Set[Capability] = frozenset()
) -> AsyncGenerator[tuple[Store, Model, Driver]]:
    """Store, model and driver; all closed at the end, whatever happens."""
    with contextlib.closing(Store(home.database)) as store:
        async with opened(store, choice, home, needs) as (model, driver):
            yield store, model, driver


@contextlib.asynccontextmanager
async def opened(
    store: Store, choice: ModelChoice, home: Home, needs: Set[Capability] = frozenset()
) -> AsyncGenerator[tuple[Model, Driver]]:
    """Model and driver on a store that is open; both closed at the end, whatever happens."""
    model = await connect(choice, home, needs=needs, say=say)
    driver = Driver(cache=store, workshop=Workshop(home.organisms))
    try:
        yield model, driver
    finally:
        await driver.close()
        await model.close()


def say(text: str) -> None:
    """Tell the person at the terminal, beside what a command prints."""
    print(f"assay: {text}", file=sys.stderr)
