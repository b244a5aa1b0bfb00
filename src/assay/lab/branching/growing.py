"""Grows a tree: replies stream into its nodes, and into its file as they come."""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, replace

from assay.core.branching import Branches, Node, Settings
from assay.core.errors import AssayError
from assay.core.model import Capability, Model, stream
from assay.core.replies import Piece, TokenLogprob
from assay.core.requests import Ask
from assay.lab.branching.trees import Trees

AUTOSAVE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Grown:
    """What has just come for one node."""

    stream: str
    node: str
    text: str
    tokens: tuple[TokenLogprob, ...] = ()
    done: bool = False


async def grow(
    trees: Trees,
    name: str,
    parent: str,
    settings: Settings,
    model: Model,
    *,
    reuse: bool = False,
    version: int | None = None,
) -> AsyncGenerator[Grown]:
    """n replies below a node, asked for in one request; with `reuse` its model-written children are drawn anew.

    Below an assistant's node they go on with its turn. Closing the iterator stops the model; what had come stands.

    Raises:
        BadRequest: the lineage is longer than the model's context. Nothing is cut, and nothing is changed.
        Conflict: the tree is not at the version that was read.
    """
    writing = _Writing(trees, name, asked_below(trees.read(name), parent, settings, model))
    with trees.streaming(name, writing.stream):
        with trees.changing(name, version) as tree:
            writing.wait_for(tree, tree.begin(writing.stream, parent, model.name, settings, reuse=reuse))
        async with contextlib.aclosing(writing.follow(model)) as pieces:
            async for piece in pieces:
                yield piece


async def go_on(
    trees: Trees, name: str, node: str, settings: Settings, model: Model, *, version: int | None = None
) -> AsyncGenerator[Grown]:
    """The next words of a node, behind its own: an assistant's turn goes on, other text goes on as plain text."""
    tree, settings = trees.read(name), replace(settings, n=1)
    request = asked_below(tree, node, settings, model)
    if tree.node(node).role != "assistant":
        text = "\n\n".join(turn.text for turn in tree.lineage(node))
        request = replace(request, prompt=text, raw=True)
    writing = _Writing(trees, name, request)
    with trees.streaming(name, writing.stream):
        with trees.changing(name, version) as tree:
            writing.wait_for(tree, [tree.begin_again(writing.stream, node, model.name, settings)])
        async with contextlib.aclosing(writing.follow(model)) as pieces:
            async for piece in pieces:
                yield piece


def asked_below(tree: Branches, name: str, settings: Settings, model: Model) -> Ask:
    """The request for what comes below a node."""
    turns = tree.lineage(name)
    begun = turns[-1].text if turns[-1].role == "assistant" else ""
    return Ask(
        turns[:-1] if begun else turns,
        prefill=begun,
        n=settings.n,
        max_tokens=settings.max_tokens,
        temperature=settings.temperature,
        seed=settings.seed,
        logprobs=1 if Capability.LOGPROBS in model.capabilities else 0,
    )


class _Writing:
    """One stream on its way from a model into a tree's file."""

    def __init__(self, trees: Trees, name: str, request: Ask) -> None:
        self.stream = secrets.token_hex(4)
        self._trees, self._name, self._request = trees, name, request
        self._waiting: dict[int, str] = {}
        self._unsaved: list[Piece] = []
        self._saved_at = time.monotonic()
        self._version = 0
        self._paid: Mapping[int, int] = {}

    def wait_for(self, tree: Branches, nodes: list[Node]) -> None:
        """These nodes are to be written."""
        self._waiting = {node.index: node.id for node in nodes}
        self._version = tree.version

    async def follow(self, model: Model) -> AsyncGenerator[Grown]:
        """What comes, as it comes; it is saved about every second and at the end, however that comes."""
        problem, come = "", False
        indexes = list(self._waiting)
        try:
            async with contextlib.aclosing(stream(model, self._request, indexes)) as pieces:
                async for piece in pieces:
                    come = True
                    self._unsaved.append(piece)
                    if piece.index in self._waiting:
                        done = piece.reply is not None
                        yield Grown(self.stream, self._waiting[piece.index], piece.text, piece.tokens, done)
                    if time.monotonic() - self._saved_at > AUTOSAVE_SECONDS:
                        self._save()
                        if not self._waiting:
                            return
        except AssayError as error:
            problem = str(error)
            raise
        finally:
            self._save(ended=True, problem=problem, refused=bool(problem) and not come)

    def _save(self, *, ended: bool = False, problem: str = "", refused: bool = False) -> None:
        """Everything that has come since the last time, in one change of the file."""
        with self._trees.changing(self._name) as tree:
            # Somebody may have stopped the stream meanwhile, or changed a node: it wants no more words.
            self._keep_waiting(tree)
            for piece in self._unsaved:
                if (node := self._waiting.get(piece.index)) is None:
                    continue
                if piece.reply is None:
                    tree.append(self.stream, node, piece.text, piece.tokens)
                else:
                    tree.finish(self.stream, node, piece.reply, piece.evaluated)
            self._keep_waiting(tree)
            paid = tree.pay(self._unsaved, self._paid)
            if ended:
                tree.cancel(self.stream, problem)
            if refused and tree.version == self._version:
                # Nothing was asked of the model: no trace of it is left.
                tree.undo()
                tree.redoable.clear()
        self._paid = paid
        self._unsaved.clear()
        self._saved_at = time.monotonic()

    def _keep_waiting(self, tree: Branches) -> None:
        live = tree.streams[self.stream].begun if self.stream in tree.streams else ()
        self._waiting = {index: node for index, node in self._waiting.items() if node in live}
