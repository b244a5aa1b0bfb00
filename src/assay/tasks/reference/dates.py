"""Which day of the week it is: nothing but a calendar knows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from assay.core.answers import extract_choice
from assay.core.errors import UnknownName
from assay.core.samples import Answer, Outcome, Sample
from assay.core.validation import require_whole
from assay.tasks.people import ASKERS, WEEKDAYS, digest
from assay.tasks.scoring import score_match

FIRST, LAST = date(1990, 1, 1), date(2039, 12, 31)
WHEN = {
    "today": ((0, "What day of the week is it today?"),),
    "near": (
        (-1, "What day of the week was it yesterday?"),
        (0, "What day of the week is it today?"),
        (1, "What day of the week is it tomorrow?"),
    ),
    "days": tuple((days, f"What day of the week is it {days} days from now?") for days in range(2, 7)),
}


@dataclass(frozen=True, slots=True)
class WeekdayTask:
    """Level "today" asks for today's weekday, "near" for one day around it, "days" for two to six days on.

    `meta["today"]` is the date (ISO), for a calendar to tell.
    """

    name: str = "weekdays"
    cue: str = "Therefore, the answer (a day of the week) is"
    kind: str = "choice"
    chance: float | None = 1 / 7
    levels: tuple[str, ...] = ("today", "near", "days")

    def samples(self, n: int, seed: int, level: str | None = None) -> tuple[Sample, ...]:
        """n questions, each on a day of its own."""
        require_whole("n", n, 0, 10_000)
        level = self.levels[0] if level is None else level
        if level not in self.levels:
            raise UnknownName("level", level, self.levels)
        days = (LAST - FIRST).days
        found = []
        for at, days_on in enumerate(Random(f"weekdays/{seed}").sample(range(days), n)):
            today = FIRST + timedelta(days_on)
            offset, words = Random(f"weekdays/{level}/{seed}/{at}").choice(WHEN[level])
            # Told on another scene under every seed, so that no question stands in two of them.
            question = ASKERS.tell(words, seed * 10_007 + days_on)
            found.append(
                Sample(
                    id=f"weekday-{level}-{digest(f'{seed} {today} {question}')}",
                    question=question,
                    target=WEEKDAYS[(today + timedelta(offset)).weekday()],
                    choices=WEEKDAYS,
                    meta={"today": today.isoformat(), "offset": offset},
                )
            )
        return tuple(found)

    def extract(self, text: str) -> str | None:
        """The day a reply names."""
        return extract_choice(text, WEEKDAYS)

    def score(self, sample: Sample, answer: Answer) -> Outcome:
        """1.0 for the right day."""
        return score_match(sample, answer, self.extract, lambda a, b: a == b)
