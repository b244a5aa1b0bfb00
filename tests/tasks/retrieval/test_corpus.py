"""Corpora from folders, in BEIR's form and as plain texts; whatever is malformed is named with its line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assay.core import BadFile, UserError
from assay.tasks.retrieval import Query, load_corpus, passages, text_files

DOCUMENTS = [
    {"_id": "d1", "title": "Cats", "text": "They purr."},
    {"_id": "d2", "title": "", "text": "Dogs bark."},
    {"_id": "d3", "title": "Nothing", "text": ""},
]
QUERIES = [{"_id": "q1", "text": "what purrs?"}, {"_id": "q2", "text": "what barks?"}]
JUDGED = "query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td2\t1\nq2\td2\t1\nq2\td1\t0\n"


def beir(folder: Path, documents: object = None, queries: object = None, judged: str | None = None) -> Path:
    """A small corpus in BEIR's form; a text stands for a whole file."""

    def lines(rows: object) -> str:
        return rows if isinstance(rows, str) else "".join(json.dumps(row) + "\n" for row in rows)  # type: ignore

    (folder / "corpus.jsonl").write_text(lines(DOCUMENTS if documents is None else documents))
    (folder / "queries.jsonl").write_text(lines(QUERIES if queries is None else queries))
    (folder / "qrels").mkdir()
    (folder / "qrels" / "test.tsv").write_text(JUDGED if judged is None else judged)
    (folder / "qrels" / "dev.tsv").write_text("nothing that is read\n")
    return folder


def test_beir_is_read_with_titles_and_grades(tmp_path: Path) -> None:
    corpus = load_corpus(beir(tmp_path))
    assert [(document.id, document.text) for document in corpus.documents] == [
        *(("d1", "Cats They purr."), ("d2", "Dogs bark."), ("d3", "Nothing")),
    ]
    assert corpus.queries == (Query("what purrs?", {"d1": 2.0, "d2": 1.0}), Query("what barks?", {"d2": 1.0}))


@pytest.mark.parametrize(
    ("what", "file", "line", "says"),
    [
        ({"documents": "{\n"}, "corpus.jsonl", 1, "not JSON"),
        ({"documents": "[1]\n"}, "corpus.jsonl", 1, "must hold an object"),
        (
            {"documents": '{"_id": "a", "text": "x"}\n{"_id": "a", "text": "y"}\n'},
            "corpus.jsonl",
            2,
            "earlier line",
        ),
        ({"documents": '{"text": "x"}\n'}, "corpus.jsonl", 1, "missing"),
        ({"documents": '{"_id": "a"}\n'}, "corpus.jsonl", 1, "missing"),
        ({"documents": '{"_id": "a", "text": 3}\n'}, "corpus.jsonl", 1, "must be text"),
        ({"documents": '{"_id": " ", "text": "x"}\n'}, "corpus.jsonl", 1, "is empty"),
        ({"documents": '{"_id": "a", "text": "x\\u0000"}\n'}, "corpus.jsonl", 1, "NUL"),
        ({"queries": '{"_id": "q", "text": " "}\n'}, "queries.jsonl", 1, "text is empty"),
        ({"queries": [QUERIES[0], QUERIES[0]]}, "queries.jsonl", 2, "earlier line"),
        ({"judged": "q1\td1\n"}, "test.tsv", 1, "2 columns and not 3"),
        ({"judged": "q1\td1\tyes\n"}, "test.tsv", 1, "no whole number"),
        ({"judged": f"q1\td1\t{'9' * 5000}\n"}, "test.tsv", 1, "no whole number of up to 6 digits"),
        ({"judged": f"q1\td1\t{'9' * 400}\n"}, "test.tsv", 1, "no whole number of up to 6 digits"),
        ({"documents": '{"_id": "a", "text": null}\n'}, "corpus.jsonl", 1, "missing"),
        ({"judged": "q1\td1\t1\nq9\td1\t1\n"}, "test.tsv", 2, "no query 'q9'"),
        ({"judged": "q1\td9\t1\n"}, "test.tsv", 1, "no document 'd9'"),
        ({"judged": "q1\td1\t1\nq1\td1\t2\n"}, "test.tsv", 2, "judged before"),
        ({"judged": "q1\td1\t0\nq2\td2\t-1\n"}, "test.tsv", None, "no document is relevant"),
    ],
)
def test_a_malformed_line_is_named(
    tmp_path: Path, what: dict[str, object], file: str, line: int | None, says: str
) -> None:
    with pytest.raises(BadFile, match=says) as error:
        load_corpus(beir(tmp_path, **what))  # type: ignore[arg-type]
    assert error.value.line == line
    assert file in str(error.value)


def test_a_corpus_without_judgements_or_queries_says_so(tmp_path: Path) -> None:
    folder = beir(tmp_path)
    (folder / "qrels" / "test.tsv").unlink()
    (folder / "qrels" / "dev.tsv").unlink()
    with pytest.raises(BadFile, match=r"no \.tsv file"):
        load_corpus(folder)
    (folder / "queries.jsonl").unlink()
    with pytest.raises(BadFile, match=r"queries\.jsonl.*cannot be read"):
        load_corpus(folder)


def test_a_title_that_is_null_is_empty(tmp_path: Path) -> None:
    documents = [{**document, "title": None} for document in DOCUMENTS]
    corpus = load_corpus(beir(tmp_path, documents))
    assert [document.text for document in corpus.documents] == ["They purr.", "Dogs bark."]


def test_where_there_is_no_test_set_the_first_file_is_read(tmp_path: Path) -> None:
    folder = beir(tmp_path)
    (folder / "qrels" / "test.tsv").rename(folder / "qrels" / "a.tsv")
    assert len(load_corpus(folder).queries) == 2


def folder_of(tmp_path: Path, **files: str) -> Path:
    for name, text in files.items():
        path = tmp_path / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def test_titles_are_queries_for_the_rest_of_their_texts(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, a_md="# Cats\n\nThey purr.\n", sub__b_txt="Cats\nAlso.", c_txt="only a title")
    corpus = load_corpus(folder)
    assert [(d.id, d.text) for d in corpus.documents] == [("a.md", "They purr."), ("sub/b.txt", "Also.")]
    assert corpus.queries == (Query("Cats", {"a.md": 1.0, "sub/b.txt": 1.0}),)


def test_written_queries_are_taken_before_titles(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, a_md="# Cats\n\nThey purr.", b_txt="Dogs")
    (folder / "queries.csv").write_text("question,answer\nwho purrs?,a.md\nwho purrs?,b.txt\n")
    corpus = load_corpus(folder)
    assert corpus.queries == (Query("who purrs?", {"a.md": 1.0, "b.txt": 1.0}),)
    assert [document.id for document in corpus.documents] == ["a.md", "b.txt"]


def test_a_query_for_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, a_md="# Cats\n\nThey purr.")
    (folder / "queries.jsonl").write_text(
        '{"question": "q", "answer": "a.md"}\n{"question": "r", "answer": "z.md"}\n'
    )
    with pytest.raises(BadFile, match=r"no text file 'z\.md'") as error:
        load_corpus(folder)
    assert error.value.line == 2


def test_what_holds_nothing_to_search_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="There is no folder"):
        load_corpus(tmp_path / "none")
    with pytest.raises(UserError, match=r"no \.txt or \.md"):
        load_corpus(folder_of(tmp_path, a_md=" \n", _hidden__b_md="x\ny"))
    with pytest.raises(UserError, match="has a title and something below it"):
        load_corpus(folder_of(tmp_path, a_md="only a title"))


def test_a_text_that_is_not_utf_8_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"fine\nfine\n\xff\n")
    with pytest.raises(BadFile, match="not UTF-8") as error:
        text_files(tmp_path)
    assert error.value.line == 3


def test_passages_hold_whole_paragraphs_and_say_where_they_begin() -> None:
    text = "# One\n\ntwo three\nfour\n\n\n  five six seven eight\n\nnine\n"
    found = {part.id: part.text for part in passages("a.md", text, longest=4)}
    assert found == {
        "a.md:1": "# One",
        "a.md:3": "two three four",
        "a.md:7": "five six seven eight",
        "a.md:9": "nine",
    }
    joined = {part.id: part.text for part in passages("a.md", text, longest=5)}
    assert joined["a.md:1"] == "# One two three four"


def test_a_paragraph_without_end_is_cut() -> None:
    found = [(part.id, part.text) for part in passages("a", "1 2 3 4 5", longest=2)]
    assert found == [("a:1", "1 2"), ("a:1/2", "3 4"), ("a:1/3", "5")]
    assert list(passages("a", " \n\n ")) == []
