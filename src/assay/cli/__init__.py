"""The command line. `main` is the `assay` command."""

from __future__ import annotations


def main() -> None:
    """Run the command line and end the process with its exit code."""
    import sys

    from assay.cli.app import run_command_line

    sys.exit(run_command_line(sys.argv[1:]))
