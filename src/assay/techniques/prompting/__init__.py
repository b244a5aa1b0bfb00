"""Techniques that are words in one call."""

from assay.techniques.prompting.chain_of_thought import chain_of_thought, direct
from assay.techniques.prompting.commitment import (
    Holding,
    answered,
    entropy_along,
    forked,
    hashed_commitment,
    reveal,
)
from assay.techniques.prompting.forced_choice import Normalisation, forced_choice
from assay.techniques.prompting.pairwise_judge import pairwise_judge
from assay.techniques.prompting.prompt_engineer import (
    By,
    Candidate,
    Search,
    applied,
    engineer,
    likelihood,
    paraphrases,
    scored,
)
from assay.techniques.prompting.suffix import with_suffix

__all__ = [
    "By",
    "Candidate",
    "Holding",
    "Normalisation",
    "Search",
    "answered",
    "applied",
    "chain_of_thought",
    "direct",
    "engineer",
    "entropy_along",
    "forced_choice",
    "forked",
    "hashed_commitment",
    "likelihood",
    "pairwise_judge",
    "paraphrases",
    "reveal",
    "scored",
    "with_suffix",
]
