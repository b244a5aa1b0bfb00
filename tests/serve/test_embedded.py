"""What the embedded engine does in its own way, and the proxy in OpenAI's."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest

from assay.core.home import Home
from assay.models import KNOWN, locate
from tests.serve.running import KEY, Running, running

pytestmark = pytest.mark.engine
MODEL = "smollm2-135m"
ROME = [{"role": "user", "content": "What is the weather in Rome?"}]
WEATHER = {
    "type": "function",
    "function": {"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}},
}
NAMED = {"type": "function", "function": {"name": "weather"}}
WITH_TOOLS = (
    "{% if tools %}{{ tools | tojson }}{% endif %}{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory, model_cache: Path) -> Iterator[Running]:
    root = tmp_path_factory.mktemp("home")
    (root / "cache").symlink_to(model_cache, target_is_directory=True)
    with running(root, seconds=120) as found:
        yield found


@pytest.fixture
def client(proxy: Running) -> openai.OpenAI:
    return openai.OpenAI(base_url=proxy.address, api_key=KEY, max_retries=0)


# --- tools


@pytest.mark.parametrize("choice", [None, "auto", "required", NAMED])
def test_tools_that_the_template_does_not_show_are_refused(proxy: Running, choice: object) -> None:
    asked = {"model": MODEL, "messages": ROME, "tools": [WEATHER], "tool_choice": choice, "max_tokens": 4}
    answer = proxy.post("/chat/completions", asked)
    assert answer.status_code == 400
    assert "shows a model no tools" in answer.json()["error"]["message"]


def test_a_template_that_knows_tools_shows_them(tmp_path: Path, model_cache: Path) -> None:
    (tmp_path / "cache").symlink_to(model_cache, target_is_directory=True)
    name = f"gguf:{with_template(WITH_TOOLS, tmp_path)}"
    asked = {"model": name, "messages": ROME, "max_tokens": 4}
    with running(tmp_path, model=name, seconds=120) as proxy:
        bare = proxy.post("/chat/completions", asked).json()["usage"]["prompt_tokens"]
        shown = proxy.post("/chat/completions", asked | {"tools": [WEATHER], "tool_choice": "required"})
        assert shown.json()["usage"]["prompt_tokens"] > bare + 20
        for tools in ([{"bogus": 1}], [WEATHER, {"type": "function", "function": {}}]):
            answer = proxy.post("/chat/completions", asked | {"tools": tools})
            assert answer.status_code == 400
            assert "The engine cannot read these tools" in answer.json()["error"]["message"]


def with_template(template: str, folder: Path) -> Path:
    """The embedded model with another chat template, as long as its own."""
    path = locate(next(one for one in KNOWN if one.name == MODEL), Home(folder, folder / "cache"))
    assert path is not None
    data = path.read_bytes()
    key = b"tokenizer.chat_template"
    # Behind the key stand the type of the value, in four bytes, and its length in eight.
    start = data.index(key) + len(key) + 12
    (length,) = struct.unpack("<Q", data[start - 8 : start])
    changed = folder / "with-tools.gguf"
    changed.write_bytes(data[:start] + template.encode().ljust(length) + data[start + length :])
    return changed
