"""Yes/no questions with a certain answer."""

from assay.tasks.facts.task import CoinFlipTask, FactsTask

__all__ = ["CoinFlipTask", "FactsTask"]
