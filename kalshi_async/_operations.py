"""The operations of the REST API: what each is called, where it lives, what it costs, how it fails.

Names, paths, buckets and costs are facts of Kalshi's contract 3.34.0. Costs are those that hold
until ``client.limits.sync()`` has read the live ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum


class Bucket(Enum):
    """Which token bucket of the account pays for a request."""

    READ = "read"
    WRITE = "write"


class Priority(IntEnum):
    """Who goes first when requests wait for tokens; a smaller number overtakes a larger one."""

    CANCEL = 0
    ORDER = 1
    READ = 2
    SCAN = 3


class Retry(Enum):
    """What may be sent again after a failure.

    ``SAFE``: anything, because the operation changes nothing. ``REFUSED``: only what certainly was
    not carried out (no connection, or a 429).
    """

    SAFE = "safe"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the exchange's REST API.

    Attributes:
        name: The contract's operation id, e.g. ``"GetMarkets"``.
        method: HTTP verb, upper case.
        path: Path template below ``/trade-api/v2``, with ``{name}`` placeholders.
        auth: Whether the request must be signed.
        bucket: The token bucket that pays.
        cost: Tokens a request, until the live costs are known.
        priority: Rank in the limiter's queue.
        retry: What may be sent again.
    """

    name: str
    method: str
    path: str
    auth: bool = False
    bucket: Bucket = Bucket.READ
    cost: int = 10
    priority: Priority = Priority.READ
    retry: Retry = Retry.SAFE

    def __str__(self) -> str:
        return f"{self.name} ({self.method} {self.path})"


def _get(name: str, path: str, *, auth: bool = False) -> Operation:
    return Operation(name, "GET", path, auth=auth)


# exchange
GET_EXCHANGE_STATUS = _get("GetExchangeStatus", "/exchange/status")
GET_EXCHANGE_SCHEDULE = _get("GetExchangeSchedule", "/exchange/schedule")
GET_USER_DATA_TIMESTAMP = _get("GetUserDataTimestamp", "/exchange/user_data_timestamp")

# account
GET_ACCOUNT_LIMITS = _get("GetAccountApiLimits", "/account/limits", auth=True)
GET_ENDPOINT_COSTS = _get("GetAccountEndpointCosts", "/account/endpoint_costs")

# series
GET_SERIES_LIST = _get("GetSeriesList", "/series")
GET_SERIES = _get("GetSeries", "/series/{series_ticker}")
GET_SERIES_FEE_CHANGES = _get("GetSeriesFeeChanges", "/series/fee_changes")

# markets
GET_MARKETS = _get("GetMarkets", "/markets")
GET_MARKET = _get("GetMarket", "/markets/{ticker}")
GET_MARKET_ORDERBOOK = _get("GetMarketOrderbook", "/markets/{ticker}/orderbook")
GET_MARKET_ORDERBOOKS = _get("GetMarketOrderbooks", "/markets/orderbooks")
GET_TRADES = _get("GetTrades", "/markets/trades")
GET_MARKET_CANDLESTICKS = _get(
    "GetMarketCandlesticks", "/series/{series_ticker}/markets/{ticker}/candlesticks"
)
BATCH_GET_MARKET_CANDLESTICKS = _get("BatchGetMarketCandlesticks", "/markets/candlesticks")

# events
GET_EVENTS = _get("GetEvents", "/events")
GET_EVENT = _get("GetEvent", "/events/{event_ticker}")
GET_EVENT_METADATA = _get("GetEventMetadata", "/events/{event_ticker}/metadata")
GET_EVENT_FEE_CHANGES = _get("GetEventFeeChanges", "/events/fee_changes")
GET_MULTIVARIATE_EVENTS = _get("GetMultivariateEvents", "/events/multivariate")
GET_EVENT_CANDLESTICKS = _get(
    "GetMarketCandlesticksByEvent", "/series/{series_ticker}/events/{ticker}/candlesticks"
)

# historical
GET_HISTORICAL_CUTOFF = _get("GetHistoricalCutoff", "/historical/cutoff")
GET_HISTORICAL_MARKETS = _get("GetHistoricalMarkets", "/historical/markets")
GET_HISTORICAL_MARKET = _get("GetHistoricalMarket", "/historical/markets/{ticker}")
GET_HISTORICAL_CANDLESTICKS = _get(
    "GetMarketCandlesticksHistorical", "/historical/markets/{ticker}/candlesticks"
)
GET_HISTORICAL_TRADES = _get("GetTradesHistorical", "/historical/trades")

# live data
GET_LIVE_DATA_BY_MILESTONE = _get("GetLiveDataByMilestone", "/live_data/milestone/{milestone_id}")
GET_LIVE_DATA = _get("GetLiveData", "/live_data/{type}/milestone/{milestone_id}")
GET_LIVE_DATAS = _get("GetLiveDatas", "/live_data/batch")
GET_GAME_STATS = _get("GetGameStats", "/live_data/milestone/{milestone_id}/game_stats")
GET_EVENT_LIVE_DATA = _get("GetEventLiveData", "/live_data/events/{event_ticker}")
GET_WEATHER_INDEX = _get("GetWeatherIndex", "/live_data/weather/{city}")
GET_WEATHER_CALIBRATIONS = _get(
    "GetWeatherIndexCalibrations", "/live_data/weather/{city}/calibrations"
)

# milestones and structured targets
GET_MILESTONES = _get("GetMilestones", "/milestones")
GET_MILESTONE = _get("GetMilestone", "/milestones/{milestone_id}")
GET_STRUCTURED_TARGETS = _get("GetStructuredTargets", "/structured_targets")
GET_STRUCTURED_TARGET = _get("GetStructuredTarget", "/structured_targets/{structured_target_id}")

# search
GET_TAGS_BY_CATEGORIES = _get("GetTagsForSeriesCategories", "/search/tags_by_categories")
GET_FILTERS_BY_SPORT = _get("GetFiltersForSports", "/search/filters_by_sport")

# multivariate collections and incentive programs
GET_COLLECTIONS = _get("GetMultivariateEventCollections", "/multivariate_event_collections")
GET_COLLECTION = _get(
    "GetMultivariateEventCollection", "/multivariate_event_collections/{collection_ticker}"
)
GET_INCENTIVE_PROGRAMS = _get("GetIncentivePrograms", "/incentive_programs")


OPERATIONS: tuple[Operation, ...] = tuple(
    value for value in tuple(globals().values()) if isinstance(value, Operation)
)
"""Every operation this client offers, in the order of the API's families."""

BY_NAME: dict[str, Operation] = {operation.name: operation for operation in OPERATIONS}
