import ast
import re
from collections import Counter
from fractions import Fraction

import pytest

from assay.core import Answer, BadRequest, Ending, Finish, Task, UnknownName
from assay.tasks import ArithmeticTask, extract_number, large_numbers, multi_step, one_step
from assay.tasks.arithmetic.stories import FAMILIES
from assay.tasks.arithmetic.task import LARGE, STEPS
from assay.tasks.people import DAYS

EVERY = ArithmeticTask(levels=STEPS + LARGE)


def exactly(node: ast.AST) -> Fraction:
    """The value of an expression in fractions: `//` counts only where it leaves no remainder."""
    if isinstance(node, ast.Expression):
        return exactly(node.body)
    if isinstance(node, ast.Constant):
        return Fraction(int(str(node.value)))
    assert isinstance(node, ast.BinOp)
    left, right = exactly(node.left), exactly(node.right)
    if isinstance(node.op, ast.Add):
        return left + right
    if isinstance(node.op, ast.Sub):
        return left - right
    if isinstance(node.op, ast.Mult):
        return left * right
    assert isinstance(node.op, ast.FloorDiv)
    return left / right


@pytest.mark.parametrize("level", STEPS + LARGE)
def test_the_expression_gives_the_target_and_has_as_many_steps_as_the_level(level: str) -> None:
    for sample in EVERY.samples(400, seed=1, level=level):
        tree = ast.parse(sample.meta["expression"], mode="eval")
        assert str(exactly(tree)) == sample.target
        steps = sum(isinstance(node, ast.BinOp) for node in ast.walk(tree))
        assert steps == sample.meta["steps"] == int(level[-1])


@pytest.mark.parametrize("level", ["1", "3", "5", "large-3"])
def test_a_problem_shows_the_expressions_numbers_in_order_and_never_the_answer(level: str) -> None:
    for sample in EVERY.samples(300, seed=2, level=level):
        shown = re.findall(r"[0-9]+", sample.question)
        used = re.findall(r"[0-9]+", sample.meta["expression"])
        assert sorted(shown) == sorted(used)
        assert sample.target not in shown
        assert len(set(shown)) == len(shown)
        assert "{" not in sample.question
        assert "  " not in sample.question


# What a sentence of the comparing families says: (pattern, how `new` follows from `old`).
SAYS = (
    (r"[Tt]he (?P<new>\w+) is (\d+) years old", "{n}"),
    (r"the (?P<new>\w+) has stood there for (\d+) years", "{n}"),
    (r"The age of the (?P<new>\w+) is (\d+) years", "{n}"),
    (r"The (?P<new>\w+) is (\d+) years older than the (?P<old>\w+)", "{old} + {n}"),
    (r"The (?P<old>\w+) was built (\d+) years after the (?P<new>\w+)", "{old} + {n}"),
    (r"The (?P<new>\w+) is (\d+) years younger than the (?P<old>\w+)", "{old} - {n}"),
    (r"The (?P<old>\w+) is older than the (?P<new>\w+) by (\d+) years", "{old} - {n}"),
    (r"The (?P<new>\w+) is (\d+) times as old as the (?P<old>\w+)", "{old} * {n}"),
    (r"(?P<new>\w+) (?:owns|has) (\d+) \w+", "{n}"),
    (r"The number of \w+ that (?P<new>\w+) owns is (\d+)", "{n}"),
    (r"(?P<new>\w+) has (\d+) times as many \w+ as (?P<old>\w+)", "{old} * {n}"),
    (r"(?P<new>\w+) has (\d+) more \w+ than (?P<old>\w+)", "{old} + {n}"),
    (r"(?P<new>\w+) has (\d+) fewer \w+ than (?P<old>\w+)", "{old} - {n}"),
)


def read(question: str) -> int:
    """The answer from the words alone: each sentence relates what is new to what is known."""
    _, body = re.split(r"(?<=[.:]) ", question, maxsplit=1)
    *told, asked = re.split(r"(?<=[.?]) ", body)
    known: dict[str, int] = {}
    for sentence in told:
        plain = sentence.removeprefix("People say that ").removesuffix(".")
        match, says = next((m, says) for pattern, says in SAYS if (m := re.fullmatch(pattern, plain)))
        new, old = match["new"], match.groupdict().get("old", "")
        n = next(int(group) for group in match.groups() if group.isdigit())
        if new in known:  # told the other way round: it is `old` that is not known yet
            inverse = {"+": known[new] - n, "-": known[new] + n, "*": known[new] // n}
            known[old] = inverse[says.split()[1]]
        else:
            known[new] = eval(says.format(old=known.get(old), n=n))
    return known[re.findall(r"\w+", asked)[-1]] if "old is" in asked else known[asker(asked)]


def asker(asked: str) -> str:
    """Whom a comparison asks for."""
    found = re.search(r"does (\w+) have|that (\w+) owns", asked)
    assert found
    return found[1] or found[2]


@pytest.mark.parametrize("level", STEPS)
def test_the_words_of_comparing_stories_say_what_the_expression_says(level: str) -> None:
    samples = EVERY.samples(600, 4, level)
    comparing = [s for s in samples if s.meta["family"] in ("ages", "comparisons")]
    assert len(comparing) > 60
    for sample in comparing:
        question = sample.question.replace(", in years?", "?")
        assert read(question) == int(sample.target), sample.question


def test_what_is_packed_is_counted_in_packs() -> None:
    packed = 0
    for sample in EVERY.samples(1000, 0, "3"):
        for pack in ("boxes", "bags"):
            if f" {pack}" in sample.question and sample.meta["family"] in ("rates", "packing"):
                packed += 1
                assert pack in re.split(r"(?<=[.?]) ", sample.question)[-1], sample.question
    assert packed > 20


def test_after_a_look_at_a_part_only_the_question_comes() -> None:
    looks = 0
    for sample in EVERY.samples(1000, 0, "4"):
        sentences = re.split(r"(?<=[.?]) ", sample.question)
        looks += "one of these" in sentences[-2]
        assert not any("one of these" in sentence for sentence in sentences[:-2]), sample.question
    assert looks > 20


def test_many_problems_of_one_seed_are_all_different() -> None:
    samples = EVERY.samples(8000, 0, "1")
    assert len({s.question for s in samples}) == 8000


def test_every_family_comes_up_at_every_level() -> None:
    for level in STEPS:
        families = Counter(sample.meta["family"] for sample in EVERY.samples(500, 0, level))
        assert set(families) == {family.name for family in FAMILIES}
        assert min(families.values()) >= 20
    assert len(FAMILIES) >= 8


def test_five_seeds_never_share_a_problem() -> None:
    for level in ("1", "2", "large-2"):
        samples = [s for seed in range(5) for s in EVERY.samples(500, seed, level)]
        assert len({sample.question for sample in samples}) == 2500
        assert len({sample.id for sample in samples}) == 2500


def test_one_body_has_another_scene_under_every_seed() -> None:
    texts = {DAYS.tell("The body.", seed) for seed in range(DAYS.count)}
    assert len(texts) == DAYS.count > 1000
    assert DAYS.tell("The body.", 3) == DAYS.tell("The body.", 3 + DAYS.count)


def test_samples_are_a_pure_function_and_more_of_them_begin_alike() -> None:
    first, again = EVERY.samples(50, 7, "3"), EVERY.samples(80, 7, "3")
    assert first == again[:50]
    assert [s.meta for s in first] == [s.meta for s in again[:50]]
    assert EVERY.samples(50, 8, "3") != first


def test_the_very_samples_of_seed_zero_have_not_changed() -> None:
    sample = EVERY.samples(1, 0, "2")[0]
    assert (sample.id, sample.target) == ("arith-2-f0f96359515d", "4")


def test_large_levels_tell_the_same_stories_with_large_numbers() -> None:
    def stories(level: str) -> list[str]:
        bodies = (sample.question.split(" ", 4)[4] for sample in EVERY.samples(200, 5, level))
        return [re.sub(r"^.*?[.:] ", "", re.sub(r"[0-9]+", "#", body), count=1) for body in bodies]

    alike = sum(a[-60:] == b[-60:] for a, b in zip(stories("2"), stories("large-2"), strict=True))
    assert alike >= 190
    small = [max(map(int, re.findall(r"\d+", s.question))) for s in EVERY.samples(200, 5, "2")]
    large = [max(map(int, re.findall(r"\d+", s.question))) for s in EVERY.samples(200, 5, "large-2")]
    assert max(small) <= 80
    assert min(large) >= 10_000


def test_magnitudes_grow_with_the_level() -> None:
    middle = []
    for level in STEPS:
        targets = sorted(int(sample.target) for sample in EVERY.samples(400, 0, level))
        middle.append(targets[200])
        assert targets[0] >= 2
        assert targets[-1] <= 3000
    assert middle == sorted(middle)


def test_scores() -> None:
    task = one_step()
    (sample,) = task.samples(1, 0)
    right = task.score(sample, Answer(f"The answer is {sample.target}.0 in all"))
    assert (right.ending, right.score, right.answer) == (Ending.SCORED, 1.0, sample.target)
    assert task.score(sample, Answer("999999")).score == 0.0
    assert task.score(sample, Answer(value=f" {sample.target} ")).score == 1.0
    assert task.score(sample, Answer("no idea")).ending is Ending.UNPARSED
    assert task.score(sample, Answer("so we", finish=Finish.LENGTH)).ending is Ending.TRUNCATED
    assert task.score(sample, Answer(sample.target, finish=Finish.REFUSED)).ending is Ending.REFUSED


def test_a_number_the_cut_may_have_split_is_no_answer() -> None:
    task = one_step()
    (sample,) = task.samples(1, 0)
    assert task.score(sample, Answer(sample.target, finish=Finish.LENGTH)).ending is Ending.TRUNCATED
    whole = Answer(f"{sample.target} because", finish=Finish.LENGTH)
    assert task.score(sample, whole).score == 1.0


def test_variants_and_bad_levels() -> None:
    assert one_step().levels == ("1",)
    assert multi_step().levels == ("2", "3", "4", "5")
    assert large_numbers().levels == ("large-1", "large-2", "large-3")
    assert multi_step().samples(3, 0) == multi_step().samples(3, 0, "2")
    assert one_step().samples(0, 0) == ()
    with pytest.raises(UnknownName, match="There is no level named '9'"):
        one_step().samples(1, 0, "9")
    with pytest.raises(UnknownName, match="no arithmetic level named '6'"):
        ArithmeticTask(levels=("6",))
    with pytest.raises(BadRequest, match="n must be between 0 and"):
        one_step().samples(-1, 0)


def test_it_is_a_task() -> None:
    task: Task = ArithmeticTask()
    assert (task.kind, task.chance) == ("number", None)
    assert extract_number(f"{task.cue} 12.") == task.extract("12") == "12"
