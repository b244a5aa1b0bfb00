"""A verdict: what a run found, with everything needed to doubt it."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field
from enum import StrEnum
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

from assay.core.errors import UserError
from assay.core.validation import HALF

DEEPEST = 12
"""Levels of what a verdict holds in no fixed form."""


class Word(StrEnum):
    """The three things a verdict can say."""

    HOLDS = "holds"
    FAILS = "fails"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class ArmResult:
    """One arm over the pairs the verdict rests on."""

    name: str
    says: str
    mean: float | None
    """Mean score among scored samples (of a detector: its AUROC); None where none was scored."""
    interval: tuple[float, float] | None
    n: int
    """Samples that ended, in whichever way."""
    endings: Mapping[str, int]
    """Count per ending: scored, unparsed, truncated, refused, errored."""
    tokens_in: int
    tokens_out: int
    calls: int
    cpu_seconds: float
    wall_seconds: float
    """Seconds the model and the sandbox worked for this arm."""
    details: Mapping[str, Any] = field(default_factory=dict)
    """Of a detector: TPR at false-positive rates of 1 % and 0.1 %, and the ROC curve."""


@dataclass(frozen=True, slots=True)
class ControlResult:
    """What one control of the lab showed."""

    name: str
    """`placebo`, `equal_spend`, `format`, `clusters`, `aa`, `arm_swap`, or an arm of the claim's own."""
    effect: float | None
    interval: tuple[float, float] | None
    n: int
    says: str
    """One sentence: what was compared with what, and what it means for the claim."""
    tokens: int = 0
    """Tokens it cost beyond the two arms."""
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a run found."""

    claim: str
    sentence: str
    verdict: Word
    reason: str
    effect: float | None
    """Treatment minus control, in units of the score; of a rate: the treatment's mean itself."""
    interval: tuple[float, float] | None
    n: int
    """Pairs with a score in both arms: what the effect rests on."""
    level: str
    """Difficulty the task was run at."""
    size: str
    seed: int
    direction: int
    smallest_effect: float
    unit: str
    measure: str
    """`binary`, `graded` or `score`."""
    task: str
    model: Mapping[str, str]
    """`name` and `fingerprint`."""
    evidence: str
    """`paired`, `detector` or `rate`."""
    test: Mapping[str, Any]
    """Stopping rule, its statistic and p-value, counts of discordant pairs."""
    power: Mapping[str, Any]
    """`detectable_effect` at this budget, and what it assumes."""
    arms: Mapping[str, ArmResult]
    """`treatment` and `control`, and every further arm by its name."""
    cost_ratio: float | None
    """Tokens of the treatment over tokens of the control."""
    controls: Mapping[str, ControlResult]
    trajectory: tuple[tuple[int, float, float, float], ...]
    """(n, estimate, low, high) at each look."""
    driver: str
    departures: tuple[str, ...]
    notes: tuple[str, ...]
    run: str
    command: str
    assay_version: str
    commit: str
    created: str
    expected: tuple[float, float] | None = None
    """Of a rate: between which numbers the claim puts it."""

    def to_json(self) -> dict[str, Any]:
        """The verdict as plain JSON: the form others script against."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, fields: Any) -> Verdict:
        """The inverse of `to_json`, of JSON that anybody may have written.

        Raises:
            UserError: it is no verdict; says which field is wrong.
        """
        found: Verdict = _read(cls, fields, "")
        for role in ("treatment", "control"):
            if role not in found.arms:
                raise _wrong(f"arms.{role}", "is missing")
        return found


def _read(kind: Any, value: Any, place: str) -> Any:
    """A value of JSON as the type that it should have there; JSON has no tuples, they come back from lists."""
    origin, inner = get_origin(kind), get_args(kind)
    if NoneType in inner:
        return None if value is None else _read(inner[0], value, place)
    if dataclasses.is_dataclass(kind):
        return _read_fields(kind, value, place)
    if kind is Word:
        return Word(_required(value in tuple(Word), value, place, " or ".join(Word)))
    if origin is tuple:
        _required(isinstance(value, list | tuple), value, place, "a list")
        kinds = [inner[0]] * len(value) if inner[-1] is ... else inner
        _required(len(value) == len(kinds), value, place, f"a list of {len(kinds)}")
        return tuple(
            _read(one, part, f"{place}[{at}]") for at, (one, part) in enumerate(zip(kinds, value, strict=True))
        )
    if origin is Mapping:
        _required(isinstance(value, dict) and all(_is_text(name) for name in value), value, place, "an object")
        return {name: _read(inner[1], part, f"{place}.{name}") for name, part in value.items()}
    if kind is str:
        return _required(_is_text(value), value, place, "a text of whole characters")
    if kind is Any:
        return _required(_is_plain(value, DEEPEST), value, place, f"plain, and no more than {DEEPEST} deep")
    return _required(_is_number(value, kind), value, place, "a whole number" if kind is int else "a number")


def _read_fields(kind: Any, value: Any, place: str) -> Any:
    _required(isinstance(value, dict), value, place, "an object")
    kinds = _kinds(kind)
    here = f"{place}." if place else ""
    for one in dataclasses.fields(kind):
        if one.name not in value and one.default is MISSING and one.default_factory is MISSING:
            raise _wrong(f"{here}{one.name}", "is missing")
    for name in value:
        if name not in kinds:
            raise _wrong(f"{here}{name}", "is none that is known")
    return kind(**{name: _read(kinds[name], part, f"{here}{name}") for name, part in value.items()})


@functools.cache
def _kinds(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)


def _required(holds: bool, value: Any, place: str, wanted: str) -> Any:
    if not holds:
        raise _wrong(place, f"must be {wanted}")
    return value


def _wrong(place: str, problem: str) -> UserError:
    shown = place.encode("utf-8", "replace").decode()[:80]
    return UserError(f"This is no verdict: {f'the field {shown!r}' if shown else 'it'} {problem}.")


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and (value.isascii() or not HALF.search(value))


def _is_number(value: Any, kind: type) -> bool:
    # Of more digits no page could make a float.
    whole = isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63
    return whole or (kind is float and isinstance(value, float))


def _is_plain(value: Any, deep: int) -> bool:
    """Whether it is JSON of no more levels, its texts and numbers as they should be."""
    if isinstance(value, dict):
        return deep > 0 and all(_is_text(name) and _is_plain(part, deep - 1) for name, part in value.items())
    if isinstance(value, list | tuple):
        return deep > 0 and all(_is_plain(part, deep - 1) for part in value)
    return value is None or isinstance(value, bool) or _is_text(value) or _is_number(value, float)


@dataclass(frozen=True, slots=True)
class SampleRow:
    """One sample in one arm, with its trace, as a report shows it."""

    item: str
    arm: str
    """`treatment`, `control`, or the name of a further arm."""
    repeat: int
    question: str
    target: str
    ending: str
    score: float | None
    answer: str | None
    detail: str
    tokens_in: int
    tokens_out: int
    steps: tuple[Any, ...]
    """Per step a list of {request, reply}; see `lab.codec`."""
