"""Evidence: paired scores turned into intervals, p-values and e-values, on plain arrays."""

from .group_sequential import GroupSequence, obrien_fleming_bounds, obrien_fleming_looks
from .intervals import (
    Estimate,
    Interval,
    clopper_pearson,
    cluster_mean,
    mean_t,
    newcombe_paired,
    tango_paired,
    wilson,
)
from .multiplicity import benjamini_hochberg, combine_e_values, e_bh, holm
from .paired import Alternative, mcnemar_exact, paired_bootstrap, sign_flip
from .power import anytime_cap, connor_n, detectable_effect, graded_n
from .sequential import (
    Look,
    PairedSequence,
    beta_binomial_e_value,
    log_beta_binomial_e_value,
)
from .stopping import FixedSample, RuleName, StoppingRule, stopping_rule

__all__ = [
    "Alternative",
    "Estimate",
    "FixedSample",
    "GroupSequence",
    "Interval",
    "Look",
    "PairedSequence",
    "RuleName",
    "StoppingRule",
    "anytime_cap",
    "benjamini_hochberg",
    "beta_binomial_e_value",
    "clopper_pearson",
    "cluster_mean",
    "combine_e_values",
    "connor_n",
    "detectable_effect",
    "e_bh",
    "graded_n",
    "holm",
    "log_beta_binomial_e_value",
    "mcnemar_exact",
    "mean_t",
    "newcombe_paired",
    "obrien_fleming_bounds",
    "obrien_fleming_looks",
    "paired_bootstrap",
    "sign_flip",
    "stopping_rule",
    "tango_paired",
    "wilson",
]
