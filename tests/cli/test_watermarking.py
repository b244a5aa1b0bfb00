"""`assay watermark`: written, found and attacked on the real model; files in parts; bad input."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from random import Random

import numpy as np
import pytest

from assay.cli.network import watermarking
from assay.cli.network.inputs import pieces_of
from assay.cli.network.work import run_with
from assay.core import BadFile, Capability, Model, Read
from assay.lab.driver import Driver
from assay.models import ModelChoice
from assay.tasks.text_origin import packaged_text

from .test_probing import Capture, command, one_sentence

TEXT = "the quick brown  fox\njumps over the lazy dog, twice; and then once more \n"


@pytest.mark.parametrize("size", [7, 64, 1000, 65_536])
def test_parts_make_up_the_file_and_are_cut_before_single_spaces(size: int, tmp_path: Path) -> None:
    file = tmp_path / "t.txt"
    text = "  ".join(packaged_text().passages[:3]) + "\n\u00e9t\u00e9 \U0001f600 end\n"
    file.write_bytes(b"\xef\xbb\xbf" + text.encode())
    parts = list(pieces_of(file, size))
    assert "".join(parts) == text
    assert all(part[0] == " " and not part[1].isspace() for part in parts[1:])
    assert not any(part[-1].isspace() for part in parts[:-1])
    assert (len(parts) > 1) == (size < 2000)


def test_a_text_without_spaces_is_cut_all_the_same(tmp_path: Path) -> None:
    file = tmp_path / "t.txt"
    file.write_text("x" * 3_000_000)
    assert [len(part) for part in pieces_of(file)] == [1_048_576, 1_048_576, 902_848]


def test_half_a_character_at_the_end_is_not_utf_8(tmp_path: Path) -> None:
    file = tmp_path / "t.txt"
    file.write_bytes("café".encode()[:-1])
    with pytest.raises(BadFile, match="not UTF-8"):
        list(pieces_of(file))


@pytest.mark.parametrize("kind", watermarking.KINDS)
def test_an_attack_of_nothing_leaves_the_text(kind: str) -> None:
    text = TEXT.rstrip() if kind == "delete" else TEXT
    assert watermarking.attacked(text, kind, 0.0, np.random.default_rng(0)) == text


def test_attacks_on_words_keep_the_spaces_and_hit_their_share() -> None:
    text = "\n".join(packaged_text().passages[:10])
    words = text.split()
    hit = watermarking.attacked(text, "substitute", 0.3, np.random.default_rng(1)).split()
    assert len(hit) == len(words)
    assert np.mean([a != b for a, b in zip(words, hit, strict=True)]) == pytest.approx(0.3, abs=0.05)
    longer = watermarking.attacked(text, "insert", 0.3, np.random.default_rng(1))
    assert len(longer.split()) == pytest.approx(1.3 * len(words), rel=0.05)
    assert longer.count("\n") == text.count("\n")
    shorter = watermarking.attacked(text, "delete", 0.3, np.random.default_rng(1))
    assert len(shorter.split()) == pytest.approx(0.7 * len(words), rel=0.05)


MISTAKES = {
    "scheme": (("detect", "FILE", "--scheme", "lefthsh"), "Did you mean lefthash"),
    "gamma": (("detect", "FILE", "--gamma", "1.5"), "gamma must be between 0 and 1"),
    "alpha": (("detect", "FILE", "--alpha", "0"), "alpha must lie between"),
    "key": (("detect", "FILE", "--key", "-1"), "key must be between 0"),
    "two keys": (("detect", "FILE", "--key", "1", "--key-file", "FILE"), "two keys"),
    "key file": (("detect", "FILE", "--key-file", "FILE"), "takes one whole number"),
    "folder": (("detect", "."), "this is a folder"),
    "missing": (("detect", "nowhere.txt"), "nowhere.txt: it cannot be read"),
    "latin": (("detect", "LATIN"), "not UTF-8"),
    "foreign": (("detect", "FILE", "--foreign", "transformer"), "Did you mean transformers"),
    "two tests": (("detect", "FILE", "--windows", "--weighted"), "three tests"),
    "keys": (("detect", "FILE", "--windows", "--alpha", "1e-4"), "Give --keys 9999"),
    "route": (("generate", "hi", "--route", "bia"), "Did you mean bias"),
    "delta": (("generate", "hi", "--delta", "-1"), "delta must be at least 0"),
    "prompt": (("generate", ""), "The prompt is empty"),
    "temperature": (("generate", "hi", "--temperature", "99"), "temperature must be between"),
    "raw chunks": (("generate", "hi", "--route", "chunks", "--raw"), "leave --raw away"),
    "out": (("generate", "hi", "-o", "/no/such/folder/f"), "cannot be written"),
    "kind": (("attack", "FILE", "--kind", "homoglyph"), "Did you mean homoglyphs"),
    "fraction": (("attack", "FILE", "--kind", "case", "--fraction", "2"), "fraction must be between"),
    "nothing": (("attack", "EMPTY", "--kind", "case"), "no text to attack"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_one_sentence(name: str, home: Path, tmp_path: Path, capsys: Capture) -> None:
    words, wanted = MISTAKES[name]
    (tmp_path / "text.txt").write_text(TEXT)
    (tmp_path / "empty.txt").write_text("")
    (tmp_path / "latin.txt").write_bytes("Käse und Brot".encode("latin-1"))
    named = {"FILE": "text.txt", "LATIN": "latin.txt", "EMPTY": "empty.txt"}
    placed = [str(tmp_path / named[word]) if word in named else word for word in words]
    one_sentence(capsys, wanted, "watermark", *placed)


def test_an_empty_file_is_insufficient_and_needs_no_model(home: Path, tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "empty.txt").write_text("")
    words = ("watermark", "detect", str(tmp_path / "empty.txt"), "--model", "no-such-model", "--json")
    code, out, err = command(capsys, *words)
    assert (code, err) == (4, "")
    assert json.loads(out)["p"] == 1.0
    assert json.loads(out)["minimum_tokens"] == 9


@pytest.mark.engine
def test_parts_have_the_tokens_of_the_whole(home: Path, tmp_path: Path) -> None:
    text = "\n\n".join(packaged_text().passages[:12])
    file = tmp_path / "t.txt"
    file.write_text(text)

    async def work(model: Model, driver: Driver) -> tuple[list[int], list[int]]:
        parts = [(await model.read(Read(part))).tokens for part in pieces_of(file, 200)]
        assert len(parts) > 20
        return [token for part in parts for token in part], list((await model.read(Read(text))).tokens)

    (parts, whole), _ = run_with(ModelChoice(), frozenset({Capability.TOKENS}), work)
    assert parts == whole


@pytest.mark.engine
def test_a_mark_is_written_found_and_attacked(
    home: Path, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, key = tmp_path / "marked.txt", tmp_path / "key.txt"
    key.write_text("0x1234\n")
    prompt = "Tell me about rivers and how they shape the land."
    words = ("watermark", "generate", prompt, "--key-file", str(key), "--delta", "4", "--max-tokens", "60")
    code, out, err = command(capsys, *words)
    assert code == 0, err
    assert "tokens by smollm2-135m, scheme lefthash, p " in err
    assert "p " not in out.splitlines()[0][:2]
    file.write_text(out)

    detect = ("watermark", "detect", str(file), "--key", str(0x1234), "--json")
    code, out, err = command(capsys, *detect)
    found = json.loads(out)
    assert code == 0, err
    assert found["p"] < 1e-5
    assert found["scored"] + found["repeats"] + found["unscored"] >= 55
    assert command(capsys, "watermark", "detect", str(file), "--key", "7")[0] == 1
    code, out, _ = command(capsys, *detect, "--windows", "--keys", "199")
    assert (code, json.loads(out)["p"]) == (0, 1 / 200)

    # Without its first token a known context scores one token more.
    before = tmp_path / "before.txt"
    before.write_text(prompt)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(file.read_bytes())))
    _, out, _ = command(capsys, "watermark", "detect", "-", "--json", "--prompt-file", str(before))
    assert json.loads(out)["unscored"] == 0

    attack = ("watermark", "attack", str(file), "--key", str(0x1234), "--kind", "substitute", "--fraction", "0.8")
    code, out, err = command(capsys, *attack, "--json")
    assert code == 0, err
    told = json.loads(out)
    assert told["before"]["p"] == found["p"]
    assert told["after"]["p"] > 1e-3


@pytest.mark.engine
def test_the_engine_can_be_marked_without_its_logits(home: Path, tmp_path: Path, capsys: Capture) -> None:
    file = tmp_path / "marked.txt"
    words = ("watermark", "generate", "Tell me about rivers.", "--max-tokens", "48", "-o", str(file))
    code, out, err = command(capsys, *words, "--route", "bias", "--delta", "6")
    assert (code, out) == (0, ""), err
    assert "scheme unigram" in err
    assert command(capsys, "watermark", "detect", str(file), "--scheme", "unigram", "--alpha", "1e-3")[0] == 0

    code, out, err = command(capsys, *words, "--route", "chunks", "--json")
    assert code == 0, err
    told = json.loads(out)
    assert told["detection"]["z"] > 0
    assert 12 <= told["tokens"] <= 48
    assert told["text"] == file.read_text()


@pytest.mark.engine
def test_marks_of_transformers_are_looked_for_by_their_lists(home: Path, tmp_path: Path, capsys: Capture) -> None:
    import torch

    from assay.models.network.model import OpenNetwork

    async def work(model: Model, driver: Driver) -> str:
        assert isinstance(model, OpenNetwork)
        # The greenest of words after each token, by the lists that transformers draws on a CPU.
        rng, tokens = Random(0), [1000]
        while len(tokens) < 60:
            generator = torch.Generator().manual_seed(15485863 * tokens[-1])
            green = set(torch.randperm(49152, generator=generator)[:12288].tolist())
            words = [f" {word}" for word in packaged_text().text.split() if word.isalpha()]
            for word in rng.sample(words, 200):
                ids = model.vocabulary.ids(word)
                if len(ids) == 1 and ids[0] in green:
                    tokens += ids
                    break
        return str(model.network.tokenizer.decode(tokens))

    text, _ = run_with(ModelChoice(), frozenset({Capability.LOGITS}), work)
    file = tmp_path / "theirs.txt"
    file.write_text(text)
    code, out, err = command(capsys, "watermark", "detect", str(file), "--foreign", "transformers", "--json")
    assert code == 0, err
    assert json.loads(out)["their z"] > 8
    code, _, err = command(
        capsys, "watermark", "detect", str(file), "--weighted", "--keys", "99", "--alpha", "0.02"
    )
    assert code == 1, err
