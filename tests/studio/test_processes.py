"""What a process at a run left behind when it ended."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.core.home import Home
from assay.studio.processes import Processes


@pytest.mark.parametrize(
    ("log", "said"),
    [
        ("assay: it began\nassay: it failed\nat the end\n", "it failed"),
        ("Traceback (most recent call last):\n  ...\nKeyError: 'base_urls'\n", "KeyError: 'base_urls'"),
        ("", ""),
    ],
)
def test_a_run_that_ended_always_has_a_last_word(tmp_path: Path, log: str, said: str) -> None:
    home = Home(data=tmp_path, cache=tmp_path / "cache")
    home.running.mkdir(parents=True)
    (home.running / "pal-aaaaa.log").write_text(log)
    assert Processes(home).last_words("pal-aaaaa") == said
    assert Processes(home).last_words("pal-bbbbb") == ""
