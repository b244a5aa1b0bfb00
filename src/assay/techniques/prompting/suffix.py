"""A sentence added to the prompt, and what it does to the reply.

Source    Theia Vogel's thread of December 2023 offers a tip at the end of the prompt and counts the
          characters of the reply.
Here      Any suffix, on any prompt; the reply's tokens and characters are measured.
Departs   1. Tokens are the main measure, as they are what one pays for; characters stand beside.
Needs     words.   Costs   1 call a prompt.
"""

from __future__ import annotations

from assay.core import Answer, Ask, Flow, ask


def with_suffix(prompt: str, suffix: str = "", *, max_tokens: int = 256, temperature: float = 0.7) -> Flow[Answer]:
    """The reply to the prompt with the suffix behind it, with its length in `measures`."""
    text = f"{prompt} {suffix}".rstrip()
    (reply,) = yield from ask(Ask(text, max_tokens=max_tokens, temperature=temperature))
    measures = {"tokens": float(reply.tokens_out), "characters": float(len(reply.text))}
    return Answer(reply.text, finish=reply.finish, measures=measures)
