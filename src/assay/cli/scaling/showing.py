"""How a fitted law is shown: as JSON, and in lines."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from assay.cli.network.inputs import short
from assay.cli.printing import echo
from assay.report.wording import finite

if TYPE_CHECKING:
    from assay.stats import Bootstrap, Fit, Repetition, RunTable, Spread


@dataclass(frozen=True)
class Found:
    """What one method made of the runs; without a fit, `problem` says why."""

    method: str
    fit: Fit | None
    resampled: Bootstrap | None
    problem: str = ""


def fields_of(found: Found, table: RunTable, budgets: Sequence[float]) -> dict[str, Any]:
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


def decay_fields(repeats: Repetition | None) -> dict[str, Any] | None:
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


def print_runs(table: RunTable, fresh: RunTable) -> None:
    apart = len(table) - len(fresh)
    ranges = [
        f"{short(float(values.min()))} to {short(float(values.max()))} {name}"
        for name, values in (("parameters", fresh.parameters), ("tokens", fresh.tokens))
    ]
    echo(f"{len(fresh)} runs, {', '.join(ranges)}" + (f"; {apart} that repeat tokens apart" if apart else ""))


def print_fit(found: Found, table: RunTable, budgets: Sequence[float]) -> None:
    one, resampled = found.fit, found.resampled
    if one is None:
        echo(f"\n{found.method}: {found.problem}")
        return
    heading = f"{'s.e.':>10}   95 % interval" if resampled else ""
    echo(f"\n{found.method + ('' if one.converged else ', NOT CONVERGED'):<19}{heading}".rstrip())
    for name, value in one.numbers.items():
        line = f"  {name:<5} {value:>10.5g}" if math.isfinite(value) else f"  {name:<5} not identified"
        if resampled and math.isfinite(value):
            spread = resampled.spread(name)
            low, high = spread.interval.low, spread.interval.high
            line += f" {_two_digits(spread.standard_error):>10}   {low:.5g} to {high:.5g}"
        echo(line)
    for row in _splits(found, table, budgets):
        ends = row["interval"]
        known = f" [{short(ends[0])}, {short(math.inf if ends[1] is None else ends[1])}]" if ends else ""
        loss = "" if row["loss"] is None else f", loss {row['loss']:.3f}"
        echo(f"  {row['flops']:.3g} FLOP: {split_words(row['parameters'], row['tokens'], known)}{loss}")
        if (beyond := row["times_largest_run"]) > 1.0:
            echo(f"    extrapolated: {beyond:.3g} times the FLOP of the largest run")
    if budgets and not one.coefficient > 0:
        echo("  There is no optimal split.")
    for note in _notes(found):
        echo(f"  {note[:1].upper()}{note[1:]}.")


def _notes(found: Found) -> list[str]:
    """What the runs do not tell, by the fit and by its bootstrap."""
    notes = [*(found.fit.notes if found.fit else ()), *(found.resampled.notes if found.resampled else ())]
    return [*notes, *([found.problem] if found.problem else [])]


def _two_digits(value: float) -> str:
    return f"{float(f'{value:.2g}'):g}"


def split_words(parameters: float, tokens: float, known: str = "") -> str:
    ratio = tokens / parameters
    return f"{short(parameters)} parameters{known}, {short(tokens)} tokens ({ratio:.3g} a parameter)"


def print_repetition(repeats: Repetition | None, problem: str) -> None:
    if problem:
        echo(f"\nWhat repeats are worth cannot be said: {problem}.")
    if repeats is None:
        return
    known = math.isfinite(repeats.tokens)
    echo("\nrepeated tokens" + (f": R* = {repeats.tokens:.3g}" if known else ""))
    if known:
        most = 1 + repeats.tokens
        echo(f"  However often they are repeated, U tokens are worth no more than {most:.3g} U new ones.")
    for note in repeats.notes:
        echo(f"  {note[:1].upper()}{note[1:]}.")
