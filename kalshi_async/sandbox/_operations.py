"""The operations this exchange answers: name, method, path below the API root, and whether a key
is needed.
"""

from __future__ import annotations

from dataclasses import dataclass

API_ROOT = "/trade-api/v2"


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the REST API."""

    name: str
    path: str
    method: str = "GET"
    public: bool = True


# A path with fixed words stands before one with a placeholder in the same place.
OPERATIONS: tuple[Operation, ...] = (
    Operation("GetExchangeStatus", "/exchange/status"),
    Operation("GetExchangeSchedule", "/exchange/schedule"),
    Operation("GetUserDataTimestamp", "/exchange/user_data_timestamp"),
    Operation("GetAccountApiLimits", "/account/limits", public=False),
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
)

NAMES = frozenset(operation.name for operation in OPERATIONS)
