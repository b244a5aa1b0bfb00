"""The few shapes our drawings are made of, as SVG text. Colours are the page's CSS variables."""

from __future__ import annotations

import html
from collections.abc import Sequence

from assay.report.wording import visible

WIDTH = 380
"""All drawings are this wide: scaled down to a phone their text stays legible."""
EDGE = 14
END = WIDTH - EDGE
SIZE = 12.5
INK, QUIET, LINE = "var(--ink,#1c1f22)", "var(--quiet,#5b6269)", "var(--line,#d5d9dc)"
ACCENT, BAND, PAPER = "var(--accent,#1f5f9e)", "var(--band,#c9dcee)", "var(--paper,#fff)"


def place(number: float) -> str:
    """A coordinate, to a tenth."""
    return f"{number:.1f}".removesuffix(".0")


def line(x1: float, y1: float, x2: float, y2: float, colour: str, width: float = 1, dashes: str = "") -> str:
    """A straight line."""
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return f'<path d="{course([(x1, y1), (x2, y2)])}" stroke="{colour}" stroke-width="{width}"{dashed}/>'


def course(points: Sequence[tuple[float, float]]) -> str:
    """The way from point to point."""
    return "M" + "L".join(f"{place(x)} {place(y)}" for x, y in points)


def path(way: str, colour: str, width: float = 1.5, dashes: str = "") -> str:
    """An open line along a way."""
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    stroke = f'stroke="{colour}" stroke-width="{width}" stroke-linejoin="round"{dashed}'
    return f'<path d="{way}" fill="none" {stroke}/>'


def area(points: Sequence[tuple[float, float]], colour: str) -> str:
    """The area within the points."""
    return f'<path d="{course(points)}Z" fill="{colour}"/>'


def rect(x: float, y: float, width: float, height: float, colour: str) -> str:
    """A filled rectangle."""
    size = f'width="{place(width)}" height="{place(height)}"'
    return f'<rect x="{place(x)}" y="{place(y)}" {size} fill="{colour}"/>'


def frame(x: float, y: float, width: float, height: float, colour: str) -> str:
    """An empty rectangle."""
    size = f'width="{place(width)}" height="{place(height)}"'
    return f'<rect x="{place(x)}" y="{place(y)}" {size} fill="none" stroke="{colour}"/>'


def dot(x: float, y: float, radius: float, colour: str) -> str:
    """A filled circle."""
    return f'<circle cx="{place(x)}" cy="{place(y)}" r="{radius}" fill="{colour}"/>'


def ring(x: float, y: float, radius: float, colour: str) -> str:
    """A hollow circle."""
    circle = f'<circle cx="{place(x)}" cy="{place(y)}" r="{radius}"'
    return f'{circle} fill="{PAPER}" stroke="{colour}" stroke-width="1.5"/>'


def text(
    x: float,
    y: float,
    words: str,
    *,
    anchor: str = "start",
    colour: str = INK,
    weight: int = 400,
    size: float = SIZE,
    halo: bool = True,
) -> str:
    """Text with a halo of the paper's colour, so that a line behind it does not cross it out."""
    bold = f' font-weight="{weight}"' if weight != 400 else ""
    bold += f' font-size="{size}"' if size != SIZE else ""
    around = f' stroke="{PAPER}" stroke-width="4" paint-order="stroke" stroke-linejoin="round"' if halo else ""
    where = f'x="{place(x)}" y="{place(y)}" text-anchor="{anchor}" fill="{colour}"'
    return f"<text {where}{bold}{around}>{html.escape(visible(words))}</text>"


def short(words: str, most: int) -> str:
    """The words, cut where they are too long for their place."""
    return words if len(words) <= most else words[: most - 1].rstrip() + "…"


def inward(x: float) -> str:
    """The anchor that keeps a label within the drawing."""
    return "end" if x > WIDTH - 2 * EDGE else "start" if x < EDGE + 6 else "middle"


def drawing(title: str, description: str, height: float, parts: Sequence[str]) -> str:
    """The whole drawing, with what a screen reader says of it."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {place(height)}" role="img" '
        f'font-size="{SIZE}" font-family="inherit">'
        f"<title>{html.escape(visible(title))}</title><desc>{html.escape(visible(description))}</desc>"
        f"{''.join(parts)}</svg>"
    )
