"""Siblings that say the same, counted: how far a model disagrees with itself."""

from __future__ import annotations

import string
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from assay.core.branching.nodes import Node, Status

_ENDS = string.punctuation + string.whitespace + "“”„‘’«»…–—"


@dataclass(frozen=True, slots=True)
class Cluster:
    """Nodes with the same answer, in the order they were made."""

    answer: str
    nodes: tuple[Node, ...]
    share: float


def normalised(text: str) -> str:
    """What two texts share that differ in case, spacing and the marks around them alone."""
    return " ".join(text.casefold().split()).strip(_ENDS)


def clusters(nodes: Sequence[Node]) -> tuple[Cluster, ...]:
    """The nodes that are done, by what they say; the largest first, the earlier of equals."""
    done = [node for node in nodes if node.status is Status.DONE]
    groups: dict[str, list[Node]] = {}
    for node in done:
        groups.setdefault(normalised(node.text), []).append(node)
    ordered = sorted(groups.items(), key=lambda group: -len(group[1]))
    return tuple(Cluster(answer, tuple(alike), len(alike) / len(done)) for answer, alike in ordered)


def disagreement(answers: Iterable[str]) -> float:
    """1 minus the share of the commonest answer: 0 where all agree."""
    found = list(answers)
    if not found:
        raise ValueError("no answer can neither agree nor disagree")
    return 1 - max(found.count(answer) for answer in set(found)) / len(found)
