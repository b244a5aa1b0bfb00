"""Searching a corpus: documentation, a folder of texts, or a benchmark in BEIR's form."""

from assay.tasks.retrieval.corpus import Corpus, Document, Query, load_corpus, text_files
from assay.tasks.retrieval.docstrings import docstrings
from assay.tasks.retrieval.passages import passages
from assay.tasks.retrieval.task import RetrievalTask, load_retrieval

__all__ = [
    "Corpus",
    "Document",
    "Query",
    "RetrievalTask",
    "docstrings",
    "load_corpus",
    "load_retrieval",
    "passages",
    "text_files",
]
