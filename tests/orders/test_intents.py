"""Placing with a journal: what is written before sending, what after, and what a next run finds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

import kalshi_async
from kalshi_async import (
    BucketLimits,
    ConfigurationError,
    ConnectionLostError,
    InsufficientBalanceError,
    InvalidRequestError,
    JournalError,
    OrderStatusUnknown,
    RateLimits,
    Request,
    Response,
    RetryPolicy,
)
from kalshi_async.orders import Certainty, OrderJournal
from kalshi_async.orders import _journal as journal_module
from tests.orders.venue import (
    BASE_URL,
    EMPTY,
    EXISTS,
    NAME,
    POOR,
    TICKER,
    Venue,
    accepted,
    failing,
    place,
)
from tests.support import answer

LOST = failing(lambda: ConnectionLostError("reset"))
QUICK = Certainty(lag=0.01, grace=0.05, patience=0.02)
OPTIONS: dict[str, Any] = {"retry": RetryPolicy(max_attempts=2, first=0, longest=0)}


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[OrderJournal]:
    opened = OrderJournal(tmp_path / "journal.db")
    yield opened
    await opened.aclose()


async def kept(journal: OrderJournal, name: str = NAME) -> tuple[str | None, str | None]:
    """Status and order id of an intent; no status while it is open."""
    entry = await journal.get(name)
    assert entry is not None
    outcome = entry.outcome
    return (None, None) if outcome is None else (outcome.status, outcome.order_id)


async def test_the_intent_is_on_disk_before_the_request_leaves(journal: OrderJournal) -> None:
    seen: list[object] = []

    async def look(request: Request) -> Response:
        entry = await journal.get(NAME)
        assert entry is not None
        assert entry.outcome is None
        assert entry.intent.body == request.body
        seen.append(entry.intent)
        return accepted(request)

    venue = Venue(look)
    async with venue.client(journal=journal) as kalshi:
        await place(kalshi)
    assert len(seen) == 1
    assert await kept(journal) == ("placed", f"id-of-{NAME}")
    entry = await journal.get(NAME)
    assert entry is not None
    assert (entry.intent.exchange, entry.intent.ticker) == (BASE_URL, TICKER)


async def test_outcomes(journal: OrderJournal) -> None:
    venue = Venue(LOST, answer(EXISTS, 409), answer(POOR, 400), LOST)
    venue.looks.script = [venue.shown(), EMPTY]
    async with venue.client(journal=journal, certainty=QUICK, **OPTIONS) as kalshi:
        await place(kalshi, client_order_id="found")
        assert await kept(journal, "found") == ("placed", "id-of-found")
        with pytest.raises(InsufficientBalanceError):
            await place(kalshi, client_order_id="refused")
        assert await kept(journal, "refused") == ("rejected", None)
        with pytest.raises(OrderStatusUnknown) as caught:
            await place(kalshi, client_order_id="unknown")
        assert await kept(journal, "unknown") == (None, None)
        assert await caught.value.resolve() is None
        assert await kept(journal, "unknown") == ("absent", None)


async def test_what_is_cancelled_before_it_was_sent_is_unsent(journal: OrderJournal) -> None:
    venue = Venue(accepted)
    limits = RateLimits(write=BucketLimits(0.001, 10))
    async with venue.client(journal=journal, limits=limits) as kalshi:
        await place(kalshi, client_order_id="first")
        with anyio.move_on_after(0.5) as scope:
            await place(kalshi)
        assert scope.cancelled_caught
        assert await kept(journal) == ("unsent", None)


async def test_what_is_cancelled_after_it_was_sent_stays_open(journal: OrderJournal) -> None:
    async def forever(_: Request) -> Response:
        await anyio.sleep_forever()
        raise AssertionError

    venue = Venue(forever)
    async with venue.client(journal=journal) as kalshi:
        task = asyncio.create_task(place(kalshi))
        await venue.arrived.wait()
        task.cancel()
        with pytest.raises(OrderStatusUnknown):
            await task
    assert await kept(journal) == (None, None)


async def test_nothing_is_sent_that_could_not_be_written(
    journal: OrderJournal, tmp_path: Path
) -> None:
    venue = Venue(accepted)
    async with venue.client(journal=journal) as kalshi:
        await place(kalshi, client_order_id="written")
        (tmp_path / "journal.db").rename(tmp_path / "elsewhere.db")
        for caught in (JournalError, journal_module.JournalError):
            with pytest.raises(caught, match="deleted or moved"):
                await place(kalshi)
    assert len(venue.placing.requests) == 1
    assert kalshi_async.JournalError is journal_module.JournalError


async def test_an_id_of_the_journal_cannot_name_another_order(journal: OrderJournal) -> None:
    venue = Venue(accepted)
    async with venue.client(journal=journal) as kalshi:
        await place(kalshi)
        await place(kalshi)  # the same again is fine
        with pytest.raises(InvalidRequestError, match="another order"):
            await place(kalshi, count=11)
    assert len(venue.placing.requests) == 2


# -- the next run


@asynccontextmanager
async def left_open(journal: OrderJournal, *names: str) -> AsyncIterator[Venue]:
    """A venue at which an earlier run left these orders in the open."""
    venue = Venue(LOST)
    async with venue.client(journal=journal, certainty=QUICK, retry=None) as kalshi:
        for name in names:
            with pytest.raises(OrderStatusUnknown):
                await place(kalshi, client_order_id=name)
    yield venue


async def test_a_next_run_finds_what_there_is_and_proves_what_there_is_not(
    journal: OrderJournal,
) -> None:
    async with left_open(journal, "gone", NAME) as venue:
        venue.looks.script = [EMPTY, venue.shown(fill_count_fp="4.00")]
        sent = len(venue.placing.requests)
        looks = len(venue.looks.requests)
        async with venue.client(journal=journal, certainty=QUICK) as kalshi:
            found = await kalshi.orders.recover()
            assert [placed.client_order_id for placed in found.placed] == [NAME]
            assert found.placed[0].fill_count == 4
            assert [intent.client_order_id for intent in found.absent] == ["gone"]
            assert (found.unknown, found.elsewhere) == ([], [])
            assert await journal.open_intents() == []
            again = await kalshi.orders.recover()
            assert (again.placed, again.absent) == ([], [])
        assert len(venue.placing.requests) == sent
        assert await kept(journal) == ("placed", f"id-of-{NAME}")
        assert await kept(journal, "gone") == ("absent", None)
        # The clock of the run before may have been anything: it must not hide an order.
        entry = await journal.get(NAME)
        assert entry is not None
        bound = f"min_ts={int(entry.intent.created) - 86_400}"
        assert bound[:-3] in venue.looks.requests[looks].url


async def test_recovering_stops_at_its_deadline_and_can_go_on(journal: OrderJournal) -> None:
    async with left_open(journal, NAME) as venue:
        slow = Certainty(lag=0.01, grace=1_000.0, patience=0.02)
        async with venue.client(journal=journal, certainty=slow) as kalshi:
            found = await kalshi.orders.recover(deadline=0.05)
            assert [error.client_order_id for error in found.unknown] == [NAME]
            assert await kept(journal) == (None, None)
            venue.looks.script = [venue.shown()]
            assert (await found.unknown[0].resolve()) is not None
            assert await kept(journal) == ("placed", f"id-of-{NAME}")


async def test_orders_of_another_key_or_exchange_are_left_alone(journal: OrderJournal) -> None:
    async with left_open(journal, NAME) as venue:
        looks = len(venue.looks.requests)
        for other in ({"api_key_id": "another"}, {"base_url": BASE_URL.replace(":1/", ":2/")}):
            async with venue.client(journal=journal, certainty=QUICK, **other) as kalshi:
                found = await kalshi.orders.recover()
                assert [intent.client_order_id for intent in found.elsewhere] == [NAME]
        assert len(venue.looks.requests) == looks
        assert await kept(journal) == (None, None)


async def test_what_is_under_way_is_passed_over(journal: OrderJournal) -> None:
    answered = asyncio.Event()

    async def wait(request: Request) -> Response:
        await answered.wait()
        return accepted(request)

    venue = Venue(wait)
    async with venue.client(journal=journal, certainty=QUICK) as kalshi:
        task = asyncio.create_task(place(kalshi))
        await venue.arrived.wait()
        found = await kalshi.orders.recover()
        assert (found.placed, found.absent, found.unknown) == ([], [], [])
        answered.set()
        await task
        assert await kept(journal) == ("placed", f"id-of-{NAME}")


async def test_there_is_nothing_to_recover_from_without_a_journal() -> None:
    async with Venue().client() as kalshi:
        with pytest.raises(ConfigurationError, match="journal"):
            await kalshi.orders.recover()
