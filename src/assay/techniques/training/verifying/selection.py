"""Choosing one of N solutions: by majority, by an outcome verifier, by a process verifier, and by an oracle.

Source   Lightman et al. 2023 (arXiv 2305.20050, sections 2.6 and 4, appendix F); weighted votes: Li et al. 2023
         (2206.02336); over-optimisation: Gao et al. 2023 (2210.10760).
Here     every selector sees the same pool of M solutions a problem. What choosing the best of N gives is its
         exact expectation over all subsets of size N: the solution of rank r (0 is best) is chosen with
         probability C(M-1-r, N-1) / C(M, N). Votes have no such form: they are held in the M // N disjoint
         groups of neighbours, and averaged. Equal scores: the earlier solution is the better one, and so is the
         answer that was given earlier; the pool's order is that in which it was drawn.
Departs  (1) also the least, the last and the mean logarithm of the steps' probabilities, beside the paper's
         product. (2) A reply without steps is never chosen over one with steps, one without an answer has no
         vote. (3) Of a vote, the solution that stands for the winning answer is its heaviest.
Needs    the samples, and weights of both verifiers.
Costs    one forward pass of each verifier over all samples.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar

from assay.core.errors import UserError
from assay.core.training import Place, Recipe, Work
from assay.techniques.training.organisms.network import require_torch
from assay.techniques.training.organisms.sampling import Pool, Samples, pools
from assay.techniques.training.verifying.verifiers import Steps, Verifier, opinions, places

if TYPE_CHECKING:
    import numpy

NEVER = -math.inf
FILE = "problems.json"
COMPARED = ("majority", "outcome_best", "process_product", "outcome_vote", "process_vote")
"""Selectors whose results per problem are among the numbers, for paired tests; all are in `problems.json`."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A problem's pool with all that is known of each of its solutions."""

    answers: tuple[str | None, ...]
    right: tuple[bool, ...]
    sound: tuple[bool, ...]
    """Right, and every step right."""
    outcome: tuple[float, ...]
    """Logarithms, as all scores."""
    process: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class BestOfN(Recipe):
    """How often the chosen one is right, for each selector and each N.

    Numbers: `sizes`; per selector lists over sizes of `<selector>` (right), `<selector>_process` (right, and every
    step right) and `<selector>_slice` (right, over problems whose pool holds a right answer after a wrong step);
    `<selector>_area`, the mean over sizes; `<selector>_over_optimised`, 1 where choosing among some N gives less
    than choosing among 1; `<selector>_by_problem`, areas per problem; and how good the verifiers are.
    """

    VERSION: ClassVar[int] = 1
    name: str
    samples: Samples
    outcome: Verifier
    process: Verifier
    steps: Steps
    sizes: tuple[int, ...] = (1, 2, 4, 8, 16, 32, 64)

    def make(self, place: Place) -> Work:
        """Score all samples, and compare."""
        require_torch()
        drawn = pools(place.of(self.samples))
        if (self.outcome.kind, self.process.kind) != ("outcome", "process"):
            raise UserError("BestOfN compares a verifier of outcomes with one of processes, in this order.")
        if min(self.sizes) < 1 or max(self.sizes) > self.samples.each:
            raise UserError(f"From {self.samples.each} samples, 1 to {self.samples.each} can be chosen.")
        place.tell(0.0, "scoring")
        outcome, read = opinions(place.of(self.outcome), "outcome", self.steps, drawn)
        place.tell(0.5, "scoring")
        process, again = opinions(place.of(self.process), "process", self.steps, drawn)
        judged = [judge(self.steps, *parts) for parts in zip(drawn, outcome, process, strict=True)]
        numbers, by_problem = compare(judged, self.sizes)
        (place.folder / FILE).write_text(json.dumps({"sizes": self.sizes, "right": by_problem}), encoding="utf-8")
        numbers |= _verifier_numbers(judged) | _step_numbers(self.steps, drawn, process)
        return Work(numbers, tokens_in=read + again)


def judge(
    steps: Steps, pool: Pool, outcome: Sequence[Sequence[float]], process: Sequence[Sequence[float]]
) -> Judged:
    """Put together what the program and the verifiers say of a pool."""
    right = tuple(steps.right(pool.prompt, reply) for reply in pool.replies)
    whole = (all(steps.step_labels(pool.prompt, reply)) for reply in pool.replies)
    return Judged(
        tuple(steps.final_answer(reply) for reply in pool.replies),
        right,
        tuple(r and w for r, w in zip(right, whole, strict=True)),
        tuple(values[0] for values in outcome),
        tuple(tuple(values) for values in process),
    )


Score = Callable[[Judged], list[float]]

BEST: Mapping[str, Score] = {
    "outcome_best": lambda pool: list(pool.outcome),
    "process_product": lambda pool: [sum(logs) if logs else NEVER for logs in pool.process],
    "process_min": lambda pool: [min(logs, default=NEVER) for logs in pool.process],
    "process_last": lambda pool: [logs[-1] if logs else NEVER for logs in pool.process],
    "process_mean": lambda pool: [sum(logs) / len(logs) if logs else NEVER for logs in pool.process],
    "oracle": lambda pool: [0.0 if right else NEVER for right in pool.right],
}
"""Scores by which the best is chosen."""
VOTES: Mapping[str, Score] = {
    "majority": lambda pool: [0.0] * len(pool.right),
    "outcome_vote": BEST["outcome_best"],
    "process_vote": BEST["process_product"],
}
"""Logarithms of the weights of votes."""


def chances(scores: Sequence[float], size: int) -> list[float]:
    """Probability of each solution to be the best of `size` drawn without replacement from all of them.

    No number counts as the lowest score. Equal scores: the earlier one is the better.
    """
    order = sorted(range(len(scores)), key=lambda at: (-_known(scores[at]), at))
    found = [0.0] * len(scores)
    for at, chance in zip(order, _by_rank(len(scores), size), strict=True):
        found[at] = chance
    return found


@lru_cache
def _by_rank(whole: int, size: int) -> tuple[float, ...]:
    return tuple(math.comb(whole - 1 - rank, size - 1) / math.comb(whole, size) for rank in range(whole))


def vote(answers: Sequence[str | None], logs: Sequence[float]) -> int | None:
    """The solution that stands for the answer with most weight; None where nobody has an answer.

    Weights are exponentials of `logs`, the highest of them 1. Equal weights: the answer given first.
    """
    top = max((_known(log) for log in logs if _known(log) > NEVER), default=0.0)
    weights: dict[str, float] = {}
    heaviest: dict[str, int] = {}
    for at, (answer, log) in enumerate(zip(answers, logs, strict=True)):
        if answer is None:
            continue
        weights[answer] = weights.get(answer, 0.0) + math.exp(_known(log) - top)
        if answer not in heaviest or _known(log) > _known(logs[heaviest[answer]]):
            heaviest[answer] = at
    return heaviest[max(weights, key=lambda answer: weights[answer])] if weights else None


def _known(score: float) -> float:
    return NEVER if math.isnan(score) else score


def chosen(pool: Judged, selector: str, size: int) -> tuple[float, float]:
    """Probability that the chosen one of `size` is right, and that it is right in every step."""
    if selector in BEST:
        weights = chances(BEST[selector](pool), size)
        return (
            sum(w for w, right in zip(weights, pool.right, strict=True) if right),
            sum(w for w, sound in zip(weights, pool.sound, strict=True) if sound),
        )
    logs, groups = VOTES[selector](pool), len(pool.right) // size
    right = sound = 0
    for first in range(0, groups * size, size):
        at = vote(pool.answers[first : first + size], logs[first : first + size])
        right += at is not None and pool.right[first + at]
        sound += at is not None and pool.sound[first + at]
    return right / groups, sound / groups


def compare(judged: Sequence[Judged], sizes: Sequence[int]) -> tuple[dict[str, Any], dict[str, list[list[float]]]]:
    """All numbers of all selectors; and per selector and problem, the probability to be right over sizes."""
    import numpy

    has_false_positive = numpy.array([pool.right != pool.sound for pool in judged])
    slips = [r and not s for pool in judged for r, s in zip(pool.right, pool.sound, strict=True)]
    numbers: dict[str, Any] = {
        "sizes": list(sizes),
        "problems": len(judged),
        "pass_at_1": float(numpy.mean([numpy.mean(pool.right) for pool in judged])),
        "false_positives": sum(slips) / len(slips),
        "slice_problems": int(has_false_positive.sum()),
    }
    by_problem: dict[str, list[list[float]]] = {}
    for selector in (*BEST, *VOTES):
        both = numpy.array([[chosen(pool, selector, size) for size in sizes] for pool in judged])
        right = both[:, :, 0]  # [problems, sizes]
        by_problem[selector] = right.tolist()
        numbers |= _curve(selector, right, both[:, :, 1], numbers["pass_at_1"])
        if has_false_positive.any():
            numbers[f"{selector}_slice"] = right[has_false_positive].mean(0).tolist()
        if selector in COMPARED:
            numbers[f"{selector}_by_problem"] = right.mean(1).tolist()
    return numbers, by_problem


def _curve(selector: str, right: numpy.ndarray, sound: numpy.ndarray, single: float) -> dict[str, Any]:
    """One selector's numbers; arrays [problems, sizes], and how often a single solution is right."""
    means = right.mean(0)
    return {
        selector: means.tolist(),
        f"{selector}_process": sound.mean(0).tolist(),
        f"{selector}_area": float(means.mean()),
        f"{selector}_over_optimised": int((means < single - 1e-9).any()),
    }


def _verifier_numbers(judged: Sequence[Judged]) -> dict[str, Any]:
    """How well each verifier tells right solutions from wrong ones, over all problems together."""
    from assay.stats import auroc

    found: dict[str, Any] = {}
    right = [truth for pool in judged for truth in pool.right]
    for name, selector in (("outcome_auroc", "outcome_best"), ("process_auroc", "process_product")):
        scores = [_known(score) for pool in judged for score in BEST[selector](pool)]
        least = min((score for score in scores if score > NEVER), default=0.0) - 1
        scores = [max(score, least) for score in scores]
        good = [score for score, truth in zip(scores, right, strict=True) if truth]
        bad = [score for score, truth in zip(scores, right, strict=True) if not truth]
        if good and bad:
            found[name] = auroc(good, bad).auroc
    return found


def _step_numbers(
    steps: Steps, drawn: Sequence[Pool], process: Sequence[Sequence[Sequence[float]]]
) -> dict[str, Any]:
    """Of the process verifier at one half, over steps up to the first error: accuracy, and F1 of errors."""
    hits = wrong = caught = cried = total = 0
    for pool, opinion in zip(drawn, process, strict=True):
        for reply, logs in zip(pool.replies, opinion, strict=True):
            for truth, log in zip(places("process", steps, pool.prompt, reply).values(), logs, strict=False):
                said = log > math.log(0.5)
                total, hits = total + 1, hits + (said == truth)
                wrong, cried, caught = wrong + (not truth), cried + (not said), caught + (not truth and not said)
    f1 = 2 * caught / (wrong + cried) if wrong + cried else 1.0
    return {"step_accuracy": hits / total, "step_error_f1": f1, "steps_judged": total} if total else {}
