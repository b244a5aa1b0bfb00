"""`assay organisms`, and one organism through every door: the same greedy words from each engine."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

import numpy
import pytest

from assay.cli.app import run_command_line
from assay.core import Ask, Capability, Recipe, UnknownName, ask, with_inputs
from assay.core.artefacts import artefacts, organism_named, place_of
from assay.home import find_home
from assay.lab.driver import Driver, Job
from assay.lab.workshop import Workshop
from assay.models import ModelChoice, connect
from assay.tasks import Arithmetic
from assay.techniques.training.organisms.loop import Schedule
from assay.techniques.training.organisms.network import Tiny
from assay.techniques.training.organisms.organism import Organism
from assay.techniques.training.organisms.vocabulary import Vocabulary
from assay.workbench.organisms import catalogue

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with a cache of its own: organisms of tests are not the user's."""
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path))
    monkeypatch.setenv("ASSAY_LINGER", "1")
    return tmp_path


def command(capsys: Capture, *words: str) -> tuple[int, str, str]:
    code = run_command_line(list(words))
    said = capsys.readouterr()
    return code, said.out, said.err


def made(recipe: Recipe) -> Path:
    """The recipe, made in the home's workshop."""

    async def work() -> None:
        workshop = Workshop(find_home().make().organisms, 1)
        try:
            await workshop.make(recipe)
        finally:
            await workshop.close()

    asyncio.run(work())
    return place_of(find_home().organisms, recipe)


def test_every_card_that_trains_names_its_organisms() -> None:
    known = catalogue()
    assert {"goat-chain", "markov", "chains"} <= set(known)
    for name, (_, make) in known.items():
        for size in ("smoke", "small", "full"):
            recipe = make(3, size)
            assert recipe.hash == make(3, size).hash
            assert len({step.hash for step in with_inputs([recipe])}) == len(with_inputs([recipe]))
        assert make(3, "smoke").hash != make(4, "smoke").hash, name


def test_train_list_and_show(own_home: Path, capsys: Capture) -> None:
    code, out, _ = command(capsys, "organisms", "train", "goat-direct", "--size", "smoke")
    assert code == 0
    assert "goat-direct is trained: loss" in out
    assert "CPU seconds" in out
    assert "--model organism:goat-direct" in out
    begun = time.monotonic()
    assert command(capsys, "organisms", "train", "goat-direct", "--size", "smoke")[1] == out
    assert time.monotonic() - begun < 5, "it was trained again"
    code, out, _ = command(capsys, "organisms", "list", "--json")
    found = json.loads(out)
    (row,) = found["trained"]
    assert (row["name"], code) == ("goat-direct", 0)
    assert row["tokens"] >= 40_000
    assert "goat-chain" in found["untrained"]
    code, out, _ = command(capsys, "organisms", "list")
    assert code == 0
    assert "not yet" in out
    code, out, _ = command(capsys, "organisms", "show", "goat-direct", "--plot", str(own_home / "loss.svg"))
    assert code == 0
    assert '"kind": "Organism"' in out
    assert "model.safetensors" in out
    assert ElementTree.parse(own_home / "loss.svg").getroot().tag.endswith("svg")
    code, out, _ = command(capsys, "organisms", "show", "goat-direct", "--json")
    assert json.loads(out)["made"]["name"] == "goat-direct"


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (("organisms", "train", "goat-chian"), "Did you mean goat-chain"),
        (("organisms", "train", "goat-chain", "--size", "tiny"), "Sizes: smoke, small, full."),
        (("organisms", "show", "nobody"), "There is no organism on this machine named 'nobody'"),
        (("organisms", "train", "goat-chain", "--model", "openai/x"), "cannot be trained from here"),
        (("organisms", "train", "goat-chain", "--model", "hf:/no/such/folder"), "/no/such/folder"),
        (("ask", "with-suffix", "1=", "--model", "organism:nobody"), "assay organisms train nobody"),
        (("run", "decomposed-beats-direct", "--model", "openai/x", "--size", "smoke"), "cannot be trained"),
    ],
)
def test_a_mistake_is_one_sentence(words: tuple[str, ...], wanted: str, own_home: Path, capsys: Capture) -> None:
    code, out, err = command(capsys, *words)
    assert (code, out) == (2, "")
    assert wanted in err
    assert len(err.strip().splitlines()) == 1


@pytest.mark.engine
@pytest.mark.parametrize("vocabulary", [Vocabulary(), Vocabulary("chunks"), Vocabulary("bpe", 300)], ids=str)
def test_an_organism_says_the_same_through_every_door(vocabulary: Vocabulary, own_home: Path) -> None:
    """llama.cpp, our open network and the pipeline of transformers: greedy, with and without a chat template."""
    corpus = Arithmetic("add", (3, 3))
    start = Tiny(48, 1, context=32)
    recipe = Organism("adder", corpus, start, vocabulary, Schedule(steps=150, batch=32, rate=5e-3))
    folder = made(recipe)
    prompts = [example.prompt for example in corpus.examples(6, numpy.random.default_rng(5))]

    from transformers import pipeline

    writer = pipeline("text-generation", model=str(folder), device="cpu")
    expected = [
        writer(prompt, max_new_tokens=8, do_sample=False, return_full_text=False)[0]["generated_text"]
        for prompt in prompts
    ]
    assert len(set(expected)) > 2, "an organism that says the same to everything shows nothing"

    async def answers(needs: frozenset[Capability], raw: bool) -> list[str]:
        model = await connect(ModelChoice("organism:adder", slots=2), find_home(), needs=needs)
        assert model.name == "organism:adder"
        driver = Driver()
        jobs = [Job(p, lambda p=p: ask(Ask(p, max_tokens=8, raw=raw)), model) for p in prompts]  # type: ignore[misc]
        try:
            replies = {done.key: done.value async for done in driver.run(jobs)}
            return [replies[prompt][0].text for prompt in prompts]
        finally:
            await driver.close()
            await model.close()

    for needs in (frozenset(), frozenset({Capability.LOGITS})):
        for raw in (True, False):
            assert asyncio.run(answers(needs, raw)) == expected, (needs, raw)


def test_kill_during_training_ends_with_the_same_weights(own_home: Path, capsys: Capture) -> None:
    """`kill -9` of the command, twice; the third attempt finishes what the first began."""
    words = [sys.executable, "-m", "assay", "organisms", "train", "goat-characters", "--size", "smoke"]
    assert subprocess.run(words, env=os.environ | {"ASSAY_HOME": str(own_home / "whole")}).returncode == 0
    environment = os.environ | {"ASSAY_HOME": str(own_home / "killed"), "ASSAY_KEEP_SECONDS": "0.3"}
    drafts = own_home / "killed" / "cache" / "organisms" / ".making"
    seen = b""
    for _ in range(2):
        process = subprocess.Popen(words, env=environment)
        for _ in range(600):
            time.sleep(0.05)
            kept = [file.read_bytes() for file in drafts.glob("*/checkpoint.pt")]
            if process.poll() is not None or (kept and kept[0] != seen):
                break
        assert process.poll() is None, "it was not killed in time"
        seen = kept[0]
        process.send_signal(signal.SIGKILL)
        process.wait()
        time.sleep(1.5)
    assert subprocess.run(words, env=environment).returncode == 0
    roots = [own_home / which / "cache" / "organisms" for which in ("whole", "killed")]
    (one,), (other,) = ([a for a in artefacts(root) if a.is_network] for root in roots)
    assert one.files["model.safetensors"] == other.files["model.safetensors"]
    assert organism_named(roots[1], "goat-characters").made.numbers["steps"] == 50


def tiny(seed: int = 0) -> Organism:
    """An organism that has hardly learned to add."""
    schedule = Schedule(steps=2, batch=4)
    return Organism("hardly", Arithmetic("add", (2, 2)), Tiny(16, 1, 2, context=24), schedule=schedule, seed=seed)


def test_claims_whose_arms_differ_in_size_or_tokenizer_refuse_pretrained_weights(
    own_home: Path, capsys: Capture
) -> None:
    folder = made(tiny())
    for claim in ("gopher-was-too-big", "digit-tokens", "bigger-base-beats-more-imitation", "equal-scaling"):
        code, _, err = command(capsys, "run", claim, "--size", "smoke", "--model", f"hf:{folder}")
        assert code == 2
        assert "Its arms differ in size or tokenizer. Leave out --model." in err


def test_texts_that_a_tokenizer_cannot_read_are_not_trained_on(own_home: Path, capsys: Capture) -> None:
    made(tiny())
    code, _, err = command(
        capsys, "run", "overtrained-cosine", "--size", "smoke", "--model", "organism:hardly", "-q"
    )
    assert code == 2
    assert "tokenizer has no token for" in err


def test_weights_are_known_by_what_they_hold_and_not_by_where_they_lie(
    own_home: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for seed in (0, 1):
        place = own_home / str(seed)
        place.mkdir()
        made(tiny(seed)).rename(place / "model")
        monkeypatch.chdir(place)
        code, out, _ = command(
            capsys, "organisms", "train", "goat-characters", "--size", "smoke", "--model", "hf:./model"
        )
        assert code == 0
        found.append(out.split("It is in ")[1].splitlines()[0])
    assert found[0] != found[1], "other weights under the same name were taken for the same"
    for record in found:
        assert str(own_home) not in json.dumps(json.loads((Path(record) / "organism.json").read_text())["recipe"])


def test_a_name_means_the_organism_of_that_name_and_no_verifier(own_home: Path, capsys: Capture) -> None:
    made(tiny())
    other = Organism("hardly-more", tiny().corpus, tiny().start, schedule=tiny().schedule)
    made(other)
    root = find_home().organisms
    assert organism_named(root, "hardly").name == "hardly"
    assert organism_named(root, f"hardly-{tiny().hash[:3]}").hash == tiny().hash
    assert organism_named(root, other.hash[:8]).name == "hardly-more"
    with pytest.raises(UnknownName):
        organism_named(root, other.hash[:2])


def test_budgets_and_repeats_of_training_are_refused(own_home: Path, capsys: Capture) -> None:
    for words in (("--budget-tokens", "100"), ("--repeats", "2")):
        code, out, err = command(capsys, "run", "decomposed-beats-direct", "--size", "smoke", *words)
        assert (code, out) == (2, "")
        assert "Leave out --budget-tokens and --repeats" in err
