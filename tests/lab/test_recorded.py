"""Result files: every format, and what is said of what cannot be read."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.core import BadFile
from assay.lab.replaying.recorded import Fields, ResultFile, in_order, read_result_file

DATA = Path(__file__).parent / "data"


def written(tmp_path: Path, text: str, name: str = "results.jsonl") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def scores(found: ResultFile) -> dict[str, float]:
    return {row.id: row.score for row in found.rows}


# --- formats


def test_jsonl_with_scores_of_every_kind(tmp_path: Path) -> None:
    lines = ['{"id": 1, "score": true}', '{"id": 2, "score": 0}', '{"id": "a", "score": 0.25}']
    lines += ["", '{"id": "b", "score": "False"}', '{"id": "c", "score": null}', '{"id": "d"}']
    lines += ['{"id": "e", "score": NaN}', '{"id": "f", "score": "1.0"}']
    found = read_result_file(written(tmp_path, "\n".join(lines)))
    assert scores(found) == {"1": 1.0, "2": 0.0, "a": 0.25, "b": 0.0, "f": 1.0}
    assert found.without_score == ("c", "d", "e")
    assert (found.id_field, found.score_field, found.duplicates) == ("id", "score", ())


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv(tmp_path: Path, delimiter: str) -> None:
    rows = [["question_id", "note", "correct"], ["q1", '"two\nlines"', "true"], ["q2", "", "0"], ["q3", "x", ""]]
    text = "\ufeff" + "\n".join(delimiter.join(row) for row in rows) + "\n"
    found = read_result_file(written(tmp_path, text, "r.csv"))
    assert scores(found) == {"q1": 1.0, "q2": 0.0}
    assert found.without_score == ("q3",)


def test_json_array(tmp_path: Path) -> None:
    found = read_result_file(written(tmp_path, '[{"item": "x", "passed": true},\n {"item": "y", "passed": 0}]'))
    assert scores(found) == {"x": 1.0, "y": 0.0}


def test_lm_eval_has_the_metric_under_its_name(tmp_path: Path) -> None:
    found = read_result_file(DATA / "samples_hellaswag.jsonl")
    assert scores(found) == {"0": 1.0, "1": 0.0, "2": 1.0}
    assert (found.id_field, found.score_field) == ("doc_id", "acc")
    norm = read_result_file(DATA / "samples_hellaswag.jsonl", Fields(score="acc_norm"))
    assert scores(norm) == {"0": 0.0, "1": 0.0, "2": 1.0}
    line = {"id": "not this", "doc_id": 7, "resps": [["x"]], "filtered_resps": ["x"], "metrics": ["pass@1"]}
    found = read_result_file(written(tmp_path, json.dumps(line | {"pass@1": 1.0})))
    assert (scores(found), found.score_field) == ({"7": 1.0}, "pass@1")


def test_lm_eval_filters_are_no_duplicates() -> None:
    path = DATA / "samples_gsm8k.jsonl"
    with pytest.raises(BadFile) as caught:
        read_result_file(path)
    assert caught.value.field == "filter"
    assert "flexible-extract, strict-match" in caught.value.message
    assert caught.value.hint == "Name one: --score exact_match,flexible-extract"
    strict = read_result_file(path, Fields(score="exact_match,strict-match"))
    assert scores(strict) == {"0": 0.0, "1": 1.0, "2": 0.0}
    flexible = read_result_file(path, Fields(score="exact_match,flexible-extract", cluster="doc.subject"))
    assert scores(flexible) == {"0": 1.0, "1": 1.0, "2": 0.0}
    assert [row.cluster for row in flexible.rows] == ["sums", "sums", "primes"]
    assert flexible.duplicates == ()
    with pytest.raises(BadFile, match="there is no 'strict'; there are: flexible-extract, strict-match"):
        read_result_file(path, Fields(score="exact_match,strict"))


def test_inspect_json_averages_epochs() -> None:
    found = read_result_file(DATA / "inspect.json", Fields(cluster="metadata.topic"))
    assert scores(found) == {"1": 0.5, "2": 0.25, "three": 1.0}
    assert found.without_score == ("4",)
    assert found.duplicates == ()
    assert [row.repeats for row in found.rows] == [2, 2, 2]
    assert {row.cluster for row in found.rows} == {"sums"}


def test_inspect_with_several_scorers_asks_which() -> None:
    path = DATA / "inspect-two-scorers.json"
    with pytest.raises(
        BadFile, match=r"there are several scorers; the log has: grader, match\. Name one: --score"
    ):
        read_result_file(path)
    assert scores(read_result_file(path, Fields(score="grader"))) == {"1": 0.25, "2": 0.75}
    with pytest.raises(BadFile, match="there is no such scorer; the log has: grader, match"):
        read_result_file(path, Fields(score="f1"))


def test_inspect_score_with_parts(tmp_path: Path) -> None:
    sample = {"id": "a", "epoch": 1, "scores": {"rouge": {"value": {"p": 0.5, "r": 0.25}}}}
    path = written(tmp_path, json.dumps({"version": 2, "eval": {}, "samples": [sample]}), "l.json")
    assert scores(read_result_file(path, Fields(score="rouge.r"))) == {"a": 0.25}
    with pytest.raises(BadFile, match=r"sample 'a', epoch 1: the score has the parts p, r.*--score rouge\.p"):
        read_result_file(path, Fields(score="rouge"))


def test_inspect_eval_archive(tmp_path: Path) -> None:
    path = tmp_path / "log.eval"
    log = json.loads((DATA / "inspect.json").read_text())
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("header.json", json.dumps({**log, "samples": None}))
        for sample in log["samples"]:
            archive.writestr(f"samples/{sample['id']}_epoch_{sample['epoch']}.json", json.dumps(sample))
        archive.writestr("summaries.json", "[]")
    assert scores(read_result_file(path)) == {"1": 0.5, "2": 0.25, "three": 1.0}


def test_an_archive_without_samples_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "log.eval"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("header.json", "{}")
    with pytest.raises(BadFile, match=r"log\.eval: the archive holds no samples.*inspect log convert"):
        read_result_file(path)
    path.write_bytes(path.read_bytes()[:20])
    with pytest.raises(BadFile, match="the archive cannot be read"):
        read_result_file(path)


def test_an_exported_run_is_read_by_arm(tmp_path: Path) -> None:
    lines: list[dict[str, object]] = [{"format": "assay run 1", "run": "r"}]
    lines += [
        {"arm": arm, "item": item, "repeat": 0, "score": score, "ending": "scored" if score else "unparsed"}
        for arm, item, score in (("a", "x", 1.0), ("a", "y", None), ("b", "x", 0.5), ("b", "y", 0.5))
    ]
    path = written(tmp_path, "\n".join(map(json.dumps, lines)))
    with pytest.raises(BadFile, match=r"field 'arm'.*several: a, b.*--score score,a"):
        read_result_file(path)
    found = read_result_file(path, Fields(score="score,a"))
    assert (scores(found), found.without_score) == ({"x": 1.0}, ("y",))
    alone = written(tmp_path, "\n".join(json.dumps(line) for line in lines if line.get("arm") != "b"), "alone")
    assert scores(read_result_file(alone)) == {"x": 1.0}


# --- repeats, duplicates, clusters


def test_repeats_and_duplicates_are_told_apart(tmp_path: Path) -> None:
    lines = ['{"id": "r", "seed": 1, "score": 1}', '{"id": "r", "seed": 2, "score": 0}']
    lines += ['{"id": "d", "seed": 1, "score": 1}', '{"id": "d", "seed": 1, "score": 1}']
    lines += ['{"id": "h", "seed": 1, "score": 1}', '{"id": "h", "seed": 2}']
    found = read_result_file(written(tmp_path, "\n".join(lines)))
    assert scores(found) == {"d": 1.0, "h": 1.0, "r": 0.5}
    assert found.duplicates == ("d",)
    assert {row.id: row.repeats for row in found.rows} == {"d": 2, "h": 1, "r": 2}


def test_an_item_in_two_clusters_is_refused(tmp_path: Path) -> None:
    lines = '{"id": "r", "c": "u", "score": 1}\n{"id": "r", "c": "v", "score": 0}'
    with pytest.raises(BadFile, match=r"line 2, field 'c': the item 'r' is in several clusters: u, v"):
        read_result_file(written(tmp_path, lines), Fields(cluster="c"))


def test_ids_in_natural_order() -> None:
    assert sorted(["q10", "q2", "a", "10", "9", "q02"], key=in_order) == ["9", "10", "a", "q02", "q2", "q10"]


row_lists = st.lists(
    st.tuples(st.sampled_from("abcdef"), st.sampled_from([0, 1, 0.1, 0.2, 0.7, None]), st.integers(0, 2)),
    min_size=1,
)


@given(row_lists.flatmap(lambda rows: st.tuples(st.just(rows), st.permutations(rows))))
def test_the_order_of_rows_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory, both: tuple[list[tuple[str, float | None, int]], ...]
) -> None:
    folder = tmp_path_factory.mktemp("rows", numbered=True)
    found = []
    for name, rows in zip("ab", both, strict=True):
        text = "\n".join(json.dumps({"id": i, "score": s, "seed": k}) for i, s, k in rows)
        one = read_result_file(written(folder, text, name))
        found.append((one.rows, one.duplicates, one.without_score))
    assert found[0] == found[1]


# --- what is wrong


@pytest.mark.parametrize(
    ("text", "fields", "line", "field", "says"),
    [
        ('{"id": 1, "score": 1}\n{"score": 1}', Fields(), 2, "id", "there is no such field; there are: score."),
        ('{"id": 1, "score": 1}', Fields(id="uid"), 1, "uid", "there is no such field; there are: id, score."),
        ('{"id": 1, "score": 1}', Fields(score="f1"), 1, "f1", "there is no such field; there are: id, score."),
        ('{"id": 1, "score": 1}', Fields(cluster="t"), 1, "t", "there is no such field; there are: id, score."),
        ('{"id": 1, "score": 1, "t": null}', Fields(cluster="t"), 1, "t", "the item has no cluster."),
        ('{"id": 1, "f1": 1}', Fields(), 1, "", "no field holds the score; there are: id, f1. Name it: --score"),
        (
            '{"uid": 1, "score": 1}',
            Fields(),
            1,
            "",
            "no field names the item; there are: uid, score. Name it: --id",
        ),
        ('{"id": null, "score": 1}', Fields(), 1, "id", "the item has no name."),
        ('\n{"id": 1, "score": "good"}', Fields(), 2, "score", "'good' is no score: a number, true or false"),
        ('{"id": 1, "score": [1]}', Fields(), 1, "score", "[1] is no score"),
        ('{"id": 1, "score": 1e999}', Fields(), 1, "score", "the score is not finite."),
        ('{"id": 1, "score": 1}\n{"id": 2,', Fields(), 2, "", "this line is not JSON"),
        ('{"id": 1, "score": 1}\n[1]', Fields(), 2, "", "this line is not an object."),
        ('[\n{"id": 1, "score": 1},\n\n{"id": 2, "score": "x"}]', Fields(), 4, "score", "'x' is no score"),
        ('[\n{"id": 1, "score": 1},\n 3]', Fields(), 3, "", "this element of the array is not an object."),
        ('[{"id": 1,\n"score": }]', Fields(), 2, "", "this is not JSON"),
        ("id,score\n1,1\n2,1,1\n", Fields(), 3, "", "this row has 3 cells and the header names 2."),
        ('id,score\n1,1\n"a\nb",bad\n', Fields(), 3, "score", "'bad' is no score"),
        ("id,id,score\n", Fields(), 1, "id", "two columns have this name."),
        ("hello\nworld\n", Fields(), 1, "", "the first line must be a header"),
        ('{\n"results": {}\n}', Fields(), None, "", "this JSON object is no inspect_ai log."),
        (
            '{"version": 2, "status": "error", "eval": {},\n"samples": []}',
            Fields(),
            None,
            "",
            "its status is error",
        ),
        ("", Fields(), None, "", "the file is empty."),
        ("id,score\n", Fields(), None, "", "the file holds no results."),
        ("\n[]", Fields(), None, "", "the file holds no results."),
    ],
)
def test_errors_say_where(
    tmp_path: Path, text: str, fields: Fields, line: int | None, field: str, says: str
) -> None:
    path = written(tmp_path, text, "r")
    with pytest.raises(BadFile) as caught:
        read_result_file(path, fields)
    assert (caught.value.line, caught.value.field) == (line, field)
    assert str(caught.value).startswith(str(path))
    assert says in str(caught.value)


def test_files_that_are_not_there_or_not_text(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="there is no such file"):
        read_result_file(tmp_path / "none")
    with pytest.raises(BadFile, match="it cannot be read"):
        read_result_file(tmp_path)
    latin = tmp_path / "latin.csv"
    latin.write_bytes("id,score\né,1\n".encode("latin-1"))
    with pytest.raises(BadFile, match=r"not UTF-8.*iconv"):
        read_result_file(latin)
    with pytest.raises(BadFile, match=r"line 1: this is not JSON"):
        read_result_file(written(tmp_path, "hello", "x.jsonl"))
