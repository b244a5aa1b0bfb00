"""Toolformer, at inference: calls stand in the text, are carried out where they stand, and the text goes on.

Source    Schick et al. 2023, "Toolformer: Language Models Can Teach Themselves to Use Tools", section 3 and
          appendix B (arXiv 2302.04761).
Here      The model writes until it has written a call, [Calculator(12 * 7); the tool is used, its result and
          a closing bracket are put behind it, and the model goes on from there. At most one call a text.
Departs   1. Nothing is trained: four worked examples show what a call looks like.
          2. Held to a grammar, the first sentence must come to a call before anything is calculated in it.
             Read freely, a text may hold a call, and is stopped where the result would stand.
          3. Where a call is forced because its bracket is among the k likeliest tokens, the text is written
             ahead without tools and cut back to that place: a greedy text is the same up to there.
          4. Results are cut at 64 characters and lose their brackets; calls inside calls are not made.
Needs     words, prefill; a grammar where the form is enforced, log-probabilities where calls are forced.
Costs     2 calls a question; one that is forced costs 3.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from assay.core.agents import Rule, one_of, sequence
from assay.core.answers import extract_rationale_answer, read_chain
from assay.core.errors import UnknownName
from assay.core.flow import Flow, ask
from assay.core.replies import Reply, TokenLogprob
from assay.core.requests import Ask, Message
from assay.core.samples import Answer
from assay.techniques.execution.tools import InlineTool, calculator, call_at_end, escaped, text_with_call
from assay.techniques.execution.tools.examples import CALCULATIONS, Shot, without_tools
from assay.techniques.execution.tools.inline import ARROW, OPENING, without_calls

Extract = Callable[[str], str | None]
FORMS = ("constrained", "llm")


@dataclass(frozen=True, slots=True)
class _Text:
    """How one text is written: what stands before it, the tools, and how many calls it may hold."""

    turns: tuple[Message, ...]
    tools: tuple[InlineTool, ...]
    constrained: bool
    most: int
    max_tokens: int

    def request(self, said: str, calls: int) -> Ask:
        """The next stretch of it."""
        if not self.tools or calls >= self.most:
            return Ask(self.turns, prefill=said, max_tokens=self.max_tokens, stop=(OPENING,))
        if not self.constrained or calls:
            # The form is enforced for the first call; what comes behind it may just end.
            return Ask(self.turns, prefill=said, max_tokens=self.max_tokens, stop=(ARROW.strip(),))
        rule = text_with_call(self.tools)
        return Ask(self.turns, prefill=said, max_tokens=self.max_tokens, grammar=rule.grammar)


def toolformer(
    question: str,
    form: str = "constrained",
    *,
    most: int = 1,
    max_tokens: int = 64,
) -> Flow[Answer]:
    """An answer with a calculator at hand. `form`: constrained (by a grammar) or llm (read freely)."""
    if form not in FORMS:
        raise UnknownName("form", form, FORMS, hint=f"Forms: {', '.join(FORMS)}.")
    held = form == "constrained"
    tools = (calculator(),)
    return (
        yield from with_tools(question, tools, CALCULATIONS, constrained=held, most=most, max_tokens=max_tokens)
    )


def with_tools(
    question: str,
    tools: Sequence[InlineTool],
    shots: Sequence[Shot],
    extract: Extract = extract_rationale_answer,
    *,
    constrained: bool = True,
    most: int = 1,
    max_tokens: int = 64,
) -> Flow[Answer]:
    """An answer written with tools at hand, after worked examples; without tools neither holds a call."""
    shown = shots if tools else without_tools(shots)
    text = _Text(_turns(question, shown), tuple(tools), constrained, most, max_tokens)
    return (yield from _written(text, extract))


def triggered(
    question: str,
    tools: Sequence[InlineTool],
    shots: Sequence[Shot],
    extract: Extract = extract_rationale_answer,
    *,
    k: int = 10,
    max_tokens: int = 64,
) -> Flow[Answer]:
    """The same, a call being forced at the first place where its bracket is among the k likeliest tokens."""
    text = _Text(_turns(question, shots), tuple(tools), True, 1, max_tokens)
    (ahead,) = yield from ask(Ask(text.turns, max_tokens=max_tokens, logprobs=k))
    place = trigger(ahead.logprobs, k)
    if place is None or not tools:
        return _answer(ahead.text, ahead, 0, extract)
    before, gap = place
    call = one_of(*(tool.rule() for tool in tools))
    rule = sequence(gap, call) if gap else call
    return (yield from _written(text, extract, before, rule))


def trigger(tokens: Sequence[TokenLogprob], k: int) -> tuple[str, str] | None:
    """The text before the first token beside which a call might begin, and the blank the call begins with."""
    written = ""
    for token in tokens:
        for _, alternative, _ in token.top[:k]:
            if alternative.lstrip().startswith(OPENING):
                return written, alternative[: len(alternative) - len(alternative.lstrip())]
        written += token.text
    return None


def _turns(question: str, shots: Sequence[Shot]) -> tuple[Message, ...]:
    turns: list[Message] = []
    for shot in shots:
        turns += [Message("user", shot.question), Message("assistant", shot.answer)]
    return (*turns, Message("user", question))


def _written(text: _Text, extract: Extract, said: str = "", forced: Rule | None = None) -> Flow[Answer]:
    """The text stretch by stretch, every call carried out where it stands."""
    known = {tool.name: tool for tool in text.tools}
    calls = 0
    while True:
        request = text.request(said, calls)
        if forced is not None and calls == 0:
            request = Ask(text.turns, prefill=said, max_tokens=text.max_tokens, grammar=forced.grammar)
        (reply,) = yield from ask(request)
        found = call_at_end(reply.text) if calls < text.most else None
        if found is None or found.tool not in known:
            return _answer(said + reply.text, reply, calls, extract)
        result = yield from known[found.tool].use(found.argument)
        said += f"{found.before}{found.spelled}{ARROW}{escaped(result)}]"
        calls += 1


def _answer(text: str, last: Reply, calls: int, extract: Extract) -> Answer:
    """The answer in a text, read from its words: what stands inside a call was not said."""
    value = read_chain(Reply(without_calls(text), last.finish), extract)
    detail = "" if value is not None else f"no answer in: {text[-120:]}"
    return Answer(
        "" if value is None else text,
        value=value,
        finish=last.finish,
        detail=detail,
        measures={"calls": float(calls)},
    )
