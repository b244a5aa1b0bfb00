"""Rankings from battles of two: Bradley-Terry with intervals, ties, control of style, and online Elo beside it."""

from .battles import Battles, PairCounts
from .bradley_terry import Strengths, fit_bradley_terry
from .davidson import fit_davidson
from .elo import OFFSET, SCALE, kendall_tau, online_elo
from .leaderboard import Leaderboard, Resampling, Ties, leaderboard, position_bias
from .resampling import bootstrap_strengths
from .sparse import fit_sparse
from .style import MOST_FEATURES, StyleFit, fit_style, style_features

__all__ = [
    "MOST_FEATURES",
    "OFFSET",
    "SCALE",
    "Battles",
    "Leaderboard",
    "PairCounts",
    "Resampling",
    "Strengths",
    "StyleFit",
    "Ties",
    "bootstrap_strengths",
    "fit_bradley_terry",
    "fit_davidson",
    "fit_sparse",
    "fit_style",
    "kendall_tau",
    "leaderboard",
    "online_elo",
    "position_bias",
    "style_features",
]
