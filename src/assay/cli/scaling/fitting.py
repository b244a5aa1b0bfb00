"""`assay scaling fit`: the law that a file of runs gives, by one method or by all."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from assay.cli.network.inputs import read_table
from assay.cli.network.work import JSON, checked, completer, patient
from assay.cli.printing import echo
from assay.cli.scaling.inputs import BUDGET, METHODS, WANTED, budgets_of, fresh_of, methods_named, table_of
from assay.cli.scaling.showing import Found, decay_fields, fields_of, print_fit, print_repetition, print_runs

if TYPE_CHECKING:
    from assay.stats import Repetition, RunTable


def fit(
    file: Path = typer.Argument(..., metavar="RUNS.csv", help="Columns parameters, tokens and loss."),
    method: str = typer.Option(
        "varpro", "--method", help=f"{', '.join(METHODS)}, or all.", autocompletion=completer((*METHODS, "all"))
    ),
    times: int = typer.Option(200, "--bootstrap", min=0, help="Resampled tables, 20 or more; 0: no errors."),
    seed: int = typer.Option(0, "--seed", min=0, help="Of the bootstrap."),
    budget: list[float] = BUDGET,
    plot: Path = typer.Option(None, "--plot", metavar="FILE.svg", help="Draw losses and optimal sizes."),
    as_json: bool = JSON,
) -> None:
    """Fit the law loss = E + A / parameters^alpha + B / tokens^beta to training runs.

    One row is one run that ended, with its learning rate decayed: tokens are those it saw, loss is in nats a
    token. Counts may be written 70M or 1.4T. Columns that help where they are there: flops (else 6 x parameters
    x tokens), unique_tokens (runs that repeat tokens are kept out of the law, and tell what repeats are worth),
    and group or run (rows of one group are resampled together). Other columns are ignored.

    varpro: least squares; fast, exact, the one to begin with.
    huber: the published approach 3, robust to a few bad runs.
    huber-mean: the same with the objective averaged, the published mistake; it stops too early and says so.
    isoflop: approach 2, a parabola per budget; needs runs at equal FLOP.
    envelope: approach 1, the best size at each compute; needs runs of several lengths per size.

    The last two find the exponents a and b alone, N ~ C^a and D ~ C^b.

    For instance: assay scaling fit runs.csv --budget 1e21 --plot law.svg
    """
    from assay.cli.delivering import check_writable
    from assay.core import UserError
    from assay.report.drawings.scaling import scaling_plot

    methods, budgets = methods_named(method), budgets_of(budget)
    check_writable(plot)
    table = checked(lambda: table_of(file, read_table(file, WANTED)), file)
    fresh = checked(lambda: fresh_of(table), file)
    found = _fit_all(fresh, methods, times, seed)
    drawn = next((one for one in found if one.fit), None)
    if drawn is None:
        raise UserError(f"{file}: {found[0].problem}.")
    repeats, problem = _repetition(table, found)
    if as_json:
        listed = [fields_of(one, fresh, budgets) for one in found]
        fields = {"runs": len(table), "fitted": len(fresh), "fits": listed, "repetition": decay_fields(repeats)}
        echo(json.dumps(fields, indent=1))
    else:
        print_runs(table, fresh)
        for one in found:
            print_fit(one, fresh, budgets)
        print_repetition(repeats, problem)
    if plot is not None and drawn.fit:
        plot.write_text(scaling_plot(fresh, drawn.fit, drawn.resampled), "utf-8")
        echo(f"assay: {plot} written, {drawn.method}", err=True)


def _fit_all(table: RunTable, methods: Sequence[str], times: int, seed: int) -> list[Found]:
    """Each method with its bootstrap; what cannot be fitted says why."""
    import numpy as np

    from assay.cli.progress import progress
    from assay.core import UserError
    from assay.lab.plan import Event
    from assay.stats import bootstrap, fit_law
    from assay.stats.scaling.resampling import FEWEST_DRAWS

    if 0 < times < FEWEST_DRAWS:
        raise UserError(f"--bootstrap {times} is too few.", hint=f"Give {FEWEST_DRAWS} or more, or 0.")
    found = []
    with progress("scaling") as shown:
        report = patient(shown)
        for method in methods:
            one, resampled = None, None

            def told(done: int, method: str = method) -> None:
                report(Event("sample", f"{method}: resampled tables", done, times))

            try:
                one = fit_law(table, method)  # type: ignore[arg-type]
                if times and one.converged:
                    resampled = bootstrap(table, one, times, np.random.default_rng(seed), told)
                problem = ""
            except ValueError as error:
                problem = str(error)
            found.append(Found(method, one, resampled, problem))
    return found


def _repetition(table: RunTable, found: Sequence[Found]) -> tuple[Repetition | None, str]:
    """What repeats are worth under the first law that was found; else why that cannot be said."""
    from assay.stats import fit_repetition

    laws = [one.fit.law for one in found if one.fit and one.fit.law and one.fit.converged]
    if table.unique_tokens is None or not laws:
        return None, ""
    try:
        return fit_repetition(table, laws[0]), ""
    except ValueError as error:
        return None, str(error)
