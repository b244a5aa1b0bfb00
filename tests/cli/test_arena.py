"""`assay arena`: a leaderboard from a file of votes, printed, as JSON and as a page; and a judge's votes."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from .test_probing import Capture, command, one_sentence

TRUE = {"strong": 0.9, "middle [red]": 0.0, "weak <b>": -0.9}


@pytest.fixture
def votes(tmp_path: Path) -> Path:
    """600 votes on three models; the longer answer has an advantage of its own."""
    rng, names = np.random.default_rng(0), list(TRUE)
    rows = []
    for at in range(600):
        a, b = rng.permutation(3)[:2]
        texts = ["word " * int(rng.integers(5, 60)) for _ in range(2)]
        gap = TRUE[names[a]] - TRUE[names[b]] + (len(texts[0]) - len(texts[1])) / (len(texts[0]) + len(texts[1]))
        winner = "tie" if rng.random() < 0.1 else "model_a" if rng.random() < 1 / (1 + np.exp(-gap)) else "model_b"
        row = {"question_id": str(at), "model_a": names[a], "model_b": names[b], "winner": winner}
        rows.append({**row, "response_a": texts[0], "response_b": texts[1]})
    file = tmp_path / "votes.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def test_models_are_ranked_with_intervals_and_what_votes_say_of_position(votes: Path, capsys: Capture) -> None:
    code, out, err = command(capsys, "arena", "rank", str(votes))
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert [line.split()[:2] for line in lines[1:4]] == [["1", "strong"], ["2", "middle"], ["3", "weak"]]
    assert "middle [red]" in out
    assert "600 votes on 3 models" in out
    assert "shown first won" in out


def test_the_page_holds_drawing_and_table_and_no_markup_of_a_name(
    votes: Path, tmp_path: Path, capsys: Capture
) -> None:
    page = tmp_path / "board.html"
    code, _, err = command(capsys, "arena", "rank", str(votes), "--style", "length", "--html", str(page))
    assert (code, "written" in err) == (0, True)
    text = page.read_text()
    assert "<b>" not in text
    assert "weak &lt;b&gt;" in text
    assert "What style is worth" in text
    ElementTree.fromstring(text[text.index("<svg") : text.index("</svg>") + 6])


def test_json_has_every_number_and_the_bootstrap_is_near_the_sandwich(votes: Path, capsys: Capture) -> None:
    found = []
    for words in ((), ("--bootstrap", "400"), ("--ties", "davidson"), ("--style", "length")):
        code, out, _ = command(capsys, "arena", "rank", str(votes), "--json", "-", *words)
        assert code == 0
        found.append(json.loads(out))
    plain, drawn, tied, styled = found
    assert [one["model"] for one in plain["models"]] == list(TRUE)
    assert sum(one["rating"] for one in plain["models"]) == pytest.approx(3000)
    width = [one["models"][0]["high"] - one["models"][0]["low"] for one in (plain, drawn)]
    assert width[1] == pytest.approx(width[0], rel=0.2)
    assert tied["tie_weight"] > 0
    assert plain["tie_weight"] is None
    worth = styled["style"]["length"]
    assert worth["log_odds"] > 2 * worth["standard_error"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--style", "colour"), "colour"),
        (("--ties", "double"), "double"),
        (("--unknown", "maybe"), "maybe"),
        (("--style", "length", "--bootstrap", "100"), "sandwich"),
        (("--bootstrap", "1"), "at least two"),
        (("--html", "/nowhere/at/all.html"), "cannot be written"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    votes: Path, words: tuple[str, ...], said: str, capsys: Capture
) -> None:
    one_sentence(capsys, said, "arena", "rank", str(votes), *words)


def test_groups_that_never_met_stand_apart(tmp_path: Path, capsys: Capture) -> None:
    file = tmp_path / "v.csv"
    file.write_text("model_a,model_b,winner\na,b,model_a\na,b,model_b\nx,y,model_a\n")
    code, out, _ = command(capsys, "arena", "rank", str(file))
    assert code == 0
    assert "2 groups" in " ".join(out.split())
    assert "[−∞, ∞]" in out


@pytest.mark.engine
def test_a_judge_votes_in_both_orders_and_its_votes_can_be_ranked(
    home: Path, tmp_path: Path, capsys: Capture
) -> None:
    prompts = tmp_path / "prompts.jsonl"
    prompts.write_text('{"question": "What is 2 + 2?"}\n{"turns": ["Name a colour."]}\n')
    out_file = tmp_path / "votes.jsonl"
    # One network under two names: whoever wins, the votes are real.
    weights = next((home / "cache").rglob("SmolLM2-135M*.gguf"))
    words = [
        "--model",
        "smollm2-135m",
        "--model",
        f"gguf:{weights}",
        "--judge",
        "smollm2-135m",
        "--max-tokens",
        "12",
    ]
    code, out, err = command(capsys, "arena", "judge", str(prompts), *words, "--out", str(out_file))
    assert code == 0, err
    rows = [json.loads(line) for line in out_file.read_text().splitlines()]
    assert len(rows) == 2
    assert {row["g1_winner"] for row in rows} <= {"model_1", "model_2", "tie", "error"}
    assert "2 pairs judged" in out
    code, out, _ = command(capsys, "arena", "rank", str(out_file), "--unknown", "tie")
    assert (code, "2 votes on 2 models" in out) == (0, True)


def test_a_judge_needs_two_models_and_prompts(tmp_path: Path, capsys: Capture) -> None:
    prompts = tmp_path / "prompts.jsonl"
    prompts.write_text('{"text": "x"}\n')
    judge = ("arena", "judge", str(prompts), "--model", "a", "--judge", "c")
    one_sentence(capsys, "nobody to meet", *judge)
    one_sentence(capsys, "no prompt", *judge, "--model", "b")
