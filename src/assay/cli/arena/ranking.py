"""`assay arena rank`: the leaderboard that a file of votes gives."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from assay.cli.network.work import checked, completer
from assay.cli.printing import echo

if TYPE_CHECKING:
    from assay.stats.ranking import Leaderboard
    from assay.tasks.votes import Votes

TIES = ("half", "davidson")
STYLE_WORDS = ("length", "markdown", "headers", "lists", "bold")


def rank(
    file: Path = typer.Argument(..., metavar="VOTES", help="Votes: .csv, .jsonl or .parquet."),
    style: str = typer.Option(
        "",
        "--style",
        help="Control for length, markdown (or headers, lists, bold).",
        autocompletion=completer(STYLE_WORDS),
    ),
    ties: str = typer.Option(
        "half",
        "--ties",
        help="A tie is half a win each, or an outcome of its own: davidson.",
        autocompletion=completer(TIES),
    ),
    bootstrap: int = typer.Option(0, "--bootstrap", min=0, help="Resampled tables; 0: sandwich intervals."),
    unknown: str = typer.Option(
        "error", "--unknown", help="What becomes of unknown outcomes: error, tie or drop."
    ),
    seed: int = typer.Option(0, "--seed", min=0, help="Of the bootstrap."),
    html_file: Path | None = typer.Option(None, "--html", help="Write the leaderboard to this file."),
    json_file: Path | None = typer.Option(None, "--json", help="Write every number to this file; - prints it."),
) -> None:
    """Rank models from votes: Bradley-Terry ratings with intervals, and what the votes leave open.

    Columns are those of Chatbot Arena (model_a, model_b, winner), of its Kaggle table, and of FastChat's judge and
    log; see docs/arena.md. Ratings are on the Elo scale with mean 1000.

    For instance: assay arena rank votes.csv --style length,markdown --html board.html
    """
    from assay.cli.delivering import check_writable
    from assay.cli.printing.console import Console
    from assay.report.leaderboard import leaderboard_page
    from assay.stats.ranking import Resampling, leaderboard
    from assay.tasks.votes import read_votes
    from assay.workbench.votes import facts_of

    printed = str(json_file) == "-"
    check_writable(html_file, None if printed else json_file)
    require_known("way with ties", ties, TIES)
    console = Console(stderr=True)
    with console.status("reading votes"):
        votes = read_votes(file, unknown=unknown, style=style_names(style))  # type: ignore[arg-type]
    resampling = Resampling.seeded(seed, bootstrap)
    with console.status(f"ranking by {len(votes.battles):,} votes"):
        board = checked(lambda: leaderboard(votes.battles, resampling, ties=ties, style=votes.style), file)  # type: ignore[arg-type]
    fields = {"file": str(file), "ties": ties, "bootstrap": bootstrap, **fields_of(board, votes)}
    if printed:
        echo(json.dumps(fields, indent=1))
    else:
        show(board, votes)
        if json_file is not None:
            json_file.write_text(json.dumps(fields, indent=1) + "\n", "utf-8")
    if html_file is not None:
        html_file.write_text(leaderboard_page(board, file.name, facts_of(board, votes)), "utf-8")
        echo(f"assay: {html_file} written", err=True)


def require_known(what: str, name: str, known: tuple[str, ...]) -> None:
    from assay.core import UnknownName

    if name not in known:
        raise UnknownName(what, name, known, hint=f"Known: {', '.join(known)}.")


def style_names(text: str) -> list[str]:
    """Measures of style by name; markdown is three of them."""
    from assay.tasks.votes import MARKDOWN

    names: list[str] = []
    for word in filter(None, (part.strip() for part in text.split(","))):
        require_known("measure of style", word, STYLE_WORDS)
        names += [name for name in (MARKDOWN if word == "markdown" else (word,)) if name not in names]
    return names


def fields_of(board: Leaderboard, votes: Votes) -> dict[str, Any]:
    """All numbers as JSON; an end of an interval that is infinite becomes null."""
    from assay.report.wording import finite
    from assay.stats.ranking import position_bias

    bias = position_bias(*votes.shown)
    models = [
        {
            "model": board.models[at],
            "rank": int(board.ranks[at]),
            "rating": float(board.ratings[at]),
            "low": finite(float(board.low[at])),
            "high": finite(float(board.high[at])),
            "votes": int(board.votes[at]),
            "component": int(board.component[at]),
            "unbounded": bool(board.unbounded[at]),
        }
        for at in board.order.tolist()
    ]
    style = {name: {"log_odds": value, "standard_error": error} for name, (value, error) in board.style.items()}
    return {
        "votes": len(votes.battles),
        "duplicates": votes.duplicates,
        "dropped": votes.dropped,
        "made_ties": votes.made_ties,
        "no_verdict": votes.no_verdict,
        "position_bias": None if bias is None else {"low": bias.low, "high": bias.high},
        "tie_weight": board.strengths.tie_weight or None,
        "converged": board.strengths.converged,
        "style": style,
        "notes": list(board.notes),
        "models": models,
    }


def show(board: Leaderboard, votes: Votes) -> None:
    """The leaderboard in the terminal."""
    from rich.markup import escape
    from rich.table import Table

    from assay.cli.printing.console import Console
    from assay.report.drawings.leaderboard import rating_text
    from assay.report.leaderboard import components_of
    from assay.report.wording import sentence_start, visible
    from assay.workbench.votes import facts_of

    console = Console(highlight=False)
    for members in components_of(board):
        table = Table("rank", "model", "rating", "votes", box=None, padding=(0, 2, 0, 0))
        for column in (0, 2, 3):
            table.columns[column].justify = "right"
        for at in members:
            rating = rating_text(float(board.ratings[at]), float(board.low[at]), float(board.high[at]))
            name = escape(visible(board.models[at])) + (" [dim](open)[/]" if board.unbounded[at] else "")
            table.add_row(str(board.ranks[at]), name, rating.replace("[", r"\["), f"{board.votes[at]:,.0f}")
        console.print(table)
        console.print()
    for name, (value, error) in board.style.items():
        console.print(f"{name}: {value:+.3f} ± {1.96 * error:.3f} log-odds of a win per usual difference")
    for sentence in [*facts_of(board, votes), *(f"{sentence_start(note)}." for note in board.notes)]:
        console.print(escape(visible(sentence)))
