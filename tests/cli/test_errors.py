"""Every mistake of a user ends in one sentence on stderr, with the right exit code, within three seconds."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

ASSAY = [sys.executable, "-m", "assay"]


def assay(*words: str, home: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "ASSAY_HOME": str(home), "COLUMNS": "80", **environment}
    env.pop("OPENAI_API_KEY", None)
    return subprocess.run([*ASSAY, *words], capture_output=True, text=True, env=env, timeout=300)


def nobody_listens() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}/v1"


MISTAKES: dict[str, tuple[tuple[str, ...], int, str]] = {
    "unknown command": (("runn",), 2, "No such command 'runn'"),
    "unknown option": (("run", "pal", "--colour"), 2, "No such option"),
    "no claim": (("run",), 2, "Missing argument"),
    "unknown claim": (("run", "zero-shot-cto"), 2, "Did you mean zero-shot-cot"),
    "one unknown claim among known ones": (("run", "pal", "tip-lenght"), 2, "Did you mean tip-length"),
    "unknown model": (("run", "pal", "--model", "smollm2-135"), 2, "Did you mean smollm2-135m"),
    "unknown size": (("run", "pal", "--size", "tiny"), 2, "Sizes: smoke, small, full"),
    "unknown control": (("run", "pal", "--controls", "placbo"), 2, "Did you mean placebo"),
    "unknown rule": (("run", "pal", "--rule", "anytimes"), 2, "Did you mean anytime"),
    "unknown level": (("run", "pal", "--level", "99"), 2, "Levels: 1, 2, 3"),
    "seed below zero": (("run", "pal", "--seed", "-1"), 2, "--seed"),
    "seed not a number": (("run", "pal", "--seed", "x"), 2, "valid integer"),
    "no samples": (("run", "pal", "--n", "0"), 2, "0 samples show nothing"),
    "budget of nothing": (("run", "pal", "--budget-tokens", "0"), 2, "buys nothing"),
    "no such gguf": (("run", "pal", "--model", "gguf:/no/such.gguf"), 2, "there is no such file"),
    "no such folder": (("run", "pal", "--model", "hf:/no/such/folder"), 2, "no folder"),
    "base url without openai": (("run", "pal", "--base-url", "http://127.0.0.1:1"), 2, "--base-url goes with"),
    "no key": (("run", "pal", "--model", "openai/gpt-4o-mini"), 2, "OPENAI_API_KEY"),
    "no address": (("run", "pal", "--model", "openai/x", "--base-url", "localhost"), 2, "not an address"),
    "no task file": (("run", "pal", "--task", "nowhere.jsonl"), 2, "nowhere.jsonl"),
    "json into nowhere": (("run", "pal", "--json", "/no/such/folder/o.json"), 2, "cannot be written"),
    "unknown run": (("resume", "pal-zzzzz"), 2, "Type: assay runs"),
    "unknown run to trace": (("trace", "pal-zzzzz"), 2, "Type: assay runs"),
    "nothing to report": (("report", "--html", "r.html"), 2, "Type: assay demo"),
    "unknown card": (("show", "zero-shot"), 2, "Did you mean zero-shot-cot"),
    "unknown shelf": (("list", "--shelf", "prompts"), 2, "Did you mean prompting"),
    "unknown technique": (("ask", "self-consistent", "hi"), 2, "Did you mean self-consistency"),
    "unknown setting": (("ask", "direct", "hi", "--set", "tokens=1"), 2, "Did you mean max_tokens"),
    "setting of the wrong kind": (("ask", "direct", "hi", "--set", "max_tokens=few"), 2, "is a number"),
    "empty question": (("ask", "direct", ""), 2, "The prompt is empty"),
    "unknown benchmark": (("bench", "drivr"), 2, "Did you mean driver"),
    "unknown weights": (("models", "pull", "smollm"), 2, "smollm2-135m"),
    "runs of a folder": (("report", "pal-abcde", "--results", "r"), 2, "not in a folder"),
    "nothing to compare": (("compare", "a.jsonl", "b.jsonl"), 2, "a.jsonl"),
    "nothing to replay": (("replay", "a.jsonl", "--claim", "pal"), 2, "a.jsonl"),
    "nothing to import": (("import", "a.jsonl"), 2, "a.jsonl"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_one_sentence(name: str, home: Path, tmp_path: Path) -> None:
    words, code, said = MISTAKES[name]
    start = time.monotonic()
    done = assay(*words, home=home)
    seconds = time.monotonic() - start
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    last = done.stderr.strip().splitlines()
    assert len(last) == 1, done.stderr
    assert last[0].startswith("assay: ")
    assert "Traceback" not in done.stderr
    assert seconds < 3 or os.environ.get("PYTEST_XDIST_WORKER")


def test_a_dead_endpoint_is_the_models_fault(home: Path) -> None:
    start = time.monotonic()
    done = assay("run", "pal", "--model", "openai/x", "--base-url", nobody_listens(), home=home)
    assert (done.returncode, len(done.stderr.strip().splitlines())) == (3, 1)
    assert "Nothing answers at" in done.stderr
    assert time.monotonic() - start < 3 or os.environ.get("PYTEST_XDIST_WORKER")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("empty.jsonl", "", "empty.jsonl"),
        ("broken.jsonl", '{"question": "a", "answer": "1"}\n{"question": "b", \n', "line 2"),
        ("field.jsonl", '{"question": "a", "answer": "1"}\n{"question": "b"}\n', "line 2, field 'answer'"),
        ("columns.csv", "question,reply\na,1\n", "answer"),
    ],
)
def test_a_malformed_task_file_is_named_with_line_and_field(
    name: str, content: str, said: str, home: Path, tmp_path: Path
) -> None:
    file = tmp_path / name
    file.write_text(content)
    done = assay("run", "zero-shot-cot", "--task", str(file), home=home)
    assert done.returncode == 2
    assert name in done.stderr
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_corrupt_weights_are_refused(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "bad.gguf"
    file.write_bytes(b"GGUF" + b"\x00" * 50)
    done = assay("models", "check", f"gguf:{file}", home=home)
    assert (done.returncode, len(done.stderr.strip().splitlines())) == (2, 1)
    assert "bad.gguf" in done.stderr


def test_an_unwritable_home_is_said(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    done = assay("runs", home=blocked / "home")
    assert done.returncode == 2
    assert "ASSAY_HOME" in done.stderr


def test_debug_shows_the_traceback(home: Path) -> None:
    done = assay("--debug", "show", "nothing-like-it", home=home)
    assert "Traceback" in done.stderr
    assert "UnknownName" in done.stderr


@pytest.mark.parametrize(
    "words", [(), ("--help",), ("run", "--help"), ("models", "--help"), ("list",), ("--version",), ("show", "pal")]
)
def test_help_and_lists_teach(words: tuple[str, ...], home: Path) -> None:
    done = assay(*words, home=home)
    assert done.returncode in (0, 2)
    assert "assay" in done.stdout + done.stderr or done.stdout.strip() == "0.1.0"
    assert "Traceback" not in done.stderr
