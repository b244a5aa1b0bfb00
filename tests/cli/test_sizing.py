"""`assay size`: the width of a network from its logits, the size of a model from its scores."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from assay.cli.network import sizing
from assay.core import BadFile

from .test_probing import Capture, command, one_sentence

SIZES = {"a": "10k", "b": "100k", "c": "1M", "d": "10M", "e": "100M", "f": "1B"}


def family(folder: Path, *, percent: bool = False, unknown: float = 3e6, keep: int = 6) -> Path:
    """Scores that follow a law exactly, on one easy and one hard task, and one that tells nothing."""

    def score(size: float, middle: float) -> float:
        return 1 / (1 + math.exp(-1.2 * (math.log10(size) - middle)))

    rows = [(name, text, sizing.parameters(folder, 1, text)) for name, text in list(SIZES.items())[:keep]]
    lines = ["name,parameters,easy,hard,noise"]
    for name, text, size in [*rows, ("mystery", "?", unknown)]:
        cells = [score(size, 5.5), score(size, 7.0), 0.25]
        lines.append(f"{name},{text}," + ",".join(f"{cell * (100 if percent else 1):.6f}" for cell in cells))
    file = folder / "family.csv"
    file.write_text("\n".join(lines) + "\n")
    return file


def test_a_size_is_inferred_with_its_interval_and_its_coverage(tmp_path: Path, capsys: Capture) -> None:
    words = ("size", "infer", str(family(tmp_path)), "--unknown", "mystery", "--trials", "1000", "--json")
    code, out, err = command(capsys, *words, "--chance", "noise=0.25")
    assert code == 0, err
    found = json.loads(out)
    assert found["parameters"] == pytest.approx(3e6, rel=0.2)
    assert found["interval"][0] < 3e6 < found["interval"][1]
    assert (found["bound"], found["dropped"], found["tasks"]) == ("none", ["noise"], ["easy", "hard"])
    assert set(found["covered"]) == set(SIZES)


def test_percent_is_the_same_as_shares(tmp_path: Path, capsys: Capture) -> None:
    answers = []
    for percent in (False, True):
        file = family(tmp_path, percent=percent)
        _, out, _ = command(
            capsys, "size", "infer", str(file), "--unknown", "mystery", "--json", "--trials", "500"
        )
        answers.append(json.loads(out)["parameters"])
    assert answers[0] == pytest.approx(answers[1], rel=1e-3)


def test_what_lies_beyond_the_references_is_a_bound(tmp_path: Path, capsys: Capture) -> None:
    file = family(tmp_path, unknown=1e12)
    code, out, err = command(capsys, "size", "infer", str(file), "--unknown", "mystery")
    assert code == 0
    assert "mystery: at least " in out
    assert "to infinity" in out
    assert "leave-one-out: " in out
    assert "taken for one of 100 items" in err


def test_three_references_are_enough_but_cannot_be_left_out(tmp_path: Path, capsys: Capture) -> None:
    code, out, _ = command(capsys, "size", "infer", str(family(tmp_path, keep=3)), "--unknown", "mystery")
    assert code == 0
    assert "Leave-one-out cannot be done" in out


def test_fewer_than_three_references_are_refused(tmp_path: Path, home: Path, capsys: Capture) -> None:
    words = ("size", "infer", str(family(tmp_path, keep=2)), "--unknown", "mystery", "--trials", "9")
    one_sentence(capsys, "at least 3 references", *words)


@pytest.mark.parametrize(("text", "value"), [("10k", 1e4), ("3M", 3e6), ("1.3e9", 1.3e9), ("1,000", 1e3)])
def test_sizes_are_read_as_people_write_them(text: str, value: float) -> None:
    assert sizing.parameters(Path("f"), 1, text) == pytest.approx(value)


@pytest.mark.parametrize("text", ["", "?", "-3M", "big", "nan", "0", "inf"])
def test_what_is_no_size_is_refused_with_its_line(text: str) -> None:
    with pytest.raises(BadFile, match="line 7, field 'parameters'"):
        sizing.parameters(Path("f"), 7, text)


def test_sizes_are_written_short() -> None:
    assert [sizing.short(value) for value in (12, 10_200, 3e6, 1.3e9, 2e12, math.inf)] == [
        *("12", "10.2k", "3M", "1.3B", "2T", "infinity")
    ]


FILES = {
    "empty": ("", "the file is empty"),
    "no column": ("name,size,x\na,1M,.5\n", "there is no column 'parameters'"),
    "no task": ("name,parameters\na,1M\nmystery,?\n", "no column with scores"),
    "no rows": ("name,parameters,x\n", "no row under the heading"),
    "short row": ("name,parameters,x\na,1M\nmystery,?,.5\n", "line 2"),
    "no number": ("name,parameters,x\na,1M,good\nmystery,?,.5\n", "line 2, field 'x'"),
    "above percent": ("name,parameters,x\na,1M,120\nmystery,?,50\n", "field 'x': a score lies in"),
    "mixed": ("name,parameters,x,y\na,1M,12,.5\nmystery,?,50,.5\n", "looks like percent"),
    "no size": ("name,parameters,x\na,?,.5\nmystery,?,.5\n", "line 2, field 'parameters'"),
    "unknown": ("name,parameters,x\na,1M,.5\n", "There is no model named 'mystery'"),
    "twice": ("name,parameters,x\na,1M,.5\na,1M,.5\nmystery,?,.5\n", "two rows have one name"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_bad_file_is_one_sentence(name: str, home: Path, tmp_path: Path, capsys: Capture) -> None:
    content, wanted = FILES[name]
    file = tmp_path / "f.csv"
    file.write_text(content)
    one_sentence(capsys, wanted, "size", "infer", str(file), "--unknown", "mystery", "--trials", "100")


def test_files_that_are_none_and_options_that_fit_nothing(home: Path, tmp_path: Path, capsys: Capture) -> None:
    file = str(family(tmp_path))
    one_sentence(capsys, "this is a folder", "size", "infer", str(tmp_path), "--unknown", "x")
    one_sentence(capsys, "cannot be read", "size", "infer", str(tmp_path / "no.csv"), "--unknown", "x")
    one_sentence(
        capsys, "no task named 'esy'", "size", "infer", file, "--unknown", "mystery", "--chance", "esy=.5"
    )
    one_sentence(capsys, "is no number", "size", "infer", file, "--unknown", "mystery", "--trials", "easy=lots")
    one_sentence(capsys, "evel", "size", "infer", file, "--unknown", "mystery", "--trials", "9", "--level", "2")
    (tmp_path / "latin.csv").write_bytes(b"name,parameters\n\xe9,1\n")
    one_sentence(capsys, "not UTF-8", "size", "infer", str(tmp_path / "latin.csv"), "--unknown", "x")


@pytest.mark.engine
def test_the_width_of_a_real_network_is_read_off_its_logits(home: Path, capsys: Capture) -> None:
    code, out, err = command(capsys, "size", "logits", "--texts", "600", "--json")
    assert code == 0, err
    found = json.loads(out)
    assert found["width"] == 576
    values = found["singular_values"]
    assert values["576"] > 100 * values["577"]
