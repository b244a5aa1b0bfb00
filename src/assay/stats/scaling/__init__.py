"""Scaling laws: three ways to fit them, what the fits know, and what repeated tokens are worth."""

from .law import PUBLISHED_LAWS, Law, Split
from .non_negative import non_negative
from .optima import envelope, isoflop
from .projection import varpro
from .quasi_newton import Minimum, minimise
from .repetition import (
    PARAMETERS_DECAY,
    TOKENS_DECAY,
    Repetition,
    effective_parameters,
    effective_tokens,
    fit_repetition,
)
from .resampling import Bootstrap, Spread, bootstrap, fit_law
from .robust import huber
from .runs import Fit, Method, Optimum, RunTable

__all__ = [
    "PARAMETERS_DECAY",
    "PUBLISHED_LAWS",
    "TOKENS_DECAY",
    "Bootstrap",
    "Fit",
    "Law",
    "Method",
    "Minimum",
    "Optimum",
    "Repetition",
    "RunTable",
    "Split",
    "Spread",
    "bootstrap",
    "effective_parameters",
    "effective_tokens",
    "envelope",
    "fit_law",
    "fit_repetition",
    "huber",
    "isoflop",
    "minimise",
    "non_negative",
    "varpro",
]
