"""Style of the two answers of a vote: as the table counted it, or counted here in the texts."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

STYLES: Mapping[str, str] = {
    "length": "sum_assistant_{}_tokens",
    "headers": "header_count_{}",
    "lists": "list_count_{}",
    "bold": "bold_count_{}",
}
"""Our names, and the columns of the arena's tables for the sides a and b."""
MARKDOWN = ("headers", "lists", "bold")

_FENCE = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
_PATTERNS = {
    "length": re.compile(r"\w+|[^\w\s]"),
    "headers": re.compile(r"^ {0,3}#{1,6}\s+\S", re.MULTILINE),
    "lists": re.compile(r"^\s*(?:[-*+]|\d{1,3}[.)])\s+\S", re.MULTILINE),
    "bold": re.compile(r"\*\*[^*\n]+\*\*|__[^_\n]+__"),
}


def style_of(row: Mapping[str, Any], name: str) -> tuple[float, float] | None:
    """One measure of both answers of a row; None where the row holds neither the count nor the texts."""
    first, second = _counted(row, name, "a"), _counted(row, name, "b")
    if first is None or second is None:
        texts = _text(row, "a"), _text(row, "b")
        if texts[0] is None or texts[1] is None:
            return None
        return count_style(texts[0], name), count_style(texts[1], name)
    return first, second


def count_style(text: str, name: str) -> float:
    """Words and signs, headers, list items or bold passages of a text; markdown is not looked for in code."""
    return float(len(_PATTERNS[name].findall(text if name == "length" else _FENCE.sub("", text))))


def _counted(row: Mapping[str, Any], name: str, side: str) -> float | None:
    column = STYLES[name].format(side)
    if column in row:
        value = row[column]
    else:
        metadata = _plain(row.get("conv_metadata"), None)
        value = metadata.get(column) if isinstance(metadata, Mapping) else None
    value = _plain(value, value)
    # Counts by kind: h1 to h6, ordered and unordered.
    parts = [part or 0 for part in value.values()] if isinstance(value, Mapping) else [value]
    try:
        return float(sum(map(float, parts)))
    except (TypeError, ValueError, OverflowError):
        return None


def _text(row: Mapping[str, Any], side: str) -> str | None:
    """What the model on that side wrote, all its turns."""
    columns = (f"conversation_{side}", f"response_{side}")
    for column in columns:
        value = row.get(column)
        if value is None or value == "":
            continue
        turns = _plain(value, [value])
        if not isinstance(turns, list | tuple):
            turns = [value]
        said = [_words(turn) for turn in turns if not isinstance(turn, Mapping) or turn.get("role") == "assistant"]
        return "\n".join(said)
    # A model that wrote nothing has an answer, too.
    return "" if any(row.get(column) == "" for column in columns) else None


def _words(turn: Any) -> str:
    content = turn.get("content") if isinstance(turn, Mapping) else turn
    if isinstance(content, list | tuple):  # parts, of which some are pictures
        return "\n".join(str(part.get("text") or "") for part in content if isinstance(part, Mapping))
    return "" if content is None else str(content)


def _plain(value: Any, otherwise: Any) -> Any:
    """What a cell holds that was written as JSON; any other value as it is, and `otherwise` for none."""
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return otherwise
    return otherwise if value is None or value == "" else value
