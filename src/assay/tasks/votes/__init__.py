"""Votes on pairs of answers: tables in the columns of Chatbot Arena and of FastChat."""

from assay.tasks.votes.outcomes import OUTCOMES
from assay.tasks.votes.records import read_records
from assay.tasks.votes.style import MARKDOWN, STYLES, count_style
from assay.tasks.votes.table import UNKNOWN, Unknown, UnknownOutcome, Votes, read_votes

__all__ = [
    "MARKDOWN",
    "OUTCOMES",
    "STYLES",
    "UNKNOWN",
    "Unknown",
    "UnknownOutcome",
    "Votes",
    "count_style",
    "read_records",
    "read_votes",
]
