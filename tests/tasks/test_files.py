import json
from pathlib import Path

import pytest

from assay.core import Answer, BadFile, Ending, Task, UnknownName
from assay.tasks import load_task
from assay.tasks.rows import LARGEST_FILE

GOOD = '{"question": "How many?", "answer": "3"}\n'
NAMES = "A row has question (or prompt, input) and answer (or target, label, gold)."


def write(folder: Path, content: str | bytes, name: str = "task.jsonl") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def rows(*values: object) -> str:
    return "".join(json.dumps(value) + "\n" for value in values)


def question(answer: object, text: str = "What?", **more: object) -> dict[str, object]:
    return {"question": text, "answer": answer, **more}


# name, content, what the message says behind the path
BAD = [
    ("t.jsonl", "", ": the file is empty."),
    ("t.jsonl", "\n \n", ": the file holds no samples."),
    ("t.csv", "question,answer\n", ": the file holds no samples."),
    ("t.txt", GOOD, ": the name must end in .jsonl, .ndjson or .csv."),
    (
        "t.jsonl",
        GOOD.encode() + b'{"question": "caf\xe9", "answer": "1"}\n',
        ", line 2: the text is not UTF-8. Convert it: iconv -f LATIN1 -t UTF-8 FILE > NEW.",
    ),
    (
        "t.csv",
        b"question,answer\ncaf\xe9,1\n",
        ", line 2: the text is not UTF-8. Convert it: iconv -f LATIN1 -t UTF-8 FILE > NEW.",
    ),
    (
        "t.jsonl",
        GOOD + '\n{"question": "Why?" "answer": "1"}\n',
        ", line 3: this is not JSON: Expecting ',' delimiter at character 21. Each line holds one JSON object.",
    ),
    (
        "t.jsonl",
        GOOD + '{"question": "Why?", "answer": NaN}\n',
        ", line 2: this JSON cannot be read: NaN is no number.",
    ),
    ("t.jsonl", "[1]\n", ", line 1: a line must hold an object, not a list."),
    ("t.jsonl", "3\n", ", line 1: a line must hold an object, not a number."),
    ("t.jsonl", '{"answer": "1"}\n', f", line 1, field 'question': the question is missing. {NAMES}"),
    ("t.jsonl", '{"question": "Q"}\n', f", line 1, field 'answer': the answer is missing. {NAMES}"),
    ("t.jsonl", rows(question(None)), f", line 1, field 'answer': the answer is missing. {NAMES}"),
    ("t.jsonl", rows({"prompt": " ", "gold": "1"}), ", line 1, field 'prompt': the question is empty."),
    ("t.jsonl", rows({"prompt": "p", "gold": ""}), ", line 1, field 'gold': the answer is empty."),
    (
        "t.jsonl",
        rows(question(1, "a"), question([1])),
        ", line 2, field 'answer': the answer must be text, not a list.",
    ),
    (
        "t.jsonl",
        rows({"input": 3, "answer": 1}),
        ", line 1, field 'input': the question must be text, not a number.",
    ),
    ("t.jsonl", rows(question(1, id=True)), ", line 1, field 'id': the id must be text, not true or false."),
    (
        "t.jsonl",
        rows(question("a\ud800")),
        ", line 1, field 'answer': the text holds a NUL or half a character.",
    ),
    ("t.jsonl", rows(question("work ####")), ", line 1, field 'answer': nothing follows the '####'."),
    (
        "t.jsonl",
        rows(question("Paris"), question("...", "b")),
        ", line 2, field 'answer': the answer holds nothing but signs.",
    ),
    (
        "t.jsonl",
        rows(question(1, "a", id="x"), question(2, "b", id="y"), question(3, "c", id="x")),
        ", line 3, field 'id': the id 'x' stands on line 1 too.",
    ),
    (
        "t.jsonl",
        GOOD + "\n" + GOOD,
        ", line 3: this row is the same as that on line 1. Remove it, or give each row an id.",
    ),
    (
        "t.jsonl",
        rows(question("red", choices=["blue", "green"])),
        ", line 1, field 'answer': the answer 'red' is not among the choices."
        " Give the text of a choice or its letter.",
    ),
    (
        "t.jsonl",
        rows(question("a", choices="a|b")),
        ", line 1, field 'choices': the choices must be a list of texts.",
    ),
    (
        "t.jsonl",
        rows(question("a", options=["a", 2])),
        ", line 1, field 'options': the choices must be a list of texts.",
    ),
    (
        "t.jsonl",
        rows(question("a", choices=["a", " "])),
        ", line 1, field 'choices': one of the choices is empty.",
    ),
    (
        "t.jsonl",
        rows(question("a", choices=["a", "a"])),
        ", line 1, field 'choices': two of the choices are the same.",
    ),
    (
        "t.jsonl",
        rows(question("a", choices=["a"])),
        ", line 1, field 'choices': 2 to 26 choices are needed, not 1.",
    ),
    (
        "t.jsonl",
        rows(question("a", "x", choices=["a", "b"]), question("a", "y")),
        ", line 2, field 'choices': this row has no choices and line 1 has.",
    ),
    (
        "t.csv",
        "How many?,3\nWhy?,4\n",
        f", line 1: the first line must be a header, and it names no question. {NAMES}",
    ),
    (
        "t.csv",
        "question,reply\nWhy?,4\n",
        f", line 1: the first line must be a header, and it names no answer. {NAMES}",
    ),
    ("t.csv", "question,answer,answer\n", ", line 1, field 'answer': two columns have this name."),
    (
        "t.csv",
        'question,answer\n"two\nlines",2\nOne, two?,3\n',
        ", line 4: this row has 3 columns and the header has 2. Put a text that holds a comma in double quotes.",
    ),
    ("t.csv", "question,answer\nWhy?,\n", f", line 2, field 'answer': the answer is missing. {NAMES}"),
    ("t.csv", 'question,answer\n"a"b,3\n', ", line 2: this is not CSV: ',' expected after '\"'."),
    ("t.csv", 'question,answer\n"a,3\n', ", line 2: this is not CSV: unexpected end of data."),
]


@pytest.mark.parametrize(("name", "content", "message"), BAD)
def test_what_is_wrong_is_said_with_its_place(
    tmp_path: Path, name: str, content: str | bytes, message: str
) -> None:
    path = write(tmp_path, content, name)
    with pytest.raises(BadFile) as error:
        load_task(path)
    said = str(error.value).removeprefix(str(path))
    assert said == message


def test_places_that_hold_no_file(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match=r"none\.jsonl: there is no such file\.$"):
        load_task(tmp_path / "none.jsonl")
    with pytest.raises(BadFile, match=r": this is a folder, not a file\.$"):
        load_task(tmp_path)
    with pytest.raises(BadFile, match=r": this is no regular file\.$"):
        load_task("/dev/null")
    with pytest.raises(BadFile, match=r"no such file|null byte"):
        load_task("a\x00b.jsonl")


def test_a_file_over_a_gigabyte_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "huge.jsonl"
    with path.open("wb") as file:
        file.truncate(LARGEST_FILE + 1)
    with pytest.raises(BadFile) as error:
        load_task(path)
    assert str(error.value) == (
        f"{path}: the file is larger than 1 GB, more than a test can use."
        " Take a part of it: head -n 100000 FILE > PART."
    )


def test_json_without_end_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="line 1: this JSON cannot be read"):
        load_task(write(tmp_path, "[" * 200_000))
    with pytest.raises(BadFile, match="line 1: this JSON cannot be read"):
        load_task(write(tmp_path, '{"question": "a", "answer": ' + "9" * 5000 + "}"))


@pytest.mark.parametrize(
    ("answers", "kind", "targets"),
    [
        (["1,080", 3, 2.50, "$5"], "number", ["1080", "3", "2.5", "5"]),
        (["Yes", "no", True], "yes-no", ["yes", "no", "yes"]),
        (["The Paris.", "7"], "text", ["paris", "7"]),
        (["work 1\n#### 1,080", "#### -3"], "number", ["1080", "-3"]),
    ],
)
def test_the_kind_is_what_all_answers_are(
    tmp_path: Path, answers: list[object], kind: str, targets: list[str]
) -> None:
    lines = [question(answer, f"Question {i}?") for i, answer in enumerate(answers)]
    task = load_task(write(tmp_path, rows(*lines)))
    assert task.kind == kind
    assert [item.target for item in task.items] == targets
    for item in task.items:
        assert task.score(item, Answer(f"{task.cue} {item.target}.")).score == 1.0
        assert task.score(item, Answer(f"{task.cue} other")).score in (None, 0.0)


@pytest.mark.parametrize("asks", ["question", "prompt", "input"])
@pytest.mark.parametrize("tells", ["answer", "target", "label", "gold"])
def test_other_names_of_the_fields(tmp_path: Path, asks: str, tells: str) -> None:
    (item,) = load_task(write(tmp_path, rows({asks: " Two? ", tells: 2}))).items
    (same,) = load_task(write(tmp_path, f"{asks.upper()},{tells}\nTwo?,2\n", "t.csv")).items
    assert (item.question, item.target) == ("Two?", "2")
    assert item == same


def test_choices_are_lettered_and_scored_by_letter_or_text(tmp_path: Path) -> None:
    lines = [
        question("a whale", "Which swims?", choices=["a bird", "a whale", "a cow"], id="w"),
        question("B", "Which flies?", options=["cow", "owl"], cluster="c"),
        question("owl", "Which? A) cow B) owl", choices=["cow", "owl"]),
    ]
    task: Task = load_task(write(tmp_path, rows(*lines)), name="animals")
    by_target = {s.question: s for s in task.samples(9, 0)}
    whale = by_target["Which swims?\n(A) a bird\n(B) a whale\n(C) a cow"]
    owl = by_target["Which flies?\n(A) cow\n(B) owl"]
    assert "Which? A) cow B) owl" in by_target
    assert (whale.id, whale.target, whale.choices) == ("w", "B", ("A", "B", "C"))
    assert (owl.target, owl.cluster) == ("B", "c")
    assert (task.kind, task.name) == ("choice", "animals")
    assert task.chance == pytest.approx((1 / 3 + 1 / 2 + 1 / 2) / 3)
    for reply, score in (("B", 1), ("(B) a whale", 1), ("A whale", 1), ("a cow", 0), ("C", 0)):
        assert task.score(whale, Answer(reply)).score == score, reply
    assert task.score(whale, Answer("a fish")).ending is Ending.UNPARSED
    assert task.extract("The answer is C.") == "C"


def test_csv_with_choices_quotes_and_a_byte_order_mark(tmp_path: Path) -> None:
    text = (
        '\ufeffquestion,answer,choices,id\r\n"Red, or\nblue?",red,red | blue,r1\r\n\r\nBig?,small,big|small,\r\n'
    )
    first, second = load_task(write(tmp_path, text, "t.csv")).items
    assert first.question == "Red, or\nblue?\n(A) red\n(B) blue"
    assert (first.id, first.target, second.target) == ("r1", "A", "B")


def test_ids_follow_the_content_and_not_the_place(tmp_path: Path) -> None:
    one, two = question("1", "a"), question("2", "b")
    forth = load_task(write(tmp_path, rows(one, two))).items
    back = load_task(write(tmp_path, rows(two, one))).items
    assert {i.id: i for i in forth} == {i.id: i for i in back}
    assert len({i.id for i in forth}) == 2


def test_a_seed_is_an_order(tmp_path: Path) -> None:
    task = load_task(write(tmp_path, rows(*(question(i, f"{i}?") for i in range(50)))))
    assert task.samples(20, 1) == task.samples(60, 1)[:20]
    assert task.samples(20, 1) != task.samples(20, 2)
    assert len(task.samples(60, 1)) == 50
    with pytest.raises(UnknownName, match="no level named 'hard'"):
        task.samples(1, 0, "hard")
