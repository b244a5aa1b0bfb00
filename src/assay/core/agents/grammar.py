"""Grammars that cannot run away: every repetition is bounded, and what they allow can be read back.

A rule is written once and compiled twice: to GBNF, which an engine enforces while a model writes, and to a
regular expression, which reads what it wrote. A small model under `[0-9]+` writes digits until it is cut;
there is no way to say that here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from assay.core.validation import require

MOST = 400
"""Repetitions of one part at most: engines spell a bounded repetition out."""
_CLASS = re.compile(r"(?:[A-Za-z0-9]-[A-Za-z0-9]|[A-Za-z0-9 .,'?!:;/+*=()_%])+-?")


@dataclass(frozen=True, slots=True)
class Rule:
    """A set of texts, in both spellings."""

    gbnf: str
    pattern: str

    @property
    def grammar(self) -> str:
        """The whole grammar, for `Ask.grammar`."""
        return f"root ::= {self.gbnf}"

    def read(self, text: str) -> dict[str, str] | None:
        """The fields of a text that the rule allows; None for every other text."""
        found = re.fullmatch(self.pattern, text, re.DOTALL)
        return (
            None if found is None else {name: part for name, part in found.groupdict().items() if part is not None}
        )


def literal(text: str) -> Rule:
    """Exactly this text."""
    spelled = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return Rule(f'"{spelled}"', re.escape(text))


def one_of(*options: Rule | str) -> Rule:
    """One of several. Texts are tried longest first, so that one may begin with another."""
    require(len(options) > 0, "A choice needs at least one option.")
    texts = sorted((one for one in options if isinstance(one, str)), key=len, reverse=True)
    rules = [*(literal(one) for one in texts), *(one for one in options if isinstance(one, Rule))]
    return Rule(f"({' | '.join(r.gbnf for r in rules)})", f"(?:{'|'.join(r.pattern for r in rules)})")


def sequence(*parts: Rule | str) -> Rule:
    """One after another."""
    rules = [literal(part) if isinstance(part, str) else part for part in parts]
    return Rule(" ".join(rule.gbnf for rule in rules), "".join(rule.pattern for rule in rules))


def characters(allowed: str, least: int, most: int) -> Rule:
    """Between `least` and `most` characters of a class such as `0-9` or `a-z `; a dash for itself stands last."""
    require(_CLASS.fullmatch(allowed) is not None, f"'{allowed}' is no plain class of characters.")
    _require_bounds(least, most)
    return Rule(f"[{allowed}]{{{least},{most}}}", f"[{allowed}]{{{least},{most}}}")


def quotable(most: int) -> Rule:
    """Up to `most` characters that can stand between double quotes as they are."""
    _require_bounds(0, most)
    return Rule(f'[^"\\\\\\x00-\\x1F]{{0,{most}}}', f'[^"\\\\\\x00-\\x1f]{{0,{most}}}')


def repeated(part: Rule, least: int, most: int, separator: str = "") -> Rule:
    """The part between `least` and `most` times. It holds no named field: there would be several."""
    _require_bounds(least, most)
    require("(?P<" not in part.pattern, "A repeated part has no fields of its own.")
    if most == 0:
        return literal("")
    if most == 1:
        optional = "?" if least == 0 else ""
        return Rule(f"({part.gbnf}){optional}", f"(?:{part.pattern}){optional}")
    more = sequence(separator, part) if separator else part
    first = max(least - 1, 0)
    gbnf = f"{part.gbnf} ({more.gbnf}){{{first},{most - 1}}}"
    pattern = f"(?:{part.pattern})(?:{more.pattern}){{{first},{most - 1}}}"
    return Rule(f"({gbnf})?", f"(?:{pattern})?") if least == 0 else Rule(f"({gbnf})", f"(?:{pattern})")


def field(name: str, rule: Rule) -> Rule:
    """A part that `Rule.read` gives back under this name."""
    require(name.isidentifier(), f"'{name}' is no name of a field.")
    return Rule(f"({rule.gbnf})", f"(?P<{name}>{rule.pattern})")


def number(digits: int = 6, decimals: int = 0, *, signed: bool = True) -> Rule:
    """A number of at most that many digits before and behind the point, without leading zeros, as in JSON."""
    sign = [repeated(literal("-"), 0, 1)] if signed else []
    behind = [repeated(sequence(".", characters("0-9", 1, decimals)), 0, 1)] if decimals else []
    whole = one_of("0", sequence(characters("1-9", 1, 1), characters("0-9", 0, digits - 1)))
    return sequence(*sign, whole, *behind)


def _require_bounds(least: int, most: int) -> None:
    require(
        0 <= least <= most <= MOST, f"A repetition goes from 0 to {MOST} times at most, not {least} to {most}."
    )
