"""What every test asks of its input: finite numbers, levels inside (0, 1), cluster labels."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class ClusterTotals:
    """The sum and the size of each cluster; all that a clustered mean needs of the data."""

    sums: FloatArray
    sizes: FloatArray

    @property
    def mean(self) -> float:
        """The mean over all values, every value weighing the same."""
        return float(self.sums.sum() / self.sizes.sum())


def finite_sample(values: ArrayLike, name: str) -> FloatArray:
    """The values as a one-dimensional array of at least one finite number."""
    sample = np.asarray(values, dtype=np.float64)
    if sample.ndim != 1 or sample.size == 0:
        raise ValueError(f"{name} must be a non-empty one-dimensional sequence of numbers")
    if not np.isfinite(sample).all():
        raise ValueError(f"{name} must not contain nan or infinity")
    return sample


def cluster_totals(values: FloatArray, clusters: Sequence[Any] | None) -> ClusterTotals:
    """Group values by cluster label; without labels every value is its own cluster.

    Labels may be of any one sortable type, one per value: sample ids when a sample is scored under
    several seeds.
    """
    if clusters is None:
        return ClusterTotals(sums=values, sizes=np.ones_like(values))
    if len(clusters) != len(values):
        raise ValueError(f"got {len(clusters)} cluster labels for {len(values)} values")
    membership = np.unique(np.asarray(clusters), return_inverse=True)[1]
    return ClusterTotals(
        sums=np.bincount(membership, weights=values).astype(np.float64),
        sizes=np.bincount(membership).astype(np.float64),
    )


def check_probability(value: float, name: str) -> None:
    """Refuse a level, an error rate or a power that is not strictly between 0 and 1."""
    if not 0.0 < value < 1.0:
        raise ValueError(f"{name} must lie strictly between 0 and 1, got {value}")
