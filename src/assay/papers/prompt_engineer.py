"""Large Language Models Are Human-Level Prompt Engineers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from random import Random
from typing import Any

from assay.core import Answer, Arm, Capability, Claim, Flow, Measure, Paper, Sample, Size, Task
from assay.tasks.instructions import InstructionsTask
from assay.techniques.prompting import By, Candidate, Search, applied, engineer, likelihood, paraphrases

DEVELOPMENT = 3
"""Added to the seed for the examples that are searched on: they share no item with those tested."""
EXAMPLES = 12
NONE = Candidate("", float("-inf"), 0.0, "none")
NEEDS = frozenset({Capability.GENERATE, Capability.SCORE})
SIZES = {"smoke": Size(4), "small": Size(100, pilot=8), "full": Size(400, pilot=40)}


def _examples(samples: Sequence[Sample], task: Task, seed: int) -> tuple[list[tuple[str, str]], str]:
    rule = samples[0].meta["rule"]
    found = task.samples(EXAMPLES, seed + DEVELOPMENT, rule)
    return [(sample.question, sample.target) for sample in found], samples[0].meta["instruction"]


def _searched(samples: Sequence[Sample], task: Task, seed: int, *, by: By) -> Flow[Candidate]:
    found = yield from engineer(_examples(samples, task, seed)[0], Search(seed=seed, by=by))
    return found[0] if found else NONE


def _pool(samples: Sequence[Sample], task: Task, seed: int, *, by: By) -> Flow[tuple[Candidate, ...]]:
    return engineer(_examples(samples, task, seed)[0], Search(seed=seed, by=by))


def _paraphrased(samples: Sequence[Sample], task: Task, seed: int, *, by: By) -> Flow[Candidate]:
    examples, instruction = _examples(samples, task, seed)
    found = yield from paraphrases(instruction, examples, Search(seed=seed, by=by))
    return found[0]


def _apply(sample: Sample, task: Task, chosen: Candidate | None = None, *, measured: bool) -> Flow[Answer]:
    """The instruction on one input; without a chosen one, the person's."""
    instruction = sample.meta["instruction"] if chosen is None else chosen.instruction
    if measured:
        return likelihood(instruction, sample.question, sample.target)
    return applied(instruction, sample.question)


def _any(sample: Sample, task: Task, pool: Sequence[Candidate], *, measured: bool) -> Flow[Answer]:
    """Any of the candidates that were proposed, another one for every input."""
    return _apply(sample, task, Random(sample.id).choice(pool) if pool else NONE, measured=measured)


def _bare(sample: Sample, task: Task, *, measured: bool) -> Flow[Answer]:
    return _apply(sample, task, NONE, measured=measured)


def arms(measured: bool) -> dict[str, Arm]:
    """The arms by name, judged by the output or by the probability of the right one."""
    flow: Callable[..., Flow[Answer]] = partial(_apply, measured=measured)
    any_flow: Callable[..., Flow[Answer]] = partial(_any, measured=measured)
    by: By = "likelihood" if measured else "accuracy"
    search, any_one, reworded = (partial(way, by=by) for way in (_searched, _pool, _paraphrased))
    return {
        "engineered": Arm("engineered", flow, "the best scoring instruction the model proposed", search),
        "person": Arm("person", flow, "the instruction a person wrote"),
        "random": Arm(
            "random-candidate", any_flow, "any of the proposed instructions, drawn anew for every input", any_one
        ),
        "paraphrase": Arm(
            "paraphrases", flow, "the best scoring of as many paraphrases of the person's", reworded
        ),
        "none": Arm("none", partial(_bare, measured=measured), "the input alone"),
    }


def claim(name: str, sentence: str, control: str, measured: bool, **other: Any) -> Claim:
    """The engineered instruction against another one."""
    by = arms(measured)
    rest = tuple(arm for key, arm in by.items() if key not in ("engineered", "random", "paraphrase", control))
    settings: dict[str, Any] = {
        "needs": NEEDS if measured else frozenset({Capability.GENERATE}),
        "placebo": by["random"] if control != "random" else False,
        "equal_spend": by["paraphrase"],
        "others": rest,
    }
    if measured:
        settings |= {"measure": Measure.GRADED, "unit": "probability per token of the right output"}
    task = InstructionsTask(scored="likelihood" if measured else "match")
    return Claim(name, sentence, by["engineered"], by[control], task, 0.05, SIZES, **(settings | other))


PAPER = Paper(
    slug="prompt-engineer",
    title="Large Language Models Are Human-Level Prompt Engineers",
    authors="Zhou, Muresanu, Han, Paster, Pitis, Chan, Ba",
    year=2022,
    url="https://arxiv.org/abs/2211.01910",
    row="R03",
    shelf="prompting",
    says="Instructions that a model proposes from examples and selects by score are as good as or better than "
    "those of people on 24 of 24 instruction induction tasks (abstract at ICLR 2023; arXiv's says 19 of 24).",
    reading="In it are the proposals, the selection, and the words of the person. A random candidate tells the "
    "selection apart, and paraphrases of the person's words the search over wordings.",
    claims=(
        claim("prompt-engineer", "An engineered instruction beats the person's.", "person", False),
        claim("prompt-selection", "Selection by score beats a random candidate of the same pool.", "random", True),
        claim(
            "prompt-engineer-likelihood", "An engineered instruction makes right outputs likelier.", "person", True
        ),
    ),
    departures=(
        "Six rules with items of our own: by outputs the one on which the person's instruction is halfway, by "
        "likelihood `sentiment`, or --level. One search a run: what is engineered is one draw.",
        "18 proposals and 6 variations, scored on 12 examples that are not tested on.",
    ),
)
