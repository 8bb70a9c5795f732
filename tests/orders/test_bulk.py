"""Many orders at once: an outcome for each, in the order that was promised, within the bounds."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kalshi_async import (
    InsufficientBalanceError,
    InvalidRequestError,
    KalshiClient,
    OrderExistsError,
    OrderStatusUnknown,
)
from kalshi_async.orders import (
    OrderRequest,
    Outcome,
    Placed,
    PlaceMany,
    Rejected,
    Unknown,
)
from tests.orders.floor import Floor, Source, kinds, names, on_the_floor, request, requests

MODES = ["await", "async with", "async for"]
MIXED = {"n1": "refused", "n3": "lost", "n4": "silent", "n6": "dropped"}
WANT = {"n1": "Rejected", "n4": "Unknown"}


async def gather(many: PlaceMany, mode: str) -> list[Outcome]:
    """All outcomes, in one of the three ways."""
    if mode == "await":
        return await many
    if mode == "async with":
        async with many as outcomes:
            return [outcome async for outcome in outcomes]
    return [outcome async for outcome in many]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("batch", ["auto", None])
def test_every_request_has_its_outcome(mode: str, batch: Any) -> None:
    async def main(floor: Floor, kalshi: KalshiClient) -> None:
        asked = requests(9)
        many = kalshi.orders.place_many(asked, max_in_flight=3, batch=batch, deadline=3)
        outcomes = await gather(many, mode)
        by_index = sorted(outcomes, key=lambda outcome: outcome.index)
        assert [outcome.request for outcome in by_index] == asked
        if batch is None:
            want = [WANT.get(f"n{number}", "Placed") for number in range(9)]
            assert kinds(by_index) == want
        assert outcomes == by_index if mode == "await" else set(outcomes) == set(by_index)
        for outcome in outcomes:
            name = outcome.request.client_order_id
            if isinstance(outcome, Placed):
                assert outcome.order.client_order_id == name
                assert name in floor.resting
            elif isinstance(outcome, Rejected):
                assert isinstance(outcome.error, InsufficientBalanceError)
                assert name not in floor.orders
            else:
                assert outcome.error.client_order_id == name
        assert "0 under way, 0 waiting" in repr(many)

    on_the_floor(main, Floor(latency=0.1, moods=MIXED))


def test_completion_order_and_input_order() -> None:
    delays = {"n0": 5.0, "n1": 1.0, "n2": 3.0}

    async def main(floor: Floor, kalshi: KalshiClient) -> None:
        def many(prefix: str) -> PlaceMany:
            floor.delays |= {prefix + name[1:]: delay for name, delay in delays.items()}
            return kalshi.orders.place_many(requests(4, prefix), batch=None)

        assert names(await gather(many("a"), "async with")) == ["a3", "a1", "a2", "a0"]
        assert names(await gather(many("b"), "async for")) == ["b3", "b1", "b2", "b0"]
        assert names(await gather(many("c"), "await")) == ["c0", "c1", "c2", "c3"]
        for prefix, mode in zip("def", MODES, strict=True):
            found = names(await gather(many(prefix).ordered(), mode))
            assert found == [f"{prefix}{number}" for number in range(4)]

    on_the_floor(main, Floor(latency=0.1, delays=delays))


@pytest.mark.parametrize("ordered", [False, True])
@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_busy_loop_holds_the_source_back(ordered: bool, asynchronous: bool) -> None:
    async def main(floor: Floor, kalshi: KalshiClient) -> None:
        source = Source(requests(100))
        given = source.slowly() if asynchronous else source.plainly()
        many = kalshi.orders.place_many(given, max_in_flight=5)
        taken = 0
        async with many.ordered() if ordered else many as outcomes:
            async for _ in outcomes:
                taken += 1
                await anyio.sleep(3)
                assert source.pulled - taken <= 10
                assert floor.under_way <= 5
        assert taken == 100
        assert floor.most_under_way == 5

    on_the_floor(main, Floor(latency=0.1))


def test_a_stuck_order_holds_those_after_it_back_in_input_order() -> None:
    async def main(floor: Floor, kalshi: KalshiClient) -> None:
        source = Source(requests(100))
        many = kalshi.orders.place_many(source.plainly(), max_in_flight=4, batch=None).ordered()
        async with many as outcomes:
            with anyio.move_on_after(500):
                await anext(outcomes)
            assert source.pulled == 8
            assert len(floor.orders) == 7
            found = [outcome async for outcome in outcomes]
        assert [outcome.index for outcome in found] == list(range(100))

    on_the_floor(main, Floor(latency=0.1, delays={"n0": 1000.0}))


def test_windows_leave_nothing_under_way_between_steps() -> None:
    async def main(floor: Floor, kalshi: KalshiClient) -> None:
        source = Source(requests(30))
        seen = 0
        async for _ in kalshi.orders.place_many(source.plainly(), max_in_flight=3):
            seen += 1
            assert floor.under_way == 0
            assert source.pulled == min(30, -(-seen // 12) * 12)
        assert seen == 30
        assert floor.most_under_way == 3

    on_the_floor(main, Floor(latency=0.1))


def test_a_loop_that_was_broken_off_goes_on() -> None:
    async def main(floor: Floor, kalshi: KalshiClient) -> None:
        many = kalshi.orders.place_many(iter(requests(10)), max_in_flight=2)
        first = []
        async for outcome in many:
            first.append(outcome)
            if len(first) == 3:
                break
        assert len(many.outcomes) == 5  # of the first window, not given out
        rest = [outcome async for outcome in many]
        assert sorted(names(first + rest)) == sorted(names(first) + names(rest))
        assert len({*names(first), *names(rest)}) == 10

    on_the_floor(main, Floor())


class TestSameName:
    def test_one_after_the_other(self) -> None:
        async def main(floor: Floor, kalshi: KalshiClient) -> None:
            asked = [request("a"), request("b"), request("a"), request("a", price="0.50")]
            results = await kalshi.orders.place_many(asked)
            assert kinds(results) == ["Placed", "Placed", "Placed", "Rejected"]
            first, _, again, other = results
            assert isinstance(first, Placed)
            assert isinstance(again, Placed)
            assert isinstance(other, Rejected)
            assert (first.order.recovered, again.order.recovered) == (False, True)
            assert first.order.order_id == again.order.order_id
            assert isinstance(other.error, OrderExistsError)
            assert floor.placements == [["a", "b"], ["a"], ["a"]]

        on_the_floor(main, Floor(latency=0.1))

    def test_nothing_but_one_name(self) -> None:
        async def main(floor: Floor, kalshi: KalshiClient) -> None:
            source = Source(request("same") for _ in range(50))
            async with kalshi.orders.place_many(source.plainly(), max_in_flight=4) as outcomes:
                found = [outcome async for outcome in outcomes]
            assert kinds(found) == ["Placed"] * 50
            assert list(floor.orders) == ["same"]
            assert floor.most_under_way == 1

        on_the_floor(main, Floor(latency=0.1))


moods = st.sampled_from(["fine", "fine", "fine", "refused", "lost", "dropped", "silent"])
script = st.lists(st.tuples(moods, st.sampled_from([0.0, 0.1, 2.0])), max_size=14)


@settings(max_examples=150)
@given(
    script=script,
    mode=st.sampled_from(MODES),
    ordered=st.booleans(),
    max_in_flight=st.integers(1, 6),
    batch=st.sampled_from(["auto", None]),
    shape=st.sampled_from(["list", "plainly", "slowly"]),
    repeat=st.booleans(),
)
def test_whatever_happens(
    script: list[tuple[str, float]],
    mode: str,
    ordered: bool,
    max_in_flight: int,
    batch: Any,
    shape: str,
    repeat: bool,
) -> None:
    async def main(floor: Floor, kalshi: KalshiClient) -> None:
        asked = requests(len(script))
        if repeat and asked:
            asked.append(asked[0])
        source = Source(asked)
        given: Any = asked if shape == "list" else getattr(source, shape)()
        many = kalshi.orders.place_many(given, max_in_flight=max_in_flight, batch=batch, deadline=5)
        outcomes = await gather(many.ordered() if ordered else many, mode)
        indexes = [outcome.index for outcome in outcomes]
        assert sorted(indexes) == list(range(len(asked)))
        if ordered or mode == "await":
            assert indexes == sorted(indexes)
        assert all(outcome.request is asked[outcome.index] for outcome in outcomes)
        for outcome in outcomes:
            name = outcome.request.client_order_id
            if not isinstance(outcome, Unknown):
                assert isinstance(outcome, Placed) == (name in floor.orders)
        assert floor.most_under_way <= max_in_flight
        assert all(len(set(together)) == len(together) for together in floor.placements)
        counted = (many.placed, many.rejected, many.unknown)
        assert counted == tuple(
            kinds(outcomes).count(kind) for kind in ("Placed", "Rejected", "Unknown")
        )

    floor = Floor(
        latency=0.1,
        moods={f"n{index}": mood for index, (mood, _) in enumerate(script)},
        delays={f"n{index}": delay for index, (_, delay) in enumerate(script)},
    )
    on_the_floor(main, floor)


class TestBadInput:
    @pytest.mark.parametrize(
        ("call", "says"),
        [
            (lambda orders: orders.place_many([], max_in_flight=0), "max_in_flight is 0"),
            (lambda orders: orders.place_many([], max_in_flight=True), "max_in_flight is True"),
            (lambda orders: orders.place_many([], batch="always"), "batch is 'always'"),
            (lambda orders: orders.place_many([], on_error="stop"), "on_error is 'stop'"),
            (lambda orders: orders.place_many(request("a")), "not a OrderRequest"),
            (lambda orders: orders.place_many([], deadline=-1), "deadline is -1"),
            (lambda orders: orders.cancel_many("an-id"), "is the text 'an-id'"),
            (lambda orders: orders.cancel_many(None), "not a NoneType"),
        ],
    )
    def test_is_refused_at_once(self, call: Callable[[Any], object], says: str) -> None:
        async def main(floor: Floor, kalshi: KalshiClient) -> None:
            with pytest.raises(ValueError, match=says):
                call(kalshi.orders)
            assert floor.placements == []

        on_the_floor(main, Floor())

    def test_it_is_used_once(self) -> None:
        async def main(floor: Floor, kalshi: KalshiClient) -> None:
            many = kalshi.orders.place_many(requests(2))
            await many
            with pytest.raises(InvalidRequestError, match="used before"):
                await many
            with pytest.raises(InvalidRequestError, match="used before"):
                async with many:
                    raise AssertionError("entered")
            with pytest.raises(InvalidRequestError, match="used before"):
                aiter(many)
            with pytest.raises(InvalidRequestError, match="before the first"):
                many.ordered()

        on_the_floor(main, Floor())


def test_nothing_to_place() -> None:
    async def main(floor: Floor, kalshi: KalshiClient) -> None:
        async def none() -> AsyncIterator[OrderRequest]:
            return
            yield

        for mode in MODES:
            assert await gather(kalshi.orders.place_many([]), mode) == []
            assert await gather(kalshi.orders.place_many(none()), mode) == []

    on_the_floor(main, Floor())


def test_an_unknown_one_can_be_resolved() -> None:
    async def main(floor: Floor, kalshi: KalshiClient) -> None:
        (outcome,) = await kalshi.orders.place_many(requests(1), deadline=2)
        assert isinstance(outcome, Unknown)
        assert isinstance(outcome.error, OrderStatusUnknown)
        found = await outcome.error.resolve()
        assert found is not None
        assert found.order_id == "id-of-n0"

    on_the_floor(main, Floor(moods={"n0": "hanging"}))
