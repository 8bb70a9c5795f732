"""Ways in which an order could be taken for not placed, or be sent when it should not be."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path
from typing import Any

import anyio
import pytest

from kalshi_async import (
    ConnectionLostError,
    DeadlineExceededError,
    InsufficientBalanceError,
    InvalidRequestError,
    KalshiError,
    OrderStatusUnknown,
    Request,
    Response,
)
from kalshi_async._errors import JournalError
from kalshi_async.orders import Certainty, OrderJournal, OrderRequest, Recovery
from tests.orders.journals import held
from tests.orders.venue import (
    EMPTY,
    EXISTS,
    NAME,
    POOR,
    TICKER,
    Venue,
    accepted,
    failing,
    listing,
    place,
    receipt,
    row,
    sent_order,
)
from tests.support import Answer, answer, in_virtual_time

LOST = failing(lambda: ConnectionLostError("reset"))
SHORT = Certainty(lag=0.5, grace=20.0, patience=4.0)
QUICK = Certainty(lag=0.01, grace=0.2, patience=0.02)
ONCE: dict[str, Any] = {"retry": None, "certainty": QUICK}


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[OrderJournal]:
    opened = OrderJournal(tmp_path / "journal.db")
    yield opened
    await opened.aclose()


async def unknown(awaited: Awaitable[object]) -> OrderStatusUnknown:
    with pytest.raises(OrderStatusUnknown) as caught:
        await awaited
    return caught.value


async def status(journal: OrderJournal, name: str = NAME) -> str | None:
    """What the journal says of an intent; None while it is open."""
    entry = await journal.get(name)
    assert entry is not None
    return None if entry.outcome is None else entry.outcome.status


async def forever(_: Request) -> Response:
    await anyio.sleep_forever()
    raise AssertionError


# -- a second placement of an order of which nothing is known


@pytest.mark.parametrize("shown", [True, False], ids=["placed", "not to be seen"])
def test_a_refusal_says_nothing_of_the_first_time(shown: bool) -> None:
    """The money may be gone because the first time took it."""

    async def main() -> None:
        venue = Venue(LOST, answer(POOR, 400))
        async with venue.client(certainty=SHORT, retry=None) as kalshi:
            await unknown(place(kalshi))
            if shown:
                venue.looks.script = [EMPTY, venue.shown()]
                assert (await place(kalshi)).recovered
                return
            again = await unknown(place(kalshi))
            assert "insufficient balance" in str(again)
            assert await again.resolve() is None
            # Once that is proved, a refusal is a refusal.
            with pytest.raises(InsufficientBalanceError):
                await place(kalshi)

    in_virtual_time(main)


def test_a_first_time_long_ago_is_looked_for_as_far_back() -> None:
    async def main() -> None:
        venue = Venue(LOST, answer(POOR, 400))
        async with venue.client(certainty=SHORT, retry=None) as kalshi:
            await unknown(place(kalshi))
            old = venue.shown()
            await anyio.sleep(3600)

            def look(request: Request) -> Any:
                return EMPTY(request) if "min_ts" in request.url else old(request)  # type: ignore[operator]

            venue.looks.script = [look]
            assert (await place(kalshi)).recovered

    in_virtual_time(main)


def test_a_refused_item_of_a_batch_says_nothing_of_the_first_time() -> None:
    async def main() -> None:
        refused = [{"client_order_id": name, **POOR} for name in ("other", NAME)]
        venue = Venue(LOST, answer({"orders": refused}, 201))
        async with venue.client(certainty=SHORT, retry=None) as kalshi:
            await unknown(place(kalshi))
            first = sent_order(venue.placing.requests[0])
            venue.looks.script = [lambda _: listing(row(first))]
            terms: dict[str, Any] = {"book_side": "bid", "count": 10, "price": "0.62"}
            outcomes = await kalshi.orders.place_many(
                [OrderRequest(TICKER, client_order_id=name, **terms) for name in ("other", NAME)]
            )
            assert [type(each).__name__ for each in outcomes] == ["Rejected", "Placed"]

    in_virtual_time(main)


async def test_a_refusal_does_not_close_what_a_crash_left_open(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    venue = Venue(LOST, answer(POOR, 400))
    async with venue.client(journal=path, **ONCE) as kalshi:
        await unknown(place(kalshi))
    async with venue.client(journal=path, **ONCE) as kalshi:
        await unknown(place(kalshi))
    async with venue.client(journal=path, **ONCE) as kalshi:
        venue.looks.script = [venue.shown()]
        recovery = await kalshi.orders.recover()
        assert [placed.client_order_id for placed in recovery.placed] == [NAME]


async def test_the_end_of_one_does_not_close_the_intent_of_another(journal: OrderJournal) -> None:
    """Two placements of the same order at once: one is refused, the other is cut short."""
    reached = anyio.Event()

    async def hang(request: Request) -> Response:
        reached.set()
        return await forever(request)

    venue = Venue(hang, answer(POOR, 400))
    async with venue.client(journal=journal, **ONCE) as kalshi:
        async with anyio.create_task_group() as tasks:

            async def first() -> None:
                with anyio.CancelScope() as scope:
                    scopes.append(scope)
                    await unknown(place(kalshi))

            scopes: list[anyio.CancelScope] = []
            tasks.start_soon(first)
            await reached.wait()
            with pytest.raises(KalshiError):
                await place(kalshi)
            assert await status(journal) is None
            recovery = await kalshi.orders.recover()  # it is under way: none of its business
            assert recovery == Recovery()
            scopes[0].cancel()
        assert await status(journal) is None


# -- when an order is proved not to be there


def test_an_order_of_an_earlier_run_is_not_overlooked() -> None:
    """Placed by a run that crashed, under an id that this run was to place again."""

    async def main() -> None:
        venue = Venue(LOST)
        async with venue.client(certainty=SHORT) as kalshi:
            error = await unknown(place(kalshi))
            old = venue.shown(created_time="2026-01-01T00:00:00Z")

            def look(request: Request) -> Any:
                return EMPTY(request) if "min_ts" in request.url else old(request)  # type: ignore[operator]

            venue.looks.script = [look]
            placed = await error.resolve()
            assert placed is not None
            assert placed.client_order_id == NAME

    in_virtual_time(main)


@pytest.mark.parametrize("changes", [{"order_id": None}, {"client_order_id": None}])
def test_a_list_that_cannot_be_read_whole_proves_nothing(changes: dict[str, Any]) -> None:
    async def main() -> None:
        venue = Venue(LOST)
        async with venue.client(certainty=SHORT) as kalshi:
            error = await unknown(place(kalshi))
            body = sent_order(venue.placing.requests[0])
            venue.looks.script = [lambda _: listing(row(body, **changes))]
            again = await unknown(error.resolve(deadline=60))
            assert "could not be read" in str(again.__cause__)
            # What else is on the page is found all the same.
            venue.looks.script = [lambda _: listing(row(body, **changes), row(body))]
            assert await again.resolve() is not None

    in_virtual_time(main)


@pytest.mark.parametrize(
    "gone", ["book_side", "yes_price_dollars", "initial_count_fp", "ticker", "created_time"]
)
@pytest.mark.parametrize("said", [(LOST, answer(EXISTS, 409)), (LOST, answer(POOR, 400))])
def test_a_field_that_is_not_shown_is_no_other_order(gone: str, said: tuple[Answer, ...]) -> None:
    async def main() -> None:
        venue = Venue(*said)
        venue.looks.script = [venue.shown(**{gone: None})]
        async with venue.client(certainty=SHORT) as kalshi:
            assert (await place(kalshi)).order_id == f"id-of-{NAME}"

    in_virtual_time(main)


def test_an_order_that_was_taken_is_this_one_whatever_it_looks_like() -> None:
    async def main() -> None:
        venue = Venue(answer(b"{", 201))
        venue.looks.script = [venue.shown(initial_count_fp="9.00")]
        async with venue.client(certainty=SHORT) as kalshi:
            assert (await place(kalshi)).recovered

    in_virtual_time(main)


async def test_a_step_of_the_clock_is_no_proof(tmp_path: Path) -> None:
    """The machine is told the time after this client was made: an hour seems to have passed."""
    path = tmp_path / "journal.db"
    venue, hour = Venue(LOST), [0.0]
    certainty = Certainty(lag=0.01, grace=30.0, patience=0.02)
    async with venue.client(journal=path, retry=None, certainty=certainty) as kalshi:
        await unknown(place(kalshi))
    clock = {"wall_clock": lambda: 1_900_000_000.0 + hour[0]}
    async with venue.client(journal=path, retry=None, certainty=certainty, **clock) as kalshi:
        hour[0] = 3600.0
        recovery = await kalshi.orders.recover(deadline=0.2)
        assert [each.client_order_id for each in recovery.unknown] == [NAME]
        assert recovery.absent == []


@pytest.mark.parametrize("code", ["internal_server_error", "service_unavailable", "timeout"])
def test_an_item_that_failed_inside_the_exchange_is_in_doubt(code: str) -> None:
    async def main() -> None:
        def told(request: Request) -> Response:
            first, second = sent_order(request)["orders"]
            failed = {"client_order_id": second["client_order_id"], "error": {"code": code}}
            return answer({"orders": [receipt(first), failed]}, 201)

        venue = Venue(told)
        terms: dict[str, Any] = {"book_side": "bid", "count": 10, "price": "0.62"}
        orders = [OrderRequest(TICKER, client_order_id=name, **terms) for name in ("a", "b")]
        async with venue.client(certainty=SHORT) as kalshi:
            outcomes = await kalshi.orders.place_many(orders)
        assert [type(each).__name__ for each in outcomes] == ["Placed", "Unknown"]

    in_virtual_time(main)


async def test_an_order_that_the_journal_does_not_take_is_not_under_way(
    journal: OrderJournal,
) -> None:
    venue = Venue(accepted)
    async with venue.client(journal=journal) as kalshi:
        with pytest.raises(InvalidRequestError, match="cannot be printed"):
            await kalshi.orders.create(
                "KX\n", book_side="bid", count=1, price="0.5", client_order_id=NAME
            )
        assert not kalshi.orders._desk.placing
    assert venue.placing.requests == []


# -- deadlines


async def test_what_was_not_written_down_in_time_is_not_sent(journal: OrderJournal) -> None:
    venue = Venue(accepted)
    terms: dict[str, Any] = {"book_side": "bid", "count": 10, "price": "0.62"}
    async with venue.client(journal=journal) as kalshi:
        async with held(journal):
            with anyio.fail_after(5):
                with pytest.raises(DeadlineExceededError, match="nothing was sent"):
                    await place(kalshi, deadline=0.05)
                outcomes = await kalshi.orders.place_many(
                    [OrderRequest(TICKER, **terms) for _ in range(3)], deadline=0.05
                )
        assert [type(each.error) for each in outcomes] == [DeadlineExceededError] * 3  # type: ignore[union-attr]
        assert venue.placing.requests == []
        assert await status(journal) == "unsent"
        assert await journal.open_intents() == []


async def test_the_time_that_writing_took_is_gone(journal: OrderJournal) -> None:
    venue = Venue(forever)
    async with venue.client(journal=journal, **ONCE) as kalshi:
        start = anyio.current_time()
        go = threading.Event()
        threading.Timer(0.4, go.set).start()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(journal._writer.ask, lambda _: go.wait())
            await anyio.wait_all_tasks_blocked()
            error = await unknown(place(kalshi, deadline=0.8))
        assert "not done within" in str(error)
        assert anyio.current_time() - start < 1.1


def test_a_batch_sent_one_by_one_has_no_more_time_than_before() -> None:
    async def main() -> None:
        venue = Venue(answer({"error": {"code": "bad_request"}}, 400), forever, latency=3.0)
        terms: dict[str, Any] = {"book_side": "bid", "count": 10, "price": "0.62"}
        orders = [OrderRequest(TICKER, **terms) for _ in range(2)]
        async with venue.client(certainty=SHORT, timeout=None) as kalshi:
            outcomes = await kalshi.orders.place_many(orders, deadline=4.0)
        assert [type(each).__name__ for each in outcomes] == ["Unknown"] * 2
        assert anyio.current_time() == pytest.approx(4.0)

    in_virtual_time(main)


# -- what hides how a placement ended


async def test_an_outcome_that_cannot_be_noted_hides_nothing(
    journal: OrderJournal, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def settle(_: object) -> None:
        raise JournalError("this process is a fork")

    venue = Venue(accepted)
    async with venue.client(journal=journal) as kalshi:
        monkeypatch.setattr(journal, "settle", settle)
        assert (await place(kalshi)).order_id == f"id-of-{NAME}"
    assert NAME in caplog.text
    assert await status(journal) is None


@pytest.mark.parametrize("terms", [{"lag": -1.0}, {"grace": "55"}, {"patience": float("nan")}])
def test_certainties_that_are_none(terms: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(terms))):
        Certainty(**terms)
