"""Many orders and guards where something else goes wrong as well."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path
from types import MappingProxyType
from typing import Any

import anyio
import pytest

from kalshi_async import (
    BucketLimits,
    InvalidRequestError,
    KalshiClient,
    OrderStatusUnknown,
    PlacementInterrupted,
    RateLimits,
    Response,
    RetryPolicy,
)
from kalshi_async.orders import (
    CancelFailed,
    Certainty,
    Guard,
    OrderRequest,
    Placed,
    Rejected,
    Unknown,
)
from kalshi_async.sandbox import Sandbox
from tests.orders.floor import Floor, kinds, on_the_floor, request, requests
from tests.support import answer


class Boom(Exception):  # noqa: N818 - short, since it is raised everywhere
    """What a block fails with."""


def ids(count: int) -> list[str]:
    return [f"id-of-n{number}" for number in range(count)]


class Reluctant(Floor):
    """Does not cancel before a time; or fails, in a way of its own, with one order.

    Args:
        until: Seconds until which cancelling is answered with 503.
        odd: The order_id with which cancelling fails.
    """

    def __init__(self, *, until: float = 0.0, odd: str = "", **facts: Any) -> None:
        super().__init__(**facts)
        self.until = until
        self.odd = odd

    async def _cancelling(self, order_ids: list[str], batched: bool) -> Response:
        if self.odd in order_ids:
            raise RuntimeError("nobody foresaw this")
        if anyio.current_time() < self.until:
            return answer({"error": {"code": "service_unavailable", "message": "later"}}, 503)
        return await super()._cancelling(order_ids, batched)


class Forgetful(Floor):
    """Its lists show nothing for a while, as if they trailed far behind."""

    trailing = True

    def _reading(self, path: str, url: str) -> Response:
        if self.trailing and path.endswith("/orders"):
            return answer({"orders": [], "cursor": ""})
        return super()._reading(path, url)


class TestPlacing:
    @pytest.mark.parametrize("batch", ["auto", None])
    def test_orders_of_before_are_not_called_unsent(self, batch: Any) -> None:
        """Cancelled while the order that has the id is looked up: it is there."""

        async def main(floor: Floor, kalshi: KalshiClient) -> None:
            await kalshi.orders.place_many(requests(3))
            many = kalshi.orders.place_many(requests(3), batch=batch)
            with anyio.move_on_after(2), pytest.raises(PlacementInterrupted):
                await many
            assert kinds(many.outcomes) == ["Unknown"] * 3
            first = many.outcomes[0]
            assert isinstance(first, Unknown)
            late.trailing = False
            found = await first.error.resolve(deadline=5)
            assert found is not None
            assert found.order_id == "id-of-n0"

        late = Forgetful(latency=0.1)
        on_the_floor(main, late)

    async def test_an_id_that_the_journal_refuses_spoils_no_other(self, tmp_path: Path) -> None:
        floor = Floor()
        async with floor.client(journal=tmp_path / "journal", wall_clock=time.time) as kalshi:
            await kalshi.orders.place(request("n1", price="0.11"))
            outcomes = await kalshi.orders.place_many(requests(4))
        assert kinds(outcomes) == ["Placed", "Rejected", "Placed", "Placed"]
        refused = outcomes[1]
        assert isinstance(refused, Rejected)
        assert isinstance(refused.error, InvalidRequestError)
        assert floor.orders["n1"]["yes_price_dollars"] == "0.1100"

    async def test_without_limits_the_smallest_tier_is_served(self) -> None:
        async with Sandbox.serve(seed=7, markets=60, tier="basic") as exchange:
            asked = [
                OrderRequest("KXFED-26MAR19", book_side="bid", count=1, price="0.02")
                for _ in range(20)
            ]
            # The bucket takes a second to fill again, however short the waits are drawn.
            patient = RetryPolicy(max_attempts=30)
            async with exchange.client(limits=None, retry=patient) as kalshi:
                assert kinds(await kalshi.orders.place_many(asked)) == ["Placed"] * 20

    def test_batches_that_cost_nothing(self) -> None:
        async def main(floor: Floor, kalshi: KalshiClient) -> None:
            assert kinds(await kalshi.orders.place_many(requests(12))) == ["Placed"] * 12
            assert kinds(await kalshi.orders.cancel_many(ids(12))) == ["Canceled"] * 12

        names = "BatchCreateOrdersV2", "BatchCancelOrdersV2", "CreateOrderV2", "CancelOrderV2"
        free = RateLimits(costs=MappingProxyType(dict.fromkeys(names, 0)))
        on_the_floor(main, Floor(latency=0.1), limits=free)


class TestCancelPlaced:
    @pytest.mark.parametrize("ending", ["failed", "cancelled", "block cancelled"])
    def test_what_was_placed_before_the_end_is_taken_back(self, ending: str) -> None:
        """Also when nothing is under way at that moment."""

        async def source() -> AsyncIterator[OrderRequest]:
            for each in requests(4):
                yield each
            await anyio.sleep(2)
            if ending == "failed":
                raise Boom
            await anyio.sleep(100)

        async def main(floor: Floor, kalshi: KalshiClient) -> None:
            many = kalshi.orders.place_many(source(), on_error="cancel_placed")
            with anyio.move_on_after(5):
                if ending == "block cancelled":
                    async with many as outcomes:
                        async for _ in outcomes:
                            pass
                else:
                    with pytest.raises(PlacementInterrupted):
                        await many
            assert len(floor.orders) == 4
            assert floor.resting == set()
            assert kinds(many.cancellations) == ["Canceled"] * 4

        on_the_floor(main, Floor(latency=0.1))

    def test_a_block_cancelled_after_all_is_done_keeps_its_orders(self) -> None:
        async def main(floor: Floor, kalshi: KalshiClient) -> None:
            many = kalshi.orders.place_many(requests(4), on_error="cancel_placed")
            with anyio.move_on_after(5):
                async with many as outcomes:
                    assert kinds([outcome async for outcome in outcomes]) == ["Placed"] * 4
                    await anyio.sleep(100)
            assert len(floor.resting) == 4

        on_the_floor(main, Floor(latency=0.1))


class TestCancelling:
    def test_a_batch_that_is_not_found_says_nothing_of_its_orders(self) -> None:
        async def main(floor: Floor, kalshi: KalshiClient) -> None:
            await kalshi.orders.place_many(requests(3))
            floor.orders["n1"]["status"] = "executed"
            floor.batch_answer = answer(b"404 page not found", 404)
            found = await kalshi.orders.cancel_many(ids(3))
            assert kinds(found) == ["Canceled", "Gone", "Canceled"]
            assert floor.resting == set()

        on_the_floor(main, Floor(latency=0.1))

    @pytest.mark.parametrize("batch", ["auto", None])
    def test_an_odd_failure_keeps_no_others_on_the_book(self, batch: Any) -> None:
        async def main(floor: Floor, kalshi: KalshiClient) -> None:
            await kalshi.orders.place_many(requests(30))
            found = await kalshi.orders.cancel_many(ids(30), batch=batch, max_in_flight=4)
            failed = [outcome for outcome in found if isinstance(outcome, CancelFailed)]
            assert len(floor.resting) == len(failed) == (4 if batch else 1)
            error = failed[0].error
            assert error.outcome_unknown
            assert isinstance(error.__cause__, RuntimeError)

        on_the_floor(main, Reluctant(latency=0.1, odd="id-of-n3"))


class TestGuard:
    def test_an_order_that_cannot_be_found_keeps_no_others_on_the_book(self) -> None:
        """Looking for it takes all the time there is; what is placed meanwhile is cancelled."""

        async def main(floor: Floor, kalshi: KalshiClient) -> None:
            async with anyio.create_task_group() as outside:
                with pytest.raises(Boom):
                    async with kalshi.orders.guard() as guard:
                        with pytest.raises(OrderStatusUnknown):
                            await guard.place(request("lost"), deadline=1)
                        outside.start_soon(guard.place, request("late"))
                        outside.start_soon(guard.place, request("later"))
                        await anyio.sleep(0.01)
                        raise Boom
            assert [each.client_order_id for each in guard.uncancelled] == ["lost"]
            assert set(floor.orders) == {"late", "later"}
            assert floor.resting == set()

        moods = {"lost": "silent"}
        on_the_floor(
            main, Floor(latency=0.1, moods=moods, delays={"later": 3}), certainty=Certainty()
        )

    @pytest.mark.parametrize("batch", ["auto", None])
    def test_many_orders_in_another_task_end_with_it(self, batch: Any) -> None:
        async def main(floor: Floor, kalshi: KalshiClient) -> None:
            async def trade(guard: Guard) -> None:
                with pytest.raises(PlacementInterrupted) as caught:
                    await guard.place_many(requests(60), max_in_flight=2, batch=batch)
                assert isinstance(caught.value.__cause__, InvalidRequestError)
                said = [*caught.value.outcomes]
                assert {o.request.client_order_id for o in said if isinstance(o, Placed)} == set(
                    floor.orders
                )

            async with anyio.create_task_group() as outside:
                with pytest.raises(Boom):
                    async with kalshi.orders.guard() as guard:
                        outside.start_soon(trade, guard)
                        await anyio.sleep(1.05)
                        raise Boom
                assert floor.resting == set()
                assert guard.uncancelled == []
            assert floor.resting == set()
            assert 5 < len(floor.orders) < 30

        on_the_floor(main, Floor(latency=0.1))

    def test_many_orders_begun_after_its_block_are_refused(self) -> None:
        async def main(floor: Floor, kalshi: KalshiClient) -> None:
            async with kalshi.orders.guard() as guard:
                many = guard.place_many(requests(3))
            with pytest.raises(InvalidRequestError, match="inside its block"):
                await many
            assert kinds(many.outcomes) == ["Rejected"] * 3
            assert floor.orders == {}

        on_the_floor(main, Floor(latency=0.1))

    def test_the_newest_are_cancelled_first(self) -> None:
        """Of many that have traded long ago, with too little time for all."""

        async def main(floor: Floor, kalshi: KalshiClient) -> None:
            with pytest.raises(Boom):
                async with kalshi.orders.guard(timeout=1) as guard:
                    await guard.place_many(requests(200))
                    for order in floor.orders.values():
                        order["status"] = "executed"
                    await guard.place_many(requests(3, "live"))
                    raise Boom
            assert floor.resting == set()
            assert {each.client_order_id[0] for each in guard.uncancelled} == {"n"}

        limits = RateLimits(write=BucketLimits(100, 100))
        on_the_floor(main, Floor(latency=0.1), limits=limits)

    @pytest.mark.parametrize("retry", [RetryPolicy(max_attempts=2, first=0, longest=0), None])
    def test_a_passing_failure_is_outlasted(self, retry: RetryPolicy | None) -> None:
        async def main(floor: Floor, kalshi: KalshiClient) -> None:
            with pytest.raises(Boom):
                async with kalshi.orders.guard() as guard:
                    await guard.place_many(requests(5))
                    raise Boom
            assert floor.resting == set()
            assert guard.uncancelled == []
            assert 5 < anyio.current_time() < 8

        on_the_floor(main, Reluctant(latency=0.1, until=5), retry=retry)

    def test_a_lasting_failure_is_named(self) -> None:
        async def main(floor: Floor, kalshi: KalshiClient) -> None:
            with pytest.raises(Boom):
                async with kalshi.orders.guard(timeout=3) as guard:
                    await guard.place_many(requests(2))
                    raise Boom
            assert anyio.current_time() < 4
            assert ["service_unavailable" in str(each.error) for each in guard.uncancelled] == [
                True,
                True,
            ]

        on_the_floor(main, Reluctant(latency=0.1, until=100))

    def test_an_odd_failure_keeps_no_others_on_the_book(self) -> None:
        async def main(floor: Floor, kalshi: KalshiClient) -> None:
            with pytest.raises(Boom):
                async with kalshi.orders.guard() as guard:
                    for each in requests(3):
                        await guard.place(each)
                    raise Boom
            assert floor.resting == {"n1"}
            assert [each.order_id for each in guard.uncancelled] == ["id-of-n1"]

        # Where a batch costs more, each is cancelled by itself.
        dear = RateLimits(costs=MappingProxyType({"BatchCancelOrdersV2": 3}))
        on_the_floor(main, Reluctant(latency=0.1, odd="id-of-n1"), limits=dear)
