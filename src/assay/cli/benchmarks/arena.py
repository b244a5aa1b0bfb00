"""`assay bench arena`: a leaderboard from a million votes, beside arena-rank, evalica and choix."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any, TypeVar

import numpy as np

from assay.stats.ranking import (
    OFFSET,
    SCALE,
    Battles,
    PairCounts,
    Resampling,
    Strengths,
    bootstrap_strengths,
    fit_bradley_terry,
    fit_sparse,
    fit_style,
    leaderboard,
)
from assay.tasks.votes import read_votes

T = TypeVar("T")
BATTLES, MODELS, REFITS, ROUNDS = 1_000_000, 100, 1000, 5
MANY_MODELS, MANY_BATTLES = 5000, 200_000
"""Of the fit without a table of all pairs."""
SIMULATIONS = 500
"""Tables on which it is counted how often a 95 % interval holds the truth."""
PEERS = {"arena_rank": "arena-rank", "evalica": "evalica", "choix": "choix"}
WINNERS = ("model_b", "tie", "model_a")
"""By twice the score of a."""


async def arena(say: Callable[[str], None]) -> dict[str, Any]:
    """The benchmark. Times are of the wall, those named cpu of the process: medians of five."""
    return await asyncio.to_thread(_measure, say)


def _measure(say: Callable[[str], None]) -> dict[str, Any]:
    rng = np.random.Generator(np.random.SFC64(0))
    drawn = _drawn(np.random.default_rng(0), np.random.default_rng(1).normal(0, 0.6, MODELS), BATTLES, tied=0.15)
    figures: dict[str, Any] = {"battles": BATTLES, "models": MODELS, "many_models": MANY_MODELS}
    with tempfile.TemporaryDirectory() as folder:
        say("reading")
        file = Path(folder) / "votes.parquet"
        figures |= _loaded(file, drawn)
        say("fitting")
        fit, seconds, cpu = _median(lambda: fit_bradley_terry(drawn.counted()))
        figures |= {"count_and_fit_ms": 1e3 * seconds, "count_and_fit_cpu_ms": 1e3 * cpu}
        counts = drawn.counted()
        fit, seconds, cpu = _median(lambda: fit_bradley_terry(counts))
        figures |= {"fit_ms": 1e3 * seconds, "fit_cpu_ms": 1e3 * cpu, "steps": fit.steps}
        figures |= _appended(counts, drawn)
        say(f"{REFITS} refits")
        start = time.perf_counter(), time.process_time()
        resampled = bootstrap_strengths(counts, fit, REFITS, rng)
        figures |= {
            "bootstrap_s": time.perf_counter() - start[0],
            "bootstrap_cpu_s": time.process_time() - start[1],
            "bootstrap_error_elo": float(SCALE * resampled.std(axis=0, ddof=1).mean()),
            "sandwich_error_elo": float(SCALE * fit.standard_errors.mean()),
        }
        say(f"{SIMULATIONS} simulations")
        figures["coverage"] = _coverage()
        say("style, and many models")
        figures |= _larger()
        say("peers")
        peers = {name: _peer(module, drawn, counts, fit, file) for module, name in PEERS.items()}
    compared = [peer["max_elo_difference"] for peer in peers.values() if "max_elo_difference" in peer]
    # The largest over the peers: how far arena-rank stops from the maximum, where it is here.
    return figures | {"max_elo_difference": max(compared, default=None), "peers": peers}


def _drawn(rng: np.random.Generator, strengths: np.ndarray, count: int, tied: float = 0.0) -> Battles:
    n = len(strengths)
    a = rng.integers(0, n, count)
    b = (a + rng.integers(1, n, count)) % n
    won = rng.random(count) < 1 / (1 + np.exp(strengths[b] - strengths[a]))
    score = np.where(rng.random(count) < tied, 0.5, won.astype(np.float64))
    return Battles(tuple(f"model-{at:04}" for at in range(n)), a.astype(np.int32), b.astype(np.int32), score)


def _timed(work: Callable[[], T]) -> tuple[T, float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    value = work()
    return value, time.perf_counter() - wall, time.process_time() - cpu


def _median(work: Callable[[], T]) -> tuple[T, float, float]:
    value = work()
    rounds = [_timed(work)[1:] for _ in range(ROUNDS)]
    return value, median(wall for wall, _ in rounds), median(cpu for _, cpu in rounds)


def _loaded(file: Path, drawn: Battles) -> dict[str, Any]:
    """A Parquet file of three columns of names, as pyarrow writes it; without pyarrow nothing is loaded."""
    if find_spec("pyarrow") is None:
        return {"loaded": "nothing: pyarrow is not installed here: pip install pyarrow"}
    arrow, parquet = import_module("pyarrow"), import_module("pyarrow.parquet")
    names, said = np.array(drawn.models), np.array(WINNERS)[(2 * drawn.score).astype(int)]
    parquet.write_table(arrow.table({"model_a": names[drawn.a], "model_b": names[drawn.b], "winner": said}), file)
    votes, seconds, cpu = _median(lambda: read_votes(file))
    assert np.array_equal(votes.battles.score, drawn.score), "the table that was read is the one that was written"
    return {"loaded": "Parquet, three columns of names, by pyarrow", "load_s": seconds, "load_cpu_s": cpu}


def _appended(counts: PairCounts, drawn: Battles) -> dict[str, float]:
    """What it takes to show a new vote: ten battles added, refitted from the last board, intervals and ranks."""
    resampling = Resampling(np.random.default_rng(0))
    board = leaderboard(counts, resampling)
    late = drawn.take(np.arange(10))
    _, seconds, cpu = _median(lambda: leaderboard(counts.plus(late.counted()), resampling, start=board))
    return {"append_ms": 1e3 * seconds, "append_cpu_ms": 1e3 * cpu}


def _coverage() -> float:
    """Share of 95 % intervals that hold the true rating: ten models, a thousand votes."""
    true = np.random.default_rng(2).normal(0, 0.6, 10)
    rating = OFFSET + SCALE * (true - true.mean())
    held = 0
    for seed in range(SIMULATIONS):
        board = leaderboard(
            _drawn(np.random.default_rng([3, seed]), true, 1000), Resampling(np.random.default_rng(0))
        )
        held += int(((board.low <= rating) & (rating <= board.high)).sum())
    return held / (SIMULATIONS * len(true))


def _larger() -> dict[str, float]:
    """Two measures of style on all battles, and the fit of many models, errors drawn 50 times."""
    rng = np.random.default_rng(4)
    battles = _drawn(rng, rng.normal(0, 0.6, MODELS), BATTLES)
    style = {name: (rng.gamma(2.0, 100.0, BATTLES), rng.gamma(2.0, 100.0, BATTLES)) for name in ("one", "two")}
    _, style_s, style_cpu = _timed(lambda: fit_style(battles, style))
    many = _drawn(rng, rng.normal(0, 0.6, MANY_MODELS), MANY_BATTLES).counted()
    _, sparse_s, sparse_cpu = _timed(lambda: fit_sparse(many, rng, draws=50))
    return {
        "style_s": style_s,
        "style_cpu_s": style_cpu,
        "many_models_s": sparse_s,
        "many_models_cpu_s": sparse_cpu,
    }


# --- the peers


def _peer(module: str, drawn: Battles, counts: PairCounts, fit: Strengths, file: Path) -> dict[str, Any]:
    """How long a peer takes for the same table, and how far its ratings are from ours; or that it is not here."""
    if find_spec(module) is None:
        return {"missing": f"not installed here: pip install {PEERS[module]}"}
    run = {"arena_rank": _arena_rank, "evalica": _evalica, "choix": _choix}[module]
    figures, ratings = run(drawn, counts, file)
    ratings = ratings - ratings.mean()
    ours = SCALE * fit.values
    return figures | {"max_elo_difference": float(np.abs(ratings - ours).max())}


def _arena_rank(drawn: Battles, counts: PairCounts, file: Path) -> tuple[dict[str, Any], np.ndarray]:
    """From the same file through pandas; a second call as well, for the first one compiles."""
    pandas = import_module("pandas")
    dataset = import_module("arena_rank.utils.data_utils").PairDataset
    model = import_module("arena_rank.models.bradley_terry").BradleyTerry
    figures: dict[str, Any] = {}
    for name in ("first", "second"):
        table, seconds, cpu = _timed(lambda: dataset.from_pandas(pandas.read_parquet(file)))
        figures |= {f"load_{name}_s": seconds, f"load_{name}_cpu_s": cpu}
        found, seconds, cpu = _timed(
            lambda table=table: model(len(table.competitors)).compute_ratings_and_cis(table)  # type: ignore[misc]
        )
        figures |= {f"fit_{name}_s": seconds, f"fit_{name}_cpu_s": cpu}
    place = [found["competitors"].index(name) for name in drawn.models]
    return figures, np.asarray(found["ratings"])[place]


def _evalica(drawn: Battles, counts: PairCounts, file: Path) -> tuple[dict[str, Any], np.ndarray]:
    """From lists of names, with a tolerance as ours; its scores are odds."""
    evalica = import_module("evalica")
    names = np.array(drawn.models)
    winner = np.array([evalica.Winner.Y, evalica.Winner.Draw, evalica.Winner.X])[(2 * drawn.score).astype(int)]
    xs, ys = names[drawn.a].tolist(), names[drawn.b].tolist()
    found, seconds, cpu = _timed(
        lambda: evalica.bradley_terry(xs, ys, winner.tolist(), tolerance=1e-12, limit=10_000)
    )
    return {"load_and_fit_s": seconds, "load_and_fit_cpu_s": cpu}, SCALE * np.log(
        found.scores.loc[list(drawn.models)].to_numpy()
    )


def _choix(drawn: Battles, counts: PairCounts, file: Path) -> tuple[dict[str, Any], np.ndarray]:
    """From our table of wins: the fit alone."""
    choix, wins = import_module("choix"), np.zeros((MODELS, MODELS))
    wins[counts.first, counts.second] = counts.score
    wins[counts.second, counts.first] = counts.battles - counts.score
    found, seconds, cpu = _timed(lambda: choix.ilsr_pairwise_dense(wins, tol=1e-12))
    return {"fit_s": seconds, "fit_cpu_s": cpu}, SCALE * np.asarray(found)
