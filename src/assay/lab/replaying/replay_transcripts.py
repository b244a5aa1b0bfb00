"""Recorded transcripts: what was asked of a model once and what it said, read from JSONL.

A transcript is one line: `arm`, `item` and `replies`, the texts in the order the flow asked for them
(the samples of one question one after another). Optional: `question` or `prompt`, `target`, `choices`,
`cluster`, `finish`, `repeat` and `usage` {tokens_in, tokens_out}. `arm` is its name in the claim, or
treatment, control or placebo. Lines that `assay export` wrote are transcripts too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.core import Arm, BadFile, Claim, Finish, Reply
from assay.lab.codec import reply_from_json
from assay.lab.transfer import read_lines

CUT_SHORT = ("truncated", "errored")
"""Endings after which an exported sample may hold fewer replies than its flow asks for."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """What one arm was told about one item."""

    line: int
    arm: str
    item: str
    repeat: int
    replies: tuple[Reply, ...]
    counted: bool
    """Whether the tokens are the record's own; else they are words, an estimate."""
    question: str = ""
    target: str = ""
    choices: tuple[str, ...] = ()
    cluster: str = ""
    cut_short: bool = False


@dataclass(frozen=True, slots=True)
class Recording:
    """All transcripts of a file that belong to arms of a claim."""

    path: Path
    hash: str
    transcripts: Mapping[tuple[str, str], tuple[Transcript, ...]]
    """By arm and item, repeats in order."""
    other_arms: tuple[str, ...] = ()
    """Arms of an exported run (its controls) that are none of the claim's."""


def read_recording(path: Path, claim: Claim) -> Recording:
    """The transcripts of a file, arms under the names the claim gives them.

    Raises:
        BadFile: with line and field.
    """
    names = _arm_names(claim)
    found: dict[tuple[str, str], dict[int, Transcript]] = {}
    other_arms: set[str] = set()
    exported = False
    for number, line in read_lines(path):
        if "format" in line and "replies" not in line:
            exported = True
            continue
        arm = _text(path, number, line, "arm")
        if arm not in names:
            if exported:
                other_arms.add(arm)
                continue
            problem = (
                f"the claim {claim.id} has no arm '{arm}'; it has: {', '.join(dict.fromkeys(names.values()))}."
            )
            raise BadFile(path, problem, line=number, field="arm", hint="Or write treatment or control.")
        one = _transcript(path, number, line, names[arm])
        repeats = found.setdefault((one.arm, one.item), {})
        if one.repeat in repeats:
            problem = f"arm '{one.arm}' and item '{one.item}' stand on line {repeats[one.repeat].line} too."
            raise BadFile(path, problem, line=number, field="item", hint="Tell repeats apart by: repeat")
        repeats[one.repeat] = one
    if not found:
        raise BadFile(path, f"the file holds no transcripts of the claim {claim.id}.")
    ordered = {key: tuple(repeats[at] for at in sorted(repeats)) for key, repeats in found.items()}
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    return Recording(path, digest, ordered, tuple(sorted(other_arms)))


def _arm_names(claim: Claim) -> dict[str, str]:
    """What may stand as `arm` in a file, and the arm that is meant."""
    names = {arm.name: arm.name for arm in (claim.treatment, claim.control)}
    # Where the claim has no placebo of its own, the lab makes one of this name.
    placebo = claim.placebo.name if isinstance(claim.placebo, Arm) else "placebo"
    names |= {placebo: placebo}
    roles = {"treatment": claim.treatment.name, "control": claim.control.name, "placebo": placebo}
    return roles | names


# --- one line


def _transcript(path: Path, number: int, line: Mapping[str, Any], arm: str) -> Transcript:
    repeat = line.get("repeat", 0)
    if not isinstance(repeat, int) or repeat < 0:
        raise BadFile(path, "a whole number from 0 is needed.", line=number, field="repeat")
    replies, counted = _recorded_steps(path, number, line) or _replies(path, number, line)
    # The answer in a line of an exported run is the model's and not the right one.
    named = ("target",) if "ending" in line else ("target", "answer")
    target = next((name for name in named if line.get(name) not in (None, "")), "")
    choices = line.get("choices") or ()
    if not isinstance(choices, list | tuple) or not all(isinstance(choice, str) for choice in choices):
        raise BadFile(path, "a list of texts is needed.", line=number, field="choices")
    question = next((name for name in ("question", "prompt") if line.get(name)), "")
    return Transcript(
        line=number,
        arm=arm,
        item=_text(path, number, line, "item"),
        repeat=repeat,
        replies=replies,
        counted=counted,
        question=_text(path, number, line, question) if question else "",
        target=_text(path, number, line, target) if target else "",
        choices=tuple(choices),
        cluster=str(line.get("cluster", "")),
        cut_short=line.get("ending") in CUT_SHORT,
    )


def _text(path: Path, number: int, line: Mapping[str, Any], name: str) -> str:
    value = line.get(name)
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not value.strip():
        problem = "a text is needed, and there is " + ("none." if name not in line else f"{value!r}.")
        raise BadFile(path, problem, line=number, field=name, hint="A line has arm, item and replies.")
    return value


def _recorded_steps(path: Path, number: int, line: Mapping[str, Any]) -> tuple[tuple[Reply, ...], bool] | None:
    """The replies of an exported trace, with their own finish, tokens and seconds; None without one."""
    if not line.get("steps"):
        return None
    try:
        pairs = [pair for step in line["steps"] for pair in step if pair["request"]["kind"] == "ask"]
        return tuple(reply_from_json(fields) for pair in pairs for fields in pair["reply"]), True
    except (KeyError, TypeError, ValueError) as error:
        raise BadFile(path, f"this is no trace ({error!r}).", line=number, field="steps") from None


def _replies(path: Path, number: int, line: Mapping[str, Any]) -> tuple[tuple[Reply, ...], bool]:
    texts = line.get("replies")
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise BadFile(path, "a list of texts is needed.", line=number, field="replies")
    finish = _finish(path, number, line.get("finish", "stop"), len(texts))
    words = [len(text.split()) for text in texts]
    usage = line.get("usage")
    if usage is None:
        return tuple(Reply(t, f, 0, w) for t, f, w in zip(texts, finish, words, strict=True)), False
    spent = [usage.get(name) if isinstance(usage, dict) else None for name in ("tokens_in", "tokens_out")]
    if not all(isinstance(tokens, int) and tokens >= 0 for tokens in spent):
        raise BadFile(path, "tokens_in and tokens_out are needed.", line=number, field="usage")
    # All prompt tokens stand on the first reply: how many questions there were the record does not say,
    # and the sum is what counts.
    prompts = [int(spent[0] or 0), *(0 for _ in texts[1:])]
    shares = _shared(int(spent[1] or 0), words)
    replies = zip(texts, finish, prompts, shares, strict=False)
    return tuple(Reply(text, end, read, written) for text, end, read, written in replies), True


def _finish(path: Path, number: int, value: Any, count: int) -> list[Finish]:
    values = [value] * count if isinstance(value, str) else value
    try:
        finish = [Finish(one) for one in values]
    except (TypeError, ValueError):
        problem = f"each is one of {', '.join(Finish)}."
        raise BadFile(path, problem, line=number, field="finish") from None
    if len(finish) != count:
        raise BadFile(path, f"{len(finish)} for {count} replies.", line=number, field="finish")
    return finish


def _shared(tokens: int, words: Sequence[int]) -> list[int]:
    """Tokens by the share of words, in whole numbers that add up."""
    total = sum(words) or len(words)
    weights = list(words) if sum(words) else [1] * len(words)
    ends = [tokens * sum(weights[: i + 1]) // max(1, total) for i in range(len(weights))]
    return [end - begin for begin, end in zip([0, *ends], ends, strict=False)]
