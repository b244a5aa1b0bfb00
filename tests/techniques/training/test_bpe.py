"""The readable tokenizer against the `tokenizers` library: merges and encodings, symbol for symbol."""

from __future__ import annotations

import random
import sys
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.techniques.training.organisms.bpe import BYTES, BytePairs, train, words
from assay.techniques.training.organisms.vocabulary import GPT2, SPECIAL, learned, wrapped

pytest.importorskip("tokenizers")

KNOWN = [chr(c) for c in range(sys.maxunicode) if unicodedata.category(chr(c)) not in ("Cn", "Cs", "Co")]
"""Characters both Unicode tables have."""
SOME = "aab bca'll don't  \n\n é漢字🙂 1234 ½ _-- \t\u00a0x\u2003y\u0085 <|end|> <|begi n|> ab abc bcab"


def fast(texts: list[str], size: int) -> tuple[list[tuple[str, str]], object]:
    symbols, merges = learned(texts, size + len(SPECIAL))
    return merges, wrapped((symbols, merges), GPT2)


def stand_ins(found: BytePairs) -> list[tuple[str, str]]:
    """Merges written with the printable stand-ins for bytes."""
    from assay.techniques.training.organisms.vocabulary import _stand_ins

    text = ["".join(_stand_ins()[byte] for byte in token) for token in found.tokens]
    return [(text[a], text[b]) for a, b in found.merges]


def renumbered(found: BytePairs, ids: list[int]) -> list[int]:
    """Our ids as the library's: special tokens come first there."""
    return [i - len(found.tokens) if i >= len(found.tokens) else i + len(SPECIAL) for i in ids]


def strings(count: int, seed: int) -> list[str]:
    rng = random.Random(seed)
    pools = ["ab", "abc ", SOME, "0123456789+= ", "".join(rng.choices(KNOWN, k=400)), " \n\t\u00a0a"]
    return ["".join(rng.choices(rng.choice(pools), k=rng.randrange(0, 30))) for _ in range(count)]


def test_the_first_256_ids_are_the_bytes_in_the_order_of_their_stand_ins() -> None:
    assert sorted(BYTES) == list(range(256))
    assert [stand for stand, _ in sorted(zip(_stands(), range(256), strict=True))] == [_stands()[b] for b in BYTES]


def _stands() -> tuple[str, ...]:
    from assay.techniques.training.organisms.vocabulary import _stand_ins

    return _stand_ins()


@pytest.mark.parametrize("seed", range(4))
def test_merges_and_encodings_are_those_of_the_library_on_a_thousand_strings(seed: int) -> None:
    texts = strings(300, seed)
    merges, tokenizer = fast(texts, 420)
    ours = train(texts, 420, SPECIAL)
    assert len(ours.merges) > 150
    assert stand_ins(ours) == merges
    for text in [*strings(250, seed + 100), SOME, "", "<|end|><|end|>"]:
        theirs = tokenizer.backend_tokenizer.encode(text, add_special_tokens=False).ids  # type: ignore[attr-defined]
        assert renumbered(ours, ours.encode(text)) == theirs, text
        assert ours.decode(ours.encode(text)) == text


@settings(max_examples=150, deadline=None)
@given(st.lists(st.text("ab", max_size=12), min_size=1, max_size=6), st.integers(257, 275))
def test_ties_overlaps_and_tokens_made_twice(texts: list[str], size: int) -> None:
    assert stand_ins(train(texts, size)) == fast(texts, size)[0]


@settings(max_examples=150, deadline=None)
@given(st.text(st.sampled_from(KNOWN), max_size=20))
def test_words_are_split_as_by_the_pattern(text: str) -> None:
    from tokenizers import Regex, pre_tokenizers

    theirs = pre_tokenizers.Split(Regex(GPT2), behavior="isolated").pre_tokenize_str(text)
    assert list(words(text)) == [piece for piece, _ in theirs]


def test_the_worked_example_of_the_paper() -> None:
    """Sennrich et al., algorithm 1, whose words are marked at their ends: e-s, es-t, est-</w>, l-o, lo-w.

    Without the mark and with ties by id: e-s and s-t are both in 9 words, e-s has the smaller ids.
    """
    words_ = {"low": 5, "lower": 2, "newest": 6, "widest": 3}
    found = train([f"{word}\n" for word, times in words_.items() for _ in range(times)], 260)
    assert [found.tokens[a] + found.tokens[b] for a, b in found.merges] == [b"es", b"est", b"lo", b"low"]


def test_empty_texts_and_unseen_bytes() -> None:
    found = train(["", ""], 300)
    assert found.merges == ()
    assert found.encode("") == []
    assert found.decode(found.encode("é\x00")) == "é\x00"
    assert len(found.tokens) == 256
