"""Arithmetic word problems."""

from assay.tasks.arithmetic.problems import Problem, make_problem
from assay.tasks.arithmetic.task import ArithmeticTask, large_numbers, multi_step, one_step

__all__ = ["ArithmeticTask", "Problem", "large_numbers", "make_problem", "multi_step", "one_step"]
