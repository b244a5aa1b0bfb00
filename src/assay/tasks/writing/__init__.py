"""Open writing prompts, scored by length."""

from assay.tasks.writing.task import WritingTask

__all__ = ["WritingTask"]
