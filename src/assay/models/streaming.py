"""Puts the events of an OpenAI-compatible stream together into the answer it would have been in one piece."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from assay.core.errors import EndpointDown


@dataclass(slots=True)
class _Choice:
    """What has come of one choice."""

    text: str = ""
    refusal: str = ""
    listed: list[Any] = field(default_factory=list)
    finish: str = ""
    told: int = 0
    """Characters passed on."""


class Listening:
    """The choices of one streamed request."""

    def __init__(self, n: int, prefill: str) -> None:
        self.begun = False
        self.tokens = 0
        """Tokens that have come: those listed, or one an event, as servers send them."""
        self._choices = [_Choice() for _ in range(n)]
        self._prefill = prefill
        self._usage: Mapping[str, Any] = {}

    def take(self, event: Mapping[str, Any]) -> Iterator[tuple[int, str, list[Any]]]:
        """Choice, new text and listed log-probabilities of everything in an event that can be shown.

        Raises:
            EndpointDown: the event is of no known shape.
        """
        self.begun = True
        try:
            self._usage = event.get("usage") or self._usage
            for entry in event.get("choices") or ():
                index = int(entry.get("index") or 0)
                choice = self._choices[index]
                delta = entry.get("delta") or {}
                choice.text += str(entry.get("text") or delta.get("content") or "")
                choice.refusal += str(delta.get("refusal") or "")
                listed = list((entry.get("logprobs") or {}).get("content") or ())
                choice.listed += listed
                self.tokens += len(listed) or bool(entry.get("text") or delta.get("content"))
                choice.finish = str(entry.get("finish_reason") or choice.finish)
                text = self._untold(choice)
                if text or listed:
                    yield index, text, listed
        except (AttributeError, KeyError, TypeError, ValueError, IndexError) as error:
            raise EndpointDown(f"The endpoint streamed an unknown shape ({error!r:.60}).") from None

    def _untold(self, choice: _Choice) -> str:
        """Text not passed on yet. Some servers repeat a prefill: what may still be that is held back."""
        skipped = len(self._prefill) if choice.text.startswith(self._prefill) else 0
        if not skipped and self._prefill.startswith(choice.text):
            return ""
        text = choice.text[skipped:][choice.told :]
        choice.told += len(text)
        return text

    def rest(self, index: int) -> str:
        """What was held back of a choice and turned out to be its own."""
        choice = self._choices[index]
        held = choice.text if self._prefill.startswith(choice.text) and choice.text != self._prefill else ""
        return held[choice.told :] or choice.refusal

    def answer(self, name: str) -> dict[str, Any]:
        """The whole answer, as an endpoint that does not stream would give it.

        Raises:
            EndpointDown: it broke off before every choice had ended.
        """
        if not all(choice.finish for choice in self._choices):
            raise EndpointDown(f"{name} ended its stream before its replies did.")
        choices = [
            {
                "message": {"content": choice.text, "refusal": choice.refusal or None},
                "finish_reason": choice.finish,
                "logprobs": {"content": choice.listed},
            }
            for choice in self._choices
        ]
        return {"choices": choices, "usage": self._usage}
