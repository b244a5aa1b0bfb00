"""`assay tree list`, `show`, `copy` and `cost`: what stands in a tree, where it agrees, and what it took."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import typer

from assay.cli.printing import echo
from assay.cli.tree.opening import NEWEST, NODE, TREE, chosen, my_trees, node_names

if TYPE_CHECKING:
    from rich.text import Text
    from rich.tree import Tree

    from assay.core.branching import Branches, Node

SHADES_ON_TERMINAL = ("", "yellow", "dark_orange", "red", "bold red", "reverse red")
"""From the expected token to the least expected."""
LONGEST = 400
"""Characters of a node that are shown, unless all are asked for."""


def list_trees() -> None:
    """Your trees, the one changed last first."""
    from rich.table import Table

    from assay.cli.printing.console import Console
    from assay.core.errors import AssayError
    from assay.report.wording import visible

    trees = my_trees()
    table = Table("tree", "title", "nodes", "replies", "version", box=None)
    for name in trees.names():
        try:
            tree = trees.read(name)
        except AssayError as error:
            table.add_row(name, visible(error.message), "", "", "")
            continue
        users = [node for node in tree.nodes.values() if node.role == "user"]
        title = tree.title or (users[0].label if users else "")
        counts = (len(tree.nodes), tree.spent.replies, tree.version)
        table.add_row(name, visible(title), *(f"{count:,}" for count in counts))
    Console().print(table) if trees.names() else echo('No tree yet: assay tree new -p "..."')


def show(
    tree: str = NEWEST,
    node: str = typer.Option("", "--node", help="Only what is below this node.", autocompletion=node_names),
    heat: bool = typer.Option(False, "--heat", help="Colour tokens by log-probability: red was least expected."),
    whole: bool = typer.Option(False, "--whole", help="Every word of every node."),
) -> None:
    """Draw a tree. Siblings that say the same are drawn once, with their count and share."""
    trees = my_trees()
    print_tree(trees.read(chosen(trees, tree)), node, heat=heat, whole=whole)


def print_tree(tree: Branches, node: str = "", *, heat: bool = False, whole: bool = False) -> None:
    """The tree, or the part below a node, on the terminal."""
    from rich.text import Text
    from rich.tree import Tree

    from assay.cli.printing.console import Console

    console = Console(highlight=False)
    families = tree.families()
    top = Tree(Text(f"{tree.id} {tree.title}".strip(), style="bold"), guide_style="dim")
    waiting: list[tuple[Tree, Sequence[Node]]] = [(top, [tree.node(node)] if node else families.get(None, ()))]
    while waiting:
        place, siblings = waiting.pop()
        for alike, share in _alike(siblings):
            branch = place.add(_line(alike, share, heat=heat, longest=None if whole else LONGEST))
            # What stands below equal siblings differs: each keeps its own.
            waiting.extend((branch, below) for one in alike if (below := families.get(one.id)))
    console.print(top)
    for line in _agreement(tree, node):
        console.print(line, style="dim")


def _alike(siblings: Sequence[Node]) -> Iterator[tuple[tuple[Node, ...], float]]:
    """Groups of equal replies, largest first, then what is no finished reply of a model."""
    from assay.core.branching import Origin, clusters

    drawn = [node for node in siblings if node.origin is Origin.MODEL]
    found = clusters(drawn)
    yield from ((cluster.nodes, cluster.share if len(drawn) > 1 else 0.0) for cluster in found)
    shown = {node.id for cluster in found for node in cluster.nodes}
    yield from (((node,), 0.0) for node in siblings if node.id not in shown)


def _line(alike: Sequence[Node], share: float, *, heat: bool, longest: int | None) -> Text:
    from rich.text import Text

    from assay.core.branching import Status
    from assay.report.wording import visible

    node = alike[0]
    line = Text(",".join(one.id for one in alike) + " ", style="dim")
    line.append(node.role if node.role != "assistant" else str(node.origin), style="cyan")
    marks = [f"{len(alike)} alike"] if len(alike) > 1 else []
    marks += [f"{100 * share:.0f} %"] if share else []
    marks += ["edited"] if node.edited_from else []
    marks += [str(node.status)] if node.status is not Status.DONE else []
    marks += [f"{node.mean_logprob:.2f} nats"] if node.mean_logprob is not None else []
    marks += [visible(node.problem)] if node.problem else []
    line.append(f" ({', '.join(marks)})" if marks else "", style="dim")
    line.append("  " + visible(node.name) if node.name else "", style="bold")
    line.append("\n")
    said = Text()
    if heat and node.tokens:
        said.append_text(heated(node))
    else:
        said.append(visible(node.text))
    if longest is not None and len(said) > longest:
        said = said[:longest].append(" ...", style="dim")
    return line.append_text(said)


def heated(node: Node) -> Text:
    """A node's words, each token coloured by how little it was expected."""
    from rich.text import Text

    from assay.report.readings import SHADES
    from assay.report.wording import visible

    tokens = "".join(token.text for token in node.tokens)
    # Where a person began the text, or the last bytes of it are no character, the tokens are its end alone.
    text = Text(visible(node.text[: -len(tokens)]) if node.text.endswith(tokens) else "")
    for token in node.tokens:
        shade = sum(-token.logprob >= bound for bound in SHADES)
        text.append(visible(token.text), style=SHADES_ON_TERMINAL[min(shade, len(SHADES_ON_TERMINAL) - 1)])
    return text


def _agreement(tree: Branches, node: str) -> Iterator[str]:
    from assay.core.branching import Origin, clusters

    families = tree.families()
    for parent in tree.below(node or None):
        found = clusters([child for child in families.get(parent.id, ()) if child.origin is Origin.MODEL])
        drawn = sum(len(cluster.nodes) for cluster in found)
        if drawn > 1:
            yield (
                f"Below {parent.id}: {len(found)} different answers among {drawn}; "
                f"disagreement {1 - found[0].share:.2f}."
            )


def copy(tree: str = TREE, node: str = NODE) -> None:
    """Print the conversation that ends with a node, as plain text."""
    from assay.core.branching import transcript
    from assay.report.wording import visible

    trees = my_trees()
    echo(visible(transcript(trees.read(chosen(trees, tree)), node)))


def cost(tree: str = NEWEST, as_json: bool = typer.Option(False, "--json", help="As JSON.")) -> None:
    """What a tree's replies took: tokens in and out, and how often a shared prompt was evaluated."""
    import json
    from dataclasses import asdict

    from rich.table import Table

    from assay.cli.printing.console import Console
    from assay.core.branching import prompts

    trees = my_trees()
    found = trees.read(chosen(trees, tree))
    rows = list(prompts(found))
    if as_json:
        echo(json.dumps({"tree": found.id, "spent": asdict(found.spent), "prompts": rows}))
        return
    console, spent = Console(highlight=False), found.spent
    table = Table(*(f"{key}" for key in (rows[0] if rows else ())), box=None)
    for row in rows:
        table.add_row(*(f"{value:,}" if isinstance(value, int) else str(value) for value in row.values()))
    if rows:
        console.print(table)
    console.print(
        f"{spent.replies:,} replies ever drawn: {spent.tokens_out:,} tokens written; prompts of "
        f"{spent.tokens_in:,} tokens in all, of which {spent.evaluated:,} were evaluated."
    )
