"""A tree from elsewhere: one of ours, or one that flux has saved."""

from __future__ import annotations

from typing import Any

from assay.core.branching.flux import Imported, from_flux
from assay.core.branching.form import from_json
from assay.core.errors import UserError


def taken_in(found: Any, name: str) -> Imported:
    """The tree in a JSON document, under an id of its own here; what was still being written is cancelled.

    Raises:
        UserError: it is no tree.
    """
    if not (isinstance(found, dict) and "form" in found):
        return from_flux(found, name)
    try:
        tree = from_json(found)
    except ValueError as error:
        raise UserError(f"This is no tree: {error}.") from None
    tree.id = name
    for stream in list(tree.streams):
        tree.cancel(stream)
    return Imported(tree, ())
