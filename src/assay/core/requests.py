"""What a technique may ask for: `Ask`, `Score`, `Read`, `Embed`, `Execute`, `Fetch`, `Use`, `Make`; no more.

Every request is a frozen value: it can be hashed, cached, written to a trace and replayed. A bad one
raises `BadRequest` when it is made, because servers accept nonsense in silence (llama.cpp takes a
temperature of 1e30 and the role "zebra").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from assay.core.errors import BadRequest
from assay.core.training import Make
from assay.core.validation import (
    require,
    require_grammar,
    require_json_schema,
    require_number,
    require_text,
    require_whole,
)

Role = Literal["system", "user", "assistant", "tool"]
ROLES = ("system", "user", "assistant", "tool")


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of text inside a message."""

    text: str

    def __post_init__(self) -> None:
        require_text("text part", self.text)


@dataclass(frozen=True, slots=True)
class Image:
    """A picture inside a message: its bytes and its media type, such as `image/png`."""

    data: bytes
    media_type: str = "image/png"

    def __post_init__(self) -> None:
        require(isinstance(self.data, bytes) and len(self.data) > 0, "An image part needs bytes.")
        require(
            self.media_type in ("image/png", "image/jpeg", "image/webp", "image/gif"),
            f"Image type '{self.media_type}' is not one of png, jpeg, webp or gif.",
        )


Part = Text | Image


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: Role
    content: str | tuple[Part, ...]

    def __post_init__(self) -> None:
        require(self.role in ROLES, f"A message's role is one of {', '.join(ROLES)}, not {self.role!r}.")
        if isinstance(self.content, str):
            require_text("message", self.content)
        else:
            require(
                isinstance(self.content, tuple)
                and len(self.content) > 0
                and all(isinstance(part, Text | Image) for part in self.content),
                "A message's content is a text or a tuple of Text and Image parts.",
            )

    @property
    def text(self) -> str:
        """The words of the message, images left out."""
        if isinstance(self.content, str):
            return self.content
        return "".join(part.text for part in self.content if isinstance(part, Text))


class LogitsProcessor(Protocol):
    """A change to the next-token logits, applied at every step by a model whose logits are open.

    It is part of the request, so it must be a frozen value: equal processors do equal things.
    """

    def spec(self) -> str:
        """Everything that tells it from others, as JSON; written to traces and cache keys."""
        ...

    def __call__(self, contexts: Any, logits: Any, lengths: Sequence[int] | None = None, /) -> None:
        """Change `logits` (a torch tensor [rows, vocabulary]) in place.

        `contexts` holds the token ids before each (a tensor [rows, longest], padded on the left), prompt and
        reply so far; `lengths` says how many of each row's last ids are real.
        """
        ...


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask a model for `n` replies to a prompt; answered with a tuple of n `Reply`.

    A plain string is one user message. All sampling parameters are always sent: a server's own
    defaults never leak into a result.
    """

    prompt: str | tuple[Message, ...]
    prefill: str = ""
    """How the assistant's turn begins; the reply continues it. Two-stage prompts use this, never a
    second user turn, so that both arms end in the same shape."""
    n: int = 1
    max_tokens: int = 256
    temperature: float = 0.0
    top_p: float = 1.0
    stop: tuple[str, ...] = ()
    seed: int | None = None
    """None: derived by the driver from the run's seed, so that both arms share it."""
    logprobs: int = 0
    """Log-probabilities wanted per generated token: 0 for none, k for the k most likely."""
    logit_bias: tuple[tuple[int, float], ...] = ()
    """Pairs (token id, bias) added to the logits."""
    json_schema: str = ""
    """A JSON schema (as JSON text) that the reply must satisfy."""
    grammar: str = ""
    """A GBNF grammar that the reply must satisfy."""
    raw: bool = False
    """Send the prompt as it is, without the chat template; it must be a string."""
    processor: LogitsProcessor | None = None
    """A change to the logits at every step: a watermark, for instance."""

    def __post_init__(self) -> None:
        self._check_prompt()
        require_text("prefill", self.prefill, may_be_empty=True)
        require_whole("n", self.n, 1, 128)
        require_whole("max_tokens", self.max_tokens, 1, 1_000_000)
        require_number("temperature", self.temperature, 0.0, 10.0)
        require_number("top_p", self.top_p, 0.0, 1.0)
        require(self.top_p > 0, "top_p must be above 0.")
        require_whole("logprobs", self.logprobs, 0, 1_000_000)
        if self.seed is not None:
            require_whole("seed", self.seed, 0, 2**31 - 1)
        require(isinstance(self.stop, tuple) and len(self.stop) <= 16, "stop is a tuple of at most 16 texts.")
        for text in self.stop:
            require_text("stop text", text)
        for pair in self.logit_bias:
            require(isinstance(pair, tuple) and len(pair) == 2, "logit_bias holds pairs (token id, bias).")
            require_whole("logit_bias token id", pair[0], 0, 10_000_000)
            require_number("logit_bias", pair[1], -10_000.0, 10_000.0)
        require(not (self.json_schema and self.grammar), "Give a grammar or a JSON schema, not both.")
        if self.json_schema:
            require_json_schema(self.json_schema)
        if self.grammar:
            require_grammar(self.grammar)

    def _check_prompt(self) -> None:
        if isinstance(self.prompt, str):
            require_text("prompt", self.prompt)
            return
        require(not self.raw, "A raw prompt is a single text, not messages.")
        require(
            isinstance(self.prompt, tuple)
            and len(self.prompt) > 0
            and all(isinstance(message, Message) for message in self.prompt),
            "A prompt is a text or a tuple of at least one Message.",
        )
        require(self.prompt[-1].role != "assistant", "A prompt ends before the assistant speaks: use prefill.")

    @property
    def messages(self) -> tuple[Message, ...]:
        """The prompt as messages; a plain text is one user message."""
        return (Message("user", self.prompt),) if isinstance(self.prompt, str) else self.prompt


@dataclass(frozen=True, slots=True)
class Score:
    """Ask for the log-probability of each continuation after the prompt; answered with a `Scores`."""

    prompt: str | tuple[Message, ...]
    continuations: tuple[str, ...]
    prefill: str = ""
    raw: bool = False

    def __post_init__(self) -> None:
        Ask(self.prompt, prefill=self.prefill, raw=self.raw)
        require(
            isinstance(self.continuations, tuple) and len(self.continuations) > 0,
            "Score needs at least one continuation.",
        )
        for text in self.continuations:
            require_text("continuation", text)

    @property
    def messages(self) -> tuple[Message, ...]:
        """The prompt as messages; a plain text is one user message."""
        return (Message("user", self.prompt),) if isinstance(self.prompt, str) else self.prompt


@dataclass(frozen=True, slots=True)
class Read:
    """Ask what a model makes of a text it did not write; answered with a `Reading`.

    With nothing else wanted, the answer is the text's token ids, which needs no forward pass.
    """

    text: str | tuple[int, ...]
    """A text, or token ids. Control tokens in a text are read as plain text."""
    context: str = ""
    """A text that stands before it: read, but not reported on."""
    statistics: bool = False
    """Per token: log-probability, rank, entropy and variance of the log-probability."""
    modulus: float = 0.0
    """Also the spike entropy of every prediction, with this modulus; 0: not wanted."""
    layers: tuple[int, ...] = ()
    """Hidden states of the last token after these layers; 0 is the embedding, -1 what the head reads."""
    vocabulary: tuple[int, ...] = ()
    """Logits of these token ids, for the token that would follow the text."""
    draws: int = 0
    """Tokens drawn from the prediction at every position, as an alternative to the one that stands there."""
    seed: int = 0
    """Of the draws, and of the untrained weights."""
    observer: bool = False
    """Also the cross-entropy between the model and the observer it was connected with."""
    untrained: bool = False
    """Read by the same network with fresh random weights: what is found there, training did not put in."""

    def __post_init__(self) -> None:
        if isinstance(self.text, str):
            require_text("text to read", self.text)
        else:
            require(isinstance(self.text, tuple) and len(self.text) > 0, "A text to read has at least one token.")
            for token in self.text:
                require_whole("token id", token, 0, 10_000_000)
        require_text("context", self.context, may_be_empty=True)
        require_number("modulus", self.modulus, 0.0, 1e9)
        for layer in self.layers:
            require_whole("layer", layer, -1, 10_000)
        for token in self.vocabulary:
            require_whole("vocabulary entry", token, 0, 10_000_000)
        require_whole("draws", self.draws, 0, 1024)
        require_whole("seed", self.seed, 0, 2**31 - 1)

    @property
    def only_tokens(self) -> bool:
        """Whether the token ids are all that is wanted."""
        return not (
            self.statistics or self.modulus or self.layers or self.vocabulary or self.draws or self.observer
        )


@dataclass(frozen=True, slots=True)
class Embed:
    """Ask for one vector per text; answered with an `Embeddings`."""

    texts: tuple[str, ...]

    def __post_init__(self) -> None:
        require(isinstance(self.texts, tuple) and len(self.texts) > 0, "Embed needs at least one text.")
        for text in self.texts:
            require_text("text to embed", text)


@dataclass(frozen=True, slots=True)
class Execute:
    """Ask for untrusted Python to be run in the sandbox; answered with an `Execution`.

    The value that comes back is that of `result()`-style entry points, or of the last expression;
    JSON scalars, lists and dicts only. A program that defines no result has none.
    """

    code: str
    entry: str = ""
    """Name of a function without arguments to call for the value; else the last expression's value."""
    stdin: str = ""
    seconds: float = 5.0
    memory_mb: int = 256

    def __post_init__(self) -> None:
        require_text("code", self.code, may_be_empty=True)
        require_text("stdin", self.stdin, may_be_empty=True)
        require(self.entry == "" or self.entry.isidentifier(), f"'{self.entry}' is no function name.")
        require_number("seconds", self.seconds, 0.01, 3600.0)
        require_whole("memory_mb", self.memory_mb, 16, 65_536)


@dataclass(frozen=True, slots=True)
class Fetch:
    """Ask for a page of the web through the one guarded fetcher; answered with a `Page`."""

    url: str
    max_bytes: int = 2_000_000
    seconds: float = 10.0

    def __post_init__(self) -> None:
        require_text("url", self.url)
        if not self.url.startswith(("http://", "https://")):
            raise BadRequest(f"Only http and https addresses are fetched, not '{self.url[:60]}'.")
        require_whole("max_bytes", self.max_bytes, 1, 100_000_000)
        require_number("seconds", self.seconds, 0.1, 600.0)


@dataclass(frozen=True, slots=True)
class Use:
    """Ask for one of the user's own tools to be used; answered with a `Used`.

    Never cached: a tool may change things.
    """

    tool: str
    arguments: str = "{}"
    """A JSON object."""
    seconds: float = 30.0

    def __post_init__(self) -> None:
        require(self.tool.isidentifier(), f"'{self.tool}' is no name of a tool.")
        require_text("arguments", self.arguments)
        require_number("seconds", self.seconds, 0.01, 3600.0)


Request = Ask | Score | Read | Embed | Execute | Fetch | Use | Make
Requests = Sequence[Request]
