"""`assay scaling`: fit a law of loss by size and data to training runs, and split a budget by one."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from assay.cli.network.inputs import SUFFIXES, Row, read_table, short
from assay.cli.network.work import JSON, checked, completer, patient
from assay.report.wording import finite

if TYPE_CHECKING:
    from assay.stats import Bootstrap, Fit, Law, Repetition, RunTable, Spread

METHODS = ("varpro", "huber", "huber-mean", "isoflop", "envelope")
LAWS = ("hoffmann", "besiroglu", "muennighoff")
WANTED = ("parameters", "tokens", "loss")
BUDGET = typer.Option(None, "--budget", help="FLOP to split between size and data; repeat it.")

scaling = typer.Typer(help="Fit scaling laws to training runs, and split compute by them.", no_args_is_help=True)


@dataclass(frozen=True)
class Found:
    """What one method made of the runs; without a fit, `problem` says why."""

    method: str
    fit: Fit | None
    resampled: Bootstrap | None
    problem: str = ""


@scaling.command("fit")
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

    methods, budgets = _methods(method), _budgets(budget)
    check_writable(plot)
    table = checked(lambda: _table(file, read_table(file, WANTED)), file)
    fresh = checked(lambda: _fresh(table), file)
    found = _fit_all(fresh, methods, times, seed)
    drawn = next((one for one in found if one.fit), None)
    if drawn is None:
        raise UserError(f"{file}: {found[0].problem}.")
    repeats, problem = _repetition(table, found)
    if as_json:
        listed = [_fields(one, fresh, budgets) for one in found]
        fields = {"runs": len(table), "fitted": len(fresh), "fits": listed, "repetition": _decay_fields(repeats)}
        typer.echo(json.dumps(fields, indent=1))
    else:
        _print_runs(table, fresh)
        for one in found:
            _print_fit(one, fresh, budgets)
        _print_repetition(repeats, problem)
    if plot is not None and drawn.fit:
        plot.write_text(scaling_plot(fresh, drawn.fit, drawn.resampled), "utf-8")
        typer.echo(f"assay: {plot} written, {drawn.method}", err=True)


@scaling.command("plan")
def plan(
    budget: list[float] = BUDGET,
    law: str = typer.Option(
        "besiroglu", "--law", help=f"{', '.join(LAWS)}, or E,A,B,alpha,beta.", autocompletion=completer(LAWS)
    ),
    unique: str = typer.Option("", "--unique-tokens", help="How many different tokens there are: 10B."),
    as_json: bool = JSON,
) -> None:
    """Split a budget between size and data by a published law or your own.

    The laws are hoffmann (2022, as printed), besiroglu (2024, its refit) and muennighoff (2023). They speak of
    the tokenizer, data and architecture they were fitted to: fit your own runs first.

    With --unique-tokens it also says what the tokens are worth if they must be repeated, by the decay that
    Muennighoff et al. found; the split itself is left as it is.

    For instance: assay scaling plan --budget 1e21 --unique-tokens 10B
    """
    from assay.core import UserError
    from assay.stats import TOKENS_DECAY, effective_tokens

    budgets, chosen = _budgets(budget), _law(law)
    if not budgets:
        raise UserError("There is no budget to split.", hint="Give --budget 1e21.")
    rows = []
    for flops in budgets:
        split = checked(lambda flops=flops: chosen.optimal(flops))  # type: ignore[misc]
        row = {"flops": flops, "parameters": split.parameters, "tokens": split.tokens}
        row["loss"] = float(chosen.loss(split.parameters, split.tokens))
        said = f"{flops:.3g} FLOP: {_split(split.parameters, split.tokens)}, loss {row['loss']:.3f}"
        if unique:
            there = _unique_tokens(unique)
            row["epochs"] = split.tokens / there
            row["effective_tokens"] = float(effective_tokens(split.tokens, there, TOKENS_DECAY))
            row["loss"] = float(chosen.loss(split.parameters, row["effective_tokens"]))
            if row["epochs"] > 1:
                said += f"; {row['epochs']:.3g} epochs, worth {short(row['effective_tokens'])} new tokens"
                said += f", loss {row['loss']:.3f} by the decay of Muennighoff et al."
        rows.append(row)
        if not as_json:
            typer.echo(said)
    if as_json:
        typer.echo(json.dumps({"law": law, "splits": rows}, indent=1))


def _methods(name: str) -> tuple[str, ...]:
    from assay.core import UnknownName

    if name not in (*METHODS, "all"):
        raise UnknownName("method", name, (*METHODS, "all"), hint=f"Methods: {', '.join(METHODS)}, all.")
    return METHODS if name == "all" else (name,)


def _budgets(given: Sequence[float] | None) -> list[float]:
    from assay.core import UserError

    for flops in given or ():
        if not (flops > 0 and math.isfinite(flops)):
            raise UserError(f"--budget {flops:g} is no number of FLOP.", hint="Write --budget 1e21.")
    return list(given or ())


def _law(text: str) -> Law:
    """A published law, or one from its five numbers."""
    from assay.core import UnknownName, UserError
    from assay.stats import PUBLISHED_LAWS, Law

    if text in PUBLISHED_LAWS:
        return PUBLISHED_LAWS[text]
    if "," not in text:
        raise UnknownName("law", text, LAWS, hint=f"Laws: {', '.join(LAWS)}, or E,A,B,alpha,beta.")
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != 5:
        raise UserError(f"--law {text} is not five numbers.", hint="Write E,A,B,alpha,beta: 1.8,482,2085,.35,.37")
    return checked(lambda: Law(*numbers))


def _count(text: str) -> float:
    """A positive number, written 1.3B or 1.3e9; nan where it is none."""
    bare = text.strip().lower().replace(",", "").replace("_", "")
    suffix = bare[-1:] if bare[-1:] in SUFFIXES else ""
    try:
        return float(bare.removesuffix(suffix)) * SUFFIXES[suffix]
    except ValueError:
        return math.nan


def _unique_tokens(text: str) -> float:
    from assay.core import UserError

    if not (0 < (value := _count(text)) < math.inf):
        raise UserError(f"--unique-tokens {text} is no number of tokens.", hint="Write --unique-tokens 10B.")
    return value


def _cell(file: Path, line: int, field: str, text: str) -> float:
    from assay.core import BadFile

    value = _count(text)
    if not text:
        raise BadFile(file, "the cell is empty.", line=line, field=field)
    if not math.isfinite(value):
        raise BadFile(file, f"'{text}' is no number.", line=line, field=field)
    if value <= 0:
        raise BadFile(file, f"'{text}' is not positive.", line=line, field=field)
    return value


def _table(file: Path, rows: Sequence[Row]) -> RunTable:
    import numpy as np

    from assay.stats import RunTable

    there = rows[0][1]
    columns = {
        field: np.array([_cell(file, line, field, cells[field]) for line, cells in rows])
        for field in (*WANTED, "flops", "unique_tokens")
        if field in there
    }
    label = next((name for name in ("group", "run") if name in there), None)
    groups = tuple(cells[label] for _, cells in rows) if label else None
    return RunTable(**columns, groups=groups)


def _fresh(table: RunTable) -> RunTable:
    """The runs that repeat no token."""
    if table.unique_tokens is None:
        return table
    once = (table.tokens <= table.unique_tokens).nonzero()[0]
    try:
        return table.take(once.tolist())
    except ValueError as error:
        raise ValueError(f"without the runs that repeat tokens, {error}") from None


def _fit_all(table: RunTable, methods: Sequence[str], times: int, seed: int) -> list[Found]:
    """Each method with its bootstrap; what cannot be fitted says why."""
    import numpy as np

    from assay.cli.workbench import progress
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


def _fields(found: Found, table: RunTable, budgets: Sequence[float]) -> dict[str, Any]:
    """One method as JSON; numbers that are not finite become null."""
    one, resampled = found.fit, found.resampled
    if one is None:
        return {"method": found.method, "problem": found.problem}
    numbers = {
        name: {"value": finite(value)} | _spread_fields(resampled.spread(name) if resampled else None)
        for name, value in one.numbers.items()
    }
    return {
        "method": found.method,
        "converged": one.converged,
        "objective": one.objective,
        "numbers": numbers,
        "resampled": len(resampled.fits) if resampled else 0,
        "splits": _splits(found, table, budgets),
        "notes": _notes(found),
    }


def _decay_fields(repeats: Repetition | None) -> dict[str, Any] | None:
    if repeats is None:
        return None
    return {"tokens": finite(repeats.tokens), "objective": repeats.objective, "notes": [*repeats.notes]}


def _spread_fields(spread: Spread | None) -> dict[str, Any]:
    if spread is None:
        return {"standard_error": None, "interval": None}
    ends = [finite(spread.interval.low), finite(spread.interval.high)]
    return {"standard_error": finite(spread.standard_error), "interval": ends}


def _splits(found: Found, table: RunTable, budgets: Sequence[float]) -> list[dict[str, Any]]:
    """Each budget split, with the interval of its size; a law without an optimal split has none."""
    one, rows = found.fit, []
    if one is None or not one.coefficient > 0:
        return []
    for flops in budgets:
        split = one.optimal(flops)
        loss = None if one.law is None else float(one.law.loss(split.parameters, split.tokens))
        row = {"flops": flops, "parameters": split.parameters, "tokens": split.tokens, "loss": loss}
        known = _spread_fields(found.resampled.optimal_parameters(flops) if found.resampled else None)
        rows.append(row | known | {"times_largest_run": flops / float(table.compute.max())})
    return rows


def _print_runs(table: RunTable, fresh: RunTable) -> None:
    apart = len(table) - len(fresh)
    ranges = [
        f"{short(float(values.min()))} to {short(float(values.max()))} {name}"
        for name, values in (("parameters", fresh.parameters), ("tokens", fresh.tokens))
    ]
    typer.echo(
        f"{len(fresh)} runs, {', '.join(ranges)}" + (f"; {apart} that repeat tokens apart" if apart else "")
    )


def _print_fit(found: Found, table: RunTable, budgets: Sequence[float]) -> None:
    one, resampled = found.fit, found.resampled
    if one is None:
        typer.echo(f"\n{found.method}: {found.problem}")
        return
    heading = f"{'s.e.':>10}   95 % interval" if resampled else ""
    typer.echo(f"\n{found.method + ('' if one.converged else ', NOT CONVERGED'):<19}{heading}".rstrip())
    for name, value in one.numbers.items():
        line = f"  {name:<5} {value:>10.5g}" if math.isfinite(value) else f"  {name:<5} not identified"
        if resampled and math.isfinite(value):
            spread = resampled.spread(name)
            low, high = spread.interval.low, spread.interval.high
            line += f" {_two_digits(spread.standard_error):>10}   {low:.5g} to {high:.5g}"
        typer.echo(line)
    for row in _splits(found, table, budgets):
        ends = row["interval"]
        known = f" [{short(ends[0])}, {short(math.inf if ends[1] is None else ends[1])}]" if ends else ""
        loss = "" if row["loss"] is None else f", loss {row['loss']:.3f}"
        typer.echo(f"  {row['flops']:.3g} FLOP: {_split(row['parameters'], row['tokens'], known)}{loss}")
        if (beyond := row["times_largest_run"]) > 1.0:
            typer.echo(f"    extrapolated: {beyond:.3g} times the FLOP of the largest run")
    if budgets and not one.coefficient > 0:
        typer.echo("  There is no optimal split.")
    for note in _notes(found):
        typer.echo(f"  {note[:1].upper()}{note[1:]}.")


def _notes(found: Found) -> list[str]:
    """What the runs do not tell, by the fit and by its bootstrap."""
    notes = [*(found.fit.notes if found.fit else ()), *(found.resampled.notes if found.resampled else ())]
    return [*notes, *([found.problem] if found.problem else [])]


def _two_digits(value: float) -> str:
    return f"{float(f'{value:.2g}'):g}"


def _split(parameters: float, tokens: float, known: str = "") -> str:
    ratio = tokens / parameters
    return f"{short(parameters)} parameters{known}, {short(tokens)} tokens ({ratio:.3g} a parameter)"


def _print_repetition(repeats: Repetition | None, problem: str) -> None:
    if problem:
        typer.echo(f"\nWhat repeats are worth cannot be said: {problem}.")
    if repeats is None:
        return
    known = math.isfinite(repeats.tokens)
    typer.echo("\nrepeated tokens" + (f": R* = {repeats.tokens:.3g}" if known else ""))
    if known:
        most = 1 + repeats.tokens
        typer.echo(f"  However often they are repeated, U tokens are worth no more than {most:.3g} U new ones.")
    for note in repeats.notes:
        typer.echo(f"  {note[:1].upper()}{note[1:]}.")
