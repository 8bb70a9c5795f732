"""Which method offers an operation."""

from __future__ import annotations

from kalshi_async.orders import Orders
from kalshi_async.resources._base import Resource
from kalshi_async.resources._block_trades import BlockTrades
from kalshi_async.resources._quotes import Quotes
from kalshi_async.resources._rfq_batches import RfqBatches
from kalshi_async.resources._rfqs import Rfqs
from kalshi_async.resources.account import Account
from kalshi_async.resources.api_keys import ApiKeys
from kalshi_async.resources.collections import Collections
from kalshi_async.resources.communications import Communications
from kalshi_async.resources.events import Events
from kalshi_async.resources.exchange import Exchange
from kalshi_async.resources.fcm import Fcm
from kalshi_async.resources.historical import Historical
from kalshi_async.resources.incentives import Incentives
from kalshi_async.resources.live_data import LiveData
from kalshi_async.resources.markets import Markets
from kalshi_async.resources.milestones import Milestones
from kalshi_async.resources.order_groups import OrderGroups
from kalshi_async.resources.portfolio import Portfolio
from kalshi_async.resources.search import Search
from kalshi_async.resources.series import SeriesResource
from kalshi_async.resources.structured_targets import StructuredTargets
from kalshi_async.resources.subaccounts import Subaccounts

METHODS: dict[str, tuple[type[Resource], str]] = {
    "AcceptBlockTradeProposal": (BlockTrades, "accept"),
    "AcceptQuote": (Quotes, "accept_unscoped"),
    "AcceptRFQBatch": (RfqBatches, "accept"),
    "AcceptRFQQuote": (Quotes, "accept"),
    "BatchCancelOrdersV2": (Orders, "cancel_many"),
    "BatchCreateOrdersV2": (Orders, "place_many"),
    "AmendOrderV2": (Orders, "amend"),
    "ApplySubaccountTransfer": (Subaccounts, "transfer"),
    "BatchGetMarketCandlesticks": (Markets, "candlesticks_batch"),
    "CancelAllOrders": (Orders, "cancel_all"),
    "CancelOrderV2": (Orders, "cancel"),
    "ConfirmQuote": (Quotes, "confirm_unscoped"),
    "ConfirmRFQBatchQuote": (RfqBatches, "confirm_quote"),
    "ConfirmRFQQuote": (Quotes, "confirm"),
    "CreateApiKey": (ApiKeys, "create"),
    "CreateFCMPositionTransfer": (Fcm, "transfer_position"),
    "CreateFCMSubtrader": (Fcm, "create_subtrader"),
    "CreateMarketInMultivariateEventCollection": (Collections, "create_market"),
    "CreateOrderGroup": (OrderGroups, "create"),
    "CreateOrderV2": (Orders, "create"),
    "CreateQuote": (Quotes, "create"),
    "CreateRFQ": (Rfqs, "create"),
    "CreateRFQBatch": (RfqBatches, "create"),
    "CreateRFQBatchQuote": (RfqBatches, "quote"),
    "CreateSubaccount": (Subaccounts, "create"),
    "DecreaseOrderV2": (Orders, "decrease"),
    "DeleteApiKey": (ApiKeys, "delete"),
    "DeleteFCMEventContractDailyCap": (Fcm, "delete_daily_cap"),
    "DeleteOrderGroup": (OrderGroups, "delete"),
    "DeleteQuote": (Quotes, "delete_unscoped"),
    "DeleteRFQ": (Rfqs, "delete"),
    "DeleteRFQBatch": (RfqBatches, "delete"),
    "DeleteRFQBatchQuote": (RfqBatches, "delete_quote"),
    "DeleteRFQQuote": (Quotes, "delete"),
    "GenerateApiKey": (ApiKeys, "generate"),
    "GetAccountApiLimits": (Account, "limits"),
    "GetAccountApiUsageLevelVolumeProgress": (Account, "volume_progress"),
    "GetAccountEndpointCosts": (Account, "endpoint_costs"),
    "GetApiKeys": (ApiKeys, "list"),
    "GetBalance": (Portfolio, "balance"),
    "GetBlockTradeProposals": (BlockTrades, "list"),
    "GetCommunicationsID": (Communications, "id"),
    "GetDeposits": (Portfolio, "deposits"),
    "GetEvent": (Events, "get"),
    "GetEventFeeChanges": (Events, "fee_changes"),
    "GetEventForecastPercentilesHistory": (Events, "forecast_percentiles"),
    "GetEventLiveData": (LiveData, "event"),
    "GetEventMetadata": (Events, "metadata"),
    "GetEvents": (Events, "list"),
    "GetExchangeSchedule": (Exchange, "schedule"),
    "GetExchangeStatus": (Exchange, "status"),
    "GetFCMEventContractDailyCap": (Fcm, "daily_cap"),
    "GetFCMFills": (Fcm, "fills"),
    "GetFCMOrders": (Fcm, "orders"),
    "GetFCMPositions": (Fcm, "positions"),
    "GetFCMSubtraderBlockedCategories": (Fcm, "blocked_categories"),
    "GetFills": (Portfolio, "fills"),
    "GetFillsHistorical": (Historical, "fills"),
    "GetFiltersForSports": (Search, "filters_by_sport"),
    "GetGameStats": (LiveData, "game_stats"),
    "GetHistoricalCutoff": (Historical, "cutoff"),
    "GetHistoricalMarket": (Historical, "market"),
    "GetHistoricalMarkets": (Historical, "markets"),
    "GetHistoricalOrders": (Historical, "orders"),
    "GetHistoricalPositions": (Historical, "positions"),
    "GetIncentivePrograms": (Incentives, "list"),
    "GetIntraExchangeInstanceTransfer": (Portfolio, "shard_transfer"),
    "GetIntraExchangeInstanceTransfers": (Portfolio, "shard_transfers"),
    "GetLiveData": (LiveData, "get_typed"),
    "GetLiveDataByMilestone": (LiveData, "get"),
    "GetLiveDatas": (LiveData, "batch"),
    "GetMarket": (Markets, "get"),
    "GetMarketCandlesticks": (Markets, "candlesticks"),
    "GetMarketCandlesticksByEvent": (Events, "candlesticks"),
    "GetMarketCandlesticksHistorical": (Historical, "candlesticks"),
    "GetMarketOrderbook": (Markets, "orderbook"),
    "GetMarketOrderbooks": (Markets, "orderbooks"),
    "GetMarkets": (Markets, "list"),
    "GetMilestone": (Milestones, "get"),
    "GetMilestones": (Milestones, "list"),
    "GetMultivariateEventCollection": (Collections, "get"),
    "GetMultivariateEventCollections": (Collections, "list"),
    "GetMultivariateEvents": (Events, "multivariate"),
    "GetOrder": (Orders, "get"),
    "GetOrderGroup": (OrderGroups, "get"),
    "GetOrderGroups": (OrderGroups, "list"),
    "GetOrderQueuePosition": (Orders, "queue_position"),
    "GetOrderQueuePositions": (Orders, "queue_positions"),
    "GetOrders": (Orders, "list"),
    "GetPortfolioRestingOrderTotalValue": (Portfolio, "resting_order_value"),
    "GetPositions": (Portfolio, "positions"),
    "GetQuote": (Quotes, "get_unscoped"),
    "GetQuotes": (Quotes, "list"),
    "GetRFQ": (Rfqs, "get"),
    "GetRFQBatch": (RfqBatches, "get"),
    "GetRFQBatchBestQuotes": (RfqBatches, "best_quotes"),
    "GetRFQBatchQuotes": (RfqBatches, "quotes"),
    "GetRFQBatches": (RfqBatches, "list"),
    "GetRFQQuote": (Quotes, "get"),
    "GetRFQs": (Rfqs, "list"),
    "GetSeries": (SeriesResource, "get"),
    "GetSeriesFeeChanges": (SeriesResource, "fee_changes"),
    "GetSeriesList": (SeriesResource, "list"),
    "GetSettlements": (Portfolio, "settlements"),
    "GetStructuredTarget": (StructuredTargets, "get"),
    "GetStructuredTargets": (StructuredTargets, "list"),
    "GetSubaccountBalances": (Subaccounts, "balances"),
    "GetSubaccountNetting": (Subaccounts, "netting"),
    "GetSubaccountTransfers": (Subaccounts, "transfers"),
    "GetTagsForSeriesCategories": (Search, "tags_by_categories"),
    "GetTargetBalanceAllocation": (Portfolio, "target_allocation"),
    "GetTrades": (Markets, "trades"),
    "GetTradesHistorical": (Historical, "trades"),
    "GetUserDataTimestamp": (Exchange, "user_data_timestamp"),
    "GetWeatherIndex": (LiveData, "weather"),
    "GetWeatherIndexCalibrations": (LiveData, "weather_calibrations"),
    "GetWithdrawals": (Portfolio, "withdrawals"),
    "IntraExchangeInstanceTransfer": (Portfolio, "transfer_between_shards"),
    "ListFCMSubtraders": (Fcm, "subtraders"),
    "ProposeBlockTrade": (BlockTrades, "propose"),
    "ResetOrderGroup": (OrderGroups, "reset"),
    "SetTargetBalanceAllocation": (Portfolio, "set_target_allocation"),
    "TriggerOrderGroup": (OrderGroups, "trigger"),
    "UpdateFCMEventContractDailyCap": (Fcm, "set_daily_cap"),
    "UpdateFCMSubtraderBlockedCategories": (Fcm, "set_blocked_categories"),
    "UpdateOrderGroupLimit": (OrderGroups, "set_limit"),
    "UpdateSubaccountNetting": (Subaccounts, "set_netting"),
    "UpgradeAccountApiUsageLevel": (Account, "upgrade"),
}
