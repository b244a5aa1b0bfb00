"""Run tables: FLOP counted by hand, tables of runs really made, and claims that share what they train."""

from __future__ import annotations

import asyncio
import csv
import math
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from assay.core import Answer, EvidenceKind, Made, Make, Recipe, Sample
from assay.core.artefacts import place_of
from assay.core.training import Place
from assay.papers import all_claims
from assay.papers.recipes.scaling import GRIDS, decay, fitted, measured, organism, runs, steps_of
from assay.stats import PUBLISHED_LAWS
from assay.tasks import SeedsTask
from assay.techniques.training import scaling
from assay.techniques.training.organisms.network import Tiny
from assay.techniques.training.organisms.organism import CACHED_SET, Organism
from assay.techniques.training.scaling import (
    MeasuredRun,
    RepetitionFit,
    RunTableFit,
    exponent_error,
    gathered,
    planned_flops,
)

TRAINED = (
    "equal-scaling",
    "gopher-was-too-big",
    "overtrained-cosine",
    "isoflop-agrees",
    "four-epochs-almost-free",
    "sixty-four-epochs-cost",
    "effective-data-law",
    "weight-decay-helps-repeats",
)
SMALL = [(width, at) for width in (16, 24, 32) for at in (0, 1)]


def test_flops_agree_with_a_count_by_hand_and_with_torch() -> None:
    """Width 8, inner width 24, 2 layers, 11 tokens in the vocabulary, 5 tokens read together."""
    grid = GRIDS["smoke"]
    network = Tiny(8, 2, 4, 24, 64)
    projections = 2 * (4 * 8 * 8 + 3 * 8 * 24)
    head, attention = 11 * 8, 2 * (5 * 8 + 5 * 8)
    assert planned_flops(network, 11, 5) == 6 * (projections + head + attention) == 11_472

    torch = pytest.importorskip("torch")
    from torch.utils.flop_counter import FlopCounterMode

    one = organism(0, "smoke")
    model = one.start.build(one.vocabulary.tokenizer(grid.source), 0)  # type: ignore[union-attr]
    model.set_attn_implementation("eager")
    with FlopCounterMode(display=False) as counted:
        model(input_ids=torch.ones(3, 16, dtype=torch.long))
    assert scaling._matrices(model) == 4 * 16 * 16 + 3 * 16 * 48
    assert 3 * counted.get_total_flops() == 3 * 16 * planned_flops(one.start, 11, 16)  # type: ignore[arg-type]


@pytest.mark.parametrize("size", GRIDS)
def test_runs_of_one_budget_cost_the_same_and_hold_what_they_say(size: str) -> None:
    grid = GRIDS[size]
    length = grid.source.length + 2
    for budget, widths in grid.budgets:
        for width in widths:
            one = organism(0, size, width, [b for b, _ in grid.budgets].index(budget))
            spent = planned_flops(one.start, grid.source.symbols + 3, length)  # type: ignore[arg-type]
            spent *= one.schedule.steps * one.schedule.batch * length
            assert spent == pytest.approx(budget, rel=0.04)
            assert one.schedule.rate * width == pytest.approx(3e-3 * 64)
            assert one.schedule.horizon == 1.0
            assert one.unique == 0
    small, large = (grid.budgets[-1][1][grid.budgets[-1][1].index(width)] for width in grid.quarter)
    assert large == 2 * small
    assert length <= grid.context


@pytest.mark.parametrize("size", GRIDS)
def test_repeated_runs_have_the_steps_of_the_fresh_one_and_their_epochs(size: str) -> None:
    fresh = organism(0, size)
    for epochs in (4, 16, 64):
        repeated = organism(0, size, epochs=epochs)
        assert repeated.schedule == fresh.schedule
        assert fresh.schedule.steps * fresh.schedule.batch / repeated.unique == pytest.approx(epochs, rel=0.03)
        assert repeated.unique <= CACHED_SET
    assert organism(0, size, weight_decay=1.0).schedule.weight_decay == 1.0
    assert organism(0, size, horizon=2.0).schedule.rate_at(fresh.schedule.steps, 1.0) > fresh.schedule.rate / 2


def trained_by(claim: str, seed: int = 0, size: str = "small") -> set[str]:
    """Hashes of all organisms that a claim trains, as its flows ask for them."""
    found = set()
    one = all_claims()[claim][1]
    sample = Sample("s", "", meta={"seed": seed, "size": size})
    for arm in (one.treatment, one.control):
        asked = next(arm.flow(sample, one.task))
        assert all(isinstance(request, Make) for request in asked)
        found |= {request.recipe.hash for request in asked if isinstance(request.recipe, Organism)}  # type: ignore[union-attr]
    return found


def test_claims_train_what_others_trained_already() -> None:
    hashes = {claim: trained_by(claim) for claim in TRAINED}
    grid = hashes["equal-scaling"]
    assert len(grid) == 15
    assert hashes["isoflop-agrees"] == grid
    assert hashes["gopher-was-too-big"] < grid
    fresh = organism(0, "small").hash
    assert fresh in grid
    assert len(hashes["overtrained-cosine"] - grid) == 1
    assert hashes["four-epochs-almost-free"] & hashes["sixty-four-epochs-cost"] == {fresh}
    assert len(hashes["effective-data-law"] - grid) == 3
    assert hashes["sixty-four-epochs-cost"] < hashes["effective-data-law"]
    assert hashes["weight-decay-helps-repeats"] & hashes["effective-data-law"] == {
        organism(0, "small", epochs=64).hash
    }
    assert len(set().union(*hashes.values())) == 15 + 1 + 3 + 1
    assert not grid & trained_by("equal-scaling", seed=1)


@pytest.fixture(scope="module")
def workshop_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The smoke grid and its fits, the repeated runs, and the file of the command, made once."""
    pytest.importorskip("transformers")
    from assay.lab.workshop import Workshop

    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ASSAY_HOME", str(home))
        from assay.cli.scaling import scaling as command

        told = CliRunner().invoke(
            command,
            ["runs", "--size", "smoke", "--seeds", "1", "--out", str(home / "runs.csv")],
            catch_exceptions=False,
        )
        assert told.exit_code == 0, told.output
        assert "6 runs from 1 seed are in" in told.stdout

    async def work() -> None:
        workshop = Workshop(home / "cache" / "organisms", workers=1)
        try:
            for recipe in (fitted(0, "smoke", "isoflop"), decay(0, "smoke", "varpro")[0][1]):
                await workshop.make(recipe)
        finally:
            await workshop.close()

    asyncio.run(work())
    return home


def made(home: Path, recipe: Recipe) -> Made:
    from assay.core.artefacts import made_in

    return made_in(place_of(home / "cache" / "organisms", recipe))


def test_a_run_is_measured_as_it_was_trained(workshop_folder: Path) -> None:
    fresh, repeated = measured(0, "smoke"), measured(0, "smoke", epochs=4)
    row, other = made(workshop_folder, fresh).numbers, made(workshop_folder, repeated).numbers
    steps = steps_of(16, 6e8, GRIDS["smoke"])
    assert row["tokens"] == row["unique_tokens"] == steps * 32 * 16
    assert row["flops"] == row["tokens"] * planned_flops(fresh.organism.start, 11, 16)  # type: ignore[arg-type]
    assert row["flops"] == pytest.approx(6e8, rel=0.02)
    assert row["parameters"] == 4 * 16 * 16 + 3 * 16 * 48 + 3 * 16
    assert other["unique_tokens"] == pytest.approx(row["tokens"] / 4, rel=0.01)
    assert other["tokens"] == row["tokens"]

    from assay.techniques.training.organisms.network import load
    from assay.techniques.training.organisms.organism import held_out_loss

    model, tokenizer = load(place_of(workshop_folder / "cache" / "organisms", fresh.organism))
    assert row["loss"] == pytest.approx(held_out_loss(fresh.corpus, tokenizer, 64)(model)["held_out"])
    assert GRIDS["smoke"].source.least_loss() < row["loss"] < math.log(11)


def test_the_table_is_written_as_the_command_reads_it(workshop_folder: Path) -> None:
    table = fitted(0, "smoke")
    with (place_of(workshop_folder / "cache" / "organisms", table) / scaling.TABLE).open() as file:
        rows = list(csv.DictReader(file))
    assert [row["run"] for row in rows] == [run.organism.name for run in table.runs]
    assert list(rows[0]) == ["run", "parameters", "tokens", "loss", "flops"]
    for row, run in zip(rows, table.runs, strict=True):
        assert float(row["loss"]) == made(workshop_folder, run).numbers["loss"]
    with (workshop_folder / "runs.csv").open() as file:
        whole = list(csv.DictReader(file))
    assert [row["run"] for row in whole] == [f"{row['run']}-seed-0" for row in rows]

    from assay.cli.scaling import scaling as command

    told = CliRunner().invoke(
        command,
        ["fit", str(workshop_folder / "runs.csv"), "--method", "all", "--bootstrap", "0"],
        catch_exceptions=False,
    )
    assert told.exit_code == 0
    assert told.stdout.startswith("6 runs, 3.38k to 12.6k parameters")
    assert "\nvarpro" in told.stdout
    assert "repeats are worth" not in told.stdout


def test_fits_give_finite_numbers_or_say_that_they_have_none(workshop_folder: Path) -> None:
    for method in ("varpro", "isoflop"):
        numbers = made(workshop_folder, fitted(0, "smoke", method)).numbers
        assert numbers["runs"] == 6
        assert {numbers[flag] for flag in ("failed", "not_converged", "not_identified", "outside")} <= {0, 1}
        assert numbers["a"] == [] if numbers["failed"] else isinstance(numbers["a"], float)
    numbers = made(workshop_folder, decay(0, "smoke", "varpro")[0][1]).numbers
    assert numbers["log10_decay"] == [] if numbers["failed"] else -2 <= numbers["log10_decay"] <= 4


class Known:
    """A place where every run is made: its loss follows a known law, or a function of it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, loss: Any, decay: float = 15.0) -> None:
        self.folder = folder
        self.rows: dict[Recipe, Made] = {}
        monkeypatch.setattr(scaling, "made_in", lambda place: self.rows[place])
        self.loss, self.decay = loss, decay

    def of(self, run: Recipe) -> Any:
        from assay.stats import effective_tokens

        assert isinstance(run, MeasuredRun)
        one, grid = run.organism, GRIDS["small"]
        texts = one.schedule.steps * one.schedule.batch
        tokens, length = texts * 32, grid.source.length + 2
        network = one.start
        size = 4 * network.width**2 + 3 * network.width * network.inner + 3 * network.width  # type: ignore[union-attr]
        unique = tokens * (one.unique / texts if one.unique else 1.0)
        self.rows[run] = Made(
            run.name,
            "",
            {
                "parameters": size,
                "tokens": tokens,
                "loss": float(self.loss(size, float(effective_tokens(tokens, unique, self.decay)))),
                "flops": tokens * planned_flops(network, grid.source.symbols + 3, length),  # type: ignore[arg-type]
                "unique_tokens": round(unique),
            },
        )
        return run

    def tell(self, share: float, text: str = "") -> None: ...

    def stopping(self) -> bool:
        return False


def law() -> Any:
    """With an optimum inside the grid at every budget of the small size."""
    from assay.stats import Law

    return Law(2.2, 40.0, 300.0, 0.5, 0.5)


def test_a_planted_law_is_found_on_the_small_grid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place: Place = Known(tmp_path, monkeypatch, law().loss)
    numbers = RunTableFit("table", runs(0, "small")).make(place).numbers
    assert numbers["a"] == pytest.approx(0.5, abs=1e-3)
    assert numbers["E"] == pytest.approx(2.2, abs=1e-3)
    assert (numbers["failed"], numbers["outside"], numbers["not_identified"], numbers["not_converged"]) == (0,) * 4
    isoflop = RunTableFit("table", runs(0, "small"), "isoflop").make(place).numbers
    # A parabola is an approximation, and small networks cost more than 6 N D.
    assert isoflop["a"] == pytest.approx(0.5, abs=0.04)
    found = RepetitionFit("decay", runs(0, "small"), tuple(measured(0, "small", epochs=e) for e in (4, 16, 64)))
    assert found.make(place).numbers["log10_decay"] == pytest.approx(math.log10(15), abs=0.02)


def test_flags_say_what_the_runs_do_not_tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def only_data(size: float, data: float) -> float:
        return 2.0 + 300.0 / math.sqrt(data)

    def falling_with_size(size: float, data: float) -> float:
        return 1.0 + 900.0 / math.sqrt(size) + 1e-2 * math.pow(data, -0.1)

    flat: Place = Known(tmp_path, monkeypatch, only_data)
    numbers = RunTableFit("table", runs(0, "small")).make(flat).numbers
    assert numbers["a"] == []
    assert numbers["not_identified"] == 1
    large: Place = Known(tmp_path, monkeypatch, falling_with_size)
    parabolas = RunTableFit("table", runs(0, "small"), "isoflop").make(large).numbers
    assert (parabolas["a"], parabolas["failed"]) == ([], 1)
    assert "outside the sizes tried" in parabolas["notes"]
    assert RunTableFit("table", runs(0, "small")).make(large).numbers["outside"] == 1
    few = RunTableFit("table", runs(0, "small")[:4]).make(flat).numbers
    assert (few["failed"], few["runs"]) == (1, 4)


def test_a_seed_without_an_exponent_is_not_measured() -> None:
    claim = all_claims()["equal-scaling"][1]
    sample = Sample("s", "", meta={"seed": 0, "size": "smoke"})
    flow = claim.treatment.flow(sample, claim.task)
    asked = next(flow)
    recipes = [request.recipe for request in asked if isinstance(request, Make)]
    replies = [Made(recipe.name, recipe.hash, {"a": [], "sizes": []}) for recipe in recipes]
    with pytest.raises(StopIteration) as ended:
        flow.send(replies)
    assert isinstance(ended.value.value, Answer)
    assert SeedsTask().score(sample, ended.value.value).score is None


def test_repeats_get_a_column(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place: Place = Known(tmp_path, monkeypatch, law().loss)
    gathered([measured(0, "small"), measured(0, "small", epochs=4)], place)
    heading, fresh, repeated = (tmp_path / scaling.TABLE).read_text().split()
    assert heading.endswith(",flops,unique_tokens")
    assert fresh.split(",")[2] == fresh.split(",")[-1]
    assert int(repeated.split(",")[2]) == 4 * int(repeated.split(",")[-1])


def test_averaging_hubers_loss_misses_on_one_table() -> None:
    claim = all_claims()["averaged-huber-misses"][1]
    assert claim.evidence is EvidenceKind.PAIRED
    sample = claim.task.samples(1, 0)[0]
    measures = []
    for arm in (claim.treatment, claim.control):
        with pytest.raises(StopIteration) as ended:
            next(arm.flow(sample, claim.task))
        measures.append(ended.value.value.measures)
    averaged, summed = measures
    assert (averaged["converged"], summed["converged"]) == (0.0, 1.0)
    assert averaged["score"] > summed["score"] + 0.01
    assert summed["score"] < 0.03
    assert abs(summed["a"] - PUBLISHED_LAWS["besiroglu"].a) == summed["score"]
    with pytest.raises(StopIteration) as again:
        next(exponent_error(sample, claim.task, averaged=False))
    assert again.value.value.measures == summed
