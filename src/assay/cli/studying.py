"""`assay studio`: the pages, served on this machine."""

from __future__ import annotations

from pathlib import Path

import typer

from assay.cli.printing import echo
from assay.cli.running import BASE_URL, ENCODER, MODEL, SLOTS, TIMEOUT


def studio(
    model: str = MODEL,
    base_url: list[str] = BASE_URL,
    host: str = typer.Option("127.0.0.1", "--host", help="Where to listen; off loopback a key must be given."),
    port: int = typer.Option(7860, "--port", min=0, max=65535, help="0: any that is free."),
    key: str = typer.Option("", "--key", envvar="ASSAY_KEY", help="The key; without one it is made and kept."),
    name: list[str] = typer.Option(None, "--name", help="A further host name that browsers use."),
    results: Path | None = typer.Option(None, "--results", help="Show the verdicts of this folder, too."),
    browse: bool = typer.Option(True, "--open/--no-open", help="Open a browser."),
    encoder: str = ENCODER,
    slots: int = SLOTS,
    timeout: float = TIMEOUT,
) -> None:
    """Look at verdicts, watch runs, branch completions and vote, in a browser.

    It listens on this machine only, and wants the key that is in the address it prints. Runs started here
    are processes of their own: they go on when the studio is closed.
    """
    from dataclasses import replace

    from assay.home import find_home
    from assay.workbench.wish import model_choice

    check_installed()
    from assay.serve.listening import Place, listen
    from assay.studio.app import create

    home = find_home().make()
    choice = replace(model_choice(model, base_url, slots, timeout), encoder=encoder)
    place = Place.at(host, port, key, home.data / "key")
    rules = place.rules(names=known_as(host, name or []), pages=True, uploads=("/arena/import", "/trees/import"))
    address = f"{place.address}/?key={place.key}"
    echo(f"The studio is at {address}\nCtrl-C closes it; runs go on.")
    listen(create(home, choice, rules, results), place, opens=address if browse else "")


def known_as(host: str, further: list[str]) -> tuple[str, ...]:
    """What clients may call this machine where it listens at all of its addresses."""
    import socket

    own = (socket.gethostname(), "127.0.0.1", "localhost") if host in ("0.0.0.0", "::", "[::]") else ()
    return (*own, *further)


def check_installed() -> None:
    """Say what to install where the servers are not."""
    import importlib.util

    from assay.core import CannotRun

    if any(importlib.util.find_spec(name) is None for name in ("fastapi", "uvicorn", "multipart")):
        raise CannotRun("The studio and the proxy are not installed.", hint='Type: pip install "assay[studio]"')
