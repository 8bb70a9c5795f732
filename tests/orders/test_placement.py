"""One order placed exactly once: every way in which placing it can go."""

from __future__ import annotations

import base64
from collections.abc import Awaitable
from decimal import Decimal
from itertools import pairwise
from typing import Any

import anyio
import pytest

from kalshi_async import (
    APIError,
    BucketLimits,
    ConnectionFailedError,
    ConnectionLostError,
    DeadlineExceededError,
    FillOrKillError,
    InsufficientBalanceError,
    InvalidOrderError,
    InvalidPriceError,
    KalshiError,
    MarketNotActiveError,
    OrderExistsError,
    OrderGroupTriggeredError,
    OrderStatusUnknown,
    PostOnlyCrossError,
    RateLimitError,
    RateLimits,
    RequestTimeoutError,
    ServerError,
    TradingPausedError,
)
from kalshi_async.orders import Certainty
from tests.orders.venue import (
    EMPTY,
    EXISTS,
    KEY,
    NAME,
    NOON,
    POOR,
    TICKER,
    Venue,
    accepted,
    failing,
    place,
)
from tests.support import Answer, answer, in_virtual_time

LOST = failing(lambda: ConnectionLostError("reset"))
NOT_SENT = [failing(lambda: ConnectionFailedError("refused")), answer(status=429)]
AMBIGUOUS = [
    LOST,
    failing(lambda: RequestTimeoutError("no answer within 10 s")),
    *(answer(status=status) for status in (408, 500, 502, 503, 504)),
]
NAMES = ["refused", "429", "lost", "timeout", "408", "500", "502", "503", "504"]
KILLED = {"error": {"code": "fill_or_kill_insufficient_resting_volume", "message": "killed"}}


async def error_of(awaited: Awaitable[object]) -> KalshiError:
    with pytest.raises(KalshiError) as caught:
        await awaited
    return caught.value


# -- the same request again


@pytest.mark.parametrize("failure", NOT_SENT + AMBIGUOUS, ids=NAMES)
def test_the_same_bytes_go_out_again_signed_anew(failure: Answer) -> None:
    async def main() -> None:
        venue = Venue(failure, failure, accepted)
        async with venue.client() as kalshi:
            placed = await place(kalshi)
        assert not placed.recovered
        assert placed.client_order_id == NAME
        assert placed.ticker == TICKER
        assert placed.remaining_count == Decimal(10)
        assert len(venue.placing.requests) == 3
        assert len({(each.body, each.url) for each in venue.placing.requests}) == 1
        assert venue.looks.requests == []
        stamps = []
        for headers, when in zip(venue.placing.headers, venue.placing.times, strict=True):
            stamp = headers["KALSHI-ACCESS-TIMESTAMP"]
            path = "/trade-api/v2/portfolio/events/orders"
            signature = base64.b64decode(headers["KALSHI-ACCESS-SIGNATURE"])
            KEY.public_key().verify(signature, f"{stamp}POST{path}".encode())
            assert int(stamp) == int((NOON + when) * 1000)
            stamps.append(stamp)
        assert len(set(stamps)) == 3

    in_virtual_time(main)


@pytest.mark.parametrize("failure", NOT_SENT, ids=NAMES[:2])
def test_what_never_reached_the_exchange_is_certainly_not_placed(failure: Answer) -> None:
    async def main() -> None:
        venue = Venue(failure)
        async with venue.client() as kalshi:
            error = await error_of(place(kalshi))
        assert isinstance(error, ConnectionFailedError | RateLimitError)
        assert not error.outcome_unknown
        assert error.attempts == len(venue.placing.requests) == 5
        assert venue.looks.requests == []

    in_virtual_time(main)


# -- placed before, and found


@pytest.mark.parametrize("empty_looks", [0, 2, 5])
@pytest.mark.parametrize("failure", AMBIGUOUS, ids=NAMES[2:])
def test_an_order_that_exists_is_found(failure: Answer, empty_looks: int) -> None:
    async def main() -> None:
        venue = Venue(failure, answer(EXISTS, 409))
        venue.looks.script = [EMPTY] * empty_looks + [venue.shown(fill_count_fp="3.00")]
        async with venue.client() as kalshi:
            placed = await place(kalshi)
        assert placed.recovered
        assert (placed.order_id, placed.client_order_id) == (f"id-of-{NAME}", NAME)
        assert placed.ticker == TICKER
        assert placed.fill_count == Decimal(3)
        times = venue.looks.times
        assert len(times) == empty_looks + 1
        pauses = [round(after - before, 6) for before, after in pairwise(times)]
        assert pauses == [0.1, 0.2, 0.4, 0.8, 1.6][:empty_looks]
        assert f"ticker={TICKER}" in venue.looks.requests[0].url
        assert f"min_ts={int(NOON) - 60}" in venue.looks.requests[0].url
        # It may be one of long ago: then the time must not keep it out.
        assert all("min_ts" in each.url for each in venue.looks.requests[:3])
        assert all("min_ts" not in each.url for each in venue.looks.requests[3:])

    in_virtual_time(main)


def test_a_single_attempt_that_was_lost_is_looked_for_as_well() -> None:
    async def main() -> None:
        venue = Venue(LOST)
        venue.looks.script = [answer(status=503), EMPTY, venue.shown()]
        async with venue.client(retry=None) as kalshi:
            assert (await place(kalshi)).recovered
        assert len(venue.placing.requests) == 1

    in_virtual_time(main)


@pytest.mark.parametrize(
    "unreadable", [b"", b"{", b"[]", b'{"fill_count":"0.00"}'], ids=["empty", "half", "list", "id"]
)
def test_an_answer_that_cannot_be_read_means_that_it_was_placed(unreadable: bytes) -> None:
    async def main() -> None:
        venue = Venue(answer(unreadable, 201))
        venue.looks.script = [EMPTY, venue.shown()]
        async with venue.client() as kalshi:
            assert (await place(kalshi)).recovered
            venue.looks.script = [EMPTY]
            error = await error_of(place(kalshi))
            assert isinstance(error, OrderStatusUnknown)
        assert len(venue.placing.requests) == 2

    in_virtual_time(main)


def test_an_error_under_a_success_is_looked_into() -> None:
    async def main() -> None:
        venue = Venue(answer(POOR, 201))
        venue.looks.script = [venue.shown()]
        async with venue.client(retry=None) as kalshi:
            assert (await place(kalshi)).recovered
            venue.looks.script = [EMPTY]
            assert isinstance(await error_of(place(kalshi)), OrderStatusUnknown)

    in_virtual_time(main)


# -- refused


@pytest.mark.parametrize(
    ("status", "code", "details", "kind"),
    [
        (400, "insufficient_balance", "", InsufficientBalanceError),
        (400, "invalid_order", "", InvalidOrderError),
        (400, "invalid_order", "post only cross", PostOnlyCrossError),
        (400, "invalid_price", "", InvalidPriceError),
        (400, "MARKET_NOT_ACTIVE", "", MarketNotActiveError),
        (400, "order_group_triggered", "", OrderGroupTriggeredError),
        (409, "fill_or_kill_insufficient_resting_volume", "", FillOrKillError),
        (409, "trading_is_paused", "", TradingPausedError),
        (418, "teapot", "", APIError),
    ],
)
def test_a_refusal_is_the_error_of_its_code(
    status: int, code: str, details: str, kind: type[APIError]
) -> None:
    async def main() -> None:
        said = {"error": {"code": code, "message": code, "details": details}}
        venue = Venue(answer(said, status))
        async with venue.client() as kalshi:
            error = await error_of(place(kalshi))
        assert type(error) is kind
        assert isinstance(error, APIError)
        assert (error.code, error.status) == (code, status)
        assert not error.outcome_unknown
        assert len(venue.placing.requests) == 1
        assert venue.looks.requests == []

    in_virtual_time(main)


SHORT = Certainty(lag=0.5, grace=2.0, patience=30.0)


@pytest.mark.parametrize("shown", [True, False], ids=["placed", "never placed"])
def test_a_refusal_after_a_lost_answer_proves_nothing(shown: bool) -> None:
    """The money may be gone because the first attempt took it."""

    async def main() -> None:
        venue = Venue(LOST, answer(POOR, 400))
        venue.looks.script = [EMPTY, venue.shown()] if shown else [EMPTY]
        async with venue.client(certainty=SHORT) as kalshi:
            if shown:
                assert (await place(kalshi)).recovered
                return
            error = await error_of(place(kalshi))
            assert isinstance(error, InsufficientBalanceError)
            assert not error.outcome_unknown
            assert "proved not to have been placed" in error.__notes__[0]
            assert venue.looks.times[-1] >= venue.placing.times[-1] + 2.5

    in_virtual_time(main)


def test_a_fill_or_kill_order_that_was_killed_is_not_placed() -> None:
    async def main() -> None:
        fok = {"time_in_force": "fill_or_kill"}
        for second in (answer(EXISTS, 409), answer(KILLED, 409), answer(POOR, 400)):
            venue = Venue(LOST, second)
            venue.looks.script = [venue.shown(status="canceled", remaining_count_fp="0.00")]
            async with venue.client() as kalshi:
                error = await error_of(place(kalshi, **fok))
                assert isinstance(error, FillOrKillError)
                assert not error.outcome_unknown
                assert error.operation == "CreateOrderV2"
        venue = Venue(LOST, answer(EXISTS, 409))
        venue.looks.script = [venue.shown(status="executed", fill_count_fp="10.00")]
        async with venue.client() as kalshi:
            assert (await place(kalshi, **fok)).fill_count == 10

    in_virtual_time(main)


# -- an id that was used before


@pytest.mark.parametrize("doubt", [False, True], ids=["at once", "after a lost answer"])
@pytest.mark.parametrize(
    "other",
    [
        {"book_side": "ask"},
        {"yes_price_dollars": "0.6100"},
        {"initial_count_fp": "9.00"},
    ],
)
def test_an_id_that_another_order_has(doubt: bool, other: dict[str, Any]) -> None:
    async def main() -> None:
        exists = answer(EXISTS, 409)
        venue = Venue(*([LOST] if doubt else []), exists)
        venue.looks.script = [EMPTY, venue.shown(**other)]
        async with venue.client() as kalshi:
            error = await error_of(place(kalshi))
        assert isinstance(error, OrderExistsError)
        assert error.existing is not None
        assert error.existing.order_id == f"id-of-{NAME}"
        assert not error.outcome_unknown

    in_virtual_time(main)


def test_another_order_of_the_id_is_found_where_nobody_spoke_of_it() -> None:
    async def main() -> None:
        venue = Venue(LOST)
        venue.looks.script = [venue.shown(book_side="ask")]
        async with venue.client(retry=None) as kalshi:
            error = await error_of(place(kalshi))
        assert isinstance(error, OrderExistsError)
        assert isinstance(error.__cause__, ConnectionLostError)
        assert not error.outcome_unknown

    in_virtual_time(main)


def test_a_lost_order_that_was_amended_since_is_still_the_one() -> None:
    async def main() -> None:
        venue = Venue(LOST, answer(EXISTS, 409))
        venue.looks.script = [
            venue.shown(yes_price_dollars="0.6100", last_update_time="2099-01-01T00:00:00Z")
        ]
        async with venue.client() as kalshi:
            assert (await place(kalshi)).recovered

    in_virtual_time(main)


@pytest.mark.parametrize("doubt", [False, True], ids=["at once", "after a lost answer"])
def test_the_same_order_again_is_the_order_of_the_first_time(doubt: bool) -> None:
    """However long ago: the list is then read without a bound in time."""

    async def main() -> None:
        venue = Venue(*([LOST] if doubt else []), answer(EXISTS, 409))
        old = venue.shown(created_time="2026-01-01T00:00:00Z")

        def look(request: Any) -> Any:
            return EMPTY(request) if "min_ts" in request.url else old(request)  # type: ignore[operator]

        venue.looks.script = [look]
        async with venue.client() as kalshi:
            placed = await place(kalshi)
        assert placed.recovered
        assert len(venue.looks.requests) == (4 if doubt else 1)

    in_virtual_time(main)


def test_an_id_whose_order_is_nowhere_to_be_found() -> None:
    async def main() -> None:
        venue = Venue(answer(EXISTS, 409))
        async with venue.client() as kalshi:
            error = await error_of(place(kalshi))
            assert isinstance(error, OrderExistsError)
            assert error.existing is None
            assert not error.outcome_unknown
            assert anyio.current_time() == pytest.approx(5.0, abs=0.01)

    in_virtual_time(main)


# -- deadlines


def test_a_deadline_that_is_over_before_anything_is_sent() -> None:
    async def main() -> None:
        slow = RateLimits(write=BucketLimits(1, 10))
        venue = Venue(accepted)
        async with venue.client(limits=slow) as kalshi:
            await place(kalshi)
            error = await error_of(place(kalshi, client_order_id="second", deadline=3))
            assert type(error) is DeadlineExceededError
            assert not error.outcome_unknown
            assert not error.may_have_reached_server
            assert anyio.current_time() == pytest.approx(3.0)
        assert len(venue.placing.requests) == 1

    in_virtual_time(main)


@pytest.mark.parametrize("stage", ["sending", "back-off", "looking"])
def test_a_deadline_that_is_over_after_something_was_sent(stage: str) -> None:
    async def main() -> None:
        scripts: dict[str, tuple[Answer, ...]] = {
            "sending": (accepted,),
            "back-off": (answer(status=503),),
            "looking": (LOST, answer(EXISTS, 409)),
        }
        venue = Venue(*scripts[stage], latency=10.0 if stage == "sending" else 0.01)
        async with venue.client() as kalshi:
            error = await error_of(place(kalshi, deadline=0.5))
            assert isinstance(error, OrderStatusUnknown)
            assert error.client_order_id == NAME
            assert anyio.current_time() == pytest.approx(0.5)

    in_virtual_time(main)


def test_a_deadline_that_is_over_when_only_a_429_came() -> None:
    async def main() -> None:
        venue = Venue(answer(status=429))
        async with venue.client() as kalshi:
            error = await error_of(place(kalshi, deadline=0.3))
        assert isinstance(error, DeadlineExceededError | RateLimitError)
        assert not error.outcome_unknown

    in_virtual_time(main)


def test_server_errors_all_the_way_end_in_not_knowing() -> None:
    async def main() -> None:
        venue = Venue(answer(status=500))
        async with venue.client() as kalshi:
            error = await error_of(place(kalshi))
        assert isinstance(error, OrderStatusUnknown)
        assert isinstance(error.__cause__, ServerError)
        assert error.attempts == 5

    in_virtual_time(main)
