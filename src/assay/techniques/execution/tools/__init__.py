"""Tools that a text can call: calculator, calendar, search, dictionary, another question."""

from assay.techniques.execution.tools.calculator import calculate, calculator
from assay.techniques.execution.tools.calendar import calendar, told
from assay.techniques.execution.tools.inline import (
    InlineCall,
    InlineTool,
    answering,
    call_at_end,
    escaped,
    text_with_call,
    withheld,
)
from assay.techniques.execution.tools.looking_up import questioner, search, translator

__all__ = [
    "InlineCall",
    "InlineTool",
    "answering",
    "calculate",
    "calculator",
    "calendar",
    "call_at_end",
    "escaped",
    "questioner",
    "search",
    "text_with_call",
    "told",
    "translator",
    "withheld",
]
