"""What the studio answers to requests that no page of its own sends."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import httpx2
import pytest

from tests.studio.conftest import Studio

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def client(studio: Studio) -> Iterator[httpx2.Client]:
    headers = {"Authorization": f"Bearer {studio.key}"}
    with httpx2.Client(base_url=studio.address, headers=headers, timeout=180) as found:
        yield found


@pytest.mark.parametrize("path", ["/openapi.json", "/docs", "/redoc"])
def test_what_is_there_to_ask_is_not_listed(client: httpx2.Client, path: str) -> None:
    assert client.get(path).status_code == 404


def test_a_field_that_is_missing_is_one_sentence(client: httpx2.Client) -> None:
    answer = client.post("/models/check")
    assert (answer.status_code, list(answer.json())) == (400, ["error"])
    assert answer.json()["error"] == "This request cannot be answered: model: Field required."
    page = client.post("/runs", headers={"accept": "text/html"})
    assert page.status_code == 400
    assert "claim: Field required." in page.text
    assert "<main" in page.text


@pytest.mark.parametrize(
    "name", ["%00", "~nobody-of-that-name/x.gguf", "x" * 5000, "/dev/null", "/proc/1/mem", "/"]
)
def test_a_file_that_is_none_is_one_sentence(client: httpx2.Client, name: str) -> None:
    for kind in ("gguf", "hf"):
        body = f"model={kind}:{name if '%' in name else quote(name)}"
        headers = {"content-type": "application/x-www-form-urlencoded"}
        answer = client.post("/models/check", content=body, headers=headers)
        assert (answer.status_code, list(answer.json())) == (400, ["error"]), kind


@pytest.fixture
def run(studio: Studio, client: httpx2.Client) -> str:
    """A run that is noted and that nobody is at."""
    form = {"claim": "pal", "size": "smoke", "n": "2", "controls": "none"}
    name = client.post("/runs", data=form).headers["location"].rpartition("/")[2]
    client.post(f"/runs/{name}/stop")
    return name


def test_what_changes_a_run_wants_its_whole_id(client: httpx2.Client, run: str) -> None:
    assert client.get(f"/runs/{run[:-1]}").status_code == 200
    for what in ("stop", "resume"):
        answer = client.post(f"/runs/{run[:-1]}/{what}")
        assert answer.status_code == 404
        assert run in answer.json()["error"]
    assert client.post(f"/runs/{run}/stop").status_code == 303


@pytest.mark.parametrize("after", ["-1", "x", "9" * 5000])
def test_events_after_no_number_are_one_sentence(client: httpx2.Client, run: str, after: str) -> None:
    answer = client.get(f"/runs/{run}/events?after={after}")
    assert (answer.status_code, list(answer.json())) == (400, ["error"])
    assert answer.json()["error"].startswith("This request cannot be answered: query.after:")


def test_events_after_a_number_that_is_not_reached_yet_are_none(client: httpx2.Client, run: str) -> None:
    with client.stream("GET", f"/runs/{run}/events?after={10**25}") as answer:
        assert answer.status_code == 200
        assert next(answer.iter_lines()).startswith("event: ")
