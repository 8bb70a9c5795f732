"""Many orders taken off the book at once."""

from __future__ import annotations

from typing import Any

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kalshi_async import (
    BucketLimits,
    InvalidRequestError,
    KalshiClient,
    RateLimits,
    Response,
    TradingPausedError,
)
from kalshi_async.orders import Canceled, CancelFailed, CancelMany, CancelOutcome, Gone
from tests.orders.floor import (
    Floor,
    Source,
    cancelled_after,
    kinds,
    on_the_floor,
    request,
    requests,
)
from tests.orders.test_bulk import MODES
from tests.pipeline.helpers import both_backends
from tests.support import answer


async def gather(many: CancelMany, mode: str) -> list[CancelOutcome]:
    if mode == "await":
        return await many
    if mode == "async with":
        async with many as outcomes:
            return [outcome async for outcome in outcomes]
    return [outcome async for outcome in many]


def ids(count: int) -> list[str]:
    return [f"id-of-n{number}" for number in range(count)]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("batch", ["auto", None])
def test_every_order_has_its_outcome(mode: str, batch: Any) -> None:
    async def main(floor: Floor, kalshi: KalshiClient) -> None:
        placed = await kalshi.orders.place_many(requests(6))
        await kalshi.orders.cancel("id-of-n2")
        asked: list[Any] = [outcome.order for outcome in placed]  # type: ignore[union-attr]
        asked[3] = "id-of-n3"
        asked[4] = await kalshi.orders.get("id-of-n4")
        asked += ["nowhere", asked[0]]
        many = kalshi.orders.cancel_many(asked, max_in_flight=3, batch=batch)
        found = sorted(await gather(many, mode), key=lambda outcome: outcome.index)
        want = ["Canceled", "CancelFailed", "Gone", "Canceled", "Canceled", "Canceled"]
        assert kinds(found) == [*want, "Gone", "Gone"]
        assert [outcome.order_id for outcome in found[:6]] == ids(6)
        stuck, first = found[1], found[0]
        assert isinstance(stuck, CancelFailed)
        assert isinstance(stuck.error, TradingPausedError)
        assert isinstance(first, Canceled)
        assert first.order.reduced_by == 1
        assert floor.resting == {"n1"}
        assert repr(many) == ("<CancelMany 4 canceled, 3 gone, 1 failed, 0 under way, 0 waiting>")

    on_the_floor(main, Floor(latency=0.1, moods={"n1": "stuck"}))


def test_batches() -> None:
    async def main(floor: Floor, kalshi: KalshiClient) -> None:
        await kalshi.orders.place_many(requests(12))
        await anyio.sleep(10)
        found = await kalshi.orders.cancel_many(ids(12))
        assert kinds(found) == ["Canceled"] * 12
        # No larger than a batch of placements may be, whatever the tokens.
        assert [len(together) for together in floor.cancels] == [9, 3]

    limits = RateLimits(BucketLimits(1000, 1000), BucketLimits(100, 100))
    on_the_floor(main, Floor(latency=0.1), limits=limits)


def test_where_a_batch_says_where() -> None:
    async def main(floor: Floor, kalshi: KalshiClient) -> None:
        placed = await kalshi.orders.place_many([request("a", subaccount=2), request("b")])
        order = [outcome.order for outcome in placed]  # type: ignore[union-attr]
        await kalshi.orders.cancel_many([*order, "else"], subaccount=2)
        market = {"subaccount": 2, "market_ticker": "KXFED-26MAR19"}
        assert floor.cancel_items == [
            {"order_id": "id-of-a", **market},
            {"order_id": "id-of-b", **market},
            {"order_id": "else", "subaccount": 2},
        ]

    on_the_floor(main, Floor())


@pytest.mark.parametrize("batch", ["auto", None])
def test_a_lost_answer(batch: Any) -> None:
    """The same request again says not found; the orders themselves say that they are cancelled."""

    async def main(floor: Floor, kalshi: KalshiClient) -> None:
        await kalshi.orders.place_many(requests(3))
        await kalshi.orders.cancel("id-of-n1")
        floor.orders["n1"]["status"] = "executed"
        floor.lose_cancels = 1 if batch else 3
        found = await kalshi.orders.cancel_many(ids(3), batch=batch)
        assert kinds(found) == ["Canceled", "Gone", "Canceled"]
        first, second = found[:2]
        assert isinstance(first, Canceled)
        assert isinstance(second, Gone)
        assert first.order.recovered
        assert first.order.reduced_by == 1
        assert not second.error.outcome_unknown

    on_the_floor(main, Floor(latency=0.1))


@pytest.mark.parametrize(
    "wrong",
    [
        answer({"code": "bad_request", "message": "orders has too many items"}, 400),
        answer(b"no json"),
        answer({"orders": []}),
    ],
    ids=["refused", "unreadable", "empty"],
)
def test_a_batch_that_fails_whole_is_made_singly(wrong: Response) -> None:
    async def main(floor: Floor, kalshi: KalshiClient) -> None:
        await kalshi.orders.place_many(requests(4))
        floor.batch_answer = wrong
        found = await kalshi.orders.cancel_many(ids(4))
        assert kinds(found) == ["Canceled"] * 4
        assert floor.resting == set()
        assert [len(together) for together in floor.cancels[1:]] == [1] * 4

    on_the_floor(main, Floor(latency=0.1))


def test_a_batch_that_is_never_answered() -> None:
    async def main(floor: Floor, kalshi: KalshiClient) -> None:
        await kalshi.orders.place_many(requests(2))
        floor.lose_cancels = 100
        found = await kalshi.orders.cancel_many(ids(2))
        for outcome in found:
            assert isinstance(outcome, CancelFailed)
            assert outcome.error.outcome_unknown

    on_the_floor(main, Floor(latency=0.1))


@both_backends
@pytest.mark.parametrize("batch", ["auto", None])
def test_cancelled_at_every_turn(backend: str, batch: Any) -> None:
    async def main() -> None:
        for turns in range(100):
            floor = Floor()
            async with floor.client() as kalshi:
                await kalshi.orders.place_many(requests(5))
                many = kalshi.orders.cancel_many(ids(5), max_in_flight=2, batch=batch)

                async def cancel(many: CancelMany = many) -> None:
                    assert len(await many) == 5

                through = await cancelled_after(turns, cancel())
                for outcome in many.outcomes:
                    rests = f"n{outcome.index}" in floor.resting
                    if isinstance(outcome, Canceled):
                        assert not rests
                    elif isinstance(outcome, CancelFailed) and not outcome.error.outcome_unknown:
                        assert rests
                known = {outcome.index for outcome in many.outcomes}
                assert {0, 1, 2, 3, 4} - known <= {int(name[1:]) for name in floor.resting}
                assert "0 active, 0 queued" in repr(kalshi)
                if through:
                    return
        raise AssertionError("it never got through")

    anyio.run(main, backend=backend)


@pytest.mark.parametrize("mode", MODES)
def test_a_source_that_fails(mode: str) -> None:
    async def main(floor: Floor, kalshi: KalshiClient) -> None:
        await kalshi.orders.place_many(requests(3))
        source = Source([*ids(3), ZeroDivisionError("of the source")])
        with pytest.raises(ZeroDivisionError):
            await gather(kalshi.orders.cancel_many(source.plainly()), mode)
        assert floor.resting == set()
        with pytest.raises(InvalidRequestError, match="order_id"):
            await gather(kalshi.orders.cancel_many([""]), mode)

    on_the_floor(main, Floor(latency=0.1))


@settings(max_examples=50)
@given(
    resting=st.lists(st.booleans(), min_size=1, max_size=10),
    mode=st.sampled_from(MODES),
    max_in_flight=st.integers(1, 5),
    batch=st.sampled_from(["auto", None]),
    lost=st.integers(0, 2),
    ordered=st.booleans(),
)
def test_whatever_happens(
    resting: list[bool], mode: str, max_in_flight: int, batch: Any, lost: int, ordered: bool
) -> None:
    async def main(floor: Floor, kalshi: KalshiClient) -> None:
        await kalshi.orders.place_many(requests(len(resting)))
        for number, rests in enumerate(resting):
            if not rests:
                floor.orders[f"n{number}"]["status"] = "executed"
        floor.lose_cancels = lost
        many = kalshi.orders.cancel_many(
            ids(len(resting)), max_in_flight=max_in_flight, batch=batch
        )
        found = await gather(many.ordered() if ordered else many, mode)
        if ordered or mode == "await":
            assert [outcome.index for outcome in found] == list(range(len(resting)))
        by_index = sorted(found, key=lambda outcome: outcome.index)
        assert kinds(by_index) == ["Canceled" if rests else "Gone" for rests in resting]
        assert floor.resting == set()

    on_the_floor(main, Floor(latency=0.1))
