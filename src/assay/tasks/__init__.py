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
from assay.tasks.catalogue import task_named, task_names
from assay.tasks.facts import CoinFlipTask, FactsTask, TwinsTask
from assay.tasks.files import FileTask, load_task
from assay.tasks.games import TicTacToeTask
from assay.tasks.seeds import SeedsTask
from assay.tasks.text_origin import NullKeysTask, SimulatedSourcesTask, TextOriginTask
from assay.tasks.writing import WritingTask

__all__ = [
    "Arithmetic",
    "ArithmeticTask",
    "CoinFlipTask",
    "FactsTask",
    "FileTask",
    "ModularChains",
    "NullKeysTask",
    "SeedsTask",
    "SimulatedSourcesTask",
    "TextOriginTask",
    "TicTacToeTask",
    "TwinsTask",
    "WritingTask",
    "canonical_number",
    "extract_choice",
    "extract_number",
    "extract_text",
    "extract_yes_no",
    "large_numbers",
    "load_task",
    "multi_step",
    "one_step",
    "same_number",
    "task_named",
    "task_names",
    "vote",
]
