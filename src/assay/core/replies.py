"""What comes back for each request. Token counts are our own: servers count wrongly when n > 1."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from assay.core.training import Made

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Finish(StrEnum):
    """Why a reply ended."""

    STOP = "stop"
    """The model ended it, or a stop text came up."""
    LENGTH = "length"
    """Cut at max_tokens: what stands may be half an answer."""
    REFUSED = "refused"
    """The endpoint's filter withheld it."""


@dataclass(frozen=True, slots=True)
class TokenLogprob:
    """One generated token with its log-probability (nats) and the likeliest alternatives."""

    id: int
    text: str
    logprob: float
    top: tuple[tuple[int, str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Reply:
    """One of the n answers to an `Ask`."""

    text: str
    """The continuation alone: a prefill is not repeated."""
    finish: Finish = Finish.STOP
    tokens_in: int = 0
    """Tokens of the prompt it answers; the same on each of the n replies to one request."""
    tokens_out: int = 0
    logprobs: tuple[TokenLogprob, ...] = ()
    seconds: float = 0.0
    """Wall seconds the model worked on it."""
    cpu_seconds: float = 0.0
    """CPU seconds of an engine on this machine, a share of what its neighbours in the batch cost too."""

    @property
    def finished(self) -> bool:
        """True where the model ended the reply itself."""
        return self.finish is Finish.STOP


@dataclass(frozen=True, slots=True)
class Piece:
    """What a streaming model has just written of one of the n replies."""

    index: int
    """Which of the asked indexes."""
    text: str
    tokens: tuple[TokenLogprob, ...] = ()
    """Of this piece, where log-probabilities were asked for."""
    reply: Reply | None = None
    """The whole reply, with its last piece: what `generate` would have given."""
    evaluated: int = 0
    """With the last piece: prompt tokens the server computed for this reply and not for a neighbour or before."""


@dataclass(frozen=True, slots=True)
class Scores:
    """The answer to a `Score`: per continuation its summed log-probability (nats) and its tokens."""

    logprobs: tuple[float, ...]
    tokens: tuple[int, ...]
    tokens_in: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0

    @property
    def best(self) -> int:
        """Index of the likeliest continuation; the first of equals."""
        return max(range(len(self.logprobs)), key=lambda i: self.logprobs[i])


@dataclass(frozen=True, slots=True)
class Numbers:
    """An array of 32-bit floats as a value: it can be compared, hashed, kept and sent."""

    data: bytes
    """Little-endian float32, row by row."""
    shape: tuple[int, ...]

    @classmethod
    def of(cls, values: Any) -> Numbers:
        """From anything numpy reads as an array of numbers."""
        import numpy

        found = numpy.ascontiguousarray(values, dtype="<f4")
        return cls(found.tobytes(), found.shape)

    def array(self) -> NDArray[Any]:
        """As a numpy array of that shape, float64: sums of many small numbers stay exact enough."""
        import numpy

        return numpy.frombuffer(self.data, dtype="<f4").reshape(self.shape).astype(numpy.float64)

    def __len__(self) -> int:
        return self.shape[0] if self.shape else 0


NOTHING = Numbers(b"", (0,))


@dataclass(frozen=True, slots=True)
class Reading:
    """The answer to a `Read`. Arrays are aligned with `tokens`; what was not wanted is empty.

    The first token of a text without context was predicted by nothing: its numbers are NaN.
    """

    tokens: tuple[int, ...]
    logprobs: Numbers = NOTHING
    """Log-probability (nats) of each token, [tokens]."""
    ranks: Numbers = NOTHING
    """Tokens that were likelier, plus 1, [tokens]."""
    entropies: Numbers = NOTHING
    """Entropy (nats) of the prediction each token met: minus the mean of the log-probability, [tokens]."""
    variances: Numbers = NOTHING
    """Variance of the log-probability under the prediction itself, [tokens]."""
    spikes: Numbers = NOTHING
    """Spike entropy of each prediction, [tokens]."""
    cross_entropies: Numbers = NOTHING
    """Of the observer's prediction against the model's (nats), [tokens]."""
    draws: Numbers = NOTHING
    """Token ids drawn at each position, [draws, tokens]; NaN where nothing was predicted."""
    states: Numbers = NOTHING
    """Hidden states of the last token, [layers, width], in the order they were wanted."""
    logits: Numbers = NOTHING
    """Logits after the last token, [vocabulary entries wanted]."""
    depth: int = 0
    """Layers the network has; 0 where no states were wanted."""
    characters: tuple[int, ...] = ()
    """Where each token begins in the text; empty where token ids were given."""
    tokens_in: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Embeddings:
    """The answer to an `Embed`: one vector per text."""

    vectors: Numbers
    """[texts, width]"""
    tokens_in: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0


class Ended(StrEnum):
    """How an execution ended."""

    OK = "ok"
    ERROR = "error"
    """The program raised; the message is in `error`."""
    TIMEOUT = "timeout"
    MEMORY = "memory"
    OUTPUT = "output"
    """It printed more than the cap."""
    CRASH = "crash"
    """The process died without a word."""


@dataclass(frozen=True, slots=True)
class Execution:
    """The answer to an `Execute`."""

    ended: Ended
    value: Any = None
    """What the entry function or the last expression gave, if it is JSON; None where there is none."""
    has_value: bool = False
    stdout: str = ""
    error: str = ""
    """One sentence, where it did not end well."""
    seconds: float = 0.0
    tier: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """The answer to a `Fetch`."""

    url: str
    """The address after redirects."""
    status: int
    content_type: str
    text: str


@dataclass(frozen=True, slots=True)
class Used:
    """The answer to a `Use`."""

    text: str
    """What the tool returned, as text; one sentence where it failed."""
    failed: bool = False
    seconds: float = 0.0


AnyReply = tuple[Reply, ...] | Scores | Reading | Embeddings | Execution | Page | Used | Made
