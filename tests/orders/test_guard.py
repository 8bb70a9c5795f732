"""A guard: what was placed in a block that fails does not stay on the book."""

from __future__ import annotations

import asyncio
from typing import Any

import anyio
import pytest

from kalshi_async import (
    InsufficientBalanceError,
    InvalidRequestError,
    KalshiClient,
    OrderStatusUnknown,
    PlacementInterrupted,
)
from kalshi_async.orders import Certainty, Guard
from tests.orders.floor import Floor, cancelled_after, kinds, on_the_floor, request, requests
from tests.orders.venue import TICKER
from tests.pipeline.helpers import both_backends


class Boom(Exception):  # noqa: N818 - short, since it is raised everywhere
    """What the block fails with."""


def open_names(guard: Guard) -> list[str]:
    return [each.client_order_id for each in guard.open]


async def place_some(guard: Guard) -> None:
    """One order by each way of placing."""
    await guard.buy(TICKER, "yes", count=1, price="0.40", client_order_id="bought")
    await guard.sell(TICKER, "no", count=1, price="0.40", client_order_id="sold")
    await guard.create(TICKER, book_side="bid", count=1, price="0.3", client_order_id="made")
    await guard.place(request("placed"))
    await guard.place_many(requests(3))


ALL = ["bought", "sold", "made", "placed", "n0", "n1", "n2"]


def test_an_error_takes_everything_back() -> None:
    async def main(floor: Floor, kalshi: KalshiClient) -> None:
        await kalshi.orders.place(request("before"))
        with pytest.raises(Boom) as caught:
            async with kalshi.orders.guard() as guard:
                await place_some(guard)
                assert open_names(guard) == ALL
                assert guard.open[0].order_id == "id-of-bought"
                await kalshi.orders.place(request("beside"))
                raise Boom
        assert floor.resting == {"before", "beside"}
        assert (guard.open, guard.uncancelled) == ([], [])
        assert not hasattr(caught.value, "__notes__")
        assert str(caught.value) == ""
        assert caught.value.__cause__ is None

    on_the_floor(main, Floor(latency=0.1))


def test_a_normal_end_cancels_nothing() -> None:
    async def main(floor: Floor, kalshi: KalshiClient) -> None:
        async with kalshi.orders.guard() as guard:
            await place_some(guard)
        assert floor.resting == set(ALL)
        assert floor.cancels == []

    on_the_floor(main, Floor(latency=0.1))


class TestWhatMayRest:
    def test_only_what_may_is_cancelled(self) -> None:
        async def main(floor: Floor, kalshi: KalshiClient) -> None:
            with pytest.raises(Boom):
                async with kalshi.orders.guard() as guard:
                    with pytest.raises(InsufficientBalanceError):
                        await guard.place(request("poor"))
                    await guard.place(request("now", time_in_force="immediate_or_cancel"))
                    await guard.place(request("kept", subaccount=4))
                    assert open_names(guard) == ["kept"]
                    raise Boom
            assert floor.cancels == [["id-of-kept"]]

        on_the_floor(main, Floor(moods={"poor": "refused"}))

    def test_cancelled_through_it_is_off_the_list(self) -> None:
        async def main(floor: Floor, kalshi: KalshiClient) -> None:
            with pytest.raises(Boom):
                async with kalshi.orders.guard() as guard:
                    outcomes = await guard.place_many(requests(5))
                    orders: list[Any] = [outcome.order for outcome in outcomes]  # type: ignore[union-attr]
                    floor.orders["n4"]["status"] = "executed"
                    await guard.cancel(orders[0])
                    assert kinds(await guard.cancel_many(orders[:2])) == ["Gone", "Canceled"]
                    assert kinds(await guard.cancel_many(orders[4:])) == ["Gone"]
                    assert open_names(guard) == ["n2", "n3"]
                    floor.cancels.clear()
                    raise Boom
            assert floor.cancels == [["id-of-n3", "id-of-n2"]]  # the newest first

        on_the_floor(main, Floor())

    def test_filled_or_cancelled_meanwhile_is_fine(self) -> None:
        async def main(floor: Floor, kalshi: KalshiClient) -> None:
            with pytest.raises(Boom) as caught:
                async with kalshi.orders.guard() as guard:
                    await guard.place_many(requests(3))
                    floor.orders["n0"]["status"] = "executed"
                    await kalshi.orders.cancel("id-of-n1")
                    raise Boom
            assert floor.resting == set()
            assert guard.uncancelled == []
            assert not hasattr(caught.value, "__notes__")

        on_the_floor(main, Floor())

    def test_the_first_of_a_name_is_not_forgotten(self) -> None:
        async def main(floor: Floor, kalshi: KalshiClient) -> None:
            with pytest.raises(Boom):
                async with kalshi.orders.guard() as guard:
                    await guard.place_many([request("a"), request("a", price="0.5")])
                    assert open_names(guard) == ["a"]
                    raise Boom
            assert floor.resting == set()

        on_the_floor(main, Floor())


class TestUnknownOnes:
    def test_are_found_and_cancelled(self) -> None:
        async def main(floor: Floor, kalshi: KalshiClient) -> None:
            with pytest.raises(OrderStatusUnknown) as caught:
                async with kalshi.orders.guard() as guard:
                    await guard.place_many(requests(2))
                    await guard.place(request("lost"), deadline=1)
            assert floor.resting == set()
            assert guard.uncancelled == []
            assert not hasattr(caught.value, "__notes__")

        on_the_floor(main, Floor(latency=0.1, moods={"lost": "hanging"}))

    def test_one_that_never_arrived_is_forgotten(self) -> None:
        async def main(floor: Floor, kalshi: KalshiClient) -> None:
            with pytest.raises(Boom):
                async with kalshi.orders.guard(timeout=60) as guard:
                    (outcome,) = await guard.place_many([request("lost")], deadline=1)
                    assert kinds([outcome]) == ["Unknown"]
                    raise Boom
            assert (guard.open, guard.uncancelled) == ([], [])

        on_the_floor(main, Floor(latency=0.1, moods={"lost": "silent"}))

    def test_one_that_was_resolved_is_known(self) -> None:
        async def main(floor: Floor, kalshi: KalshiClient) -> None:
            async with kalshi.orders.guard() as guard:
                with pytest.raises(OrderStatusUnknown) as caught:
                    await guard.place(request("lost"), deadline=1)
                assert guard.open[0].error is caught.value
                await caught.value.resolve()
                assert guard.open[0].order_id == "id-of-lost"
                assert guard.open[0].error is None

        on_the_floor(main, Floor(latency=0.1, moods={"lost": "hanging"}))


def test_what_could_not_be_cancelled_is_named(caplog: pytest.LogCaptureFixture) -> None:
    async def main(floor: Floor, kalshi: KalshiClient) -> None:
        began = 0.0
        with pytest.raises(Boom) as caught:
            async with kalshi.orders.guard(timeout=5) as guard:
                await guard.place_many(requests(4))
                await guard.place_many([request("lost")], deadline=1)
                began = anyio.current_time()
                raise Boom
        assert anyio.current_time() - began <= 5.5
        assert floor.resting == {"n1"}
        left = {each.client_order_id: each for each in guard.uncancelled}
        assert set(left) == {"n1", "lost"}
        assert left["n1"].order_id == "id-of-n1"
        assert left["n1"].ticker == TICKER
        assert "trading_is_paused" in str(left["n1"].error)
        assert isinstance(left["lost"].error, OrderStatusUnknown)
        notes = "\n".join(caught.value.__notes__)
        for text in (notes, caplog.text):
            for fact in ("id-of-n1", "client_order_id n1", "client_order_id lost", TICKER):
                assert fact in text

    on_the_floor(main, Floor(latency=0.1, moods={"n1": "stuck", "lost": "silent"}))


def test_an_exchange_that_does_not_answer_is_not_waited_for() -> None:
    async def main(floor: Floor, kalshi: KalshiClient) -> None:
        with pytest.raises(Boom) as caught:
            async with kalshi.orders.guard(timeout=3) as guard:
                await guard.place_many(requests(2))
                floor.latency = 100.0
                began = anyio.current_time()
                raise Boom
        assert anyio.current_time() - began == pytest.approx(3)
        assert [each.order_id for each in guard.uncancelled] == ["id-of-n0", "id-of-n1"]
        assert "not cancelled within 3 s" in caught.value.__notes__[0]

    on_the_floor(main, Floor(latency=0.1))


class TestCancellation:
    @both_backends
    def test_at_every_turn(self, backend: str) -> None:
        async def main() -> None:
            for turns in range(300):
                floor = Floor(moods={"n1": "lost"})
                # Nothing arrives late here, so that one look is proof.
                async with floor.client(certainty=Certainty(0, 0, 1)) as kalshi:
                    guards: list[Guard] = []

                    async def trade(
                        kalshi: KalshiClient = kalshi, guards: list[Guard] = guards
                    ) -> None:
                        async with kalshi.orders.guard() as guard:
                            guards.append(guard)
                            await place_some(guard)

                    try:
                        through = await cancelled_after(turns, trade())
                    except (OrderStatusUnknown, PlacementInterrupted):
                        through = False
                    if through:
                        assert floor.resting == set(ALL)
                        return
                    assert floor.resting == set()
                    assert guards[0].uncancelled == []
                    assert guards[0].open == []
                    assert "0 active, 0 queued" in repr(kalshi)
            raise AssertionError("it never got through")

        anyio.run(main, backend=backend)

    async def test_asyncios_own(self) -> None:
        floor = Floor()
        async with floor.client() as kalshi:

            async def trade() -> None:
                async with kalshi.orders.guard() as guard:
                    await guard.place_many(requests(3))
                    placed.set()
                    await asyncio.sleep(1000)

            placed = asyncio.Event()
            task = asyncio.create_task(trade())
            await placed.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert floor.resting == set()

    def test_tasks_of_the_block(self) -> None:
        async def main(floor: Floor, kalshi: KalshiClient) -> None:
            async def trade(guard: Guard, name: str) -> None:
                await guard.place_many(requests(4, name))

            with anyio.move_on_after(5) as scope:
                async with kalshi.orders.guard() as guard, anyio.create_task_group() as tasks:
                    for name in "abc":
                        tasks.start_soon(trade, guard, name)
                    await anyio.sleep(1)
                    assert len(floor.resting) == 12
                    assert len(guard.open) == 12
                    await anyio.sleep(1000)
            assert scope.cancelled_caught
            assert floor.resting == set()

        on_the_floor(main, Floor(latency=0.1))

    def test_one_task_fails_while_others_place(self) -> None:
        async def main(floor: Floor, kalshi: KalshiClient) -> None:
            async def trade(guard: Guard, name: str) -> None:
                for number in range(100):
                    await guard.place(request(f"{name}{number}"))

            async def fail() -> None:
                await anyio.sleep(0.55)
                raise Boom

            with pytest.raises(ExceptionGroup) as caught:
                async with kalshi.orders.guard() as guard, anyio.create_task_group() as tasks:
                    for name in "abc":
                        tasks.start_soon(trade, guard, name)
                    tasks.start_soon(fail)
            assert caught.group_contains(Boom)
            assert len(floor.orders) >= 15
            assert floor.resting == set()
            # Whatever was on its way had been cancelled and may yet arrive: it is named.
            assert all(each.error is not None for each in guard.uncancelled)

        on_the_floor(main, Floor(latency=0.1))


def test_placements_of_other_tasks_are_waited_for() -> None:
    async def main(floor: Floor, kalshi: KalshiClient) -> None:
        async with anyio.create_task_group() as outside:
            with pytest.raises(Boom):
                async with kalshi.orders.guard() as guard:
                    outside.start_soon(guard.place, request("late"))
                    await anyio.sleep(0.05)
                    assert open_names(guard) == ["late"]
                    raise Boom
            assert floor.resting == set()
            assert list(floor.orders) == ["late"]

    on_the_floor(main, Floor(latency=0.5))


def test_they_are_waited_for_also_when_cancelled() -> None:
    async def main(floor: Floor, kalshi: KalshiClient) -> None:
        async with anyio.create_task_group() as outside:
            with anyio.move_on_after(0.05) as scope:
                async with kalshi.orders.guard() as guard:
                    outside.start_soon(guard.place, request("late"))
                    await anyio.sleep(1000)
            assert scope.cancelled_caught
            assert floor.resting == set()
            assert list(floor.orders) == ["late"]

    on_the_floor(main, Floor(latency=0.5))


def test_nested() -> None:
    async def main(floor: Floor, kalshi: KalshiClient) -> None:
        async with kalshi.orders.guard() as outer:
            await outer.place(request("outer"))
            with pytest.raises(Boom):
                async with outer.guard() as inner:
                    await inner.place(request("inner"))
                    assert open_names(outer) == ["outer", "inner"]
                    assert open_names(inner) == ["inner"]
                    raise Boom
            assert floor.resting == {"outer"}
            async with outer.guard() as inner:
                await inner.place(request("stays"))
            with pytest.raises(Boom):
                async with outer.guard():
                    raise Boom
            assert floor.resting == {"outer", "stays"}
        with pytest.raises(Boom):
            async with kalshi.orders.guard() as outer:
                async with outer.guard() as inner:
                    await inner.place(request("both"))
                raise Boom
        assert floor.resting == {"outer", "stays"}

    on_the_floor(main, Floor(latency=0.1))


def test_only_inside_its_block() -> None:
    async def main(floor: Floor, kalshi: KalshiClient) -> None:
        guard = kalshi.orders.guard()
        with pytest.raises(InvalidRequestError, match="inside"):
            await guard.place(request("early"))
        async with guard:
            pass
        with pytest.raises(InvalidRequestError, match="inside"):
            await guard.buy(TICKER, "yes", count=1, price="0.4")
        with pytest.raises(InvalidRequestError, match="inside"):
            guard.place_many([])
        with pytest.raises(InvalidRequestError, match="once"):
            async with guard:
                raise AssertionError("entered")
        with pytest.raises(InvalidRequestError, match="timeout is 0"):
            kalshi.orders.guard(timeout=0)
        assert floor.orders == {}

    on_the_floor(main, Floor())
