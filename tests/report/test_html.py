"""The file: whole, self-contained, and nothing in it acts."""

from __future__ import annotations

import dataclasses
import re
import time
from html.parser import HTMLParser
from pathlib import Path

import pytest
import report_fixtures as fixtures

from assay.core.verdict import SampleRow, Verdict
from assay.report import html, pairs
from assay.report.html import page, write_html
from assay.report.traces import Shown, exchanges

VOID = {"meta", "link", "img", "br", "hr", "input"}
HOSTILE = (
    "<script>alert(1)</script><img src=http://evil.example/i.png onerror=alert(2)> </pre></details></style>"
    "![x](http://evil.example/p.png) \u202eabc\x1b[31m\x00\ud800 \"'>{{ 7*7 }}"
)


class Reader(HTMLParser):
    """Collects tags and text and holds every element to be closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def read(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert reader.open == []
    return reader


def harmless(reader: Reader) -> None:
    for tag, attributes in reader.tags:
        assert tag not in ("script", "link", "iframe", "object", "embed", "form", "base")
        for name, value in attributes.items():
            assert not name.startswith("on")
            if name in ("src", "href", "xlink:href", "srcset", "action", "poster"):
                assert (value or "").startswith(("#", "data:image/"))


@pytest.fixture
def everything() -> str:
    return page(fixtures.every(), {fixtures.holds().run: fixtures.rows(40)})


def test_whole_harmless_and_closed(everything: str) -> None:
    reader = read(everything)
    harmless(reader)
    assert "url(" not in everything
    assert "@import" not in everything
    policies = [
        a["content"] for t, a in reader.tags if t == "meta" and a.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policies == ["default-src 'none'; style-src 'unsafe-inline'; img-src data:"]


def test_every_claim_is_linked_and_told_in_full(everything: str) -> None:
    reader = read(everything)
    ids = [a["id"] for _, a in reader.tags if "id" in a]
    assert len(ids) == len(set(ids))
    links = [a["href"] for t, a in reader.tags if t == "a"]
    assert len(links) == 5
    assert all(link is not None and link[1:] in ids for link in links)
    text = " ".join(" ".join(reader.text).split())
    for part in (
        "On smollm2-135m the treatment (step by step) scored 14.2 points more than the control (direct)",
        "assay run cot.raises_accuracy --model smollm2-135m --size small --seed 7",
        "sha256:4f2ab0c3d1e97f60",
        "Greedy decoding in both arms",
        "could detect an effect of 11.0 points",
        "exact McNemar p-value",
        "The control against itself: the noise floor.",
        "calibrated policy and not by the model",
        "14,120",
        "This file carries no samples of this run.",
    ):
        assert part in text


def test_pairs_that_differ_come_first(everything: str) -> None:
    titles = ["The treatment scored higher", "Not scored in both arms", "Same score in both arms"]
    places = [everything.index(title) for title in titles]
    assert places == sorted(places)
    assert everything.index("sums-0001") < everything.index("sums-0000")
    assert "The control scored higher" not in everything


def test_a_trace_shows_requests_parameters_replies_and_executions(everything: str) -> None:
    for part in ("max tokens 256", "Let us think.", "The answer is 42.", "def result():", "value, ok, monty"):
        assert part in everything


def test_what_a_model_wrote_is_text() -> None:
    step = fixtures.ask_step(HOSTILE, HOSTILE, prefill=HOSTILE)
    picture = {"image": '"><script>', "media_type": 'image/png"><script>'}
    picture_step = [{"request": {"kind": "ask", "prompt": [{"role": HOSTILE, "content": [picture]}]}, "reply": []}]
    execution = fixtures.execute_step(HOSTILE, stdout=HOSTILE, error=HOSTILE, ended=HOSTILE)
    row = fixtures.row(
        HOSTILE,
        "treatment",
        1.0,
        question=HOSTILE,
        target=HOSTILE,
        answer=HOSTILE,
        detail=HOSTILE,
        steps=(step, picture_step, execution, HOSTILE, [{"request": {"kind": HOSTILE}, "reply": HOSTILE}]),
    )
    verdict = dataclasses.replace(
        fixtures.holds(),
        claim=HOSTILE,
        sentence=HOSTILE,
        reason=HOSTILE,
        unit=HOSTILE,
        task=HOSTILE,
        level=HOSTILE,
        model={"name": HOSTILE, "fingerprint": HOSTILE},
        notes=(HOSTILE,),
        departures=(HOSTILE,),
        command=HOSTILE,
        test={HOSTILE: HOSTILE},
        power={"detectable_effect": 0.1, HOSTILE: HOSTILE},
        driver=HOSTILE,
        created=HOSTILE,
        arms={HOSTILE: fixtures.arm(HOSTILE, 0.1, None, {}, says=HOSTILE)},
        controls={HOSTILE: fixtures.control(HOSTILE, 0.1, None, HOSTILE, details={HOSTILE: [HOSTILE]})},
    )
    text = page([verdict], {verdict.run: [row]})
    reader = read(text)
    harmless(reader)
    assert "<script" not in text
    assert not set("\u202e\x1b\x00\ud800") & set(text)
    assert "<script>alert(1)</script>" in "".join(reader.text)
    assert "49" not in [part.strip() for part in reader.text]
    text.encode("utf-8")


def test_a_picture_is_shown_from_the_file_itself() -> None:
    content = [{"text": "look"}, {"image": "iVBORw0KGgo=", "media_type": "image/png"}]
    step = [
        {
            "request": {"kind": "ask", "prompt": [{"role": "user", "content": content}]},
            "reply": [{"text": "a dot"}],
        }
    ]
    verdict = fixtures.holds()
    reader = read(page([verdict], {verdict.run: [fixtures.row("p", "control", 1.0, steps=(step,))]}))
    assert [a["src"] for t, a in reader.tags if t == "img"] == ["data:image/png;base64,iVBORw0KGgo="]


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        ("iVBORw0KGgo=", "image/svg+xml"),
        ("no base64!", "image/png"),
        ("AAAA" * 60_000, "image/png"),
    ],
)
def test_any_other_picture_is_only_named(data: str, kind: str) -> None:
    prompt = [{"role": "user", "content": [{"image": data, "media_type": kind}]}]
    ((exchange,),) = exchanges([[{"request": {"kind": "ask", "prompt": prompt}, "reply": []}]])
    assert exchange.blocks[0].image == ""
    assert exchange.blocks[0].body.text.startswith(f"[picture, {kind}, ")


def test_a_prefill_is_a_text_of_its_own_and_an_odd_reply_is_shown_as_recorded() -> None:
    step = fixtures.ask_step("q", "a", prefill="Let us think.")
    odd = [{"request": {"kind": "ask", "prompt": "q"}, "reply": ["text"]}]
    shown = [exchange for step in exchanges([step, odd]) for exchange in step]
    assert [block.label for block in shown[0].blocks] == ["user", "prefill", "reply, stop, 88 tokens"]
    assert [block.label for block in shown[1].blocks] == ["as recorded"]


def test_the_largest_differences_come_first() -> None:
    verdict = fixtures.graded()
    pairs = {"a-small": (0.1, 0.2), "b-large": (0.1, 0.9), "c-middle": (0.1, 0.5)}
    rows = [
        fixtures.row(item, arm, score)
        for item, scores in pairs.items()
        for arm, score in zip(("control", "treatment"), scores, strict=True)
    ]
    text = page([verdict], {verdict.run: rows})
    places = [text.index(item) for item in ("b-large", "c-middle", "a-small")]
    assert places == sorted(places)


def test_long_text_is_folded_and_cut_and_says_so() -> None:
    verdict = fixtures.holds()
    row = fixtures.row("long", "control", 1.0, steps=(fixtures.ask_step("q", "y" * 1_000_000),))
    text = page([verdict], {verdict.run: [row]})
    assert len(text) < 120_000
    assert "980,000 characters are left out here" in text
    assert Shown.of("x" * 600).is_long is False
    assert Shown.of("x\n" * 30).is_long is True


def test_a_full_file_leaves_traces_out_and_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(html, "LARGEST_TRACES", 3_000)
    verdict = fixtures.holds()
    text = page([verdict], {verdict.run: fixtures.rows(40)})
    assert "assay trace 20260311-cot-4f2a sums-0039" in text
    assert "Let us think." in text


def test_pairs_beyond_the_most_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairs, "MOST_PAIRS", 10)
    verdict = fixtures.holds()
    assert "30 samples are not listed here" in page([verdict], {verdict.run: fixtures.rows(40)})


def test_three_hundred_pairs_stay_small_and_quick(tmp_path: Path) -> None:
    verdict = fixtures.holds()
    steps = (fixtures.ask_step("q" * 900, "w " * 500),)
    rows = [
        fixtures.row(f"s{i}", arm, float(i % 2), steps=steps)
        for i in range(300)
        for arm in ("control", "treatment")
    ]
    start = time.process_time()
    path = write_html(tmp_path / "new" / "report.html", [verdict], {verdict.run: rows})
    assert time.process_time() - start < 5
    assert 1_200_000 < path.stat().st_size < 5_000_000
    assert [p.name for p in path.parent.iterdir()] == ["report.html"]


def test_the_same_input_gives_the_same_file(everything: str) -> None:
    assert everything == page(fixtures.every(), {fixtures.holds().run: fixtures.rows(40)})


def test_no_verdict_at_all() -> None:
    harmless(read(page([], {})))


def test_each_kind_of_request_has_its_blocks() -> None:
    steps = [
        [
            {
                "request": {"kind": "score", "prompt": "q", "continuations": [" yes", " no"]},
                "reply": {"logprobs": [-1.25, -3.0], "tokens": [1, 2]},
            },
            {
                "request": {"kind": "embed", "texts": ["a"]},
                "reply": {"vectors": {"float32": "AACAPwAAAEA=", "shape": [1, 2]}, "tokens_in": 1},
            },
            {
                "request": {"kind": "fetch", "url": "http://x/"},
                "reply": {"url": "http://x/y", "status": 200, "content_type": "text/html", "text": "hi"},
            },
        ],
        [
            {
                "request": {"kind": "execute", "code": "1/0"},
                "reply": {"ended": "error", "error": "ZeroDivisionError", "tier": "monty"},
            }
        ],
        "nonsense",
    ]
    shown = [[(b.label, b.body.text) for b in exchange.blocks] for step in exchanges(steps) for exchange in step]
    assert shown == [
        [
            ("user", "q"),
            ("continuation, log-probability -1.250, 1 token, likeliest", " yes"),
            ("continuation, log-probability -3.000, 2 tokens", " no"),
        ],
        [("text", "a"), ("vectors", "1 × 2 numbers")],
        [("url", "http://x/"), ("page, status 200, text/html, from http://x/y", "hi")],
        [("code", "1/0"), ("error, error, monty", "ZeroDivisionError")],
        [("as recorded", '"nonsense"')],
    ]


def captions(verdict: Verdict, rows: list[SampleRow] | None = None) -> list[str]:
    return re.findall("<figcaption>(.*?)</figcaption>", page([verdict], {verdict.run: rows or []}))


def test_each_kind_of_evidence_has_its_drawings() -> None:
    ended = "How samples ended"
    assert captions(fixtures.detector()) == ["Effect, in AUROC", "ROC curves", "AUROC of each arm", ended]
    assert captions(fixtures.detector_by_tpr())[0] == "Effect, in TPR at FPR 1 %"
    assert captions(fixtures.rate()) == ["Widths found, against what the claim says", ended]
    graded = ["False positives over nominal, against what the claim says"]
    assert captions(fixtures.ratio()) == [*graded, "Mean false positives over nominal of each arm", ended]
    assert captions(fixtures.equality())[:2] == ["Effect, in percentage points", "The estimate as pairs came in"]


def test_a_fixed_rule_has_no_empty_trajectory() -> None:
    fixed = dataclasses.replace(fixtures.equality(), trajectory=())
    assert "The estimate as pairs came in" not in captions(fixed)


def test_all_kinds_together_are_whole_and_harmless() -> None:
    text = page([fixtures.holds(), *fixtures.kinds()], {})
    reader = read(text)
    harmless(reader)
    shown = " ".join(" ".join(reader.text).split())
    for part in ("rate 64.0 %", "claimed: at least 90.0 %", "+0.112 AUROC", "A rate is no difference", "Samples"):
        assert part in shown


def test_scores_of_detectors_are_no_dots_on_the_axis_of_their_auroc() -> None:
    verdict = fixtures.detector()
    rows = [fixtures.row(f"t{i}", "control", -700.0 * i) for i in range(5)]
    assert page([verdict], {verdict.run: rows}).count('r="1.6"') == 0
    ratio = fixtures.ratio()
    assert page([ratio], {ratio.run: rows}).count('r="1.6"') == 5


def test_detectors_are_compared_by_rank_whatever_their_scales_are() -> None:
    """By scores the control is always far lower; by rank they disagree on two items and agree on the rest."""
    scores = {
        "a-agreed": (-900.0, 0.001),
        "b-risen": (-800.0, 0.009),
        "c-agreed": (-700.0, 0.003),
        "d-agreed": (-1e300, -5.0),
        "e-unscored": (None, 0.5),
        "f-fallen": (-10.0, 0.002),
    }
    rows = [
        fixtures.row(item, arm, score)
        for item, pair in scores.items()
        for arm, score in zip(("control", "treatment"), pair, strict=True)
    ]
    verdict = fixtures.detector()
    text = page([verdict], {verdict.run: rows})
    places = [
        text.index(part)
        for part in (
            "The treatment ranks it higher than the control does",
            "b-risen",
            "The control ranks it higher than the treatment does",
            "f-fallen",
            "Not scored in both arms",
            "e-unscored",
            "Same rank in both arms",
            "a-agreed",
        )
    ]
    assert places == sorted(places)
    assert "scored higher</h4>" not in text


def test_scores_without_bounds_are_sorted_by_their_distance() -> None:
    verdict = fixtures.ratio()
    pairs = {"a-middle": (-3.0, 4.0), "b-huge": (-1e308, 1e308), "c-small": (1.0, 2.0)}
    rows = [
        fixtures.row(item, arm, score)
        for item, scores in pairs.items()
        for arm, score in zip(("control", "treatment"), scores, strict=True)
    ]
    text = page([verdict], {verdict.run: rows})
    places = [text.index(item) for item in ("b-huge", "a-middle", "c-small")]
    assert places == sorted(places)
