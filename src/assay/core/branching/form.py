"""A tree as JSON, and back; and as Markdown and plain text, for people."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from assay.core.branching.branches import Branches, Spent, Stream
from assay.core.branching.clusters import clusters
from assay.core.branching.history import Change
from assay.core.branching.nodes import Node, Origin, fields_from_json, fields_to_json, node_to_json
from assay.core.validation import check_json

FORM = "assay-tree/1"
DEEPEST_HEADING = 6


def to_json(tree: Branches) -> dict[str, Any]:
    """Everything there is to know of a tree, its history and the streams under way included."""
    return {
        "form": FORM,
        "id": tree.id,
        "title": tree.title,
        "preamble": tree.preamble,
        "version": tree.version,
        "next": tree.next_id,
        "nodes": [node_to_json(tree.nodes[name]) for name in sorted(tree.nodes, key=int)],
        "streams": [_stream_to_json(stream) for stream in tree.streams.values()],
        "spent": asdict(tree.spent),
        "undo": [change.to_json() for change in tree.undoable],
        "redo": [change.to_json() for change in tree.redoable],
    }


def from_json(found: Any) -> Branches:
    """The inverse of `to_json`; `ValueError` with the reason where it is no tree."""
    check_json(found)
    try:
        if found["form"] != FORM:
            raise ValueError(f"its form is {found['form']!r:.40} and not {FORM}")
        nodes = [Node(**fields_from_json(node)) for node in found["nodes"]]
        tree = Branches(str(found["id"]), str(found["title"]), nodes, preamble=str(found["preamble"]))
        tree.version = int(found["version"])
        tree.next_id = max(tree.next_id, int(found["next"]))
        tree.spent = Spent(**{key: int(count) for key, count in found["spent"].items()})
        tree.undoable.extend(Change.from_json(change) for change in found["undo"])
        tree.redoable.extend(Change.from_json(change) for change in found["redo"])
        tree.streams = {stream["id"]: _stream_from_json(stream) for stream in found["streams"]}
    except KeyError as error:
        raise ValueError(f"{error} is missing") from None
    except (TypeError, AttributeError) as error:
        raise ValueError(str(error)) from None
    _check(tree, len(nodes))
    return tree


def _check(tree: Branches, count: int) -> None:
    if len(tree.nodes) != count:
        raise ValueError("two nodes share an id")
    reached = {node.id for node in tree.below(None)}
    if reached != set(tree.nodes):
        lost = min(set(tree.nodes) - reached, key=int)
        raise ValueError(f"node {lost} hangs below a node that is missing, or in a circle")
    if any(name not in tree.nodes for stream in tree.streams.values() for name in stream.begun):
        raise ValueError("a stream writes into a node that is missing")


def _stream_to_json(stream: Stream) -> dict[str, Any]:
    begun = {
        name: {**fields_to_json({"text": text, "tokens": tokens}), "written": written}
        for name, (text, tokens, written) in stream.begun.items()
    }
    return {"id": stream.id, "begun": begun}


def _stream_from_json(found: Mapping[str, Any]) -> Stream:
    begun = {}
    for name, before in found["begun"].items():
        fields = fields_from_json({"text": before["text"], "tokens": before["tokens"]})
        begun[str(name)] = (fields["text"], fields["tokens"], int(before["written"]))
    return Stream(str(found["id"]), begun)


def to_text(tree: Branches) -> str:
    """The document a user keeps: JSON with one node to a line, so that two versions can be compared."""
    found = to_json(tree)
    listed = ("nodes", "undo", "redo")
    parts = [f" {json.dumps(key)}: {_dumps(value)}" for key, value in found.items() if key not in listed]
    for key in listed:
        lines = ",\n".join(f"  {_dumps(entry)}" for entry in found[key])
        parts.append(f' "{key}": [\n{lines}\n ]' if lines else f' "{key}": []')
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _dumps(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def to_markdown(tree: Branches) -> str:
    """All branches from the roots down, headings as deep as the turns; equal siblings are counted."""
    lines = [f"# {tree.title or tree.id}", ""]
    families = tree.families()
    for root in families.get(None, ()):
        _write(families, root, 2, lines)
    return "\n".join(lines).rstrip() + "\n"


def _write(families: Mapping[str | None, Sequence[Node]], root: Node, depth: int, lines: list[str]) -> None:
    waiting = [(root, depth)]
    while waiting:
        node, depth = waiting.pop()
        marks = [node.role, *([node.model] if node.origin is Origin.MODEL else []), *_edited(node)]
        lines += [f"{'#' * min(depth, DEEPEST_HEADING)} {node.id}. {', '.join(marks)}", ""]
        lines += [f"> {line}".rstrip() for line in node.text.splitlines() or [""]] + [""]
        children = families.get(node.id, ())
        said = [f"{len(found.nodes)} x {found.nodes[0].label!r}" for found in clusters(children)]
        if len(said) < len(children) and said:
            lines += [f"Answers below: {'; '.join(said)}.", ""]
        waiting.extend((child, depth + 1) for child in reversed(children))


def _edited(node: Node) -> list[str]:
    return [f"edited from a {node.edited_from.origin}'s words"] if node.edited_from else []


def transcript(tree: Branches, name: str) -> str:
    """The lineage of a node as plain text, to be copied."""
    return "\n\n".join(f"{turn.role.capitalize()}: {turn.text}" for turn in tree.lineage(name))
