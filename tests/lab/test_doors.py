"""`run` and `arun`: one flow, one model, one answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from assay.core import Ask, BadRequest, Budget, BudgetExceeded, EndpointDown, Flow, UserError, ask
from assay.lab import dispatch
from assay.lab.doors import arun, run
from assay.models import Scripted
from assay.models.openai import OpenAI
from assay.models.probing import Probed
from assay.models.transport import Transport
from assay.techniques.search import self_consistency
from tests.models.endpoint import Answer, Endpoint, Fault, reply, sleeping


def word(prompt: str, **settings: object) -> Flow[str]:
    (said,) = yield from ask(Ask(prompt, **settings))  # type: ignore[arg-type]
    return said.text


def test_a_flow_is_run_to_its_end() -> None:
    model = Scripted(lambda request, index: ["It is 5.", "It is 6.", "It is 5."][index])
    assert run(self_consistency("q", n=3), model).value == "5"


def test_run_inside_a_running_loop_is_refused_and_names_the_other_door() -> None:
    async def notebook() -> None:
        with pytest.raises(UserError, match=r"running already \(a notebook has one\)\. Write: await assay\.arun"):
            run(word("q"), Scripted(lambda request, index: "x"))

    asyncio.run(notebook())


def test_a_refused_flow_was_not_begun_and_can_still_be_awaited() -> None:
    async def notebook() -> str:
        flow, model = word("q"), Scripted(lambda request, index: "still here")
        with pytest.raises(UserError):
            run(flow, model)
        return await arun(flow, model)

    assert asyncio.run(notebook()) == "still here"


def test_the_seed_decides_what_is_sampled() -> None:
    def drawn(seed: int) -> str:
        model = Scripted(lambda request, index: f"{request.seed}")
        return run(word("q", temperature=1.0), model, seed=seed)

    assert drawn(1) == drawn(1) != drawn(2)


def test_a_spent_budget_is_raised_where_the_flow_does_not_catch_it() -> None:
    def endless() -> Flow[None]:
        while True:
            yield from ask(Ask("again"))

    budget = Budget(tokens=20)
    with pytest.raises(BudgetExceeded):
        run(endless(), Scripted(lambda request, index: "two words"), budget=budget)
    assert budget.spent() >= 20


def test_a_flow_that_catches_it_returns_what_stands() -> None:
    def patient() -> Flow[int]:
        got = 0
        try:
            while True:
                yield from ask(Ask("again"))
                got += 1
        except BudgetExceeded:
            return got

    assert run(patient(), Scripted(lambda request, index: "two words"), budget=Budget(calls=4)) == 4


def test_faults_of_the_model_are_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "FIRST_WAIT", 0.0001)

    def dead(request: Ask, index: int) -> str:
        raise EndpointDown("nobody there")

    with pytest.raises(EndpointDown, match="nobody there"):
        run(word("q"), Scripted(dead))


def test_cancelling_arun_leaves_no_task_behind() -> None:
    async def notebook() -> set[str]:
        task = asyncio.create_task(arun(word("q"), Scripted(lambda request, index: "x", seconds=60)))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.sleep(0.01)
        return {other.get_name() for other in asyncio.all_tasks() - {asyncio.current_task()}}

    assert asyncio.run(notebook()) == set()


def test_a_flow_that_was_run_before_is_refused_in_a_sentence() -> None:
    flow, model = word("q"), Scripted(lambda request, index: "x")
    assert run(flow, model) == "x"
    with pytest.raises(UserError):
        run(flow, model)


def test_two_flows_awaited_side_by_side_share_a_model() -> None:
    def say(body: Answer) -> Answer:
        slow = "slow" in str(body["messages"])
        sleeping(0.5 if slow else 0.0)
        return reply(["done"])

    async def notebook(address: str) -> list[object]:
        model = OpenAI("fake", [Transport(address)], Probed(frozenset(), "max_tokens", True, "fake"), slots=4)
        flows = (word("quick"), word("slow"))
        return list(await asyncio.gather(*(arun(flow, model) for flow in flows), return_exceptions=True))

    with Endpoint(say) as endpoint:
        assert asyncio.run(notebook(endpoint.address)) == ["done", "done"]
        assert len(endpoint.requests) == 2


# --- what an endpoint may send


def endpoint_says(say: Callable[[Answer], Answer]) -> str:
    async def work(address: str) -> str:
        model = OpenAI("fake", [Transport(address)], Probed(frozenset(), "max_tokens", True, "fake"), slots=1)
        try:
            return (await model.generate(Ask("q", seed=0), [0]))[0].text
        finally:
            await model.close()

    with Endpoint(say) as endpoint:
        return asyncio.run(work(endpoint.address))


def test_json_without_a_bottom_is_the_endpoints_fault() -> None:
    def bottomless(body: Answer) -> Answer:
        raise Fault(200, b"[" * 200_000)

    with pytest.raises(EndpointDown):
        endpoint_says(bottomless)


def test_tokens_below_zero_are_the_endpoints_fault() -> None:
    with pytest.raises(EndpointDown):
        endpoint_says(lambda body: reply(["x"]) | {"usage": {"prompt_tokens": -100_000, "completion_tokens": 1}})


@pytest.mark.parametrize("schema", ['{"type": 5}', '{"anyOf": 5}', "[" * 100_000])
def test_a_schema_that_is_none_is_refused_in_a_sentence(schema: str) -> None:
    try:
        Ask("q", json_schema=schema)
    except BadRequest:
        return
    except (TypeError, RecursionError) as error:
        pytest.fail(type(error).__name__)
    pytest.fail("it was taken")


def test_a_reference_is_refused_wherever_it_stands() -> None:
    with pytest.raises(BadRequest):
        Ask("q", json_schema='{"prefixItems": [{"$ref": "#"}]}')
