"""kalshi_async: an async client for the Kalshi prediction-market exchange.

    async with KalshiClient() as kalshi:
        async for market in kalshi.markets.list(status="open"):
            print(market.ticker, market.yes_bid, market.yes_ask)

See ``KalshiClient`` for the client, ``kalshi_async.sandbox`` for the embedded exchange.
"""

from ._client import KalshiClient
from ._config import Environment
from ._decode import Page, Undecoded
from ._errors import (
    APIError,
    AuthenticationError,
    BadRequestError,
    ClientClosedError,
    ConfigurationError,
    ConflictError,
    ConnectionFailedError,
    ConnectionLostError,
    DeadlineExceededError,
    DecodeError,
    DeprecatedError,
    FillOrKillError,
    InsufficientBalanceError,
    InvalidOrderError,
    InvalidPriceError,
    InvalidRequestError,
    JournalError,
    KalshiError,
    MarketNotActiveError,
    NotFoundError,
    OrderExistsError,
    OrderGroupTriggeredError,
    OrderStatusUnknown,
    PaginationError,
    PermissionDeniedError,
    PlacementInterrupted,
    PostOnlyCrossError,
    RateLimitError,
    RequestTimeoutError,
    ServerError,
    TradingPausedError,
    TransportError,
)
from ._hooks import (
    AttemptFailed,
    ClockCorrected,
    Event,
    Hook,
    LoggingHook,
    OrderRecovered,
    OrderUnknown,
    RequestSent,
    ResponseReceived,
    Retrying,
    SchemaDrift,
    Stats,
    Throttled,
)
from ._http import HTTPAdapter
from ._operations import OPERATIONS, Bucket, Operation, Priority, Retry
from ._options import INHERIT
from ._pagination import Paginator
from ._ratelimit import BucketLimits, RateLimits
from ._repair import Drift
from ._retry import RetryPolicy
from ._scan import Scan, ScanProgress
from ._version import __version__
from ._wire import Request, Response

__all__ = [
    "INHERIT",
    "OPERATIONS",
    "APIError",
    "AttemptFailed",
    "AuthenticationError",
    "BadRequestError",
    "Bucket",
    "BucketLimits",
    "ClientClosedError",
    "ClockCorrected",
    "ConfigurationError",
    "ConflictError",
    "ConnectionFailedError",
    "ConnectionLostError",
    "DeadlineExceededError",
    "DecodeError",
    "DeprecatedError",
    "Drift",
    "Environment",
    "Event",
    "FillOrKillError",
    "HTTPAdapter",
    "Hook",
    "InsufficientBalanceError",
    "InvalidOrderError",
    "InvalidPriceError",
    "InvalidRequestError",
    "JournalError",
    "KalshiClient",
    "KalshiError",
    "LoggingHook",
    "MarketNotActiveError",
    "NotFoundError",
    "Operation",
    "OrderExistsError",
    "OrderGroupTriggeredError",
    "OrderRecovered",
    "OrderStatusUnknown",
    "OrderUnknown",
    "Page",
    "PaginationError",
    "Paginator",
    "PermissionDeniedError",
    "PlacementInterrupted",
    "PostOnlyCrossError",
    "Priority",
    "RateLimitError",
    "RateLimits",
    "Request",
    "RequestSent",
    "RequestTimeoutError",
    "Response",
    "ResponseReceived",
    "Retry",
    "RetryPolicy",
    "Retrying",
    "Scan",
    "ScanProgress",
    "SchemaDrift",
    "ServerError",
    "Stats",
    "Throttled",
    "TradingPausedError",
    "TransportError",
    "Undecoded",
    "__version__",
]
