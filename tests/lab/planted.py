"""A claim whose truth is known: a scripted model that is right with a planted probability in each arm."""

from __future__ import annotations

import random
from dataclasses import dataclass

from assay.core import Answer, Arm, Ask, Claim, Flow, Outcome, Paper, Reply, Sample, Size, Task, ask
from assay.core.answers import extract_number
from assay.models import Scripted


@dataclass(frozen=True)
class Sums:
    """Sums with one right answer each."""

    name: str = "sums"
    kind: str = "number"
    cue: str = "The answer is"
    chance: float | None = None
    levels: tuple[str, ...] = ("only",)

    def samples(self, n: int, seed: int, level: str | None = None) -> tuple[Sample, ...]:
        rng = random.Random(f"{seed}/{level}")
        numbers = [rng.randrange(10**6) for _ in range(n)]
        return tuple(Sample(f"s{seed}-{level}-{i}", f"What is {x} + 0?", str(x)) for i, x in enumerate(numbers))

    def extract(self, text: str) -> str | None:
        return extract_number(text)

    def score(self, sample: Sample, answer: Answer) -> Outcome:
        value = answer.value or self.extract(answer.text)
        if value is None:
            return Outcome.without_answer(answer)
        return Outcome.scored(float(value == sample.target), value)


def arm(name: str, *, steps: int = 1) -> Arm:
    """An arm that tells the scripted model its name; with two steps it thinks first."""

    def flow(sample: Sample, task: Task) -> Flow[Answer]:
        thought = ""
        for _ in range(steps - 1):
            (reply,) = yield from ask(Ask(sample.question, prefill=f"[{name}] thinks"))
            thought = reply.text
        (reply,) = yield from ask(Ask(sample.question, prefill=f"[{name}]{thought} {task.cue}"))
        return Answer(reply.text, finish=reply.finish)

    return Arm(name, flow, f"the arm called {name}")


def paper(n: int = 200, *, steps: int = 1, levels: tuple[str, ...] = ("only",), pilot: int = 0) -> Paper:
    claim = Claim(
        id="planted",
        sentence="The treatment is right more often.",
        treatment=arm("treatment", steps=steps),
        control=arm("control"),
        task=Sums(levels=levels),
        smallest_effect=0.05,
        sizes={size: Size(n=n, pilot=pilot) for size in ("smoke", "small", "full")},
    )
    return Paper("planted", "Planted", "Nobody", 2026, "https://example.org", "R00", "tests", "", "", (claim,))


def model(right: dict[str, float], seed: int = 0, **settings: object) -> Scripted:
    """Right with the arm's probability; else a wrong number, the same in every rerun."""

    def script(request: Ask, index: int) -> str | Reply:
        prompt = str(request.prompt)
        name = request.prefill.partition("[")[2].partition("]")[0]
        if "thinks" in request.prefill:
            return " hard"
        rng = random.Random(f"{seed}/{prompt}/{name}/{index if request.temperature else 0}")
        target = prompt.split()[2]
        truth = rng.random() < right[name]
        return f" {target}" if truth else f" {rng.randrange(10**6)}"

    return Scripted(script, **settings)  # type: ignore[arg-type]
