"""Self-consistency: sample several chains of thought and take the commonest answer.

Source    Wang et al. 2022 (arXiv 2203.11171); used to label data in Huang et al. 2022, "Large Language
          Models Can Self-Improve", section 3.1 (arXiv 2210.11610), with temperature 0.7.
Here      n chains in one step; the answer is read out of each; plurality wins, and the share of the
          vote is the confidence. Ties go to the answer that came first.
Departs   1. Zero-shot: the chain is begun with a trigger sentence; the papers give worked examples.
          2. No weighting by the chain's probability.
          3. A chain that was cut before its end votes only if it has said "the answer is ..."; a
             refusal has no vote.
Needs     words.   Costs   n replies in one step; the prompt once where the model shares it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from assay.core import Answer, Ask, Finish, Flow, Reply, ask
from assay.core.answers import extract_rationale_answer, read_chain, vote

TRIGGER = "Let's think step by step."
Extract = Callable[[str], str | None]


def self_consistency(
    question: str,
    extract: Extract = extract_rationale_answer,
    *,
    n: int = 8,
    temperature: float = 0.7,
    max_tokens: int = 128,
) -> Flow[Answer]:
    """The commonest answer of n sampled chains; `votes` holds all of them, `value` is None without any."""
    asked = Ask(question, prefill=TRIGGER, n=n, temperature=temperature, max_tokens=max_tokens)
    replies = yield from ask(asked)
    return _answer(replies, vote(read_chain(reply, extract) for reply in replies))


def one_chain(
    question: str, extract: Extract = extract_rationale_answer, *, max_tokens: int = 128
) -> Flow[Answer]:
    """The control: one greedy chain of thought, read by the same extractor."""
    replies = yield from ask(Ask(question, prefill=TRIGGER, max_tokens=max_tokens))
    return _answer(replies, vote([read_chain(replies[0], extract)]))


def rethink(
    question: str, extract: Extract = extract_rationale_answer, *, rounds: int = 8, max_tokens: int = 128
) -> Flow[Answer]:
    """Equal spend in one line instead of n: the chain is told to check itself, `rounds` - 1 times.

    The last answer that stands in it counts.
    """
    text = ""
    replies: tuple[Reply, ...] = ()
    for turn in range(rounds):
        again = "\nLet me check that again, step by step." if turn else ""
        text += again
        replies = yield from ask(Ask(question, prefill=TRIGGER + text, max_tokens=max_tokens))
        text += replies[0].text
    return _answer(replies, vote([read_chain(dataclasses.replace(replies[0], text=text), extract)]))


def _answer(replies: tuple[Reply, ...], votes: list[tuple[str, int]]) -> Answer:
    withheld = all(reply.finish is Finish.REFUSED for reply in replies)
    cut = all(reply.finish is Finish.LENGTH for reply in replies)
    return Answer(
        # Without a vote there is no text either, or a task would look for the answer once more.
        text="\n\n".join(reply.text for reply in replies) if votes else "",
        value=votes[0][0] if votes else None,
        finish=Finish.REFUSED if withheld else Finish.LENGTH if cut else Finish.STOP,
        votes=tuple(votes),
        detail="" if votes else "no chain ended in an answer",
        measures={"confidence": votes[0][1] / sum(n for _, n in votes)} if votes else {},
    )
