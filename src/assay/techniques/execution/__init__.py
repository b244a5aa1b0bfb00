"""Techniques whose text is run."""

from assay.techniques.execution.code_pool import code_pool
from assay.techniques.execution.program_aided import (
    few_shot_chain,
    few_shot_direct,
    program_aided,
    program_without_execution,
)
from assay.techniques.execution.self_debug import self_debug
from assay.techniques.execution.toolformer import toolformer

__all__ = [
    "code_pool",
    "few_shot_chain",
    "few_shot_direct",
    "program_aided",
    "program_without_execution",
    "self_debug",
    "toolformer",
]
