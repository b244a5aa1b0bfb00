"""A model as the judge of two answers, asked in both orders.

Source    Zheng et al. 2023, "Judging LLM-as-a-Judge with MT-Bench and Chatbot Arena" (arXiv 2306.05685),
          section 3.4: judges favour a position, so both orders are asked and a win counts if both agree.
Here      One question, two answers, "A", "B" or "tie"; then the same with the answers exchanged.
Departs   1. Where the orders disagree there is no verdict; the source counts a tie. A judge that always takes
             the first answer would make all models equal, and surely so.
          2. A short prompt with no rationale: the answer cue begins the reply.
Needs     words, and a model whose turn can be begun (prefill).
Costs     2 calls a pair, side by side.
"""

from __future__ import annotations

from assay.core import Answer, Ask, Finish, Flow, Reply, ask, together
from assay.core.answers import extract_choice

CUE = "The better answer is"
CHOICES = ("A", "B", "tie")
SCORES = {"A": 1.0, "B": 0.0, "tie": 0.5}


def pairwise_judge(question: str, first: str, second: str, *, max_tokens: int = 6) -> Flow[Answer]:
    """`first`, `second` or `tie` where both orders say the same, else no value and why in `detail`.

    Measures are what the first answer scored (1, 0.5 or 0) `shown first` and `shown second`; one is missing
    where the reply named no answer.
    """
    orders = ((first, second), (second, first))
    asked = [ask(Ask(judge_prompt(question, *pair), prefill=CUE, max_tokens=max_tokens)) for pair in orders]
    replies = [reply for (reply,) in (yield from together(asked))]
    named = [_named(reply) for reply in replies]
    measures = {}
    if named[0] is not None:
        measures["shown first"] = SCORES[named[0]]
    if named[1] is not None:
        measures["shown second"] = 1.0 - SCORES[named[1]]
    if len(measures) == 2 and len(set(measures.values())) == 1:
        value = {1.0: "first", 0.0: "second", 0.5: "tie"}[measures["shown first"]]
        return Answer(value=value, measures=measures)
    if any(reply.finish is Finish.REFUSED for reply in replies):
        return Answer(finish=Finish.REFUSED, detail="the judge refused", measures=measures)
    said = " and ".join(f"'{reply.text.strip()[:40]}'" for reply in replies)
    reason = "the orders disagree" if len(measures) == 2 else "no answer is named"
    return Answer(detail=f"{reason}: {said}", measures=measures)


def judge_prompt(question: str, one: str, two: str) -> str:
    """The judge's question about two answers in this order."""
    return (
        f"Question:\n{question}\n\nAnswer A:\n{one}\n\nAnswer B:\n{two}\n\n"
        "Which answer is better, A or B? Say tie if they are equally good. Judge what is said, not its length."
    )


def _named(reply: Reply) -> str | None:
    return None if reply.finish is Finish.REFUSED else extract_choice(reply.text, CHOICES)
