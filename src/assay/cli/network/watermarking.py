"""`assay watermark`: write a text with a keyed watermark, look for one, and try to wash it out."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from assay.cli.network.inputs import FILE, key_of, pieces_of, whole_text
from assay.cli.network.work import JSON, completer, patient, require_ability, run_with, value_of, vocabulary_size
from assay.cli.printing import echo
from assay.cli.running import BASE_URL, MODEL
from assay.workbench.wish import model_choice

if TYPE_CHECKING:
    from assay.core import Ask, Flow, Model
    from assay.lab.driver import Driver
    from assay.techniques.logits.watermark.detection import Detection
    from assay.techniques.logits.watermark.flows import Mark

ROUTES = {"logits": "logits", "bias": "logit_bias", "chunks": "logprobs"}
"""Each way to write, and what a model must be capable of for it."""
SCHEMES = ("lefthash", "minhash", "selfhash", "unigram")
KINDS = ("substitute", "delete", "insert", "homoglyphs", "case", "emoji")
Heard = tuple[Any, int]
CHUNK, MOST_TOKENS, INSUFFICIENT = 12, 200_000, 4

SCHEME = typer.Option("", "--scheme", help=f"{', '.join(SCHEMES)}.", autocompletion=completer(SCHEMES))
GAMMA = typer.Option(0.25, "--gamma", help="Share of the vocabulary that is green, between 0 and 1.")
KEY = typer.Option(None, "--key", help="The secret, a whole number below 2^64; else a published one.")
KEY_FILE = typer.Option(None, "--key-file", help="A file with the key: others here can see what is typed.")
VOCABULARY = typer.Option(0, "--vocabulary", min=0, help="Tokens the model has, where it does not say.")
OUT = typer.Option(None, "--out", "-o", help="Write the text to this file instead.")
SEED = typer.Option(0, "--seed", min=0, help="Of everything that is drawn.")

watermark = typer.Typer(help="Write, find and attack keyed watermarks in text.", no_args_is_help=True)


@watermark.command("generate")
def generate(
    prompt: str = typer.Argument(..., help="What is asked, or - to read it from standard input."),
    model: str = MODEL,
    scheme: str = SCHEME,
    gamma: float = GAMMA,
    delta: float = typer.Option(2.0, "--delta", help="Added to the logits of green tokens."),
    hard: bool = typer.Option(False, "--hard", help="Write green tokens only."),
    key: int | None = KEY,
    key_file: Path | None = KEY_FILE,
    max_tokens: int = typer.Option(200, "--max-tokens", min=1, help="Tokens at most."),
    temperature: float = typer.Option(1.0, "--temperature", help="0 writes the likeliest token each time."),
    raw: bool = typer.Option(False, "--raw/--chat", help="Go on from the prompt, or answer it."),
    route: str = typer.Option(
        "logits", "--route", help="logits, bias or chunks.", autocompletion=completer(ROUTES)
    ),
    vocabulary: int = VOCABULARY,
    seed: int = SEED,
    out: Path | None = OUT,
    base_url: list[str] = BASE_URL,
    as_json: bool = JSON,
) -> None:
    """Write a watermarked text: it alone on standard output, p and tokens on standard error.

    Routes: logits changes an open network's logits, by any scheme; bias writes scheme unigram by logit_bias, on
    any endpoint; chunks keeps the greenest of eight drafts, twelve tokens at a time, at eight times the cost.

    For instance: assay watermark generate "Tell me about rivers." --key-file key.txt -o rivers.txt
    """
    from assay.cli.delivering import check_writable
    from assay.core import Ask, Capability, UnknownName
    from assay.core.validation import require

    if route not in ROUTES:
        raise UnknownName("route", route, ROUTES, hint=f"Routes: {', '.join(ROUTES)}.")
    require(not (route == "chunks" and raw), "Chunks go on from an answer that was begun: leave --raw away.")
    check_writable(out)
    scheme = scheme or ("unigram" if route == "bias" else "lefthash")
    mark = _mark(scheme, gamma, key_of(key, key_file), math.inf if hard else delta)
    question = whole_text(Path("-")).strip() if prompt == "-" else prompt
    asked = Ask(question, max_tokens=max_tokens, temperature=temperature, raw=raw)

    async def work(found: Model, driver: Driver) -> tuple[str, int, Detection | None]:
        from assay.cli.progress import progress
        from assay.lab.plan import Event

        require_ability(found, ROUTES[route], f"Routes: {', '.join(ROUTES)}; an open network has all.")
        size = await vocabulary_size(found, vocabulary) if route == "bias" else 0
        with progress("watermark") as report:
            report(Event("note", f"writing up to {max_tokens} tokens with {found.name}"))
            text, tokens = await value_of(driver, found, lambda: _writing(asked, mark, route, size), seed)
        known = await _tested(found, text, mark) if Capability.TOKENS in found.capabilities else None
        return text, tokens or (known.scored + known.repeats + known.unscored if known else 0), known

    needs = frozenset({Capability.LOGITS}) if route == "logits" else frozenset()
    (text, tokens, known), name = run_with(model_choice(model, base_url, 8, 600.0), needs, work)
    fields = {"text": text, "tokens": tokens, "model": name, "route": route, "scheme": scheme, "gamma": gamma}
    fields |= {"delta": "hard" if hard else delta, "seed": seed, "detection": _fields(known) if known else None}
    _print_text(text, out, fields if as_json else None)
    said = f"p {known.p:.3g} ({known.green} of {known.scored} green)" if known else "p unknown: it shows no tokens"
    echo(f"assay: {tokens} tokens by {name}, scheme {scheme}, {said}", err=True)


@watermark.command("detect")
def detect(
    file: Path = FILE,
    model: str = MODEL,
    scheme: str = SCHEME,
    gamma: float = GAMMA,
    key: int | None = KEY,
    key_file: Path | None = KEY_FILE,
    alpha: float | None = typer.Option(None, "--alpha", help="A find is p at or below it: 1e-5, by keys 0.01."),
    prompt_file: Path | None = typer.Option(None, "--prompt-file", help="What stood before the text, if known."),
    windows: bool = typer.Option(False, "--windows", help="Judge the greenest stretch, against random keys."),
    weighted: bool = typer.Option(
        False, "--weighted", help="Weigh tokens by entropy: an open network's, by keys."
    ),
    keys: int = typer.Option(999, "--keys", min=19, max=1_000_000, help="Random keys to compare with."),
    delta: float = typer.Option(2.0, "--delta", help="What --weighted supposes the writer added."),
    foreign: str = typer.Option("", "--foreign", help="transformers: marks written by that library, on a CPU."),
    vocabulary: int = VOCABULARY,
    seed: int = SEED,
    as_json: bool = JSON,
) -> None:
    """Look for a watermark: it takes the key and the tokenizer of the model that wrote, no network.

    p is exact: how often a text written without the key is as green. Whatever repeats counts once. Files of any
    length are read in parts; --windows, --weighted and --foreign take up to 200,000 tokens.

    Exit codes: 0 found, 1 not found, 4 too short to tell (2 and 3 are errors).

    For instance: assay watermark detect essay.txt --key-file key.txt

    Or from a pipe: cat essay.txt | assay watermark detect - --key 42 --windows
    """
    from assay.core import Capability

    test = _test(windows, weighted, foreign, alpha, keys)
    mark = _mark(scheme or "lefthash", gamma, key_of(key, key_file), delta)
    parts = pieces_of(file)
    # The first part is read here: a file that is none is no reason to start a model.
    first = next(parts, "")
    found, name = _tallied((), mark, test.alpha), model
    extra: dict[str, Any] = {}
    if first:
        before = whole_text(prompt_file) if prompt_file else ""
        size = file.stat().st_size if str(file) != "-" else 0
        needs = frozenset({Capability.LOGITS} if weighted else {Capability.TOKENS})

        async def work(model: Model, driver: Driver) -> Heard:
            more = await vocabulary_size(model, vocabulary) if foreign else 0
            return await _heard(model, chain([first], parts), size, before, mark, test), more

        heard, name = run_with(model_choice(model, None, 8, 600.0), needs, work)
        found, extra = _concluded(heard, mark, test, seed)
    _print_detection(found, {"model": name, "scheme": mark.scheme, **extra}, as_json)
    raise typer.Exit(INSUFFICIENT if found.status == "insufficient" else 0 if found.flagged else 1)


@dataclass(frozen=True, slots=True)
class Test:
    """Which test is made, at which alpha, and against how many random keys."""

    kind: str
    alpha: float
    keys: int


def _test(windows: bool, weighted: bool, foreign: str, alpha: float | None, keys: int) -> Test:
    from assay.core import BadRequest, UnknownName

    if foreign not in ("", "transformers"):
        raise UnknownName("foreign watermark", foreign, ("transformers",), hint="Known: transformers.")
    kinds = [kind for kind, wanted in (("windows", windows), ("weighted", weighted), (foreign, foreign)) if wanted]
    if len(kinds) > 1:
        raise BadRequest("--windows, --weighted and --foreign are three tests.", hint="Ask for one of them.")
    by_keys = windows or weighted
    alpha = alpha if alpha is not None else (0.01 if by_keys else 1e-5)
    if by_keys and 0 < alpha * (keys + 1) < 1:
        hint = f"Give --keys {math.ceil(1 / alpha) - 1}, or a larger --alpha."
        raise BadRequest(f"{keys} random keys cannot give a p below {1 / (keys + 1):.3g}.", hint=hint)
    return Test(kinds[0] if kinds else "", alpha, keys)


async def _heard(
    model: Model, parts: Iterator[str], size: int, before: str, mark: Mark, test: Test
) -> Detection | tuple[list[int], tuple[int, ...], Any]:
    """The finding, where parts are enough; else the tokens, those before them, and their spike entropies."""
    from assay.cli.progress import progress
    from assay.core import BadRequest, Read
    from assay.lab.plan import Event
    from assay.techniques.logits.watermark.detection import StreamingDetector
    from assay.techniques.logits.watermark.theory import modulus

    prompt = (await model.read(Read(before))).tokens if before else ()
    detector = StreamingDetector(mark.greenlist, prompt_tokens=prompt, alpha=test.alpha)
    kept: list[int] = []
    read = 0
    with progress("watermark") as shown:
        report = patient(shown)
        for part in parts:
            # Straight from the model, past the store: ten megabytes of text are no reply worth keeping.
            tokens = (await model.read(Read(part))).tokens
            read += len(part.encode())
            report(Event("sample", "bytes read", done=read, total=size))
            if not test.kind:
                detector.add(tokens)
                continue
            kept += tokens
            if len(kept) > MOST_TOKENS:
                raise BadRequest(f"This test takes {MOST_TOKENS:,} tokens at most.", hint="Cut the text.")
    if not test.kind:
        return detector.result()
    if test.kind != "weighted":
        return kept, prompt, None
    wanted = Read(tuple(kept), context=before, modulus=modulus(mark.gamma, mark.delta))
    return kept, prompt, (await model.read(wanted)).spikes.array()


def _concluded(heard: Heard, mark: Mark, test: Test, seed: int) -> tuple[Detection, dict[str, Any]]:
    """The finding of a test on what was read, and what only this test has to tell."""
    import numpy as np

    from assay.techniques.logits.watermark import foreign, permuted
    from assay.techniques.logits.watermark.greenlist import draw_keys

    read, size = heard
    if not isinstance(read, tuple):
        return read, {}
    tokens, prompt, spikes = read
    if test.kind == "transformers":
        theirs = foreign.ForeignWatermark(size, mark.gamma, mark.key, mark.scheme)
        seen = foreign.ForeignDetector(theirs).detect(tokens, alpha=test.alpha)
        return seen.detection, {"their z": seen.their_z, "their green": seen.their_green, "vocabulary": size}
    null = draw_keys(test.keys, np.random.default_rng(seed))
    if test.kind == "weighted":
        # What nothing stood before was not predicted: it is given no weight.
        weights = np.nan_to_num(spikes, nan=float(np.nanmin([1.0, *spikes])))
        found = permuted.detect_weighted(
            tokens, mark.greenlist, weights, prompt_tokens=prompt, alpha=test.alpha, null_keys=null
        )
        return found, {"keys": test.keys}
    whole = _tallied(tokens, mark, test.alpha, prompt)
    best = permuted.best_window(tokens, mark.greenlist, null, prompt_tokens=prompt)
    share = best.green / best.scored if best.scored else 0.0
    method = f"greenest stretch against {best.keys} random keys"
    found = replace(
        whole, scored=best.scored, green=best.green, green_fraction=share, z=best.z, p=best.p, method=method
    )
    return found, {"first token": best.start, "last token": best.stop - 1, "p of the whole": whole.p}


@watermark.command("attack")
def attack(
    file: Path = FILE,
    kind: str = typer.Option(..., "--kind", help=f"{', '.join(KINDS)}.", autocompletion=completer(KINDS)),
    fraction: float = typer.Option(0.3, "--fraction", help="Share of words, or letters, that is hit."),
    model: str = MODEL,
    scheme: str = SCHEME,
    gamma: float = GAMMA,
    key: int | None = KEY,
    key_file: Path | None = KEY_FILE,
    seed: int = SEED,
    out: Path | None = OUT,
    as_json: bool = JSON,
) -> None:
    """Attack a text at random and say what is left of its watermark: p before and after, on standard error.

    substitute, delete and insert edit words (tokens cannot be written back as text by every model), strange
    words being drawn from the packaged human text; homoglyphs and case edit letters; emoji follow words.

    For instance: assay watermark attack rivers.txt --kind substitute --fraction 0.3 -o attacked.txt
    """
    import numpy as np

    from assay.cli.delivering import check_writable
    from assay.core import BadRequest, Capability, UnknownName

    if kind not in KINDS:
        raise UnknownName("attack", kind, KINDS, hint=f"Attacks: {', '.join(KINDS)}.")
    check_writable(out)
    mark = _mark(scheme or "lefthash", gamma, key_of(key, key_file))
    text = whole_text(file)
    if not text.strip():
        raise BadRequest("There is no text to attack.")
    changed = attacked(text, kind, fraction, np.random.default_rng(seed))

    async def work(found: Model, driver: Driver) -> tuple[Detection, Detection]:
        return await _tested(found, text, mark), await _tested(found, changed, mark)

    choice = model_choice(model, None, 8, 600.0)
    (before, after), name = run_with(choice, frozenset({Capability.TOKENS}), work)
    fields = {"text": changed, "kind": kind, "fraction": fraction, "seed": seed, "model": name}
    fields |= {"before": _fields(before), "after": _fields(after)}
    _print_text(changed, out, fields if as_json else None)
    for when, found in (("before", before), ("after", after)):
        said = f"p {found.p:.3g}, {found.green} of {found.scored} green, z {found.z:.2f}"
        echo(f"assay: {when}: {said}", err=True)


def _print_text(text: str, out: Path | None, fields: dict[str, Any] | None) -> None:
    """The text to its file, else alone to standard output; with fields, JSON stands there."""
    if out is not None:
        out.write_text(text, "utf-8")
    if fields is not None:
        echo(json.dumps(fields, indent=1))
    elif out is None:
        echo(text, nl=not text.endswith("\n"))


def attacked(text: str, kind: str, fraction: float, rng: Any) -> str:
    """The text after an attack; words are put back between the spaces they stood between."""
    from assay.tasks.text_origin import packaged_text
    from assay.techniques.logits.watermark import attacks

    if kind in ("homoglyphs", "case", "emoji"):
        letters = {"homoglyphs": attacks.homoglyphs, "case": attacks.flip_case, "emoji": attacks.insert_emoji}
        return letters[kind](text, fraction, rng)
    words = re.findall(r"(\s*)(\S+)", text)
    if kind == "delete":
        return "".join("".join(words[index]) for index in attacks.delete(range(len(words)), fraction, rng))
    known = sorted({*packaged_text().text.split(), *(word for _, word in words)})
    number = {word: index for index, word in enumerate(known)}
    ids = [number[word] for _, word in words]
    found = []
    for (space, word), old, new in zip(
        words, ids, attacks.substitute(ids, fraction, len(known), rng), strict=True
    ):
        other = known[int(new)]
        found.append(space + (f"{other} {word}" if kind == "insert" and old != new else other))
    return "".join(found) + text[len(text.rstrip()) :]


def _mark(scheme: str, gamma: float, key: int | None, delta: float = 2.0) -> Mark:
    """The mark, once scheme, share, key and strength are possible."""
    from assay.core import BadRequest
    from assay.techniques.logits.watermark.flows import Mark

    mark = Mark(scheme, gamma, delta) if key is None else Mark(scheme, gamma, delta, key)
    assert mark.greenlist, "making the list checks scheme, share and key"
    if not delta >= 0:
        raise BadRequest(f"delta must be at least 0, not {delta:g}.")
    return mark


def _writing(asked: Ask, mark: Mark, route: str, size: int) -> Flow[tuple[str, int]]:
    """The text and its tokens (0: as many as it has) by one of the three routes."""
    from assay.core import ask
    from assay.techniques.logits.watermark.black_box import LARGEST_BIAS, best_of_chunks, static_bias
    from assay.techniques.logits.watermark.processor import WatermarkProcessor

    if route == "chunks":
        most, warm = asked.max_tokens, asked.temperature
        chunks, size = math.ceil(most / CHUNK), min(CHUNK, most)
        answer = yield from best_of_chunks(
            asked.prompt, mark.greenlist, chunk_tokens=size, chunks=chunks, temperature=warm
        )
        return answer.text, 0
    if route == "logits":
        wanted = replace(asked, processor=WatermarkProcessor(mark.greenlist, mark.delta))
    else:
        bias = static_bias(mark.greenlist, min(mark.delta, LARGEST_BIAS), size)
        wanted = replace(asked, logit_bias=bias)
    (reply,) = yield from ask(wanted)
    return reply.text, reply.tokens_out


async def _tested(model: Model, text: str, mark: Mark) -> Detection:
    from assay.core import Read

    return _tallied((await model.read(Read(text))).tokens if text else (), mark)


def _tallied(tokens: Any, mark: Mark, alpha: float = 1e-5, prompt: Any = ()) -> Detection:
    from assay.techniques.logits.watermark.detection import detect as count

    return count(tokens, mark.greenlist, prompt_tokens=prompt, alpha=alpha)


def _fields(found: Detection) -> dict[str, Any]:
    return asdict(found) | {"status": str(found.status), "flagged": found.flagged}


def _print_detection(found: Detection, about: dict[str, Any], as_json: bool) -> None:
    if as_json:
        echo(json.dumps(_fields(found) | about, indent=1))
        return
    echo(found.words)
    echo(f"  p {found.p:.3g} ({found.method}), z {found.z:.2f}, alpha {found.alpha:g}")
    left_out = f"{found.repeats} repeats dropped, {found.unscored} not scored"
    echo(f"  green {found.green} of {found.scored}; {left_out}; at least {found.minimum_tokens} are needed")
    numbers = {name: f"{value:.3g}" for name, value in about.items() if isinstance(value, float)}
    echo("  " + ", ".join(f"{name} {value}" for name, value in (about | numbers).items()))
