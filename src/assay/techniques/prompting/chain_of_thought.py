"""Zero-shot chain of thought: have the model reason first, then ask it for the answer.

Source    Kojima et al. 2022, "Large Language Models are Zero-Shot Reasoners", section 3
          (arXiv 2205.11916) and the authors' code.
Here      Stage 1: the question and a trigger sentence; the model writes a rationale. Stage 2: question,
          trigger, rationale and an answer cue; the model writes the answer. The control is the same
          cue directly after the question, so that both arms end alike and one extractor reads both.
Departs   1. The trigger and the rationale stand in the assistant's turn (prefill), the question in the
             user's: the paper's models had no turns.
          2. A rationale that begins a new question is cut there before stage 2; the paper feeds it on.
Needs     words, and a model whose turn can be begun (prefill).
Costs     2 calls a question (control: 1); at most 128 + 32 new tokens as in the authors' code.
"""

from __future__ import annotations

from assay.core import Answer, Ask, Flow, ask
from assay.core.answers import cut_at_next_question

TRIGGER = "Let's think step by step."
RATIONALE_TOKENS = 128
ANSWER_TOKENS = 32
CUE = "Therefore, the answer is"


def direct(question: str, cue: str = CUE, *, max_tokens: int = ANSWER_TOKENS) -> Flow[Answer]:
    """The answer at once: the control of every technique that thinks first."""
    (reply,) = yield from ask(Ask(question, prefill=cue, max_tokens=max_tokens))
    return Answer(reply.text, finish=reply.finish)


def chain_of_thought(
    question: str,
    cue: str = CUE,
    *,
    trigger: str = TRIGGER,
    rationale_tokens: int = RATIONALE_TOKENS,
    max_tokens: int = ANSWER_TOKENS,
) -> Flow[Answer]:
    """A rationale after the trigger, then the answer after the cue; the answer's text is returned."""
    (rationale,) = yield from ask(Ask(question, prefill=trigger, max_tokens=rationale_tokens))
    thought = cut_at_next_question(rationale.text).rstrip()
    (reply,) = yield from ask(Ask(question, prefill=f"{trigger}{thought}\n{cue}", max_tokens=max_tokens))
    return Answer(reply.text, finish=reply.finish, detail=thought)
