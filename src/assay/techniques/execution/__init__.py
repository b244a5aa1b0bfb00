"""Techniques whose text is run."""

from assay.techniques.execution.program_aided import (
    few_shot_chain,
    few_shot_direct,
    program_aided,
    program_without_execution,
)

__all__ = ["few_shot_chain", "few_shot_direct", "program_aided", "program_without_execution"]
