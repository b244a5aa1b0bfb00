"""Arithmetic: word problems, and exercises for organisms: Goat's ten tasks and chains modulo a small number."""

from assay.tasks.arithmetic.modular import (
    ModularChains,
    final_answer,
    first_error,
    solution,
    step_ends,
    step_labels,
)
from assay.tasks.arithmetic.place_value import Arithmetic, solve, verify
from assay.tasks.arithmetic.problems import Problem, make_problem
from assay.tasks.arithmetic.task import ArithmeticTask, large_numbers, multi_step, one_step

__all__ = [
    "Arithmetic",
    "ArithmeticTask",
    "ModularChains",
    "Problem",
    "final_answer",
    "first_error",
    "large_numbers",
    "make_problem",
    "multi_step",
    "one_step",
    "solution",
    "solve",
    "step_ends",
    "step_labels",
    "verify",
]
