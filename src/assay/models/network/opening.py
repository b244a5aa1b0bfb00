"""From a name to an open network: a folder, a hub name, known weights or a GGUF file."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

from assay.core.artefacts import RECORD, file_sha256
from assay.core.errors import ModelError, UserError
from assay.core.home import Home
from assay.core.model import Model
from assay.models.network.conversion import PRECISION, convert, require_torch
from assay.models.weights import Progress

IDENTITY = (".safetensors", ".bin", ".json", ".jinja", ".model", ".txt", ".tiktoken")
"""Files that say what a network is: weights, configuration, tokenizer, template."""
FindFile = Callable[[str], tuple[Path, str]]
"""The name of a GGUF model -> its file, and its SHA-256 where that is known already."""


def open_network(name: str, observer: str, home: Home, find: FindFile, say: Progress = lambda _: None) -> Model:
    """The network of that name, with a second one as observer if that is named.

    Raises `CannotRun` without torch, `UserError` for a file that is not there, `ModelError` for one that
    is no causal model.
    """
    for wanted in filter(None, (name, observer)):
        _require_there(wanted)
    require_torch()
    import torch
    import transformers

    from assay.models.network.model import OpenNetwork
    from assay.models.network.network import Network

    wish = os.environ.get("ASSAY_THREADS", "") or "0"
    if not wish.isdigit():
        raise UserError(f"ASSAY_THREADS is '{wish}', and must be a whole number.")
    threads = int(wish)
    folder, identity = weights_folder(name, home, find, say)
    network = Network.load(folder, threads=threads)
    parts = {
        "weights": identity,
        "engine": f"transformers {transformers.__version__}, torch {torch.__version__}",
        "precision": str(network.model.dtype).removeprefix("torch."),
        "device": network.device,
    }
    second = None
    if observer:
        other, other_identity = weights_folder(observer, home, find, say)
        second = Network.load(other, device=network.device)
        if second.tokenizer.get_vocab() != network.tokenizer.get_vocab():
            raise UserError(
                f"{observer} has another tokenizer than {name}.",
                hint="Observer and model must share one: take a base model and its instruct form.",
            )
        parts["observer"] = other_identity
    return OpenNetwork(name, network, parts, second)


def _require_there(name: str) -> None:
    """A path that leads nowhere is found before torch is loaded, which takes seconds."""
    rest = name.removeprefix("hf:")
    if rest.startswith((".", "/", "~")) and not os.path.exists(os.path.expanduser(rest)):
        raise UserError(f"There is no folder or file {rest}.", hint="Name one that save_pretrained wrote.")


def weights_folder(name: str, home: Home, find: FindFile, say: Progress) -> tuple[str, str]:
    """Where transformers finds the weights behind a name, and what tells them from others."""
    _require_there(name)
    rest = name.removeprefix("hf:")
    path = Path(os.path.expanduser(rest))
    if name.startswith("hf:") and os.path.isdir(path):  # unlike Path: no error for a name that none can have
        if not (path / "config.json").is_file():
            raise UserError(f"{path} holds no config.json.", hint="Name a folder that save_pretrained wrote.")
        return str(path.resolve()), f"{path.resolve().name} {_identity(path, home)}"
    if name.startswith("hf:") and not _is_file_name(rest):
        return _hub(rest, say)
    file, sha256 = find(f"gguf:{rest}" if rest.endswith(".gguf") else rest)
    if not file.is_file():
        raise UserError(f"There is no file {file}.")
    sha256 = sha256 or file_sha256(file)
    return str(convert(file, sha256, home, say)), f"{sha256} as {PRECISION}"


def _is_file_name(rest: str) -> bool:
    from assay.models.registry import KNOWN

    return rest.startswith("gguf:") or rest.endswith(".gguf") or rest in {weights.name for weights in KNOWN}


def _hub(name: str, say: Progress) -> tuple[str, str]:
    from huggingface_hub import snapshot_download

    wanted = ["*.safetensors", "*.json", "*.model", "*.jinja", "*.txt"]
    try:
        try:
            place = snapshot_download(name, allow_patterns=wanted, local_files_only=True)
        except Exception:
            say(f"fetching {name} from the Hugging Face hub")
            place = snapshot_download(name, allow_patterns=wanted)
    except Exception as error:
        # The hub's client has a dozen kinds of error for "not there".
        said = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ModelError(
            f"{name} is no folder here and could not be fetched: {said}", hint="Name a folder: --model hf:FOLDER"
        ) from None
    return place, f"{name} at {Path(place).name}"


def _identity(folder: Path, home: Home) -> str:
    """Hash over a folder's weights, configuration and tokenizer; remembered under their sizes and times."""
    files = sorted(file for file in folder.iterdir() if file.suffix in IDENTITY)
    stamp = json.dumps([[str(file.resolve()), file.stat().st_size, file.stat().st_mtime_ns] for file in files])
    mark = home.networks / f"hash-{hashlib.sha256(stamp.encode()).hexdigest()[:16]}"
    if mark.is_file() and len(known := mark.read_text()) == 32:
        return known
    whole = hashlib.sha256()
    for file in files:
        if file.name not in ("assay.json", RECORD):
            whole.update(file.name.encode())
            whole.update(file_sha256(file).encode())
    home.networks.mkdir(parents=True, exist_ok=True)
    draft = mark.with_suffix(f".{os.getpid()}")
    draft.write_text(whole.hexdigest()[:32])
    os.replace(draft, mark)
    return whole.hexdigest()[:32]
