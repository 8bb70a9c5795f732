"""What the client tells about its work: frozen events, the Hook protocol, counters, a logging hook.

Events name operations, statuses and durations. No event carries a header, a key or a signature.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from ._decode import Undecoded
from ._errors import KalshiError, OrderStatusUnknown
from ._repair import Drift
from ._stream_events import (
    StreamDisconnected,
    StreamEvent,
    StreamGap,
    StreamRetrying,
    StreamSlow,
    StreamStale,
    StreamUnreadable,
)

logger = logging.getLogger("kalshi_async")


@dataclass(frozen=True, slots=True)
class RequestSent:
    """An attempt was handed to the HTTP library."""

    operation: str
    attempt: int


@dataclass(frozen=True, slots=True)
class ResponseReceived:
    """An attempt was answered; ``elapsed`` in seconds, ``size`` in bytes of body."""

    operation: str
    attempt: int
    status: int
    elapsed: float
    size: int


@dataclass(frozen=True, slots=True)
class AttemptFailed:
    """An attempt ended in an error; whether it is tried again shows in ``Retrying``."""

    operation: str
    attempt: int
    error: KalshiError


@dataclass(frozen=True, slots=True)
class Retrying:
    """The call goes on after ``wait`` seconds of back-off."""

    operation: str
    attempt: int
    wait: float
    error: KalshiError


@dataclass(frozen=True, slots=True)
class Throttled:
    """An attempt waited ``waited`` seconds for tokens of ``bucket``."""

    operation: str
    bucket: str
    waited: float


@dataclass(frozen=True, slots=True)
class ClockCorrected:
    """The exchange's clock is ``offset`` seconds ahead of this machine's; signatures follow it."""

    offset: float


@dataclass(frozen=True, slots=True)
class SchemaDrift:
    """An answer held fields or items that this version cannot read."""

    operation: str
    drift: tuple[Drift, ...] = ()
    undecoded: tuple[Undecoded, ...] = ()


@dataclass(frozen=True, slots=True)
class OrderRecovered:
    """The answer to placing an order was lost, and the order was found."""

    client_order_id: str
    order_id: str
    ticker: str | None


@dataclass(frozen=True, slots=True)
class OrderUnknown:
    """A placement ended and only the exchange knows whether it was carried out."""

    client_order_id: str
    ticker: str
    error: OrderStatusUnknown


Event = (
    RequestSent
    | ResponseReceived
    | AttemptFailed
    | Retrying
    | Throttled
    | ClockCorrected
    | SchemaDrift
    | OrderRecovered
    | OrderUnknown
    | StreamEvent
)


class Hook(Protocol):
    """Called with each event, in the task that made it; must return quickly and not raise.

    An exception from a hook is logged and otherwise ignored: watching must not break trading.
    """

    def __call__(self, event: Event, /) -> None: ...


_TROUBLE = (
    Retrying,
    ClockCorrected,
    SchemaDrift,
    OrderUnknown,
    StreamDisconnected,
    StreamGap,
    StreamRetrying,
    StreamSlow,
    StreamStale,
    StreamUnreadable,
)


class LoggingHook:
    """Writes events to a logger: trouble at WARNING, all else at DEBUG."""

    def __init__(self, log: logging.Logger = logger) -> None:
        self._log = log

    def __call__(self, event: Event, /) -> None:
        trouble = isinstance(event, _TROUBLE)
        self._log.log(logging.WARNING if trouble else logging.DEBUG, "%s", event)


@dataclass(slots=True)
class Stats:
    """Counters of one client since it was made; read them at any time.

    Attributes:
        calls: Calls begun.
        attempts: Requests handed to the HTTP library.
        responses: Answers by HTTP status.
        retries: Attempts that followed a back-off.
        rate_limited: Answers with 429.
        failures: Calls that ended in an error.
        throttled: Attempts that had to wait for tokens.
        throttled_seconds: How long they waited, summed up.
        bytes_received: Body bytes, after decompression.
        drifted_fields: Fields set aside so that their object could be read.
        undecoded_items: List items that could not be read.
        recovered_orders: Orders whose answer was lost and that were found.
        unknown_orders: Placements that ended without anybody but the exchange knowing how.
        hook_errors: Exceptions that came out of hooks.
    """

    calls: int = 0
    attempts: int = 0
    responses: dict[int, int] = field(default_factory=dict)
    retries: int = 0
    rate_limited: int = 0
    failures: int = 0
    throttled: int = 0
    throttled_seconds: float = 0.0
    bytes_received: int = 0
    drifted_fields: int = 0
    undecoded_items: int = 0
    recovered_orders: int = 0
    unknown_orders: int = 0
    hook_errors: int = 0


class Telemetry:
    """Counts events and passes them on to the hooks."""

    def __init__(self, hooks: Iterable[Hook] = (), stats: Stats | None = None) -> None:
        self.hooks = tuple(hooks)
        self.stats = stats or Stats()

    def sent(self, operation: str, attempt: int) -> None:
        self.stats.attempts += 1
        if self.hooks:
            self.emit(RequestSent(operation, attempt))

    def received(
        self, operation: str, attempt: int, status: int, elapsed: float, size: int
    ) -> None:
        stats = self.stats
        stats.responses[status] = stats.responses.get(status, 0) + 1
        stats.bytes_received += size
        if status == 429:
            stats.rate_limited += 1
        if self.hooks:
            self.emit(ResponseReceived(operation, attempt, status, elapsed, size))

    def failed(self, operation: str, attempt: int, error: KalshiError) -> None:
        if self.hooks:
            self.emit(AttemptFailed(operation, attempt, error))

    def retrying(self, operation: str, attempt: int, wait: float, error: KalshiError) -> None:
        self.stats.retries += 1
        if self.hooks:
            self.emit(Retrying(operation, attempt, wait, error))

    def throttled(self, operation: str, bucket: str, waited: float) -> None:
        self.stats.throttled += 1
        self.stats.throttled_seconds += waited
        if self.hooks:
            self.emit(Throttled(operation, bucket, waited))

    def clock_corrected(self, offset: float) -> None:
        logger.warning("clock is off by %+.1f s against the exchange; corrected", offset)
        self.emit(ClockCorrected(offset))

    def drifted(
        self, operation: str, drift: tuple[Drift, ...], undecoded: tuple[Undecoded, ...]
    ) -> None:
        self.stats.drifted_fields += len(drift)
        self.stats.undecoded_items += len(undecoded)
        if undecoded:
            logger.warning(
                "%s: %d items could not be read: %s",
                operation,
                len(undecoded),
                undecoded[0].problem,
            )
        self.emit(SchemaDrift(operation, drift, undecoded))

    def order_recovered(self, client_order_id: str, order_id: str, ticker: str | None) -> None:
        self.stats.recovered_orders += 1
        if self.hooks:
            self.emit(OrderRecovered(client_order_id, order_id, ticker))

    def order_unknown(self, error: OrderStatusUnknown) -> None:
        self.stats.unknown_orders += 1
        logger.warning("%s", error)
        self.emit(OrderUnknown(error.client_order_id, error.ticker, error))

    def emit(self, event: Event) -> None:
        for hook in self.hooks:
            try:
                hook(event)
            except Exception:
                self.stats.hook_errors += 1
                logger.exception("hook %r failed", hook)
