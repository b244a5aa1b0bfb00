"""`assay arena`: leaderboards from votes on pairs of answers, and votes from a judge."""

from __future__ import annotations

import typer

from assay.cli.arena.judging import judge
from assay.cli.arena.ranking import rank

arena = typer.Typer(
    help="Rank models from votes on pairs of answers; let a model cast votes.", no_args_is_help=True
)
arena.command("rank")(rank)
arena.command("judge")(judge)
