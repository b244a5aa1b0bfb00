"""`assay serve`: OpenAI's interface to every model and technique of this machine."""

from __future__ import annotations

import os

import typer

from assay.cli.printing import echo
from assay.cli.running import BASE_URL, ENCODER, MODEL, SLOTS, TIMEOUT


def serve(
    model: str = MODEL,
    base_url: list[str] = BASE_URL,
    host: str = typer.Option("127.0.0.1", "--host", help="Where to listen; off loopback a key must be given."),
    port: int = typer.Option(8080, "--port", min=0, max=65535, help="0: any that is free."),
    key: str = typer.Option("", "--key", envvar="ASSAY_KEY", help="The key; without one it is made and kept."),
    allow_origin: list[str] = typer.Option(
        None, "--allow-origin", help="A web origin whose pages may call, such as https://chat.example."
    ),
    name: list[str] = typer.Option(None, "--name", help="A further host name that clients use."),
    encoder: str = ENCODER,
    budget_tokens: float = typer.Option(
        200_000, "--budget-tokens", min=1, help="Tokens that one answer of a technique may cost."
    ),
    slots: int = SLOTS,
    timeout: float = TIMEOUT,
) -> None:
    """Serve models and techniques to any OpenAI client: the model TECHNIQUE/MODEL runs the technique.

    Several --base-url share the load: the least busy one that lives is asked. SIGTERM or Ctrl-C lets
    answers under way end, for five seconds at most.
    """
    from dataclasses import replace

    from assay.cli.studying import check_installed, known_as
    from assay.home import find_home
    from assay.workbench.wish import model_choice

    check_installed()
    from assay.models.openai import with_version
    from assay.models.transport import Transport
    from assay.serve.app import Limits, create
    from assay.serve.listening import Place, listen
    from assay.serve.upstreams import Upstreams
    from assay.workbench.pool import Pool

    home = find_home().make()
    choice = replace(model_choice(model, base_url, slots, timeout), encoder=encoder)
    _check_name(choice.name, base_url)
    theirs = os.environ.get("OPENAI_API_KEY", "")
    transports = [Transport(with_version(one), key=theirs, seconds=timeout) for one in choice.base_urls]
    place = Place.at(host, port, key, home.data / "key")
    rules = place.rules(names=known_as(host, name or []), origins=frozenset(map(_origin, allow_origin or [])))
    shown = f"{place.address}/v1"
    echo(f"Serving at {shown}\n\n  export OPENAI_BASE_URL={shown} OPENAI_API_KEY={place.key}\n")
    listen(create(Pool(home, choice), Upstreams(transports), rules, Limits(budget_tokens)), place)


def _check_name(model: str, base_url: list[str] | None) -> None:
    """A default that stands for nothing is said now, and not to the first client."""
    from assay.core import UserError
    from assay.models import weights_named

    if model.startswith("openai/") and not base_url:
        # Not taken from OPENAI_BASE_URL: it may be set to this very proxy.
        raise UserError(f"Where {model} is served must be said.", hint="Add: --base-url http://HOST:PORT/v1")
    if model and "/" not in model and ":" not in model:
        weights_named(model)


def _origin(text: str) -> str:
    """An origin as browsers send it: scheme, host and port, no path."""
    from urllib.parse import urlsplit

    from assay.core import UserError

    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.path.strip("/") or parts.query:
        raise UserError(f"'{text}' is no web origin.", hint="Write it as https://HOST or http://HOST:PORT")
    return f"{parts.scheme}://{parts.netloc.lower()}"
