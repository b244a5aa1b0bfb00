"""`assay scaling`: laws fitted to a file of runs, budgets split, and what a bad file is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from typer.testing import CliRunner

from assay.cli.scaling import scaling
from assay.core.errors import AssayError, BadFile
from assay.stats import PUBLISHED_LAWS, effective_tokens

PLANTED = PUBLISHED_LAWS["besiroglu"]


def said(*words: str) -> tuple[str, str]:
    """Standard output and standard error of one command that ends well."""
    done = CliRunner().invoke(scaling, list(words), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout, done.stderr


def refused(*words: str) -> str:
    """The one sentence of a command that ends in the user's mistake; nothing stands on standard output."""
    done = CliRunner().invoke(scaling, list(words))
    assert isinstance(done.exception, AssayError), done.output
    assert done.exception.exit_code == 2
    assert done.stdout == ""
    sentence = str(done.exception)
    assert len(sentence.splitlines()) == 1
    return sentence


def write(folder: Path, heading: str, rows: list[str]) -> str:
    file = folder / "runs.csv"
    file.write_text("\n".join([heading, *rows]) + "\n")
    return str(file)


def runs(folder: Path, sizes: int = 12, lengths: int = 13, epochs: tuple[float, ...] = (1.0,)) -> str:
    """A grid of runs on the planted surface; with several epochs also the same lengths on fewer tokens."""
    rng, rows = np.random.default_rng(0), []
    for size in np.geomspace(5e7, 1.6e10, sizes):
        for data in np.geomspace(1e9, 4e11, lengths):
            for each in epochs:
                worth = effective_tokens(data, data / each, 6.0)
                loss = float(PLANTED.loss(size, worth)) * np.exp(0.004 * rng.normal())
                rows.append(f"{size / 1e6:.4f}M,x,{data:.6g},{loss:.6f},{data / each:.6g}")
    return write(folder, "parameters,name,tokens,loss,unique_tokens", rows)


def test_a_file_of_runs_is_fitted_with_errors_and_budgets(tmp_path: Path) -> None:
    out, _ = said("fit", runs(tmp_path), "--bootstrap", "60", "--budget", "1e21", "--budget", "1e25", "--json")
    found: dict[str, Any] = json.loads(out)
    (fit,) = found["fits"]
    assert (found["runs"], fit["method"], fit["converged"], fit["resampled"]) == (156, "varpro", True, 60)
    for name, number in fit["numbers"].items():
        assert abs(number["value"] - getattr(PLANTED, name)) < 3 * number["standard_error"], name
        assert number["interval"][0] < number["value"] < number["interval"][1]
    near, far = fit["splits"]
    assert near["parameters"] == pytest.approx(PLANTED.optimal(1e21).parameters, rel=0.1)
    assert near["parameters"] * near["tokens"] * 6 == pytest.approx(1e21)
    largest = 6 * 1.6e10 * 4e11
    assert [one["times_largest_run"] for one in (near, far)] == pytest.approx([1e21 / largest, 1e25 / largest])
    assert fit["notes"] == []


def test_what_is_printed_names_every_number(tmp_path: Path) -> None:
    file = runs(tmp_path)
    out, err = said("fit", file, "--bootstrap", "20", "--budget", "1e25")
    assert "156 runs, 50M to 16B parameters, 1B to 400B tokens" in out
    for name in ("E", "A", "B", "alpha", "beta", "a", "b"):
        assert f"\n  {name} " in out
    assert "95 % interval" in out
    assert "1e+25 FLOP: " in out
    assert "times the FLOP of the largest run" in out
    assert err == ""
    bare, _ = said("fit", file, "--bootstrap", "0")
    assert "interval" not in bare
    assert said("fit", file, "--bootstrap", "20", "--seed", "1")[0] != said("fit", file, "--bootstrap", "20")[0]


def test_all_methods_and_the_one_that_does_not_converge(tmp_path: Path) -> None:
    out, _ = said("fit", runs(tmp_path), "--method", "all", "--bootstrap", "0", "--json")
    fits = {fit["method"]: fit for fit in json.loads(out)["fits"]}
    assert list(fits) == ["varpro", "huber", "huber-mean", "isoflop", "envelope"]
    assert [name for name, fit in fits.items() if not fit["converged"]] == ["huber-mean"]
    shown, _ = said("fit", str(tmp_path / "runs.csv"), "--method", "huber-mean")
    assert "huber-mean, NOT CONVERGED" in shown
    assert "  Not converged: going on from here lowers the objective" in shown
    assert "interval" not in shown
    assert "standard errors" not in shown  # none were tried


def test_what_is_not_identified_is_said(tmp_path: Path) -> None:
    grid = [(n, d) for n in np.geomspace(1e8, 1e9, 4) for d in np.geomspace(1e9, 1e11, 5)]
    file = write(
        tmp_path, "parameters,tokens,loss", [f"{n:.6g},{d:.6g},{900 * n**-0.15 * d**-0.15:.8g}" for n, d in grid]
    )
    assert "  E is not identified: " in said("fit", file, "--bootstrap", "0")[0]
    noise = np.random.default_rng(0).normal(size=20)
    rows = [
        f"{n:.6g},{d:.6g},{(0.1 + 482 * n**-0.35 + 2085 * d**-0.36) * np.exp(0.01 * z):.8g}"
        for (n, d), z in zip(grid, noise, strict=True)
    ]
    file = write(tmp_path, "parameters,tokens,loss", rows)
    assert "  E is barely identified: it is 0 in " in said("fit", file)[0]


def test_runs_that_repeat_tokens_are_apart_and_weighed(tmp_path: Path) -> None:
    file = runs(tmp_path, 5, 6, (1.0, 8.0, 32.0))
    found = json.loads(said("fit", file, "--bootstrap", "0", "--json")[0])
    assert (found["runs"], found["fitted"]) == (90, 30)
    assert found["repetition"]["tokens"] == pytest.approx(6.0, rel=0.3)
    out, _ = said("fit", file, "--bootstrap", "0")
    assert "30 runs" in out
    assert "60 that repeat tokens apart" in out
    assert "repeated tokens: R* = " in out


def test_the_drawing_is_well_formed_and_shows_the_exponent(tmp_path: Path) -> None:
    for method, shown in (("varpro", "the law at one size"), ("isoflop", "the best size found at a budget")):
        drawing = tmp_path / f"{method}.svg"
        _, err = said("fit", runs(tmp_path), "--method", method, "--bootstrap", "20", "--plot", str(drawing))
        assert f"{method}.svg written" in err
        root = ElementTree.fromstring(drawing.read_text("utf-8"))
        words = ["".join(element.itertext()) for element in root.iter("{http://www.w3.org/2000/svg}text")]
        assert shown in words
        assert any(word.startswith("N ~ C^0.") and "[" in word for word in words)
        assert sum(element.tag.endswith("circle") for element in root.iter()) >= 2 * 156
        width, height = (float(part) for part in root.attrib["viewBox"].split()[2:])
        for element in root.iter("{http://www.w3.org/2000/svg}circle"):
            assert 0 <= float(element.attrib["cx"]) <= width
            assert 0 <= float(element.attrib["cy"]) <= height


def test_loss_that_does_not_depend_on_size_is_drawn_without_an_optimum(tmp_path: Path) -> None:
    grid = [(n, d) for n in np.geomspace(1e8, 1e9, 4) for d in np.geomspace(1e9, 1e11, 5)]
    rows = [f"{n:.6g},{d:.6g},{1.8 + 2085 * d**-0.36:.8g}" for n, d in grid]
    drawing, file = tmp_path / "x.svg", write(tmp_path, "parameters,tokens,loss", rows)
    out, _ = said("fit", file, "--bootstrap", "20", "--budget", "1e19", "--plot", str(drawing))
    assert "A is not identified, nor are the exponents a and b" in out
    assert "\n  a     not identified\n" in out
    assert "There is no optimal split." in out
    assert "no optimal size" in drawing.read_text("utf-8")
    ElementTree.fromstring(drawing.read_text("utf-8"))
    (fit,) = json.loads(said("fit", file, "--bootstrap", "20", "--budget", "1e19", "--json")[0])["fits"]
    assert (fit["numbers"]["a"]["value"], fit["splits"]) == (None, [])


HEAD = "parameters,tokens,loss"
ROWS = [f"{n},{d},{2 + 1 / n + 1 / d}" for n in (1, 2, 3) for d in (10, 20, 40)]
FILES = {
    "no column": ("parameters,loss", ["1,2"], "there is no column 'tokens'"),
    "no rows": (HEAD, [], "no row under the heading"),
    "text": (HEAD, ["1M,2B,low", *ROWS], "line 2, field 'loss': 'low' is no number."),
    "nan": (HEAD, [*ROWS, "1M,2B,nan"], "line 11, field 'loss': 'nan' is no number."),
    "infinite": (HEAD, [*ROWS, "inf,2B,3"], "line 11, field 'parameters': 'inf' is no number."),
    "negative": (HEAD, [*ROWS, "1M,-2B,3"], "line 11, field 'tokens': '-2B' is not positive."),
    "zero": (HEAD, [*ROWS, "1M,2B,0"], "line 11, field 'loss': '0' is not positive."),
    "empty": (HEAD, [*ROWS, "1M,,3"], "line 11, field 'tokens': the cell is empty."),
    "empty flops": (f"{HEAD},flops", [f"{row},1e9" for row in ROWS] + ["1,2,3,"], "line 11, field 'flops'"),
    "short row": (HEAD, [*ROWS, "1M,2B"], "line 11: a row has 3 cells"),
    "too few": (HEAD, ROWS[:3], "3 or more different parameters, got 1"),
    "too few runs": (HEAD, ROWS[::4] * 4, "at least 6 different runs, got 3"),
    "all repeat": (f"{HEAD},unique_tokens", [f"{row},1" for row in ROWS], "without the runs that repeat tokens"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_bad_file_is_one_sentence(name: str, tmp_path: Path) -> None:
    heading, rows, wanted = FILES[name]
    sentence = refused("fit", write(tmp_path, heading, rows))
    assert wanted in sentence
    assert sentence.startswith(str(tmp_path / "runs.csv"))


def test_files_that_are_none_and_options_that_fit_nothing(tmp_path: Path) -> None:
    assert "cannot be read" in refused("fit", str(tmp_path / "none.csv"))
    (tmp_path / "void.csv").write_text("")
    assert "the file is empty" in refused("fit", str(tmp_path / "void.csv"))
    file = runs(tmp_path)
    assert "Did you mean varpro" in refused("fit", file, "--method", "varpo")
    assert "no number of FLOP" in refused("fit", file, "--budget", "-1")
    assert "too few" in refused("fit", file, "--bootstrap", "3")
    assert "cannot be written" in refused("fit", file, "--plot", str(tmp_path / "no" / "x.svg"))
    scattered = write(tmp_path, HEAD, ROWS)
    assert "isoflop needs an optimum at 2 budgets" in refused("fit", scattered, "--method", "isoflop")


def test_a_budget_is_split_by_a_published_law_or_ones_own() -> None:
    out, _ = said("plan", "--budget", "1e21", "--unique-tokens", "10B", "--json")
    (row,) = json.loads(out)["splits"]
    split = PLANTED.optimal(1e21)
    assert (row["parameters"], row["tokens"]) == pytest.approx((split.parameters, split.tokens))
    assert row["effective_tokens"] == pytest.approx(float(effective_tokens(split.tokens, 1e10, 15.387756)))
    assert row["loss"] == pytest.approx(float(PLANTED.loss(split.parameters, row["effective_tokens"])))
    assert "6 epochs, worth 52.7B new tokens" in said("plan", "--budget", "1e21", "--unique-tokens", "10B")[0]
    own, _ = said("plan", "--budget", "6e20", "--law", "2,400,400,0.3,0.3", "--json")
    assert json.loads(own)["splits"][0]["parameters"] == pytest.approx(1e10)


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ((), "no budget"),
        (("--budget", "0"), "no number of FLOP"),
        (("--budget", "1e21", "--law", "hofman"), "Did you mean hoffmann"),
        (("--budget", "1e21", "--law", "1,2,3"), "not five numbers"),
        (("--budget", "1e21", "--law", "1,2,3,4,x"), "not five numbers"),
        (("--budget", "1e21", "--law", "2,0,4,0.3,0.3"), "does not depend on size"),
        (("--budget", "1e21", "--law", "2,4,4,0,0.3"), "exponents"),
        (("--budget", "1e21", "--unique-tokens", "lots"), "no number of tokens"),
        (("--budget", "1e21", "--unique-tokens", "-3B"), "no number of tokens"),
    ],
)
def test_a_plan_that_cannot_be_made_is_one_sentence(words: tuple[str, ...], wanted: str) -> None:
    assert wanted in refused("plan", *words)


def test_a_bad_cell_names_its_line_for_programs_too(tmp_path: Path) -> None:
    done = CliRunner().invoke(scaling, ["fit", write(tmp_path, HEAD, [*ROWS, "1M,2B,nan"])])
    assert isinstance(done.exception, BadFile)
    assert (done.exception.line, done.exception.field) == (11, "loss")


def test_the_committed_runs_are_read_and_fitted(capsys: pytest.CaptureFixture[str]) -> None:
    """75 runs of our own organisms: what docs/statistics.md says of them is what comes out."""
    from assay.cli.app import run_command_line

    file = Path(__file__).parents[2] / "results" / "scaling_runs.csv"
    assert run_command_line(["scaling", "fit", str(file), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["runs"] == 75
    (fit,) = found["fits"]
    assert fit["converged"]
    assert fit["numbers"]["a"]["value"] == pytest.approx(0.33, abs=0.005)
