"""Tree of Thought as a controller: one step at a time, checked by rules, taken back where it cannot go on.

Source    Long 2023, "Large Language Model Guided Tree-of-Thought", sections 3 and 4 (arXiv 2305.08291).
Here      The prompter asks for a next step and says what was wrong with the last one; the checker is the
          rules of the problem, or the model; the memory is the tree with its visits; the controller goes back
          one step from an invalid state, two where the state before was visited five times, never past the
          start. Out of rounds, the answer is the deepest valid state that was reached.
Departs   1. The start is given as it is; the author lets the model restate the board, and a given that it
             copies wrongly is then wrong for ever.
          2. A state that is reached again has the visits of the first time.
          3. A reply without a step is a round spent where the search stands.
          4. The prompter's and controller's learned forms, sketched in the paper, are left out.
Needs     words.   Costs   1 call a round, and 1 more where the model checks.
"""

from __future__ import annotations

from assay.core import Answer, Flow
from assay.techniques.search.tree import Check, Problem, Propose, State, Tree, answer_of, solved

VISITS = 5
"""As the source has it."""


def tree_controller(
    problem: Problem[State],
    propose: Propose[State],
    check: Check[State],
    *,
    rounds: int,
    visits: int | None = VISITS,
) -> Flow[Answer]:
    """The first finished state that passes the check, or the best partial one with the reason.

    `visits=None` never goes back further than to the state before: the ablation without backtracking.
    """
    tree = Tree(problem)
    best = node = tree.root
    complaint, back, spent = "", 0, 0
    if wrong := problem.check(node.state):
        return answer_of(tree, node, f"the start is invalid: {wrong}", {"rounds": 0.0})
    while spent < rounds and not problem.finished(node.state):
        spent += 1
        node.visits += 1
        lines = yield from propose(node.state, complaint)
        child = tree.reach(node, lines, "proposed")
        if child is None:
            complaint = "That was no step."
        elif not (complaint := (yield from check(child.state))):
            node = child
            best = max(best, node, key=lambda one: one.depth)
            continue
        if visits is not None and node.visits >= visits:
            # From the invalid child two steps back: to the state before the one it was proposed from.
            node = node.above(1)
            back += 1
    done = problem.finished(node.state)
    detail = "" if done else f"not finished after {rounds} rounds. {complaint}".rstrip()
    return answer_of(tree, node if done else best, detail, {"rounds": float(spent), "backtracks": float(back)})


def whole_attempts(
    problem: Problem[State],
    propose: Propose[State],
    *,
    calls: int,
    early: bool = False,
    attempts: int | None = None,
) -> Flow[Answer]:
    """The controls: the problem worked through from the start, checked, and begun again, within so many calls.

    The first attempt that breaks no rule is the answer, else the last finished one, else the last. `early`
    checks after every step and begins again at the first fault; `attempts=1` is one shot.
    """
    tree = Tree(problem)
    last, spent, begun = tree.root, 0, 0
    while spent < calls and (attempts is None or begun < attempts):
        node, begun = tree.root, begun + 1
        while spent < calls and not problem.finished(node.state):
            spent += 1
            lines = yield from propose(node.state, "")
            child = tree.reach(node, lines, "proposed")
            if child is None and attempts == 1:
                break
            if child is not None:
                node = child
                if early and problem.check(node.state):
                    break
        last = node if problem.finished(node.state) or not problem.finished(last.state) else last
        if solved(problem, node.state):
            break
    detail = "" if problem.finished(last.state) else f"not finished after {spent} calls"
    return answer_of(tree, last, detail, {"rounds": float(spent), "attempts": float(begun)})
