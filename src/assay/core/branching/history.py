"""Changes that can be taken back: for every node touched, the fields it had before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from assay.core.branching.nodes import Node, fields_from_json, fields_of, fields_to_json

Fields = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """What was done, and what undoes it.

    Only the fields a change touched are kept: taking back a new name leaves the words that have streamed in since.
    """

    what: str
    before: Mapping[str, Fields | None]
    """By node: the fields as they were; all of them for a node that was deleted, None for one that was added."""

    def swap(self, nodes: dict[str, Node]) -> Change:
        """Put the nodes back as they were; what comes back is the change that undoes this."""
        after: dict[str, Fields | None] = {}
        for name, before in self.before.items():
            now = nodes.get(name)
            if before is None:
                after[name] = fields_of(nodes.pop(name))
            elif now is None:
                after[name], nodes[name] = None, Node(**before)
            else:
                after[name] = {key: getattr(now, key) for key in before}
                nodes[name] = replace(now, **before)
        return Change(self.what, after)

    def to_json(self) -> dict[str, Any]:
        """As JSON."""
        before = {name: None if old is None else fields_to_json(old) for name, old in self.before.items()}
        return {"what": self.what, "before": before}

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Change:
        """The inverse of `to_json`."""
        before = {n: None if old is None else fields_from_json(old) for n, old in found["before"].items()}
        return cls(str(found["what"]), before)
