"""Who decides inside an agent: the driver of a verdict.

| driver | who decides | what a verdict may say |
|---|---|---|
| `llm` | the model, in its own words, read tolerantly, asked once more where nothing can be read | the claim |
| `constrained` | the model, held to the options by a grammar | the claim, with constrained decoding |
| `calibrated` | a seeded policy, right as often as was measured or supposed | the mechanism works |
| `scripted` | one who knows the answer | an upper bound |

`assay calibrate MODEL TASK` measures how often a model decides rightly; see `competence`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from random import Random
from types import MappingProxyType
from typing import Literal, Protocol

from assay.core.agents.grammar import Rule, one_of, repeated
from assay.core.errors import UnknownName, UserError
from assay.core.flow import Flow, ask
from assay.core.replies import Finish
from assay.core.requests import Ask, Message
from assay.core.validation import require

DRIVERS = ("llm", "constrained", "calibrated", "scripted")
Form = Literal["choose", "select", "order"]
SEPARATOR = "; "


@dataclass(frozen=True, slots=True)
class Question:
    """Something to be decided among options that are known."""

    kind: str
    """What is decided, in a word or two: competence is measured per kind."""
    prompt: str
    options: tuple[str, ...]
    right: tuple[str, ...] = ()
    """What one who knew would take, best first. It is never shown to a model."""
    form: Form = "choose"
    """One option; up to `most` of them; or all of them in order, first what comes first."""
    most: int = 1

    def __post_init__(self) -> None:
        require(len(self.options) > 0, f"The decision '{self.kind}' has no options.")
        require(len(set(self.options)) == len(self.options), f"The decision '{self.kind}' has an option twice.")
        unknown = [one for one in self.right if one not in self.options]
        require(not unknown, f"The decision '{self.kind}' has a right answer that is no option.")


class Decider(Protocol):
    """Decides. The tuple that comes back holds options only; it is empty where nothing could be read."""

    @property
    def driver(self) -> str:
        """What stands in the verdict."""
        ...

    def seeded(self, seed: int) -> Decider:
        """The one that decides in one flow; it may keep a random state of its own."""
        ...

    def decide(self, question: Question) -> Flow[tuple[str, ...]]:
        """What is decided."""
        ...


@dataclass(frozen=True, slots=True)
class ModelDecides:
    """The model decides: held to the options by a grammar, or in its own words, which are read tolerantly.

    Where it is to put options in order and leaves some out, these come last in the order they stood in.
    """

    constrained: bool = True
    temperature: float = 0.0
    system: str = ""

    @property
    def driver(self) -> str:
        """Its name."""
        return "constrained" if self.constrained else "llm"

    def seeded(self, seed: int) -> ModelDecides:
        """Itself: what is random in it is the model's sampling."""
        return self

    def decide(self, question: Question) -> Flow[tuple[str, ...]]:
        """What is decided; in its own words the model is asked once more where nothing can be read."""
        found = yield from self._ask(question)
        if question.form == "order":
            return (*found, *(one for one in question.options if one not in found))
        return found

    def _ask(self, question: Question) -> Flow[tuple[str, ...]]:
        most = {"choose": 1, "select": question.most, "order": len(question.options)}[question.form]
        (reply,) = yield from ask(self._request(question, question.prompt, most))
        # What a grammar held to may have been cut by a budget: it is read as far as it goes.
        found = _options_in(reply.text, question.options, most)
        if found or self.constrained or reply.finish is Finish.REFUSED:
            return found
        wrote = " ".join(reply.text.split())[:200]
        told = f"{question.prompt}\nYou wrote: {wrote}\nThat names none of the options."
        (reply,) = yield from ask(self._request(question, told, most))
        return _options_in(reply.text, question.options, most)

    def _request(self, question: Question, prompt: str, most: int) -> Ask:
        instruction = {
            "choose": "Answer with one of: ",
            "select": f"Answer with up to {most} of these, separated by ';', or with none: ",
            "order": "Put these in order, first things first, separated by ';': ",
        }[question.form]
        text = f"{prompt}\n{instruction}{SEPARATOR.join(question.options)}."
        longest = max(len(option) for option in question.options)
        return Ask(
            (*((Message("system", self.system),) if self.system else ()), Message("user", text)),
            # A token is at least a character; in words it is three or four.
            max_tokens=min(16 + (longest // 2 + 4) * most, 512),
            temperature=self.temperature,
            grammar=_list_of(question, most).grammar if self.constrained else "",
        )


@dataclass(frozen=True, slots=True)
class Calibrated:
    """A policy that is right as often as it is told, and wrong at random; no model is asked.

    To choose: right with that probability, else any wrong option. To select: each right option is named, and
    each wrong one left out, with that probability. To order: each comparison comes out right with it.
    """

    competence: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    """Probability per kind of question."""
    otherwise: float | None = None
    """For kinds that are not named."""
    measured: str = ""
    """On which model, and how; empty: supposed."""
    random: Random = field(default_factory=lambda: Random(0), compare=False)

    @property
    def driver(self) -> str:
        """Name and numbers; one that is always right is `scripted`."""
        if not self.competence and self.otherwise == 1:
            return "scripted"
        numbers = [f"{kind}={p:.2f}" for kind, p in sorted(self.competence.items())]
        numbers += [f"p={self.otherwise:.2f}"] if self.otherwise is not None else []
        return f"calibrated:{','.join(numbers)}" + (f" measured on {self.measured}" if self.measured else "")

    def seeded(self, seed: int) -> Calibrated:
        """With a random state of its own."""
        return replace(self, random=Random(seed))

    def decide(self, question: Question) -> Flow[tuple[str, ...]]:
        """What is decided, without asking anybody."""
        yield from ()
        p = self._p(question.kind)
        if question.form == "order":
            return self._ordered(question, p)
        if question.form == "select":
            named = [one for one in question.options if (self.random.random() < p) == (one in question.right)]
            self.random.shuffle(named)
            return tuple(named[: question.most])
        wrong = [one for one in question.options if one not in question.right]
        if question.right and (not wrong or self.random.random() < p):
            return (question.right[0],)
        return (self.random.choice(wrong),)

    def _ordered(self, question: Question, p: float) -> tuple[str, ...]:
        """By insertion, with noisy comparisons."""
        rank = {one: at for at, one in enumerate(question.right)}
        found: list[str] = []
        for one in question.options:
            at = len(found)
            while at > 0:
                mine, other = rank.get(one, len(rank)), rank.get(found[at - 1], len(rank))
                earlier = mine < other
                if mine != other and self.random.random() >= p:
                    earlier = not earlier
                if not earlier:
                    break
                at -= 1
            found.insert(at, one)
        return tuple(found)

    def _p(self, kind: str) -> float:
        p = self.competence.get(kind, self.otherwise)
        if p is None:
            raise UserError(f"Nothing is known of how well '{kind}' is decided.", hint="Add: p=0.8")
        return p


def _list_of(question: Question, most: int) -> Rule:
    named = repeated(one_of(*question.options), 1, most, SEPARATOR)
    return one_of(named, "none") if question.form == "select" else named


def correctness(question: Question, decided: Sequence[str]) -> float:
    """How right a decision is, as a share: what `Calibrated` takes for its probability of that kind.

    Of a choice 0 or 1; of a selection the options that were rightly named or left out; of an order the pairs
    that stand as they should, of those that `right` ranks.
    """
    if question.form == "choose":
        return float(bool(decided) and decided[0] in question.right)
    if question.form == "select":
        agree = sum((one in decided) == (one in question.right) for one in question.options)
        return agree / len(question.options)
    place = {one: at for at, one in enumerate(decided)}
    pairs = [(place[a], place[b]) for a, b in combinations(question.right, 2) if a in place and b in place]
    return sum(a < b for a, b in pairs) / len(pairs) if pairs else 1.0


def decider_named(text: str, measured: Mapping[str, float] | None = None, model: str = "") -> Decider:
    """The decider of `llm`, `constrained`, `scripted`, `calibrated` (as measured) or `calibrated:p=0.8`.

    `calibrated:p=0.8,tool=0.6` gives a kind of decision its own number.

    Raises:
        UnknownName: no such driver.
        UserError: a number is missing or is no probability.
    """
    name, _, settings = text.partition(":")
    if name not in DRIVERS:
        raise UnknownName("driver", name, DRIVERS, hint=f"Drivers: {', '.join(DRIVERS)}.")
    if settings and name != "calibrated":
        raise UserError(f"The driver {name} has no settings.", hint=f"Type: --driver {name}")
    if name in ("llm", "constrained"):
        return ModelDecides(constrained=name == "constrained")
    if name == "scripted":
        return Calibrated(otherwise=1.0)
    if not settings:
        if not measured:
            raise UserError(
                "Nothing has been measured for the driver calibrated.",
                hint="Type: assay calibrate MODEL TASK, or say how often it is right: --driver calibrated:p=0.8",
            )
        return Calibrated(measured, measured=model)
    numbers = _probabilities(settings)
    return Calibrated({kind: p for kind, p in numbers.items() if kind != "p"}, numbers.get("p"))


def _probabilities(settings: str) -> dict[str, float]:
    numbers: dict[str, float] = {}
    for part in settings.split(","):
        kind, _, value = part.partition("=")
        try:
            numbers[kind.strip()] = float(value)
        except ValueError:
            raise UserError(f"'{part}' is no probability.", hint="Write it as calibrated:p=0.8") from None
        if not 0 <= numbers[kind.strip()] <= 1:
            raise UserError(f"{value} is no probability.", hint="Give a number between 0 and 1.")
    return numbers


def _options_in(text: str, options: Sequence[str], most: int) -> tuple[str, ...]:
    """Options in the order they are named, the longest where several begin together, none twice."""
    folded, at = text.casefold(), 0
    found: list[str] = []
    spelled = sorted(options, key=len, reverse=True)
    while at < len(folded) and len(found) < most:
        here = next((one for one in spelled if _stands(folded, at, one.casefold())), None)
        if here is None:
            at += 1
            continue
        if here not in found:
            found.append(here)
        at += len(here)
    return tuple(found)


def _stands(text: str, at: int, option: str) -> bool:
    """Whether the option stands there as whole words."""
    end = at + len(option)
    before = at == 0 or not (text[at - 1].isalnum() and option[:1].isalnum())
    after = end >= len(text) or not (text[end].isalnum() and option[-1:].isalnum())
    return before and after and text.startswith(option, at)
