"""Many orders, broken off: cancelled at every turn, left early, or by a source that fails."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Sequence
from typing import Any

import anyio
import pytest

from kalshi_async import InvalidRequestError, KalshiClient, PlacementInterrupted
from kalshi_async.orders import Outcome, Placed, PlaceMany, Rejected, Unknown
from tests.orders.floor import (
    Floor,
    Source,
    cancelled_after,
    kinds,
    names,
    on_the_floor,
    request,
    requests,
)
from tests.orders.test_bulk import MODES, gather
from tests.pipeline.helpers import both_backends


def agrees(floor: Floor, outcomes: Sequence[Any]) -> None:
    """What is said of each order is true of the exchange, and nothing is left out."""
    said = {outcome.request.client_order_id: outcome for outcome in outcomes}
    assert len(said) == len(outcomes)
    for name in floor.orders:
        assert isinstance(said[name], Placed | Unknown)
    for name, outcome in said.items():
        if isinstance(outcome, Placed):
            assert name in floor.orders
        elif isinstance(outcome, Rejected):
            assert not outcome.error.outcome_unknown


async def through_cancellation(many: PlaceMany, mode: str, given: list[Outcome]) -> None:
    """Take outcomes in one of the three ways, keeping those that were given out."""
    if mode == "await":
        given += await many
    elif mode == "async with":
        async with many as outcomes:
            async for outcome in outcomes:
                given.append(outcome)
    else:
        async for outcome in many:
            given.append(outcome)


@both_backends
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("batch", ["auto", None])
def test_cancelled_at_every_turn(backend: str, mode: str, batch: Any) -> None:
    async def main() -> set[str]:
        endings = set()
        for turns in range(200):
            floor = Floor(moods={"n1": "lost", "n2": "refused", "n4": "dropped"})
            async with floor.client() as kalshi:
                many = kalshi.orders.place_many(iter(requests(6)), max_in_flight=2, batch=batch)
                given: list[Outcome] = []
                try:
                    through = await cancelled_after(turns, through_cancellation(many, mode, given))
                    ending = "done" if through else "cancelled"
                except PlacementInterrupted as error:
                    ending = "interrupted"
                    carried, cause = error.outcomes, error.__cause__
                if ending == "interrupted":
                    assert carried == many.outcomes
                    assert isinstance(cause, anyio.get_cancelled_exc_class())
                known = given if ending == "done" else [*given, *many.outcomes]
                agrees(floor, known)
                assert floor.under_way == 0
                assert "0 under way, 0 waiting" in repr(many)
                assert "0 active, 0 queued" in repr(kalshi)
                if ending == "cancelled" and mode != "async with":
                    assert not floor.placements or not any(
                        isinstance(outcome, Placed | Unknown) for outcome in known
                    )
                endings.add(ending)
                if ending == "done":
                    assert len(known) == 6
                    return endings
        raise AssertionError("it never got through")

    endings = anyio.run(main, backend=backend)
    assert "done" in endings
    assert ("cancelled" if mode == "async with" else "interrupted") in endings


@both_backends
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("batch", ["auto", None])
def test_in_a_scope_that_is_cancelled_already(backend: str, mode: str, batch: Any) -> None:
    async def main() -> None:
        floor = Floor()
        async with floor.client() as kalshi:
            with anyio.CancelScope() as scope:
                scope.cancel()
                await gather(kalshi.orders.place_many(requests(5), batch=batch), mode)
            with anyio.CancelScope() as scope:
                scope.cancel()
                await kalshi.orders.place(request("alone"))
            assert scope.cancelled_caught
            assert floor.placements == []

    anyio.run(main, backend=backend)


async def test_asyncios_own_cancellation() -> None:
    floor = Floor(moods={"n2": "hanging"})
    async with floor.client() as kalshi:
        many = kalshi.orders.place_many(requests(4), batch=None)
        with pytest.raises(PlacementInterrupted) as caught:
            async with asyncio.timeout(0.05):
                await many
        assert kinds(caught.value.outcomes) == ["Placed", "Placed", "Unknown", "Placed"]
        agrees(floor, many.outcomes)

        async def block() -> None:
            async with kalshi.orders.place_many(requests(4, "m"), batch=None) as outcomes:
                held.append(outcomes)
                async for _ in outcomes:
                    pass

        held: list[PlaceMany] = []
        floor.moods["m1"] = "hanging"
        task = asyncio.create_task(block())
        while len(floor.orders) < 8:  # noqa: ASYNC110 - the exchange tells nobody
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert kinds(held[0].outcomes) == ["Placed", "Unknown", "Placed", "Placed"]
        assert floor.under_way == 0


class TestLeavingTheBlock:
    def test_early_waits_for_what_was_sent(self) -> None:
        async def main(floor: Floor, kalshi: KalshiClient) -> None:
            source = Source(requests(20))
            many = kalshi.orders.place_many(source.plainly(), max_in_flight=4, batch=None)
            async with many as outcomes:
                first = await anext(outcomes)
            pulled = source.pulled
            rest = many.outcomes
            agrees(floor, [first, *rest])
            assert len(rest) + 1 == pulled < 20
            assert not [outcome for outcome in rest if isinstance(outcome, Unknown)]
            assert [outcome async for outcome in many] != []  # they are still to be had
            assert source.pulled == pulled

        on_the_floor(main, Floor(latency=0.1, delays={"n2": 4.0}))

    def test_a_list_is_told_of_whole(self) -> None:
        async def main(floor: Floor, kalshi: KalshiClient) -> None:
            async with kalshi.orders.place_many(requests(8), max_in_flight=2) as outcomes:
                await anext(outcomes)
                await anext(outcomes)
                await anext(outcomes)
            assert names(outcomes.outcomes)[:4] == ["n0", "n1", "n2", "n3"]

        on_the_floor(main, Floor(latency=0.1))

    def test_what_waits_for_tokens_is_not_sent(self) -> None:
        from kalshi_async import BucketLimits, RateLimits

        async def main(floor: Floor, kalshi: KalshiClient) -> None:
            async with kalshi.orders.place_many(requests(8), batch=None) as outcomes:
                await anext(outcomes)
                began = anyio.current_time()
            assert anyio.current_time() - began < 1
            assert kinds(outcomes.outcomes) == ["Placed"] + ["Rejected"] * 7
            assert "the block was left" in str(outcomes.outcomes[-1].error)  # type: ignore[union-attr]
            assert list(floor.orders) == ["n0"]

        limits = RateLimits(BucketLimits(100, 100), BucketLimits(0.1, 10))
        on_the_floor(main, Floor(latency=0.1), limits=limits)

    def test_by_an_error_of_the_block(self) -> None:
        async def main(floor: Floor, kalshi: KalshiClient) -> None:
            many = kalshi.orders.place_many(requests(6), max_in_flight=2, batch=None)
            with pytest.raises(ZeroDivisionError):
                async with many as outcomes:
                    async for _ in outcomes:
                        raise ZeroDivisionError
            agrees(floor, many.outcomes)
            assert not [outcome for outcome in many.outcomes if isinstance(outcome, Unknown)]

        on_the_floor(main, Floor(latency=0.1))

    def test_an_endless_source_is_let_go(self) -> None:
        async def main(floor: Floor, kalshi: KalshiClient) -> None:
            endless = Source((request(f"n{n}") for n in range(10**9)), pause=0.2)
            many = kalshi.orders.place_many(endless.slowly())
            async with many as outcomes:
                async for outcome in outcomes:
                    if outcome.index == 20:
                        break
            assert len(many.outcomes) < 20  # those given out are not kept
            assert endless.pulled < 40

        on_the_floor(main, Floor(latency=0.1))


class TestSourceThatFails:
    @pytest.mark.parametrize("mode", MODES)
    @pytest.mark.parametrize("shape", ["plainly", "slowly"])
    @pytest.mark.parametrize("bad", [ZeroDivisionError("of the source"), "no request"])
    def test_loses_nothing(self, mode: str, shape: str, bad: object) -> None:
        async def main(floor: Floor, kalshi: KalshiClient) -> None:
            items = [*requests(5), bad, *requests(5, "never")]
            source: Any = getattr(Source(items), shape)()
            many = kalshi.orders.place_many(source, max_in_flight=2)
            given: list[Outcome] = []
            with pytest.raises(PlacementInterrupted) as caught:
                await through_cancellation(many, mode, given)
            kind = InvalidRequestError if isinstance(bad, str) else ZeroDivisionError
            assert isinstance(caught.value.__cause__, kind)
            known = [*given, *caught.value.outcomes]
            assert sorted(names(known)) == [f"n{number}" for number in range(5)]  # type: ignore[arg-type]
            assert kinds(known) == ["Placed"] * 5
            assert sorted(floor.orders) == sorted(names(known))  # type: ignore[arg-type]

        on_the_floor(main, Floor(latency=0.1))

    @pytest.mark.parametrize("mode", MODES)
    def test_before_anything_was_sent(self, mode: str) -> None:
        async def main(floor: Floor, kalshi: KalshiClient) -> None:
            many = kalshi.orders.place_many(Source([ZeroDivisionError("early")]).plainly())
            with pytest.raises(ZeroDivisionError, match="early"):
                await gather(many, mode)
            wrong: Any = [42]
            with pytest.raises(InvalidRequestError, match="request 0 is a int"):
                await gather(kalshi.orders.place_many(wrong), mode)

        on_the_floor(main, Floor())

    def test_is_named_when_the_block_was_left_before(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def main(floor: Floor, kalshi: KalshiClient) -> None:
            source = Source([*requests(2), ZeroDivisionError("unseen")])
            async with kalshi.orders.place_many(source.plainly()) as outcomes:
                await anext(outcomes)
            assert "unseen" in caplog.text

        on_the_floor(main, Floor())


class Broken:
    """A placement that fails in a way that nobody foresaw."""

    async def place(self, *_: object) -> object:
        raise RuntimeError("a fault of our own")


@pytest.mark.parametrize("mode", MODES)
def test_a_fault_of_our_own_is_raised_as_it_is(mode: str) -> None:
    async def main(floor: Floor, kalshi: KalshiClient) -> None:
        orders: Any = copy.copy(kalshi.orders)
        orders._placement = Broken()
        many = orders.place_many(requests(3), batch=None, max_in_flight=1)
        with pytest.raises(RuntimeError, match="a fault of our own"):
            await gather(many, mode)
        assert floor.orders == {}

    on_the_floor(main, Floor())


class TestCancelPlaced:
    @pytest.mark.parametrize("mode", MODES)
    @pytest.mark.parametrize("mood", ["refused", "silent"])
    def test_all_or_nothing(self, mode: str, mood: str) -> None:
        async def main(floor: Floor, kalshi: KalshiClient) -> None:
            many = kalshi.orders.place_many(
                iter(requests(90)),
                max_in_flight=4,
                batch=None,
                on_error="cancel_placed",
                deadline=2,
            )
            outcomes = sorted(await gather(many, mode), key=lambda outcome: outcome.index)
            assert len(outcomes) == 90
            assert kinds(outcomes)[9] == ("Rejected" if mood == "refused" else "Unknown")
            assert kinds(outcomes)[80:] == ["Rejected"] * 10
            last = outcomes[-1]
            assert isinstance(last, Rejected)
            assert str(last.error).startswith("not sent: another was not placed")
            assert not last.error.outcome_unknown
            assert floor.resting == set()
            placed = [outcome.index for outcome in outcomes if isinstance(outcome, Placed)]
            assert [c.index for c in many.cancellations if kinds([c]) == ["Canceled"]] == placed
            assert set(range(9)) <= set(placed)

        on_the_floor(main, Floor(latency=0.1, moods={"n9": mood}))

    def test_nothing_is_cancelled_when_all_goes_well(self) -> None:
        async def main(floor: Floor, kalshi: KalshiClient) -> None:
            many = kalshi.orders.place_many(requests(5), on_error="cancel_placed")
            assert kinds(await many) == ["Placed"] * 5
            assert (many.cancellations, floor.cancels) == ([], [])

        on_the_floor(main, Floor())

    def test_an_unknown_one_is_found_and_cancelled(self) -> None:
        async def main(floor: Floor, kalshi: KalshiClient) -> None:
            many = kalshi.orders.place_many(
                requests(6), batch=None, on_error="cancel_placed", deadline=2
            )
            outcomes = await many
            assert kinds(outcomes).count("Unknown") == 1
            assert floor.resting == set()
            assert kinds(many.cancellations) == ["Canceled"] * 6
            assert [canceled.index for canceled in many.cancellations] == list(range(6))

        on_the_floor(main, Floor(latency=0.1, moods={"n3": "hanging"}))

    def test_what_cannot_be_cancelled_is_named(self, caplog: pytest.LogCaptureFixture) -> None:
        async def main(floor: Floor, kalshi: KalshiClient) -> None:
            many = kalshi.orders.place_many(
                requests(6), batch=None, on_error="cancel_placed", deadline=2
            )
            began = anyio.current_time()
            await many
            assert anyio.current_time() - began < 2 + 10.5
            assert floor.resting == {"n1"}
            failed = [c for c in many.cancellations if kinds([c]) == ["CancelFailed"]]
            assert [c.index for c in failed] == [1, 3]
            assert failed[0].order_id == "id-of-n1"
            assert failed[1].order_id == ""
            assert "id-of-n1" in caplog.text
            assert "client_order_id n3" in caplog.text

        on_the_floor(main, Floor(latency=0.1, moods={"n1": "stuck", "n3": "silent"}))

    def test_orders_that_do_not_rest_are_left_alone(self) -> None:
        async def main(floor: Floor, kalshi: KalshiClient) -> None:
            asked = [
                request("n0", time_in_force="immediate_or_cancel"),
                request("n1", subaccount=3),
                request("n2"),
            ]
            many = kalshi.orders.place_many(
                asked, batch=None, max_in_flight=1, on_error="cancel_placed"
            )
            await many
            assert floor.cancels == [["id-of-n1"]]

        on_the_floor(main, Floor(latency=0.1, moods={"n2": "refused"}))

    def test_an_endless_async_source_is_let_go(self) -> None:
        async def main(floor: Floor, kalshi: KalshiClient) -> None:
            endless = Source((request(f"n{n}") for n in range(10**9)), pause=0.01)
            many = kalshi.orders.place_many(endless.slowly(), on_error="cancel_placed")
            outcomes = await many
            assert len(outcomes) == endless.pulled < 200
            assert floor.resting == set()

        on_the_floor(main, Floor(latency=0.1, moods={"n7": "refused"}))

    @both_backends
    def test_also_when_cancelled(self, backend: str) -> None:
        async def main() -> None:
            floor = Floor(moods={"n3": "hanging"})
            async with floor.client() as kalshi:
                many = kalshi.orders.place_many(requests(5), batch=None, on_error="cancel_placed")

                async def place() -> None:
                    with pytest.raises(PlacementInterrupted):
                        await many

                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(place)
                    while len(floor.orders) < 5:
                        await anyio.lowlevel.checkpoint()
                    tasks.cancel_scope.cancel()
                assert floor.resting == set()
                assert kinds(many.cancellations) == ["Canceled"] * 5

        anyio.run(main, backend=backend)

    def test_leaving_early_is_no_error(self) -> None:
        async def main(floor: Floor, kalshi: KalshiClient) -> None:
            many = kalshi.orders.place_many(requests(9), max_in_flight=2, on_error="cancel_placed")
            async with many as outcomes:
                await anext(outcomes)
            assert many.cancellations == []
            assert floor.resting

        on_the_floor(main, Floor(latency=0.1))
