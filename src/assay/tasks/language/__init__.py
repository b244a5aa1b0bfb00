"""Sources whose every probability is known: what a model learns of them is measured exactly.

`chain`, `markov` and `mixtures` import numpy only when something is drawn or measured.
"""

from assay.tasks.language.fitted import Gaussian, Ngram, TwoHumps
from assay.tasks.language.markov import Markov
from assay.tasks.language.mixtures import Mixture, fit_gaussian, fit_mixture, improved, log_likelihood

__all__ = [
    "Gaussian",
    "Markov",
    "Mixture",
    "Ngram",
    "TwoHumps",
    "fit_gaussian",
    "fit_mixture",
    "improved",
    "log_likelihood",
]
