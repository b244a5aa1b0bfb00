"""From the name a user types to a model that answers."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from assay.core.errors import CannotRun, ModelError, UserError
from assay.core.home import Home
from assay.core.model import Model
from assay.models.engine import EngineSettings, join
from assay.models.gguf import read_head
from assay.models.llamacpp import LlamaCpp
from assay.models.openai import OpenAI
from assay.models.registry import DEFAULT_MODEL, weights_named
from assay.models.transport import Transport
from assay.models.weights import Progress, file_sha256, locate, pull

HOSTED = "https://api.openai.com/v1"


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """Which model, and how it is reached."""

    name: str = DEFAULT_MODEL
    """`smollm2-135m`, `gguf:PATH` or `openai/NAME`."""
    base_urls: tuple[str, ...] = ()
    """Addresses for `openai/NAME`; several share the load."""
    slots: int = 8
    """Requests at the same time, per address."""
    seconds: float = 120.0
    """How long one request may take."""
    may_pull: bool = False
    """Fetch known weights that are not here yet."""


async def connect(
    choice: ModelChoice,
    home: Home,
    *,
    environ: Mapping[str, str] = os.environ,
    say: Progress = lambda _: None,
) -> Model:
    """A model that answers, or an `AssayError` that says in one sentence why not."""
    if choice.slots < 1:
        raise UserError(f"{choice.slots} requests at the same time are none.", hint="Give --slots at least 1.")
    kind, separator, rest = choice.name.partition("/")
    if separator and kind == "openai":
        return await _endpoint(choice, rest, environ)
    if choice.base_urls:
        raise UserError(
            f"--base-url goes with a model named openai/NAME, not with '{choice.name}'.",
            hint=f"Did you mean --model openai/{choice.name}?",
        )
    if choice.name.startswith("gguf:"):
        return await _embedded(choice, Path(choice.name[5:]).expanduser(), home)
    if choice.name.startswith("hf:"):
        raise CannotRun(
            "Models in transformers format (hf:NAME) are still to come.",
            hint="Serve it with vLLM and name it openai/NAME with --base-url, or use gguf:PATH.",
        )
    weights = weights_named(choice.name)
    path = locate(weights, home)
    if path is None:
        if not choice.may_pull:
            raise ModelError(
                f"{weights.name} is not on this machine.", hint=f"Type: assay models pull {weights.name}"
            )
        path = pull(weights, home, say)
    return await _embedded(choice, path, home, known_hash=weights.sha256)


async def _embedded(choice: ModelChoice, path: Path, home: Home, known_hash: str = "") -> Model:
    head = read_head(path)
    context = min(head.context, 2048)
    settings = EngineSettings(str(path.resolve()), choice.slots, context).resolved()
    identity = f"{settings} {path.stat().st_mtime_ns} {path.stat().st_size}"
    key = hashlib.sha256(identity.encode()).hexdigest()[:16]
    folder = home.engines / key

    def joined() -> tuple[Transport, str]:
        engine = join(settings, folder)
        return Transport(engine.address, key=engine.key, seconds=choice.seconds, pid=engine.pid), engine.build

    transport, build = joined()
    parts = {
        "weights": known_hash or file_sha256(path),
        "engine": build,
        "slots": str(settings.slots),
        "threads": str(settings.threads),
    }
    return await LlamaCpp.connect(choice.name, transport, parts, lambda: joined()[0])


async def _endpoint(choice: ModelChoice, name: str, environ: Mapping[str, str]) -> Model:
    if not name:
        raise UserError("openai/NAME needs a name.", hint="For instance: --model openai/gpt-4o-mini")
    key = environ.get("OPENAI_API_KEY", "")
    addresses = choice.base_urls or tuple(filter(None, [environ.get("OPENAI_BASE_URL", "")]))
    if not addresses:
        if not key:
            raise UserError(
                "A hosted model needs a key.",
                hint="Set OPENAI_API_KEY, or name your own server with --base-url.",
            )
        addresses = (HOSTED,)
    return await OpenAI.connect(name, addresses, key, slots=choice.slots, seconds=choice.seconds)
