"""The command line. `main` is the `assay` command."""

from __future__ import annotations


def main() -> None:
    """Run the command line and end the process with its exit code."""
    import io
    import os
    import sys

    # Before numpy is loaded: its linear algebra on two threads of a busy machine is fifty times slower.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", os.environ.get("ASSAY_THREADS") or "1")
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A terminal or a pipe that cannot take a character gets it written out, as stderr does anyway.
        sys.stdout.reconfigure(errors="backslashreplace")
    from assay.cli.app import run_command_line

    sys.exit(run_command_line(sys.argv[1:]))
