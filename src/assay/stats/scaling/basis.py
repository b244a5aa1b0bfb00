"""All that scaling laws take from the rest of stats, relatively: stats can be lifted out whole and renamed."""

from ..intervals import Interval  # noqa: TID252
from ..samples import FloatArray, check_probability, finite_sample  # noqa: TID252

__all__ = ["FloatArray", "Interval", "check_probability", "finite_sample"]
