"""What the replies that stand in a tree took: a prompt that several share is evaluated once."""

from __future__ import annotations

from collections.abc import Iterator

from assay.core.branching.branches import Branches
from assay.core.branching.nodes import Node, Origin


def prompts(tree: Branches) -> Iterator[dict[str, object]]:
    """By node: the replies that stand below it now and what their prompt took."""
    families = tree.families()
    for parent in sorted(tree.nodes, key=int):
        drawn = [node for node in families.get(parent, ()) if node.tokens_in and _is_reply(node)]
        if drawn:
            prompt, evaluated = max(node.tokens_in for node in drawn), sum(node.evaluated for node in drawn)
            yield {
                "node": parent,
                "replies": len(drawn),
                "prompt": prompt,
                "if not shared": sum(node.tokens_in for node in drawn),
                "evaluated": evaluated,
                "times": f"{evaluated / prompt:.2f}",
                "written": sum(node.tokens_out for node in drawn),
            }


def _is_reply(node: Node) -> bool:
    """Whether a model was asked for it; a person may have edited it since."""
    return Origin.MODEL in (node.origin, node.edited_from and node.edited_from.origin)
