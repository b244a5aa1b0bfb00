"""`assay tree new`, `grow`, `regenerate` and `continue`: replies stream into a tree as they are written."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncGenerator, Callable
from typing import TYPE_CHECKING

import typer

from assay.cli.printing import echo
from assay.cli.running import BASE_URL, MODEL, SLOTS, TIMEOUT
from assay.cli.tree.opening import NODE, TREE, chosen, my_trees

if TYPE_CHECKING:
    from assay.core.branching import Branches, Settings
    from assay.core.model import Model
    from assay.lab.branching import Grown, Trees
    from assay.models import ModelChoice

    Grow = Callable[[Trees, str, str, Settings, Model], AsyncGenerator[Grown]]

N = typer.Option(3, "--n", min=1, max=128, help="Branches.")
TEMPERATURE = typer.Option(1.0, "--temperature", min=0, max=10)
MAX_TOKENS = typer.Option(128, "--max-tokens", min=1, help="Tokens a branch may have.")
SEED = typer.Option(0, "--seed", min=0, help="The same seed draws the same branches; further ones differ.")
JSON = typer.Option(False, "--json", help="Print the whole tree as JSON.")
TAIL = 300
"""Characters of a branch shown while it is being written."""


def new(
    prompt: str = typer.Option(..., "--prompt", "-p", help="The first turn, or - to read it from standard input."),
    system: str = typer.Option("", "--system", help="The system's turn.", show_default="a helpful assistant"),
    title: str = typer.Option("", "--title"),
    n: int = N,
    temperature: float = TEMPERATURE,
    max_tokens: int = MAX_TOKENS,
    seed: int = SEED,
    model: str = MODEL,
    base_url: list[str] = BASE_URL,
    slots: int = SLOTS,
    timeout: float = TIMEOUT,
    as_json: bool = JSON,
) -> None:
    """A new tree: a system's turn, yours, and n replies to it."""
    from assay.core.branching import PREAMBLE, Branches, Settings
    from assay.core.errors import UserError
    from assay.lab.branching import grow
    from assay.workbench.wish import model_choice

    text = sys.stdin.read().strip() if prompt == "-" else prompt
    if not text.strip():
        raise UserError("The prompt is empty.", hint='Type: assay tree new -p "your question"')

    def fill(name: str) -> Branches:
        made = Branches(name, title)
        root = made.add(None, "system", system or PREAMBLE)
        made.add(root.id, "user", text)
        return made

    settings = Settings(temperature, max_tokens, n, seed)
    choice = model_choice(model, base_url, slots, timeout)
    asyncio.run(_grown(choice, grow, lambda trees: (trees.new(fill).id, "2"), settings, as_json))


def grow(
    tree: str = TREE,
    node: str = NODE,
    n: int = N,
    temperature: float = TEMPERATURE,
    max_tokens: int = MAX_TOKENS,
    seed: int = SEED,
    model: str = MODEL,
    base_url: list[str] = BASE_URL,
    slots: int = SLOTS,
    timeout: float = TIMEOUT,
    as_json: bool = JSON,
) -> None:
    """n more replies below a node; below a reply they go on with it."""
    from assay.core.branching import Settings
    from assay.lab.branching import grow
    from assay.workbench.wish import model_choice

    choice, settings = model_choice(model, base_url, slots, timeout), Settings(temperature, max_tokens, n, seed)
    asyncio.run(_grown(choice, grow, lambda trees: (chosen(trees, tree), node), settings, as_json))


def regenerate(
    tree: str = TREE,
    node: str = NODE,
    n: int = N,
    temperature: float = TEMPERATURE,
    max_tokens: int = MAX_TOKENS,
    seed: int = SEED,
    model: str = MODEL,
    base_url: list[str] = BASE_URL,
    slots: int = SLOTS,
    timeout: float = TIMEOUT,
    as_json: bool = JSON,
) -> None:
    """Draw the replies below a node anew, in place; replies you have edited stay."""
    from functools import partial

    from assay.core.branching import Settings
    from assay.lab.branching import grow
    from assay.workbench.wish import model_choice

    choice, settings = model_choice(model, base_url, slots, timeout), Settings(temperature, max_tokens, n, seed)
    anew = partial(grow, reuse=True)
    asyncio.run(_grown(choice, anew, lambda trees: (chosen(trees, tree), node), settings, as_json))


def go_on(
    tree: str = TREE,
    node: str = NODE,
    temperature: float = TEMPERATURE,
    max_tokens: int = MAX_TOKENS,
    seed: int = SEED,
    model: str = MODEL,
    base_url: list[str] = BASE_URL,
    slots: int = SLOTS,
    timeout: float = TIMEOUT,
    as_json: bool = JSON,
) -> None:
    """Write the next words of a node itself, whoever wrote it."""
    from assay.core.branching import Settings
    from assay.lab.branching import go_on
    from assay.workbench.wish import model_choice

    choice, settings = model_choice(model, base_url, slots, timeout), Settings(temperature, max_tokens, 1, seed)
    asyncio.run(_grown(choice, go_on, lambda trees: (chosen(trees, tree), node), settings, as_json))


async def _grown(
    choice: ModelChoice,
    grow: Grow,
    where: Callable[[Trees], tuple[str, str]],
    settings: Settings,
    as_json: bool,
) -> None:
    """Grow, watched on a terminal, and print what there is now. The model is opened before anything is kept."""
    from assay.cli.tree.looking import print_tree
    from assay.core.branching import to_text
    from assay.home import find_home
    from assay.models import connect
    from assay.workbench.opening import say

    trees = my_trees()
    model = await connect(choice, find_home().make(), say=say)
    try:
        name, node = where(trees)
        async with contextlib.aclosing(grow(trees, name, node, settings, model)) as pieces:
            await _watch(pieces)
    finally:
        await model.close()
    tree = trees.read(name)
    if as_json:
        echo(to_text(tree), nl=False)
    else:
        print_tree(tree, node)


async def _watch(pieces: AsyncGenerator[Grown]) -> None:
    """Draw the branches while they are written, where somebody looks on."""
    if not sys.stderr.isatty():
        async for _ in pieces:
            pass
        return
    from rich.console import Group
    from rich.live import Live
    from rich.text import Text

    from assay.cli.printing.console import Console
    from assay.report.wording import visible

    written: dict[str, str] = {}
    with Live(console=Console(stderr=True), transient=True, refresh_per_second=8) as live:
        async for piece in pieces:
            written[piece.node] = written.get(piece.node, "") + piece.text
            tails = {node: " ".join(visible(text).split())[-TAIL:] for node, text in sorted(written.items())}
            live.update(Group(*(Text(f"{node:>4}  {tail}", overflow="ellipsis") for node, tail in tails.items())))
