"""The pages of the documentation, and the code that stands in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
# The notebook is history: its commands are those of their day.
PAGES = [path for path in sorted((*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"))) if path.stem != "NOTEBOOK"]
_BLOCK = re.compile(r"(?P<before>^[^\n]*\n)?^```(?P<language>\w+)[^\n]*\n(?P<code>.*?)^```$", re.M | re.S)
_NOT_RUN = ("<!-- not run", "<!-- needs the model")
_FILE = re.compile(r"# ((?:src|tests)/\S+\.py)\n")


@dataclass(frozen=True)
class Block:
    """One fenced block of a page."""

    page: Path
    line: int
    language: str
    code: str
    skipped: bool
    """Whether the line above it says so: `<!-- not run: why -->` or `<!-- needs the model -->`."""

    @property
    def file(self) -> str:
        """The file it is to be written to, from its first line; empty without one."""
        named = _FILE.match(self.code)
        return named[1] if named else ""


def blocks(page: Path, *languages: str) -> Iterator[Block]:
    """The blocks of a page in these languages, in order."""
    text = page.read_text("utf-8")
    for match in _BLOCK.finditer(text):
        if match["language"] in languages:
            line = text.count("\n", 0, match.start("code"))
            skipped = (match["before"] or "").startswith(_NOT_RUN)
            yield Block(page, line, match["language"], match["code"], skipped)


def page_name(page: Path) -> str:
    """How a page is called in a test's name."""
    return str(page.relative_to(ROOT))
