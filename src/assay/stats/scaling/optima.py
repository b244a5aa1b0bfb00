"""Approaches 1 and 2: the best size at each budget read off the runs, and a power law through them."""

import numpy as np

from .basis import FloatArray
from .runs import Fit, Method, Optimum, RunTable

BUDGETS = 200
"""At how many budgets approach 1 compares the training curves."""
FEWEST_OPTIMA = 2


def envelope(table: RunTable) -> Fit:
    """Approach 1 (Hoffmann et al. 2022): which size has the lowest loss at each compute.

    Runs of one size, in order of compute, are its training curve, interpolated between its points in
    log loss and log compute. Budgets count from where the smallest size is last the best to where the
    largest first is: beyond, a better size may be missing. If fewer than 3 sizes have two runs, the
    runs that no cheaper one equals in loss serve instead. It is right only if every point of a curve
    is a run that ended there: with one cosine for all of them, early points are too high.
    """
    optima, notes = _of_curves(table)
    if not optima:
        optima = _of_frontier(table)
        notes = ("there are no curves to compare: the best runs so far were taken for the optima",)
    return _through("envelope", optima, table, notes)


def isoflop(table: RunTable, tolerance: float = 0.1) -> Fit:
    """Approach 2 (Hoffmann et al. 2022): per budget a parabola of loss in log size, and its minimum.

    Runs are of one budget if their FLOP lie within `tolerance` of its smallest, as a share of it. A
    budget with fewer than 3 sizes, or whose minimum lies outside the sizes tried, is left out and a
    note says so. The parabola is an approximation: where alpha and beta differ, or sizes lie far or
    unevenly around the optimum, the result is biased even without noise (arXiv 2603.22339).
    """
    if not 0.0 <= tolerance < 1.0:
        raise ValueError(f"the tolerance of a budget must lie in [0, 1), got {tolerance}")
    optima, outside, thin = [], 0, 0
    for members in _budgets(table.compute, tolerance):
        size, loss = np.log(table.parameters[members]), table.loss[members]
        if len(np.unique(size)) < 3:
            thin += 1
            continue
        middle = size.mean()
        curvature, slope, _ = np.polyfit(size - middle, loss, 2)
        lowest = middle - 0.5 * slope / curvature if curvature > 0.0 else np.inf
        if not size.min() <= lowest <= size.max():
            outside += 1
            continue
        budget = float(np.exp(np.log(table.compute[members]).mean()))
        optima.append(Optimum(budget, float(np.exp(lowest))))
    notes = []
    if outside:
        notes.append(
            f"{outside} of {len(optima) + outside + thin} budgets: the minimum lies outside the sizes tried"
        )
    if thin:
        notes.append(f"{thin} of {len(optima) + outside + thin} budgets have fewer than 3 sizes")
    return _through("isoflop", tuple(optima), table, tuple(notes))


def _budgets(compute: FloatArray, tolerance: float) -> list[list[int]]:
    """The positions of the runs of each budget, budgets in order."""
    groups: list[list[int]] = []
    first = -np.inf
    for position in np.argsort(compute, kind="stable"):
        if compute[position] > first * (1.0 + tolerance) or not groups:
            groups.append([])
            first = compute[position]
        groups[-1].append(int(position))
    return groups


def _of_curves(table: RunTable) -> tuple[tuple[Optimum, ...], tuple[str, ...]]:
    """The best size at budgets between where the smallest and where the largest size is the best."""
    sizes, which = np.unique(table.parameters, return_inverse=True)
    compute, loss = np.log(table.compute), np.log(table.loss)
    grid = np.linspace(compute.min(), compute.max(), BUDGETS)
    curves, kept = [], []
    for index, size in enumerate(sizes):
        mine = np.flatnonzero(which == index)
        order = mine[np.argsort(compute[mine], kind="stable")]
        if len(np.unique(compute[mine])) < 2:
            continue
        curves.append(np.interp(grid, compute[order], loss[order], left=np.inf, right=np.inf))
        kept.append(size)
    if len(curves) < 3:
        return (), ()
    table_of_loss = np.stack(curves)
    best = np.where(np.isfinite(table_of_loss).any(axis=0), table_of_loss.argmin(axis=0), -1)
    begin = int(np.flatnonzero(best == 0).max(initial=-1)) + 1
    ends = np.flatnonzero(best[begin:] == len(kept) - 1)
    end = begin + int(ends[0]) if len(ends) else BUDGETS
    optima = [Optimum(float(np.exp(grid[i])), float(kept[best[i]])) for i in range(begin, end) if best[i] >= 0]
    if len({one.parameters for one in optima}) < FEWEST_OPTIMA:
        raise ValueError("the lowest loss lies outside the sizes tried at nearly every budget: no envelope")
    left = 1.0 - len(optima) / BUDGETS
    note = f"{left:.0%} of the span of compute is left out: there the smallest or the largest size is the best"
    return tuple(optima), (note,) if left > 0.0 else ()


def _of_frontier(table: RunTable) -> tuple[Optimum, ...]:
    """The runs that have a lower loss than all that cost less."""
    order = np.lexsort((table.loss, table.compute))
    before = np.minimum.accumulate(np.concatenate([[np.inf], table.loss[order][:-1]]))
    best = order[table.loss[order] < before]
    return tuple(Optimum(float(table.compute[i]), float(table.parameters[i])) for i in best)


def _through(method: Method, optima: tuple[Optimum, ...], table: RunTable, notes: tuple[str, ...]) -> Fit:
    """The line of log N_opt in log C; its objective is the sum of squares about it, in nats of size."""
    compute = np.log([one.flops for one in optima])
    if len(np.unique(compute)) < FEWEST_OPTIMA:
        said = "; ".join(("", *notes))
        raise ValueError(f"{method} needs an optimum at {FEWEST_OPTIMA} budgets or more, got {len(optima)}{said}")
    size = np.log([one.parameters for one in optima])
    middle = compute.mean()
    slope = float((compute - middle) @ size / ((compute - middle) @ (compute - middle)))
    level = float(size.mean() - slope * middle)
    off = size - level - slope * compute
    return Fit(method, slope, float(np.exp(level)), table.flops_per, float(off @ off), optima=optima, notes=notes)
