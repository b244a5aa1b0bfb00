"""Style control: what length and markdown do to a vote is fitted together with the strengths.

P(a beats b) = sigmoid(s_a - s_b + f . c), with features f = (style_a - style_b) / (style_a + style_b) as in
LMSYS's "Does style matter?" (2024). There features are standardised; here they are divided by their root mean
square and not centred, for a shift would favour a side: this way the fit is the same with the sides exchanged.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from .basis import FloatArray, summed
from .battles import Battles
from .bradley_terry import MOST_DENSE, Strengths, errors_of, log_sigmoid, sigmoid
from .connected import Connection, connection
from .newton import Local, gauge_of, maximise

MOST_FEATURES = 8
SMALLEST_SHARE = 1e-9
"""Of the smallest to the largest curvature: below it two things that were to be told apart are one."""


@dataclass(frozen=True, eq=False)
class StyleFit:
    """Strengths at equal style, and what style is worth: log-odds of a win per root mean square of a feature."""

    strengths: Strengths
    coefficients: Mapping[str, tuple[float, float]]
    """By feature, with its standard error."""
    unused: tuple[str, ...]
    """Features in which no two sides differ."""


def style_features(a: FloatArray, b: FloatArray) -> FloatArray:
    """(a - b) / (a + b), 0 where both are 0, over its root mean square; all zero where the sides never differ."""
    for side in (a, b):
        if not (np.isfinite(side).all() and (side >= 0).all()):
            raise ValueError("a measure of style is a finite number, 0 or more")
    total = a + b
    share = np.divide(a - b, total, out=np.zeros_like(total), where=total > 0)
    size = float(np.sqrt(np.mean(share**2)))
    feature: FloatArray = share / size if size > 0 else share
    return feature


def fit_style(battles: Battles, style: Mapping[str, tuple[FloatArray, FloatArray]]) -> StyleFit:
    """Strengths with the effect of style taken out; ties are half wins, errors come from the sandwich.

    Args:
        battles: one row a battle.
        style: by name, what was measured on the text of a and on that of b, a number a battle.
    """
    if len(style) > MOST_FEATURES:
        raise ValueError(f"at most {MOST_FEATURES} measures of style are taken, these are {len(style)}")
    n = len(battles.models)
    if n > MOST_DENSE:
        raise ValueError(f"style is controlled for up to {MOST_DENSE} models, these are {n}")
    made = {name: style_features(*sides) for name, sides in style.items()}
    used = {name: feature for name, feature in made.items() if feature.any()}
    found = connection(battles.counted())
    table = _table(battles, list(used.values()), found)
    gauge = gauge_of(found.component, len(used))
    start = np.zeros(n + len(used))
    curvature = np.linalg.eigvalsh(table.local(start).information + gauge)
    if curvature[0] < SMALLEST_SHARE * curvature[-1]:
        raise ValueError(
            "style and strength cannot be told apart: too few votes, or each model always writes in its own style"
        )
    maximum = maximise(table.local, start, gauge)
    errors = errors_of(maximum, table.scores(maximum.point))
    strengths = Strengths(maximum.point[:n], errors[:n], found, maximum.steps, maximum.converged)
    worth = zip(used, maximum.point[n:].tolist(), errors[n:].tolist(), strict=True)
    coefficients = {name: (value, error) for name, value, error in worth}
    return StyleFit(strengths, coefficients, tuple(name for name in made if name not in used))


@dataclass(frozen=True, eq=False)
class _Table:
    """Battles with their features [battles, features]; half a tie is a battle of weight one half."""

    n: int
    a: np.ndarray
    b: np.ndarray
    score: FloatArray
    weight: FloatArray
    features: FloatArray

    def gaps(self, point: FloatArray) -> FloatArray:
        """Log-odds that a wins."""
        gap: FloatArray = point[self.a] - point[self.b] + self.features @ point[self.n :]
        return gap

    def local(self, point: FloatArray) -> Local:
        gap = self.gaps(point)
        chance = sigmoid(gap)
        value = float(self.weight @ (log_sigmoid(-gap) + self.score * gap))
        missed = self.weight * (self.score - chance)
        gradient = np.append(self._by_model(missed), missed @ self.features)
        return Local(value, gradient, self._squares(self.weight * chance * (1.0 - chance)))

    def scores(self, point: FloatArray) -> FloatArray:
        """The sum over battles of squared scores."""
        return self._squares(self.weight * (self.score - sigmoid(self.gaps(point))) ** 2)

    def _by_model(self, values: FloatArray) -> FloatArray:
        total: FloatArray = summed(self.a, values, self.n) - summed(self.b, values, self.n)
        return total

    def _squares(self, weights: FloatArray) -> FloatArray:
        """X^T W X, where a row of X is 1 at a, -1 at b, and the features."""
        n, p = self.n, self.features.shape[1]
        met = summed(self.a * n + self.b, weights, n * n).reshape(n, n)
        met = met + met.T
        full = np.empty((n + p, n + p))
        full[:n, :n] = np.diag(met.sum(axis=1)) - met
        weighted = self.features * weights[:, None]
        for at in range(p):
            full[:n, n + at] = full[n + at, :n] = self._by_model(weighted[:, at])
        full[n:, n:] = self.features.T @ weighted
        return full


def _table(battles: Battles, features: list[FloatArray], found: Connection) -> _Table:
    """The battles, and behind them the half ties that hold a model which always won, or always lost."""
    counts = battles.counted()
    first, second = counts.first[found.one_sided], counts.second[found.one_sided]
    columns = np.stack(features, axis=1) if features else np.zeros((len(battles), 0))
    return _Table(
        len(battles.models),
        np.concatenate([battles.a.astype(np.int64), first]),
        np.concatenate([battles.b.astype(np.int64), second]),
        np.concatenate([battles.score, np.full(len(first), 0.5)]),
        np.concatenate([np.ones(len(battles)), np.full(len(first), 0.5)]),
        np.concatenate([columns, np.zeros((len(first), columns.shape[1]))]),
    )
