"""When only the exchange knows: what the error carries, and how it is resolved."""

from __future__ import annotations

import pickle
from collections.abc import Awaitable
from decimal import Decimal

import anyio
import pytest

from kalshi_async import (
    ConfigurationError,
    ConnectionLostError,
    KalshiError,
    OrderExistsError,
    OrderStatusUnknown,
    PermissionDeniedError,
)
from kalshi_async._errors import ErrorBody
from kalshi_async.orders import Certainty
from tests.orders.venue import (
    EMPTY,
    EXISTS,
    NAME,
    NOON,
    POOR,
    TICKER,
    Venue,
    failing,
    place,
    sent_order,
)
from tests.support import Answer, answer, in_virtual_time

LOST = failing(lambda: ConnectionLostError("reset"))
SHORT = Certainty(lag=0.5, grace=20.0, patience=5.0)


async def unknown(awaited: Awaitable[object]) -> OrderStatusUnknown:
    with pytest.raises(OrderStatusUnknown) as caught:
        await awaited
    return caught.value


@pytest.mark.parametrize(
    "script", [(LOST,), (LOST, answer(EXISTS, 409)), (answer(b"", 201),), (LOST, answer(POOR, 400))]
)
def test_it_carries_everything_that_is_known(script: tuple[Answer, ...]) -> None:
    async def main() -> None:
        venue = Venue(*script)
        async with venue.client() as kalshi:
            error = await unknown(place(kalshi, count=3, expiration=1_900_000_000))
        assert error.client_order_id == NAME
        assert error.ticker == TICKER
        assert error.sent == sent_order(venue.placing.requests[0])
        assert error.sent_at == pytest.approx(NOON + venue.placing.times[-1])
        assert error.operation == "CreateOrderV2"
        assert error.attempts == len(venue.placing.requests)
        assert error.outcome_unknown
        assert error.may_have_reached_server
        assert error.elapsed == pytest.approx(anyio.current_time())
        # As patient as it was told to be, counted from the last answer that did not come.
        assert anyio.current_time() == pytest.approx(venue.placing.times[-1] + 5.0)
        assert isinstance(error.__cause__, KalshiError)
        text = str(error)
        for part in (NAME, "bid 3.00 at 0.6200", TICKER, "is not known", "error.resolve()"):
            assert part in text

    in_virtual_time(main)


def test_resolving_finds_the_order() -> None:
    async def main() -> None:
        venue = Venue(LOST)
        async with venue.client() as kalshi:
            error = await unknown(place(kalshi))
            venue.looks.script = [EMPTY, answer(status=503), venue.shown(fill_count_fp="4.00")]
            sent = len(venue.placing.requests)
            for _ in range(2):  # as often as one likes
                placed = await error.resolve()
                assert placed is not None
                assert placed.recovered
                assert (placed.client_order_id, placed.fill_count) == (NAME, Decimal(4))
            assert len(venue.placing.requests) == sent

    in_virtual_time(main)


def test_resolving_proves_that_there_is_no_order() -> None:
    async def main() -> None:
        venue = Venue(LOST)
        async with venue.client(certainty=SHORT) as kalshi:
            error = await unknown(place(kalshi))
            last = venue.placing.times[-1]
            assert await error.resolve() is None
            assert last + 20.5 <= venue.looks.times[-1] < last + 23
            # From then on one look is enough.
            looks = len(venue.looks.requests)
            assert await error.resolve() is None
            assert len(venue.looks.requests) == looks + 1

    in_virtual_time(main)


def test_still_unknown_when_the_deadline_of_resolving_is_over() -> None:
    async def main() -> None:
        venue = Venue(LOST)
        async with venue.client(certainty=SHORT) as kalshi:
            error = await unknown(place(kalshi))
            start = anyio.current_time()
            again = await unknown(error.resolve(deadline=3.0))
            assert anyio.current_time() == pytest.approx(start + 3.0)
            assert again.sent == error.sent
            assert await again.resolve() is None

    in_virtual_time(main)


def test_an_order_that_cannot_be_looked_for_stays_unknown() -> None:
    async def main() -> None:
        locked = answer({"error": {"code": "forbidden", "message": "read scope missing"}}, 403)
        venue = Venue(LOST, looks=(locked,))
        async with venue.client() as kalshi:
            error = await unknown(place(kalshi))
            assert isinstance(error.__cause__, PermissionDeniedError)
            assert len(venue.looks.requests) == 1
        # Nor at a client that was closed.
        again = await unknown(error.resolve())
        assert "closed" in str(again.__cause__)

    in_virtual_time(main)


def test_an_order_that_exists_but_is_not_listed_is_not_looked_for_for_ever() -> None:
    async def main() -> None:
        venue = Venue(LOST, answer(EXISTS, 409))
        async with venue.client(certainty=SHORT) as kalshi:
            error = await unknown(place(kalshi))
            with anyio.fail_after(60):
                await unknown(error.resolve())

    in_virtual_time(main)


def test_an_id_that_turns_out_to_be_that_of_another_order() -> None:
    async def main() -> None:
        venue = Venue(LOST)
        async with venue.client() as kalshi:
            error = await unknown(place(kalshi))
            venue.looks.script = [venue.shown(book_side="ask")]
            assert await error.resolve() is None
            assert len(venue.looks.requests) > 1

    in_virtual_time(main)


def test_two_who_resolve_the_same_order_both_find_it() -> None:
    async def main() -> None:
        venue = Venue(LOST)
        async with venue.client(certainty=SHORT) as kalshi:
            error = await unknown(place(kalshi))
            await anyio.sleep(60)  # from now on one empty look would be proof
            venue.looks.script, venue.looks.latency = [venue.shown()], 0.1
            found = []

            async def resolve() -> None:
                found.append(await error.resolve())

            async with anyio.create_task_group() as tasks:
                for _ in range(3):
                    tasks.start_soon(resolve)
            assert [placed and placed.order_id for placed in found] == [f"id-of-{NAME}"] * 3

    in_virtual_time(main)


# -- errors in a log and on their way to another process


def test_it_survives_being_pickled_but_for_its_resolver() -> None:
    async def main() -> None:
        venue = Venue(LOST)
        async with venue.client() as kalshi:
            error = await unknown(place(kalshi))
        copied = pickle.loads(pickle.dumps(error))
        assert type(copied) is OrderStatusUnknown
        assert str(copied) == str(error)
        for name in ("client_order_id", "ticker", "sent", "sent_at", "attempts", "outcome_unknown"):
            assert getattr(copied, name) == getattr(error, name)
        with pytest.raises(ConfigurationError, match=r"orders\.list"):
            await copied.resolve()

    in_virtual_time(main)


def test_no_secret_in_what_an_error_shows() -> None:
    async def main() -> None:
        venue = Venue(LOST)
        async with venue.client(api_key_id="5e1f-key-id") as kalshi:
            error = await unknown(place(kalshi))
        shown = [str(error), repr(error), repr(error.sent), repr(error.__cause__)]
        signatures = [headers["KALSHI-ACCESS-SIGNATURE"] for headers in venue.placing.headers]
        for secret in (*signatures, "5e1f-key-id"):
            assert not any(secret in text for text in shown)

    in_virtual_time(main)


def test_a_typed_refusal_survives_being_pickled() -> None:
    error = OrderExistsError(409, ErrorBody("order_already_exists", "exists"))
    error.operation, error.attempts = "CreateOrderV2", 2
    copied = pickle.loads(pickle.dumps(error))
    assert type(copied) is OrderExistsError
    assert (str(copied), copied.code, copied.status) == (str(error), error.code, 409)
