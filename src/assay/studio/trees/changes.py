"""The operations of the explorer: what a page may ask, read from JSON and done to a tree."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from assay.core import UnknownName, UserError
from assay.core.branching import Branches, Origin, Settings
from assay.core.requests import ROLES
from assay.core.validation import require_text

Asked = Mapping[str, Any]
GROWING = ("generate", "regenerate", "continue")
LARGEST_TEXT = 2_000_000
"""Characters of one node."""


def done(tree: Branches, asked: Asked) -> str | None:
    """Do what was asked; gives the node that is there now or was changed."""
    return CHANGES[operation(asked)](tree, asked)


def operation(asked: Asked) -> str:
    """The name of what was asked."""
    name = asked.get("op")
    known = (*CHANGES, *GROWING, "cancel")
    if name not in known:
        raise UnknownName("operation", str(name)[:40], known, hint=f"There are: {', '.join(known)}.")
    return str(name)


def version_in(asked: Asked) -> int:
    """The version that the asker has read: whoever changes a tree must have seen it."""
    found = asked.get("version")
    if not isinstance(found, int) or isinstance(found, bool):
        raise UserError("A change needs the version of the tree that was read.")
    return found


def text_in(asked: Asked, key: str, longest: int = LARGEST_TEXT) -> str:
    """A text that can be kept: no longer than that, and no half characters."""
    found = asked.get(key, "")
    require_text(key, found, may_be_empty=True)
    if len(found) > longest:
        raise UserError(f"The {key} has {len(found):,} characters; {longest:,} are the most.")
    return str(found)


def node_in(asked: Asked, key: str = "node") -> str:
    """The node that is meant."""
    found = asked.get(key)
    if not isinstance(found, str) or not found:
        raise UserError(f"'{key}' names no node.")
    return found


def node_or_none(asked: Asked, key: str) -> str | None:
    """The node that is meant; None stands for no node."""
    return None if asked.get(key) is None else node_in(asked, key)


def settings_in(asked: Asked) -> Settings:
    """How replies are to be drawn; what is not given is as usual. Bounds are a request's own."""
    found = asked.get("settings", {})
    if not isinstance(found, Mapping) or set(found) - {"temperature", "max_tokens", "n", "seed"}:
        raise UserError("'settings' may have temperature, max_tokens, n and seed.")
    for key, value in found.items():
        kinds = (int, float) if key == "temperature" else (int,)
        if isinstance(value, bool) or not isinstance(value, kinds):
            raise UserError(f"The {key.replace('_', ' ')} is no number that can be taken.")
    return Settings(**found)


def _add(tree: Branches, asked: Asked) -> str:
    role = asked.get("role", "user")
    if role not in ROLES:
        raise UnknownName("role", str(role)[:40], ROLES)
    origin = Origin.TOOL if role == "tool" else Origin.HUMAN
    return tree.add(node_or_none(asked, "parent"), role, text_in(asked, "text"), origin).id


def _edit(tree: Branches, asked: Asked) -> str:
    tree.edit(node_in(asked), text_in(asked, "text"))
    return node_in(asked)


def _rename(tree: Branches, asked: Asked) -> str:
    tree.rename(node_in(asked), text_in(asked, "name", 200))
    return node_in(asked)


def _rewire(tree: Branches, asked: Asked) -> str:
    tree.rewire(node_in(asked), node_or_none(asked, "parent"))
    return node_in(asked)


def _delete(tree: Branches, asked: Asked) -> str | None:
    above = tree.node(node_in(asked)).parent
    tree.delete(node_in(asked), keep_children=asked.get("keep_children") is True)
    return above


def _undo(tree: Branches, asked: Asked) -> None:
    tree.undo()


def _redo(tree: Branches, asked: Asked) -> None:
    tree.redo()


CHANGES: dict[str, Callable[[Branches, Asked], str | None]] = {
    "add": _add,
    "edit": _edit,
    "rename": _rename,
    "rewire": _rewire,
    "delete": _delete,
    "undo": _undo,
    "redo": _redo,
}
