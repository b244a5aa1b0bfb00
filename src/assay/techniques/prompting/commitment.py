"""Commitment: how far a model that "thinks of an object" has one, read off the log-probabilities of the reveal.

Source    Schrodinger's riddle (Hendricks 2023, an observation of GPT-4 in a guessing game): what a chat model has
          thought of is decided when it is asked for, and differs from fork to fork; a hash given before is made
          up.
Here      The dialogue is frozen after a turn and the reveal is scored for every object there is. That is the exact
          distribution over forks: its entropy (bits, and as a share of the most there can be), the probability
          that two forks agree, and the probability that the reveal fits all answers given.
          Where no log-probabilities are open, forks are drawn.
          Arms: nothing written down; a note in the context; the same note in base64; a tool that holds the secret.
Departs   1. A closed list of objects stands in the prompt, so that the distribution is exact and not sampled.
          2. Answers are given by a table, so that a model is not blamed for what it does not know.
Needs     scoring of given continuations, or words for drawn forks; for the hash, grammars.
Costs     1 call a turn that is frozen; drawn, as many replies of a name as there are forks.
"""

from __future__ import annotations

import base64
import hashlib
import math
import re
from collections import Counter
from collections.abc import Sequence
from typing import Literal, get_args

from assay.core import Answer, Ask, Flow, Message, Score, Scores, UnknownName, ask, score, together
from assay.core.agents import characters, one_of
from assay.core.answers import curve_text

Holding = Literal["nothing", "note", "encoded", "tool"]
Dialogue = Sequence[tuple[str, str]]
"""Questions and answers so far."""
RULES = (
    "We play twenty questions. Think of one of these objects and do not tell me which: {}. "
    "I ask questions that you answer with yes or no."
)
READY = "I have thought of an object. Ask me."
REVEAL = "I give up. Which object did you think of?"
SPOKEN = "I thought of the"
HASH = "Before we begin, write the SHA-256 of the name of your object, so that I can check it later."


def reveal(
    objects: Sequence[str],
    dialogue: Dialogue,
    fitting: Sequence[str],
    secret: str = "",
    *,
    holding: Holding = "nothing",
) -> Flow[Answer]:
    """The distribution of the reveal after a dialogue; the answer is its likeliest object.

    Args:
        objects: everything that can be thought of.
        dialogue: questions and answers before the reveal.
        fitting: the objects that fit all of these answers.
        secret: what was written down, or is held by the tool.
        holding: where it is held.

    Measures are `entropy` (share of the most there can be), `bits`, `agree`, `consistent`, and `share of NAME`.
    """
    found = yield from score(_scored(objects, dialogue, secret, holding))
    return _measured(objects, fitting, found)


def forked(
    objects: Sequence[str],
    dialogue: Dialogue,
    fitting: Sequence[str],
    secret: str = "",
    *,
    holding: Holding = "nothing",
    forks: int = 16,
) -> Flow[Answer]:
    """`reveal` for models that show no log-probabilities: the reveal is drawn `forks` times at temperature 1.

    Forks that name no object are left out (held to the names by a grammar, others would be drawn). `agree` is
    unbiased; `entropy` is that of the counts with Miller and Madow's correction, and still low for few forks.
    """
    scoring = _scored(objects, dialogue, secret, holding)
    asked = Ask(scoring.prompt, scoring.prefill, n=forks, temperature=1.0, max_tokens=6)
    replies = yield from ask(asked)
    named = (re.match(r"\s*(?:the |an? )?([a-z]+)", reply.text.casefold()) for reply in replies)
    counts = Counter(found[1] for found in named if found is not None and found[1] in objects)
    drawn = counts.total()
    if drawn < 2:
        return Answer(detail="fewer than two forks named an object", finish=replies[0].finish)
    shares = {name: count / drawn for name, count in counts.items()}
    bits = -math.fsum(p * math.log2(p) for p in shares.values()) + (len(counts) - 1) / (2 * drawn * math.log(2))
    bits = min(bits, math.log2(len(objects)))
    pairs = math.fsum(count * (count - 1) for count in counts.values()) / (drawn * (drawn - 1))
    fits = math.fsum(share for name, share in shares.items() if name in fitting)
    measures = {
        "bits": bits,
        "entropy": bits / math.log2(len(objects)),
        "agree": pairs,
        "consistent": min(1.0, fits),
    }
    return Answer(value=counts.most_common(1)[0][0], measures=measures)


def entropy_along(objects: Sequence[str], dialogue: Dialogue, turns: Sequence[int]) -> Flow[Answer]:
    """Bits of the reveal after each of these numbers of turns, as a curve; nothing is written down."""
    requests = [score(_scored(objects, dialogue[:turn], "", "nothing")) for turn in turns]
    found = yield from together(requests)
    bits = [_measured(objects, (), scores).measures["bits"] for scores in found]
    return Answer(value=curve_text(list(zip(map(float, turns), bits, strict=True))))


def answered(
    objects: Sequence[str], dialogue: Dialogue, question: str, secret: str = "", *, holding: Holding = "nothing"
) -> Flow[Answer]:
    """The model's own yes or no to one more question."""
    messages = (*opening_of(objects, secret, holding), *_turns(dialogue), Message("user", question))
    (reply,) = yield from ask(Ask(messages, grammar=one_of("Yes.", "No.").grammar, max_tokens=4))
    return Answer(reply.text, finish=reply.finish)


def hashed_commitment(objects: Sequence[str], dialogue: Dialogue) -> Flow[Answer]:
    """Whether a SHA-256 the model gives beforehand is that of the object it reveals: `valid` is 1 or 0."""
    opening = (*opening_of(objects, "", "nothing"), Message("user", HASH))
    digest = characters("0-9a-f", 64, 64)
    (claimed,) = yield from ask(Ask(opening, prefill="SHA-256: ", grammar=digest.grammar, max_tokens=80))
    said = (*opening, Message("assistant", f"SHA-256: {claimed.text}"))
    found = yield from score(_reveal_after(said, objects, dialogue))
    name = objects[found.best]
    valid = hashlib.sha256(name.encode()).hexdigest() == claimed.text.strip().lower()
    return Answer(value=name, measures={"valid": float(valid)}, finish=claimed.finish)


def opening_of(objects: Sequence[str], secret: str, holding: Holding) -> tuple[Message, ...]:
    """The turns before the first question."""
    if holding not in get_args(Holding):
        known = get_args(Holding)
        raise UnknownName("way of holding a secret", holding, known, hint=f"There is: {', '.join(known)}.")
    noted = {
        "nothing": "",
        "note": f"(A note to myself: I think of the {secret}.) ",
        "encoded": f"(A note to myself in base64: {base64.b64encode(secret.encode()).decode()}.) ",
        "tool": "(My object is kept by a tool.) ",
    }[holding]
    return (Message("user", RULES.format(", ".join(objects))), Message("assistant", noted + READY))


def _scored(objects: Sequence[str], dialogue: Dialogue, secret: str, holding: Holding) -> Score:
    says = f"(The tool says: the {secret}.) " if holding == "tool" else ""
    return _reveal_after(opening_of(objects, secret, holding), objects, dialogue, says)


def _reveal_after(
    opening: tuple[Message, ...], objects: Sequence[str], dialogue: Dialogue, says: str = ""
) -> Score:
    messages = (*opening, *_turns(dialogue), Message("user", REVEAL))
    return Score(messages, tuple(f" {name}" for name in objects), prefill=says + SPOKEN)


def _turns(dialogue: Dialogue) -> tuple[Message, ...]:
    return tuple(part for asked, told in dialogue for part in (Message("user", asked), Message("assistant", told)))


def _measured(objects: Sequence[str], fitting: Sequence[str], found: Scores) -> Answer:
    """One distribution over the objects: a name of several tokens has the product of their probabilities."""
    highest = max(found.logprobs)
    weights = [math.exp(logprob - highest) for logprob in found.logprobs]
    total = math.fsum(weights)
    shares = [weight / total for weight in weights]
    bits = -math.fsum(p * math.log2(p) for p in shares if p > 0)
    fits = math.fsum(p for name, p in zip(objects, shares, strict=True) if name in fitting)
    return Answer(
        value=objects[found.best],
        measures={
            "bits": bits,
            "entropy": bits / math.log2(len(objects)),
            "agree": math.fsum(p * p for p in shares),
            "consistent": min(1.0, fits),
            **{f"share of {name}": share for name, share in zip(objects, shares, strict=True)},
        },
    )
