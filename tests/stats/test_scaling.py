"""Scaling laws planted in synthetic runs and found again; solvers against scipy's."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize

from assay.stats import (
    PUBLISHED_LAWS,
    Bootstrap,
    Fit,
    Interval,
    Law,
    RunTable,
    bootstrap,
    effective_parameters,
    effective_tokens,
    envelope,
    fit_law,
    fit_repetition,
    huber,
    isoflop,
    minimise,
    non_negative,
    varpro,
)
from assay.stats.scaling.robust import _Summed

PLANTED = PUBLISHED_LAWS["besiroglu"]
FIVE = ("E", "A", "B", "alpha", "beta")
counts = st.floats(1e3, 1e13)
decays = st.floats(0.05, 1e3)


def grid(noise: float = 0.004, seed: int = 0, law: Law = PLANTED) -> RunTable:
    """12 sizes, each trained for 13 lengths: 156 runs with log-normal noise."""
    size, data = map(np.ravel, np.meshgrid(np.geomspace(5e7, 1.6e10, 12), np.geomspace(1e9, 4e11, 13)))
    scatter = np.exp(noise * np.random.default_rng(seed).normal(size=len(size)))
    return RunTable(size, data, law.loss(size, data) * scatter)


def budgets(noise: float = 0.004, seed: int = 0, low: float = 1 / 8, high: float = 8.0) -> RunTable:
    """12 budgets, each spent in 13 ways around the optimum: 156 runs."""
    compute = np.repeat(np.geomspace(6e18, 3e21, 12), 13)
    best = np.array([PLANTED.optimal(float(flops)).parameters for flops in compute])
    size = best * np.tile(np.geomspace(low, high, 13), 12)
    data = compute / (6.0 * size)
    scatter = np.exp(noise * np.random.default_rng(seed).normal(size=len(size)))
    return RunTable(size, data, PLANTED.loss(size, data) * scatter)


# --- the law


@given(st.floats(1e15, 1e27), st.floats(0.1, 0.9), st.floats(0.1, 0.9), st.floats(2.0, 12.0))
def test_the_optimal_split_spends_the_budget_and_is_a_minimum(
    budget: float, alpha: float, beta: float, flops_per: float
) -> None:
    law = Law(1.7, 400.0, 2000.0, alpha, beta)
    split = law.optimal(budget, flops_per)
    assert flops_per * split.parameters * split.tokens == pytest.approx(budget)
    # Below the floor's rounding nothing can be compared.
    reducible = Law(0.0, law.A, law.B, alpha, beta)
    best = reducible.loss(split.parameters, split.tokens)
    for factor in (0.5, 0.9, 1.1, 2.0):
        assert reducible.loss(split.parameters * factor, split.tokens / factor) > best
    assert law.parameters_for(split.tokens) == pytest.approx(split.parameters)


def test_the_exponents_are_those_of_the_optimal_split() -> None:
    first, second = PLANTED.optimal(1e20), PLANTED.optimal(1e22)
    assert math.log(second.parameters / first.parameters) / math.log(100) == pytest.approx(PLANTED.a)
    assert math.log(second.tokens / first.tokens) / math.log(100) == pytest.approx(PLANTED.b)
    assert PLANTED.a == pytest.approx(0.513, abs=5e-4)


def test_a_law_without_size_or_data_has_no_split() -> None:
    with pytest.raises(ValueError, match="does not depend on size"):
        Law(1.0, 0.0, 1.0, 0.3, 0.3).optimal(1e20)
    with pytest.raises(ValueError, match="does not depend on data"):
        Law(1.0, 1.0, 0.0, 0.3, 0.3).optimal(1e20)
    with pytest.raises(ValueError, match="positive number of FLOP"):
        PLANTED.optimal(0.0)
    with pytest.raises(ValueError, match="must be positive"):
        Law(1.0, 1.0, 1.0, 0.0, 0.3)
    with pytest.raises(ValueError, match="not negative"):
        Law(-1.0, 1.0, 1.0, 0.3, 0.3)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"loss": [2.0, 3.0]}, "2 loss for 6 parameters"),
        ({"loss": [2.0] * 5 + [-1.0]}, "loss must be positive"),
        ({"loss": [2.0] * 5 + [math.nan]}, "nan or infinity"),
        ({"parameters": [1e6] * 6}, "3 or more different parameters, got 1"),
        ({"tokens": [1e9] * 3 + [2e9] * 3}, "3 or more different tokens, got 2"),
        ({"tokens": [1e9, 2e9, 3e9] * 2, "parameters": [1e6, 2e6, 3e6] * 2}, "6 different runs, got 3"),
        ({"flops": [0.0] * 6}, "flops must be positive"),
        ({"groups": ("a",)}, "1 groups for 6"),
    ],
)
def test_a_table_that_cannot_carry_a_law_is_refused(change: dict[str, object], said: str) -> None:
    fields = {"parameters": [1e6, 2e6, 3e6, 4e6, 5e6, 6e6], "tokens": [1e9, 2e9, 3e9] * 2, "loss": [2.0] * 6}
    with pytest.raises(ValueError, match=said):
        RunTable(**(fields | change))  # type: ignore[arg-type]


# --- solvers


@given(st.integers(0, 10_000), st.integers(2, 4))
def test_non_negative_least_squares_is_scipys(seed: int, width: int) -> None:
    rng = np.random.default_rng(seed)
    columns, target = rng.normal(size=(12, width)), rng.normal(size=12)
    mine = non_negative((columns.T @ columns)[None], (columns.T @ target)[None])[0]
    assert mine == pytest.approx(optimize.nnls(columns, target)[0], abs=1e-8)


def test_many_non_negative_problems_are_solved_at_once() -> None:
    rng = np.random.default_rng(1)
    columns, target = rng.normal(size=(50, 9, 3)), rng.normal(size=(50, 9, 1))
    gram = columns.transpose(0, 2, 1) @ columns
    mine = non_negative(gram, (columns.transpose(0, 2, 1) @ target)[..., 0])
    for one, matrix, right in zip(mine, columns, target[..., 0], strict=True):
        assert one == pytest.approx(optimize.nnls(matrix, right)[0], abs=1e-8)
    assert {int(count) for count in (mine == 0.0).sum(axis=1)} >= {0, 1, 2}


def test_a_smooth_minimum_is_scipys() -> None:
    def rosenbrock(point: np.ndarray) -> tuple[float, np.ndarray]:
        return float(optimize.rosen(point)), optimize.rosen_der(point)

    start = np.array([-1.2, 1.0, -0.5, 2.0, 0.3])
    found = minimise(rosenbrock, start)
    theirs = optimize.minimize(rosenbrock, start, jac=True, method="L-BFGS-B")
    assert found.point == pytest.approx(np.ones(5), abs=1e-4)
    assert found.value <= theirs.fun + 1e-7
    assert found.evaluations < 2 * theirs.nfev


def test_the_summed_objective_has_its_gradient_and_scipys_minimum() -> None:
    objective = _Summed(grid())
    start = np.array([6.0, 8.0, 0.5, 0.35, 0.4])
    assert objective(start)[1] == pytest.approx(
        optimize.approx_fprime(start, lambda point: objective(point)[0], 1e-8), abs=1e-5
    )
    mine = minimise(objective, start, value_tolerance=1e-13, gradient_tolerance=1e-9)
    options = {"ftol": 1e-15, "gtol": 1e-9, "maxiter": 5000, "maxfun": 50_000}
    theirs = optimize.minimize(objective, start, jac=True, method="L-BFGS-B", options=options)
    assert mine.value == pytest.approx(theirs.fun, rel=1e-3)


def test_a_search_stops_where_scipys_does() -> None:
    def shallow(point: np.ndarray) -> tuple[float, np.ndarray]:
        return 1e-12 * float(point @ point), 2e-12 * point

    start = np.array([3.0, -2.0])
    assert minimise(shallow, start).point == pytest.approx(start)  # the gradient is flat by its default
    assert optimize.minimize(shallow, start, jac=True, method="L-BFGS-B").x == pytest.approx(start)
    # With the gradient out of the way the small gain ends it, absolute as the tolerance is below 1.
    assert minimise(shallow, start, gradient_tolerance=0.0).point == pytest.approx(start, abs=1e-4)
    assert minimise(shallow, start, 0.0, 0.0).point == pytest.approx(np.zeros(2), abs=1e-6)


# --- the fitters


@cache
def fitted(method: str) -> tuple[RunTable, Fit]:
    table = budgets() if method == "isoflop" else grid()
    return table, fit_law(table, method)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("method", "names"),
    [
        ("varpro", (*FIVE, "a", "b")),
        ("huber", (*FIVE, "a", "b")),
        ("isoflop", ("a", "b")),
        ("envelope", ("a", "b")),
    ],
)
def test_a_planted_law_is_found_within_three_standard_errors(method: str, names: tuple[str, ...]) -> None:
    table, fit = fitted(method)
    assert fit.converged
    resampled = bootstrap(table, fit, 60, np.random.default_rng(0))
    assert tuple(fit.numbers) == names
    for name in names:
        spread = resampled.spread(name)
        assert abs(fit.numbers[name] - getattr(PLANTED, name)) < 3.0 * spread.standard_error, name
        assert spread.interval.low < fit.numbers[name] < spread.interval.high
        # An error that covers everything would pass the line above.
        assert spread.standard_error < 0.15 * getattr(PLANTED, name)
    size = resampled.optimal_parameters(1e21)
    assert abs(fit.optimal(1e21).parameters - PLANTED.optimal(1e21).parameters) < 3.0 * size.standard_error
    assert fit.optimal(1e21).parameters in size.interval


def test_without_noise_the_law_is_exact() -> None:
    found = varpro(grid(noise=0.0))
    assert found.numbers == pytest.approx({name: getattr(PLANTED, name) for name in (*FIVE, "a", "b")}, rel=1e-6)
    faint = varpro(grid(noise=1e-6)).numbers  # its objective is about 1e-10: an absolute tolerance would stop it
    assert faint == pytest.approx({name: getattr(PLANTED, name) for name in (*FIVE, "a", "b")}, rel=1e-4)
    assert huber(grid(noise=0.0)).numbers["a"] == pytest.approx(PLANTED.a, abs=1e-4)
    assert isoflop(budgets(noise=0.0)).a == pytest.approx(PLANTED.a, abs=2e-3)
    assert envelope(grid(noise=0.0)).a == pytest.approx(PLANTED.a, abs=1e-2)


def test_units_of_size_and_data_do_not_matter() -> None:
    table = grid()
    scaled = varpro(RunTable(table.parameters / 1e6, table.tokens / 1e9, table.loss))
    found = varpro(table)
    assert (scaled.a, scaled.numbers["E"]) == pytest.approx((found.a, found.numbers["E"]), rel=1e-5)


def test_the_averaged_objective_stops_early_and_says_so() -> None:
    table, right = fitted("huber")
    found = huber(table, averaged=True)
    assert not found.converged
    assert any("not converged" in note for note in found.notes)
    assert found.objective > 1.05 * right.objective  # both are summed
    assert abs(found.a - PLANTED.a) > 3.0 * abs(right.a - PLANTED.a)
    with pytest.raises(ValueError, match="did not converge"):
        bootstrap(table, found, 50, np.random.default_rng(0))


def test_a_search_that_starts_without_a_floor_finds_it() -> None:
    table, right = fitted("huber")
    assert right.law is not None
    found = huber(table, start=replace(right.law, E=1e-9))
    assert found.objective == pytest.approx(right.objective, rel=1e-3)
    assert found.numbers["E"] == pytest.approx(right.numbers["E"], abs=0.01)


def test_huber_withstands_a_diverged_run_and_least_squares_does_not() -> None:
    table = grid()
    loss = table.loss.copy()
    loss[[5, 77]] *= 1.5
    broken = RunTable(table.parameters, table.tokens, loss)
    right = fitted("huber")[1].numbers
    assert huber(broken).numbers["E"] == pytest.approx(right["E"], abs=0.02)
    assert abs(varpro(broken).numbers["E"] - right["E"]) > 0.02


def test_losses_far_from_their_floor_do_not_identify_it() -> None:
    size, data = map(np.ravel, np.meshgrid(np.geomspace(1e8, 1e9, 4), np.geomspace(1e9, 1e11, 5)))
    table = RunTable(size, data, 900.0 * size**-0.15 * data**-0.15)
    for found in (varpro(table), huber(table)):
        assert found.numbers["E"] < 1e-3 * table.loss.min()
        assert any(note.startswith("E is not identified") for note in found.notes)
    assert not any("identified" in note for note in varpro(grid()).notes)


def test_loss_that_does_not_depend_on_size_has_no_exponents() -> None:
    size, data = map(np.ravel, np.meshgrid(np.geomspace(1e8, 1e9, 4), np.geomspace(1e9, 1e11, 5)))
    found = varpro(RunTable(size, data, 1.8 + 2085.0 * data**-0.36))
    assert any(note.startswith("A is not identified") for note in found.notes)
    assert not any(note.startswith("B is not") for note in found.notes)
    assert math.isnan(found.a)
    with pytest.raises(ValueError, match="no optimal split"):
        found.optimal(1e21)
    nothing = Bootstrap((found,) * 3, 0)
    assert nothing.optimal_parameters(1e21).interval == Interval(0.0, math.inf, 0.95)
    assert nothing.spread("a").standard_error == math.inf
    known = varpro(grid())
    assert Bootstrap((found,) * 3 + (known,) * 2, 0).spread("a").standard_error == math.inf
    assert Bootstrap((found,) * 2 + (known,) * 3, 0).spread("a").standard_error == pytest.approx(0.0)
    assert nothing.notes == ("the exponents a and b are not identified in 3 of 3 resampled tables",)


def test_a_parabola_whose_minimum_lies_outside_the_sizes_is_left_out() -> None:
    table = budgets(noise=0.0, low=2.0, high=32.0)  # every size is above the best one
    with pytest.raises(ValueError, match="12 of 12 budgets: the minimum lies outside"):
        isoflop(table)
    good = budgets(noise=0.0)
    small = good.compute < 1.1 * good.compute.min()
    keep = np.flatnonzero(~small | (good.parameters > 1.5 * PLANTED.optimal(float(good.compute.min())).parameters))
    found = isoflop(good.take(keep.tolist()))
    assert len(found.optima) == 11
    assert "1 of 12 budgets: the minimum lies outside the sizes tried" in found.notes


def test_budgets_are_grouped_within_the_tolerance() -> None:
    table = budgets(noise=0.0)
    jitter = 1.0 + 0.04 * np.random.default_rng(2).random(len(table))
    near = RunTable(table.parameters, table.tokens * jitter, table.loss)
    assert len(isoflop(near).optima) == 12
    with pytest.raises(ValueError, match="fewer than 3 sizes"):
        isoflop(near, tolerance=1e-6)
    with pytest.raises(ValueError, match="tolerance"):
        isoflop(near, tolerance=1.0)


def test_the_envelope_leaves_out_where_an_end_of_the_sizes_is_best() -> None:
    table = grid(noise=0.0)
    found = envelope(table)
    sizes = {one.parameters for one in found.optima}
    assert table.parameters.min() not in sizes
    assert table.parameters.max() not in sizes
    assert "left out" in found.notes[0]
    single = envelope(budgets(noise=0.0))  # no size was trained twice
    assert "no curves" in single.notes[0]
    assert len(single.optima) < 36  # a few of the 13 runs of each budget
    assert single.a == pytest.approx(PLANTED.a, abs=0.05)


def test_flops_as_given_count() -> None:
    table = budgets(noise=0.0)
    found = varpro(RunTable(table.parameters, table.tokens, table.loss, 2.0 * table.compute))
    split = found.optimal(1e21)
    assert found.flops_per == pytest.approx(12.0)
    assert split.parameters == pytest.approx(PLANTED.optimal(5e20).parameters, rel=1e-4)
    assert found.coefficient * 1e21**found.a == pytest.approx(split.parameters)


# --- resampling


def test_the_standard_error_is_the_spread_over_tables() -> None:
    found = [varpro(grid(seed=seed)).a for seed in range(40)]
    promised = bootstrap(grid(), "varpro", 100, np.random.default_rng(1)).spread("a").standard_error
    assert promised == pytest.approx(np.std(found, ddof=1), rel=0.4)


def test_a_bootstrap_is_seeded_and_tells_of_its_progress() -> None:
    told: list[int] = []
    first, second, third = (
        bootstrap(grid(), "varpro", 20, np.random.default_rng(seed), told.append) for seed in (3, 3, 4)
    )
    assert first.spread("E") == second.spread("E") != third.spread("E")
    assert told == [*range(1, 21)] * 3
    with pytest.raises(ValueError, match="at least 20"):
        bootstrap(grid(), "varpro", 5, np.random.default_rng(0))
    with pytest.raises(ValueError, match="no method"):
        fit_law(grid(), "spline")  # type: ignore[arg-type]


def test_runs_of_one_group_are_drawn_together() -> None:
    base = grid(noise=0.001)
    sizes = np.unique(base.parameters, return_inverse=True)[1]
    loss = base.loss * np.exp(0.01 * np.random.default_rng(5).normal(size=12))[sizes]  # one error a size
    grouped = RunTable(base.parameters, base.tokens, loss, groups=tuple(f"size {i}" for i in sizes))
    alone = RunTable(base.parameters, base.tokens, loss)
    together, apart = (
        bootstrap(one, "varpro", 60, np.random.default_rng(0)).spread("alpha").standard_error
        for one in (grouped, alone)
    )
    assert together > 2.0 * apart


def test_a_floor_that_some_resampled_tables_lose_is_told() -> None:
    size, data = map(np.ravel, np.meshgrid(np.geomspace(1e8, 1e9, 4), np.geomspace(1e9, 1e11, 5)))
    noise = np.exp(0.01 * np.random.default_rng(0).normal(size=20))
    table = RunTable(size, data, Law(0.1, 482.0, 2085.0, 0.35, 0.36).loss(size, data) * noise)
    resampled = bootstrap(table, "varpro", 60, np.random.default_rng(0))
    lost = sum(fit.numbers["E"] < 1e-3 for fit in resampled.fits)
    assert 5 < lost < 55
    assert resampled.notes == (f"E is barely identified: it is 0 in {lost} of 60 resampled tables",)
    assert bootstrap(grid(), "varpro", 20, np.random.default_rng(0)).notes == ()


# --- repetition


@given(counts, decays)
def test_tokens_seen_once_count_in_full(unique: float, decay: float) -> None:
    assert effective_tokens(unique, unique, decay) == unique
    assert effective_tokens(0.3 * unique, unique, decay) == 0.3 * unique
    assert effective_tokens(7.0 * unique, unique, math.inf) == 7.0 * unique


@given(counts, decays, st.floats(1.0, 50.0), st.floats(0.01, 20.0))
def test_the_worth_of_repeats_rises_to_its_limit(unique: float, decay: float, epochs: float, more: float) -> None:
    few, many = effective_tokens(np.array([epochs, epochs + more]) * unique, unique, decay)
    limit = unique * (1.0 + decay)
    rounding = 1e-9 * limit
    assert few <= many + rounding
    assert many <= min(limit, (epochs + more) * unique) + rounding
    assert effective_tokens(1e6 * (1.0 + decay) * unique, unique, decay) == pytest.approx(limit)
    assert few < many or epochs - 1.0 > 20.0 * decay  # strictly, where rounding leaves a difference


def test_four_epochs_are_nearly_new_and_the_limit_is_sixteen() -> None:
    # Muennighoff et al. 2023 with R* = 15.387756: worked out by hand from the form.
    assert effective_tokens(4e9, 1e9, 15.387756) == pytest.approx(
        1e9 * (1 + 15.387756 * (1 - math.exp(-3 / 15.387756)))
    )
    assert effective_tokens(4e9, 1e9, 15.387756) / 4e9 == pytest.approx(0.931, abs=1e-3)
    assert effective_tokens(1e15, 1e9, 15.387756) == pytest.approx(16.387756e9)
    assert effective_parameters(4e9, 1e9, 5.309743) == effective_tokens(4e9, 1e9, 5.309743)
    with pytest.raises(ValueError, match="must be positive"):
        effective_tokens(1e9, 1e9, 0.0)


def repeated(decay: float, excess: float = math.inf, noise: float = 0.002) -> RunTable:
    size, unique = np.repeat([1e8, 3e8, 1e9], 12), np.tile(np.repeat([1e9, 4e9], 6), 3)
    data = unique * np.tile([0.5, 1.0, 4.0, 8.0, 16.0, 64.0], 6)
    worth = effective_parameters(size, PLANTED.parameters_for(np.minimum(unique, data)), excess)
    loss = PLANTED.loss(worth, effective_tokens(data, unique, decay))
    return RunTable(size, data, loss * np.exp(noise * np.random.default_rng(3).normal(size=36)), None, unique)


@pytest.mark.parametrize("decay", [4.0, 15.387756])
def test_planted_decays_are_found(decay: float) -> None:
    assert fit_repetition(repeated(decay), PLANTED).tokens == pytest.approx(decay, rel=0.05)
    both = fit_repetition(repeated(decay, 5.309743), PLANTED, excess_parameters=True)
    assert (both.tokens, both.parameters) == (pytest.approx(decay, rel=0.1), pytest.approx(5.309743, rel=0.15))
    exact = fit_repetition(repeated(decay, noise=0.0), PLANTED)
    assert exact.tokens == pytest.approx(decay, rel=1e-4)


def test_repeats_that_cost_nothing_have_no_decay() -> None:
    found = fit_repetition(repeated(math.inf, noise=0.0), PLANTED)
    assert found.tokens == math.inf
    assert "no decay shows" in found.notes[0]


def test_loss_that_rises_with_repetition_is_told() -> None:
    table = repeated(4.0, noise=0.0)
    loss = table.loss.copy()
    loss[(table.tokens == 64e9) & (table.unique_tokens == 1e9)] += 0.3
    found = fit_repetition(RunTable(table.parameters, table.tokens, loss, None, table.unique_tokens), PLANTED)
    assert "in 3 pairs of runs loss rose" in found.notes[-1]


def test_a_decay_needs_repeats() -> None:
    with pytest.raises(ValueError, match="unique tokens of each run"):
        fit_repetition(grid(), PLANTED)
    table = grid()
    with pytest.raises(ValueError, match="3 runs that repeat tokens, got 0"):
        fit_repetition(RunTable(table.parameters, table.tokens, table.loss, None, table.tokens), PLANTED)
    with pytest.raises(ValueError, match="does not depend on data"):
        fit_repetition(repeated(4.0), Law(1.8, 482.0, 0.0, 0.35, 0.36))
