"""Today's date, handed in: a technique has no clock."""

from __future__ import annotations

from datetime import date

from assay.core.agents import literal
from assay.techniques.execution.tools.inline import InlineTool, answering

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = "January February March April May June July August September October November December"
MONTHS = tuple(_MONTHS.split())


def told(day: date) -> str:
    """A day in English words, whatever the machine's language."""
    return f"{WEEKDAYS[day.weekday()]}, {MONTHS[day.month - 1]} {day.day}, {day.year}"


def calendar(today: date) -> InlineTool:
    """[Calendar() -> Today is Wednesday, March 5, 2025.]"""
    return answering("Calendar", lambda asked: f"Today is {told(today)}.", literal(""))
