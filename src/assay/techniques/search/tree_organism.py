"""Trees of thoughts on organisms: the same searches, asked in the bare format that the organism was trained on.

Source    Yao et al. 2023 (arXiv 2305.10601) and Long 2023 (2305.08291), on networks that can do what the papers'
          models can: propose steps of which some are wrong, and judge states.
Here      A board is its cells in a row and a colon; the reply is the digit of the first empty cell. Numbers of the
          Game of 24 follow a letter: p for steps, v for a judgement (s: solvable, i: impossible), c for a chain.
Departs   1. Boards are filled in reading order; digits are drawn at temperature 1, where the errors come from.
          2. Chains are read by the same rules as steps: one that breaks them has no vote.
Needs     words, and an organism of the format.
Costs     1 call of one token a fill; as `tree_search` for the Game of 24.
"""

from __future__ import annotations

from collections import Counter

from assay.core import Answer, Ask, Flow, ask
from assay.core.problems.countdown import Countdown, Left
from assay.techniques.search.tree import Judge, Propose, Request, asked, judged, lines_of, solved

MARKS = {"s": 20.0, "i": 0.001}
SAMPLES = 3
TEMPERATURE = 0.7


def bare_fill(temperature: float = 1.0) -> Request:
    """The digit of the first empty cell."""

    def request(shown: str, complaint: str) -> Ask:
        return Ask(f"{''.join(shown.split())}:", raw=True, temperature=temperature, max_tokens=1)

    return request


def bare_check(shown: str) -> Ask:
    """Whether a board breaks no rule: yes or no."""
    return Ask(f"{''.join(shown.split())}?", raw=True, max_tokens=4)


def bare_steps(problem: Countdown) -> Propose[Left]:
    """Possible steps, one a line."""

    def request(shown: str, complaint: str) -> Ask:
        return Ask(f"p{shown}:", raw=True, temperature=TEMPERATURE, max_tokens=80)

    return asked(problem, request)


def bare_judgements(problem: Countdown) -> Judge[Left]:
    """Whether the goal can still be reached."""

    def request(shown: str) -> Ask:
        return Ask(f"v{shown}:", raw=True, n=SAMPLES, temperature=TEMPERATURE, max_tokens=1)

    return judged(problem, request, MARKS)


def chains(problem: Countdown, n: int, *, any_right: bool = False) -> Flow[Answer]:
    """The commonest answer of n chains; `any_right`: a right one where there is one, which only the rules know."""
    prompt = f"c{problem.render(problem.start)}:"
    replies = yield from ask(Ask(prompt, raw=True, n=n, temperature=TEMPERATURE if n > 1 else 0.0, max_tokens=40))
    ends = [end for reply in replies if (end := _followed(problem, lines_of([reply]))) is not None]
    if not ends:
        # A chain that breaks the rules is a wrong answer, and no unreadable one.
        return Answer(value="; ".join(replies[0].text.splitlines()), detail="no chain kept the rules to its end")
    right = [end for end in ends if solved(problem, end)]
    votes = Counter(problem.told(end) for end in ends).most_common()
    chosen = problem.told(right[0]) if any_right and right else votes[0][0]
    measures = {"any": float(bool(right)), "mean": len(right) / n, "kept": len(ends) / n}
    return Answer(chosen, value=chosen, votes=tuple(votes), measures=measures)


def _followed(problem: Countdown, lines: list[str]) -> Left | None:
    state: Left | None = problem.start
    for line in lines:
        state = None if state is None else problem.step(state, line)
    return state
