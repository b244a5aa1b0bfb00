"""Tree of Thoughts, depth first: does a judge that prunes earn what it costs?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from assay.core import Answer, Arm, Capability, Claim, Flow, Paper, Sample, Size, Task
from assay.core.agents import Calibrated, Decider, ModelDecides
from assay.tasks import WordSquareTask
from assay.tasks.games.word_square import Rows, can_be_finished, puzzle_of
from assay.techniques.search.tree_decided import JUDGE, Tallied, believed, named
from assay.techniques.search.tree_search import depth_first

MOST = 3
"""Words named at once: as many as the authors' code enters from a state."""
CALLS = 5
"""Decisions that every arm may spend, times the rows: fewer than a tree of three words a state has states, for
where all of it can be seen there is nothing to gain by leaving some out."""
SAYS = {
    "pruned": "depth first, words that the judge takes for hopeless are left out",
    "unpruned": "depth first, every named word is entered, as many calls",
    "coin-judge": "pruned as dear, by the toss of a coin",
    "knowing-judge": "pruned as dear, by one who knows",
    "free-judge": "pruned, and judgements are not counted",
}


def _flow(sample: Sample, task: Task, *, way: str, decider: Decider) -> Flow[Answer]:
    """One square; a decision of the proposer or of the judge is a call."""
    puzzle, seed = puzzle_of(sample), sample.meta["seed"]
    rules, tally = sample.question.partition("\n")[0], Counter[str]()
    hopeful = partial(can_be_finished, puzzle)
    judging = {"coin-judge": Calibrated({JUDGE: 0.5}), "knowing-judge": Calibrated({JUDGE: 1.0})}.get(way, decider)
    judging = judging.seeded(seed + 1) if way == "free-judge" else Tallied(judging.seeded(seed + 1), tally)
    answer = yield from depth_first(
        puzzle,
        named(puzzle, Tallied(decider.seeded(seed), tally), hopeful, rules, MOST),
        _everything if way == "unpruned" else believed(puzzle, judging, hopeful, rules),
        threshold=0.5,
        enough=lambda: tally.total() >= CALLS * puzzle.size,
    )
    return replace(answer, measures={**answer.measures, **{kind: float(n) for kind, n in tally.items()}})


def _everything(states: Sequence[Rows]) -> Flow[Sequence[float]]:
    """Nothing is hopeless, and nobody is asked."""
    yield from ()
    return [1.0] * len(states)


def _claim(decider: Decider) -> Claim:
    """The claim under a driver; where a policy decides, no model is asked and there can be many squares."""
    asks = isinstance(decider, ModelDecides)
    held = {Capability.GRAMMAR} if isinstance(decider, ModelDecides) and decider.constrained else set()
    n = {"smoke": 2, "small": 12, "full": 200} if asks else {"smoke": 20, "small": 200, "full": 1000}
    pruned, unpruned, coin, *others = (
        Arm(way, partial(_flow, way=way, decider=decider), says) for way, says in SAYS.items()
    )
    return Claim(
        id="depth-first-prunes",
        sentence="A depth-first search that leaves out what its judge takes for hopeless fills more word squares "
        "than one that enters everything, for as many calls.",
        treatment=pruned,
        control=unpruned,
        placebo=coin,
        equal_spend=False,
        task=WordSquareTask(),
        smallest_effect=0.1,
        sizes={size: Size(most, level="5x5-0") for size, most in n.items()},
        needs=frozenset({Capability.GENERATE} | held if asks else set()),
        others=tuple(others),
        driver=decider.driver,
        drive=_claim,
    )


PAPER = Paper(
    slug="tree-word-squares",
    title="Tree of Thoughts: Deliberate Problem Solving with Large Language Models (depth first)",
    authors="Yao, Yu, Zhao, Shafran, Griffiths, Cao, Narasimhan",
    year=2023,
    url="https://arxiv.org/abs/2305.10601",
    row="R41",
    shelf="search",
    says="Mini crosswords are filled depth first; where the model finds a clue impossible, the state is given up.",
    reading="Every judgement is a call that could have been another word tried, and what is wrongly given up is "
    "lost for good: a judge must be right often to earn what it costs.",
    claims=(_claim(ModelDecides()),),
    departures=(
        "Squares of words out of a list of twenty, in place of crosswords with clues; several solutions count.",
        f"{CALLS} calls a row, judgements counted. The authors' code allows 100 states and judges each in both "
        "arms, so that pruning costs nothing: the arm free-judge.",
        "Rows are filled from the top; a last word that leaves a column without a word is no step, in every arm.",
        f"{MOST} words are named without a confidence and entered in that order. --driver says who decides.",
        "No vote over the control for equal spend: both arms may spend the same calls.",
    ),
)
