"""The arms that fill Sudoku boards: with a model in words, with an organism bare, or with supposed competences."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any

from assay.core import Answer, Arm, ArmFlow, Claim, Flow, Sample, Size, Task
from assay.core.agents import Calibrated
from assay.core.answers import curve_text
from assay.tasks import SeedsTask, SudokuTask
from assay.tasks.games.colouring import Colouring, Colours, coloured, completed
from assay.tasks.games.sudoku import Cells, Sudoku
from assay.tasks.games.sudoku_task import puzzle_of
from assay.tasks.seeds import Summary
from assay.techniques.search.tree import asked, by_model, by_rules, drawn
from assay.techniques.search.tree_controller import VISITS, tree_controller, whole_attempts
from assay.techniques.search.tree_decided import CHECK, STEP, checked, decided
from assay.techniques.search.tree_filling import fill, valid
from assay.techniques.search.tree_organism import bare_check, bare_fill
from assay.techniques.training.trend import training_claim

CALLS = 3
"""Calls that every arm may spend, times the empty cells."""
SAYS = {
    "controller": "one cell a call, checked by the rules, taken back where it cannot go on",
    "resampling": "whole boards, checked at the end, until the same calls are spent",
    "random-proposer": "the same controller, digits drawn blindly",
    "restart": "checked after every cell and begun again at the first fault, for the same calls",
    "no-backtracking": "a wrong cell is tried again, and no earlier one",
    "model-checker": "the model checks in place of the rules; its checks are further calls",
    "one-board": "one board, cell by cell",
    "greedy-board": "one board, the likeliest digit each",
}


def played(sample: Sample, task: Task, *, way: str, bare: bool) -> Flow[Answer]:
    """One way of filling a board; on an organism bare and in reading order, else in words."""
    puzzle = puzzle_of(sample, "next" if bare else "any")
    rules = sample.question.partition("\n")[0]
    request = bare_fill(0.0 if way == "greedy-board" else 1.0) if bare else fill(rules, puzzle.size)
    propose = drawn(puzzle, sample.id) if way == "random-proposer" else asked(puzzle, request)
    calls = CALLS * puzzle.givens.count(0)
    match way:
        case "resampling" | "restart":
            return whole_attempts(puzzle, propose, calls=calls, early=way == "restart")
        case "one-board" | "greedy-board":
            return whole_attempts(puzzle, propose, calls=calls, attempts=1)
    check = by_model(puzzle, bare_check if bare else valid(rules)) if way == "model-checker" else by_rules(puzzle)
    visits = None if way == "no-backtracking" else VISITS
    return tree_controller(puzzle, propose, check, rounds=calls, visits=visits)


def board_claim(
    name: str, sentence: str, sizes: dict[str, Size], further: Sequence[str], organism: str = ""
) -> Claim:
    """The controller against whole boards at equal calls, in words or on an organism."""

    def arm(way: str) -> Arm:
        return Arm(way, partial(played, way=way, bare=bool(organism)), SAYS[way])

    return Claim(
        id=name,
        sentence=sentence,
        treatment=arm("controller"),
        control=arm("resampling"),
        placebo=arm("random-proposer"),
        equal_spend=arm("restart"),
        task=SudokuTask(),
        smallest_effect=0.1,
        sizes=sizes,
        others=tuple(map(arm, further)),
        organism=organism,
    )


# --- sweeps without a model --------------------------------------------------------------------------------

PUZZLES = {"smoke": 10, "small": 60, "full": 400}
"""Puzzles at each point of a curve."""
COMPETENCES = (0.25, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
"""Of the proposer; one in four is what a blind one has."""
CHECKERS = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
PROPOSER = 0.7
"""Its competence while the checker's changes."""
LEVEL = "4x4-8"
NODES, EDGES, COLOURS = 12, 36, 4
"""Of the graphs: more than half the edges that a hidden colouring leaves room for."""


@dataclass(frozen=True, slots=True)
class Posed:
    """A puzzle, and who knows a right next step of it."""

    puzzle: Sudoku | Colouring
    right: Callable[[Any], str | None]
    calls: int


def sudokus(n: int, seed: int) -> Iterator[Posed]:
    """Boards, filled in reading order."""
    for sample in SudokuTask().samples(n, seed, LEVEL):
        puzzle = puzzle_of(sample, "next")
        whole = tuple(int(sign) for sign in sample.target if sign != "/")
        yield Posed(puzzle, partial(_digit, puzzle, whole), CALLS * puzzle.givens.count(0))


def _digit(puzzle: Sudoku, whole: Cells, state: Cells) -> str | None:
    """The digit of the solution, unless an earlier cell is wrong already."""
    if any(cell not in (0, digit) for cell, digit in zip(state, whole, strict=True)):
        return None
    return next(move for move in puzzle.moves(state) if move.endswith(f"={whole[state.index(0)]}"))


def graphs(n: int, seed: int) -> Iterator[Posed]:
    """Graphs, coloured node by node."""
    rng = Random(f"graphs/{seed}")
    for _ in range(n):
        graph = coloured(NODES, EDGES, COLOURS, rng)
        yield Posed(graph, partial(_colour, graph), CALLS * NODES)


def _colour(graph: Colouring, state: Colours) -> str | None:
    """A colour that can still be completed, where there is one."""
    whole = completed(graph, state)
    return None if whole is None else str(whole[len(state)])


def sweep_claim(name: str, sentence: str, flow: ArmFlow, dose: str, way: str, summary: Summary) -> Claim:
    """A claim about curves along a competence that is supposed."""
    says = {"rules": SAYS["controller"], "checker": "the same controller, with a checker that errs"}
    arms = (
        Arm("controller", partial(flow, way=way), says[way]),
        Arm("resampling", partial(flow, way="resampling"), SAYS["resampling"]),
    )
    task, unit = SeedsTask(summary=summary, dose=dose), "share of puzzles solved"
    return training_claim(name, sentence, arms, task, 0.1, unit=unit, needs=frozenset(), driver="calibrated")


Pose = Callable[[int, int], Iterator[Posed]]
"""(how many, seed) -> puzzles."""


def along_proposer(sample: Sample, task: Task, *, way: str, pose: Pose = sudokus) -> Flow[Answer]:
    """Share of puzzles solved, along how often the proposer is right."""
    return _curve(sample, way, pose, [(p, p, 1.0) for p in COMPETENCES])


def along_checker(sample: Sample, task: Task, *, way: str) -> Flow[Answer]:
    """Share of puzzles solved, along how often the checker is right."""
    return _curve(sample, way, sudokus, [(q, PROPOSER, q) for q in CHECKERS])


def _curve(sample: Sample, way: str, pose: Pose, points: Sequence[tuple[float, float, float]]) -> Flow[Answer]:
    """(dose, competence of the proposer, of the checker) -> share solved; both arms meet the same puzzles."""
    seed, size = sample.meta["seed"], sample.meta["size"]
    puzzles = list(pose(PUZZLES[size], seed))
    curve = []
    for dose, p, q in points:
        solved = 0
        for at, posed in enumerate(puzzles):
            answer = yield from _decided(posed, way, Calibrated({STEP: p, CHECK: q}).seeded(seed * 1000 + at))
            solved += posed.puzzle.answers(answer.value or "")
        curve.append((dose, solved / len(puzzles)))
    return Answer(value=curve_text(curve))


def _decided(posed: Posed, way: str, decider: Calibrated) -> Flow[Answer]:
    puzzle: Any = posed.puzzle
    propose = decided(puzzle, decider, posed.right)
    if way == "resampling":
        return (yield from whole_attempts(puzzle, propose, calls=posed.calls))
    check = by_rules(puzzle) if way == "rules" else checked(puzzle, decider)
    return (yield from tree_controller(puzzle, propose, check, rounds=posed.calls))
