import pytest

from assay.core import Task, UnknownName
from assay.tasks import task_named, task_names


@pytest.mark.parametrize("name", task_names())
def test_every_named_task_is_sound(name: str) -> None:
    task: Task = task_named(name)
    assert task.name == name
    assert task.kind in ("number", "yes-no", "choice", "text", "length", "move", "expression", "board", "score")
    assert task.levels
    for level in task.levels:
        samples = task.samples(20, 0, level)
        assert len({sample.id for sample in samples}) == 20
        assert samples == task.samples(20, 0, level) != task.samples(20, 1, level)
        if task.kind not in ("length", "score"):
            for sample in samples:
                assert task.extract(f"{task.cue} {sample.target}.") == sample.target
                assert sample.target in (sample.choices or (sample.target,))
    assert task.samples(5, 0) == task.samples(5, 0, task.levels[0])


def test_an_unknown_name_gets_a_suggestion() -> None:
    with pytest.raises(UnknownName) as error:
        task_named("arithmetics")
    assert str(error.value) == "There is no task named 'arithmetics'. Did you mean arithmetic?"
