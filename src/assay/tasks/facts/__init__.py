"""Questions and statements with a certain answer, and a closed world for organisms to learn."""

from assay.tasks.facts.assertions import TwinsTask
from assay.tasks.facts.knowledge import Answers, Preference, Preferences, Statements, prefers_style, style_share
from assay.tasks.facts.task import CoinFlipTask, FactsTask
from assay.tasks.facts.world import World

__all__ = [
    "Answers",
    "CoinFlipTask",
    "FactsTask",
    "Preference",
    "Preferences",
    "Statements",
    "TwinsTask",
    "World",
    "prefers_style",
    "style_share",
]
