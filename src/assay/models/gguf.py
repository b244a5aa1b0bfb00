"""Reads the head of a GGUF file, so that a broken file is refused in one sentence.

The engine's own message for a truncated file is a bare "failed to load model". Format:
https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from assay.core.errors import BadFile

_SCALARS = {
    0: "<B",
    1: "<b",
    2: "<H",
    3: "<h",
    4: "<I",
    5: "<i",
    6: "<f",
    7: "<?",
    10: "<Q",
    11: "<q",
    12: "<d",
}
_STRING, _ARRAY = 8, 9
_LONGEST = 16_000_000


@dataclass(frozen=True, slots=True)
class GgufHead:
    """What a GGUF file says of itself."""

    architecture: str
    name: str
    context: int
    """Tokens of context it was trained on."""
    tensors: int
    has_chat_template: bool


def read_head(path: Path) -> GgufHead:
    """The metadata of a GGUF file; `BadFile` where it is none, or is cut short."""
    hint = "Fetch it again: assay models pull."
    try:
        # Neither there nor a pipe, which would be waited for; a name that no file can have is none either.
        if not path.is_file() and not path.is_dir():
            raise BadFile(path, "there is no such file.")
        with path.open("rb") as file:
            if file.read(4) != b"GGUF":
                raise BadFile(path, "this is not a GGUF file (it does not begin with 'GGUF').", hint=hint)
            version, tensors, pairs = struct.unpack("<IQQ", _exactly(file, 20))
            if version not in (2, 3) or pairs > 100_000:
                raise BadFile(path, f"GGUF version {version} with {pairs} entries cannot be read.", hint=hint)
            metadata = {_string(file): _value(file) for _ in range(pairs)}
            last = max((_tensor_offset(file) for _ in range(min(tensors, 100_000))), default=0)
            if file.tell() + last >= path.stat().st_size:
                raise EOFError
    except IsADirectoryError:
        raise BadFile(path, "this is a folder, not a GGUF file.") from None
    except OSError as error:
        raise BadFile(path, f"the file cannot be read: {error.strerror}.") from None
    except (EOFError, struct.error, UnicodeDecodeError, OverflowError):
        raise BadFile(path, "the GGUF file is cut short or damaged.", hint=hint) from None
    architecture = str(metadata.get("general.architecture", ""))
    return GgufHead(
        architecture=architecture,
        name=str(metadata.get("general.name", path.stem)),
        context=int(metadata.get(f"{architecture}.context_length", 2048)),
        tensors=tensors,
        has_chat_template="tokenizer.chat_template" in metadata,
    )


def _exactly(file: BinaryIO, size: int) -> bytes:
    if size > _LONGEST:
        raise EOFError
    data = file.read(size)
    if len(data) != size:
        raise EOFError
    return data


def _string(file: BinaryIO) -> str:
    (length,) = struct.unpack("<Q", _exactly(file, 8))
    return _exactly(file, length).decode("utf-8", "replace")


def _tensor_offset(file: BinaryIO) -> int:
    """Where one tensor's data begins, counted from the end of the head."""
    _string(file)
    (dimensions,) = struct.unpack("<I", _exactly(file, 4))
    _exactly(file, 8 * dimensions + 4)
    offset: int = struct.unpack("<Q", _exactly(file, 8))[0]
    return offset


def _value(file: BinaryIO, kind: int | None = None) -> Any:
    if kind is None:
        (kind,) = struct.unpack("<I", _exactly(file, 4))
    if kind == _STRING:
        return _string(file)
    if kind == _ARRAY:
        inner, length = struct.unpack("<IQ", _exactly(file, 12))
        if inner in _SCALARS:
            file.seek(struct.calcsize(_SCALARS[inner]) * length, 1)
            return None
        for _ in range(length):
            _value(file, inner)
        return None
    if kind not in _SCALARS:
        raise EOFError
    return struct.unpack(_SCALARS[kind], _exactly(file, struct.calcsize(_SCALARS[kind])))[0]
