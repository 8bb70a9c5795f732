"""Placing that is cancelled: at every await, and by everything that can cancel."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import anyio
import anyio.lowlevel
import pytest

from kalshi_async import (
    BucketLimits,
    ConnectionFailedError,
    ConnectionLostError,
    KalshiClient,
    OrderStatusUnknown,
    RateLimits,
    Response,
    RetryPolicy,
)
from tests.orders.venue import EMPTY, EXISTS, NAME, Venue, accepted, failing, place
from tests.pipeline.helpers import Stepped, both_backends
from tests.support import answer

REFUSED = failing(lambda: ConnectionFailedError("refused"))
LOST = failing(lambda: ConnectionLostError("reset"))


async def whole(kalshi: KalshiClient, venue: Venue) -> None:
    """Nothing is left over: client, task and event loop go on as ever."""
    assert (venue.placing.in_flight, venue.looks.in_flight) == (0, 0)
    assert "0 active, 0 queued" in repr(kalshi)
    venue.placing.script = [accepted]
    with anyio.fail_after(10):
        await anyio.lowlevel.checkpoint()
        placed = await place(kalshi, client_order_id="afterwards")
    assert placed.client_order_id == "afterwards"


@dataclass
class Moment:
    """How far a placement was when it was cancelled."""

    sent: int = 0
    under_way: int = 0

    @property
    def doubtful(self) -> bool:
        """The first attempt was refused a connection; each later one may have arrived."""
        return self.under_way > 0 or self.sent > 1


@both_backends
def test_at_every_await(backend: str) -> None:
    """Through a failed connection, a lost answer, a 409 and an empty look, cancelled everywhere."""

    async def main() -> list[str]:
        endings = []
        for step in range(1, 100):
            venue = Venue(REFUSED, LOST, answer(EXISTS, 409))
            venue.looks.script = [EMPTY, venue.shown()]
            async with venue.client(retry=RetryPolicy(first=0, longest=0)) as kalshi:
                moment = Moment()
                with anyio.CancelScope() as scope:

                    def cancel(
                        venue: Venue = venue,
                        moment: Moment = moment,
                        scope: anyio.CancelScope = scope,
                    ) -> None:
                        moment.sent = len(venue.placing.requests)
                        moment.under_way = venue.placing.in_flight
                        scope.cancel()

                    ending, error = "cancelled", None
                    try:
                        assert (await Stepped(place(kalshi), step, cancel)).recovered
                        ending = "placed"
                    except OrderStatusUnknown as exc:
                        ending, error = "unknown", exc
                if error is not None:
                    assert (error.client_order_id, error.attempts) == (NAME, moment.sent)
                    assert error.__cause__ is not None
                if ending != "placed":
                    assert ending == ("unknown" if moment.doubtful else "cancelled")
                endings.append(ending)
                if error is not None:
                    venue.looks.script = [venue.shown()]
                    assert (await error.resolve()) is not None
                await whole(kalshi, venue)
                if not scope.cancel_called:
                    return endings
        raise AssertionError("it never got through")

    endings = anyio.run(main, backend=backend)
    assert set(endings) == {"cancelled", "unknown", "placed"}
    assert endings.count("unknown") >= 5


def hanging() -> Venue:
    """Takes placements and never answers them."""

    async def forever(_: object) -> Response:
        await anyio.sleep_forever()
        return answer()

    return Venue(forever)


@both_backends
def test_by_the_timeout_of_a_scope(backend: str) -> None:
    async def main() -> None:
        venue = hanging()
        async with venue.client() as kalshi:
            with pytest.raises(OrderStatusUnknown) as caught:
                with anyio.move_on_after(0.01) as scope:
                    await place(kalshi)
            assert scope.cancel_called
            assert caught.value.client_order_id == NAME
            venue.looks.script = [venue.shown()]
            assert (await caught.value.resolve()) is not None
            await whole(kalshi, venue)

    anyio.run(main, backend=backend)


@both_backends
def test_by_a_scope_before_anything_was_sent(backend: str) -> None:
    async def main() -> None:
        venue = Venue(accepted)
        slow = RateLimits(write=BucketLimits(0.001, 10))
        async with venue.client(limits=slow) as kalshi:
            await place(kalshi, client_order_id="first")
            with anyio.move_on_after(0.01) as scope:
                await place(kalshi)
            assert scope.cancelled_caught
            assert len(venue.placing.requests) == 1
            assert "waiting" not in repr(kalshi)

    anyio.run(main, backend=backend)


@both_backends
def test_by_the_failure_of_a_sibling(backend: str) -> None:
    async def main() -> None:
        venue = hanging()
        async with venue.client() as kalshi:
            with pytest.raises(ExceptionGroup) as caught:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(place, kalshi)
                    await anyio.wait_all_tasks_blocked()
                    raise ZeroDivisionError
            kinds = {type(error) for error in caught.value.exceptions}
            assert kinds == {ZeroDivisionError, OrderStatusUnknown}
            await whole(kalshi, venue)

    anyio.run(main, backend=backend)


# -- by asyncio's own means


async def test_by_the_timeout_of_asyncio() -> None:
    venue = hanging()
    async with venue.client() as kalshi:
        with pytest.raises(OrderStatusUnknown):
            async with asyncio.timeout(0.01):
                await place(kalshi)
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0
        await whole(kalshi, venue)


async def test_by_wait_for() -> None:
    venue = hanging()
    async with venue.client() as kalshi:
        with pytest.raises(OrderStatusUnknown):
            await asyncio.wait_for(place(kalshi), 0.01)
        await whole(kalshi, venue)


async def test_by_cancelling_the_task() -> None:
    venue = hanging()
    async with venue.client() as kalshi:
        task = asyncio.create_task(place(kalshi))
        await venue.arrived.wait()
        task.cancel()
        with pytest.raises(OrderStatusUnknown):
            await task
        assert not task.cancelled()
        await whole(kalshi, venue)


async def test_by_cancelling_a_task_that_has_not_sent_anything() -> None:
    venue = Venue(accepted)
    async with venue.client(limits=RateLimits(write=BucketLimits(0.001, 10))) as kalshi:
        await place(kalshi, client_order_id="first")
        task = asyncio.create_task(place(kalshi))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert task.cancelled()
        assert len(venue.placing.requests) == 1


async def test_by_asyncios_task_group() -> None:
    venue = hanging()

    async def fail() -> None:
        await venue.arrived.wait()
        raise ZeroDivisionError

    async with venue.client() as kalshi:
        with pytest.raises(ExceptionGroup) as caught:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(place(kalshi))
                tasks.create_task(fail())
        kinds = {type(error) for error in caught.value.exceptions}
        assert kinds == {ZeroDivisionError, OrderStatusUnknown}
        await whole(kalshi, venue)


async def test_a_cancellation_that_comes_with_the_answer() -> None:
    """The answer is there, but the task is cancelled before it runs again: it was not read."""
    ready = asyncio.Event()

    async def wait(request: object) -> Response:
        await ready.wait()
        return accepted(request)  # type: ignore[arg-type]

    venue = Venue(wait)
    async with venue.client() as kalshi:
        task = asyncio.create_task(place(kalshi))
        await venue.arrived.wait()
        await asyncio.sleep(0)
        ready.set()
        task.cancel()
        with pytest.raises(OrderStatusUnknown) as caught:
            await task
        venue.looks.script = [venue.shown()]
        assert (await caught.value.resolve()) is not None
        await whole(kalshi, venue)
