"""The two tiers, each started once; where bubblewrap cannot work its tests are skipped with the reason."""

import asyncio
from collections.abc import Iterator

import pytest

from assay.core import SandboxMissing
from assay.sandbox import AutomaticSandbox, BubblewrapSandbox, MontySandbox, open_bubblewrap


@pytest.fixture(scope="session")
def monty() -> Iterator[MontySandbox]:
    pytest.importorskip("pydantic_monty")
    sandbox = MontySandbox()
    yield sandbox
    sandbox.shut()


@pytest.fixture(scope="session")
def bubblewrap() -> Iterator[BubblewrapSandbox]:
    try:
        sandbox = asyncio.run(open_bubblewrap())
    except SandboxMissing as missing:
        pytest.skip(str(missing))
    yield sandbox
    sandbox.shut()


@pytest.fixture(scope="session")
def automatic(monty: MontySandbox, bubblewrap: BubblewrapSandbox) -> AutomaticSandbox:
    return AutomaticSandbox(monty, bubblewrap)


@pytest.fixture(params=["monty", "bubblewrap"])
def sandbox(request: pytest.FixtureRequest) -> MontySandbox | BubblewrapSandbox:
    return request.getfixturevalue(request.param)
