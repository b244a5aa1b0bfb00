import re
from collections import Counter

import pytest

from assay.core import Answer, Ending, Task, UnknownName
from assay.tasks import CoinFlipTask, FactsTask
from assay.tasks.facts.task import FLIPS
from assay.tasks.facts.words import all_words, kinds, with_article
from assay.tasks.people import MONTHS, WEEKDAYS


def truth(fact: str) -> bool:
    """The answer, worked out again from the words of the question."""
    if m := re.fullmatch(r"Is (\d+) (larger|smaller) than (\d+)\?", fact):
        return (int(m[1]) > int(m[3])) == (m[2] == "larger")
    if m := re.fullmatch(r"Is (\d+) an (even|odd) number\?", fact):
        return (m[1][-1] in "02468") == (m[2] == "even")
    if m := re.fullmatch(r"Does the word '(\w+)' contain the letter '(\w)'\?", fact):
        return m[2] in m[1]
    if m := re.fullmatch(r"Is '(\w)' the (first|last) letter of the word '(\w+)'\?", fact):
        return m[3][0 if m[2] == "first" else -1] == m[1]
    if m := re.fullmatch(r"Does '(\w+)' come (before|after) '(\w+)' in alphabetical order\?", fact):
        return (m[1] < m[3]) == (m[2] == "before")
    if m := re.fullmatch(r"If (?:today|it) is (\w+)(?: now)?, is it (\w+) in (\d+) (days|months)\?", fact):
        names = list(WEEKDAYS if m[4] == "days" else MONTHS)
        for _ in range(int(m[3])):
            names.append(names.pop(0))
        start = list(WEEKDAYS if m[4] == "days" else MONTHS).index(m[1])
        return names[start] == m[2]
    m = re.fullmatch(r"Is an? (\w+) an? ([\w ]+)\?", fact)
    assert m, fact
    return m[1] in kinds()[m[2]]


def flipped(fact: str) -> bool:
    """Whether the thing stands as asked, by going through the sentences."""
    opening, *deeds, question = re.findall(r"[^.?]+[.?]", fact)
    start, asked = opening.split(), question.split()
    pairs = {"heads": "tails", "up": "down", "on": "off", "open": "closed"}
    states = pairs | {b: a for a, b in pairs.items()}
    words = [w.strip(".") for w in start if w.strip(".") in states]
    wanted = [w.strip("?") for w in asked if w.strip("?") in states]
    state = words[0]
    for deed in deeds:
        if any(turn in deed for turn in ("flips", "turns", "presses", "moves")):
            state = states[state]
    return state == wanted[0]


def test_every_answer_is_right() -> None:
    for sample in FactsTask().samples(3000, 0):
        assert truth(sample.meta["fact"]) == (sample.target == "yes"), sample.question
        assert sample.question.endswith(sample.meta["fact"])


@pytest.mark.parametrize("level", FLIPS)
def test_every_flip_is_followed(level: str) -> None:
    for sample in CoinFlipTask().samples(400, 0, level):
        assert flipped(sample.meta["fact"]) == (sample.target == "yes"), sample.question
        assert sample.meta["fact"].count(".") == 1 + int(level)


def test_flips_are_not_given_away_by_the_state_that_is_asked_for() -> None:
    samples = CoinFlipTask().samples(1000, 0, "4")
    tails = Counter(s.target for s in samples if "tails up now" in s.question)
    assert 0.35 < tails["yes"] / sum(tails.values()) < 0.65


@pytest.mark.parametrize("n", [10, 101, 500])
def test_half_of_the_answers_are_yes_in_all_and_in_every_family(n: int) -> None:
    samples = FactsTask().samples(n, 3)
    assert len(samples) == n
    for family in {s.meta["family"] for s in samples}:
        answers = [s.target for s in samples if s.meta["family"] == family]
        assert abs(answers.count("yes") - answers.count("no")) <= 1
    assert abs(sum(1 if s.target == "yes" else -1 for s in samples)) <= 1


def test_five_seeds_never_share_a_question() -> None:
    for task, level in ((FactsTask(), None), (CoinFlipTask(), "1"), (CoinFlipTask(), "4")):
        samples = [s for seed in range(5) for s in task.samples(500, seed, level)]
        assert len({s.question for s in samples}) == len({s.id for s in samples}) == 2500


def test_samples_are_a_pure_function_and_more_of_them_begin_alike() -> None:
    task = FactsTask()
    assert task.samples(40, 1) == task.samples(60, 1)[:40]
    assert task.samples(40, 1) != task.samples(40, 2)


def test_no_fact_is_asked_twice_and_small_families_run_dry() -> None:
    samples = FactsTask(families=("kind",)).samples(10_000, 0)
    facts = [s.meta["fact"] for s in samples]
    assert len(facts) == len(set(facts))
    assert 200 < len(facts) < 2 * len(all_words()) + 2


def test_words_have_one_kind_each() -> None:
    assert len(all_words()) == len(set(all_words())) > 120
    assert with_article("owl") == "an owl"
    assert with_article("sparrow") == "a sparrow"


def test_scores_and_names() -> None:
    task: Task = FactsTask()
    (sample,) = task.samples(1, 0)
    other = {"yes": "no", "no": "yes"}[sample.target]
    assert task.score(sample, Answer(sample.target.upper() + "!")).score == 1.0
    assert task.score(sample, Answer(other)).score == 0.0
    assert task.score(sample, Answer("perhaps")).ending is Ending.UNPARSED
    assert task.score(sample, Answer(value=f" {sample.target.title()}")).score == 1.0
    assert (sample.choices, task.chance, task.kind) == (("yes", "no"), 0.5, "yes-no")
    with pytest.raises(UnknownName, match=r"no family of facts named 'parities'\. Did you mean parity"):
        FactsTask(families=("parities",))
    with pytest.raises(UnknownName, match="no number of flips named '5'"):
        CoinFlipTask(levels=("5",))
    with pytest.raises(UnknownName, match="no level named '9'"):
        CoinFlipTask().samples(1, 0, "9")
