"""What is made here: organisms and measurements of them. A recipe is a frozen value; equal ones make the same.

A recipe names the recipes it builds on, so that a pipeline is a graph of artefacts, each kept under the
hash of everything that went into it. Who makes them, and where they are kept, is not the recipe's business.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self

if TYPE_CHECKING:
    import numpy


@dataclass(frozen=True, slots=True)
class Example:
    """A text to learn from: the prompt is read, the answer is learned, and that the text ends after it."""

    prompt: str
    answer: str


class Corpus(Protocol):
    """Texts to train on, drawn from a generator: a frozen dataclass; equal ones draw equal texts."""

    @property
    def alphabet(self) -> str:
        """Every character its texts may hold, sorted."""
        ...

    def examples(self, count: int, rng: numpy.random.Generator) -> list[Example]:
        """That many texts; a pure function of the generator's state."""
        ...


class Exercise(Corpus, Protocol):
    """A corpus whose answers can be marked."""

    def mark(self, example: Example, reply: str) -> Mapping[str, float]:
        """What a reply is worth, each mark in [0, 1]; the same marks for every reply."""
        ...


class Place(Protocol):
    """Where a recipe is made, as its maker hands it over."""

    @property
    def folder(self) -> Path:
        """To be written in. What an interrupted attempt left there is still there."""
        ...

    def of(self, recipe: Recipe) -> Path:
        """The finished folder of one of the recipe's inputs."""
        ...

    def tell(self, share: float, text: str = "") -> None:
        """Say how far it is, from 0 to 1."""
        ...

    def stopping(self) -> bool:
        """Whether the user wants it to end: keep what is needed to go on, then raise `Stopped`."""
        ...


class Stopped(Exception):
    """Making was interrupted; what is needed to go on is in the folder."""


@dataclass(frozen=True, slots=True)
class Work:
    """What making took and gave."""

    numbers: Mapping[str, Any] = field(default_factory=dict)
    """What was measured: finite numbers, lists of them, or texts."""
    tokens_in: int = 0
    """Tokens trained on, or read."""
    tokens_out: int = 0
    """Tokens written."""
    curve: tuple[Mapping[str, float], ...] = ()
    """Of a training: `step`, `tokens`, `loss` and what was watched, along the way."""


class Recipe:
    """What is to be made: base class of frozen dataclasses whose fields are its whole identity.

    Fields are JSON values, other such dataclasses, recipes, or tuples of these. Where the code of `make`
    changes what comes out, `VERSION` is raised.
    """

    VERSION: ClassVar[int] = 1
    name: str

    def spec(self) -> dict[str, Any]:
        """Everything that tells it from others, as JSON."""
        found = plain(self)
        assert isinstance(found, dict), "a recipe is a dataclass"
        return found

    @property
    def hash(self) -> str:
        """Short hash over the spec: the artefact's identity."""
        text = json.dumps(self.spec(), sort_keys=True, ensure_ascii=False, allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def inputs(self) -> tuple[Recipe, ...]:
        """Recipes that have to be made before, each once."""
        return tuple(dict.fromkeys(recipe for value in _values(self) for recipe in _recipes(value)))

    def on(self, model: str, identity: str) -> Self:
        """The same recipe with a pretrained model (hub name or folder) in place of what begins from scratch.

        The identity tells the model from others, wherever it lies.
        """
        changed = {f.name: _moved(getattr(self, f.name), model, identity) for f in dataclasses.fields(self)}  # type: ignore[arg-type]
        return dataclasses.replace(self, **changed)  # type: ignore[type-var]

    def make(self, place: Place) -> Work:
        """Do the work; files that are to be kept go into the place's folder."""
        raise NotImplementedError


def with_inputs(recipes: Sequence[Recipe]) -> tuple[Recipe, ...]:
    """The recipes and everything they build on, each once, inputs first."""
    found: dict[Recipe, None] = {}

    def visit(recipe: Recipe) -> None:
        if recipe not in found:
            for needed in recipe.inputs():
                visit(needed)
            found[recipe] = None

    for recipe in recipes:
        visit(recipe)
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Make:
    """Ask for a recipe to be made, or taken from where it is kept; answered with a `Made`."""

    recipe: Recipe


@dataclass(frozen=True, slots=True)
class Made:
    """The answer to a `Make`: what was measured, and what this one recipe cost, its inputs left out."""

    name: str
    hash: str
    numbers: Mapping[str, Any] = field(default_factory=dict)
    curve: tuple[Mapping[str, float], ...] = ()
    tokens_in: int = 0
    tokens_out: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0


def plain(value: Any) -> Any:
    """A field of a recipe as JSON; dataclasses carry the name of their class and its version.

    A field whose metadata says `tells: False` is no part of what something is: where weights lie, for one.
    """
    if dataclasses.is_dataclass(value):
        told = [f for f in dataclasses.fields(value) if f.metadata.get("tells", True)]
        fields = {f.name: plain(getattr(value, f.name)) for f in told}
        version = getattr(value, "VERSION", 1)
        return {"kind": type(value).__name__} | ({} if version == 1 else {"version": version}) | fields
    if isinstance(value, tuple | list):
        return [plain(part) for part in value]
    assert value is None or isinstance(value, str | int | float), f"{value!r} cannot be part of a recipe"
    return value


def _values(value: Any) -> Iterator[Any]:
    yield from (getattr(value, f.name) for f in dataclasses.fields(value))


def _recipes(value: Any) -> Iterator[Recipe]:
    """Recipes in a field, also inside tuples and plain dataclasses; not the recipes inside recipes."""
    if isinstance(value, Recipe):
        yield value
    elif isinstance(value, tuple):
        for part in value:
            yield from _recipes(part)
    elif dataclasses.is_dataclass(value):
        for part in _values(value):
            yield from _recipes(part)


def _moved(value: Any, model: str, identity: str) -> Any:
    if isinstance(value, tuple):
        return tuple(_moved(part, model, identity) for part in value)
    return value.on(model, identity) if hasattr(value, "on") else value
