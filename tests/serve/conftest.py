"""The proxy before the embedded engine, one for each file, and the stock client that talks to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import openai
import pytest

from tests.serve.running import KEY, Running, running


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory, model_cache: Path) -> Iterator[Running]:
    root = tmp_path_factory.mktemp("home")
    (root / "cache").symlink_to(model_cache, target_is_directory=True)
    with running(root, seconds=120) as found:
        yield found


@pytest.fixture
def client(proxy: Running) -> openai.OpenAI:
    return openai.OpenAI(base_url=proxy.address, api_key=KEY, max_retries=0)
