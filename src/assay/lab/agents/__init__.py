"""Agents on the user's own tools: the process the tools run in, and the file a run is written down in."""

from assay.lab.agents.journal import Journal
from assay.lab.agents.toolbox import FileToolbox, Toolbox, open_toolbox

__all__ = ["FileToolbox", "Journal", "Toolbox", "open_toolbox"]
