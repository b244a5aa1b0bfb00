"""Code: functions to be written, to be judged, or to be repaired."""

from assay.tasks.code.faults import FaultsTask
from assay.tasks.code.formulas import FormulaTask
from assay.tasks.code.judged import RIGHT, JudgedProgramsTask
from assay.tasks.code.programs import (
    ProgramsTask,
    TinyPythonTask,
    human_eval,
    is_programs_file,
    load_programs,
    problem_of,
)

__all__ = [
    "RIGHT",
    "FaultsTask",
    "FormulaTask",
    "JudgedProgramsTask",
    "ProgramsTask",
    "TinyPythonTask",
    "human_eval",
    "is_programs_file",
    "load_programs",
    "problem_of",
]
