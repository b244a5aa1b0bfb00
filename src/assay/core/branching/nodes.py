"""A node of a branching conversation: one turn, where it comes from, and what it cost."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from assay.core.replies import Finish, TokenLogprob
from assay.core.requests import ROLES, Role
from assay.core.validation import HALF, require

LABEL_LENGTH = 32
_NOTHING: Mapping[str, float] = MappingProxyType({})


class Origin(StrEnum):
    """Whose words a node holds."""

    MODEL = "model"
    HUMAN = "human"
    """Typed by a person; also a model's reply that a person has edited."""
    TOOL = "tool"


class Status(StrEnum):
    """How far a node is."""

    STREAMING = "streaming"
    DONE = "done"
    CANCELLED = "cancelled"
    """Stopped before its end; what had come stands."""
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Settings:
    """How replies are drawn."""

    temperature: float = 1.0
    max_tokens: int = 256
    n: int = 3
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Original:
    """What stood in a node before it was first edited."""

    text: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class Node:
    """One turn. Below an assistant's node another assistant's node goes on with the same turn."""

    id: str
    parent: str | None
    role: Role
    text: str = ""
    name: str = ""
    """The label a person gave it; empty: the beginning of its text."""
    origin: Origin = Origin.HUMAN
    edited_from: Original | None = None
    model: str = ""
    settings: Settings | None = None
    index: int = 0
    """Which sample under its parent: it was drawn with the seed of its settings plus this."""
    status: Status = Status.DONE
    finish: Finish = Finish.STOP
    problem: str = ""
    """Why there is no reply, where the model failed."""
    tokens: tuple[TokenLogprob, ...] = ()
    """Of what a model wrote in it; where a person began the text, of its last part alone."""
    tokens_in: int = 0
    tokens_out: int = 0
    evaluated: int = 0
    """Prompt tokens the server computed for this node, and not for a sibling or before."""
    scores: Mapping[str, float] = field(default_factory=lambda: _NOTHING, hash=False)

    def __post_init__(self) -> None:
        require(self.role in ROLES, f"A node's role is one of {', '.join(ROLES)}, not {self.role!r}.")

    @property
    def label(self) -> str:
        """Its name, or the first characters of its text without marks and line breaks."""
        plain = " ".join(self.text.translate(_MARKS).split())
        return self.name or plain[:LABEL_LENGTH].strip() or f"({self.role})"

    @property
    def mean_logprob(self) -> float | None:
        """Mean log-probability of its tokens, in nats; None where none are known."""
        return sum(token.logprob for token in self.tokens) / len(self.tokens) if self.tokens else None


def whole(text: str) -> str:
    """A model's words as they can be kept and sent: half characters and NUL are put down as unreadable."""
    if "\0" not in text and (text.isascii() or not HALF.search(text)):
        return text
    joined = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return joined.replace("\0", "\ufffd")


def kept(tokens: Iterable[TokenLogprob]) -> tuple[TokenLogprob, ...]:
    """Tokens as they can be kept: what has no log-probability could not come at all."""
    return tuple(
        TokenLogprob(
            token.id,
            whole(token.text),
            _nats(token.logprob),
            tuple((other, whole(text), _nats(logprob)) for other, text, logprob in token.top),
        )
        for token in tokens
    )


def _nats(logprob: float | None) -> float:
    return -math.inf if logprob is None or not math.isfinite(logprob) else float(logprob)


_MARKS = str.maketrans(dict.fromkeys("#*_`>|", " "))
FIELDS = tuple(f.name for f in fields(Node))
_DEFAULTS = {
    name: getattr(Node("", None, "user"), name) for name in FIELDS if name not in ("id", "parent", "role")
}


def fields_of(node: Node) -> dict[str, Any]:
    """All fields of a node by name."""
    return {name: getattr(node, name) for name in FIELDS}


def node_to_json(node: Node) -> dict[str, Any]:
    """A node as JSON; what has its default is left out."""
    return fields_to_json(
        {
            name: value
            for name, value in fields_of(node).items()
            if name not in _DEFAULTS or value != _DEFAULTS[name]
        }
    )


def fields_to_json(found: Mapping[str, Any]) -> dict[str, Any]:
    """Some fields of a node as JSON."""
    return {name: _to_json(name, value) for name, value in found.items()}


def fields_from_json(found: Mapping[str, Any]) -> dict[str, Any]:
    """The inverse of `fields_to_json`; `ValueError` or `TypeError` where it is no such thing."""
    unknown = set(found) - set(FIELDS)
    if unknown:
        raise ValueError(f"unknown fields {', '.join(sorted(unknown))}")
    return {name: _from_json(name, value) for name, value in found.items()}


def _to_json(name: str, value: Any) -> Any:
    if name == "tokens":
        return [[one.id, one.text, _number(one.logprob), _top(one)] for one in value]
    if name in ("settings", "edited_from"):
        return None if value is None else asdict(value)
    return dict(value) if name == "scores" else value


def _top(token: TokenLogprob) -> list[list[Any]]:
    return [[other, text, _number(logprob)] for other, text, logprob in token.top]


def _number(logprob: float) -> float | None:
    """JSON knows no infinity."""
    return logprob if math.isfinite(logprob) else None


def _from_json(name: str, value: Any) -> Any:
    if name == "tokens":
        return tuple(
            TokenLogprob(int(i), str(text), _nats(logprob), tuple((int(a), str(b), _nats(c)) for a, b, c in top))
            for i, text, logprob, top in value
        )
    if name == "settings":
        return None if value is None else Settings(**value)
    if name == "edited_from":
        return None if value is None else Original(str(value["text"]), Origin(value["origin"]))
    if name == "scores":
        return {str(key): float(score) for key, score in value.items()}
    if name in _ENUMS:
        return _ENUMS[name](value)
    if name == "parent":
        return None if value is None else str(value)
    kind = int if name in ("index", "tokens_in", "tokens_out", "evaluated") else str
    if not isinstance(value, kind):
        raise ValueError(f"{name} is {value!r:.40}")
    return value


_ENUMS: dict[str, type[StrEnum]] = {"origin": Origin, "status": Status, "finish": Finish}
