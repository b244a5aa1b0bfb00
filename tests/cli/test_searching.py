"""`assay search`: what is printed, what is found, and one sentence for what cannot be searched."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .test_probing import Capture, command, one_sentence


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "cats.md").write_text("# Cats\n\nCats purr and sleep all day.\n\n" + "word " * 200)
    (folder / "cars.txt").write_text("Engines and wheels.\n\nThe engine needs oil [red]every year[/red].")
    return folder


def test_passages_are_ranked_with_the_line_they_begin_at(notes: Path, capsys: Capture) -> None:
    code, out, err = command(capsys, "search", str(notes), "when does the engine need oil?")
    assert (code, err) == (0, "")
    assert out.split()[:2] == ["1", "cars.txt:1"]
    # What looks like markup in a text is printed as it stands.
    assert "[red]every year[/red]" in out


def test_what_is_long_is_cut_when_printed_and_whole_in_json(notes: Path, capsys: Capture) -> None:
    _, out, _ = command(capsys, "search", str(notes), "word")
    assert out.splitlines()[1].endswith(" ...")
    _, out, _ = command(capsys, "search", str(notes), "word", "--json", "--k", "1")
    hits = json.loads(out)["hits"]
    assert hits[0]["document"].startswith("cats.md:5")
    assert len(hits[0]["text"].split()) == 120


def test_feedback_widens_the_query(notes: Path, capsys: Capture) -> None:
    (notes / "more.txt").write_text("Oil is pressed from olives.")
    _, out, _ = command(capsys, "search", str(notes), "engine", "--with", "feedback", "--json")
    assert [hit["document"] for hit in json.loads(out)["hits"]] == ["cars.txt:1", "more.txt:1"]


def test_a_corpus_in_beirs_form_is_searched_by_its_documents(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "corpus.jsonl").write_text(
        '{"_id": "d1", "text": "Cats purr."}\n{"_id": "d2", "text": "Dogs bark."}\n'
    )
    (tmp_path / "queries.jsonl").write_text('{"_id": "q", "text": "who?"}\n')
    (tmp_path / "qrels").mkdir()
    (tmp_path / "qrels" / "test.tsv").write_text("q\td1\t1\n")
    _, out, _ = command(capsys, "search", str(tmp_path), "barking dogs", "--json")
    assert [hit["document"] for hit in json.loads(out)["hits"]] == ["d2"]


def test_a_corpus_that_nobody_judged_is_searched_too(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "corpus.jsonl").write_text('{"_id": "d1", "text": "Cats purr."}\n{"_id": "d2", "text": ""}\n')
    code, out, err = command(capsys, "search", str(tmp_path), "cats", "--json")
    assert (code, err) == (0, "")
    assert [hit["document"] for hit in json.loads(out)["hits"]] == ["d1"]


def test_nothing_found_is_said(notes: Path, capsys: Capture) -> None:
    code, out, _ = command(capsys, "search", str(notes), "zeppelin")
    assert (code, out.strip()) == (0, "Nothing shares a word with the query. By meaning: --with query")


def test_bad_input_gets_one_sentence(notes: Path, tmp_path: Path, capsys: Capture) -> None:
    one_sentence(capsys, "There is no folder", "search", str(tmp_path / "none"), "q")
    one_sentence(capsys, "The query is empty.", "search", str(notes), " ")
    one_sentence(capsys, "Did you mean bm25?", "search", str(notes), "q", "--with", "bm52")
    one_sentence(capsys, "Did you mean passage?", "search", str(notes), "q", "--kind", "passages")
    (tmp_path / "empty").mkdir()
    one_sentence(capsys, "no .txt or .md file", "search", str(tmp_path / "empty"), "q")


@pytest.mark.engine
@pytest.mark.usefixtures("home")
def test_by_vectors_and_with_hyde_and_the_second_query_is_cheaper(notes: Path, capsys: Capture) -> None:
    code, first, err = command(capsys, "search", str(notes), "animals that sleep", "--with", "query", "--k", "1")
    assert code == 0, err
    assert "0 known from before" in first
    _, out, _ = command(
        capsys, "search", str(notes), "animals that sleep", "--with", "hyde", "--n", "2", "--k", "1"
    )
    assert "2 of 2 documents could be used" in out
    assert "0 known from before" not in out
