"""What these commands share: a model with what they need of it, and waiting with a word on progress."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, TypeVar

import typer

if TYPE_CHECKING:
    from assay.core import Capability, Flow, Model
    from assay.lab.driver import Driver
    from assay.lab.experiment import Report
    from assay.models import ModelChoice

T = TypeVar("T")
OPEN_MODEL = typer.Option("smollm2-135m", "--model", "-m", help="smollm2-135m, gguf:PATH or hf:FOLDER.")
JSON = typer.Option(False, "--json", help="Print JSON.")


def completer(names: Iterable[str]) -> Callable[[str], list[str]]:
    """Completes one of these names, or the last of several with commas between them."""
    known = tuple(names)

    def complete(incomplete: str) -> list[str]:
        before, comma, begun = incomplete.rpartition(",")
        return [f"{before}{comma}{name}" for name in known if name.startswith(begun)]

    return complete


def run_with(
    choice: ModelChoice, needs: frozenset[Capability], work: Callable[[Model, Driver], Awaitable[T]]
) -> tuple[T, str]:
    """What some work with a model and a driver comes to, and the model's name; Ctrl-C closes both."""
    import asyncio

    from assay.home import find_home
    from assay.workbench.opening import bench

    async def whole() -> tuple[T, str]:
        async with bench(choice, find_home().make(), needs) as (_, model, driver):
            return await work(model, driver), model.name

    return asyncio.run(whole())


async def value_of(driver: Driver, model: Model, start: Callable[[], Flow[T]], seed: int = 0) -> T:
    """What one flow returns; its error, where it ends in one."""
    from assay.lab.driver import Job

    return (await driver.drive(Job(None, start, model, seed=seed))).result()


def require_ability(model: Model, wanted: str, hint: str) -> None:
    """`CannotRun` with that hint, where the model cannot do what is wanted."""
    from assay.core import CannotRun

    if wanted not in model.capabilities:
        raise CannotRun(f"{model.name} has no {wanted.replace('_', ' ')}.", hint=hint)


async def vocabulary_size(model: Model, given: int) -> int:
    """How many tokens a model has: as given, of the open network, or as the engine lists it."""
    from assay.core import CannotRun

    if given:
        return given
    if network := getattr(model, "network", None):
        return int(network.vocabulary_size)
    if transport := getattr(model, "transport", None):
        listed = (await transport.get("/v1/models")).json()
        size = (listed.get("data") or [{}])[0].get("meta", {}).get("n_vocab", 0)
        if size:
            return int(size)
    raise CannotRun(f"{model.name} does not say how many tokens it has.", hint="Give --vocabulary N.")


def patient(report: Report) -> Report:
    """Tells of progress only where there was something to wait for: after two seconds."""
    import time

    start = time.monotonic()
    return lambda event: report(event) if time.monotonic() - start > 2 else None


def checked(make: Callable[[], T], file: object = "") -> T:
    """What statistics make of numbers; what they cannot be made of is said in one sentence."""
    from assay.core import UserError

    try:
        return make()
    except ValueError as error:
        said = str(error).rstrip(".")
        raise UserError(f"{file}: {said}." if file else f"{said[:1].upper()}{said[1:]}.") from None
