"""The operations this exchange answers: name, method, path below the API root, and what a key must
be allowed to do.
"""

from __future__ import annotations

from dataclasses import dataclass

API_ROOT = "/trade-api/v2"


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the REST API. `scope` is what its key must have, empty for public ones;
    `status` that of its success.
    """

    name: str
    path: str
    method: str = "GET"
    scope: str = ""
    status: int = 200

    @property
    def public(self) -> bool:
        """Whether it answers without a key."""
        return not self.scope

    @property
    def writes(self) -> bool:
        """Whether it may change something."""
        return self.method != "GET"


# A path with fixed words stands before one with a placeholder in the same place.
OPERATIONS: tuple[Operation, ...] = (
    Operation("GetExchangeStatus", "/exchange/status"),
    Operation("GetExchangeSchedule", "/exchange/schedule"),
    Operation("GetUserDataTimestamp", "/exchange/user_data_timestamp"),
    Operation("GetAccountApiLimits", "/account/limits", scope="read"),
    Operation("GetAccountEndpointCosts", "/account/endpoint_costs"),
    Operation("GetSeriesFeeChanges", "/series/fee_changes"),
    Operation("GetSeriesList", "/series"),
    Operation("GetSeries", "/series/{series_ticker}"),
    Operation("GetMarketCandlesticks", "/series/{series_ticker}/markets/{ticker}/candlesticks"),
    Operation(
        "GetMarketCandlesticksByEvent", "/series/{series_ticker}/events/{ticker}/candlesticks"
    ),
    Operation("GetTrades", "/markets/trades"),
    Operation("GetMarketOrderbooks", "/markets/orderbooks"),
    Operation("BatchGetMarketCandlesticks", "/markets/candlesticks"),
    Operation("GetMarkets", "/markets"),
    Operation("GetMarket", "/markets/{ticker}"),
    Operation("GetMarketOrderbook", "/markets/{ticker}/orderbook"),
    Operation("GetMultivariateEvents", "/events/multivariate"),
    Operation("GetEventFeeChanges", "/events/fee_changes"),
    Operation("GetEvents", "/events"),
    Operation("GetEvent", "/events/{event_ticker}"),
    Operation("GetEventMetadata", "/events/{event_ticker}/metadata"),
    Operation("GetTagsForSeriesCategories", "/search/tags_by_categories"),
    Operation("GetFiltersForSports", "/search/filters_by_sport"),
    Operation("GetLiveDatas", "/live_data/batch"),
    Operation("GetLiveDataByMilestone", "/live_data/milestone/{milestone_id}"),
    Operation("GetGameStats", "/live_data/milestone/{milestone_id}/game_stats"),
    Operation("GetEventLiveData", "/live_data/events/{event_ticker}"),
    Operation("GetWeatherIndex", "/live_data/weather/{city}"),
    Operation("GetWeatherIndexCalibrations", "/live_data/weather/{city}/calibrations"),
    Operation("GetLiveData", "/live_data/{type}/milestone/{milestone_id}"),
    Operation("GetStructuredTargets", "/structured_targets"),
    Operation("GetStructuredTarget", "/structured_targets/{structured_target_id}"),
    Operation("GetMilestones", "/milestones"),
    Operation("GetMilestone", "/milestones/{milestone_id}"),
    Operation("GetMultivariateEventCollections", "/multivariate_event_collections"),
    Operation(
        "GetMultivariateEventCollection", "/multivariate_event_collections/{collection_ticker}"
    ),
    Operation("GetIncentivePrograms", "/incentive_programs"),
    Operation("GetHistoricalCutoff", "/historical/cutoff"),
    Operation("GetTradesHistorical", "/historical/trades"),
    Operation("GetHistoricalMarkets", "/historical/markets"),
    Operation("GetHistoricalMarket", "/historical/markets/{ticker}"),
    Operation("GetMarketCandlesticksHistorical", "/historical/markets/{ticker}/candlesticks"),
    Operation(
        "UpgradeAccountApiUsageLevel",
        "/account/api_usage_level/upgrade",
        "POST",
        scope="write",
        status=201,
    ),
    Operation(
        "GetAccountApiUsageLevelVolumeProgress",
        "/account/api_usage_level/volume_progress",
        scope="read",
    ),
    Operation("GetApiKeys", "/api_keys", scope="read"),
    Operation("CreateApiKey", "/api_keys", "POST", scope="write", status=201),
    Operation("GenerateApiKey", "/api_keys/generate", "POST", scope="write", status=201),
    Operation("DeleteApiKey", "/api_keys/{api_key}", "DELETE", scope="write", status=204),
    Operation("GetBlockTradeProposals", "/communications/block-trade-proposals", scope="read"),
    Operation(
        "ProposeBlockTrade",
        "/communications/block-trade-proposals",
        "POST",
        scope="write",
        status=201,
    ),
    Operation(
        "AcceptBlockTradeProposal",
        "/communications/block-trade-proposals/{block_trade_proposal_id}/accept",
        "POST",
        scope="write::block_trade_accept",
        status=204,
    ),
    Operation("GetCommunicationsID", "/communications/id", scope="read"),
    Operation("GetQuotes", "/communications/quotes", scope="read"),
    Operation("CreateQuote", "/communications/quotes", "POST", scope="write", status=201),
    Operation("GetQuote", "/communications/quotes/{quote_id}", scope="read"),
    Operation(
        "DeleteQuote", "/communications/quotes/{quote_id}", "DELETE", scope="write", status=204
    ),
    Operation(
        "AcceptQuote", "/communications/quotes/{quote_id}/accept", "PUT", scope="write", status=204
    ),
    Operation(
        "ConfirmQuote",
        "/communications/quotes/{quote_id}/confirm",
        "PUT",
        scope="write",
        status=204,
    ),
    Operation("GetRFQBatches", "/communications/rfq_batches", scope="read"),
    Operation("CreateRFQBatch", "/communications/rfq_batches", "POST", scope="write", status=201),
    Operation("GetRFQBatch", "/communications/rfq_batches/{rfq_batch_id}", scope="read"),
    Operation(
        "DeleteRFQBatch",
        "/communications/rfq_batches/{rfq_batch_id}",
        "DELETE",
        scope="write",
        status=204,
    ),
    Operation(
        "AcceptRFQBatch", "/communications/rfq_batches/{rfq_batch_id}/accept", "PUT", scope="write"
    ),
    Operation(
        "GetRFQBatchBestQuotes",
        "/communications/rfq_batches/{rfq_batch_id}/best_quotes",
        scope="read",
    ),
    Operation(
        "GetRFQBatchQuotes", "/communications/rfq_batches/{rfq_batch_id}/quotes", scope="read"
    ),
    Operation(
        "CreateRFQBatchQuote",
        "/communications/rfq_batches/{rfq_batch_id}/quotes",
        "POST",
        scope="write",
        status=201,
    ),
    Operation(
        "DeleteRFQBatchQuote",
        "/communications/rfq_batches/{rfq_batch_id}/quotes/{batch_quote_id}",
        "DELETE",
        scope="write",
        status=204,
    ),
    Operation(
        "ConfirmRFQBatchQuote",
        "/communications/rfq_batches/{rfq_batch_id}/quotes/{batch_quote_id}/confirm",
        "PUT",
        scope="write",
        status=204,
    ),
    Operation("GetRFQs", "/communications/rfqs", scope="read"),
    Operation("CreateRFQ", "/communications/rfqs", "POST", scope="write", status=201),
    Operation("GetRFQ", "/communications/rfqs/{rfq_id}", scope="read"),
    Operation("DeleteRFQ", "/communications/rfqs/{rfq_id}", "DELETE", scope="write", status=204),
    Operation("GetRFQQuote", "/communications/rfqs/{rfq_id}/quotes/{quote_id}", scope="read"),
    Operation(
        "DeleteRFQQuote",
        "/communications/rfqs/{rfq_id}/quotes/{quote_id}",
        "DELETE",
        scope="write",
        status=204,
    ),
    Operation(
        "AcceptRFQQuote",
        "/communications/rfqs/{rfq_id}/quotes/{quote_id}/accept",
        "PUT",
        scope="write",
        status=204,
    ),
    Operation(
        "ConfirmRFQQuote",
        "/communications/rfqs/{rfq_id}/quotes/{quote_id}/confirm",
        "PUT",
        scope="write",
        status=204,
    ),
    Operation("GetFCMFills", "/fcm/fills", scope="read"),
    Operation("GetFCMOrders", "/fcm/orders", scope="read"),
    Operation("GetFCMPositions", "/fcm/positions", scope="read"),
    Operation(
        "CreateFCMPositionTransfer",
        "/fcm/positions/transfers",
        "POST",
        scope="write::transfer",
        status=201,
    ),
    Operation("ListFCMSubtraders", "/fcm/subtraders", scope="read"),
    Operation("CreateFCMSubtrader", "/fcm/subtraders", "POST", scope="write::fcm_risk", status=201),
    Operation(
        "GetFCMSubtraderBlockedCategories", "/fcm/subtraders/blocked_categories", scope="read"
    ),
    Operation(
        "UpdateFCMSubtraderBlockedCategories",
        "/fcm/subtraders/blocked_categories",
        "PUT",
        scope="write::fcm_risk",
    ),
    Operation(
        "GetFCMEventContractDailyCap", "/fcm/subtraders/event_contract_daily_cap", scope="read"
    ),
    Operation(
        "UpdateFCMEventContractDailyCap",
        "/fcm/subtraders/event_contract_daily_cap",
        "PUT",
        scope="write::fcm_risk",
    ),
    Operation(
        "DeleteFCMEventContractDailyCap",
        "/fcm/subtraders/event_contract_daily_cap",
        "DELETE",
        scope="write::fcm_risk",
    ),
    Operation("GetFillsHistorical", "/historical/fills", scope="read"),
    Operation("GetHistoricalOrders", "/historical/orders", scope="read"),
    Operation("GetHistoricalPositions", "/historical/positions", scope="read"),
    Operation(
        "CreateMarketInMultivariateEventCollection",
        "/multivariate_event_collections/{collection_ticker}",
        "POST",
        scope="write",
    ),
    Operation("GetBalance", "/portfolio/balance", scope="read::portfolio_balance"),
    Operation("GetDeposits", "/portfolio/deposits", scope="read"),
    Operation(
        "CreateOrderV2", "/portfolio/events/orders", "POST", scope="write::trade", status=201
    ),
    Operation(
        "CancelAllOrders", "/portfolio/events/orders", "DELETE", scope="write::trade", status=204
    ),
    Operation(
        "BatchCreateOrdersV2",
        "/portfolio/events/orders/batched",
        "POST",
        scope="write::trade",
        status=201,
    ),
    Operation(
        "BatchCancelOrdersV2", "/portfolio/events/orders/batched", "DELETE", scope="write::trade"
    ),
    Operation(
        "CancelOrderV2", "/portfolio/events/orders/{order_id}", "DELETE", scope="write::trade"
    ),
    Operation(
        "AmendOrderV2", "/portfolio/events/orders/{order_id}/amend", "POST", scope="write::trade"
    ),
    Operation(
        "DecreaseOrderV2",
        "/portfolio/events/orders/{order_id}/decrease",
        "POST",
        scope="write::trade",
    ),
    Operation("GetFills", "/portfolio/fills", scope="read"),
    Operation(
        "IntraExchangeInstanceTransfer",
        "/portfolio/intra_exchange_instance_transfer",
        "POST",
        scope="write::transfer",
    ),
    Operation(
        "GetIntraExchangeInstanceTransfers",
        "/portfolio/intra_exchange_instance_transfers",
        scope="read",
    ),
    Operation(
        "GetIntraExchangeInstanceTransfer",
        "/portfolio/intra_exchange_instance_transfers/{transfer_id}",
        scope="read",
    ),
    Operation("GetOrderGroups", "/portfolio/order_groups", scope="read"),
    Operation(
        "CreateOrderGroup",
        "/portfolio/order_groups/create",
        "POST",
        scope="write::trade",
        status=201,
    ),
    Operation("GetOrderGroup", "/portfolio/order_groups/{order_group_id}", scope="read"),
    Operation(
        "DeleteOrderGroup",
        "/portfolio/order_groups/{order_group_id}",
        "DELETE",
        scope="write::trade",
    ),
    Operation(
        "UpdateOrderGroupLimit",
        "/portfolio/order_groups/{order_group_id}/limit",
        "PUT",
        scope="write::trade",
    ),
    Operation(
        "ResetOrderGroup",
        "/portfolio/order_groups/{order_group_id}/reset",
        "PUT",
        scope="write::trade",
    ),
    Operation(
        "TriggerOrderGroup",
        "/portfolio/order_groups/{order_group_id}/trigger",
        "PUT",
        scope="write::trade",
    ),
    Operation("GetOrders", "/portfolio/orders", scope="read"),
    Operation("GetOrderQueuePositions", "/portfolio/orders/queue_positions", scope="read"),
    Operation("GetOrder", "/portfolio/orders/{order_id}", scope="read"),
    Operation("GetOrderQueuePosition", "/portfolio/orders/{order_id}/queue_position", scope="read"),
    Operation("GetPositions", "/portfolio/positions", scope="read"),
    Operation("GetSettlements", "/portfolio/settlements", scope="read"),
    Operation("CreateSubaccount", "/portfolio/subaccounts", "POST", scope="write", status=201),
    Operation("GetSubaccountBalances", "/portfolio/subaccounts/balances", scope="read"),
    Operation("UpdateSubaccountNetting", "/portfolio/subaccounts/netting", "PUT", scope="write"),
    Operation("GetSubaccountNetting", "/portfolio/subaccounts/netting", scope="read"),
    Operation(
        "ApplySubaccountTransfer",
        "/portfolio/subaccounts/transfer",
        "POST",
        scope="write::transfer",
    ),
    Operation("GetSubaccountTransfers", "/portfolio/subaccounts/transfers", scope="read"),
    Operation(
        "GetPortfolioRestingOrderTotalValue",
        "/portfolio/summary/total_resting_order_value",
        scope="read",
    ),
    Operation("GetTargetBalanceAllocation", "/portfolio/target_balance_allocation", scope="read"),
    Operation(
        "SetTargetBalanceAllocation", "/portfolio/target_balance_allocation", "POST", scope="write"
    ),
    Operation("GetWithdrawals", "/portfolio/withdrawals", scope="read"),
    Operation(
        "GetEventForecastPercentilesHistory",
        "/series/{series_ticker}/events/{ticker}/forecast_percentile_history",
        scope="read",
    ),
)

NAMES = frozenset(operation.name for operation in OPERATIONS)
