"""What the replies that stand in a tree took: a prompt that several share is evaluated once."""

from __future__ import annotations

from collections.abc import Iterator

from assay.core.branching.branches import Branches
from assay.core.branching.nodes import Origin


def prompts(tree: Branches) -> Iterator[dict[str, object]]:
    """By node: the replies that stand below it now and what their prompt took."""
    for parent in sorted(tree.nodes, key=int):
        drawn = [node for node in tree.children(parent) if node.origin is Origin.MODEL and node.tokens_in]
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
