"""A long text as passages that an encoder can read whole."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assay.tasks.retrieval.corpus import Document

_PARAGRAPH = re.compile(r"\S(?:.|\n(?!\s*\n))*")


def passages(name: str, text: str, longest: int = 120) -> Iterator[Document]:
    """Paragraphs put together while they have at most so many words; longer ones are cut. Ids are `name:line`."""
    held: list[str] = []
    begins = 1
    for match in _PARAGRAPH.finditer(text):
        words = match.group().split()
        line = text.count("\n", 0, match.start()) + 1
        if held and len(held) + len(words) > longest:
            yield Document(f"{name}:{begins}", " ".join(held))
            held = []
        begins = begins if held else line
        held += words
        if len(held) > longest:
            yield from _cut(name, begins, held, longest)
            held = []
    if held:
        yield Document(f"{name}:{begins}", " ".join(held))


def _cut(name: str, line: int, words: list[str], longest: int) -> Iterator[Document]:
    """A paragraph in pieces; the later ones are told apart by a number behind the line."""
    for part, start in enumerate(range(0, len(words), longest), start=1):
        place = f"{name}:{line}" + (f"/{part}" if part > 1 else "")
        yield Document(place, " ".join(words[start : start + longest]))
