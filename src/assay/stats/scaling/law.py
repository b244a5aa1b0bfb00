"""The law of loss by size and data, L(N, D) = E + A / N^alpha + B / D^beta, and its compute-optimal split."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike

from .basis import FloatArray

FLOPS_PER = 6.0
"""Training FLOP per parameter and token: C = 6 N D."""


@dataclass(frozen=True)
class Split:
    """How a compute budget is spent: on so many parameters and so many tokens."""

    parameters: float
    tokens: float


@dataclass(frozen=True)
class Law:
    """L(N, D) = E + A / N^alpha + B / D^beta, in nats per token (Hoffmann et al. 2022, arXiv 2203.15556).

    E is the floor that neither size nor data lowers; A and B scale with the units of N and D, which
    are single parameters and tokens. E, A and B may be 0 where a fit ends there.
    """

    E: float
    A: float
    B: float
    alpha: float
    beta: float

    def __post_init__(self) -> None:
        numbers = (self.E, self.A, self.B, self.alpha, self.beta)
        if not all(math.isfinite(number) for number in numbers) or min(numbers[:3]) < 0.0:
            raise ValueError("E, A and B of a law must be finite and not negative")
        if min(self.alpha, self.beta) <= 0.0:
            raise ValueError("the exponents alpha and beta of a law must be positive")

    @property
    def a(self) -> float:
        """The exponent of the optimal size, N_opt ~ C^a."""
        return self.beta / (self.alpha + self.beta)

    @property
    def b(self) -> float:
        """The exponent of the optimal data, D_opt ~ C^b; a + b = 1."""
        return self.alpha / (self.alpha + self.beta)

    def loss(self, parameters: ArrayLike, tokens: ArrayLike) -> FloatArray:
        """The loss at sizes and token counts that broadcast; arrays of no dimension for two numbers."""
        size = np.asarray(parameters, dtype=np.float64)
        data = np.asarray(tokens, dtype=np.float64)
        return np.asarray(self.E + self.A * size**-self.alpha + self.B * data**-self.beta)

    def optimal(self, budget: float, flops_per: float = FLOPS_PER) -> Split:
        """The split of `budget` FLOP with the lowest loss, given C = flops_per * N * D.

        There the marginal gains agree, alpha A / N^alpha = beta B / D^beta, which has a closed form.
        ValueError if A or B is 0: more of the one would then always be better.
        """
        if not (budget > 0.0 and math.isfinite(budget)):
            raise ValueError("a budget must be a positive number of FLOP")
        self._check_bends()
        product = math.log(budget / flops_per)
        lead = math.log(self.alpha * self.A / (self.beta * self.B)) / (self.alpha + self.beta)
        size = lead + self.a * product
        return Split(math.exp(size), math.exp(product - size))

    def parameters_for(self, tokens: ArrayLike) -> FloatArray:
        """The sizes for which these token counts are the compute-optimal ones."""
        self._check_bends()
        data = np.asarray(tokens, dtype=np.float64)
        return np.asarray((self.alpha * self.A / (self.beta * self.B) * data**self.beta) ** (1.0 / self.alpha))

    def _check_bends(self) -> None:
        if self.A == 0.0 or self.B == 0.0:
            which = "size" if self.A == 0.0 else "data"
            raise ValueError(f"in this law loss does not depend on {which}: there is no optimal split")


PUBLISHED_LAWS: Mapping[str, Law] = MappingProxyType(
    {
        "hoffmann": Law(1.69, 406.4, 410.7, 0.34, 0.28),
        "besiroglu": Law(1.8172, 482.01, 2085.43, 0.3478, 0.3658),
        "muennighoff": Law(math.exp(0.6254804), math.exp(6.255414), math.exp(7.3049974), 0.3526596, 0.3526596),
    }
)
"""Fits of others: Hoffmann et al. 2022, its refit by Besiroglu et al. 2024 (arXiv 2404.10102), and
Muennighoff et al. 2023 (arXiv 2305.16264)."""
