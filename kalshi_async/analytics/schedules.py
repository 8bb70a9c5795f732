"""Which fees hold in a market: the event's override, else the series', as changes take effect."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Generic, TypeVar

import anyio

from .._amounts import shown
from .._errors import InvalidRequestError
from ..models.events import Event, EventFeeChange
from ..models.markets import Market
from ..models.series import Series, SeriesFeeChange
from ._exact import ZERO
from ._schedule import STEP, FeeSchedule

if TYPE_CHECKING:
    from .._client import KalshiClient

C = TypeVar("C", SeriesFeeChange, EventFeeChange)
T = TypeVar("T")


def resolve(
    series: Series,
    event: Event | None = None,
    market: Market | None = None,
    *,
    at: datetime | None = None,
    series_changes: Iterable[SeriesFeeChange] = (),
    event_changes: Iterable[EventFeeChange] = (),
    step: Decimal = STEP,
) -> FeeSchedule:
    """The fees of a market at one moment.

    The series' fees hold; a change of them that is scheduled for ``at`` or before replaces them.
    Where the event (or the last change of its override that is due) has an override, each part of
    it that is set replaces that of the series. Until a market's fee waiver expires nobody pays.

    Args:
        series: The series, read now: what it says is what holds where no change is due.
        event: The event, for its override.
        market: The market, for its waiver.
        at: The moment; None for now. No earlier than the moment at which the others were read.
        series_changes: Scheduled changes (``series.fee_changes``); others' are passed over.
        event_changes: Scheduled changes (``events.fee_changes``); others' are passed over.
        step: 0.0001, or 0.01 for an account behind a broker.

    Raises:
        UnknownFeeTypeError: A fee type whose formula is not known; the series is named.
        InvalidRequestError: ``at`` has no time zone, the parts do not belong together, or the
            series does not tell its fees.
    """
    moment = _moment(at)
    _check_family(series, event, market)
    fee_type, multiplier = series.fee_type, series.fee_multiplier
    change = _due((each for each in series_changes if each.series_ticker == series.ticker), moment)
    if change is not None:
        fee_type, multiplier = change.fee_type, change.fee_multiplier
    if event is not None:
        override = _override(event, event_changes, moment)
        fee_type = fee_type if override[0] is None else override[0]
        multiplier = multiplier if override[1] is None else override[1]
    if fee_type is None or multiplier is None:
        raise InvalidRequestError(
            f"series {series.ticker} does not tell its fee_type and fee_multiplier; read it with "
            "series.get"
        )
    waived = market.fee_waiver_expiration_time if market is not None else None
    if waived is not None and moment < waived:
        multiplier = ZERO
    return FeeSchedule(fee_type, multiplier, series.ticker, step)


def _override(
    event: Event, changes: Iterable[EventFeeChange], moment: datetime
) -> tuple[str | None, Decimal | None]:
    """Fee type and multiplier that the event sets for itself; None for what it leaves alone."""
    own = (each for each in changes if each.event_ticker == event.event_ticker)
    change = _due(own, moment)
    if change is not None:
        return change.fee_type_override, change.fee_multiplier_override
    return event.fee_type_override, event.fee_multiplier_override


def _due(changes: Iterable[C], moment: datetime) -> C | None:
    """The last change that is in force; None before the first."""
    due = [each for each in changes if each.scheduled_ts <= moment]
    return max(due, key=lambda each: each.scheduled_ts, default=None)


def _check_family(series: Series, event: Event | None, market: Market | None) -> None:
    if event is not None and event.series_ticker not in (None, series.ticker):
        raise InvalidRequestError(
            f"event {event.event_ticker} is of series {event.series_ticker}, not {series.ticker}"
        )
    if event is not None and market is not None and market.event_ticker != event.event_ticker:
        raise InvalidRequestError(
            f"market {market.ticker} is of event {market.event_ticker}, not {event.event_ticker}"
        )


def _moment(at: datetime | None) -> datetime:
    if at is None:
        return datetime.now(UTC)
    if not isinstance(at, datetime) or at.utcoffset() is None:
        raise InvalidRequestError(f"at is {shown(at)}; expected a datetime with a time zone")
    return at


class FeeSchedules:
    """The fees of markets, asked for when first needed and kept for a while.

    Serves all tasks of its client; what several want at once is asked for once.

    Args:
        client: What asks the exchange. Public calls only.
        keep: Seconds after which what was read is read again.
        step: 0.0001, or 0.01 for an account behind a broker.
        clock: The time at which fees are looked at; now, if left out.
    """

    def __init__(
        self,
        client: KalshiClient,
        *,
        keep: float = 300.0,
        step: Decimal = STEP,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._client, self._step, self._clock = client, step, clock
        self._series: _Kept[Series] = _Kept(keep)
        self._events: _Kept[Event] = _Kept(keep)
        self._changes: _Kept[tuple[list[SeriesFeeChange], list[EventFeeChange]]] = _Kept(keep)

    async def of(self, subject: Market | Event | str) -> FeeSchedule:
        """The fees of a market (also by its ticker), or of all markets of an event.

        For an event, waivers of single markets are not counted in.

        Raises:
            InvalidRequestError: No market, event or ticker.
            NotFoundError: There is no such market, event or series.
            UnknownFeeTypeError: A fee type whose formula is not known; the series is named.
            KalshiError: They could not be read.

        Cancelling is safe.
        """
        if not isinstance(subject, Market | Event | str):
            raise InvalidRequestError(
                f"subject is {shown(subject)}; expected a Market, an Event, or a market's ticker"
            )
        if isinstance(subject, str):
            subject = await self._client.markets.get(subject)
        of_series, of_events = await self._changes.get("", self._read_changes)
        market = subject if isinstance(subject, Market) else None
        if isinstance(subject, Event):
            event = subject
        else:
            ticker = subject.event_ticker
            event = await self._events.get(
                ticker, lambda: self._client.events.get(ticker, exclude_markets=True)
            )
        name = event.series_ticker
        series = await self._series.get(name, lambda: self._client.series.get(name))
        return resolve(
            series,
            event,
            market,
            at=self._clock(),
            series_changes=of_series,
            event_changes=of_events,
            step=self._step,
        )

    async def _read_changes(self) -> tuple[list[SeriesFeeChange], list[EventFeeChange]]:
        of_series = await self._client.series.fee_changes()
        of_events = await self._client.events.fee_changes().collect()
        # A change that took effect is listed no more: what was read before it is out of date.
        self._series.forget()
        self._events.forget()
        return list(of_series.items), list(of_events)


class _Kept(Generic[T]):
    """Answers by name, each read once for as long as it is kept."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._found: dict[str, tuple[float, T]] = {}
        self._reading: dict[str, anyio.Lock] = {}
        self._era = 0

    async def get(self, name: str, read: Callable[[], Awaitable[T]]) -> T:
        """What is kept under a name; read where it is missing or too old."""
        async with self._reading.setdefault(name, anyio.Lock()):
            found, era = self._found.get(name), self._era
            if found is None or anyio.current_time() - found[0] > self._seconds:
                found = anyio.current_time(), await read()
                if era == self._era:  # else it may be older than what it was forgotten for
                    self._found[name] = found
            return found[1]

    def forget(self) -> None:
        """Read everything again."""
        self._found.clear()
        self._era += 1
