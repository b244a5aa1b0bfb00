"""How a model is asked to fill a board: one cell a turn, in words, held to the form of a fill.

Source    Long 2023, section 4 (arXiv 2305.08291).
Here      The prompt holds the rules, the board and what was wrong with the last fill; the reply is a fill such
          as r1c2=3. The checker may be asked as well: does the board keep the rules?
Departs   1. One cell a turn, held by a grammar; the author asks for a few cells as JSON, with a worked example.
Needs     words, a grammar.   Costs   1 short call a fill, 1 a check.
"""

from __future__ import annotations

from collections.abc import Callable

from assay.core import Ask
from assay.core.agents import characters, one_of, sequence
from assay.techniques.search.tree import Request


def fill(rules: str, size: int, temperature: float = 1.0) -> Request:
    """Asks for one fill of an empty cell; the rules are a sentence."""
    digit = characters(f"1-{size}", 1, 1)

    def request(shown: str, complaint: str) -> Ask:
        # Held to any cell, a small model copies the one that stands in the prompt as an example.
        rows = enumerate(shown.splitlines(), 1)
        empty = [f"r{r}c{c}=" for r, row in rows for c, sign in enumerate(row.split(), 1) if sign == "."]
        form = sequence(one_of(*empty), digit)
        wrong = f"Your last fill was wrong: {complaint}\n" if complaint else ""
        wanted = "Fill one empty cell. Write row, column and digit, as in r1c2=3."
        told = f"{rules} Dots are empty cells.\n{shown}\n{wrong}{wanted}"
        return Ask(told, grammar=form.grammar, temperature=temperature, max_tokens=12)

    return request


def valid(rules: str) -> Callable[[str], Ask]:
    """Asks whether a board keeps the rules."""

    def request(shown: str) -> Ask:
        told = f"{rules} Dots are empty cells.\n{shown}\nDoes this board keep the rules so far? Answer yes or no."
        return Ask(told, grammar=one_of("yes", "no").grammar, max_tokens=4)

    return request
