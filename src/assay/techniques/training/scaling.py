"""Scaling laws from organisms: what each run cost and came to, and the law that a table of runs gives.

Source   Hoffmann et al. 2022 (arXiv 2203.15556): runs of many sizes and lengths, and three ways to read the best
         size off them. Muennighoff et al. 2023 (arXiv 2305.16264): what repeated tokens are worth.
         Besiroglu et al. 2024 (arXiv 2404.10102): Huber's loss, averaged over runs, stops the search too early.
Here     every run has a cosine that ends where its budget ends, and only its last weights are measured: their
         exact mean loss on 512 fixed texts that no run has read. Points along a training are never used, not
         for the envelope either: its curves go through runs that ended there.
Departs  (1) Size counts parameters without the embedding, which is also the head here.
         (2) FLOP are those of all matrix products, attention and head included, forward and twice that
         backward: over 32 tokens 6 N D misses a quarter of them at a width of 24, a twentieth at 128.
         (3) E, A, B, alpha, beta, and a = beta / (alpha + beta), are of size and tokens and so the same in
         either count. The optimum at a budget goes by the median of FLOP over N D; exponents that are read
         off budgets come out about 0.02 larger in FLOP than in 6 N D, at widths of some dozens.
Needs    training; the error of Huber's estimate needs nothing, its runs are drawn from a published law.
Costs    one forward pass over 512 texts a run; a fit takes a tenth of a second (Huber: one to three).
"""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from assay.core.artefacts import made_in
from assay.core.flow import Flow
from assay.core.samples import Answer, Sample
from assay.core.task import Task
from assay.core.training import Corpus, Place, Recipe, Work
from assay.techniques.training.organisms.network import Tiny, load, parameters, require_torch
from assay.techniques.training.organisms.organism import Organism, context_of, held_out_loss

if TYPE_CHECKING:
    from assay.stats import Fit, RunTable

Method = Literal["varpro", "huber", "huber-mean", "isoflop", "envelope"]
TABLE = "runs.csv"
COLUMNS = ("run", "parameters", "tokens", "loss", "flops", "unique_tokens")
NOTHING: dict[str, Any] = {"sizes": []}
"""Beside an empty list: a curve without points, so that the seed counts as not measured."""
DECAYS = 1e4
"""The largest R*_D that is looked for: one that is infinite counts as this."""
RUNS = 156
"""Of a table that is drawn from a published law."""
NOISE = 0.004
"""Standard deviation of the log loss of such runs."""


def training_flops(matrices: int, width: int, layers: int, vocabulary: int, length: int) -> int:
    """FLOP of one token, forward and backward: 6 per weight of every product, and per pair in attention.

    `matrices` counts the weights of all layers' projections. Attention is counted whole, above the diagonal
    too, as Hoffmann et al. do; `length` is how many tokens are read together. Norms and softmax are left out.
    """
    return 6 * (matrices + vocabulary * width + 2 * layers * length * width)


def planned_flops(network: Tiny, vocabulary: int, length: int) -> int:
    """The same of a network that is yet to be trained; its inner width must be given."""
    assert network.inner, "give the inner width"
    matrices = network.layers * (4 * network.width**2 + 3 * network.width * network.inner)
    return training_flops(matrices, network.width, network.layers, vocabulary, length)


@dataclass(frozen=True)
class MeasuredRun(Recipe):
    """A row of a run table: parameters, tokens, FLOP and held-out loss of an organism that is trained."""

    VERSION: ClassVar[int] = 1
    name: str
    organism: Organism
    corpus: Corpus
    """What the held-out texts are drawn from."""

    def make(self, place: Place) -> Work:
        """Read the held-out texts."""
        require_torch()
        trained = made_in(place.of(self.organism))
        model, tokenizer = load(place.of(self.organism))
        model.eval()
        inner, matrices = parameters(model)[1], _matrices(model)
        texts = trained.numbers["steps"] * self.organism.schedule.batch
        length = round(trained.tokens_in / texts)
        shape = model.config
        each = training_flops(matrices, shape.hidden_size, shape.num_hidden_layers, shape.vocab_size, length)
        unique = self.organism.unique / texts if self.organism.unique else 1.0
        found = held_out_loss(self.corpus, tokenizer, context_of(model))(model)
        return Work(
            {
                "parameters": inner,
                "tokens": trained.tokens_in,
                "loss": found["held_out"],
                "flops": each * trained.tokens_in,
                "unique_tokens": round(trained.tokens_in * min(1.0, unique)),
            }
        )


def _matrices(model: Any) -> int:
    """Weights of all layers' projections: what is neither embedding, nor head, nor gain."""
    whole = sum(p.numel() for p in model.parameters() if p.dim() > 1)
    ends = {id(part.weight): part.weight.numel() for part in (model.get_input_embeddings(), model.lm_head)}
    return int(whole - sum(ends.values()))


@dataclass(frozen=True)
class RunTableFit(Recipe):
    """The law that a table of runs gives, by one method; the table is kept beside it as `runs.csv`.

    Exponents and optimum are an empty list where the runs do not tell them, so that such a seed counts as not
    measured. Flags are 0 or 1: `failed` (no fit), `not_converged`, `not_identified` (some number of the law or
    the exponent), `outside` (the optimum at the largest budget lies beyond the sizes tried).
    """

    VERSION: ClassVar[int] = 1
    name: str
    runs: tuple[MeasuredRun, ...]
    method: Method = "varpro"

    def make(self, place: Place) -> Work:
        """Gather and fit."""
        from assay.stats import fit_law

        rows = gathered(self.runs, place)
        try:
            table = table_of(rows)
            found = numbers_of(fit_law(table, self.method), table)
        except ValueError as error:
            flags = {"failed": 1, "not_converged": 0, "not_identified": 1, "outside": 0}
            found = {"a": [], "b": [], **NOTHING, **flags, "notes": str(error)}
        return Work({**found, "runs": len(rows)})


@dataclass(frozen=True)
class RepetitionFit(Recipe):
    """R*_D, how fast the worth of repeated tokens decays, under the law that the fresh runs give.

    `log10_decay` lies between -2 and 4, the ends of the search, and is flagged `not_identified` at either: that
    repeats are worth nothing, or all, is a finding. It is an empty list where there is no law to weigh them by.
    """

    VERSION: ClassVar[int] = 1
    name: str
    fresh: tuple[MeasuredRun, ...]
    repeated: tuple[MeasuredRun, ...]
    method: Method = "varpro"

    def make(self, place: Place) -> Work:
        """Fit the law, then the decay."""
        from assay.stats import fit_law, fit_repetition

        rows = gathered((*self.fresh, *self.repeated), place)
        try:
            law = fit_law(table_of(rows[: len(self.fresh)]), self.method).law
            if law is None:
                raise ValueError(f"{self.method} finds exponents and no law")
            found = fit_repetition(table_of(rows), law)
        except ValueError as error:
            return Work({"log10_decay": [], **NOTHING, "failed": 1, "not_identified": 1, "notes": str(error)})
        decay = math.log10(min(found.tokens, DECAYS))
        unknown = int(any("is not identified" in note for note in found.notes))
        notes = "; ".join(found.notes)
        return Work({"log10_decay": decay, "failed": 0, "not_identified": unknown, "notes": notes})


def gathered(runs: Sequence[MeasuredRun], place: Place) -> list[dict[str, Any]]:
    """A row per run, written to `runs.csv` in the form that `assay scaling fit` reads."""
    rows = [{"run": run.organism.name, **made_in(place.of(run)).numbers} for run in runs]
    repeats = any(row["unique_tokens"] < row["tokens"] for row in rows)
    # Without repeats the column would only ask what they are worth.
    columns = COLUMNS if repeats else COLUMNS[:-1]
    with (place.folder / TABLE).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return rows


def table_of(rows: Sequence[Mapping[str, Any]]) -> RunTable:
    """The rows as the fitters take them."""
    import numpy

    from assay.stats import RunTable

    columns = {name: numpy.array([row[name] for row in rows], dtype=numpy.float64) for name in COLUMNS[1:]}
    return RunTable(**columns)  # type: ignore[arg-type]


def numbers_of(fit: Fit, table: RunTable) -> dict[str, Any]:
    """All a fit says, as finite numbers, flags and notes."""
    budget = float(table.compute.max())
    found: dict[str, Any] = {name: value if math.isfinite(value) else [] for name, value in fit.numbers.items()}
    outside = 0
    try:
        best = fit.optimal(budget)
        outside = int(not table.parameters.min() <= best.parameters <= table.parameters.max())
        found |= {"optimal_parameters": best.parameters, "optimal_tokens": best.tokens}
    except (ValueError, OverflowError):
        found |= {"optimal_parameters": [], "optimal_tokens": []}
    unknown = not math.isfinite(fit.a) or any("is not identified" in note for note in fit.notes)
    flags = {"failed": 0, "not_converged": int(not fit.converged), "not_identified": int(unknown)}
    return {**found, **NOTHING, "budget": budget, **flags, "outside": outside, "notes": "; ".join(fit.notes)}


def exponent_error(sample: Sample, task: Task, *, averaged: bool) -> Flow[Answer]:
    """|a - true a| of Huber's estimate on runs drawn from the law that Besiroglu et al. published.

    Sizes from 70M to 16B and 5B to 500B tokens, evenly in their logarithms, as Hoffmann et al. had; both arms
    are given the same runs.

    Args:
        sample: `meta["seed"]` draws the runs.
        task: not used.
        averaged: divide the objective by the number of runs, which ends the search earlier.
    """
    import numpy

    from assay.stats import PUBLISHED_LAWS, RunTable, huber

    yield from ()
    law, rng = PUBLISHED_LAWS["besiroglu"], numpy.random.default_rng(int(sample.meta["seed"]))
    size = numpy.exp(rng.uniform(math.log(70e6), math.log(16e9), RUNS))
    data = numpy.exp(rng.uniform(math.log(5e9), math.log(500e9), RUNS))
    loss = law.loss(size, data) * numpy.exp(NOISE * rng.normal(size=RUNS))
    fit = huber(RunTable(size, data, loss), averaged=averaged)
    return Answer(measures={"score": abs(fit.a - law.a), "a": fit.a, "converged": float(fit.converged)})
