"""The console of rich, on which text of others cannot act."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console as RichConsole
from rich.console import ConsoleOptions, RenderableType
from rich.segment import Segment

from assay.report.wording import visible


class Console(RichConsole):
    """On a terminal every character that acts instead of showing is written out, whatever it stands in.

    Models, tools, servers and files may hold escape codes, and rich passes them on. Its own colours and movements
    stay. What goes into a file or a pipe is data and not changed.
    """

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """The pieces of what is printed, its text made visible before it is laid out."""
        for segment in super().render(renderable, options):
            if segment.control or not self.is_terminal:
                yield segment
            else:
                yield Segment(visible(segment.text), segment.style)
