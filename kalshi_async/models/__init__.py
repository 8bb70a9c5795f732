"""The objects of the exchange, decoded: immutable, exact, with Kalshi's own words.

Prices and money are dollars, counts are contracts, both ``Decimal``; times are aware ``datetime``
in UTC. Names ending in ``_ts`` that are integers are Unix seconds, ``_ms`` Unix milliseconds.
"""

from __future__ import annotations

from .account import (
    AccountLimits,
    ApiUsageLevelGrant,
    BucketLimit,
    EndpointCosts,
    EndpointTokenCost,
)
from .candlesticks import (
    BidAskDistribution,
    Candlestick,
    EventCandlesticks,
    HistoricalBidAskDistribution,
    HistoricalCandlestick,
    HistoricalPriceDistribution,
    MarketCandlesticks,
    PeriodInterval,
    PriceDistribution,
)
from .collections import AssociatedEvent, Collection, CollectionStatusFilter
from .events import Event, EventFeeChange, EventMetadata, EventStatusFilter, MarketMetadata
from .exchange import (
    DailySchedule,
    ExchangeIndexStatus,
    ExchangeSchedule,
    ExchangeStatus,
    MaintenanceWindow,
    UserDataTimestamp,
    WeeklySchedule,
)
from .historical import HistoricalCutoff
from .incentives import IncentiveProgram, IncentiveStatusFilter, IncentiveTypeFilter
from .live_data import (
    EventLiveData,
    GameStats,
    LiveData,
    PlayByPlay,
    PlayByPlayPeriod,
    WeatherIndex,
    WeatherIndexCalibration,
    WeatherIndexCalibrations,
    WeatherIndexCalibrationStation,
    WeatherIndexPoint,
    WeatherIndexStationReading,
)
from .markets import Market, MarketStatusFilter, MveFilter, MveSelectedLeg, PriceRange
from .milestones import Milestone
from .orderbook import Level, OrderBook, Side
from .search import FiltersBySport, ScopeList, SportFilterDetails, TagsByCategories
from .series import Series, SeriesFeeChange, SettlementSource
from .structured_targets import StructuredTarget
from .trades import Trade

__all__ = [
    "AccountLimits",
    "ApiUsageLevelGrant",
    "AssociatedEvent",
    "BidAskDistribution",
    "BucketLimit",
    "Candlestick",
    "Collection",
    "CollectionStatusFilter",
    "DailySchedule",
    "EndpointCosts",
    "EndpointTokenCost",
    "Event",
    "EventCandlesticks",
    "EventFeeChange",
    "EventLiveData",
    "EventMetadata",
    "EventStatusFilter",
    "ExchangeIndexStatus",
    "ExchangeSchedule",
    "ExchangeStatus",
    "FiltersBySport",
    "GameStats",
    "HistoricalBidAskDistribution",
    "HistoricalCandlestick",
    "HistoricalCutoff",
    "HistoricalPriceDistribution",
    "IncentiveProgram",
    "IncentiveStatusFilter",
    "IncentiveTypeFilter",
    "Level",
    "LiveData",
    "MaintenanceWindow",
    "Market",
    "MarketCandlesticks",
    "MarketMetadata",
    "MarketStatusFilter",
    "Milestone",
    "MveFilter",
    "MveSelectedLeg",
    "OrderBook",
    "PeriodInterval",
    "PlayByPlay",
    "PlayByPlayPeriod",
    "PriceDistribution",
    "PriceRange",
    "ScopeList",
    "Series",
    "SeriesFeeChange",
    "SettlementSource",
    "Side",
    "SportFilterDetails",
    "StructuredTarget",
    "TagsByCategories",
    "Trade",
    "UserDataTimestamp",
    "WeatherIndex",
    "WeatherIndexCalibration",
    "WeatherIndexCalibrationStation",
    "WeatherIndexCalibrations",
    "WeatherIndexPoint",
    "WeatherIndexStationReading",
    "WeeklySchedule",
]
