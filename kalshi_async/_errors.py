"""Every error this package raises.

    KalshiError
    ├── ConfigurationError          a setting is wrong; nothing was sent            (ValueError)
    ├── InvalidRequestError         an argument is wrong; nothing was sent          (ValueError)
    ├── ClientClosedError           the client was closed
    ├── PaginationError             a cursor came twice: the list would never end
    ├── DecodeError                 a 2xx answer that cannot be read
    ├── TransportError              no answer
    │   ├── ConnectionFailedError   no connection: the request was not sent
    │   ├── ConnectionLostError     the connection broke after sending began
    │   └── RequestTimeoutError     one attempt took longer than ``timeout``        (TimeoutError)
    ├── UnknownFeeTypeError         no formula is known for the fees of a series
    ├── DeadlineExceededError       the whole call took longer than ``deadline``    (TimeoutError)
    ├── JournalError                the journal cannot be written; nothing was sent
    ├── OrderStatusUnknown          only the exchange knows whether an order was placed
    ├── StreamError                 a live stream cannot go on; see ``_stream_errors``
    │   ├── BookError               a change that does not fit its order book
    │   ├── FrameError              a frame that is no message of the exchange
    │   ├── SlowConsumer            a consumer did not keep pace; its subscription ended
    │   ├── StaleBookError          an order book that may be out of date was read
    │   ├── StreamClosedError       the stream, or the subscription, was closed
    │   ├── StreamLostError         no connection could be kept
    │   └── SubscriptionRefusedError  the exchange refused a subscription, or ended it
    ├── PlacementInterrupted        broken off amid many orders; carries what is known of each
    ├── RekkoError                  the intelligence API; see ``_rekko_errors``
    │   ├── AnalysisFailedError     a run of an analysis ended without one
    │   ├── AnalysisPendingError    a run has not ended in time; it goes on     (TimeoutError)
    │   └── WebhookSignatureError   a delivery that Rekko did not sign          (ValueError)
    └── APIError                    the exchange, or Rekko, answered with an error
        ├── BadRequestError         400
        │   ├── InsufficientBalanceError
        │   ├── InvalidOrderError
        │   │   └── PostOnlyCrossError
        │   ├── InvalidPriceError
        │   ├── MarketNotActiveError
        │   └── OrderGroupTriggeredError
        ├── AuthenticationError     401
        ├── PermissionDeniedError   403
        ├── NotFoundError           404
        ├── ConflictError           409
        │   ├── FillOrKillError
        │   ├── OrderExistsError
        │   └── TradingPausedError
        ├── DeprecatedError         410
        ├── RateLimitError          429
        │   └── QuotaExceededError  Rekko: the plan's quota is used up
        ├── PlanRequiredError       402, Rekko: the plan does not cover the call
        ├── InvalidParametersError  422, Rekko: a parameter is refused
        └── ServerError             500 and above

What an error knows is in its attributes; ``str(error)`` says the same in one line. No error ever
carries a key, a signature or a passphrase.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .models.orders import Order, PlacedOrder

_LONGEST = 1000


@dataclass(frozen=True, slots=True)
class ErrorBody:
    """What the exchange said about a failure, whichever of its shapes it came in."""

    code: str | None = None
    message: str | None = None
    details: str | None = None
    service: str | None = None


class KalshiError(Exception):
    """The root of all errors of this package.

    Attributes:
        operation: Name of the operation (``"GetMarkets"``), or None outside a call.
        attempts: How many times the request was handed to the network.
        elapsed: Seconds from the start of the call, waits included.
        may_have_reached_server: False only when it is certain that no attempt reached the exchange.
        outcome_unknown: True when an attempt to write something may have been carried out and its
            answer never came.
        cursor: For a list that broke off: the cursor to go on from (see ``Paginator``).
        items: For a list that broke off in ``collect()``: what had been read until then.
    """

    operation: str | None = None
    attempts: int = 0
    elapsed: float = 0.0
    may_have_reached_server: bool = False
    outcome_unknown: bool = False
    cursor: str | None = None
    items: Sequence[object] = ()

    def __init__(self, message: str = "") -> None:
        super().__init__(message)
        self.summary = message

    def _facts(self) -> list[str]:
        facts = []
        if self.attempts:
            facts.append(f"{self.attempts} attempt{'s' if self.attempts != 1 else ''}")
        if self.elapsed:
            facts.append(f"{self.elapsed:.2f} s")
        if self.attempts and not self.may_have_reached_server:
            facts.append("not sent")
        if self.cursor:
            facts.append(f"resume from cursor {self.cursor!r}")
        return facts

    def __reduce__(self) -> tuple[object, ...]:
        # Subclasses take other arguments than Exception would pickle.
        return _restored, (type(self), self.args, self.__dict__)

    def __str__(self) -> str:
        head = f"{self.operation}: {self.summary}" if self.operation else self.summary
        facts = self._facts()
        return f"{head} ({', '.join(facts)})" if facts else head


def _restored(
    kind: type[KalshiError], args: tuple[object, ...], attributes: dict[str, object]
) -> KalshiError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(attributes)
    return error


class ConfigurationError(KalshiError, ValueError):
    """A setting is missing, misspelt or contradictory; the message says what to do."""


class InvalidRequestError(KalshiError, ValueError):
    """An argument that the exchange would refuse, refused before sending."""


class UnknownFeeTypeError(KalshiError, ValueError):
    """The exchange names a fee type whose formula this version does not know.

    Attributes:
        fee_type: What it is called.
        series: The series whose fees they are, None where it was not said.
    """

    def __init__(self, fee_type: str = "", series: str | None = None) -> None:
        where = f" of series {series}" if series else ""
        super().__init__(
            f"the fee type {one_line(fee_type)!r}{where} has no formula here, so that its fees "
            "cannot be known beforehand; what was charged is in fee_cost of each fill"
        )
        self.fee_type = fee_type
        self.series = series


class ClientClosedError(KalshiError):
    """A call on a client that was closed."""


class PaginationError(KalshiError):
    """The exchange sent a cursor a second time; following it would loop for ever."""

    may_have_reached_server = True


class DecodeError(KalshiError):
    """A successful status with a body that is not what the operation returns.

    Attributes:
        status: The HTTP status.
        body: The first bytes of the body, for the report.
    """

    may_have_reached_server = True

    def __init__(self, message: str, *, status: int = 0, body: bytes = b"") -> None:
        super().__init__(message)
        self.status = status
        self.body = body[:500]


class TransportError(KalshiError):
    """No answer; ``may_have_reached_server`` says whether the request may have been acted on."""


class ConnectionFailedError(TransportError):
    """No connection could be made; the request was not sent."""


class ConnectionLostError(TransportError):
    """The connection broke after sending began; the exchange may have acted on the request."""

    may_have_reached_server = True


class RequestTimeoutError(TransportError, TimeoutError):
    """One attempt was not answered within ``timeout`` seconds; it may have reached the exchange."""

    may_have_reached_server = True


class DeadlineExceededError(KalshiError, TimeoutError):
    """The call did not finish within ``deadline`` seconds, waits and retries included.

    The failure of the last attempt, where there was one, is the ``__cause__``.
    """


class JournalError(KalshiError):
    """The journal of orders cannot be written, so that nothing was sent; the message says why."""


Resolver = Callable[[float | None], Awaitable["PlacedOrder | None"]]


class OrderStatusUnknown(KalshiError):  # noqa: N818 - a state of knowledge, not a fault
    """A placement was sent, and whether it was carried out is known to the exchange alone.

    The order may rest or have traded. It was not given up lightly: the same request was repeated
    under its client_order_id, and the account's orders were searched. ``__cause__`` is the last
    failure, or the cancellation that struck.

    Attributes:
        client_order_id: Under which the order is found, if it was placed.
        ticker: Its market.
        sent: The whole request, by the names of the wire.
        sent_at: When the last attempt left, in Unix seconds.
    """

    may_have_reached_server = True
    outcome_unknown = True
    client_order_id: str = ""
    ticker: str = ""
    sent_at: float = 0.0
    _resolver: Resolver | None = None

    def __init__(self, message: str = "") -> None:
        super().__init__(message)
        self.sent: dict[str, object] = {}

    async def resolve(self, *, deadline: float | None = None) -> PlacedOrder | None:
        """Find out. Nothing is placed by this.

        Args:
            deadline: Seconds to look for it; None looks until its absence is proof.

        Returns:
            The order, if it was placed; None when it is certain that it never was and never will
            be.

        Raises:
            OrderStatusUnknown: Still unknown after ``deadline``, or the exchange cannot be asked.

        Cancelling is safe.
        """
        if self._resolver is None:
            raise ConfigurationError(
                "this error came from another process; look for its client_order_id with "
                "orders.list(ticker=...)"
            )
        return await self._resolver(deadline)

    def __reduce__(self) -> tuple[object, ...]:
        attributes = {name: value for name, value in self.__dict__.items() if name != "_resolver"}
        return _restored, (type(self), self.args, attributes)


class PlacementInterrupted(KalshiError):  # noqa: N818 - the caller's own doing, not a fault
    """``place_many`` was cancelled, or its source failed, after something had been sent.

    ``__cause__`` is the cancellation, or the failure of the source.

    Attributes:
        outcomes: What is known of each order that was begun: ``Placed``, ``Rejected``, ``Unknown``.
    """

    may_have_reached_server = True
    outcomes: Sequence[object] = ()


class APIError(KalshiError):
    """The exchange answered, with an error.

    Attributes:
        status: The HTTP status.
        code: Kalshi's code (``"order_already_exists"``), None where the body has none.
        message: Kalshi's message, None where the body has none.
        details: Kalshi's details, None where the body has none.
        service: The part of the exchange that answered, where named.
        retry_after: Seconds after which to ask again; None where the answer names none, or was
            not read for it.
    """

    may_have_reached_server = True
    retry_after: float | None = None

    def __init__(self, status: int, body: ErrorBody) -> None:
        said = body.message or body.code or "no message"
        if body.code and body.code != said:
            said = f"{body.code}: {said}"
        if body.details:
            said = f"{said}; {body.details}"
        super().__init__(f"HTTP {status}, {one_line(said)}")
        self.status = status
        self.code = body.code
        self.message = body.message
        self.details = body.details
        self.service = body.service


def one_line(text: str) -> str:
    """Text of the exchange for a terminal or a log: no line breaks, no control characters."""
    printable = (character if character.isprintable() else " " for character in text[:_LONGEST])
    return " ".join("".join(printable).split())


class BadRequestError(APIError):
    """400: the exchange refused a parameter or an order; ``code`` and ``details`` say why."""


class AuthenticationError(APIError):
    """401: no key, an unknown key, a bad signature, or a clock that is off."""


class PermissionDeniedError(APIError):
    """403: the key lacks the scope, or is locked to another subaccount."""


class NotFoundError(APIError):
    """404: no such market, event, order; also an order that is already gone."""


class ConflictError(APIError):
    """409: the state forbids it (order exists already, trading paused, no size to fill-or-kill)."""


class DeprecatedError(APIError):
    """410: the endpoint was retired."""


class RateLimitError(APIError):
    """429: the token bucket of the account (or of this IP address, without a key) is empty.

    Attributes:
        passing: Whether it is over within seconds, so that to try again is of use.
    """

    passing: bool = True


class ServerError(APIError):
    """5xx: the exchange failed; a write may or may not have been carried out."""


class InsufficientBalanceError(BadRequestError):
    """The account cannot pay for the order."""


class InvalidOrderError(BadRequestError):
    """The order contradicts itself or the state of the market; ``details`` says how."""


class PostOnlyCrossError(InvalidOrderError):
    """A post-only order would have traded at once."""


class InvalidPriceError(BadRequestError):
    """The price is not on the market's grid."""


class MarketNotActiveError(BadRequestError):
    """The market does not trade: not yet, not now, or no longer."""


class OrderGroupTriggeredError(BadRequestError):
    """The order's group has hit its limit; it takes no orders until it is reset."""


class FillOrKillError(ConflictError):
    """A fill-or-kill order found too little to fill it, and was killed; its id is spent."""


class OrderExistsError(ConflictError):
    """The client_order_id was used before, for another order.

    Attributes:
        existing: That order, where it was found.
    """

    existing: Order | None = None


class TradingPausedError(ConflictError):
    """Trading is paused; cancelling still works."""


_BY_STATUS: dict[int, type[APIError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    410: DeprecatedError,
    429: RateLimitError,
}


_BY_CODE: dict[str, type[APIError]] = {
    "MARKET_NOT_ACTIVE": MarketNotActiveError,
    "fill_or_kill_insufficient_resting_volume": FillOrKillError,
    "insufficient_balance": InsufficientBalanceError,
    "invalid_order": InvalidOrderError,
    "invalid_price": InvalidPriceError,
    "order_already_exists": OrderExistsError,
    "order_group_triggered": OrderGroupTriggeredError,
    "trading_is_paused": TradingPausedError,
}
_POST_ONLY = "post only cross"


def api_error(status: int, body: ErrorBody) -> APIError:
    """The error class for what the exchange said: by its code, else by the status."""
    kind = _BY_CODE.get(body.code or "") if status < 500 else None
    if kind is None:
        kind = _BY_STATUS.get(status, ServerError if status >= 500 else APIError)
    elif kind is InvalidOrderError and _POST_ONLY in (body.details or ""):
        kind = PostOnlyCrossError
    return kind(status, body)


_FAILED_INSIDE = re.compile(r"internal|unavailable|time(d[ _])?out|deadline", re.IGNORECASE)


def item_error(body: ErrorBody) -> APIError:
    """The error of one item of a batch, which comes without a status of its own."""
    kind = _BY_CODE.get(body.code or "")
    if kind is None and _FAILED_INSIDE.search(body.code or body.message or ""):
        return api_error(500, body)
    conflict = kind is not None and issubclass(kind, ConflictError)
    return api_error(409 if conflict else 400, body)
