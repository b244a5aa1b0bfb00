"""What a tool is to a text that calls it: a name, one argument, and a result that is spliced in.

[Calculator(12 * 7) -> 84]
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from assay.core.agents import Rule, characters, one_of, quotable, sequence
from assay.core.flow import Flow

OPENING = "["
ARROW = " -> "
LONGEST_RESULT = 64
"""Characters of a result that are spliced in; a mark stands where one was cut."""
CUT = "..."
ERROR = "error"
"""What a call that cannot be answered gives."""
ANY_TEXT = quotable(60)
BEFORE_CALL = characters("A-Za-z ,'-", 0, 40)
"""What may stand before a call that has to come: a few words, no number and no end of a sentence. Were they
allowed, a small model would state its answer first and have nothing left to call for."""
_CALL = re.compile(r"\[\s*(?P<tool>[A-Za-z]\w*)\s*\((?P<argument>[^\[\]\n]*?)\s*\)?\s*(?:->)?\s*$")


@dataclass(frozen=True, slots=True)
class InlineTool:
    """A tool that takes one text and gives one. `use` may ask a model; it must not raise for a bad argument."""

    name: str
    use: Callable[[str], Flow[str]]
    argument: Rule = ANY_TEXT
    """What a grammar lets the argument be; a text that is read freely may hold anything else."""

    def rule(self) -> Rule:
        """A call up to its closing bracket."""
        return sequence(f"{OPENING}{self.name}(", self.argument, ")")


@dataclass(frozen=True, slots=True)
class InlineCall:
    """A call that stands at the end of a text."""

    tool: str
    argument: str
    before: str
    """What was written before it."""

    @property
    def spelled(self) -> str:
        """As it stands in the text, up to where the result belongs."""
        return f"{OPENING}{self.tool}({self.argument})"


def text_with_call(tools: Sequence[InlineTool]) -> Rule:
    """The beginning of a sentence and a call in it, of tools that are there."""
    return sequence(BEFORE_CALL, one_of(*(tool.rule() for tool in tools)))


def call_at_end(text: str) -> InlineCall | None:
    """The call a text ends with; None where it ends otherwise, or inside another call."""
    found = _CALL.search(text)
    if found is None or _is_open(text[: found.start()]):
        return None
    return InlineCall(found["tool"], found["argument"].strip(), text[: found.start()])


def _is_open(text: str) -> bool:
    return text.rfind(OPENING) > text.rfind("]")


def without_calls(text: str) -> str:
    """The words of a text, its calls and their results left out."""
    return re.sub(r"\[[^\[\]]*\]", " ", text)


def escaped(result: str) -> str:
    """A result that can be spliced in: one line, no longer than that, and nothing in it reads as a call."""
    plain = " ".join(result.split()).translate({ord("["): "(", ord("]"): ")"}).replace("->", "-")
    return plain if len(plain) <= LONGEST_RESULT else plain[: LONGEST_RESULT - len(CUT)].rstrip() + CUT


def answering(name: str, answer: Callable[[str], str], argument: Rule = ANY_TEXT) -> InlineTool:
    """A tool that answers by itself."""

    def use(asked: str) -> Flow[str]:
        yield from ()
        return answer(asked)

    return InlineTool(name, use, argument)


def withheld(tool: InlineTool) -> InlineTool:
    """The same tool, its result kept back: what the form of a call is worth without it."""
    return answering(tool.name, lambda asked: "?", tool.argument)
