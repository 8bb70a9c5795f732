"""Which method offers an operation, and which struct holds a schema."""

from __future__ import annotations

import msgspec

from kalshi_async import models
from kalshi_async.resources._base import Resource
from kalshi_async.resources.account import Account
from kalshi_async.resources.collections import Collections
from kalshi_async.resources.events import Events
from kalshi_async.resources.exchange import Exchange
from kalshi_async.resources.historical import Historical
from kalshi_async.resources.incentives import Incentives
from kalshi_async.resources.live_data import LiveData
from kalshi_async.resources.markets import Markets
from kalshi_async.resources.milestones import Milestones
from kalshi_async.resources.search import Search
from kalshi_async.resources.series import SeriesResource
from kalshi_async.resources.structured_targets import StructuredTargets

METHODS: dict[str, tuple[type[Resource], str]] = {
    "BatchGetMarketCandlesticks": (Markets, "candlesticks_batch"),
    "GetAccountApiLimits": (Account, "limits"),
    "GetAccountEndpointCosts": (Account, "endpoint_costs"),
    "GetEvent": (Events, "get"),
    "GetEventFeeChanges": (Events, "fee_changes"),
    "GetEventLiveData": (LiveData, "event"),
    "GetEventMetadata": (Events, "metadata"),
    "GetEvents": (Events, "list"),
    "GetExchangeSchedule": (Exchange, "schedule"),
    "GetExchangeStatus": (Exchange, "status"),
    "GetFiltersForSports": (Search, "filters_by_sport"),
    "GetGameStats": (LiveData, "game_stats"),
    "GetHistoricalCutoff": (Historical, "cutoff"),
    "GetHistoricalMarket": (Historical, "market"),
    "GetHistoricalMarkets": (Historical, "markets"),
    "GetIncentivePrograms": (Incentives, "list"),
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
    "GetSeries": (SeriesResource, "get"),
    "GetSeriesFeeChanges": (SeriesResource, "fee_changes"),
    "GetSeriesList": (SeriesResource, "list"),
    "GetStructuredTarget": (StructuredTargets, "get"),
    "GetStructuredTargets": (StructuredTargets, "list"),
    "GetTagsForSeriesCategories": (Search, "tags_by_categories"),
    "GetTrades": (Markets, "trades"),
    "GetTradesHistorical": (Historical, "trades"),
    "GetUserDataTimestamp": (Exchange, "user_data_timestamp"),
    "GetWeatherIndex": (LiveData, "weather"),
    "GetWeatherIndexCalibrations": (LiveData, "weather_calibrations"),
}

OFFERED_WITH_KEY = {"GetAccountApiLimits"}
"""Operations that need a key and are offered all the same."""

STRUCTS: dict[str, type[msgspec.Struct]] = {
    "ApiUsageLevelGrant": models.ApiUsageLevelGrant,
    "AssociatedEvent": models.AssociatedEvent,
    "BidAskDistribution": models.BidAskDistribution,
    "BidAskDistributionHistorical": models.HistoricalBidAskDistribution,
    "BucketLimit": models.BucketLimit,
    "DailySchedule": models.DailySchedule,
    "EndpointTokenCost": models.EndpointTokenCost,
    "EventData": models.Event,
    "EventFeeChange": models.EventFeeChange,
    "EventLiveData": models.EventLiveData,
    "ExchangeIndexStatus": models.ExchangeIndexStatus,
    "ExchangeStatus": models.ExchangeStatus,
    "GetAccountApiLimitsResponse": models.AccountLimits,
    "GetAccountEndpointCostsResponse": models.EndpointCosts,
    "GetEventCandlesticksResponse": models.EventCandlesticks,
    "GetEventMetadataResponse": models.EventMetadata,
    "GetFiltersBySportsResponse": models.FiltersBySport,
    "GetGameStatsResponse": models.GameStats,
    "GetHistoricalCutoffResponse": models.HistoricalCutoff,
    "GetTagsForSeriesCategoriesResponse": models.TagsByCategories,
    "GetUserDataTimestampResponse": models.UserDataTimestamp,
    "GetWeatherIndexCalibrationsResponse": models.WeatherIndexCalibrations,
    "GetWeatherIndexResponse": models.WeatherIndex,
    "IncentiveProgram": models.IncentiveProgram,
    "LiveData": models.LiveData,
    "MaintenanceWindow": models.MaintenanceWindow,
    "Market": models.Market,
    "MarketCandlestick": models.Candlestick,
    "MarketCandlestickHistorical": models.HistoricalCandlestick,
    "MarketCandlesticksResponse": models.MarketCandlesticks,
    "MarketMetadata": models.MarketMetadata,
    "Milestone": models.Milestone,
    "MultivariateEventCollection": models.Collection,
    "MveSelectedLeg": models.MveSelectedLeg,
    "PlayByPlay": models.PlayByPlay,
    "PlayByPlay.periods": models.PlayByPlayPeriod,
    "PriceDistribution": models.PriceDistribution,
    "PriceDistributionHistorical": models.HistoricalPriceDistribution,
    "PriceRange": models.PriceRange,
    "Schedule": models.ExchangeSchedule,
    "ScopeList": models.ScopeList,
    "Series": models.Series,
    "SeriesFeeChange": models.SeriesFeeChange,
    "SettlementSource": models.SettlementSource,
    "SportFilterDetails": models.SportFilterDetails,
    "StructuredTarget": models.StructuredTarget,
    "Trade": models.Trade,
    "WeatherIndexCalibration": models.WeatherIndexCalibration,
    "WeatherIndexCalibrationStation": models.WeatherIndexCalibrationStation,
    "WeatherIndexPoint": models.WeatherIndexPoint,
    "WeatherIndexStationReading": models.WeatherIndexStationReading,
    "WeeklySchedule": models.WeeklySchedule,
}

BOOK_SCHEMAS = {"MarketOrderbookFp", "OrderbookCountFp"}
"""Decoded by a private struct into ``OrderBook``; sample answers test it."""

EXTRA_FIELDS = {
    "Market.liquidity_dollars": "sent, and not in the contract",
    "PriceDistributionHistorical.min_dollars": "shares the face of PriceDistribution; never sent",
    "PriceDistributionHistorical.max_dollars": "shares the face of PriceDistribution; never sent",
}
"""Fields of a struct that the contract does not have."""

OTHER_TYPES = {
    "PriceRange.start": ("decimal", "text in the contract, a price in fact"),
    "PriceRange.end": ("decimal", "text in the contract, a price in fact"),
    "PriceRange.step": ("decimal", "text in the contract, a price in fact"),
}
"""Fields that are of another type than the contract says."""

DEFAULTED = {"GetMilestones.limit": "the contract requires it; 100 does for most"}
"""Required parameters that a method gives a default."""
