"""assay puts any claim from the LLM literature to the test on your own model.

import assay
from assay.techniques.search import self_consistency

answer = assay.run(self_consistency("If a train ..."), assay.model("smollm2-135m"))
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assay.core import Model

__version__ = "0.1.0"
__all__ = ["Budget", "arun", "model", "run"]


def model(
    name: str = "smollm2-135m", *, base_url: str | tuple[str, ...] = (), slots: int = 8, seconds: float = 120.0
) -> Model:
    """A model that answers: `smollm2-135m`, `gguf:PATH`, or `openai/NAME` behind one or more addresses.

    The key of an endpoint is read from `OPENAI_API_KEY`. Inside an event loop use
    `await assay.models.connect(...)`.
    """
    import asyncio

    from assay.home import find_home
    from assay.models import ModelChoice, connect

    addresses = (base_url,) if isinstance(base_url, str) else tuple(base_url)
    choice = ModelChoice(name, addresses, slots=slots, seconds=seconds)

    async def connected() -> Model:
        found = await connect(choice, find_home().make())
        await found.close()
        return found

    return asyncio.run(connected())


def __getattr__(name: str) -> object:
    """`run`, `arun` and `Budget`, imported when they are first used: `import assay` stays cheap."""
    if name in ("run", "arun"):
        from assay.lab import doors

        return getattr(doors, name)
    if name == "Budget":
        from assay.core.usage import Budget

        return Budget
    raise AttributeError(f"module 'assay' has no attribute '{name}'")
