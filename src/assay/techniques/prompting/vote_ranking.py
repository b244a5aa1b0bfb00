"""Votes of simulated voters on models whose strength is known: what a way of ranking makes of them.

Source    Chiang et al. 2024, "Chatbot Arena" (arXiv 2403.04132), sections 4 and 5: Bradley-Terry instead of
          online Elo. Li, Angelopoulos and Chiang 2024, "Does style matter?" (LMSYS): style control.
Here      Twenty models, pairs drawn evenly, a fifth of the votes tied; the strength of each model and what length
          is worth are drawn or set, so that a ranking can be held against the truth.
Departs   1. Voters are simulated: sigmoid of the gap in strength, and of length where it counts.
          2. Lengths are independent of strength; on the arena better models also write more.
          3. Features of style are divided by their root mean square and not centred: sides stay exchangeable.
Needs     no model: this shows a mechanism and nothing about any model.
Costs     no call.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from assay.core import Answer, Flow, Sample, Task

if TYPE_CHECKING:
    import numpy as np

    from assay.stats.ranking import Battles

MODELS = 20
SPREAD = 0.5
"""Standard deviation of strengths, in log-odds: 87 points of Elo."""
TIED = 0.2
SHUFFLES = 10
LENGTH_WORTH = 0.25
"""Log-odds per root mean square of the length feature: about what LMSYS found on the arena."""


def order_dependence(sample: Sample, task: Task, *, k: float, votes: int = 2000) -> Flow[Answer]:
    """Share of pairs of models that stand the other way round once the same votes are shuffled.

    Args:
        sample: `meta["seed"]` draws strengths, votes and orders.
        task: not used.
        k: of online Elo; 0: Bradley-Terry, refitted on every order.
        votes: how many.
    """
    import numpy as np

    yield from ()
    rng = np.random.default_rng([int(sample.meta["seed"]), 1])
    ratings = _ratings(_battles(rng, rng.normal(0, SPREAD, MODELS), votes), rng, k)
    signs = [np.sign(np.round(np.subtract.outer(row, row), 6)) for row in ratings]
    turned = [float((one != other).mean()) for one, other in pairwise(signs)]
    return Answer(measures={"score": float(np.mean(turned)) * MODELS / (MODELS - 1)})


def rank_accuracy(sample: Sample, task: Task, *, k: float, votes: int = 2000) -> Flow[Answer]:
    """Share of pairs of models in their true order, on average over shuffled votes; arguments as above."""
    import numpy as np

    yield from ()
    rng = np.random.default_rng([int(sample.meta["seed"]), 1])
    true = rng.normal(0, SPREAD, MODELS)
    ratings = _ratings(_battles(rng, true, votes), rng, k)
    return Answer(measures={"score": float(np.mean([_right(row, true) for row in ratings]))})


def style_accuracy(sample: Sample, task: Task, *, control: str, votes: int = 5000) -> Flow[Answer]:
    """Share of pairs of models in their true order, where voters like length.

    Args:
        sample: `meta["seed"]` draws strengths, lengths and votes.
        task: not used.
        control: `none`; `length`; or `shuffled`, which controls for the lengths of other votes.
        votes: how many.
    """
    import numpy as np

    from assay.stats.ranking import fit_bradley_terry, fit_style, style_features

    yield from ()
    rng = np.random.default_rng([int(sample.meta["seed"]), 2])
    true, typical = rng.normal(0, SPREAD, MODELS), rng.normal(5.3, 0.4, MODELS)
    a, b = _pairs(rng, votes)
    first, second = (np.exp(typical[side] + rng.normal(0, 0.5, votes)) for side in (a, b))
    battles = _cast(rng, a, b, true[a] - true[b] + LENGTH_WORTH * style_features(first, second))
    if control == "none":
        return Answer(measures={"score": _right(fit_bradley_terry(battles.counted()).values, true)})
    rows = rng.permutation(votes) if control == "shuffled" else np.arange(votes)
    fit = fit_style(battles, {"length": (first[rows], second[rows])})
    return Answer(measures={"score": _right(fit.strengths.values, true), "worth": fit.coefficients["length"][0]})


def _ratings(battles: Battles, rng: np.random.Generator, k: float) -> list[np.ndarray]:
    """Ratings from each of the shuffled orders."""
    import numpy as np

    from assay.stats.ranking import fit_bradley_terry, online_elo

    orders = np.stack([rng.permutation(len(battles)) for _ in range(SHUFFLES)])
    if k > 0:
        return list(online_elo(battles, k, orders))
    return [fit_bradley_terry(battles.take(order).counted()).values for order in orders]


def _battles(rng: np.random.Generator, strengths: np.ndarray, votes: int) -> Battles:
    a, b = _pairs(rng, votes)
    return _cast(rng, a, b, strengths[a] - strengths[b])


def _pairs(rng: np.random.Generator, votes: int) -> tuple[np.ndarray, np.ndarray]:
    a = rng.integers(0, MODELS, votes)
    return a, (a + rng.integers(1, MODELS, votes)) % MODELS


def _cast(rng: np.random.Generator, a: np.ndarray, b: np.ndarray, gap: np.ndarray) -> Battles:
    """Votes of these log-odds."""
    import numpy as np

    from assay.stats.ranking import Battles

    won = rng.random(len(gap)) < 1 / (1 + np.exp(-gap))
    score = np.where(rng.random(len(gap)) < TIED, 0.5, won.astype(np.float64))
    names = tuple(f"model {at}" for at in range(MODELS))
    return Battles(names, a.astype(np.int32), b.astype(np.int32), score)


def _right(found: np.ndarray, true: np.ndarray) -> float:
    """Share of pairs in the right order: (tau + 1) / 2."""
    from assay.stats.ranking import kendall_tau

    return (kendall_tau(found, true) + 1) / 2
