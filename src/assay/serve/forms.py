"""What clients send, in OpenAI's shapes. Fields we do not know are kept and passed on; nonsense is refused.

Servers take nonsense in silence (llama.cpp the role "zebra", a temperature of 1e30, no messages at all), so it
is refused here, before any of them is asked.
"""

from __future__ import annotations

import json
import secrets
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ModelWrapValidatorHandler, model_validator

from assay.core import Ask, Message
from assay.core.validation import check_json, require
from assay.serve.problems import Problem
from assay.serve.schemas import require_light, written_out

CHAT_TOKENS = 1024
"""Longest reply where the client names no limit and is not relayed to an endpoint."""
TEXT_TOKENS = 16
"""The same for `/v1/completions`, as OpenAI documents it."""
MOST_MESSAGES = 2000
Setting = str | int | float | bool | list[str]
"""Of a technique. A list holds options, such as those to choose from."""
Role = Literal["system", "developer", "user", "assistant", "tool", "function"]


class Form(BaseModel):
    """What all requests share."""

    model_config = ConfigDict(extra="allow", allow_inf_nan=False)

    model: str = Field(max_length=300)
    user: str | None = None

    @model_validator(mode="wrap")
    @classmethod
    def _is_json(cls, given: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """What no other server could read is refused."""
        form = handler(given)
        check_json(given)
        return form


class StreamOptions(BaseModel):
    """How a stream is wanted."""

    model_config = ConfigDict(extra="allow")

    include_usage: bool | None = None


class Part(BaseModel):
    """A piece of a message's content."""

    model_config = ConfigDict(extra="allow")

    type: str
    text: str | None = None


class Turn(BaseModel):
    """One message."""

    model_config = ConfigDict(extra="allow")

    role: Role
    content: str | list[Part] | None = None

    @property
    def words(self) -> str:
        """The text of the message; `Problem` where it holds anything else."""
        if isinstance(self.content, list):
            if any(part.type != "text" for part in self.content):
                raise Problem(400, "Only an endpoint's own model is sent pictures and files; this one reads text.")
            return "".join(part.text or "" for part in self.content)
        return self.content or ""


class JsonSchema(BaseModel):
    """The schema a reply must satisfy."""

    model_config = ConfigDict(extra="allow", populate_by_name=True)

    document: dict[str, Any] | None = Field(None, alias="schema")


class ResponseFormat(BaseModel):
    """What shape the reply must have."""

    model_config = ConfigDict(extra="allow")

    type: Literal["text", "json_object", "json_schema"]
    json_schema: JsonSchema | None = None

    @property
    def schema_text(self) -> str:
        """The schema as JSON text, its references written out; empty where any text will do."""
        return "" if self.type == "text" else json.dumps(written_out(self.wanted))

    @property
    def wanted(self) -> dict[str, Any]:
        """The schema as it was sent."""
        sent = self.json_schema.document if self.json_schema and self.type == "json_schema" else None
        return sent or {"type": "object"}


class Sampled(Form):
    """What is common to chat and completion."""

    n: Annotated[int, Field(ge=1, le=128)] | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    temperature: Annotated[float, Field(ge=0, le=10)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    stop: str | Annotated[list[str], Field(max_length=16)] | None = None
    seed: int | None = None
    logit_bias: dict[str, Annotated[float, Field(ge=-100, le=100)]] | None = None
    presence_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    frequency_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None

    @property
    def wants_one(self) -> bool:
        """Whether one reply is wanted and no more."""
        return (self.n or 1) == 1

    @property
    def wants_usage(self) -> bool:
        """Whether a stream is to end with what it cost."""
        return bool(self.stream_options and self.stream_options.include_usage)

    @property
    def length(self) -> int:
        """Tokens a reply may have here, where somebody must say so."""
        raise NotImplementedError

    def sampling(self) -> dict[str, Any]:
        """The fields of an `Ask` that say how it is sampled; without a seed every request draws anew."""
        if self.presence_penalty or self.frequency_penalty:
            raise Problem(
                400, "Penalties are not applied here; leave them out, or ask an endpoint's model with n=1."
            )
        texts = [self.stop] if isinstance(self.stop, str) else self.stop or []
        bias = (self.logit_bias or {}).items()
        require(all(token.isdigit() for token, _ in bias), "logit_bias names token ids.")
        return {
            "n": self.n or 1,
            "temperature": 1.0 if self.temperature is None else self.temperature,
            "top_p": 1.0 if self.top_p is None else self.top_p,
            "stop": tuple(texts),
            "seed": secrets.randbits(31) if self.seed is None else self.seed % 2**31,
            "logit_bias": tuple((int(token), value) for token, value in bias),
        }


class ChatForm(Sampled):
    """The body of `/v1/chat/completions`; `assay` holds settings of a technique."""

    messages: list[Turn] = Field(min_length=1, max_length=MOST_MESSAGES)
    max_completion_tokens: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Field(ge=0, le=20)] | None = None
    response_format: ResponseFormat | None = None
    tools: list[dict[str, Any]] | None = None
    tool_choice: str | dict[str, Any] | None = None
    assay: dict[str, Setting] | None = None

    @property
    def longest(self) -> int | None:
        """Tokens a reply may have, where the client says so."""
        return self.max_completion_tokens or self.max_tokens

    @property
    def length(self) -> int:
        """As many as the client says, or our own bound."""
        return self.longest or CHAT_TOKENS

    @property
    def calls_tools(self) -> bool:
        """Whether the model may call tools of the client's."""
        return bool(self.tools) and self.tool_choice != "none"

    @property
    def alternatives(self) -> int | None:
        """How many alternatives of each token the client wants; None: no log-probabilities."""
        return (self.top_logprobs or 0) if self.logprobs else None

    @property
    def begun(self) -> str:
        """The assistant's words that the reply goes on from."""
        return self.messages[-1].words if self.messages[-1].role == "assistant" else ""

    def require_light(self) -> None:
        """`BadRequest` where a schema would keep the embedded engine busy; it makes a grammar of each of these."""
        wanted = self.response_format
        # llama.cpp reads a schema beside "json_object", too.
        beside = (wanted.model_extra or {}).get("schema") if wanted else None
        tools = [tool.get("function") for tool in self.tools or () if self.calls_tools]
        schemas = [function.get("parameters") for function in tools if isinstance(function, dict)]
        for schema in (*schemas, beside, wanted.wanted if wanted else None):
            if isinstance(schema, dict):
                require_light(schema)

    def to_ask(self) -> Ask:
        """The request as we ask a model ourselves; `Problem` or `BadRequest` where that cannot be."""
        if self.calls_tools:
            raise Problem(400, "Tools are for a model behind an HTTP endpoint, asked for one reply (n=1).")
        *turns, last = [(turn.role, turn.words) for turn in self.messages]
        turns += [] if last[0] == "assistant" else [last]
        return Ask(
            messages_of(turns),
            prefill=self.begun,
            max_tokens=self.length,
            logprobs=0 if self.alternatives is None else max(1, self.alternatives),
            json_schema=self.response_format.schema_text if self.response_format else "",
            **self.sampling(),
        )


def messages_of(turns: list[tuple[Role, str]]) -> tuple[Message, ...]:
    """Turns as messages of ours; an empty one says nothing and is left out."""
    roles = {"developer": "system", "function": "tool"}
    return tuple(Message(roles.get(role, role), text) for role, text in turns if text)  # type: ignore[arg-type]


class CompletionForm(Sampled):
    """The body of `/v1/completions`."""

    prompt: str | Annotated[list[str], Field(min_length=1, max_length=128)]
    logprobs: Annotated[int, Field(ge=0, le=5)] | None = None
    echo: bool | None = None
    suffix: str | None = None
    best_of: int | None = None

    @property
    def length(self) -> int:
        """As many as the client says, or as OpenAI documents it."""
        return self.max_tokens or TEXT_TOKENS

    def to_asks(self) -> list[Ask]:
        """One request per prompt, each sent as it is."""
        if self.echo or self.suffix or (self.best_of or 1) > 1 or self.logprobs:
            # llama.cpp takes `echo` and ignores it, so that it would seem to work.
            raise Problem(
                400, "echo, suffix, best_of and logprobs of completions are for endpoints that have them."
            )
        prompts = [self.prompt] if isinstance(self.prompt, str) else self.prompt
        return [Ask(prompt, raw=True, max_tokens=self.length, **self.sampling()) for prompt in prompts]


class EmbeddingForm(Form):
    """The body of `/v1/embeddings`."""

    input: str | Annotated[list[str], Field(min_length=1, max_length=2048)]
    encoding_format: Literal["float", "base64"] | None = None
    dimensions: int | None = None

    @property
    def texts(self) -> tuple[str, ...]:
        """What is to be embedded."""
        return (self.input,) if isinstance(self.input, str) else tuple(self.input)
