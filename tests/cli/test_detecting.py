"""`assay detect`: windows, conformal p-values, plans, and the real network once."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from pathlib import Path

import pytest

from assay.cli.network import detecting
from assay.core import Answer, Outcome, Usage
from assay.lab.store import Recorded, Store
from assay.papers import claim_named
from assay.tasks.text_origin import HumanText, packaged_text

from .test_probing import Capture, command, one_sentence

RESULTS = Path(__file__).parents[2] / "results"
ABOUT = {"alpha": 0.05, "words": 9, "detector": "entropy", "model": "m", "collection": "c"}


def answers(*scores: float) -> list[Answer]:
    return [Answer(measures={"score": score}) for score in scores]


def test_one_window_has_the_conformal_p_of_its_score() -> None:
    found = detecting._judged(answers(18.0), answers(*range(19)), ABOUT)
    assert (found.p, found.resolution, found.verdict) == (0.1, 0.05, "human-like")
    assert detecting._judged(answers(18.5), answers(*range(19)), ABOUT).verdict == "machine-like"


def test_several_windows_have_twice_the_mean_of_their_p() -> None:
    found = detecting._judged(answers(18.0, 16.0), answers(*range(19)), ABOUT)
    assert (found.p, found.score, found.resolution) == (pytest.approx(2 * (0.1 + 0.2) / 2), 17.0, 0.1)
    assert detecting._judged(answers(0.0, 0.0), answers(*range(19)), ABOUT).p == 1.0


def test_without_a_score_there_is_no_judgement() -> None:
    found = detecting._judged([Answer(detail="too few")], [], ABOUT)
    assert (found.verdict, found.p, found.reason) == ("abstains", None, "too few")


def test_a_text_is_cut_into_equal_windows_of_at_most_120_words() -> None:
    words = [str(number) for number in range(250)]
    lengths = [len(window.text.split()) for window in detecting.windows_of(words)]
    assert lengths == [83, 83, 83]
    assert [len(window.text.split()) for window in detecting.windows_of(words[:120])] == [120]
    assert detecting.windows_of([]) == []
    assert len(detecting.windows_of([*words] * 100)) == detecting.MOST_WINDOWS


def test_what_stood_before_goes_along_in_every_window_and_in_the_human_ones() -> None:
    words = [str(number) for number in range(180)]
    windows = detecting.windows_of(words, [f"b{number}" for number in range(30)])
    assert windows[0].before == " ".join(f"b{number}" for number in range(6, 30))
    assert windows[1].before == " ".join(words[66:90])
    null = detecting.human_windows(packaged_text(), windows, 30, 0, 0.1)
    assert {(len(one.text.split()), len(one.before.split())) for one in null} == {(90, 24)}
    joined = {" ".join(passage.split()[:114]) for passage in packaged_text().passages}
    assert all(f"{one.before} {one.text}" in joined for one in null)


def test_every_passage_gives_one_window_before_any_gives_two() -> None:
    collection = HumanText("c", (" ".join(f"a{n}" for n in range(60)), " ".join(f"b{n}" for n in range(30))))
    null = detecting.human_windows(collection, [detecting.Window("x " * 20)], 4, 0, 0.5)
    assert sorted(one.text.split()[0] for one in null[:2]) == ["a0", "b0"]
    assert [one.text.split()[0] for one in null[2:]] == ["a20", "a40"]


MISTAKES = {
    "detector": (("FILE", "--detector", "fast-detectgp"), "Did you mean fast-detectgpt"),
    "observer": (("FILE", "--detector", "binoculars"), "--observer hf:OTHER"),
    "alpha": (("FILE", "--alpha", "2"), "alpha must be between"),
    "resolution": (("FILE", "--calibration", "9"), "cannot give a p below 0.1"),
    "no human": (("FILE", "--human", "nowhere"), "nowhere: there is no such file"),
    "missing": (("nowhere.txt",), "nowhere.txt: it cannot be read"),
    "folder": ((".",), "this is a folder"),
    "latin": (("LATIN",), "not UTF-8"),
    "option": (("FILE", "--colour"), "No such option"),
    "neither": (("plan",), "Give --run RUN or --scores"),
    "both": (("plan", "--run", "x", "--scores", "y"), "Give --run RUN or --scores"),
    "no run": (("plan", "--run", "x"), "Type: assay runs"),
    "no scores": (("plan", "--scores", "nowhere.csv"), "cannot be read"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_one_sentence(name: str, home: Path, tmp_path: Path, capsys: Capture) -> None:
    words, wanted = MISTAKES[name]
    (tmp_path / "text.txt").write_text("word " * 40)
    (tmp_path / "latin.txt").write_bytes("Käse und Brot".encode("latin-1"))
    named = {"FILE": str(tmp_path / "text.txt"), "LATIN": str(tmp_path / "latin.txt")}
    one_sentence(capsys, wanted, "detect", *(named.get(word, word) for word in words))


def test_an_empty_file_is_not_judged_and_needs_no_model(home: Path, tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "empty.txt").write_text(" \n")
    code, out, err = command(capsys, "detect", str(tmp_path / "empty.txt"), "--model", "no-such-model")
    assert (code, err) == (4, "")
    assert "There is no text to judge." in out


def test_a_plan_from_a_file(home: Path, tmp_path: Path, capsys: Capture) -> None:
    file = tmp_path / "s.csv"
    # Means 1 and 0, both with standard deviation 1: ((1.645 + 1.645) / 1)^2 = 10.8 texts.
    rows = [f"{mean + sign},{label}" for label, mean in (("machine", 1), ("human", 0)) for sign in (-1, 1) * 200]
    file.write_text("score,label\n" + "\n".join(rows) + "\n")
    words = ("detect", "plan", "--scores", str(file), "--tpr", "0.95", "--fpr", "0.05")
    code, out, err = command(capsys, *words, "--json")
    assert code == 0, err
    found = json.loads(out)
    assert found["documents"] == 11
    assert found["interval"][0] <= 11 <= found["interval"][1]
    turned = command(capsys, *words, "--positive", "human")
    assert "no number of texts is enough" in turned[1]
    assert "wrong way" in turned[1]


def test_texts_of_one_author_may_never_be_enough(home: Path, tmp_path: Path, capsys: Capture) -> None:
    file = tmp_path / "s.csv"
    rows = [
        f"{0.5 * (label == 'ai') + (author % 5) / 2 + text / 100},{label},{label}{author}"
        for label in ("ai", "human")
        for author in range(10)
        for text in (-1, 0, 1)
    ]
    file.write_text("score,label,author\n" + "\n".join(rows) + "\n")
    _, out, _ = command(capsys, "detect", "plan", "--scores", str(file), "--fpr", "0.01", "--json")
    assert json.loads(out)["documents"] == "never"
    assert json.loads(out)["correlation"] > 0.9


TABLES = {
    "one class": ("score,label\n1,human\n2,human\n", "there are 1 labels"),
    "three": ("score,label\n1,a\n2,b\n3,c\n", "there are 3 labels"),
    "which": ("score,label\n1,left\n2,right\n", "which of left and right"),
    "column": ("value,label\n1,a\n", "no column 'score'"),
    "number": ("score,label\nhigh,machine\n1,human\n", "line 2, field 'score'"),
}


@pytest.mark.parametrize("name", TABLES)
def test_a_bad_table_is_one_sentence(name: str, home: Path, tmp_path: Path, capsys: Capture) -> None:
    content, wanted = TABLES[name]
    (tmp_path / "s.csv").write_text(content)
    one_sentence(capsys, wanted, "detect", "plan", "--scores", str(tmp_path / "s.csv"))


def test_a_plan_from_a_run_takes_the_treatments_scores(home: Path, capsys: Capture) -> None:
    _, claim = claim_named("fast-beats-likelihood")

    async def plant(store: Store) -> None:
        await store.begin("fast-run", "2026-01-01", claim.id, {"seed": 0, "size": "smoke", "model": {}})
        for index, sample in enumerate(claim.task.samples(8, 0)):
            for arm, scale in ((claim.treatment.name, 1.0), (claim.control.name, -100.0)):
                score = scale * ((2.0 if sample.target == claim.positive else 0.0) + (index % 4 >= 2))
                await store.record(
                    "fast-run", Recorded(arm, sample.id, 0, Outcome.scored(score), Usage(), "t"), []
                )
        kept = next(RESULTS.glob("fast-beats-likelihood--*.json"))
        await store.finish("fast-run", "done", json.loads(kept.read_text()))

    store = Store(home / "assay.sqlite")
    asyncio.run(plant(store))
    store.close()
    code, out, err = command(capsys, "detect", "plan", "--run", "fast", "--json")
    assert code == 0, err
    found = json.loads(out)
    assert (found["machine"], found["human"]) == (4, 4)
    assert found["separation"] == pytest.approx(2 / (1 / 3) ** 0.5)


@pytest.mark.engine
def test_a_text_is_judged_and_human_scores_are_kept(home: Path, tmp_path: Path, capsys: Capture) -> None:
    file = tmp_path / "human.txt"
    file.write_text(" ".join(packaged_text().passages[5].split()[:40]))
    words = ("detect", str(file), "--calibration", "19", "--detector", "likelihood", "--json")
    code, out, err = command(capsys, *words)
    found = json.loads(out)
    assert code == {"human-like": 0, "machine-like": 1}[found["verdict"]], err
    assert (found["calibrated_on"], found["windows"], found["resolution"]) == (19, 1, 0.05)
    with sqlite3.connect(home / "assay.sqlite") as store:
        kept = store.execute("select count(*) from cache").fetchone()
    assert json.loads(command(capsys, *words)[1]) == found
    with sqlite3.connect(home / "assay.sqlite") as store:
        assert store.execute("select count(*) from cache").fetchone() == kept

    loop = "The cat sat on the mat and the dog sat on the mat. " * 4
    file.write_text(" ".join(loop.split()[:40]))
    code, out, _ = command(capsys, *words[:-1])
    assert code == detecting.MACHINE_LIKE
    assert "It is no probability that a machine wrote the text." in out

    file.write_text("Only a few words.")
    code, out, _ = command(capsys, *words[:-1])
    assert code == detecting.ABSTAINS
    assert "it takes 25" in out
