"""What the rest of `stats` lends to this package, and sums by index."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..intervals import Interval, wilson  # noqa: TID252
from ..samples import FloatArray, check_probability  # noqa: TID252
from ..special import normal_quantile  # noqa: TID252

__all__ = ["FloatArray", "Interval", "check_probability", "normal_quantile", "summed", "wilson"]


def summed(place: NDArray[np.integer], values: FloatArray, size: int) -> FloatArray:
    """[size]: at each place the sum of the values that belong there."""
    # The stubs of numpy know `bincount` without weights only.
    total: FloatArray = np.bincount(place, values, size).astype(np.float64, copy=False)
    return total
