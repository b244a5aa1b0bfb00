"""Recorded transcripts as a model: what was said once is judged again, by today's rules.

The flow runs as ever, parses as ever and is scored as ever; programs are run for real. What was asked
back then is not compared with what the flow asks now.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from assay.core import (
    Answer,
    Arm,
    Ask,
    BadFile,
    BadReply,
    CannotRun,
    Capability,
    Claim,
    ClosedModel,
    Embed,
    Embeddings,
    Fingerprint,
    Grouping,
    Outcome,
    Read,
    Reading,
    Reply,
    Sample,
    Score,
    Scores,
    Task,
)
from assay.core.answers import canonical_number, extract_yes_no
from assay.lab.replaying.replay_transcripts import Recording, Transcript

LEVEL = "recorded"


# --- the model


class Replay:
    """A model that says what was recorded. Ask it through `for_sample`: every flow has replies of its own."""

    def __init__(self, recording: Recording) -> None:
        self.name = f"replay:{recording.path.name}"
        parts = (("recording", recording.path.name), ("sha256", recording.hash))
        self.fingerprint = Fingerprint(recording.hash, parts)
        self.capabilities = frozenset(
            {Capability.GENERATE, Capability.CHAT, Capability.PREFILL, Capability.N, Capability.SEED}
        )
        self.slots = 8
        self.grouping = Grouping.TOGETHER
        self.recording = recording
        self.too_short: list[BadFile] = []
        """What ran out of replies; the flow it happened in has no score, so the caller must look here."""
        self.voices: list[_Voice] = []
        self._begun: Counter[tuple[str, str]] = Counter()

    def for_sample(self, arm: str, item: str) -> _Voice:
        """A model with the replies of this arm to this item; the next repeat each time it is asked for."""
        repeats = self.recording.transcripts.get((arm, item), ())
        at = self._begun[arm, item]
        self._begun[arm, item] += 1
        if not repeats:
            raise CannotRun(f"{self.recording.path} holds no replies of arm '{arm}' to item '{item}'.")
        voice = _Voice(self, repeats[at % len(repeats)])
        self.voices.append(voice)
        return voice

    async def generate(self, request: Ask, indexes: Sequence[int]) -> tuple[Reply, ...]:
        """Never: without arm and item nobody knows which replies are meant."""
        raise BadReply(f"{self.name} answers only through for_sample(arm, item).")

    async def score(self, request: Score) -> Scores:
        """Never: a transcript holds no log-probabilities."""
        raise CannotRun("A transcript holds no log-probabilities.", hint="Type: assay run CLAIM")

    async def read(self, request: Read) -> Reading:
        """Never: a transcript holds no numbers."""
        raise ClosedModel(self.name)

    async def embed(self, request: Embed) -> Embeddings:
        """Never: a transcript holds no vectors."""
        raise CannotRun("A transcript holds no vectors.", hint="Type: assay run CLAIM")

    async def close(self) -> None:
        """Nothing to let go of."""


class _Voice:
    """The replies of one transcript, given out in order."""

    def __init__(self, replay: Replay, transcript: Transcript) -> None:
        self.name = replay.name
        self.capabilities = replay.capabilities
        self.slots = replay.slots
        self.grouping = replay.grouping
        self.transcript = transcript
        own = f"{replay.fingerprint.hash}/{transcript.line}"
        # Two flows may ask the same: were the fingerprints equal, they would share one reply.
        self.fingerprint = Fingerprint(hashlib.sha256(own.encode()).hexdigest()[:16], replay.fingerprint.parts)
        self.given = 0
        self._replay = replay

    async def generate(self, request: Ask, indexes: Sequence[int]) -> tuple[Reply, ...]:
        """The next replies of the transcript, one per index."""
        transcript, wanted = self.transcript, self.given + len(indexes)
        recorded = len(transcript.replies)
        if wanted > recorded:
            problem = (
                f"arm '{transcript.arm}', item '{transcript.item}': "
                f"{_counted(recorded)} recorded and the flow asks for {wanted}."
            )
            if not transcript.cut_short:
                path = self._replay.recording.path
                self._replay.too_short.append(BadFile(path, problem, line=transcript.line, field="replies"))
            raise BadReply(problem)
        replies = transcript.replies[self.given : wanted]
        self.given = wanted
        if transcript.counted:
            return replies
        words = sum(len(m.text.split()) for m in request.messages) + len(request.prefill.split())
        return tuple(Reply(reply.text, reply.finish, words, reply.tokens_out) for reply in replies)

    async def score(self, request: Score) -> Scores:
        """Never: a transcript holds no log-probabilities."""
        return await self._replay.score(request)

    async def read(self, request: Read) -> Reading:
        """Never: a transcript holds no numbers."""
        return await self._replay.read(request)

    async def embed(self, request: Embed) -> Embeddings:
        """Never: a transcript holds no vectors."""
        return await self._replay.embed(request)

    async def close(self) -> None:
        """Nothing to let go of."""


def _counted(replies: int) -> str:
    return "1 reply is" if replies == 1 else f"{replies} replies are"


# --- the task


@dataclass(frozen=True, slots=True)
class TranscriptTask:
    """The items of a recording that both arms have, in the order of the file, scored by a claim's own task."""

    task: Task
    items: tuple[Sample, ...] = field(repr=False)
    levels: tuple[str, ...] = (LEVEL,)

    @property
    def name(self) -> str:
        """The name of the task that scores."""
        return self.task.name

    @property
    def kind(self) -> str:
        """As the task says."""
        return self.task.kind

    @property
    def cue(self) -> str:
        """As the task says."""
        return self.task.cue

    @property
    def chance(self) -> float | None:
        """As the task says."""
        return self.task.chance

    def samples(self, n: int, seed: int, level: str | None = None) -> tuple[Sample, ...]:
        """The first n; their order is that of the file, whatever the seed."""
        return self.items[:n]

    def extract(self, text: str) -> str | None:
        """As the task does."""
        return self.task.extract(text)

    def score(self, sample: Sample, answer: Answer) -> Outcome:
        """As the task does."""
        return self.task.score(sample, answer)


def transcript_task(recording: Recording, claim: Claim) -> TranscriptTask:
    """The items that stand in treatment and control.

    Raises:
        BadFile: where there is none, or one has no target that the task could score by.
    """
    arms = claim.treatment.name, claim.control.name
    items = [
        item
        for item in dict.fromkeys(item for _, item in recording.transcripts)
        if all((arm, item) in recording.transcripts for arm in arms)
    ]
    if not items:
        raise BadFile(recording.path, f"no item has replies in both arms, {arms[0]} and {arms[1]}.")
    samples = []
    for item in items:
        lines = [one for arm in arms for one in recording.transcripts[arm, item]]
        samples.append(_sample(recording.path, item, sorted(lines, key=lambda one: one.line), claim.task.kind))
    return TranscriptTask(claim.task, tuple(samples))


def _sample(path: Path, item: str, lines: Sequence[Transcript], kind: str) -> Sample:
    """What the lines about an item say of it; the first that says it counts."""
    targets = {_canonical(path, one, kind): one for one in lines if one.target}
    if len(targets) > 1:
        problem = f"the item '{item}' has several targets: {', '.join(sorted(targets))}."
        raise BadFile(path, problem, line=lines[-1].line, field="target")
    if not targets and kind != "length":
        hint = "Give it on one of the item's lines."
        raise BadFile(path, f"the item '{item}' has no target.", line=lines[0].line, field="target", hint=hint)
    choices = next((one.choices for one in lines if one.choices), ("yes", "no") if kind == "yes-no" else ())
    question = next((one.question for one in lines if one.question), f"(item {item})")
    cluster = next((one.cluster for one in lines if one.cluster), "")
    return Sample(item, question, next(iter(targets), ""), choices, cluster)


def _canonical(path: Path, one: Transcript, kind: str) -> str:
    """The target in the form the task compares with."""
    target: str | None = one.target.strip()
    if kind == "number":
        target = canonical_number(one.target)
    elif kind == "yes-no":
        target = extract_yes_no(one.target)
    if target is None:
        problem = f"'{one.target[:40]}' is no answer of the kind '{kind}', which the claim's task has."
        raise BadFile(path, problem, line=one.line, field="target")
    return target


def recorded_repeats(recording: Recording, claim: Claim, task: TranscriptTask) -> int:
    """How often every item was recorded in both arms at least."""
    arms = claim.treatment.name, claim.control.name
    return min(len(recording.transcripts[arm, sample.id]) for sample in task.items for arm in arms)


def has_placebo(recording: Recording, claim: Claim, task: TranscriptTask) -> bool:
    """Whether every item has a transcript of the placebo."""
    name = claim.placebo.name if isinstance(claim.placebo, Arm) else "placebo"
    return all((name, sample.id) in recording.transcripts for sample in task.items)


def replay_notes(replay: Replay, task: TranscriptTask, claim: Claim) -> list[str]:
    """What a reader of a replayed verdict must know."""
    chosen = {sample.id for sample in task.items}
    arms = claim.treatment.name, claim.control.name
    voices = [voice for voice in replay.voices if voice.transcript.item in chosen]
    notes = ["Recorded replies were judged; no model was asked, and prompts were not compared."]
    if any(not voice.transcript.counted for voice in voices):
        notes.append("Tokens are counted as words where the file gives no usage: an estimate.")
    unused = sum(1 for voice in voices if voice.given < len(voice.transcript.replies))
    if unused:
        notes.append(f"{unused} transcripts hold more replies than the flow asked for: is it the right claim?")
    transcripts = replay.recording.transcripts
    alone = {item for arm, item in transcripts if arm in arms and item not in chosen}
    if alone:
        notes.append(f"{len(alone)} items have replies in one arm alone and are left out.")
    if replay.recording.other_arms:
        notes.append(f"Other arms in the file: {', '.join(replay.recording.other_arms)}.")
    return notes
