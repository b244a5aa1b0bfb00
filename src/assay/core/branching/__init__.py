"""A conversation that branches: its nodes, its changes, what its siblings agree on, and its forms on paper."""

from assay.core.branching.arrivals import taken_in
from assay.core.branching.branches import PREAMBLE, Branches, Conflict, Spent, StaleStream
from assay.core.branching.clusters import Cluster, clusters, disagreement, normalised
from assay.core.branching.cost import prompts
from assay.core.branching.flux import Imported, from_flux
from assay.core.branching.form import from_json, to_json, to_markdown, to_text, transcript
from assay.core.branching.nodes import Node, Origin, Original, Settings, Status

__all__ = [
    "PREAMBLE",
    "Branches",
    "Cluster",
    "Conflict",
    "Imported",
    "Node",
    "Origin",
    "Original",
    "Settings",
    "Spent",
    "StaleStream",
    "Status",
    "clusters",
    "disagreement",
    "from_flux",
    "from_json",
    "normalised",
    "prompts",
    "taken_in",
    "to_json",
    "to_markdown",
    "to_text",
    "transcript",
]
