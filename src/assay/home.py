"""Finds this user's folders: `ASSAY_HOME` if it is set, else the platform's own."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from assay.core.home import Home


def find_home(environ: Mapping[str, str] = os.environ) -> Home:
    """The home of this user; nothing is created yet."""
    if root := environ.get("ASSAY_HOME"):
        base = Path(root).expanduser()
        return Home(data=base, cache=base / "cache")
    import platformdirs

    return Home(
        data=platformdirs.user_data_path("assay", appauthor=False),
        cache=platformdirs.user_cache_path("assay", appauthor=False),
    )
