"""The addresses of OpenAI-compatible servers behind the proxy: which live, and what they serve."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from assay.core import AssayError
from assay.models.transport import Transport

LOOK_SECONDS = 4.0
"""Between two looks at the health of every address."""
PATIENCE_SECONDS = 3.0
"""For an answer to such a look: a server that takes the connection and says nothing is down."""
SUSPECT_SECONDS = 30.0
"""How long others are asked first after a request was not answered, though the server lists its models."""


@dataclass(eq=False, slots=True)
class Address:
    """One server, as it was when somebody last looked."""

    transport: Transport
    alive: bool = True
    models: tuple[str, ...] = ()
    """The last list it gave; kept while it is down, so that its models are known and said to be down."""
    suspect_until: float = 0.0
    """Until then, by the clock that only goes forward, others are asked first: a request was not answered here."""

    @property
    def is_suspect(self) -> bool:
        """Whether a request was left unanswered here a little while ago."""
        return time.monotonic() < self.suspect_until

    async def look(self) -> None:
        """Ask which models it serves; whatever goes wrong, it is down."""
        try:
            response = await asyncio.wait_for(self.transport.get("/models"), PATIENCE_SECONDS)
            self.models = tuple(str(entry["id"]) for entry in response.json()["data"])
            self.alive = response.status_code == 200
        except (AssayError, TimeoutError, ValueError, KeyError, TypeError):
            self.alive = False


class Upstreams:
    """Several addresses. What is down is left out, and comes back when a look finds it up."""

    def __init__(self, transports: Sequence[Transport]) -> None:
        self.addresses = tuple(Address(transport) for transport in transports)

    async def look(self) -> None:
        """Look at all of them at once."""
        await asyncio.gather(*(address.look() for address in self.addresses))

    async def watch(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_SECONDS)

    def models(self) -> list[str]:
        """Every model some address serves, in the order of the addresses."""
        return list(dict.fromkeys(model for address in self.addresses for model in address.models))

    def of(self, model: str) -> list[Address]:
        """The addresses that serve a model, the living and the dead."""
        return [address for address in self.addresses if model in address.models]

    async def close(self) -> None:
        """Let go of the connections."""
        for address in self.addresses:
            await address.transport.close()
