"""Names: a bare model, a technique in front of one, a number behind the technique, and nothing else."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.core.home import Home
from assay.models import DEFAULT_MODEL
from assay.models.transport import Transport
from assay.serve.names import Named, Names
from assay.serve.problems import Problem
from assay.serve.upstreams import Upstreams

NOWHERE = Home(Path("/nowhere"), Path("/nowhere"))


def names(*served: str, default: str = "") -> Names:
    upstreams = Upstreams([Transport("http://127.0.0.1:1/v1")] if served else [])
    for address in upstreams.addresses:
        address.models = served
    return Names(NOWHERE, default, upstreams)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("smollm2-135m", Named("smollm2-135m")),
        ("self-consistency/smollm2-135m", Named("smollm2-135m", "self-consistency")),
        ("self-consistency-8/smollm2-135m", Named("smollm2-135m", "self-consistency", ("n=8",))),
        ("code-pool/smollm2-135m", Named("smollm2-135m", "code-pool")),
    ],
)
def test_what_a_name_stands_for(name: str, found: Named) -> None:
    assert names().find(name) == found


def test_models_of_endpoints_have_slashes_of_their_own() -> None:
    known = names("Qwen/Qwen3-8B", "direct/odd")
    assert known.default == "Qwen/Qwen3-8B"
    assert known.find("Qwen/Qwen3-8B") == Named("Qwen/Qwen3-8B")
    assert known.find("openai/Qwen/Qwen3-8B") == Named("Qwen/Qwen3-8B")
    assert known.find("direct/odd") == Named("direct/odd")
    assert known.find("direct/Qwen/Qwen3-8B") == Named("Qwen/Qwen3-8B", "direct")
    assert known.find("direct/openai/Qwen/Qwen3-8B") == Named("Qwen/Qwen3-8B", "direct")


def test_the_default_comes_first_and_techniques_stand_in_front_of_it() -> None:
    listed = names("a", "b", default="openai/b").listed()
    assert listed[:2] == ["b", "a"]
    assert "self-consistency/b" in listed
    assert "self-consistency/a" not in listed
    assert len(set(listed)) == len(listed)


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("smollm2-136m", "smollm2-135m"),
        ("self-consistancy/smollm2-135m", "self-consistency/smollm2-135m"),
        ("self-consistency-8/smolm2", "self-consistency-8/smollm2-135m"),
    ],
)
def test_an_unknown_name_is_not_found_and_near_ones_are_named(name: str, suggestion: str) -> None:
    with pytest.raises(Problem, match=suggestion) as caught:
        names().find(name)
    assert (caught.value.status, caught.value.code) == (404, "model_not_found")


@pytest.mark.parametrize(
    "name",
    [
        *("", "/", "gguf:/etc/passwd", "hf:../x", "organism:none", "self-consistency/", "/smollm2-135m"),
        *("self-consistency/hf:x", "self-consistency-/smollm2-135m", "minilm", "openai/gpt-4o"),
    ],
)
def test_a_name_from_the_network_is_no_path_and_no_download(name: str) -> None:
    with pytest.raises(Problem):
        names().find(name)


@given(st.text(max_size=40))
def test_only_listed_names_are_found(text: str) -> None:
    known = names()
    models = {DEFAULT_MODEL}
    with contextlib.suppress(Problem):
        models.add(known.find(text).model)
    assert models == {DEFAULT_MODEL}


@given(st.integers(0, 999_999))
def test_a_number_is_the_techniques_n(number: int) -> None:
    assert names().find(f"self-consistency-{number}/{DEFAULT_MODEL}").settings == (f"n={number}",)
