"""`assay repair`: Python that does not parse, mended; no model is asked."""

from __future__ import annotations

from pathlib import Path

import typer

MARK = b"\xef\xbb\xbf"
"""The byte order mark some editors begin a file with: Python allows it, and it stays."""
LARGEST = 5_000_000


def repair(
    file: Path = typer.Argument(..., help="A Python file, or a reply of a model with code in it."),
    write: bool = typer.Option(False, "--write", "-w", help="Change the file; else the change is only shown."),
    no_delete: bool = typer.Option(False, "--no-delete", help="Never delete a line."),
) -> None:
    """Mend a Python file that does not parse, and show what was done.

    The fewest edits are tried first. Only where these do not help, faulty lines are deleted.
    """
    import difflib

    from rich.markup import escape

    from assay.cli.printing.console import Console
    from assay.core import UserError
    from assay.techniques.execution.repairing.minimal_repair import minimal_repair
    from assay.techniques.execution.repairing.repair import repair as repair_or_delete

    source = _read(file)
    found = minimal_repair(source)
    if not found.ok and not no_delete:
        found = repair_or_delete(source)
    if not found.ok:
        hint = "Leave out --no-delete to let faulty lines be deleted." if no_delete else "Mend it by hand."
        raise UserError(f"{file} could not be repaired. {found.reason}", hint=hint)
    console = Console(highlight=False)
    if found.text == source:
        console.print("It parses as it is.")
        return
    text = found.text
    if source.count("\r\n") * 2 > source.count("\n"):
        text = text.replace("\n", "\r\n")  # a repair makes all of them LF
    before, after = source.splitlines(keepends=True), text.splitlines(keepends=True)
    for line in difflib.unified_diff(before, after, f"{file}", f"{file} (repaired)"):
        console.print(escape(line.rstrip("\r\n")), soft_wrap=True)
    for change in found.changes:
        console.print(f"[dim]{escape(change)}[/]", soft_wrap=True)
    if found.deleted:
        console.print(f"[bold]{len(found.deleted)} of its lines were deleted: what they did is lost.[/]")
    if write:
        _write(file, text)
        console.print(f"{escape(str(file))} was written.", soft_wrap=True)
    else:
        console.print(f"To change the file: assay repair {escape(str(file))} --write", style="dim", soft_wrap=True)


def _read(file: Path) -> str:
    """The file's text with its line ends, without its byte order mark; `BadFile` where it is none."""
    from assay.core import BadFile

    try:
        data = file.read_bytes()
    except OSError as error:
        raise BadFile(file, f"the file cannot be read: {error.strerror}.") from None
    if len(data) > LARGEST:
        raise BadFile(file, "the file is larger than 5 MB.", hint="Repair a part of it.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        hint = "Convert it: iconv -f LATIN1 -t UTF-8 FILE > NEW."
        raise BadFile(file, "the text is not UTF-8.", hint=hint) from None


def _write(file: Path, text: str) -> None:
    """The text in the file's place in one step: whoever interrupts it has the old file or the new one."""
    from assay.cli.delivering import write_whole
    from assay.core import UserError

    try:
        with file.open("r+b") as old:  # one that may not be written is not replaced either
            mark = MARK if old.read(len(MARK)) == MARK else b""
    except OSError as error:
        raise UserError(f"{file} cannot be written: {error.strerror}.") from None
    write_whole(file, mark + text.encode())
