"""Who wrote it? Passages by people, and the same prompts for a model to go on from."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from assay.core.errors import UnknownName
from assay.core.samples import Answer, Outcome, Sample
from assay.core.validation import require, require_whole
from assay.tasks.people import digest
from assay.tasks.scoring import score_judge
from assay.tasks.text_origin.corpus import HumanText, packaged_text

HUMAN, MACHINE = "human", "machine"


def first_words(text: str, count: int) -> str:
    """The first words of a text, as they stand in it."""
    words = text.split()
    return " ".join(words[:count])


@dataclass(frozen=True, slots=True)
class TextOriginTask:
    """Each passage twice: once to be judged as its author went on, once as a model goes on.

    `question` is the prompt both share, `meta["continuation"]` what the author wrote. A judge returns
    the measure "score", higher where it takes the text to be a machine's. The collection is finite:
    samples of two seeds overlap, and whoever needs them apart drops by id.
    """

    corpus: HumanText | None = None
    """None: the packaged text."""
    prompt_words: int = 24
    words: int = 90
    """Words to be judged; both kinds are cut to the same number."""
    name: str = "text-origin"
    cue: str = ""
    kind: str = "score"
    chance: float | None = None
    levels: tuple[str, ...] = ("prose",)
    labels: tuple[str, ...] = field(default=(HUMAN, MACHINE))
    """Targets of a passage's samples, one each."""

    def __post_init__(self) -> None:
        require_whole("prompt words", self.prompt_words, 1, 1000)
        require_whole("words", self.words, 1, 1000)
        require(len(set(self.labels)) == len(self.labels) > 0, "Every passage has a sample of each label.")

    def samples(self, n: int, seed: int, level: str | None = None) -> tuple[Sample, ...]:
        """n samples, those of one passage side by side, passages shuffled by the seed."""
        require_whole("n", n, 0, 10_000_000)
        if level is not None and level not in self.levels:
            raise UnknownName("level", level, self.levels)
        passages = list((self.corpus or packaged_text()).passages)
        Random(f"text-origin/{seed}").shuffle(passages)
        found: list[Sample] = []
        for passage in passages[: -(-n // len(self.labels))]:
            words = passage.split()
            prompt = " ".join(words[: self.prompt_words])
            continuation = " ".join(words[self.prompt_words : self.prompt_words + self.words])
            for label in self.labels:
                found.append(
                    Sample(
                        id=f"{label}-{digest(passage)}",
                        question=prompt,
                        target=label,
                        cluster=digest(passage),
                        meta={"continuation": continuation},
                    )
                )
        return tuple(found[:n])

    def extract(self, text: str) -> str | None:
        """There is nothing to read: judges measure."""
        return None

    def score(self, sample: Sample, answer: Answer) -> Outcome:
        """The judge's own number; where it abstained, unparsed with its reason."""
        return score_judge(answer)
