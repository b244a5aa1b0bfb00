"""Comparisons of result files: hand-computed numbers, corrections, clusters, and what is printed."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.cli.comparing import compare_files
from assay.core import BadFile, UserError
from assay.core.verdict import Word
from assay.lab.compare import compare, compare_all
from assay.lab.replaying.recorded import Fields, ResultFile, Row, read_result_file


def results(name: str, scores: Sequence[float | None], clusters: Sequence[str] | None = None) -> ResultFile:
    """Items named by their place; None is an item without score."""
    rows = tuple(
        Row(str(i), float(score), clusters[i] if clusters else "")
        for i, score in enumerate(scores)
        if score is not None
    )
    without = tuple(str(i) for i, score in enumerate(scores) if score is None)
    return ResultFile(Path(name), rows, (), without, "id", "score")


def counts(both: int, gained: int, lost: int, neither: int) -> tuple[ResultFile, ResultFile]:
    control = [1] * both + [0] * gained + [1] * lost + [0] * neither
    treatment = [1] * both + [1] * gained + [0] * lost + [0] * neither
    return results("control", control), results("treatment", treatment)


# --- one comparison


def test_mcnemar_by_hand() -> None:
    found = compare(*counts(both=8, gained=9, lost=1, neither=2))
    # Of 10 discordant items 9 or more on one side: (10 + 1) / 2**10, and as much on the other.
    assert found.test["p"] == pytest.approx(22 / 1024)
    assert found.test["name"] == "exact McNemar"
    assert {k: found.test[k] for k in ("both", "only_treatment", "only_control", "neither")} == {
        "both": 8,
        "only_treatment": 9,
        "only_control": 1,
        "neither": 2,
    }
    assert found.effect == pytest.approx(8 / 20)
    assert found.control.mean == pytest.approx(9 / 20)
    assert found.treatment.mean == pytest.approx(17 / 20)
    assert (found.verdict, found.n, found.binary) == (Word.HOLDS, 20, True)
    assert found.better == tuple(str(i) for i in range(8, 17))
    assert found.worse == ("17",)
    assert "items_needed" not in found.power


def test_newcombe_interval_of_his_table() -> None:
    # Newcombe (1998), table II, method 10: a 36, b 12, c 2, d 0 gives 0.0569 to 0.3404.
    found = compare(*counts(both=36, gained=12, lost=2, neither=0))
    assert found.interval == pytest.approx((0.0569, 0.3404), abs=5e-5)


def test_the_other_way_fails_and_nothing_is_undecided() -> None:
    control, treatment = counts(both=8, gained=9, lost=1, neither=2)
    assert compare(treatment, control).verdict is Word.FAILS
    same = compare(control, control)
    assert (same.verdict, same.effect, same.test["p"]) == (Word.UNDECIDED, 0, 1.0)
    assert same.reason == "the interval holds 0"


def test_an_interval_clear_of_0_is_not_enough_without_the_test() -> None:
    found = compare(*counts(both=0, gained=5, lost=0, neither=0))
    assert found.interval is not None
    assert found.interval[0] > 0
    assert (found.verdict, found.reason) == (Word.UNDECIDED, "the p-value is 0.062, above 0.05")


def test_the_smallest_effect_is_excluded() -> None:
    control, treatment = counts(both=300, gained=10, lost=10, neither=80)
    found = compare(control, treatment, smallest=0.05)
    assert (found.verdict, found.reason) == (
        Word.FAILS,
        "the interval excludes the smallest effect worth having",
    )
    assert compare(control, treatment, smallest=0.02).verdict is Word.UNDECIDED


def test_power_says_how_many_items_are_needed() -> None:
    found = compare(*counts(both=40, gained=15, lost=10, neither=35))
    assert found.verdict is Word.UNDECIDED
    # Connor: ((1.960 * sqrt(.25) + 0.8416 * sqrt(.25 - .05**2)) / .05)**2 = 782.5
    assert found.power["items_needed"] == 783
    assert found.power["target_effect"] == pytest.approx(0.05)
    assert found.power["discordance"] == 0.25
    # The same formula with n = 100 solved for the effect.
    assert found.power["detectable_effect"] == pytest.approx(0.1384, abs=1e-4)
    assert compare(*counts(40, 15, 10, 35), smallest=0.1).power["items_needed"] == 194


def test_fewer_items_than_any_exact_test_can_decide_on_are_never_called_enough() -> None:
    # Five items that all agree have p = 2/2**5 = 0.06; six have 0.03.
    assert compare(*counts(both=0, gained=4, lost=0, neither=0)).power["items_needed"] == 6


def test_graded_scores_may_lie_anywhere() -> None:
    control = results("c", [10, 20, 30, 40, 50, 60, 70, 80])
    treatment = results("t", [12, 23, 31, 44, 55, 62, 73, 81])
    found = compare(control, treatment)
    assert (found.binary, found.verdict) == (False, Word.HOLDS)
    # All eight differences are positive: 2 of the 2**8 sign patterns are as extreme.
    assert (found.test["name"], found.test["p"]) == ("sign flip", 2 / 256)
    assert found.effect == pytest.approx(2.625)


def test_differences_without_spread_decide_nothing() -> None:
    found = compare(results("c", [0.1] * 9), results("t", [0.3] * 9), smallest=0.5)
    assert (found.verdict, found.interval) == (Word.UNDECIDED, None)
    assert "no spread" in found.reason


def test_three_graded_pairs_exclude_nothing() -> None:
    found = compare(results("c", [0.1, 0.2, 0.3]), results("t", [0.1, 0.2, 0.31]), smallest=0.05)
    assert found.interval is not None
    assert found.interval[0] < 0 < 0.05 < found.interval[1]
    assert found.verdict is Word.UNDECIDED


def test_what_is_left_out_is_said() -> None:
    control = results("c", [1, 0, None, 1, 0])
    treatment = dataclasses.replace(results("t", [1, 1, 0, None]), duplicates=("1",))
    found = compare(control, treatment)
    assert (found.n, found.control.unmatched, found.treatment.unmatched) == (2, ("4",), ())
    assert (found.control.file.without_score, found.treatment.file.without_score) == (("2",), ("3",))
    said = found.to_json()
    assert said["unmatched"] == {"control": {"count": 1, "ids": ["4"]}, "treatment": {"count": 0, "ids": []}}
    assert said["duplicates"]["treatment"] == {"count": 1, "ids": ["1"]}
    assert said["without_score"]["control"] == {"count": 1, "ids": ["2"]}


def test_files_with_nothing_in_common_name_the_field() -> None:
    other = ResultFile(Path("t"), (Row("x", 1.0),), id_field="doc_id", score_field="acc")
    with pytest.raises(UserError, match=r"c has id '0', '1'; t has doc_id 'x'\. .*--id FIELD"):
        compare(results("c", [1, 0]), other)


def test_a_senseless_smallest_effect_is_refused() -> None:
    for smallest in (-0.1, float("nan")):
        with pytest.raises(UserError, match="has no meaning"):
            compare(*counts(1, 1, 1, 1), smallest=smallest)


# --- several comparisons


def test_holm_takes_back_what_one_comparison_would_have_shown() -> None:
    control, treatment = counts(both=8, gained=9, lost=1, neither=2)
    alone = compare(control, treatment)
    three = compare_all(control, [treatment, control, control])
    assert alone.verdict is Word.HOLDS
    assert alone.p_holm == pytest.approx(22 / 1024)
    assert [found.p_holm for found in three] == [pytest.approx(66 / 1024), 1.0, 1.0]
    assert three[0].verdict is Word.UNDECIDED
    assert three[0].reason == "the p-value adjusted for 3 comparisons is 0.064, above 0.05"
    assert three[0].interval == alone.interval


def test_holm_is_stepwise() -> None:
    control, strong = counts(both=0, gained=12, lost=0, neither=8)
    weaker = results("weaker", [1] * 6 + [0] * 14)
    found = compare_all(control, [weaker, strong])
    # 2/2**6 is left alone, as 2/2**12 was doubled and rejected before.
    assert [one.p_holm for one in found] == pytest.approx([2 / 64, 4 / 4096])
    assert [one.verdict for one in found] == [Word.HOLDS, Word.HOLDS]


def test_exclusion_is_corrected_too() -> None:
    control, treatment = counts(both=300, gained=10, lost=10, neither=80)
    assert compare(control, treatment, smallest=0.024).verdict is Word.FAILS
    both = compare_all(control, [treatment, treatment], smallest=0.024)
    assert both[0].verdict is Word.UNDECIDED
    assert both[0].reason == "the interval excludes 0.024, and a test adjusted for 2 comparisons does not"


# --- clusters


def test_clusters_widen_the_interval_and_the_test() -> None:
    # Ten clusters of eight equal items: 80 rows hold ten observations.
    signs = [1, 1, 1, 1, 1, 1, 0, 0, 0, -1]
    clusters = [f"c{i}" for i in range(10) for _ in range(8)]
    control = [0 if sign > 0 else 1 for sign in signs for _ in range(8)]
    treatment = [1 if sign >= 0 else 0 for sign in signs for _ in range(8)]
    plain = compare(results("c", control), results("t", treatment))
    found = compare(results("c", control, clusters), results("t", treatment, clusters))
    assert plain.verdict is Word.HOLDS
    assert found.effect == plain.effect == pytest.approx(0.5)
    assert found.verdict is Word.UNDECIDED
    # Seven clusters differ, one of them the other way: 2 * (7 + 1) / 2**7.
    assert (found.test["p"], found.test["clusters"]) == (0.125, 10)
    # Mean .5, deviation of ten cluster means sqrt(.5), t with 9 degrees of freedom 2.2622.
    half = 2.2622 * (0.5 / 10) ** 0.5
    assert found.interval == pytest.approx((0.5 - half, 0.5 + half), abs=1e-4)
    low, high = found.test["bootstrap_interval"]
    assert plain.interval is not None
    assert high - low > 1.5 * (plain.interval[1] - plain.interval[0])


def test_one_cluster_says_nothing() -> None:
    found = compare(results("c", [0, 0, 1], "aaa"), results("t", [1, 1, 1], "aaa"))
    assert (found.verdict, found.interval) == (Word.UNDECIDED, None)
    assert "one cluster" in found.reason


def test_clusters_must_agree() -> None:
    with pytest.raises(BadFile, match="t: the item '1' is in cluster 'y', and in the control's file in 'x'"):
        compare(results("c", [0, 1], "xx"), results("t", [0, 1], "xy"))


# --- the order of rows

SCORES = st.lists(
    st.tuples(st.sampled_from([0, 1, 0.3, 0.7]), st.sampled_from([0, 1, 0.1, 0.9]), st.sampled_from("uvw")),
    min_size=2,
    max_size=12,
)


@settings(max_examples=25, deadline=None)
@given(SCORES.flatmap(lambda rows: st.tuples(st.just(rows), st.permutations(list(enumerate(rows))))))
def test_shuffled_rows_give_the_same_comparison(
    tmp_path_factory: pytest.TempPathFactory,
    both: tuple[list[tuple[float, float, str]], list[tuple[int, tuple[float, float, str]]]],
) -> None:
    folder = tmp_path_factory.mktemp("shuffled", numbered=True)
    rows, shuffled = both
    files: list[Path] = []
    for column, order in ((0, list(enumerate(rows))), (1, list(enumerate(rows))), (1, shuffled)):
        path = folder / f"{len(files)}.jsonl"
        path.write_text("\n".join(json.dumps({"id": i, "score": r[column], "c": r[2]}) for i, r in order))
        files.append(path)
    for fields in (Fields(), Fields(cluster="c")):
        control, straight, mixed = (read_result_file(path, fields) for path in files)
        mixed = dataclasses.replace(mixed, path=straight.path)
        assert compare(control, mixed).to_json() == compare(control, straight).to_json()


def test_rows_in_any_order_give_the_same_comparison() -> None:
    control, treatment = results("c", [0.1] * 20), results("t", [0.1 * (i * i % 7) for i in range(20)])
    turned = dataclasses.replace(treatment, rows=treatment.rows[::-1])
    assert compare(control, turned).interval == compare(control, treatment).interval


# --- what is printed and written


def jsonl(path: Path, scores: Sequence[int | None]) -> Path:
    path.write_text("\n".join(json.dumps({"id": f"q{i}", "correct": s}) for i, s in enumerate(scores)))
    return path


def test_output_reads_well_in_a_pipe(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    jsonl(tmp_path / "a.jsonl", [0] * 12 + [1] * 10 + [0, None])
    jsonl(tmp_path / "b.jsonl", [1] * 12 + [1] * 9 + [0])
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        compare_files([Path("a.jsonl"), Path("b.jsonl")], ("", "", ""), 0.0, 0, Path("o.json"))
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert max(map(len, lines)) <= 80
    assert lines[:8] == [
        "b.jsonl against a.jsonl",
        "holds: the interval is clear of 0 and the effect is worth having.",
        "effect     +50.0 points [+20.7, +69.8], 95 % interval, 22 items",
        "control    45.5 % [26.9, 65.3]  mean of 'correct', by 'id'",
        "treatment  95.5 % [78.2, 99.2]  mean of 'correct', by 'id'",
        "test       exact McNemar: p = 0.00342",
        "power      these items detect 43.5 points with 80 % power (59 % of items differ)",
        "left out   unmatched, only in a.jsonl (2): q22, q23",
    ]
    assert "           without score in a.jsonl (1): q23" in lines
    at = lines.index("flipped    only treatment right (12): q0, q1, q2, q3, q4, q5, q6, q7, q8, q9,")
    assert lines[at + 1 : at + 3] == ["           ...", "           only control right (1): q21"]
    (said,) = json.loads((tmp_path / "o.json").read_text())
    wanted = {"control", "treatment", "verdict", "reason", "effect", "interval", "n", "unmatched"}
    wanted |= {"duplicates", "without_score", "test", "p_holm", "power"}
    assert wanted <= said.keys()
    assert (said["control"], said["verdict"], said["n"]) == ("a.jsonl", "holds", 22)
    assert said["test"]["p"] == pytest.approx(28 / 8192)
    assert said["flipped"]["better"]["count"] == 12
    assert len(said["flipped"]["better"]["ids"]) == 10


def test_undecided_says_how_many_items_it_takes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [jsonl(tmp_path / "a", [0, 1, 1, 0] * 5), jsonl(tmp_path / "b", [1, 0, 1, 0] * 4 + [1, 1, 1, 0])]
    compare_files([*files, files[0]], ("id", "correct", ""), 0.1, 0, None)
    out = " ".join(capsys.readouterr().out.split())
    assert "undecided: the interval holds 0 and 0.1." in out
    assert "by Holm over 2 comparisons" in out
    assert "items to detect the smallest effect (10.0 points)" in out


def test_ids_cannot_act_on_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = []
    for name, score in (("a", 0), ("b", 1)):
        files.append(tmp_path / name)
        files[-1].write_text(json.dumps({"id": "\x1b[31m[bold]" + "x" * 99 + "\ud800", "score": score}))
    compare_files(files, ("", "", ""), 0.0, 0, tmp_path / "o.json")
    assert json.loads((tmp_path / "o.json").read_text())[0]["n"] == 1, "half a character is no fault"
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "[31m[bold]xxx" in out
    assert "x" * 60 not in out


def test_one_file_is_not_enough(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="assay compare CONTROL TREATMENT"):
        compare_files([tmp_path / "a"], ("", "", ""), 0.0, 0, None)
