"""Reading the answer out of a reply: one extractor per kind of task, and the vote over answers.

Every extractor works in the same three steps. The reply is cut where the model runs on into a new
question. Where a final-answer phrase stands ("the answer is", "####", "\\boxed{") what follows the last
one that has an answer behind it counts. Otherwise the whole reply does: the FIRST answer in it, because
the reply to an answer cue begins with the answer, or the last with `last=True` (one long rationale).
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction

from assay.core.errors import UserError
from assay.core.replies import Finish, Reply

# --- where in the reply to look ------------------------------------------------------------------------

_NEXT_QUESTION = re.compile(r"(?<!\w)(?:Q|Question|QUESTION)\s*\d{0,3}\s*:")

_FINAL_PHRASE = re.compile(
    r"\banswer\b(?:\s+to\s+[^.\n:=]{1,60}?)?[\s*_]*(?:\([^()\n]{0,40}\)\s*)?(?:\bis\b|:|=)|\#{4}|\\boxed\s*\{",
    re.IGNORECASE,
)


def cut_at_next_question(text: str) -> str:
    """The reply up to where it begins another question ("Q:", "Question 2:").

    A reply that opens with such a heading restates its own question, so that one does not cut.
    """
    for match in _NEXT_QUESTION.finditer(text):
        if text[: match.start()].strip(" \t\r\n*#>_-"):
            return text[: match.start()]
    return text


def _places_to_look(text: str) -> Iterator[str]:
    """Parts of a reply, the likeliest home of the answer first: behind the last phrase, ..., everything."""
    text = cut_at_next_question(text)
    phrases = list(_FINAL_PHRASE.finditer(text))
    ends = [phrase.start() for phrase in phrases[1:]] + [len(text)]
    for phrase, end in reversed(list(zip(phrases, ends, strict=False))):
        yield text[phrase.end() : end]
    yield text


# --- numbers -------------------------------------------------------------------------------------------

_DECIMAL = r"(?:[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])(?:\.[0-9]+)?|[0-9]+(?:\.[0-9]+)?|(?<!\.)\.[0-9]+)"

# The guard before the digits is ASCII on purpose: with \w a number after a Chinese word is not found.
_NUMBER = re.compile(
    rf"""
    (?P<sign>[-+])?
    (?: (?<![A-Za-z0-9_]) (?:(?:US)?\\?[$€£¥₹]|Rs\.?|USD|EUR|GBP) \s? | (?<![A-Za-z0-9_]) )
    (?P<inner_sign>[-+])?
    (?: (?P<whole>[0-9]+) [ ] (?P<part>[0-9]+) \s?/\s? (?P<parts>[0-9]+) (?![0-9/.,]*[0-9])
      | (?P<top>{_DECIMAL}) \s?/\s? (?P<bottom>{_DECIMAL}) (?!\s?/\s?[0-9]|[0-9])
      | (?P<number>{_DECIMAL}) (?:[eE](?P<exponent>[-+]?[0-9]+)(?![A-Za-z0-9]))?
    )
    """,
    re.VERBOSE,
)

# 5 + 3 = 8: what such a reply answers is the right side.
_LEFT_SIDE = re.compile(rf"[$€£¥₹]?{_DECIMAL}(?:\s*[-+*/×÷x]\s*[$€£¥₹]?{_DECIMAL})+\s*=\s*(?=[-+$€£¥₹.0-9])")

_SPELLINGS = str.maketrans(
    dict.fromkeys("−–－﹣", "-")
    | dict.fromkeys("⁄∕", "/")
    | dict(zip("０１２３４５６７８９", "0123456789", strict=True))
)
_LATEX_FRACTION = re.compile(r"\\[dt]?frac\s*\{\s*(-?[0-9.,]+)\s*\}\s*\{\s*([0-9.,]+)\s*\}")
_THIN_GROUPS = re.compile(r"(?<=[0-9])(?:[\u00a0\u2009\u202f]|\\[,!]|\{,\})(?=[0-9]{3}(?![0-9]))")

# Longer numerals are no answers, and "1e999999999" must not fill the memory.
_LONGEST_NUMERAL = 500
_LARGEST_EXPONENT = 500
_LARGEST_PART = 10**100


def extract_number(text: str, *, last: bool = False) -> str | None:
    """The number a reply gives as its answer, in canonical form; None where there is none.

    Canonical: no sign for plus, no grouping, no trailing zeros, no exponent; a fraction becomes a
    decimal where that is exact and otherwise stays a reduced fraction ("6/8" -> "0.75", "2/6" -> "1/3").
    Currency and percent signs are dropped, "10-12" is a range and not minus twelve, and of an equation
    the right side counts. Numbers in words are not read.
    """
    text = _plain_digits(text)
    for place in _places_to_look(text):
        wanted: re.Match[str] | None = None
        for match in _NUMBER.finditer(place):
            wanted = match
            if not last:
                break
        if wanted is not None:
            return _canonical(_value(_right_side(place, wanted), place))
    return None


def canonical_number(text: str) -> str | None:
    """The canonical form of a text that is one number and nothing else; None for any other text."""
    plain = _plain_digits(text).strip().removesuffix("%").rstrip()
    match = _NUMBER.fullmatch(plain) or _NUMBER.fullmatch(plain.removesuffix("."))
    return None if match is None else _canonical(_value(match, plain))


def same_number(a: str | None, b: str | None, *, tolerance: float = 0.0) -> bool:
    """Whether both texts are numbers, no further apart than `tolerance` (absolute; 0: exactly equal)."""
    first, second = canonical_number(a or ""), canonical_number(b or "")
    if first is None or second is None:
        return False
    return first == second or abs(Fraction(first) - Fraction(second)) <= Fraction(tolerance)


def _plain_digits(text: str) -> str:
    """Unicode signs, LaTeX fractions and thin thousands separators in plain spelling."""
    text = _THIN_GROUPS.sub("", text.translate(_SPELLINGS))
    return _LATEX_FRACTION.sub(r"\1/\2", text)


def _right_side(place: str, match: re.Match[str]) -> re.Match[str]:
    """The number behind the equals sign where the match opens an equation, else the match itself."""
    while equation := _LEFT_SIDE.match(place, match.start()):
        right = _NUMBER.match(place, equation.end())
        if right is None:
            break
        match = right
    return match


def _value(match: re.Match[str], place: str) -> Fraction | None:
    """The exact value of a match of `_NUMBER` in its text; None where it is no usable number."""
    if len(match.group()) > _LONGEST_NUMERAL:
        return None
    exponent = int(match["exponent"] or "0")
    if abs(exponent) > _LARGEST_EXPONENT:
        return None
    if match["whole"]:
        part, parts = int(match["part"]), int(match["parts"])
        # "1 1/2" is one and a half; in "2 7/3" two numbers stand side by side.
        value = Fraction(match["whole"]) + (Fraction(part, parts) if part < parts else 0)
    elif match["top"]:
        bottom = _fraction(match["bottom"])
        if bottom == 0:
            return None
        value = _fraction(match["top"]) / bottom
    else:
        value = _fraction(match["number"]) * Fraction(10) ** exponent
    minus = match["inner_sign"] == "-" or (match["sign"] == "-" and not _joins(place[: match.start()]))
    return -value if minus else value


def _fraction(decimal: str) -> Fraction:
    return Fraction(decimal.replace(",", ""))


def _joins(before: str) -> bool:
    """Whether a dash after this text is a range, a subtraction or a hyphen and not a minus sign."""
    if not before:
        return False
    near = before[-1]
    if near in " \t":
        near = before.rstrip(" \t")[-1:]
        return near.isdigit() or near in {")", "]", "%"}
    return near.isalnum() or near in ")]%-"


def _canonical(value: Fraction | None) -> str | None:
    if value is None or abs(value.numerator) >= _LARGEST_PART or value.denominator >= _LARGEST_PART:
        return None
    rest, decimals = value.denominator, 0
    for prime in (2, 5):
        power = 0
        while rest % prime == 0:
            rest, power = rest // prime, power + 1
        decimals = max(decimals, power)
    if rest != 1:
        return f"{value.numerator}/{value.denominator}"
    if decimals == 0:
        return str(value.numerator)
    digits = str(abs(value.numerator) * 10**decimals // value.denominator).rjust(decimals + 1, "0")
    return f"{'-' if value < 0 else ''}{digits[:-decimals]}.{digits[-decimals:]}"


# --- yes or no, a choice, a text -----------------------------------------------------------------------

_BOTH_OFFERED = re.compile(r"\byes\s*(?:or|/|,|and|\|)\s*no\b|\bno\s*(?:or|/)\s*yes\b", re.IGNORECASE)
_YES_NO = re.compile(r"\b(yes|no)\b(?!['’])", re.IGNORECASE)


def extract_yes_no(text: str, *, last: bool = False) -> str | None:
    """ "yes" or "no" as a whole word; the offer "yes or no", repeated from the cue, is no answer."""
    for place in _places_to_look(_BOTH_OFFERED.sub(" ", text)):
        words = _YES_NO.findall(place)
        if words:
            return str(words[-1 if last else 0]).lower()
    return None


def extract_choice(text: str, choices: Sequence[str], *, last: bool = False) -> str | None:
    """Which of the choices a reply names, spelled as in `choices`; None where it names none.

    Single letters must stand as an option does: "(B)", "B.", "B" alone or a capital among words, but not
    the "A" of "A bird". Other choices count as whole words, the longest where several begin together.
    """
    spelled = {choice.casefold(): choice for choice in choices if choice.strip()}
    if not spelled:
        return None
    for place in _places_to_look(text):
        bare = place.strip(" \t\r\n\"'`*_.,:;!?()[]{}").casefold()
        if bare in spelled:
            return spelled[bare]
        found = [match for match in _choice_pattern(tuple(choices)).finditer(place) if _stands(match)]
        if found:
            return spelled.get(found[-1 if last else 0].group().casefold())
    return None


def _choice_pattern(choices: tuple[str, ...]) -> re.Pattern[str]:
    longest_first = sorted((choice for choice in choices if choice.strip()), key=len, reverse=True)
    names = "|".join(re.escape(choice) for choice in longest_first)
    return re.compile(rf"(?<![A-Za-z0-9_])(?<![0-9][.,])(?:{names})(?![A-Za-z0-9_]|[.,][0-9])", re.IGNORECASE)


def _stands(match: re.Match[str]) -> bool:
    """Whether a matched single letter stands as an option and not as a word; longer choices always do."""
    name, text = match.group(), match.string
    if len(name) > 1 or not name.isalpha():
        return True
    before, after = text[: match.start()][-1:], text[match.end() :]
    if after[:1] in {")", "]", "}"} or (after[:1] in {".", ":"} and before.strip() == ""):
        return True
    if before in {"'", "’"} or after[:1] in {"'", "’"} or not name.isupper():
        return False
    if re.search(r"\b(?:option|choice|letter)\s+$", text[: match.start()], re.IGNORECASE):
        return True
    return not (name in "AI" and re.match(r"\s+[a-z]", after))


def extract_text(text: str) -> str | None:
    """The first line of the answer, in lower case, without quotes, end marks or a leading article."""
    for place in _places_to_look(text):
        for line in place.splitlines():
            plain = " ".join(line.casefold().split())
            previous = ""
            while plain != previous:
                previous = plain
                plain = re.sub(r"^(?:the|an|a) (?=\S)", "", plain.strip(" \"'“”‘’`*_.,;:!?()[]{}#"))
            if plain:
                return plain
    return None


# --- the vote ------------------------------------------------------------------------------------------


def vote(answers: Iterable[str | int | float | None]) -> list[tuple[str, int]]:
    """Answers with their counts, most frequent first; the earliest of equals first. None is no vote.

    8, "8.0" and " 8 " are one answer, and so are texts that differ in case or spaces only. Numbers come
    back in canonical form, texts as they were first spelled.
    """
    counts: dict[str, int] = {}
    spelled: dict[str, str] = {}
    for answer in answers:
        plain = "" if answer is None else " ".join(str(answer).split())
        if plain:
            number = canonical_number(plain)
            key = plain.casefold() if number is None else number
            spelled.setdefault(key, plain if number is None else number)
            counts[key] = counts.get(key, 0) + 1
    return [(spelled[key], counts[key]) for key in sorted(counts, key=lambda key: -counts[key])]


# --- the end of a rationale ----------------------------------------------------------------------------


def extract_rationale_answer(text: str) -> str | None:
    """What a chain of thought arrives at: the last number, or the last yes or no where there is none."""
    return extract_number(text, last=True) or extract_yes_no(text, last=True)


def read_chain(reply: Reply, extract: Callable[[str], str | None]) -> str | None:
    """The answer a chain of thought arrives at, or None where it never got there.

    A chain that was cut counts only if it has stated its answer: the last number of half a calculation
    is not what the model would have said. What a filter withheld holds no answer.
    """
    text = cut_at_next_question(reply.text)
    if reply.finish is Finish.REFUSED or (reply.finish is Finish.LENGTH and not _FINAL_PHRASE.search(text)):
        return None
    return extract(reply.text)


def extract_last(kind: str, choices: Sequence[str] = ()) -> Callable[[str], str | None]:
    """The extractor for a whole rationale of a task of that kind: what stands last counts.

    Raises:
        UserError: answers of that kind cannot be read out of a rationale.
    """
    extractors: dict[str, Callable[[str], str | None]] = {
        "number": lambda text: extract_number(text, last=True),
        "yes-no": lambda text: extract_yes_no(text, last=True),
        "choice": lambda text: extract_choice(text, choices, last=True),
        "text": extract_text,
    }
    if kind not in extractors:
        raise UserError(f"A chain of thought has no answer of the kind '{kind}'.", hint="Name another task.")
    return extractors[kind]


# --- curves: what a flow answers that measured along a dose ---------------------------------------------

Curve = tuple[tuple[float, float], ...]
"""Points (dose, measure) in rising order of the dose."""


def curve_text(points: Sequence[tuple[float, float]]) -> str:
    """The canonical text of a curve: a JSON list of pairs, sorted by dose. Numbers must be finite."""
    for x, y in points:
        if not (math.isfinite(x) and math.isfinite(y)):
            raise ValueError(f"the point ({x}, {y}) is not finite")
    return json.dumps([[x, y] for x, y in sorted(points)])


def curve_of(text: str | None) -> Curve:
    """The curve of such a text; empty where it is none."""
    try:
        return tuple((float(x), float(y)) for x, y in json.loads(text or ""))
    except (ValueError, TypeError):
        return ()


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Least-squares slope of the measure in the dose; needs two different doses."""
    n = len(points)
    mean_x, mean_y = sum(x for x, _ in points) / n, sum(y for _, y in points) / n
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    if spread == 0:
        raise ValueError("a slope needs two different doses")
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / spread


# --- rankings: what a flow answers that searched ------------------------------------------------------------

Ranking = tuple[tuple[str, float], ...]
"""(document, score), best first. Documents with equal scores stand in no order."""


def ranking_text(ranking: Ranking) -> str:
    """The canonical text of a ranking: a JSON list of pairs. Scores must be finite."""
    if not all(math.isfinite(score) for _, score in ranking):
        raise ValueError("a score of the ranking is not finite")
    return json.dumps([[document, score] for document, score in ranking], ensure_ascii=False)


def ranking_of(text: str | None) -> Ranking | None:
    """The ranking of such a text, which may be empty; None where it is none."""
    try:
        found = tuple((str(document), float(score)) for document, score in json.loads(text or ""))
    except (ValueError, TypeError):
        return None
    return found if all(math.isfinite(score) for _, score in found) else None
