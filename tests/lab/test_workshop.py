"""The workshop: made once, kept whole, gone on with after a stop, and errors of one sentence."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest

from assay.core import AssayError, Made, Make, ModelError, UserError
from assay.core.artefacts import RECORD, artefacts, is_whole, organism_named, place_of
from assay.core.flow import Flow
from assay.lab.driver import Driver, Job
from assay.lab.workshop import Workshop
from assay.models import Scripted

from .workshop_recipes import Count, Failing, Slow

T = TypeVar("T")


def work(root: Path, use: Callable[[Workshop], Awaitable[T]], workers: int = 2) -> T:
    """What a use of a workshop comes to; it is closed whatever happens."""

    async def whole() -> T:
        workshop = Workshop(root, workers)
        try:
            return await use(workshop)
        finally:
            await workshop.close()

    return asyncio.run(whole())


def test_a_graph_is_made_inputs_first_and_everything_once(tmp_path: Path) -> None:
    log = str(tmp_path / "log")
    base = Count("base", log)
    left, right = Count("left", log, base), Count("right", log, base)

    async def use(workshop: Workshop) -> list[Made]:
        return list(await asyncio.gather(*(workshop.make(recipe) for recipe in (left, right, left, base))))

    made = work(tmp_path / "root", use)
    assert [one.numbers["number"] for one in made] == [2, 2, 2, 1]
    assert sorted(Path(log).read_text().split()) == ["base", "left", "right"]
    assert made[0].tokens_in == 10
    assert made[0].tokens_out == 1
    again = work(tmp_path / "root", use)
    assert again == made
    assert len(Path(log).read_text().split()) == 3


def test_what_was_damaged_is_made_again(tmp_path: Path) -> None:
    root, recipe = tmp_path / "root", Count("one", str(tmp_path / "log"))
    work(root, lambda workshop: workshop.make(recipe))
    folder = place_of(root, recipe)
    (folder / "number").write_text("7")
    assert is_whole(folder)
    assert not is_whole(folder, thorough=True)
    work(root, lambda workshop: workshop.make(recipe))
    assert (folder / "number").read_text() == "1"
    (folder / RECORD).write_text("{")
    assert not is_whole(folder)
    assert [one.name for one in artefacts(root)] == []
    work(root, lambda workshop: workshop.make(recipe))
    assert [one.name for one in artefacts(root)] == ["one"]


@pytest.mark.parametrize(
    ("how", "kind", "said"),
    [
        ("user", UserError, "The corpus is empty. Give it texts."),
        ("full", UserError, "could not be kept: File too large. Make room in"),
        ("killed", ModelError, "died without a word"),
        ("infinite", ModelError, "failed: ValueError"),
        ("zero", ModelError, "failed: ZeroDivisionError"),
    ],
)
def test_a_recipe_that_fails_says_so_and_leaves_nothing_that_looks_finished(
    how: str, kind: type[AssayError], said: str, tmp_path: Path
) -> None:
    root, recipe = tmp_path / "root", Failing("bad", how)

    async def use(workshop: Workshop) -> Made:
        with pytest.raises(kind, match=said.replace(".", r"\.")):
            await workshop.make(recipe)
        return await workshop.make(Count("good", str(tmp_path / "log")))

    assert work(root, use).numbers == {"number": 1}
    assert not place_of(root, recipe).exists()


def test_a_stop_keeps_what_is_needed_to_go_on(tmp_path: Path) -> None:
    recipe = Slow("slow")

    async def stop_soon(workshop: Workshop) -> None:
        heard: list[str] = []
        workshop.tell = heard.append
        making = asyncio.ensure_future(workshop.make(recipe))
        while not any("working" in line for line in heard):
            await asyncio.sleep(0.05)
        making.cancel()

    work(tmp_path, stop_soon)
    assert not place_of(tmp_path, recipe).exists()
    made = work(tmp_path, lambda workshop: workshop.make(recipe))
    assert 0 < made.numbers["begun"] < recipe.steps


ALONE = """
import asyncio, sys
from pathlib import Path
from assay.lab.workshop import Workshop
from tests.lab.workshop_recipes import Slow

async def main():
    await Workshop(Path(sys.argv[1]), 1).make(Slow("slow", 400))

if __name__ == "__main__":
    asyncio.run(main())
"""


def test_kill_leaves_no_process_behind_and_the_next_one_goes_on(tmp_path: Path) -> None:
    script = tmp_path / "alone.py"
    script.write_text(ALONE)
    environment = os.environ | {"PYTHONPATH": f"{Path.cwd()}:{os.environ.get('PYTHONPATH', '')}"}
    process = subprocess.Popen([sys.executable, str(script), str(tmp_path / "root")], env=environment)
    recipe = Slow("slow", 400)
    kept = tmp_path / "root" / ".making" / place_of(tmp_path, recipe).name / "kept"
    for _ in range(600):
        if kept.exists() and kept.read_text() not in ("", "0", "1"):
            break
        time.sleep(0.1)
    process.send_signal(signal.SIGKILL)
    process.wait()
    time.sleep(3)
    before = kept.read_text()
    time.sleep(0.5)
    assert kept.read_text() == before, "the worker outlived the process that started it"
    assert 0 < int(before) < 400


def test_a_flow_that_makes_is_charged_and_traced(tmp_path: Path) -> None:
    base = Count("base", str(tmp_path / "log"))
    top = Count("top", str(tmp_path / "log"), base)

    def flow() -> Flow[float]:
        below, above = yield [Make(base), Make(top)]
        return float(below.numbers["number"] + above.numbers["number"])

    async def whole() -> None:
        driver = Driver(workshop=Workshop(tmp_path / "root"))
        try:
            async for done in driver.run([Job("x", flow, Scripted(lambda request, index: ""))]):
                assert done.value == 3.0
                assert (done.usage.calls, done.usage.tokens_in, done.usage.tokens_out) == (2, 20, 2)
                (first, second) = done.steps[0].to_json()
                assert first["request"]["recipe"]["name"] == "base"
                assert second["reply"]["numbers"] == {"number": 2}
        finally:
            await driver.close()

    asyncio.run(whole())


def test_without_a_workshop_nothing_is_made() -> None:
    def flow() -> Flow[None]:
        yield [Make(Count("x", "log"))]

    async def whole() -> None:
        driver = Driver()
        async for done in driver.run([Job("x", flow, Scripted(lambda request, index: ""))]):
            assert "no workshop" in str(done.error)

    asyncio.run(whole())


def test_an_organism_is_found_by_name_or_hash_and_others_are_suggested(tmp_path: Path) -> None:
    log = str(tmp_path / "log")
    work(tmp_path, lambda workshop: workshop.make(Count("adder", log)))
    with pytest.raises(AssayError, match="no organism on this machine named 'adder'"):
        organism_named(tmp_path, "adder")  # a measurement has no weights
