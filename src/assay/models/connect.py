"""From the name a user types to a model that answers."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Set
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from assay.core.artefacts import file_sha256, organism_named
from assay.core.errors import CannotRun, ModelError, UserError
from assay.core.home import Home
from assay.core.model import WHITE_BOX, Capability, Fingerprint, Model
from assay.models.encoding import LONGEST, Encoder, LlamaCppEncoder, WithEncoder
from assay.models.engine import EngineSettings, join
from assay.models.gguf import read_head
from assay.models.llamacpp import LlamaCpp
from assay.models.network import open_network, weights_folder
from assay.models.network.encoder import NetworkEncoder
from assay.models.openai import OpenAI
from assay.models.organisms import ORGANISM, TrainedHere, exported
from assay.models.registry import DEFAULT_MODEL, KNOWN, Weights, weights_named
from assay.models.transport import Transport
from assay.models.weights import Progress, locate, pull

HOSTED = "https://api.openai.com/v1"


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """Which model, and how it is reached."""

    name: str = ""
    """`smollm2-135m`, `gguf:PATH`, `hf:FOLDER` (or a hub name), `organism:NAME` or `openai/NAME`; empty: the
    embedded model, or organisms where something is trained."""
    base_urls: tuple[str, ...] = ()
    """Addresses for `openai/NAME`; several share the load."""
    slots: int = 8
    """Requests at the same time, per address."""
    seconds: float = 120.0
    """How long one request may take."""
    may_pull: bool = False
    """Fetch known weights that are not here yet."""
    observer: str = ""
    """A second open network of the same tokenizer, as `hf:FOLDER`, for what compares two models."""
    encoder: str = ""
    """Gives vectors of texts: `minilm`, `hf:FOLDER`, `gguf:PATH` or `openai/NAME`; empty: the model itself."""


async def connect(
    choice: ModelChoice,
    home: Home,
    *,
    needs: Set[Capability] = frozenset(),
    environ: Mapping[str, str] = os.environ,
    say: Progress = lambda _: None,
) -> Model:
    """A model that answers, or an `AssayError` that says in one sentence why not.

    Where vectors are needed, what `encoder` names gives them; where it names nothing, the model itself does.
    """
    model = await _writer(choice, home, needs, environ, say)
    if Capability.EMBED not in needs or (Capability.EMBED in model.capabilities and not choice.encoder):
        return model
    try:
        return WithEncoder(model, await _encoder(choice, model.name, home, environ, say))
    except BaseException:
        await model.close()
        raise


async def _writer(
    choice: ModelChoice, home: Home, needs: Set[Capability], environ: Mapping[str, str], say: Progress
) -> Model:
    """The model that answers with words.

    Weights on this machine are run by llama.cpp, which writes six times cheaper, unless something is
    needed that only an open network has: then by torch.
    """
    if choice.slots < 1:
        raise UserError(f"{choice.slots} requests at the same time are none.", hint="Give --slots at least 1.")
    choice = replace(choice, name=choice.name or (ORGANISM if Capability.TRAIN in needs else DEFAULT_MODEL))
    if Capability.TRAIN in needs:
        return _trained(choice, home, say)
    if choice.name.startswith(ORGANISM + ":"):
        found = organism_named(home.organisms, choice.name.partition(":")[2])
        opened = f"hf:{found.folder}" if needs & WHITE_BOX else f"gguf:{exported(found, home.organisms)}"
        model = await _writer(replace(choice, name=opened), home, needs, environ, say)
        # What a verdict calls it means the same on another machine; a path does not.
        model.name = f"{ORGANISM}:{found.name}"  # type: ignore[misc]
        return model
    kind, separator, rest = choice.name.partition("/")
    if separator and kind == "openai":
        return await _endpoint(choice, rest, environ)
    if choice.base_urls:
        raise UserError(
            f"--base-url goes with a model named openai/NAME, not with '{choice.name}'.",
            hint=f"Did you mean --model openai/{choice.name}?",
        )
    if choice.name.startswith("hf:") or choice.observer or needs & WHITE_BOX:
        find = partial(_file, may_pull=choice.may_pull, home=home, say=say)
        return open_network(choice.name, choice.observer, home, find, say)
    path, known_hash = _file(choice.name, choice.may_pull, home, say)
    return await _embedded(choice, path, home, known_hash)


def _trained(choice: ModelChoice, home: Home, say: Progress) -> Model:
    """What a claim about training runs on: organisms, or weights that are trained further."""
    if choice.name == ORGANISM:
        return TrainedHere(ORGANISM)
    if choice.name.startswith(ORGANISM + ":"):
        found = organism_named(home.organisms, choice.name.partition(":")[2])
        return TrainedHere(choice.name, str(found.folder), found.hash)
    if choice.name.startswith("openai/") or choice.base_urls:
        raise CannotRun(
            f"{choice.name} cannot be trained from here.",
            hint="Leave out --model, or name weights: --model hf:NAME",
        )
    find = partial(_file, may_pull=choice.may_pull, home=home, say=say)
    folder, identity = weights_folder(choice.name, home, find, say)
    return TrainedHere(choice.name, folder, identity)


def _file(name: str, may_pull: bool, home: Home, say: Progress) -> tuple[Path, str]:
    """The GGUF file behind a name, and its hash where it is known already."""
    if name.startswith("gguf:"):
        # Not Path.expanduser, which fails for users that are not there.
        return Path(os.path.expanduser(name[5:])), ""
    weights = weights_named(name)
    if weights.encodes:
        raise UserError(f"{name} gives vectors and writes no words.", hint=f"Name it so: --encoder {name}")
    return _here(weights, may_pull, home, say), weights.sha256


def _here(weights: Weights, may_pull: bool, home: Home, say: Progress) -> Path:
    """Known weights on this machine, fetched if that is allowed."""
    path = locate(weights, home)
    if path is None:
        if not may_pull:
            raise ModelError(
                f"{weights.name} is not on this machine.", hint=f"Type: assay models pull {weights.name}"
            )
        path = pull(weights, home, say)
    return path


async def _embedded(choice: ModelChoice, path: Path, home: Home, known_hash: str = "") -> Model:
    head = read_head(path)
    context = min(head.context, 2048)
    settings = EngineSettings(str(path.resolve()), choice.slots, context).resolved()
    joined = partial(_joined, settings, path, home, choice.seconds)
    transport, build = joined()
    parts = {
        "weights": known_hash or file_sha256(path),
        "engine": build,
        "slots": str(settings.slots),
        "threads": str(settings.threads),
    }
    return await LlamaCpp.connect(choice.name, transport, parts, lambda: joined()[0])


def _joined(settings: EngineSettings, path: Path, home: Home, seconds: float) -> tuple[Transport, str]:
    """The way to the engine with these settings, started if need be, and its build."""
    identity = f"{settings} {path.stat().st_mtime_ns} {path.stat().st_size}"
    key = hashlib.sha256(identity.encode()).hexdigest()[:16]
    engine = join(settings, home.engines / key)
    return Transport(engine.address, key=engine.key, seconds=seconds, pid=engine.pid), engine.build


async def _encoder(
    choice: ModelChoice, writer: str, home: Home, environ: Mapping[str, str], say: Progress
) -> Encoder:
    """What gives vectors: what was named, or the writer's own weights in an engine that embeds."""
    name = choice.encoder or writer
    kind, separator, rest = name.partition("/")
    if separator and kind == "openai":
        if not choice.encoder:
            raise CannotRun(f"{name} gives no vectors.", hint="Name what does: --encoder minilm")
        addresses, key = _addresses(choice, rest, environ)
        return OpenAI.encoder(rest, addresses, key, seconds=choice.seconds)
    known = next((weights for weights in KNOWN if weights.name == name and weights.encodes), None)
    if known is not None:
        path = _here(known, choice.may_pull, home, say)
        return NetworkEncoder(name, str(path.parent), Fingerprint.of({"weights": known.sha256, "pooling": "mean"}))
    find = partial(_file, may_pull=choice.may_pull, home=home, say=say)
    if name.startswith("hf:"):
        folder, identity = weights_folder(name, home, find, say)
        return NetworkEncoder(name, folder, Fingerprint.of({"weights": identity, "pooling": "mean"}))
    path, known_hash = find(name)
    settings = EngineSettings(str(path.resolve()), slots=1, context=LONGEST, embeds=True).resolved()
    transport, build = _joined(settings, path, home, choice.seconds)
    return LlamaCppEncoder(name, transport, {"weights": known_hash or file_sha256(path), "engine": build})


async def _endpoint(choice: ModelChoice, name: str, environ: Mapping[str, str]) -> Model:
    addresses, key = _addresses(choice, name, environ)
    return await OpenAI.connect(name, addresses, key, slots=choice.slots, seconds=choice.seconds)


def _addresses(choice: ModelChoice, name: str, environ: Mapping[str, str]) -> tuple[tuple[str, ...], str]:
    """Where an endpoint's model is asked, and with which key."""
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
    return addresses, key
