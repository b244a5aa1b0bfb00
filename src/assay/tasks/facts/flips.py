"""State tracking by coin flips (after arXiv 2201.11903; the levels are ours): what shows at the end?"""

from __future__ import annotations

from random import Random

from assay.tasks.people import NAMES

# (opening, what turns it over, what leaves it, its two states)
_THINGS = (
    ("A coin lies {state} up.", "flips the coin.", "does not flip the coin.", ("heads", "tails")),
    ("A card lies face {state}.", "turns the card over.", "leaves the card as it is.", ("up", "down")),
    ("A lamp is {state}.", "presses its switch.", "does not touch its switch.", ("on", "off")),
    ("A door is {state}.", "moves it to its other position.", "walks past it.", ("open", "closed")),
)
_QUESTIONS = (
    "Is the coin {state} up now?",
    "Is the card face {state} now?",
    "Is the lamp {state} now?",
    "Is the door {state} now?",
)


def flips(rng: Random, truth: bool, k: int) -> str:
    """A two-state thing, k people of whom each may turn it over, and the question how it stands.

    About half of the people turn it over; the answer is the parity of those who do.
    """
    which = rng.randrange(len(_THINGS))
    opening, turn, leave, states = _THINGS[which]
    start = state = rng.randrange(2)
    sentences = [opening.format(state=states[start])]
    for name in rng.sample(NAMES, k):
        turned = rng.random() < 0.5
        state ^= turned
        sentences.append(f"{name} {turn if turned else leave}")
    asked = state if truth else 1 - state
    sentences.append(_QUESTIONS[which].format(state=states[asked]))
    return " ".join(sentences)
