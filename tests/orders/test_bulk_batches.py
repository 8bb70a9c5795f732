"""Which orders of many go together in one request, and what the exchange makes of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from types import MappingProxyType

import anyio
import pytest

from kalshi_async import BucketLimits, JournalError, KalshiClient, RateLimits
from kalshi_async.orders import OrderRequest, Placed, Rejected
from kalshi_async.orders._line import Job, Line
from tests.orders.floor import Floor, Source, kinds, on_the_floor, request, requests

READ = BucketLimits(10_000, 10_000)


def limits(rate: float, capacity: float, costs: Mapping[str, int] | None = None) -> RateLimits:
    return RateLimits(READ, BucketLimits(rate, capacity), MappingProxyType(dict(costs or {})))


def sizes(floor: Floor) -> list[int]:
    return [len(together) for together in floor.placements]


def test_without_limits_a_batch_is_of_what_every_tier_takes() -> None:
    async def main(floor: Floor, kalshi: KalshiClient) -> None:
        await kalshi.orders.place_many(requests(25), max_in_flight=50)
        assert sizes(floor) == [10, 10, 5]

    on_the_floor(main, Floor(latency=0.1))


def test_a_batch_is_as_large_as_there_are_tokens_for() -> None:
    async def main(floor: Floor, kalshi: KalshiClient) -> None:
        results = await kalshi.orders.place_many(requests(12))
        assert sizes(floor) == [9, 1, 1, 1]  # 90 of 100 tokens may be spent at once
        assert kinds(results) == ["Placed"] * 12

    on_the_floor(main, Floor(latency=0.1), limits=limits(100, 100))


def test_a_batch_is_no_larger_than_what_may_be_under_way() -> None:
    async def main(floor: Floor, kalshi: KalshiClient) -> None:
        await kalshi.orders.place_many(requests(30), max_in_flight=8)
        assert max(sizes(floor)) == 8
        assert floor.most_under_way == 8

    on_the_floor(main, Floor(latency=0.1), limits=limits(10_000, 30_000))


@pytest.mark.parametrize(("cost", "together"), [(10, True), (9, True), (11, False)])
def test_batches_only_where_they_cost_no_more(cost: int, together: bool) -> None:
    async def main(floor: Floor, kalshi: KalshiClient) -> None:
        await kalshi.orders.place_many(requests(6))
        assert sizes(floor) == ([6] if together else [1] * 6)

    costs = {"BatchCreateOrdersV2": cost, "CreateOrderV2": 10}
    on_the_floor(main, Floor(latency=0.1), limits=limits(1000, 1000, costs))


def test_one_that_is_alone_goes_by_itself() -> None:
    async def main(floor: Floor, kalshi: KalshiClient) -> None:
        (outcome,) = await kalshi.orders.place_many(requests(1))
        assert isinstance(outcome, Placed)
        assert floor.batches == 0
        await kalshi.orders.place_many(requests(5, "m"), batch=None)
        assert (sizes(floor), floor.batches) == ([1] * 6, 0)

    on_the_floor(main, Floor())


def test_of_an_async_source_what_has_arrived() -> None:
    async def main(floor: Floor, kalshi: KalshiClient) -> None:
        async def bursts() -> AsyncIterator[OrderRequest]:
            for burst in (3, 1, 5):
                for number in range(burst):
                    yield request(f"{burst}-{number}")
                await anyio.sleep(10)

        times = []
        async with kalshi.orders.place_many(bursts()) as outcomes:
            async for _ in outcomes:
                times.append(anyio.current_time())  # noqa: PERF401 - as they come
        assert sizes(floor) == [3, 1, 5]
        start = times[0]
        assert [round(time - start) for time in times] == [0, 0, 0, 10, 20, 20, 20, 20, 20]

    on_the_floor(main, Floor(latency=0.1))


def test_items_come_back_as_themselves() -> None:
    async def main(floor: Floor, kalshi: KalshiClient) -> None:
        results = await kalshi.orders.place_many(requests(5))
        assert kinds(results) == ["Placed", "Rejected", "Placed", "Placed", "Rejected"]
        assert [result.request.client_order_id for result in results] == [
            f"n{number}" for number in range(5)
        ]
        assert sizes(floor) == [5]

    on_the_floor(main, Floor(latency=0.1, moods={"n1": "refused", "n4": "refused"}))


def test_a_batch_whose_answer_is_lost_is_sent_again() -> None:
    async def main(floor: Floor, kalshi: KalshiClient) -> None:
        results = await kalshi.orders.place_many(requests(5))
        for result in results:
            assert isinstance(result, Placed)
            assert result.order.recovered
        assert sizes(floor) == [5, 5]
        assert len(floor.orders) == 5

    on_the_floor(main, Floor(latency=0.1, moods={"n3": "lost"}))


def test_each_keeps_its_own_deadline_while_others_wait() -> None:
    """The deadline is that of one order, from when it is begun; not of all of them."""

    async def main(floor: Floor, kalshi: KalshiClient) -> None:
        results = await kalshi.orders.place_many(requests(30), max_in_flight=1, deadline=1)
        assert kinds(results) == ["Placed"] * 30
        assert anyio.current_time() > 10

    on_the_floor(main, Floor(latency=0.5))


class _Unwritable:
    async def intend(self, _: object) -> None:
        raise JournalError("the disk is full")


@pytest.mark.parametrize("count", [1, 5])
def test_what_cannot_be_written_down_is_not_sent(count: int) -> None:
    async def main(floor: Floor, kalshi: KalshiClient) -> None:
        desk = kalshi.orders._desk
        desk.journal = _Unwritable()  # type: ignore[assignment]
        try:
            results = await kalshi.orders.place_many(requests(count))
        finally:
            desk.journal = None
        assert kinds(results) == ["Rejected"] * count
        for result in results:
            assert isinstance(result, Rejected)
            assert isinstance(result.error, JournalError)
        assert floor.placements == []

    on_the_floor(main, Floor())


class TestRepr:
    def test_counts(self) -> None:
        async def main(floor: Floor, kalshi: KalshiClient) -> None:
            source = Source(requests(20))
            many = kalshi.orders.place_many(source.plainly(), max_in_flight=3, batch=None)
            assert repr(many) == (
                "<PlaceMany 0 placed, 0 rejected, 0 unknown, 0 under way, 0 waiting>"
            )
            async with many:
                await anyio.sleep(0.05)
                assert repr(many) == (
                    "<PlaceMany 0 placed, 0 rejected, 0 unknown, 3 under way, 0 waiting>"
                )
                await anyio.sleep(50)
                assert repr(many) == (
                    "<PlaceMany 5 placed, 1 rejected, 0 unknown, 0 under way, 0 waiting>"
                )

        on_the_floor(main, Floor(latency=0.1, moods={"n1": "refused"}))


class TestLine:
    """The decisions by themselves."""

    def line(self, *keys: str, places: int = 9, alone: str = "") -> Line[str, str]:
        line: Line[str, str] = Line(places)
        for index, key in enumerate(keys):
            line.add(Job(index, f"item {index}", key, key in alone))
        return line

    def taken(self, line: Line[str, str], most: int) -> list[str]:
        return [job.key for job in line.take(most)]

    def test_those_that_are_alone(self) -> None:
        line = self.line("a", "x", "b", "c", "y", "z", alone="xyz")
        assert [self.taken(line, 5) for _ in range(5)] == [["a"], ["x"], ["b", "c"], ["y"], ["z"]]

    def test_those_of_the_same_key(self) -> None:
        line = self.line("a", "b", "a", "a")
        first, second = line.take(5)
        assert (first.key, second.key, line.at_hand) == ("a", "b", 2)
        assert line.take(5) == []
        line.end(first, "done")
        (third,) = line.take(5)
        assert third.index == 2
        line.end(second, "done")
        line.end(third, "done")
        assert [job.index for job in line.take(5)] == [3]

    def test_room(self) -> None:
        line = self.line("a", "b", places=3)
        line.most_open = 4
        assert line.room
        line.add(Job(2, "", "a"))
        assert not line.room  # one is parked
        for job in line.take(2):
            line.end(job, "done")
        assert line.room
        line.add(Job(3, "", "d"))
        assert line.full
        assert not line.room
        assert line.give() == "done"
        assert line.room

    def test_giving_up(self) -> None:
        line = self.line("a", "b", "a", "c")
        (first,) = line.take(1)
        assert [job.index for job in line.give_up()] == [1, 2, 3]
        assert not line.idle
        line.end(first, "done")
        assert line.idle
        assert line.held() == ["done"]
