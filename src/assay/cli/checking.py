"""`assay models` and `assay doctor`: whether everything is there and works."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from assay.cli.printing import echo
from assay.cli.running import BASE_URL, MODEL, SLOTS, TIMEOUT
from assay.workbench.wish import model_choice

if TYPE_CHECKING:
    from rich.table import Table

    from assay.core.home import Home
    from assay.core.model import Model

models = typer.Typer(help="List, fetch and check models.", no_args_is_help=True)


@models.command("list")
def list_models() -> None:
    """List known models and whether they are on this machine."""
    from rich import box
    from rich.table import Table

    from assay.cli.printing.console import Console
    from assay.home import find_home
    from assay.models import KNOWN, locate

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("model", "what it is", "licence", "MB", "here"):
        table.add_column(heading)
    home = find_home().make()
    for weights in KNOWN:
        here = "yes" if locate(weights, home) else "no"
        table.add_row(weights.name, weights.about, weights.licence, f"{weights.size / 1e6:.0f}", here)
    console = Console()
    console.print(table)
    console.print("Also: gguf:PATH for any GGUF file, openai/NAME with --base-url for any endpoint.", style="dim")


@models.command()
def pull(name: str = typer.Argument("smollm2-135m", help="A known model.")) -> None:
    """Fetch a known model's weights and check their hash."""
    from assay.home import find_home
    from assay.models import pull as fetch
    from assay.models import weights_named

    path = fetch(weights_named(name), find_home().make(), say=echo)
    echo(f"{name} is here and its hash is right: {path}")


@models.command()
def check(
    model: str = typer.Argument("smollm2-135m", help="smollm2-135m, gguf:PATH or openai/NAME."),
    base_url: list[str] = BASE_URL,
    slots: int = SLOTS,
    timeout: float = TIMEOUT,
) -> None:
    """Connect to a model, say what it can do, and have it write a few words."""
    import asyncio
    import time

    from assay.cli.printing.console import Console
    from assay.core import Ask
    from assay.home import find_home
    from assay.models import connect

    async def work() -> tuple[Model, str, int, float]:
        found = await connect(model_choice(model, base_url, slots, timeout), find_home().make(), say=echo)
        try:
            start = time.monotonic()
            (reply,) = await found.generate(Ask("Say hello.", max_tokens=32, seed=0), [0])
            return found, reply.text, reply.tokens_out, time.monotonic() - start
        finally:
            await found.close()

    found, text, tokens, seconds = asyncio.run(work())
    console = Console(highlight=False)
    console.print(f"{found.name} answers: {text.strip()!r}")
    console.print(f"fingerprint  {found.fingerprint.hash}")
    for name, value in found.fingerprint.parts:
        console.print(f"  {name:12} {value}", soft_wrap=True)
    console.print(f"can          {', '.join(sorted(c.value for c in found.capabilities))}")
    console.print(f"at once      {found.slots} requests; samples of one prompt go {found.grouping.value}")
    console.print(f"speed        {tokens} tokens in {seconds:.2f} s, one request alone")
    transport = getattr(found, "transport", None)
    if transport is not None:
        console.print(
            f"address      {transport.address} (OpenAI-compatible, under /v1; while an assay command runs)"
        )


def doctor(
    probes: bool = typer.Option(True, "--probes/--no-probes", help="Run the escape probes on the sandbox."),
    model: str = MODEL,
) -> None:
    """Check this machine: folders, engine, model, and whether the sandbox holds."""
    import asyncio

    from assay.cli.printing.console import Console
    from assay.home import find_home

    console = Console(highlight=False)
    home = find_home()
    console.print(_machine_table(home))
    escaped = asyncio.run(_sandbox_checks(console, probes))
    if escaped:
        from assay.core import SandboxMissing

        raise SandboxMissing(
            f"{escaped} probes escaped from the sandbox.", hint="Do not run model-written code here."
        )


def _machine_table(home: Home) -> Table:
    import importlib.metadata
    import importlib.util
    import platform
    import shutil

    from rich import box
    from rich.table import Table

    from assay import __version__
    from assay.core import AssayError
    from assay.models import KNOWN, locate

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("what", no_wrap=True)
    table.add_column("state")
    table.add_row("assay", f"{__version__}, Python {platform.python_version()}, {platform.system()}")
    try:
        home.make()
        free = shutil.disk_usage(home.data).free / 1e9
        table.add_row("home", f"{home.data} ({free:.0f} GB free)")
    except AssayError as error:
        table.add_row("home", f"missing: {error}")
    if importlib.util.find_spec("xllamacpp"):
        table.add_row("engine", f"xllamacpp {importlib.metadata.version('xllamacpp')}")
    else:
        table.add_row("engine", 'missing: pip install "assay[local]"')
    for weights in KNOWN:
        path = locate(weights, home)
        table.add_row(
            weights.name, "here, hash is right" if path else f"missing: assay models pull {weights.name}"
        )
    return table


async def _sandbox_checks(console: object, probes: bool) -> int:
    """Prints the tiers and the probes; returns how many escaped."""
    from rich import box
    from rich.table import Table

    from assay.cli.printing.console import Console
    from assay.core import SandboxMissing
    from assay.sandbox import MontySandbox, Sandbox, open_bubblewrap, run_probes

    assert isinstance(console, Console), "a console to print on"
    tiers: list[Sandbox] = []
    for name in ("monty", "bubblewrap"):
        try:
            tiers.append(MontySandbox() if name == "monty" else await open_bubblewrap())
        except SandboxMissing as missing:
            console.print(f"sandbox {name}: {missing}")
    escaped = 0
    for tier in tiers:
        console.print(f"sandbox {tier.name}: works")
        if probes:
            table = Table("probe", "ended", "seconds", "held", box=box.SIMPLE_HEAD, pad_edge=False)
            with console.status("running escape probes"):
                found = await run_probes(tier)
            for result in found:
                held = "yes" if result.contained else "NO"
                table.add_row(result.probe.name, result.execution.ended.value, f"{result.seconds:.2f}", held)
            escaped += sum(1 for result in found if not result.contained)
            console.print(table)
            console.print(f"{sum(r.contained for r in found)} of {len(found)} probes held")
        await tier.close()
    return escaped
