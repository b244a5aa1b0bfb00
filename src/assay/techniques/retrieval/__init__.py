"""Techniques that search an index: by words, by vectors, and by what a model supposes stands there."""

from assay.techniques.retrieval.bm25 import Bm25, words
from assay.techniques.retrieval.feedback import feedback_search, mixed
from assay.techniques.retrieval.hyde import INSTRUCTIONS, PARAPHRASE, instruction_for
from assay.techniques.retrieval.ranking import best
from assay.techniques.retrieval.vectors import VectorIndex

__all__ = [
    "INSTRUCTIONS",
    "PARAPHRASE",
    "Bm25",
    "VectorIndex",
    "best",
    "feedback_search",
    "instruction_for",
    "mixed",
    "words",
]
