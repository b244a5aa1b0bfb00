"""How a tree looks in the page: every node with what is drawn of it, and the number of its last change.

A tab is told what has changed since the number it brings. It is told how things stand and not what happened,
so that a slow one misses steps and never the end.
"""

from __future__ import annotations

import asyncio
import math
import secrets
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Protocol

from assay.core import TokenLogprob
from assay.core.branching import Branches, Node, Origin, clusters, prompts

Drawn = dict[str, Any]
Pair = tuple[str, float | None]
"""A token's text and log-probability."""


class Coming(Protocol):
    """Words that have come for a node and are not all in the file yet."""

    text: str
    tokens: list[Pair]


class Scene:
    """One tree, for all tabs that have it open."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.epoch = secrets.token_hex(4)
        """Numbers of another epoch, such as those before a restart, mean nothing here."""
        self.number = 0
        self.head: Drawn = {}
        self.head_changed = 0
        self.nodes: dict[str, Drawn] = {}
        self.changed: dict[str, int] = {}
        """By node, those that have gone included: the number of its last change."""
        self.stamp: tuple[int, ...] | None = None
        self._saved: dict[str, Drawn] = {}
        self._begun: dict[tuple[str, str], tuple[str, list[Pair]]] = {}
        self._saved_head: Drawn = {}
        self._shown: tuple[Any, ...] = ()

    def take(self, tree: Branches) -> None:
        """The tree as its file has it."""
        self._saved_head = head_of(tree)
        self._saved = drawn(tree)
        self._begun = {
            (stream.id, node): (text, pairs(tokens))
            for stream in tree.streams.values()
            for node, (text, tokens, _) in stream.begun.items()
        }
        self._shown = ()

    def show(self, coming: Mapping[str, Mapping[str, Coming]], pieces: int) -> None:
        """Put words that have come over what is saved, and number what has changed since the last look."""
        looks = (tuple(coming), pieces)
        if looks == self._shown:
            return
        self._shown = looks
        nodes = dict(self._saved)
        for (stream, node), (text, tokens) in self._begun.items():
            if (words := coming.get(stream, {}).get(node)) is not None:
                written = {"text": text + words.text, "tokens": tokens + words.tokens}
                nodes[node] = {**nodes[node], **written}
        different = [name for name in nodes.keys() | self.nodes.keys() if nodes.get(name) != self.nodes.get(name)]
        if not different and self.head == self._saved_head:
            return
        self.number += 1
        self.changed.update(dict.fromkeys(different, self.number))
        if self.head != self._saved_head:
            self.head, self.head_changed = self._saved_head, self.number
        self.nodes = nodes

    @property
    def is_written(self) -> bool:
        """Whether a process, this one or another, was writing in it when it was read."""
        return bool(self._begun)

    def whole(self) -> Drawn:
        """Everything there is to draw."""
        return {**self.head, "nodes": [self.nodes[name] for name in sorted(self.nodes, key=int)]}


class Tab:
    """What one open page has been told of a tree."""

    def __init__(self, scene: Scene, last_event: str = "") -> None:
        epoch, _, number = last_event.partition(".")
        self._number = int(number) if epoch == scene.epoch and number.isdecimal() else 0
        # What has not changed since then the page has as it stands now; of the rest it is told the whole.
        self._told = {name: node for name, node in scene.nodes.items() if scene.changed[name] <= self._number}

    def news(self, scene: Scene) -> Drawn | None:
        """What it is to be told now; None where that is nothing."""
        if scene.number <= self._number:
            return None
        names = [name for name, number in scene.changed.items() if number > self._number]
        found: Drawn = {
            "whole": self._number == 0,
            "nodes": [since(self._told.get(name), scene.nodes[name]) for name in names if name in scene.nodes],
            "gone": [name for name in names if name not in scene.nodes],
        }
        if scene.head_changed > self._number:
            found["head"] = scene.head
        self._number, self._told = scene.number, scene.nodes
        return found


def since(before: Drawn | None, now: Drawn) -> Drawn:
    """A node as it is told: of words that only went on, what is new alone."""
    if before is None or not now["text"].startswith(before["text"]):
        return now
    length = len(before["tokens"])
    if now["tokens"][:length] != before["tokens"]:
        return now
    rest = {"more": now["text"][len(before["text"]) :], "more_tokens": now["tokens"][length:]}
    return {**{key: value for key, value in now.items() if key not in ("text", "tokens")}, **rest}


def head_of(tree: Branches) -> Drawn:
    """What is told of the tree as a whole."""
    return {
        "id": tree.id,
        "title": tree.title,
        "preamble": tree.preamble,
        "version": tree.version,
        "undo": tree.undoable[-1].what if tree.undoable else "",
        "redo": tree.redoable[-1].what if tree.redoable else "",
        "spent": asdict(tree.spent),
        "prompts": list(prompts(tree)),
    }


def drawn(tree: Branches) -> dict[str, Drawn]:
    """Every node with what is drawn of it."""
    below: dict[str | None, list[Node]] = {}
    for node in tree.nodes.values():
        below.setdefault(node.parent, []).append(node)
    alike: dict[str, Drawn] = {}
    for siblings in below.values():
        replies = [node for node in siblings if node.origin is Origin.MODEL]
        for cluster in clusters(replies) if len(replies) > 1 else ():
            same = {"alike": len(cluster.nodes), "share": cluster.share, "as": cluster.nodes[0].id}
            alike.update({node.id: same for node in cluster.nodes})
    alone = {"alike": 1, "share": 0.0, "as": ""}
    return {name: _drawn(node) | alike.get(name, alone) for name, node in tree.nodes.items()}


def _drawn(node: Node) -> Drawn:
    return {
        "id": node.id,
        "parent": node.parent,
        "role": node.role,
        "origin": node.origin,
        "name": node.name,
        "label": node.label,
        "text": node.text,
        "tokens": pairs(node.tokens),
        "status": node.status,
        "finish": node.finish,
        "problem": node.problem,
        "edited": asdict(node.edited_from) if node.edited_from else None,
        "model": node.model,
        "settings": asdict(node.settings) if node.settings else None,
        "index": node.index,
        "tokens_in": node.tokens_in,
        "tokens_out": node.tokens_out,
        "evaluated": node.evaluated,
    }


def pairs(tokens: tuple[TokenLogprob, ...]) -> list[Pair]:
    """Tokens as they are told; JSON knows no infinity."""
    return [(token.text, token.logprob if math.isfinite(token.logprob) else None) for token in tokens]
