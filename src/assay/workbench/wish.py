"""What a user asked to be run, from any door, and the plan it makes."""

from __future__ import annotations

import hashlib
import shlex
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_type_hints

from assay.core import Claim, Task, UserError

if TYPE_CHECKING:
    from assay.lab.plan import Plan
    from assay.models import ModelChoice

CORPUS_SUFFIXES = (".txt", ".md", ".jsonl", ".csv", ".tsv")
"""Of the files in a folder those that a task may be read from."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a user asked to be run, in the form `resume` finds again."""

    claims: tuple[str, ...]
    model: ModelChoice
    size: str = "small"
    seed: int = 0
    n: int | None = None
    level: str | None = None
    task: str | None = None
    rule: str | None = None
    controls: tuple[str, ...] = ()
    budget_tokens: float | None = None
    repeats: int = 1
    driver: str = ""

    def to_json(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)

    def command(self) -> str:
        """The command line that asks for the same."""
        model = self.model
        options: list[tuple[str, object]] = [
            ("model", model.name),
            *(("base-url", url) for url in model.base_urls),
        ]
        options += [("size", self.size), ("seed", self.seed), ("n", self.n), ("task", self.task)]
        options += [("level", self.level), ("rule", self.rule), ("controls", self._controls())]
        options += [("budget-tokens", self.budget_tokens), ("driver", self.driver)]
        options += [("observer", model.observer), ("encoder", model.encoder)]
        options += [("repeats", self.repeats if self.repeats > 1 else None)]
        usual = type(model)()
        options += [("slots", model.slots if model.slots != usual.slots else None)]
        options += [("timeout", model.seconds if model.seconds != usual.seconds else None)]
        given = [(name, value) for name, value in options if value not in (None, "")]
        words = [
            word
            for name, value in given
            for word in (f"--{name}", f"{value:.15g}" if isinstance(value, float) else str(value))
        ]
        return shlex.join(["assay", "run", *self.claims, *words])

    def _controls(self) -> str:
        """As `--controls` takes them; empty where they are those that the size has anyway."""
        if self.controls == chosen_controls(None, self.size, False):
            return ""
        return ",".join(self.controls) or "none"

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> Wish:
        """The inverse of `to_json`, of a run's settings too.

        Raises:
            UserError: another assay noted them; says the first field that is missing, unknown or of another kind.
        """
        from assay.lab.session import FINGERPRINTS
        from assay.models import ModelChoice

        fields = {name: value for name, value in fields.items() if name != FINGERPRINTS}
        _check_fields(cls, fields, ("claims", "model", "controls"))
        _check_fields(ModelChoice, fields["model"], ("base_urls",), "model.")
        model = ModelChoice(**{**fields["model"], "base_urls": tuple(fields["model"]["base_urls"])})
        return cls(
            **{
                **fields,
                "model": model,
                "claims": tuple(fields["claims"]),
                "controls": tuple(fields["controls"]),
            }
        )


def _check_fields(kind: type, given: dict[str, Any], needed: tuple[str, ...], place: str = "") -> None:
    """`UserError` where these are not the fields of that dataclass, as JSON has them."""
    from assay.models import ModelChoice

    kinds = get_type_hints(kind, localns={"ModelChoice": ModelChoice})
    as_json = {float: int | float, float | None: int | float | None, ModelChoice: dict}
    for name in (*needed, *given):
        if name not in given:
            wrong = "is missing"
        elif name not in kinds:
            wrong = "is not known"
        elif kinds[name] == tuple[str, ...]:
            listed = isinstance(given[name], list | tuple) and all(isinstance(one, str) for one in given[name])
            wrong = "" if listed else "is no list of words"
        else:
            wrong = "" if isinstance(given[name], as_json.get(kinds[name], kinds[name])) else "is of another kind"
        if wrong:
            raise UserError(
                f"The run was noted by another assay: its field '{place}{name}' {wrong}.",
                hint="Go on with the assay that noted it, or begin another run.",
            )


def the_plan(wish: Wish, claim_id: str) -> Plan:
    """The plan of one claim of a wish."""
    from assay.lab.plan import Plan
    from assay.papers import claim_named

    paper, claim = claim_named(claim_id)
    if wish.rule not in (None, "anytime", "obf5", "fixed"):
        from assay.core import UnknownName

        raise UnknownName("stopping rule", str(wish.rule), ("anytime", "obf5", "fixed"))
    return Plan(
        paper=paper,
        claim=driven(claim, wish.driver, wish.model.name) if wish.driver else claim,
        size=wish.size,
        seed=wish.seed,
        n=wish.n,
        level=wish.level,
        task=chosen_task(wish.task) if wish.task else None,
        rule=wish.rule,  # type: ignore[arg-type]
        controls=wish.controls,
        budget_tokens=wish.budget_tokens,
        repeats=wish.repeats,
    )


def driven(claim: Claim, driver: str, model: str) -> Claim:
    """The claim with that driver; `calibrated` alone is as right as was measured on the model."""
    from assay.core.agents import decider_named
    from assay.models import DEFAULT_MODEL
    from assay.workbench.competence import measured_competence

    if claim.drive is None:
        raise UserError(f"Nothing is decided inside {claim.id}.", hint="Leave out --driver.")
    measured = measured_competence(model, claim.task.name) if driver == "calibrated" else None
    if measured is None:
        return claim.drive(decider_named(driver))
    return claim.drive(decider_named(driver, measured.right, f"{model or DEFAULT_MODEL} ({measured.measured})"))


def chosen_task(name: str) -> Task:
    """The task of that name, or the one in that file or folder."""
    from assay.tasks import load_programs, load_puzzles, load_retrieval, load_task, task_named
    from assay.tasks.code import is_programs_file

    path = Path(name)
    if path.is_dir():
        return load_retrieval(path)
    if path.suffix == ".sudoku":
        return load_puzzles(path)
    if is_programs_file(path):
        return load_programs(path)
    return load_task(path) if path.exists() or path.suffix else task_named(name)


def task_fingerprint(name: str) -> str:
    """A hash of the file or folder that a task is read from; empty for a task that assay brings."""
    path = Path(name)
    files = [path] if path.is_file() else sorted(path.rglob("*")) if path.is_dir() else []
    read = [file for file in files if file == path or (file.suffix in CORPUS_SUFFIXES and file.is_file())]
    digest = hashlib.sha256()
    for file in read:
        content = hashlib.sha256(file.read_bytes()).hexdigest()
        digest.update(f"{file.relative_to(path)}\0{content}\0".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()[:16] if read else ""


def model_choice(model: str, base_url: list[str] | None, slots: int, timeout: float) -> ModelChoice:
    """The model a user named, fetched if it is known and not here yet."""
    from assay.models import ModelChoice

    if model.startswith("organism:"):
        from assay.workbench.organisms import found_organism

        found = found_organism(model.partition(":")[2])
        model = f"organism:{found.name}-{found.hash}"
    return ModelChoice(model, tuple(base_url or ()), slots=slots, seconds=timeout, may_pull=True)


def chosen_controls(text: str | None, size: str, equal_spend: bool) -> tuple[str, ...]:
    """Controls as a list; by default all of them, and at the smoke size those that cost nothing."""
    from assay.lab.plan import CONTROLS, FREE_CONTROLS

    if text is None:
        chosen: tuple[str, ...] = FREE_CONTROLS if size == "smoke" else CONTROLS
    elif text in ("all", "none"):
        chosen = CONTROLS if text == "all" else ()
    else:
        chosen = tuple(part.strip() for part in text.split(",") if part.strip())
    return (*chosen, "equal-spend") if equal_spend and "equal-spend" not in chosen else chosen
