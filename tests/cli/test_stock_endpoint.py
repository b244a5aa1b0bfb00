"""Techniques run unchanged against an OpenAI-compatible server that is not ours: the engine's own address."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from pathlib import Path

import pytest

from assay.home import find_home
from assay.models import ModelChoice, connect
from assay.models.llamacpp import LlamaCpp

from .test_errors import ASSAY

pytestmark = pytest.mark.engine


@pytest.mark.parametrize(
    "claim", ["toolformer-calculator", "self-debug", "riddle-note-is-consistent", "tree-controller", "loop-guard"]
)
def test_a_claim_runs_at_an_address_as_it_does_on_the_embedded_model(
    home: Path, tmp_path: Path, claim: str
) -> None:
    out = tmp_path / "v.json"

    async def work() -> subprocess.CompletedProcess[str]:
        model = await connect(ModelChoice(), find_home())
        assert isinstance(model, LlamaCpp)
        served = (await model.transport.get("/v1/models")).json()["data"][0]["id"]
        key = model.transport._headers["Authorization"].removeprefix("Bearer ")
        words = ["run", claim, "--size", "smoke", "--n", "1", "--controls", "none", "--json", str(out)]
        address = ["--model", f"openai/{served}", "--base-url", f"{model.transport.address}/v1"]
        environment = {**os.environ, "ASSAY_HOME": str(home), "OPENAI_API_KEY": key}
        try:
            return await asyncio.to_thread(
                subprocess.run,
                [*ASSAY, *words, *address],
                env=environment,
                capture_output=True,
                text=True,
                timeout=300,
                check=False,
            )
        finally:
            await model.close()

    done = asyncio.run(work())
    assert done.returncode == 0, done.stderr
    (verdict,) = json.loads(out.read_text())
    assert verdict["model"]["name"].startswith("openai/")
    assert verdict["arms"]["treatment"]["tokens_out"] > 0
    assert verdict["arms"]["treatment"]["endings"]["errored"] == 0
