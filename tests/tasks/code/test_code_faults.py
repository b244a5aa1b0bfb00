"""Right functions, syntax faults put into them, and what is read from the installed library."""

from __future__ import annotations

import ast
import json
from collections import Counter
from random import Random
from typing import Any

import pytest

from assay.core import Answer, Ending, UnknownName
from assay.core.problems.programs import same_value
from assay.tasks.code import FaultsTask
from assay.tasks.code.faults import CLASSES, LEVELS, Source, changed, spoil
from assay.tasks.code.functions import TEMPLATES, Function, made
from assay.tasks.code.library import CALLS, library_functions


def behaves(function: Function, text: str) -> bool:
    """For the right functions of these tests alone."""
    namespace: dict[str, Any] = {}
    exec(text, namespace)
    return all(case.accepts(json.loads(json.dumps(eval(case.call, namespace)))) for case in function.cases)


def test_generated_functions_do_what_their_tests_say_and_are_not_all_alike() -> None:
    functions = [made(Random(seed)) for seed in range(300)]
    assert all(behaves(one, one.source) for one in functions)
    assert len({one.source for one in functions}) > 250
    assert len({ast.dump(ast.parse(one.source))[:60] for one in functions}) > 5
    assert min(len(one.cases) for one in functions) >= 1


def test_every_template_gives_tests_that_tell_something() -> None:
    values: dict[str, set[str]] = {}
    for seed in range(600):
        one = made(Random(seed))
        values.setdefault(one.source.count("\n").__str__() + one.source[-30:], set()).update(
            c.expected for c in one.cases
        )
    assert sum(len(found) > 1 for found in values.values()) > len(values) * 0.9
    assert len(TEMPLATES) >= 20


def test_library_functions_come_from_the_library_and_pass_its_values() -> None:
    found = library_functions()
    assert len(found) >= 25
    assert found == library_functions.__wrapped__()
    assert all(behaves(one, one.source) for one in found)
    assert {one.entry for one in found} <= {name for _, name, _ in CALLS}


def test_what_a_python_has_not_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    import colorsys

    monkeypatch.delattr(colorsys, "rgb_to_yiq")
    # Its installed value differs from what its own text gives: such as a function that is not in plain Python.
    monkeypatch.setattr("calendar.isleap", lambda year: 7)
    left = {one.entry for one in library_functions.__wrapped__()}
    assert left == {one.entry for one in library_functions()} - {"rgb_to_yiq", "isleap"}


SOURCE = '''def f(xs):
    """Doc."""
    out = [x + 1 for x in xs]
    if out:
        return out
    return ["a", {}]
'''


@pytest.mark.parametrize("name", CLASSES)
def test_each_class_spoils_and_only_what_it_names(name: str) -> None:
    source = Source.of(SOURCE)
    texts = set()
    for seed in range(40):
        text = changed(SOURCE, CLASSES[name](source, Random(seed)))
        texts.add(text)
        if name in ("colon", "quote"):
            assert len(text) == len(SOURCE) - 1
        elif name == "bracket":
            assert len(SOURCE) - 1 <= len(text) <= len(SOURCE)
        elif name in ("indent", "tab"):
            assert [line.strip() for line in text.splitlines()] == [line.strip() for line in SOURCE.splitlines()]
        elif name == "tail":
            assert SOURCE.startswith(text)
            assert len(text) >= len(SOURCE) * 2 // 3
        else:
            assert SOURCE in text
            assert text.count("```") == 2
    assert SOURCE not in texts or name in ("indent", "tab")
    assert len(texts) > 1


@pytest.mark.parametrize("level", LEVELS)
def test_samples_do_not_parse_and_repeat(level: str) -> None:
    task = FaultsTask()
    samples = task.samples(60, 3, level)
    assert samples == task.samples(60, 3, level)
    assert samples[:20] == task.samples(20, 3, level)
    assert not {s.id for s in samples} & {s.id for s in task.samples(60, 4, level)}
    for sample in samples:
        with pytest.raises((SyntaxError, ValueError)):
            compile(sample.question, "faulty", "exec")
    counts = Counter(len(sample.meta["faults"]) for sample in samples)
    assert counts == {"mixed": {1: counts[1], 2: counts[2]}, "single": {1: 60}, "double": {2: 60}}[level]
    assert level != "mixed" or min(counts.values()) > 15


def test_all_seven_classes_occur_and_so_does_the_library() -> None:
    samples = FaultsTask().samples(300, 0)
    assert {name for sample in samples for name in sample.meta["faults"]} == set(CLASSES)
    library = {one.entry for one in library_functions()}
    assert 30 < sum(sample.meta["function"].entry in library for sample in samples) < 120


def test_a_cluster_is_what_a_function_was_made_from_and_not_its_name() -> None:
    samples = FaultsTask().samples(300, 0)
    entries: dict[str, set[str]] = {}
    for sample in samples:
        entries.setdefault(sample.cluster, set()).add(sample.meta["function"].entry)
    generated = {name for name in entries if name.startswith("template-")}
    assert len(generated) == len(TEMPLATES)
    assert max(len(entries[name]) for name in generated) > 3
    assert entries.keys() - generated <= {f"{module}.{name}" for module, name, _ in CALLS}
    assert all("shift=" in s.meta["function"].source for s in samples if s.cluster == "template-4")


def test_every_fault_of_two_stops_the_parser_by_itself() -> None:
    found = spoil(Function("f", SOURCE, ()), 2, Random(1))
    assert found is not None
    assert len(set(found[1])) == 2


def test_a_change_that_does_no_harm_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    remark = {"remark": lambda source, rng: [(0, 0, "# nothing\n")], "colon": CLASSES["colon"]}
    monkeypatch.setattr("assay.tasks.code.faults.CLASSES", remark)
    assert spoil(Function("f", SOURCE, ()), 2, Random(1)) is None


def test_an_unknown_level_gets_a_suggestion() -> None:
    with pytest.raises(UnknownName, match="single"):
        FaultsTask().samples(1, 0, "singel")


def test_the_score_is_what_the_arm_measured() -> None:
    task = FaultsTask()
    (sample,) = task.samples(1, 0)
    assert task.score(sample, Answer(measures={"score": 1.0})).score == 1.0
    assert task.score(sample, Answer(detail="why")).ending is Ending.ERRORED


def test_values_are_compared_as_json_has_them() -> None:
    assert same_value([1, [2]], (1, (2,)))
    assert same_value(1.0, 1)
    assert not same_value([1], (1, 2))
    assert not same_value("1", 1)
    assert not same_value(None, {1, 2})
