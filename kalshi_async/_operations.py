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

    ``SAFE``: anything, because the operation changes nothing. ``REPEATABLE``: anything, because a
    second time has no further effect (a placement is recognised by its client_order_id).
    ``REFUSED``: only what certainly was not carried out (no connection, or a 429).
    """

    SAFE = "safe"
    REPEATABLE = "repeatable"
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


def _get(name: str, path: str, *, auth: bool = False, cost: int = 10) -> Operation:
    return Operation(name, "GET", path, auth=auth, cost=cost)


def _mine(name: str, path: str, *, cost: int = 10) -> Operation:
    """A read of what belongs to the account."""
    return _get(name, path, auth=True, cost=cost)


def _write(
    name: str,
    method: str,
    path: str,
    *,
    cost: int = 10,
    priority: Priority = Priority.ORDER,
    retry: Retry = Retry.REFUSED,
) -> Operation:
    return Operation(name, method, path, True, Bucket.WRITE, cost, priority, retry)


def _withdraw(name: str, path: str, *, method: str = "DELETE", cost: int = 10) -> Operation:
    """A write that takes orders off the market; it overtakes those that put them there."""
    return _write(name, method, path, cost=cost, priority=Priority.CANCEL, retry=Retry.REPEATABLE)


# exchange
GET_EXCHANGE_STATUS = _get("GetExchangeStatus", "/exchange/status")
GET_EXCHANGE_SCHEDULE = _get("GetExchangeSchedule", "/exchange/schedule")
GET_USER_DATA_TIMESTAMP = _get("GetUserDataTimestamp", "/exchange/user_data_timestamp")

# account
GET_ACCOUNT_LIMITS = _mine("GetAccountApiLimits", "/account/limits")
GET_VOLUME_PROGRESS = _mine(
    "GetAccountApiUsageLevelVolumeProgress", "/account/api_usage_level/volume_progress"
)
UPGRADE_USAGE_LEVEL = _write(
    "UpgradeAccountApiUsageLevel", "POST", "/account/api_usage_level/upgrade", cost=30
)
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

GET_FORECAST_PERCENTILES = _mine(
    "GetEventForecastPercentilesHistory",
    "/series/{series_ticker}/events/{ticker}/forecast_percentile_history",
)

# historical
GET_HISTORICAL_CUTOFF = _get("GetHistoricalCutoff", "/historical/cutoff")
GET_HISTORICAL_MARKETS = _get("GetHistoricalMarkets", "/historical/markets")
GET_HISTORICAL_MARKET = _get("GetHistoricalMarket", "/historical/markets/{ticker}")
GET_HISTORICAL_CANDLESTICKS = _get(
    "GetMarketCandlesticksHistorical", "/historical/markets/{ticker}/candlesticks"
)
GET_HISTORICAL_TRADES = _get("GetTradesHistorical", "/historical/trades")
GET_HISTORICAL_FILLS = _mine("GetFillsHistorical", "/historical/fills")
GET_HISTORICAL_ORDERS = _mine("GetHistoricalOrders", "/historical/orders")
GET_HISTORICAL_POSITIONS = _mine("GetHistoricalPositions", "/historical/positions")

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
CREATE_COLLECTION_MARKET = _write(
    "CreateMarketInMultivariateEventCollection",
    "POST",
    "/multivariate_event_collections/{collection_ticker}",
)
GET_INCENTIVE_PROGRAMS = _get("GetIncentivePrograms", "/incentive_programs")

# orders
CREATE_ORDER = _write("CreateOrderV2", "POST", "/portfolio/events/orders", retry=Retry.REPEATABLE)
BATCH_CREATE_ORDERS = _write(
    "BatchCreateOrdersV2", "POST", "/portfolio/events/orders/batched", retry=Retry.REPEATABLE
)
CANCEL_ALL_ORDERS = _withdraw("CancelAllOrders", "/portfolio/events/orders", cost=2)
BATCH_CANCEL_ORDERS = _withdraw("BatchCancelOrdersV2", "/portfolio/events/orders/batched", cost=2)
CANCEL_ORDER = _withdraw("CancelOrderV2", "/portfolio/events/orders/{order_id}", cost=2)
AMEND_ORDER = _write(
    "AmendOrderV2", "POST", "/portfolio/events/orders/{order_id}/amend", retry=Retry.REPEATABLE
)
DECREASE_ORDER = _write("DecreaseOrderV2", "POST", "/portfolio/events/orders/{order_id}/decrease")
GET_ORDERS = _mine("GetOrders", "/portfolio/orders")
GET_ORDER = _mine("GetOrder", "/portfolio/orders/{order_id}", cost=2)
GET_QUEUE_POSITIONS = _mine("GetOrderQueuePositions", "/portfolio/orders/queue_positions")
GET_QUEUE_POSITION = _mine("GetOrderQueuePosition", "/portfolio/orders/{order_id}/queue_position")

# order groups
GET_ORDER_GROUPS = _mine("GetOrderGroups", "/portfolio/order_groups")
GET_ORDER_GROUP = _mine("GetOrderGroup", "/portfolio/order_groups/{order_group_id}")
CREATE_ORDER_GROUP = _write("CreateOrderGroup", "POST", "/portfolio/order_groups/create")
DELETE_ORDER_GROUP = _write(
    "DeleteOrderGroup",
    "DELETE",
    "/portfolio/order_groups/{order_group_id}",
    priority=Priority.CANCEL,
)
TRIGGER_ORDER_GROUP = _withdraw(
    "TriggerOrderGroup", "/portfolio/order_groups/{order_group_id}/trigger", method="PUT"
)
RESET_ORDER_GROUP = _write(
    "ResetOrderGroup",
    "PUT",
    "/portfolio/order_groups/{order_group_id}/reset",
    retry=Retry.REPEATABLE,
)
UPDATE_ORDER_GROUP_LIMIT = _write(
    "UpdateOrderGroupLimit",
    "PUT",
    "/portfolio/order_groups/{order_group_id}/limit",
    retry=Retry.REPEATABLE,
)

# portfolio
GET_BALANCE = _mine("GetBalance", "/portfolio/balance")
GET_POSITIONS = _mine("GetPositions", "/portfolio/positions")
GET_FILLS = _mine("GetFills", "/portfolio/fills")
GET_SETTLEMENTS = _mine("GetSettlements", "/portfolio/settlements")
GET_DEPOSITS = _mine("GetDeposits", "/portfolio/deposits")
GET_WITHDRAWALS = _mine("GetWithdrawals", "/portfolio/withdrawals")
GET_RESTING_VALUE = _mine(
    "GetPortfolioRestingOrderTotalValue", "/portfolio/summary/total_resting_order_value"
)
GET_TARGET_ALLOCATION = _mine("GetTargetBalanceAllocation", "/portfolio/target_balance_allocation")
SET_TARGET_ALLOCATION = _write(
    "SetTargetBalanceAllocation",
    "POST",
    "/portfolio/target_balance_allocation",
    retry=Retry.REPEATABLE,
)
GET_SHARD_TRANSFERS = _mine(
    "GetIntraExchangeInstanceTransfers", "/portfolio/intra_exchange_instance_transfers"
)
GET_SHARD_TRANSFER = _mine(
    "GetIntraExchangeInstanceTransfer",
    "/portfolio/intra_exchange_instance_transfers/{transfer_id}",
)
CREATE_SHARD_TRANSFER = _write(
    "IntraExchangeInstanceTransfer", "POST", "/portfolio/intra_exchange_instance_transfer"
)

# subaccounts
CREATE_SUBACCOUNT = _write("CreateSubaccount", "POST", "/portfolio/subaccounts")
GET_SUBACCOUNT_BALANCES = _mine("GetSubaccountBalances", "/portfolio/subaccounts/balances")
GET_SUBACCOUNT_NETTING = _mine("GetSubaccountNetting", "/portfolio/subaccounts/netting")
UPDATE_SUBACCOUNT_NETTING = _write(
    "UpdateSubaccountNetting", "PUT", "/portfolio/subaccounts/netting", retry=Retry.REPEATABLE
)
TRANSFER_BETWEEN_SUBACCOUNTS = _write(
    "ApplySubaccountTransfer", "POST", "/portfolio/subaccounts/transfer"
)
GET_SUBACCOUNT_TRANSFERS = _mine("GetSubaccountTransfers", "/portfolio/subaccounts/transfers")

# communications: requests for quotes
GET_COMMUNICATIONS_ID = _mine("GetCommunicationsID", "/communications/id")
GET_RFQS = _mine("GetRFQs", "/communications/rfqs")
GET_RFQ = _mine("GetRFQ", "/communications/rfqs/{rfq_id}")
CREATE_RFQ = _write("CreateRFQ", "POST", "/communications/rfqs")
DELETE_RFQ = _write(
    "DeleteRFQ", "DELETE", "/communications/rfqs/{rfq_id}", priority=Priority.CANCEL
)
GET_QUOTES = _mine("GetQuotes", "/communications/quotes")
CREATE_QUOTE = _write("CreateQuote", "POST", "/communications/quotes", cost=2)
GET_RFQ_QUOTE = _mine("GetRFQQuote", "/communications/rfqs/{rfq_id}/quotes/{quote_id}")
DELETE_RFQ_QUOTE = _write(
    "DeleteRFQQuote",
    "DELETE",
    "/communications/rfqs/{rfq_id}/quotes/{quote_id}",
    priority=Priority.CANCEL,
)
ACCEPT_RFQ_QUOTE = _write(
    "AcceptRFQQuote", "PUT", "/communications/rfqs/{rfq_id}/quotes/{quote_id}/accept"
)
CONFIRM_RFQ_QUOTE = _write(
    "ConfirmRFQQuote", "PUT", "/communications/rfqs/{rfq_id}/quotes/{quote_id}/confirm"
)
GET_QUOTE = _mine("GetQuote", "/communications/quotes/{quote_id}")
DELETE_QUOTE = _write(
    "DeleteQuote",
    "DELETE",
    "/communications/quotes/{quote_id}",
    cost=2,
    priority=Priority.CANCEL,
)
ACCEPT_QUOTE = _write("AcceptQuote", "PUT", "/communications/quotes/{quote_id}/accept")
CONFIRM_QUOTE = _write("ConfirmQuote", "PUT", "/communications/quotes/{quote_id}/confirm")

# communications: batches of requests for quotes
GET_RFQ_BATCHES = _mine("GetRFQBatches", "/communications/rfq_batches")
GET_RFQ_BATCH = _mine("GetRFQBatch", "/communications/rfq_batches/{rfq_batch_id}")
CREATE_RFQ_BATCH = _write("CreateRFQBatch", "POST", "/communications/rfq_batches")
DELETE_RFQ_BATCH = _write(
    "DeleteRFQBatch",
    "DELETE",
    "/communications/rfq_batches/{rfq_batch_id}",
    priority=Priority.CANCEL,
)
ACCEPT_RFQ_BATCH = _write(
    "AcceptRFQBatch", "PUT", "/communications/rfq_batches/{rfq_batch_id}/accept"
)
GET_RFQ_BATCH_BEST_QUOTES = _mine(
    "GetRFQBatchBestQuotes", "/communications/rfq_batches/{rfq_batch_id}/best_quotes"
)
GET_RFQ_BATCH_QUOTES = _mine(
    "GetRFQBatchQuotes", "/communications/rfq_batches/{rfq_batch_id}/quotes"
)
CREATE_RFQ_BATCH_QUOTE = _write(
    "CreateRFQBatchQuote", "POST", "/communications/rfq_batches/{rfq_batch_id}/quotes"
)
DELETE_RFQ_BATCH_QUOTE = _write(
    "DeleteRFQBatchQuote",
    "DELETE",
    "/communications/rfq_batches/{rfq_batch_id}/quotes/{batch_quote_id}",
    priority=Priority.CANCEL,
)
CONFIRM_RFQ_BATCH_QUOTE = _write(
    "ConfirmRFQBatchQuote",
    "PUT",
    "/communications/rfq_batches/{rfq_batch_id}/quotes/{batch_quote_id}/confirm",
)

# communications: block trades
GET_BLOCK_TRADE_PROPOSALS = _mine("GetBlockTradeProposals", "/communications/block-trade-proposals")
PROPOSE_BLOCK_TRADE = _write("ProposeBlockTrade", "POST", "/communications/block-trade-proposals")
ACCEPT_BLOCK_TRADE = _write(
    "AcceptBlockTradeProposal",
    "POST",
    "/communications/block-trade-proposals/{block_trade_proposal_id}/accept",
)

# api keys
GET_API_KEYS = _mine("GetApiKeys", "/api_keys")
CREATE_API_KEY = _write("CreateApiKey", "POST", "/api_keys")
GENERATE_API_KEY = _write("GenerateApiKey", "POST", "/api_keys/generate")
DELETE_API_KEY = _write("DeleteApiKey", "DELETE", "/api_keys/{api_key}")

# clearing members (FCM)
GET_FCM_ORDERS = _mine("GetFCMOrders", "/fcm/orders")
GET_FCM_FILLS = _mine("GetFCMFills", "/fcm/fills")
GET_FCM_POSITIONS = _mine("GetFCMPositions", "/fcm/positions")
TRANSFER_FCM_POSITION = _write("CreateFCMPositionTransfer", "POST", "/fcm/positions/transfers")
GET_FCM_SUBTRADERS = _mine("ListFCMSubtraders", "/fcm/subtraders")
CREATE_FCM_SUBTRADER = _write("CreateFCMSubtrader", "POST", "/fcm/subtraders")
GET_FCM_BLOCKED_CATEGORIES = _mine(
    "GetFCMSubtraderBlockedCategories", "/fcm/subtraders/blocked_categories"
)
UPDATE_FCM_BLOCKED_CATEGORIES = _write(
    "UpdateFCMSubtraderBlockedCategories",
    "PUT",
    "/fcm/subtraders/blocked_categories",
    retry=Retry.REPEATABLE,
)
GET_FCM_DAILY_CAP = _mine("GetFCMEventContractDailyCap", "/fcm/subtraders/event_contract_daily_cap")
UPDATE_FCM_DAILY_CAP = _write(
    "UpdateFCMEventContractDailyCap",
    "PUT",
    "/fcm/subtraders/event_contract_daily_cap",
    retry=Retry.REPEATABLE,
)
DELETE_FCM_DAILY_CAP = _write(
    "DeleteFCMEventContractDailyCap", "DELETE", "/fcm/subtraders/event_contract_daily_cap"
)


OPERATIONS: tuple[Operation, ...] = tuple(
    value for value in tuple(globals().values()) if isinstance(value, Operation)
)
"""Every operation this client offers, in the order of the API's families."""

BY_NAME: dict[str, Operation] = {operation.name: operation for operation in OPERATIONS}
