"""Which items are for training and which for testing: a stable hash of the item decides, whatever the seed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import TypeVar

from assay.core.errors import BadRequest, UnknownName
from assay.core.validation import require_whole

SPLITS = ("train", "test")
TEST_SHARE = 0.125
_PATIENCE = 100
_Item = TypeVar("_Item")


def position(item: str) -> float:
    """A number in [0, 1) that belongs to this item for ever, as if drawn at random."""
    digest = hashlib.blake2b(item.encode(), digest_size=6).digest()
    return int.from_bytes(digest, "big") / 2**48


def split_of(item: str) -> str:
    """The split an item belongs to: "test" for one in eight."""
    return "test" if position(item) < TEST_SHARE else "train"


def require_split(split: str) -> None:
    """Raise `UnknownName` for what is no split."""
    if split not in SPLITS:
        raise UnknownName("split", split, SPLITS)


def gather(
    count: int, draw: Callable[[int], Iterable[_Item]], key: Callable[[_Item], str], split: str
) -> list[_Item]:
    """`count` items of a split, with replacement, from batches of `draw(size)`.

    `key` names an item, the same name for all its forms. `BadRequest` where a hundred batches in a row hold
    none: there are too few different items to make this split of.
    """
    require_whole("count", count, 0, 100_000_000)
    share = TEST_SHARE if split == "test" else 1 - TEST_SHARE
    found: list[_Item] = []
    idle = 0
    while len(found) < count:
        size = int((count - len(found)) / share * 1.05) + 32
        kept = [item for item in draw(size) if split_of(key(item)) == split]
        idle = 0 if kept else idle + 1
        if idle == _PATIENCE:
            raise BadRequest(f"None of the items is in the split '{split}': there are too few different ones.")
        found.extend(kept)
    return found[:count]
