"""Tasks: samples and a scorer, by kind."""

from assay.core.answers import (
    canonical_number,
    extract_choice,
    extract_number,
    extract_text,
    extract_yes_no,
    same_number,
    vote,
)
from assay.tasks.arithmetic import Arithmetic, ArithmeticTask, ModularChains, large_numbers, multi_step, one_step
from assay.tasks.catalogue import task_named, task_names, tasks_with_questions
from assay.tasks.code import FaultsTask, JudgedProgramsTask, ProgramsTask, TinyPythonTask, load_programs
from assay.tasks.facts import CoinFlipTask, FactsTask, TwinsTask
from assay.tasks.files import FileTask, load_task
from assay.tasks.games import Game24Task, SudokuTask, TicTacToeTask, WordSquareTask, load_puzzles
from assay.tasks.reference import DictionaryTask, RegisterTask, WeekdayTask
from assay.tasks.retrieval import RetrievalTask, load_retrieval
from assay.tasks.seeds import SeedsTask
from assay.tasks.text_origin import NullKeysTask, SimulatedSourcesTask, TextOriginTask
from assay.tasks.worlds import ErrandsTask
from assay.tasks.writing import WritingTask

__all__ = [
    "Arithmetic",
    "ArithmeticTask",
    "CoinFlipTask",
    "DictionaryTask",
    "ErrandsTask",
    "FactsTask",
    "FaultsTask",
    "FileTask",
    "Game24Task",
    "JudgedProgramsTask",
    "ModularChains",
    "NullKeysTask",
    "ProgramsTask",
    "RegisterTask",
    "RetrievalTask",
    "SeedsTask",
    "SimulatedSourcesTask",
    "SudokuTask",
    "TextOriginTask",
    "TicTacToeTask",
    "TinyPythonTask",
    "TwinsTask",
    "WeekdayTask",
    "WordSquareTask",
    "WritingTask",
    "canonical_number",
    "extract_choice",
    "extract_number",
    "extract_text",
    "extract_yes_no",
    "large_numbers",
    "load_programs",
    "load_puzzles",
    "load_retrieval",
    "load_task",
    "multi_step",
    "one_step",
    "same_number",
    "task_named",
    "task_names",
    "tasks_with_questions",
    "vote",
]
