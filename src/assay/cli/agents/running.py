"""`assay agent`: a loop on your own tools, with a live trace that can be replayed and gone on with."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from assay.cli.printing import echo
from assay.cli.running import BASE_URL, ENCODER, MODEL, SLOTS, TIMEOUT
from assay.workbench.wish import model_choice

if TYPE_CHECKING:
    from assay.core import Answer, Budget, Flow, Model
    from assay.core.agents import Tool
    from assay.lab.agents import Journal
    from assay.models import ModelChoice

agent = typer.Typer(
    help="Let a model work toward an objective with tools of your own, step by step, within a budget.",
    no_args_is_help=True,
)
LOOPS = ("tasks", "command")


@agent.command("run")
def run(
    objective: str = typer.Option(..., "--objective", "-o", help="What is to be achieved, in a sentence."),
    tools: Path = typer.Option(..., "--tools", help="A Python file: its public functions are the tools."),
    max_tokens: int = typer.Option(20_000, "--max-tokens", min=1, help="Tokens it may cost, prompts included."),
    max_steps: int = typer.Option(30, "--max-steps", min=1, help="Calls of tools."),
    loop: str = typer.Option("command", "--loop", help="command (Auto-GPT's) or tasks (BabyAGI's)."),
    memory: str = typer.Option("list", "--memory", help="none, list, bm25 or vector."),
    guard: bool = typer.Option(True, help="Stop what goes in circles."),
    driver: str = typer.Option("constrained", "--driver", help="constrained (calls fit a grammar) or llm."),
    seconds: float = typer.Option(30.0, "--seconds", min=0.1, help="How long one call of a tool may take."),
    passed_on: list[str] = typer.Option(None, "--env", help="A variable of your environment the tools may see."),
    trace: Path | None = typer.Option(None, "--trace", help="Where the trace is written."),
    model: str = MODEL,
    base_url: list[str] = BASE_URL,
    encoder: str = ENCODER,
    seed: int = typer.Option(0, "--seed", min=0),
    slots: int = SLOTS,
    timeout: float = TIMEOUT,
) -> None:
    """Work toward an objective with your own functions as tools.

    Every public function of the file with typed parameters (str, int, float, bool, Literal) is a tool; the first
    line of its docstring is what the model is told. They run in a process of their own, without your environment.
    Ctrl-C loses nothing: assay agent resume TRACE.
    """
    header: dict[str, Any] = {
        "objective": objective,
        "tools_file": str(tools.resolve()),
        "max_tokens": max_tokens,
        "max_steps": max_steps,
        "loop": _known("loop", loop, LOOPS),
        "memory": _known("memory", memory, ("none", "list", "bm25", "vector")),
        "guard": guard,
        "driver": _known("driver", driver, ("constrained", "llm")),
        "seconds": seconds,
        "passed_on": list(passed_on or ()),
        "seed": seed,
        "model": model,
        "base_urls": list(base_url or ()),
        "encoder": encoder,
    }
    choice = replace(model_choice(model, base_url, slots, timeout), encoder=encoder)
    asyncio.run(_run(header, choice, trace))


@agent.command("resume")
def resume(
    trace: Path = typer.Argument(..., help="A trace."), slots: int = SLOTS, timeout: float = TIMEOUT
) -> None:
    """Go on where a trace ends. What it holds is not asked or called again.

    It imports the file of tools that the trace names: resume your own traces only.
    """
    from assay.lab.agents import Journal

    journal = Journal(trace)
    header = _whole(journal)
    if journal.under_way:
        echo(f"{journal.under_way} was being called when it stopped, and is called again.", err=True)
    choice = model_choice(header["model"], header["base_urls"], slots, timeout)
    choice = replace(choice, encoder=header["encoder"])
    asyncio.run(_run(header, choice, trace, resumed=True))


@agent.command("replay")
def replay(trace: Path = typer.Argument(..., help="A trace.")) -> None:
    """Play a trace again, without a model and without tools; it ends as it ended."""
    from assay.core import at_once
    from assay.lab.agents import Journal

    journal = Journal(trace, playing_only=True, tell=_tell)
    _say_end(at_once(journal.follow(_flow(_whole(journal)))), journal)


@agent.command("list")
def list_traces() -> None:
    """The traces that are kept where none was named."""
    from assay.cli.printing.console import Console
    from assay.core import BadFile
    from assay.home import find_home
    from assay.lab.agents import Journal

    console = Console(highlight=False, soft_wrap=True)
    files = sorted(find_home().agents.glob("*.jsonl"), key=lambda file: file.stat().st_mtime, reverse=True)
    for file in files:
        try:
            journal = Journal(file)
        except BadFile as error:
            console.print(f"{error}", style="dim", markup=False)
            continue
        console.print(f"{file}  {journal.steps} steps, {journal.tokens:,} tokens", markup=False)
        console.print(f"    {journal.header['objective']}", style="dim", markup=False)
    if not files:
        console.print("No agent has run yet. Type: assay agent run --help")


async def _run(header: dict[str, Any], choice: ModelChoice, trace: Path | None, *, resumed: bool = False) -> None:
    from assay.core import Budget, Capability, UserError
    from assay.home import find_home
    from assay.lab.agents import Journal, open_toolbox
    from assay.lab.driver import Job
    from assay.workbench.opening import bench

    home = find_home().make()
    needs = {Capability.GENERATE} | ({Capability.EMBED} if header["memory"] == "vector" else set())
    box = await open_toolbox(Path(header["tools_file"]), tuple(header["passed_on"]))
    try:
        tools = [_spelled(tool) for tool in box.tools]
        if resumed and tools != header["tools"]:
            raise UserError(
                f"The tools in {header['tools_file']} are not those of the trace any more.",
                hint="Undo the change, or begin anew: assay agent run",
            )
        header["tools"] = tools
        async with bench(choice, home, needs) as (_, model, driver):
            hint = "Begin anew with: assay agent run --driver llm" if resumed else "Add: --driver llm"
            check_held(model, header["driver"], hint)
            driver.toolbox = box
            file = trace or home.agents / f"{secrets.token_hex(4)}.jsonl"
            journal = Journal(file, tell=_tell) if resumed else Journal.begin(file, header, _tell)
            budget = Budget(tokens=header["max_tokens"])
            _spend_known(budget, journal)
            flow = journal.follow(_flow(journal.header))
            try:
                job = Job(0, lambda: flow, model, seed=header["seed"], budget=budget)
                _say_end((await driver.drive(job)).result(), journal)
            except BaseException:
                echo(f"Stopped. Go on with: assay agent resume {file}", err=True)
                raise
    finally:
        await box.close()


def check_held(model: Model, driver: str, hint: str = "Add: --driver llm") -> None:
    """Raise `CannotRun` with the hint where the driver wants grammars and the model has none."""
    from assay.core import CannotRun, Capability

    if driver == "constrained" and Capability.GRAMMAR not in model.capabilities:
        raise CannotRun(f"{model.name} has no grammars, and so cannot be constrained.", hint=hint)


def _spend_known(budget: Budget, journal: Journal) -> None:
    from assay.core import Usage

    if journal.tokens:
        budget.spend(Usage(tokens_in=journal.tokens))


def _whole(journal: Journal) -> dict[str, Any]:
    """The header of a trace, with everything in it that a loop is made of.

    Raises:
        BadFile: something is missing, or is not what it should be.
    """
    from assay.core import BadFile, BadRequest

    kinds = {"objective": str, "tools": list, "tools_file": str, "max_tokens": int, "max_steps": int, "loop": str,
             "memory": str, "guard": bool, "driver": str, "seconds": float, "passed_on": list, "seed": int,
             "model": str, "base_urls": list, "encoder": str}  # fmt: skip
    # It may be missing: then the model itself gives the vectors.
    journal.header.setdefault("encoder", "")
    for name, kind in kinds.items():
        if not isinstance(journal.header.get(name), kind):
            raise BadFile(journal.file, "this is not what assay wrote.", line=1, field=name)
    try:
        _flow(journal.header)
    except (KeyError, TypeError, AttributeError, BadRequest):
        raise BadFile(journal.file, "these are no tools.", line=1, field="tools") from None
    return journal.header


def _flow(header: dict[str, Any]) -> Flow[Answer]:
    """The loop a header describes."""
    from assay.techniques.agents import CommandLoop, OpenPolicy, TaskLoop, ToolWorld, command_loop, task_loop

    world = ToolWorld(header["objective"], tuple(_tool(fields) for fields in header["tools"]), header["seconds"])
    policy = OpenPolicy(constrained=header["driver"] == "constrained")
    steps, memory, guard = header["max_steps"], header["memory"], header["guard"]
    if header["loop"] == "command":
        return command_loop(world, policy, CommandLoop(memory, guard, steps))
    return task_loop(world, policy, loop=TaskLoop(memory, guard=guard, most_steps=steps))


def _spelled(tool: Tool) -> dict[str, Any]:
    parameters = [{"name": p.name, "kind": p.kind, "choices": list(p.choices)} for p in tool.parameters]
    return {"name": tool.name, "says": tool.says, "parameters": parameters}


def _tool(fields: dict[str, Any]) -> Tool:
    from assay.core.agents import Parameter, Tool

    parameters = (Parameter(p["name"], p["kind"], tuple(p["choices"])) for p in fields["parameters"])
    return Tool(fields["name"], fields["says"], tuple(parameters))


def _tell(requests: Any, replies: Any) -> None:
    """One line per request of a step."""
    from rich.markup import escape

    from assay.cli.printing.console import Console
    from assay.core import Ask, Use, Used

    console = Console(highlight=False, soft_wrap=True)
    for request, reply in zip(requests, replies, strict=True):
        if isinstance(request, Ask):
            (one,) = reply
            said = escape(" ".join(one.text.split()))
            console.print(f"[bold]model[/]  {said}  [dim]{one.tokens_in}+{one.tokens_out} tokens[/]")
        elif isinstance(request, Use):
            assert isinstance(reply, Used), "a tool answers with what it gave"
            colour = "red" if reply.failed else "green"
            gave = " ".join(reply.text.split())[:300]
            console.print(f"[{colour}]tool[/]   {request.tool} gave {escape(gave)}  [dim]{reply.seconds:.2f} s[/]")


def _say_end(answer: Answer, journal: Journal) -> None:
    measures = ", ".join(f"{name} {value:g}" for name, value in answer.measures.items() if value)
    echo(f"\n{answer.value}: {measures}; {journal.tokens:,} tokens.")
    echo(answer.text.rpartition("\n")[2])
    echo(f"Trace: {journal.file}. Type: assay agent replay {journal.file}")


def _known(what: str, name: str, known: tuple[str, ...]) -> str:
    from assay.core import UnknownName

    if name not in known:
        raise UnknownName(what, name, known, hint=f"There is: {', '.join(known)}.")
    return name
