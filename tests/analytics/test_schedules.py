"""Which fees hold: series, override, scheduled changes, waivers; and what the exchange charges."""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest
import pytest_asyncio

from kalshi_async import InvalidRequestError, KalshiClient, NotFoundError, UnknownFeeTypeError
from kalshi_async.analytics.schedules import FeeSchedules, _Kept, resolve
from kalshi_async.models import Event, EventFeeChange, Market, Series, SeriesFeeChange
from kalshi_async.sandbox import Sandbox

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
SERIES = Series(ticker="KXA", fee_type="quadratic", fee_multiplier=Decimal(1))
EVENT = Event(event_ticker="KXA-26NOV01", series_ticker="KXA")


def change(
    after: timedelta, fee_type: str, multiplier: str, series: str = "KXA"
) -> SeriesFeeChange:
    return SeriesFeeChange(
        id="c",
        series_ticker=series,
        fee_type=fee_type,
        fee_multiplier=Decimal(multiplier),
        scheduled_ts=NOW + after,
    )


def override(
    after: timedelta, fee_type: str | None, multiplier: str | None, event: str = "KXA-26NOV01"
) -> EventFeeChange:
    return EventFeeChange(
        id="c",
        event_ticker=event,
        fee_type_override=fee_type,
        fee_multiplier_override=None if multiplier is None else Decimal(multiplier),
        scheduled_ts=NOW + after,
    )


def test_the_series_rules_where_nothing_else_does() -> None:
    found = resolve(SERIES, EVENT, at=NOW)
    assert (found.fee_type, found.multiplier, found.series) == ("quadratic", 1, "KXA")
    assert resolve(SERIES).multiplier == 1


def test_each_part_of_an_override_replaces_that_of_the_series() -> None:
    cheaper = Event(
        event_ticker="KXA-1", series_ticker="KXA", fee_multiplier_override=Decimal("0.5")
    )
    assert resolve(SERIES, cheaper, at=NOW).multiplier == Decimal("0.5")
    assert resolve(SERIES, cheaper, at=NOW).fee_type == "quadratic"
    other = Event(
        event_ticker="KXA-1", series_ticker="KXA", fee_type_override="quadratic_with_maker_fees"
    )
    assert resolve(SERIES, other, at=NOW).maker_share == Decimal("0.25")
    free = Event(event_ticker="KXA-1", series_ticker="KXA", fee_multiplier_override=Decimal(0))
    assert resolve(SERIES, free, at=NOW).taker(10, "0.5") == 0


def test_changes_hold_from_their_moment_on() -> None:
    changes = [
        change(2 * HOUR, "quadratic_with_maker_fees", "2"),
        change(HOUR, "quadratic", "3"),
        change(-HOUR, "quadratic", "9", series="KXB"),
    ]

    def multiplier(at: datetime) -> Decimal:
        return resolve(SERIES, EVENT, at=at, series_changes=changes).multiplier

    assert multiplier(NOW) == 1
    assert multiplier(NOW + HOUR) == 3
    assert multiplier(NOW + 2 * HOUR - timedelta(microseconds=1)) == 3
    assert multiplier(NOW + 2 * HOUR) == 2


def test_an_override_comes_and_goes() -> None:
    changes = [
        override(HOUR, "quadratic", "0.5"),
        override(2 * HOUR, None, None),
        override(-HOUR, "quadratic", "9", event="KXA-26NOV02"),
    ]

    def multiplier(at: datetime) -> Decimal:
        return resolve(SERIES, EVENT, at=at, event_changes=changes).multiplier

    assert [multiplier(NOW + hours * HOUR) for hours in range(3)] == [1, Decimal("0.5"), 1]


def test_a_waiver_ends() -> None:
    market = Market(
        ticker="KXA-26NOV01-T1", event_ticker="KXA-26NOV01", fee_waiver_expiration_time=NOW
    )
    assert resolve(SERIES, EVENT, market, at=NOW - HOUR).multiplier == 0
    assert resolve(SERIES, EVENT, market, at=NOW).multiplier == 1


def test_what_has_no_formula_names_the_series() -> None:
    flat = Series(ticker="KXFLAT", fee_type="flat", fee_multiplier=Decimal(1))
    with pytest.raises(UnknownFeeTypeError, match="series KXFLAT"):
        resolve(flat)
    with pytest.raises(UnknownFeeTypeError, match="'tiered' of series KXA"):
        resolve(SERIES, at=NOW, series_changes=[change(-HOUR, "tiered", "1")])


def test_what_does_not_belong_together() -> None:
    with pytest.raises(InvalidRequestError, match="is of series KXB, not KXA"):
        resolve(SERIES, Event(event_ticker="KXB-1", series_ticker="KXB"))
    with pytest.raises(InvalidRequestError, match="is of event KXA-2, not KXA-26NOV01"):
        resolve(SERIES, EVENT, Market(ticker="KXA-2-T1", event_ticker="KXA-2"))
    with pytest.raises(InvalidRequestError, match="expected a datetime with a time zone"):
        resolve(SERIES, at=datetime(2026, 11, 1))  # noqa: DTZ001
    with pytest.raises(InvalidRequestError, match="does not tell its fee_type"):
        resolve(Series(ticker="KXA"))


# Asked of the exchange


@pytest_asyncio.fixture
async def floor() -> AsyncIterator[tuple[Sandbox, KalshiClient]]:
    async with (
        Sandbox.serve(seed=7, markets=300, tier=None) as exchange,
        exchange.client(limits=None) as kalshi,
    ):
        yield exchange, kalshi


async def test_fees_are_asked_for_once(floor: tuple[Sandbox, KalshiClient]) -> None:
    exchange, kalshi = floor
    schedules = FeeSchedules(kalshi)
    market = await kalshi.markets.get("KXFED-26MAR19")
    found = [await schedules.of(market) for _ in range(3)]
    assert {each.fee_type for each in found} == {"quadratic_with_maker_fees"}
    assert found[0].series == "KXFED"
    asked = exchange.requests
    assert asked["GetSeries", 200] == asked["GetEvent", 200] == 1
    assert asked["GetSeriesFeeChanges", 200] == asked["GetEventFeeChanges", 200] == 1
    event = await kalshi.events.get("KXFED-26MAR19")
    assert await schedules.of(event) == found[0]
    assert await schedules.of("KXFED-26MAR19") == found[0]
    assert asked["GetSeries", 200] == 1


async def test_what_is_too_old_is_read_again(floor: tuple[Sandbox, KalshiClient]) -> None:
    exchange, kalshi = floor
    schedules = FeeSchedules(kalshi, keep=-1)
    event = await kalshi.events.get("KXFED-26MAR19")
    for _ in range(2):
        await schedules.of(event)
    assert exchange.requests["GetSeries", 200] == 2
    with pytest.raises(NotFoundError):
        await schedules.of("KXNONE-26MAR19")


class Changing:
    """An exchange whose series changes its fees at noon; then the change is listed no more."""

    def __init__(self) -> None:
        self.series = self.events = self
        self.noon = False

    async def get(self, _ticker: str, **_options: object) -> Series:
        return Series(
            ticker="KXA",
            fee_type="quadratic",
            fee_multiplier=Decimal(2 if self.noon else 1),
        )

    async def read(self) -> list[SeriesFeeChange]:
        return [] if self.noon else [change(timedelta(0), "quadratic", "2")]

    def fee_changes(self) -> Changes:
        return Changes(self)


class Changes:
    """Its changes, awaited or collected: none of events."""

    def __init__(self, exchange: Changing) -> None:
        self._exchange = exchange

    def __await__(self) -> Generator[object, None, SimpleNamespace]:
        items = yield from self._exchange.read().__await__()
        return SimpleNamespace(items=items)

    async def collect(self) -> list[EventFeeChange]:
        return []


async def test_a_change_is_not_lost_when_the_exchange_lists_it_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    exchange, seconds = Changing(), [0.0]
    monkeypatch.setattr("anyio.current_time", lambda: seconds[0])
    schedules = FeeSchedules(
        exchange,  # type: ignore[arg-type]
        keep=300,
        clock=lambda: NOW + timedelta(seconds=seconds[0] - 300),
    )
    other = Event(event_ticker="KXB-1", series_ticker="KXA")
    await schedules._changes.get("", schedules._read_changes)
    seconds[0] = 299.0
    assert (await schedules.of(other)).multiplier == 1
    seconds[0], exchange.noon = 301.0, True
    assert (await schedules.of(other)).multiplier == 2


async def test_the_exchange_charges_what_was_reckoned(
    floor: tuple[Sandbox, KalshiClient],
) -> None:
    exchange, kalshi = floor
    schedule = await FeeSchedules(kalshi).of("KXFED-26MAR19")
    rival = exchange.add_account(deposit="10000.00")
    async with exchange.client(
        limits=None, api_key_id=rival.api_key_id, private_key=rival.private_key_pem
    ) as other:
        before = (await kalshi.markets.orderbook("KXFED-26MAR19")).best_yes_ask
        assert before is not None
        price = before - Decimal("0.01")
        await other.orders.sell("KXFED-26MAR19", "yes", count="12.34", price=price)
        placed = await kalshi.orders.buy("KXFED-26MAR19", "yes", count="12.34", price=price)
        (mine,) = (await kalshi.portfolio.fills(order_id=placed.order_id)).items
        (theirs,) = (await other.portfolio.fills(ticker="KXFED-26MAR19")).items
    assert mine.fee_cost == schedule.taker("12.34", price)
    assert theirs.fee_cost == schedule.maker("12.34", price, "sell") > 0


async def test_what_was_being_read_when_it_was_forgotten_is_not_kept() -> None:
    kept, answers = _Kept[int](300), iter([1, 2])

    async def read() -> int:
        found = next(answers)
        if found == 1:
            kept.forget()  # as a change that took effect makes another task do
        return found

    assert [await kept.get("A", read) for _ in range(3)] == [1, 2, 2]
