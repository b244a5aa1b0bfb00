"""Tree of Thoughts as a search: propose steps, let the model judge where they lead, keep the best.

Source    Yao et al. 2023, "Tree of Thoughts: Deliberate Problem Solving with Large Language Models",
          section 3 and algorithms 1 and 2 (arXiv 2305.10601).
Here      Breadth first: all states of a level are proposed from at once, all new ones judged at once, the
          best `breadth` kept. Depth first: the best child first, back where all children are judged hopeless.
          The answer is the best state by the model's own judgement; whether any of the last beam is right
          is measured beside it and is another thing.
Departs   1. Steps that the problem's rules do not know are dropped; the authors' code keeps any line.
          2. A state found twice is one state; there the second copy is given the value 0.
          3. Among equals the one found first is kept.
          4. In the Game of 24 a proposal may state a whole answer.
Needs     words.
Costs     breadth first: 1 call a kept state and the judge's calls a new one, on every level;
          depth first: as much a step, and at most `steps` steps.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from assay.core import Answer, Flow, together
from assay.techniques.search.tree import (
    Judge,
    Node,
    Problem,
    Propose,
    State,
    Tree,
    answer_of,
    solved,
)

Pick = Literal["best", "any"]


def breadth_first(
    problem: Problem[State],
    propose: Propose[State],
    judge: Judge[State],
    *,
    depth: int,
    breadth: int = 5,
    pick: Pick = "best",
) -> Flow[Answer]:
    """The best state of the last beam; `any` says by the rules whether one of the beam is right.

    `pick="any"` answers with a right one where the beam holds one: an upper bound that knows the rules.
    """
    tree = Tree(problem)
    beam = [tree.root]
    for _ in range(depth):
        open_nodes = [node for node in beam if not problem.finished(node.state)]
        proposals = yield from together([propose(node.state, "") for node in open_nodes])
        new = [
            child
            for node, lines in zip(open_nodes, proposals, strict=True)
            for child in tree.grow(node, lines, "proposed")
        ]
        if not new:
            break
        yield from _valued(new, judge)
        done = [node for node in beam if problem.finished(node.state)]
        beam = sorted([*done, *new], key=lambda node: -node.value)[:breadth]
    right = [node for node in beam if solved(problem, node.state)]
    chosen = right[0] if pick == "any" and right else beam[0]
    detail = "" if problem.finished(chosen.state) else f"no step could be read on level {chosen.depth + 1}"
    return answer_of(tree, chosen, detail, {"any": float(bool(right)), "mean": len(right) / len(beam)})


def depth_first(
    problem: Problem[State],
    propose: Propose[State],
    judge: Judge[State],
    *,
    threshold: float,
    steps: int = 100,
    enough: Callable[[], bool] = lambda: False,
) -> Flow[Answer]:
    """The first finished state, or the deepest one when the steps are used up.

    Children valued at the threshold or below are not entered; among the others a finished one ends the search
    at once, since to see it costs nothing. `enough` is asked before every step and ends the search, for whoever
    counts something else than steps.
    """
    tree = Tree(problem)
    waiting, deepest, pruned, entered = [tree.root], tree.root, 0, 0
    while waiting and not problem.finished(deepest.state) and entered < steps and not enough():
        node, entered = waiting.pop(), entered + 1
        if node.depth > deepest.depth:
            deepest = node
        lines = yield from propose(node.state, "")
        new = tree.grow(node, lines, "proposed")
        if new:
            yield from _valued(new, judge)
        kept = [child for child in new if child.value > threshold]
        ripe = [child for child in kept if problem.finished(child.state)]
        deepest = max(ripe, key=lambda child: child.value, default=deepest)
        pruned += len(new) - len(kept)
        # The best child stands on top of the stack, the first found among equals.
        waiting += sorted(kept, key=lambda child: (child.value, -child.id))
    done = problem.finished(deepest.state)
    detail = "" if done else "every branch was given up" if not waiting else f"not finished after {entered} steps"
    return answer_of(tree, deepest, detail, {"pruned": float(pruned)})


def _valued(nodes: Sequence[Node[State]], judge: Judge[State]) -> Flow[None]:
    values = yield from judge([node.state for node in nodes])
    for node, value in zip(nodes, values, strict=True):
        node.value = value
