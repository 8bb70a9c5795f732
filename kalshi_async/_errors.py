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
    ├── DeadlineExceededError       the whole call took longer than ``deadline``    (TimeoutError)
    └── APIError                    the exchange answered with an error
        ├── BadRequestError         400
        ├── AuthenticationError     401
        ├── PermissionDeniedError   403
        ├── NotFoundError           404
        ├── ConflictError           409
        ├── DeprecatedError         410
        ├── RateLimitError          429
        └── ServerError             500 and above

What an error knows is in its attributes; ``str(error)`` says the same in one line. No error ever
carries a key, a signature or a passphrase.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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
        cursor: For a list that broke off: the cursor to go on from (see ``Paginator``).
        items: For a list that broke off in ``collect()``: what had been read until then.
    """

    operation: str | None = None
    attempts: int = 0
    elapsed: float = 0.0
    may_have_reached_server: bool = False
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


class APIError(KalshiError):
    """The exchange answered, with an error.

    Attributes:
        status: The HTTP status.
        code: Kalshi's code (``"order_already_exists"``), None where the body has none.
        message: Kalshi's message, None where the body has none.
        details: Kalshi's details, None where the body has none.
        service: The part of the exchange that answered, where named.
    """

    may_have_reached_server = True

    def __init__(self, status: int, body: ErrorBody) -> None:
        said = body.message or body.code or "no message"
        if body.code and body.code != said:
            said = f"{body.code}: {said}"
        if body.details:
            said = f"{said}; {body.details}"
        super().__init__(f"HTTP {status}, {_one_line(said)}")
        self.status = status
        self.code = body.code
        self.message = body.message
        self.details = body.details
        self.service = body.service


def _one_line(text: str) -> str:
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
    """429: the token bucket of the account (or of this IP address, without a key) is empty."""


class ServerError(APIError):
    """5xx: the exchange failed; a write may or may not have been carried out."""


_BY_STATUS: dict[int, type[APIError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    410: DeprecatedError,
    429: RateLimitError,
}


def api_error(status: int, body: ErrorBody) -> APIError:
    """The error class for a status, built from what the exchange said."""
    kind = _BY_STATUS.get(status, ServerError if status >= 500 else APIError)
    return kind(status, body)
