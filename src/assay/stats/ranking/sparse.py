"""Bradley-Terry for thousands of models: no table of all pairs, steps by conjugate gradients.

A step solves L x = g where L is the weighted graph of the pairs that met; one product with it costs as much as
there are such pairs. Standard errors are drawn: random signs on the pairs' residuals, solved for like a step, have
the sandwich as their covariance. With 200 draws an error is off by about 5 % of itself.
"""

from __future__ import annotations

import numpy as np

from .basis import FloatArray, summed
from .battles import PairCounts
from .bradley_terry import Strengths, bounded_by_ties, log_sigmoid, missed_squares, sigmoid
from .connected import connection
from .incidence import Incidence

DRAWS = 200
MOST_NUMBERS = 4_000_000
"""Pairs times columns that are solved for together."""
MOST_STEPS = 60
MOST_HALVINGS = 40
MOST_PRODUCTS = 2000


def fit_sparse(
    counts: PairCounts, rng: np.random.Generator, start: FloatArray | None = None, draws: int = DRAWS
) -> Strengths:
    """The strengths that `fit_bradley_terry` finds, to 1e-8, with standard errors from `draws` random draws."""
    found = connection(counts)
    tried = bounded_by_ties(counts, found)
    pairs, battles = Incidence(tried), tried.battles
    values = _centred(np.zeros(len(counts.models)) if start is None else start, found.component)
    value, steps, converged = _value(tried, values), 0, False
    while steps < MOST_STEPS and not converged:
        steps += 1
        chance = sigmoid(pairs.differences(values))
        weights = battles * chance * (1.0 - chance)
        gradient = pairs.sums(tried.score - battles * chance)
        # Rounding leaves a gradient that no step could cause: the sum of a component must be 0.
        gradient = _centred(gradient, found.component)
        move = _centred(_solved(pairs, weights, gradient[:, None])[:, 0], found.component)
        for _ in range(MOST_HALVINGS):
            ahead = _value(tried, values + move)
            if ahead >= value - 1e-12 * abs(value):
                break
            move = move / 2
        values, value = values + move, ahead
        converged = float(np.abs(move).max()) < 1e-9
    chance = sigmoid(pairs.differences(values))
    spread = np.sqrt(missed_squares(tried, values))
    squares = np.zeros(len(values))
    width = max(1, min(draws, MOST_NUMBERS // len(spread)))
    for begin in range(0, draws, width):
        signs = rng.choice((-1.0, 1.0), size=(len(spread), min(width, draws - begin)))
        solved = _solved(pairs, battles * chance * (1.0 - chance), pairs.sums(signs * spread[:, None]), 1e-4)
        squares += (_centred(solved, found.component) ** 2).sum(axis=1)
    return Strengths(values, np.sqrt(squares / draws), found, steps, converged)


def _value(counts: PairCounts, values: FloatArray) -> float:
    gap = values[counts.first] - values[counts.second]
    return float(counts.battles @ log_sigmoid(-gap) + counts.score @ gap)


def _centred(values: FloatArray, component: np.ndarray) -> FloatArray:
    """With the mean of every component at 0; [models] or [models, columns]."""
    sizes = np.bincount(component)
    columns = values.reshape(len(values), -1)
    sums = np.zeros((len(sizes), columns.shape[1]))
    np.add.at(sums, component, columns)
    centred: FloatArray = (columns - (sums / sizes[:, None])[component]).reshape(values.shape)
    return centred


def _solved(pairs: Incidence, weights: FloatArray, wanted: FloatArray, tolerance: float = 1e-8) -> FloatArray:
    """L x = wanted for every column, by conjugate gradients with the diagonal as preconditioner."""
    weight = weights[:, None]
    ones = np.zeros(pairs.models)
    ones += summed(pairs.first, weights, pairs.models) + summed(pairs.second, weights, pairs.models)
    # A model without a battle has an empty row, and nothing wanted.
    diagonal = np.where(ones > 0, ones, 1.0)[:, None]
    x = np.zeros_like(wanted)
    left = wanted.copy()
    way = left / diagonal
    size = (left * way).sum(axis=0)
    goal = tolerance**2 * np.maximum(size, 1e-300)
    for _ in range(min(MOST_PRODUCTS, 3 * pairs.models + 50)):
        if (size <= goal).all():
            break
        product = pairs.sums(weight * pairs.differences(way))
        curve = (way * product).sum(axis=0)
        step = np.divide(size, curve, out=np.zeros_like(size), where=curve > 0)
        x += step * way
        left -= step * product
        steep = left / diagonal
        new = (left * steep).sum(axis=0)
        way = steep + np.divide(new, size, out=np.zeros_like(size), where=size > 0) * way
        size = new
    return x
