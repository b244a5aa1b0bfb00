"""`assay scaling`: fit a law of loss by size and data to training runs, split a budget by one, train the runs."""

from __future__ import annotations

import typer

from assay.cli.scaling.fitting import fit
from assay.cli.scaling.splitting import plan
from assay.cli.scaling.training import runs

scaling = typer.Typer(
    help="Fit scaling laws to training runs, split compute by them, train the runs.", no_args_is_help=True
)
scaling.command("fit")(fit)
scaling.command("plan")(plan)
scaling.command("runs")(runs)
