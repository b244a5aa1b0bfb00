"""Where model-written code runs: T0 `pydantic-monty`, T1 bubblewrap, or not at all."""

from assay.sandbox.box import OUTPUT_BYTES, BlockingSandbox, Sandbox
from assay.sandbox.bubblewrap import BubblewrapSandbox
from assay.sandbox.choose import AutomaticSandbox, inside_subset, open_bubblewrap, open_sandbox
from assay.sandbox.corpus import CORPUS, Probe
from assay.sandbox.monty import MontySandbox
from assay.sandbox.probes import ProbeResult, run_probes

__all__ = [
    "CORPUS",
    "OUTPUT_BYTES",
    "AutomaticSandbox",
    "BlockingSandbox",
    "BubblewrapSandbox",
    "MontySandbox",
    "Probe",
    "ProbeResult",
    "Sandbox",
    "inside_subset",
    "open_bubblewrap",
    "open_sandbox",
    "run_probes",
]
