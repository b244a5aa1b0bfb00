"""The commands, and how they end: 0 ran, 2 the user's input, 3 the model, 130 interrupted.

Nothing heavy is imported here: `assay --help` must stay below 0.3 s of CPU. Each command imports
what it needs when it is called.
"""

from __future__ import annotations

import os
import sys

import typer
from typer.exceptions import TyperException

from assay.cli import (
    benching,
    checking,
    claims,
    records,
    running,
    scaling,
    serving,
    studying,
)
from assay.cli.agents import calibrating, playing
from assay.cli.agents import running as agents
from assay.cli.arena import arena
from assay.cli.network import detecting, probing, sizing, watermarking
from assay.cli.printing import echo
from assay.cli.tools import asking, engineering, repairing, searching
from assay.cli.training import organisms
from assay.cli.tree import tree
from assay.core.errors import AssayError

app = typer.Typer(
    name="assay",
    help="Put any claim from the LLM literature to the test on your own model.\n\n"
    "Begin with: assay demo. Then: assay list, assay show CLAIM, assay run CLAIM.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

TEST, LOOK, TOOLS = "Put a claim to the test", "Look at what was found", "Models, techniques, machine"

app.command("demo", rich_help_panel=TEST)(running.demo)
app.command("list", rich_help_panel=TEST)(claims.list_claims)
app.command("show", rich_help_panel=TEST)(claims.show)
app.command("run", rich_help_panel=TEST)(running.run)
app.command("resume", rich_help_panel=TEST)(running.resume)
app.command("replay", rich_help_panel=TEST)(running.replay)
app.command("compare", rich_help_panel=TEST)(records.compare)
app.command("runs", rich_help_panel=LOOK)(records.runs)
app.command("trace", rich_help_panel=LOOK)(records.trace)
app.command("report", rich_help_panel=LOOK)(records.report)
app.command("studio", rich_help_panel=LOOK)(studying.studio)
app.command("forget", rich_help_panel=LOOK)(records.forget)
app.command("export", rich_help_panel=LOOK)(records.export)
app.command("import", rich_help_panel=LOOK)(records.import_run)
app.command("ask", rich_help_panel=TOOLS)(asking.ask)
app.command("serve", rich_help_panel=TOOLS)(serving.serve)
app.command("search", rich_help_panel=TOOLS)(searching.search)
app.add_typer(tree, name="tree", rich_help_panel=TOOLS)
app.add_typer(arena, name="arena", rich_help_panel=TOOLS)
app.add_typer(agents.agent, name="agent", rich_help_panel=TOOLS)
app.command("engineer", rich_help_panel=TOOLS)(engineering.engineer)
app.add_typer(playing.play, name="play", rich_help_panel=TOOLS)
app.command("calibrate", rich_help_panel=TOOLS)(calibrating.calibrate)
app.add_typer(watermarking.watermark, name="watermark", rich_help_panel=TOOLS)
app.add_typer(detecting.detect, name="detect", rich_help_panel=TOOLS)
app.add_typer(sizing.size, name="size", rich_help_panel=TOOLS)
app.add_typer(scaling.scaling, name="scaling", rich_help_panel=TOOLS)
app.add_typer(organisms.organisms, name="organisms", rich_help_panel=TOOLS)
app.command("repair", rich_help_panel=TOOLS)(repairing.repair)
app.command("probe", rich_help_panel=TOOLS)(probing.probe)
app.add_typer(checking.models, name="models", rich_help_panel=TOOLS)
app.command("doctor", rich_help_panel=TOOLS)(checking.doctor)
app.command("bench", rich_help_panel=TOOLS)(benching.bench)


@app.callback()
def _options(
    debug: bool = typer.Option(False, "--debug", help="Show the whole traceback of an error."),
    version: bool = typer.Option(False, "--version", help="Print the version and stop."),
) -> None:
    if debug:
        os.environ["ASSAY_DEBUG"] = "1"
    if version:
        from assay import __version__

        echo(__version__)
        raise typer.Exit


def run_command_line(arguments: list[str]) -> int:
    """Run one command; every error is one line on stderr. Returns the exit code."""
    # `--version` alone is no missing command.
    words = [*arguments, "list"] if arguments == ["--version"] else arguments
    try:
        code = app(words, prog_name="assay", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except AssayError as error:
        return _say(f"{error}", error.exit_code)
    except TyperException as error:
        message = error.format_message() if hasattr(error, "format_message") else str(error)
        return _say(message if message else "The command is not complete.", 2)
    except KeyboardInterrupt:
        return _say("Interrupted.", 130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except typer.Abort:
        return _say("Interrupted.", 130)
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        return _say(f"{place}{error.strerror or str(error) or type(error).__name__}.", 2)
    except Exception as error:
        import sqlite3

        from assay.core.errors import BadDatabase
        from assay.home import find_home

        if not isinstance(error, sqlite3.Error):
            raise
        return _say(f"{BadDatabase(find_home().database, error)}", BadDatabase.exit_code)


def _say(message: str, code: int) -> int:
    if os.environ.get("ASSAY_DEBUG"):
        raise
    echo(f"assay: {' '.join(message.split())}", err=True)
    return code
