"""Questions whose answers stand in a work of reference: a calendar, a register, a dictionary."""

from assay.tasks.reference.dates import WeekdayTask
from assay.tasks.reference.invented import DictionaryTask, RegisterTask

__all__ = ["DictionaryTask", "RegisterTask", "WeekdayTask"]
