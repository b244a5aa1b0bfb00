"""`assay agent`, `calibrate`, `play` and `engineer` on the real embedded model; and what a user may get wrong."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.models.endpoint import Endpoint, reply

from .test_errors import ASSAY, assay

TOOLS = '''
from typing import Literal

def price(fruit: Literal["apple", "pear"]) -> int:
    """the price of one piece of fruit"""
    with open("{log}", "a") as log:
        log.write("price ")
    return {{"apple": 3, "pear": 4}}[fruit]

def multiply(a: float, b: float) -> float:
    """the product of two numbers"""
    return a * b
'''
engine = pytest.mark.engine


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    file = tmp_path / "shop.py"
    file.write_text(TOOLS.format(log=tmp_path / "log"))
    return file


def begin(tools: Path, trace: Path, *more: str) -> tuple[str, ...]:
    words = ("agent", "run", "-o", "Find what 7 pears cost.", "--tools", str(tools), "--trace", str(trace))
    return (*words, *more)


@engine
@pytest.mark.parametrize("loop", [("--loop", "command"), ("--loop", "tasks", "--memory", "vector")])
def test_an_agent_stops_and_its_trace_replays_without_a_model(
    home: Path, tools: Path, tmp_path: Path, loop: tuple[str, ...]
) -> None:
    trace = tmp_path / "t.jsonl"
    done = assay(*begin(tools, trace, "--max-tokens", "2000", *loop), home=home)
    assert done.returncode == 0, done.stderr
    end = done.stdout.splitlines()[-3:]
    assert end[0].split(":")[0] in ("done", "queue empty", "stuck", "failed", "steps", "budget")
    used = (tmp_path / "log").read_text() if (tmp_path / "log").exists() else ""
    empty = tmp_path / "empty"
    again = assay("agent", "replay", str(trace), home=empty)
    assert again.returncode == 0, again.stderr
    assert again.stdout.splitlines()[-3:] == end
    assert ((tmp_path / "log").read_text() if used else "") == used


@engine
def test_the_budget_is_not_exceeded_by_more_than_one_completion(home: Path, tools: Path, tmp_path: Path) -> None:
    trace = tmp_path / "t.jsonl"
    words = begin(tools, trace, "--max-tokens", "500", "--no-guard", "--driver", "llm")
    done = assay(*words, home=home)
    assert done.returncode == 0, done.stderr
    assert "budget:" in done.stdout
    steps = [json.loads(line) for line in trace.read_text().splitlines()[1:]]
    each = [sum(r["tokens_in"] + r["tokens_out"] for r in step["answered"][0])
            for step in steps if "answered" in step and isinstance(step["answered"][0], list)]  # fmt: skip
    assert sum(each) > 250
    assert sum(each[:-1]) < 500


@engine
def test_an_agent_that_was_killed_goes_on_and_says_what_it_calls_again(
    home: Path, tools: Path, tmp_path: Path
) -> None:
    trace = tmp_path / "t.jsonl"
    words = begin(tools, trace, "--max-tokens", "1500", "--no-guard", "--driver", "constrained")
    running = subprocess.Popen(
        [*ASSAY, *words], env={**os.environ, "ASSAY_HOME": str(home)}, stdout=subprocess.PIPE
    )
    limit = time.monotonic() + 120
    while time.monotonic() < limit and not (trace.exists() and trace.read_text().count('"kind": "use"') >= 2):
        time.sleep(0.02)
    running.send_signal(signal.SIGKILL)
    running.wait()
    done = assay("agent", "resume", str(trace), home=home)
    assert done.returncode == 0, done.stderr
    steps = [json.loads(line) for line in trace.read_text().splitlines()[1:]]
    uses = sum(step["asked"][0].get("tool") == "price" for step in steps if "answered" in step)
    # A call that was under way is made again, and that is said.
    again = "was being called when it stopped" in done.stderr
    assert 0 <= (tmp_path / "log").read_text().count("price") - uses <= again


@engine
def test_competence_is_measured_kept_and_used(home: Path, tmp_path: Path) -> None:
    out = tmp_path / "v.json"
    done = assay("calibrate", "errands", "--n", "9", home=home)
    assert done.returncode == 0, done.stderr
    (record,) = [json.loads(file.read_text()) for file in home.rglob("smollm2-135m-*--errands.json")]
    assert set(record["kinds"]) == {"tool", "new tasks", "order"}
    words = ("run", "task-loop", "--size", "smoke", "--controls", "none", "--json", str(out))
    assert assay(*words, "--driver", "calibrated", home=home).returncode == 0
    (verdict,) = json.loads(out.read_text())
    assert verdict["driver"].startswith("calibrated:") and "measured on smollm2-135m" in verdict["driver"]  # noqa: PT018
    assert verdict["arms"]["treatment"]["tokens_in"] == 0


@engine
def test_twenty_questions_show_what_is_open_after_every_answer(home: Path) -> None:
    done = subprocess.run(
        [*ASSAY, "play", "riddle", "--holding", "note"],
        input="Is it alive?\nlist\nreveal\n", text=True, capture_output=True, timeout=200,
        env={**os.environ, "ASSAY_HOME": str(home)}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("bits open") == 2
    assert "dog, cat, horse" in done.stdout
    assert "The secret was the" in done.stdout


@engine
def test_an_instruction_is_engineered_from_a_file(home: Path, tmp_path: Path) -> None:
    file, out = tmp_path / "e.jsonl", tmp_path / "candidates.jsonl"
    pairs = {"hot": "cold", "big": "small", "up": "down", "fast": "slow", "old": "young", "rich": "poor",
             "happy": "sad", "light": "dark"}  # fmt: skip
    file.write_text("".join(json.dumps({"question": q, "answer": a}) + "\n" for q, a in pairs.items()))
    words = ("engineer", str(file), "-i", "Write the opposite.", "--proposals", "3", "--variations", "1")
    done = assay(*words, "--out", str(out), home=home)
    assert done.returncode == 0, done.stderr
    assert "your own: Write the opposite." in done.stdout
    candidates = [json.loads(line) for line in out.read_text().splitlines()]
    assert [c["mean"] for c in candidates] and all(0 <= c["mean"] <= 1 for c in candidates)  # noqa: PT018


def ungrammatical(body: dict[str, Any]) -> dict[str, Any]:
    """An endpoint that passes over grammars in silence; its agent is done at once."""
    call = '{"tool": "finish", "arguments": {"answer": "28"}}'
    return reply([call] * body.get("n", 1))


def test_what_an_endpoint_cannot_do_is_said_before_a_trace_is_begun(tools: Path, tmp_path: Path) -> None:
    trace = tmp_path / "t.jsonl"
    with Endpoint(ungrammatical) as endpoint:
        words = ("--model", "openai/fake", "--base-url", endpoint.address)
        done = assay(*begin(tools, trace, *words), home=tmp_path / "home")
        assert done.returncode == 2
        assert "--driver llm" in done.stderr
        assert "resume" not in done.stderr
        assert not trace.exists()
        done = assay(*begin(tools, trace, *words, "--driver", "llm"), home=tmp_path / "home")
        assert done.returncode == 0, done.stderr
        (tmp_path / "older.jsonl").write_text(
            trace.read_text().replace('"driver": "llm"', '"driver": "constrained"')
        )
        done = assay("agent", "resume", str(tmp_path / "older.jsonl"), home=tmp_path / "home")
        assert done.returncode == 2
        assert "Begin anew with: assay agent run --driver llm" in done.stderr
        done = assay("calibrate", "errands", *words, home=tmp_path / "home")
        assert done.returncode == 2
        assert "--driver llm" in done.stderr


def test_a_memory_of_vectors_takes_the_encoder_it_asks_for(tools: Path, tmp_path: Path) -> None:
    trace = tmp_path / "t.jsonl"
    with Endpoint(ungrammatical) as endpoint:
        words = ("--model", "openai/fake", "--base-url", endpoint.address, "--driver", "llm", "--memory", "vector")
        done = assay(*begin(tools, trace, *words), home=tmp_path / "home")
        assert "--encoder minilm" in done.stderr
        done = assay(*begin(tools, trace, *words, "--encoder", "openai/vectors"), home=tmp_path / "home")
        assert done.returncode == 0, done.stderr
        assert json.loads(trace.read_text().splitlines()[0])["encoder"] == "openai/vectors"
        done = assay("agent", "resume", str(trace), home=tmp_path / "home")
        assert done.returncode == 0, done.stderr


def header(file: Path, **changed: object) -> str:
    """The first line of a trace, as `assay agent run` writes it."""
    price = {"name": "price", "says": "", "parameters": [{"name": "fruit", "kind": "text", "choices": ["apple"]}]}
    fields: dict[str, object] = {
        "objective": "x", "tools_file": str(file), "max_tokens": 9, "max_steps": 2, "loop": "command",
        "memory": "list", "guard": True, "driver": "llm", "seconds": 1.0, "passed_on": [], "seed": 0, "model": "",
        "base_urls": [], "tools": [price],
    }  # fmt: skip
    kept = {name: value for name, value in (fields | changed).items() if value is not None}
    return json.dumps(kept) + "\n"


@pytest.mark.parametrize(
    ("command", "changed", "says"),
    [
        ("replay", {"tools": None}, "field 'tools'"),
        ("replay", {"tools": [{"name": "a b"}]}, "these are no tools"),
        ("resume", {"model": None}, "field 'model'"),
        ("resume", {"max_tokens": "many"}, "field 'max_tokens'"),
        ("resume", {}, "are not those of the trace any more"),
        ("replay", {}, "the trace ends after 0 steps"),
    ],
)
def test_a_trace_that_was_edited_or_whose_tools_were_is_said(
    tools: Path, tmp_path: Path, command: str, changed: dict[str, object], says: str
) -> None:
    trace = tmp_path / "t.jsonl"
    trace.write_text(header(tools, **changed))
    done = assay("agent", command, str(trace), home=tmp_path / "home")
    assert done.returncode == 2, done.stderr
    assert says in done.stderr
    assert trace.read_text() == header(tools, **changed)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("agent", "run", "-o", "x", "--tools", "nothing.py"), "there is no such file"),
        (("agent", "run", "-o", "x", "--tools", "x.py", "--loop", "chain"), "no loop named 'chain'"),
        (("agent", "run", "-o", "x", "--tools", "x.py", "--driver", "scripted"), "no driver named 'scripted'"),
        (("agent", "replay", "nothing.jsonl"), "cannot be read"),
        (("calibrate", "errand"), "Did you mean errands"),
        (("calibrate", "errands", "--driver", "scripted"), "asks no model"),
        (("run", "task-loop", "--driver", "calibrated"), "assay calibrate"),
        (("run", "task-loop", "--driver", "calibrated:p=7"), "between 0 and 1"),
        (("run", "pal", "--driver", "scripted"), "Nothing is decided inside pal"),
        (("play", "riddle", "--holding", "pocket"), "There is: nothing, note"),
        (("engineer", "nothing.jsonl"), "nothing.jsonl"),
    ],
)
def test_mistakes_get_one_sentence(tmp_path: Path, words: tuple[str, ...], says: str) -> None:
    done = assay(*words, home=tmp_path / "home")
    assert done.returncode == 2, done.stdout + done.stderr
    assert says in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
