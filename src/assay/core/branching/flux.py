"""Trees that flux saved in the browser: React Flow nodes and edges, as they stand in its local storage."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from assay.core.branching.branches import Branches
from assay.core.branching.nodes import Node, Origin
from assay.core.errors import UserError
from assay.core.requests import Role
from assay.core.validation import check_json

STORAGE_KEY = "FLUX_REACT_FLOW_DATA"
_KINDS: dict[str, tuple[Role, Origin]] = {
    "System": ("system", Origin.HUMAN),
    "User": ("user", Origin.HUMAN),
    "GPT": ("assistant", Origin.MODEL),
    "GPT (tweaked)": ("assistant", Origin.HUMAN),
}


@dataclass(frozen=True, slots=True)
class Imported:
    """A tree, and what of the saved one could not be kept as it was."""

    tree: Branches
    notes: tuple[str, ...]


def from_flux(found: Any, name: str) -> Imported:
    """The tree in flux's saved data, or in a dump of the whole local storage.

    flux's deletions leave edges behind: of several edges into a node the last counts, as it does there; a node
    whose parent is gone becomes a root.

    Raises:
        UserError: it is no such data.
    """
    try:
        return _read(_unwrapped(found), name)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        reason = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise UserError(
            f"This is no tree that flux has saved: {reason:.120}.",
            hint=f"It stands in the browser's local storage under {STORAGE_KEY}.",
        ) from None


def _unwrapped(found: Any) -> Mapping[str, Any]:
    if isinstance(found, Mapping) and STORAGE_KEY in found:
        found = found[STORAGE_KEY]
    if isinstance(found, str):
        found = json.loads(found)
    if not isinstance(found, Mapping):
        raise ValueError("it has no nodes and edges")
    check_json(found)
    return found


def _read(found: Mapping[str, Any], name: str) -> Imported:
    notes: list[str] = []
    ids = {str(node["id"]): str(number) for number, node in enumerate(found["nodes"], start=1)}
    if len(ids) != len(found["nodes"]):
        raise ValueError("two nodes share an id")
    tree = Branches(name, nodes=[_node(ids[str(node["id"])], node["data"], notes) for node in found["nodes"]])
    for child, parent in {str(edge["target"]): str(edge["source"]) for edge in found["edges"]}.items():
        if child not in ids:
            continue
        if parent not in ids:
            notes.append(f"Node {ids[child]} hung below a deleted node: it is a root now.")
            continue
        try:
            tree.connect(ids[parent], ids[child])
        except UserError as error:
            notes.append(f"{error.message} The edge is left out.")
    # What was just read is the beginning, not a change.
    tree.undoable.clear()
    tree.version = 0
    return Imported(tree, tuple(notes))


def _node(number: str, data: Mapping[str, Any], notes: list[str]) -> Node:
    kind = str(data["fluxNodeType"])
    if kind not in _KINDS:
        raise ValueError(f"it has a node of the kind '{kind}'")
    role, origin = _KINDS[kind]
    node = Node(number, None, role, str(data["text"] or ""), origin=origin)
    if data.get("generating") or data.get("streamId"):
        notes.append(f"Node {number} was still being written: what had come stands.")
    # Older versions label every node with its kind, later ones only mark those a person has renamed.
    return replace(node, name=str(data["label"])) if data.get("hasCustomlabel") else node
