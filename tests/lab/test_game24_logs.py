"""Published logs of the Game of 24, judged again: a log of the same form, made by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from assay.core import BadFile, UserError
from assay.lab.replaying.game24_logs import against, read_logs, shares

RIGHT = (
    "10 - 4 = 6 (left: 6 9 13)\n13 - 9 = 4 (left: 4 6)\n4 * 6 = 24 (left: 24)\nAnswer: (13 - 9) * (10 - 4) = 24\n"
)
WRONG = "10 - 4 = 6 (left: 6 9 13)\n6 * 4 = 24 (left: 24)\nAnswer: (10 - 4) * 4 = 24\n"
HALF = "10 - 4 = 6 (left: 6 9 13)\n13 - 9 = 4 (left: 4 6)\n"


def puzzle(at: int, ys: list[str], marks: list[int], numbers: str = "") -> dict[str, Any]:
    steps = {"steps": [{"step": 0, "x": numbers}]} if numbers else {}
    usage = {"prompt_tokens": 100 * at, "completion_tokens": 30 * at, "cost": 0.1}
    return {**steps, "idx": at, "ys": ys, "infos": [{"r": mark} for mark in marks], "usage_so_far": usage}


TREE = [
    puzzle(1, [RIGHT, WRONG], [1, 0], "4 9 10 13"),
    puzzle(2, [WRONG, RIGHT], [0, 0], "4 9 10 13"),  # the second was marked wrong then
    puzzle(3, [HALF, WRONG], [0, 0], "4 9 10 13"),
    puzzle(4, ["Answer: 8 / (3 - 8 / 3) = 24", ""], [1, 0], "3 3 8 8"),
]
SAMPLED = [
    puzzle(at, [WRONG, "I give up.", RIGHT if at == 3 else HALF], [0, 0, int(at == 3)]) for at in (1, 2, 3, 4)
]


def folder(tmp_path: Path, **logs: Any) -> Path:
    for name, log in logs.items():
        (tmp_path / f"{name}.json").write_text(log if isinstance(log, str) else json.dumps(log))
    return tmp_path


def test_top_1_the_mean_and_any_are_three_numbers(tmp_path: Path) -> None:
    tree, sampled = read_logs(folder(tmp_path, b_tree=TREE, a_cot=SAMPLED))
    assert (tree.path.stem, sampled.path.stem) == ("b_tree", "a_cot")
    assert [(one.name, one.value) for one in shares(tree)] == [
        ("top-1", 0.5),
        ("mean of the beam", 0.375),
        ("any of 2", 0.75),
    ]
    assert [(one.name, one.value) for one in shares(sampled)] == [("one sample", 1 / 12), ("any of 3", 0.25)]
    assert all(one.interval.low < one.value < one.interval.high for one in shares(tree))
    # Four in four puzzles is no certainty, and three in four has an exact interval (Clopper and Pearson).
    assert shares(tree)[2].interval.low == pytest.approx(0.194, abs=0.001)


def test_marks_of_then_are_compared_with_ours_and_tokens_are_per_puzzle(tmp_path: Path) -> None:
    tree, sampled = read_logs(folder(tmp_path, tree=TREE, cot=SAMPLED))
    assert (tree.differ, sampled.differ) == (1, 0)
    assert (tree.tokens_in, tree.tokens_out) == (100.0, 30.0)


def test_two_logs_are_compared_puzzle_by_puzzle(tmp_path: Path) -> None:
    tree, sampled = read_logs(folder(tmp_path, tree=TREE, cot=SAMPLED[:3]))
    assert against(tree.any(), sampled.any()) == (2, 1, 1.0)
    assert against(tree.first(), sampled.any()) == (1, 1, 1.0)


@pytest.mark.parametrize(
    ("log", "problem"),
    [
        ("nonsense", "cannot be read"),
        ("{}", "no array"),
        ([puzzle(1, [RIGHT], [1], "4 9 10 13"), {"idx": 2}], "puzzle 2 of the array"),
        ([puzzle(1, [RIGHT], [1], "4 9 10 13"), puzzle(2, [RIGHT], [], "4 9 10 13")], "puzzle 2 of the array"),
        ([puzzle(1, [RIGHT], [1], "4 9 10 13")] * 2, "stands twice"),
        (SAMPLED, "which numbers puzzle 1 has"),
        ([*TREE[:3], {**TREE[3], "usage_so_far": 5}], "puzzle 4 of the array"),
        ([*TREE[:3], {**TREE[3], "usage_so_far": {"prompt_tokens": "many"}}], "puzzle 4 of the array"),
        ([*TREE[:3], puzzle(4, [""], [0], "zzz")], "'zzz' is no row of numbers"),
        ([*TREE[:3], puzzle(4, [""], [0], "7")], "1 numbers are not played with"),
    ],
)
def test_what_is_no_log_is_said_so(tmp_path: Path, log: Any, problem: str) -> None:
    with pytest.raises(BadFile, match=problem) as error:
        read_logs(folder(tmp_path, log=log))
    assert str(tmp_path / "log.json") in str(error.value)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no logs"):
        read_logs(tmp_path)
