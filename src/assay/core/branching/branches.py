"""A conversation that branches: turns below turns, changes that can be undone, replies that stream in.

This is a document that people and models write together: its nodes are turns, kept for good. The tree of
`techniques.search` is another thing: states of one search, scored, cut to a beam and thrown away at its end.
They share no data, and so no code.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from assay.core.branching.history import Change
from assay.core.branching.nodes import Node, Origin, Original, Settings, Status, fields_of, kept, whole
from assay.core.errors import UnknownName, UserError
from assay.core.replies import Piece, Reply, TokenLogprob
from assay.core.requests import Message, Role
from assay.core.validation import require_text

PREAMBLE = "You are a helpful assistant."
LONGEST_HISTORY = 256


class StaleStream(UserError):
    """Words for a node that no longer waits for them: its stream was stopped, or it was changed meanwhile."""


class Conflict(UserError):
    """The tree was changed by somebody else since it was read."""


@dataclass(slots=True)
class Spent:
    """What all replies ever drawn in a tree have cost; undoing gives nothing back.

    They are counted as they come. Of a reply that was stopped the prompt is not known.
    """

    replies: int = 0
    tokens_in: int = 0
    """The prompt counted for every reply, as if none were shared."""
    tokens_out: int = 0
    evaluated: int = 0
    """Prompt tokens that were computed."""


@dataclass(frozen=True, slots=True)
class Stream:
    """Replies under way: the nodes that wait for words, and what stood in each before."""

    id: str
    begun: Mapping[str, tuple[str, tuple[TokenLogprob, ...], int]]
    """By node: text, tokens, and how many tokens a model had written in it."""


class Branches:
    """A tree of turns, or several. Every method that changes it can be undone, 256 changes back."""

    def __init__(
        self, name: str, title: str = "", nodes: Iterable[Node] = (), *, preamble: str = PREAMBLE
    ) -> None:
        require_text("title", title, may_be_empty=True)
        require_text("preamble", preamble)
        self.id = name
        self.title = title
        self.preamble = preamble
        self.version = 0
        """Counts the changes; words that stream in are none."""
        self.nodes: dict[str, Node] = {node.id: node for node in nodes}
        self.streams: dict[str, Stream] = {}
        self.spent = Spent()
        self.undoable: deque[Change] = deque(maxlen=LONGEST_HISTORY)
        self.redoable: list[Change] = []
        self.next_id = max((int(node) for node in self.nodes), default=0) + 1

    # --- looking --------------------------------------------------------------------------------------

    def node(self, name: str) -> Node:
        """The node of that id; `UnknownName` for any other."""
        if name not in self.nodes:
            known = ", ".join(sorted(self.nodes, key=int)[:8])
            raise UnknownName("node", name, self.nodes, hint=f"Nodes: {known or 'none'}.")
        return self.nodes[name]

    def children(self, parent: str | None) -> tuple[Node, ...]:
        """Nodes below a node in the order they were made; of None: the roots."""
        found = (node for node in self.nodes.values() if node.parent == parent)
        return tuple(sorted(found, key=lambda node: int(node.id)))

    def ancestry(self, name: str) -> tuple[Node, ...]:
        """From the root down to the node itself."""
        path = [self.node(name)]
        while (parent := path[-1].parent) is not None:
            path.append(self.node(parent))
        return tuple(reversed(path))

    def families(self) -> Mapping[str | None, Sequence[Node]]:
        """The children of all that have any: quicker than asking one after the other."""
        found: dict[str | None, list[Node]] = {}
        for node in sorted(self.nodes.values(), key=lambda node: int(node.id)):
            found.setdefault(node.parent, []).append(node)
        return found

    def below(self, name: str | None) -> tuple[Node, ...]:
        """The node and everything under it, parents first; of None: whatever hangs on a root."""
        families = self.families()
        found = [self.node(name)] if name is not None else list(families.get(None, ()))
        for node in found:
            found.extend(families.get(node.id, ()))
        return tuple(found)

    def lineage(self, name: str) -> tuple[Message, ...]:
        """The conversation that ends with the node, a preamble before it where it begins with none."""
        path = self.ancestry(name)
        turns = [] if path[0].role == "system" else [Message("system", self.preamble)]
        for node in path:
            if turns and turns[-1].role == node.role == "assistant":
                turns[-1] = Message("assistant", turns[-1].text + node.text)
            elif node.text:
                turns.append(Message(node.role, node.text))
        return tuple(turns)

    # --- changing -------------------------------------------------------------------------------------

    def expect(self, version: int | None) -> None:
        """`Conflict` where the tree is not the one that was read; None: whichever it is."""
        if version is not None and version != self.version:
            raise Conflict(
                f"The tree was changed meanwhile: it is at version {self.version}, you have read {version}.",
                hint="Look at it again, then repeat the change.",
            )

    def add(self, parent: str | None, role: Role, text: str = "", origin: Origin = Origin.HUMAN) -> Node:
        """A new turn below a node, or a new root."""
        if parent is not None:
            self.node(parent)
        require_text("text", text, may_be_empty=True)
        node = Node(self._new_id(), parent, role, text, origin=origin)
        self._change(f"add {role}", {node.id: node})
        return node

    def edit(self, name: str, text: str) -> None:
        """Other words, a person's own; what stood there first is kept beside them."""
        node = self.node(name)
        require_text("text", text, may_be_empty=True)
        first = node.edited_from or Original(node.text, node.origin)
        status = Status.CANCELLED if node.status is Status.STREAMING else node.status
        fields: dict[str, Any] = {
            "text": text,
            "origin": Origin.HUMAN,
            "edited_from": first,
            "tokens": (),
            "status": status,
        }
        self._change("edit", {name: replace(node, **fields)}, fields)

    def rename(self, name: str, label: str) -> None:
        """A label of a person's own; an empty one brings the automatic one back."""
        node = self.node(name)
        require_text("label", label, may_be_empty=True)
        self._change("rename", {name: replace(node, name=label)}, ("name",))

    def disconnect(self, name: str) -> None:
        """Make a node the root of a tree of its own."""
        self._change("disconnect", {name: replace(self.node(name), parent=None)}, ("parent",))

    def connect(self, parent: str, child: str) -> None:
        """Hang a root below a node.

        Raises:
            UserError: it has a parent already, or the node stands below it.
        """
        node = self.node(child)
        if node.parent is not None:
            raise UserError(f"Node {child} has a parent already, node {node.parent}.", hint="Disconnect it first.")
        self._refuse_circle(parent, child)
        self._change("connect", {child: replace(node, parent=parent)}, ("parent",))

    def rewire(self, child: str, parent: str | None) -> None:
        """Hang a node below another one with all that is below it, or make it a root; one change to undo."""
        node = self.node(child)
        if parent is not None:
            self._refuse_circle(parent, child)
        self._change("rewire", {child: replace(node, parent=parent)}, ("parent",))

    def _refuse_circle(self, parent: str, child: str) -> None:
        if child in (above.id for above in self.ancestry(parent)):
            raise UserError(f"Node {parent} stands below node {child}: that would be a circle.")

    def delete(self, name: str, *, keep_children: bool = False) -> None:
        """Take a node out with all that is below it, or hang its children where it stood."""
        node = self.node(name)
        if not keep_children:
            self._change("delete", {gone.id: None for gone in self.below(name)})
            return
        moved = {child.id: replace(child, parent=node.parent) for child in self.children(name)}
        self._change("delete one", {**moved, name: None}, ("parent",))

    def undo(self) -> str:
        """Take the last change back; says which it was."""
        return self._swap(self.undoable, self.redoable, "undo")

    def redo(self) -> str:
        """Bring the last undone change back; says which it was."""
        return self._swap(self.redoable, self.undoable, "redo")

    def _new_id(self) -> str:
        self.next_id += 1
        return str(self.next_id - 1)

    def _change(self, what: str, after: Mapping[str, Node | None], touched: Iterable[str] = ()) -> None:
        """Put these nodes in place and note how they were; of nodes that stay, the touched fields."""
        touched, before = tuple(touched), dict[str, Mapping[str, Any] | None]()
        for name, node in after.items():
            old = self.nodes.get(name)
            if old is None or node is None:
                before[name] = None if old is None else fields_of(old)
            else:
                before[name] = {key: getattr(old, key) for key in touched}
            if node is None:
                del self.nodes[name]
            else:
                self.nodes[name] = node
        self.undoable.append(Change(what, before))
        self.redoable.clear()
        self.version += 1
        self._let_go(name for name, fields in before.items() if fields is None or "text" in fields)

    def _swap(self, done: deque[Change] | list[Change], other: Any, word: str) -> str:
        if not done:
            raise UserError(f"There is nothing to {word}.")
        change = done.pop()
        other.append(change.swap(self.nodes))
        self.version += 1
        self._let_go(name for name, fields in change.before.items() if fields is None or "text" in fields)
        waiting = {name for stream in self.streams.values() for name in stream.begun}
        for name in change.before.keys() & self.nodes.keys() - waiting:
            if self.nodes[name].status is Status.STREAMING:
                self.nodes[name] = replace(self.nodes[name], status=Status.CANCELLED)
        return change.what

    # --- streams --------------------------------------------------------------------------------------

    def begin(
        self, stream: str, parent: str, model: str, settings: Settings, *, reuse: bool = False
    ) -> list[Node]:
        """Children that wait for replies; with `reuse` those a model wrote are written anew, then new ones.

        Each has an index that none had under this parent before, so that the same seed draws it anew.
        """
        self.node(parent)
        siblings = [node for node in self.children(parent) if node.origin is Origin.MODEL]
        first = max((node.index for node in siblings), default=-1) + 1
        old = siblings[: settings.n] if reuse else []
        blank = [Node(node.id, parent, "assistant", name=node.name) for node in old]
        blank += [Node(self._new_id(), parent, "assistant") for _ in range(settings.n - len(old))]
        marks: dict[str, Any] = {"origin": Origin.MODEL, "model": model, "settings": settings}
        nodes = [replace(node, **marks, index=first + i, status=Status.STREAMING) for i, node in enumerate(blank)]
        written = set(fields_of(nodes[0])) - {"id", "parent", "role", "name"}
        self._change("regenerate" if reuse else "grow", {node.id: node for node in nodes}, sorted(written))
        self._open(stream, nodes)
        return nodes

    def begin_again(self, stream: str, name: str, model: str, settings: Settings) -> Node:
        """A node whose text is to be gone on with."""
        marks: dict[str, Any] = {"model": model, "settings": settings, "status": Status.STREAMING, "problem": ""}
        node = replace(self.node(name), **marks)
        touched = (*marks, "text", "tokens", "tokens_in", "tokens_out", "evaluated", "finish")
        self._change("continue", {name: node}, touched)
        self._open(stream, [node])
        return node

    def append(self, stream: str, name: str, text: str, tokens: tuple[TokenLogprob, ...] = ()) -> None:
        """Words that have come for a node; `StaleStream` where it waits for none from there."""
        node = self._waiting(stream, name)
        written = node.tokens_out + _count(text, tokens)
        grown: dict[str, Any] = {"text": node.text + whole(text), "tokens": node.tokens + kept(tokens)}
        self.nodes[name] = replace(node, **grown, tokens_out=written)

    def finish(self, stream: str, name: str, reply: Reply, evaluated: int = 0) -> None:
        """The whole reply of a node: what stands there is what the model's `generate` would have given."""
        node = self._waiting(stream, name)
        text, tokens, written = self.streams[stream].begun[name]
        self.nodes[name] = replace(
            node,
            text=text + whole(reply.text),
            tokens=tokens + kept(reply.logprobs),
            status=Status.DONE,
            finish=reply.finish,
            tokens_in=reply.tokens_in,
            tokens_out=written + reply.tokens_out,
            evaluated=evaluated,
        )
        self._close(stream, name)

    def pay(self, pieces: Iterable[Piece], paid: Mapping[int, int]) -> Mapping[int, int]:
        """Note what pieces of a stream have cost, whatever becomes of their nodes.

        `paid`: the tokens of each index that are on the bill already; gives what is by then.
        """
        by_now = Counter(paid)
        for piece in pieces:
            written = _count(piece.text, piece.tokens)
            if piece.reply is not None:
                written = max(0, piece.reply.tokens_out - by_now[piece.index])
                self.spent.replies += 1
                self.spent.tokens_in += piece.reply.tokens_in
                self.spent.evaluated += piece.evaluated
            self.spent.tokens_out += written
            by_now[piece.index] += written
        return by_now

    def cancel(self, stream: str, problem: str = "") -> None:
        """Stop a stream: what has come stands. With a problem: the model failed."""
        status = Status.ERROR if problem else Status.CANCELLED
        begun = self.streams.pop(stream).begun if stream in self.streams else ()
        for name in begun:
            self.nodes[name] = replace(self.nodes[name], status=status, problem=whole(problem))

    def _open(self, stream: str, nodes: list[Node]) -> None:
        begun = {node.id: (node.text, node.tokens, node.tokens_out) for node in nodes}
        self.streams[stream] = Stream(stream, begun)

    def _waiting(self, stream: str, name: str) -> Node:
        if stream not in self.streams or name not in self.streams[stream].begun:
            raise StaleStream(f"Node {name} waits for no words of stream {stream}: it was stopped or changed.")
        return self.nodes[name]

    def _close(self, stream: str, name: str) -> None:
        left = {node: begun for node, begun in self.streams[stream].begun.items() if node != name}
        self.streams.pop(stream)
        if left:
            self.streams[stream] = Stream(stream, left)

    def _let_go(self, names: Iterable[str]) -> None:
        """These nodes wait no longer: their text was changed, or they were taken out or put back."""
        for name in names:
            for stream in [found.id for found in self.streams.values() if name in found.begun]:
                self._close(stream, name)


def _count(text: str, tokens: tuple[TokenLogprob, ...]) -> int:
    """Tokens of a piece: those listed, or one, as servers send them."""
    return len(tokens) or bool(text)
