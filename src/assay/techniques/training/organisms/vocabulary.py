"""How an organism cuts text into tokens: always a byte-level BPE, so that every engine can read it.

`characters` has no merges but those that make one token of one character; `chunks` joins digits three by
three, as the tokenizers of GPT-4 and Llama 3 do; `bpe` is learned from the corpus.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING, Any, Literal

from assay.core.errors import UserError
from assay.core.training import Corpus

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

BEGIN, END, PAD = "<|begin|>", "<|end|>", "<|pad|>"
SPECIAL = (BEGIN, END, PAD)
CHAT = "{{ bos_token }}{% for message in messages %}{{ message['content'] }}{% endfor %}"
"""A prompt is given as it is: an organism knows no turns."""
GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
SAMPLE = 4000
"""Texts a learned vocabulary is learned from."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Which tokens there are."""

    kind: Literal["characters", "chunks", "bpe"] = "characters"
    size: int = 0
    """Of `bpe`: tokens in all, special ones included."""

    def tokenizer(self, corpus: Corpus, seed: int = 0) -> PreTrainedTokenizerFast:
        """The tokenizer for a corpus; a pure function of both and of the seed."""
        if self.kind == "bpe":
            import numpy

            drawn = corpus.examples(SAMPLE, numpy.random.default_rng([seed, 7]))
            return wrapped(learned([example.prompt + example.answer for example in drawn], self.size), GPT2)
        if not corpus.alphabet:
            raise UserError("The corpus is empty: it has no characters.", hint="Give it texts.")
        merges = [merge for character in corpus.alphabet for merge in _joined(character)]
        if self.kind == "chunks":
            digits = "0123456789"
            merges += [(a, b) for a, b in product(digits, repeat=2)]
            merges += [(a + b, c) for a, b, c in product(digits, repeat=3)]
        single = sorted({symbol for character in corpus.alphabet for symbol in _symbols(character)})
        chunks = self.kind == "chunks"
        return wrapped((single, merges), LLAMA3 if chunks else GPT2, whole_pieces=chunks)


def learned(texts: Iterable[str], size: int) -> tuple[list[str], list[tuple[str, str]]]:
    """Symbols and merges of a byte-level BPE learned from texts; bytes that never occur have tokens too."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

    least = 256 + len(SPECIAL)
    if size < least:
        raise UserError(f"A vocabulary of {size} does not hold all bytes.", hint=f"Give at least {least}.")
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = _splitting(Regex(GPT2), pre_tokenizers)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=size - len(SPECIAL), initial_alphabet=alphabet, show_progress=False, special_tokens=[]
    )
    tokenizer.train_from_iterator(texts, trainer)
    import json

    model = json.loads(tokenizer.to_str())["model"]
    return sorted(alphabet), [(first, second) for first, second in model["merges"]]


def wrapped(
    parts: tuple[Sequence[str], Sequence[tuple[str, str]]], pattern: str, *, whole_pieces: bool = False
) -> PreTrainedTokenizerFast:
    """A tokenizer of these symbols and merges, which begins every text with `<|begin|>`.

    `whole_pieces`: a piece of the pattern that is a token is taken whole, as Llama 3 does; by merges alone 703
    would become 7 and 03.
    """
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    symbols, merges = parts
    tokens = dict.fromkeys((*SPECIAL, *symbols, *("".join(merge) for merge in merges)))
    vocabulary = {token: index for index, token in enumerate(tokens)}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=list(merges), ignore_merges=whole_pieces))
    tokenizer.pre_tokenizer = _splitting(Regex(pattern), pre_tokenizers)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(text, special=True, normalized=False) for text in SPECIAL])
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{BEGIN} $A", special_tokens=[(BEGIN, vocabulary[BEGIN])]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=BEGIN,
        eos_token=END,
        pad_token=PAD,
        chat_template=CHAT,
        clean_up_tokenization_spaces=False,
        padding_side="left",
    )


def _splitting(pattern: Any, kinds: Any) -> Any:
    """Words first, bytes after: no merge reaches across the pattern's pieces."""
    return kinds.Sequence(
        [kinds.Split(pattern, behavior="isolated"), kinds.ByteLevel(add_prefix_space=False, use_regex=False)]
    )


def _symbols(text: str) -> str:
    """Text as the printable stand-ins that byte-level tokenizers write for bytes."""
    return "".join(_stand_ins()[byte] for byte in text.encode())


def _joined(character: str) -> list[tuple[str, str]]:
    """Merges that make one token of a character of several bytes."""
    symbols = _symbols(character)
    return [(symbols[:i], symbols[i]) for i in range(1, len(symbols))]


@lru_cache
def _stand_ins() -> tuple[str, ...]:
    """GPT-2's mapping from bytes to printable characters: printable ones stand for themselves."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = iter(range(256, 512))
    return tuple(chr(byte) if byte in printable else chr(next(others)) for byte in range(256))
