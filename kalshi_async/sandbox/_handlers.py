"""Which handler answers which operation."""

from __future__ import annotations

from . import _block_trades as block_trades
from . import _handlers_candles as candles
from . import _handlers_combos as combos
from . import _handlers_event as event
from . import _handlers_exchange as exchange
from . import _handlers_fcm as fcm
from . import _handlers_groups as groups
from . import _handlers_keys as keys
from . import _handlers_live as live
from . import _handlers_market as market
from . import _handlers_orders as orders
from . import _handlers_portfolio as portfolio
from . import _handlers_reference as reference
from . import _handlers_rfq as rfq
from . import _handlers_rfq_batches as rfq_batches
from . import _handlers_series as series
from . import _handlers_subaccounts as subaccounts
from ._call import Handler

HANDLERS: dict[str, Handler] = {
    **block_trades.HANDLERS,
    **combos.HANDLERS,
    **fcm.HANDLERS,
    **groups.HANDLERS,
    **keys.HANDLERS,
    **orders.HANDLERS,
    **portfolio.HANDLERS,
    **rfq.HANDLERS,
    **rfq_batches.HANDLERS,
    **subaccounts.HANDLERS,
    "BatchGetMarketCandlesticks": candles.get_batch_candlesticks,
    "GetAccountEndpointCosts": exchange.get_endpoint_costs,
    "GetEvent": event.get_event,
    "GetEventFeeChanges": event.get_event_fee_changes,
    "GetEventLiveData": live.get_event_live_data,
    "GetEventMetadata": event.get_event_metadata,
    "GetEvents": event.get_events,
    "GetExchangeSchedule": exchange.get_exchange_schedule,
    "GetExchangeStatus": exchange.get_exchange_status,
    "GetFiltersForSports": series.get_filters_by_sport,
    "GetGameStats": live.get_game_stats,
    "GetHistoricalCutoff": exchange.get_historical_cutoff,
    "GetHistoricalMarket": market.get_historical_market,
    "GetHistoricalMarkets": market.get_historical_markets,
    "GetIncentivePrograms": reference.get_incentive_programs,
    "GetLiveData": live.get_live_data,
    "GetLiveDataByMilestone": live.get_live_data,
    "GetLiveDatas": live.get_live_datas,
    "GetMarket": market.get_market,
    "GetMarketCandlesticks": candles.get_market_candlesticks,
    "GetMarketCandlesticksByEvent": candles.get_event_candlesticks,
    "GetMarketCandlesticksHistorical": candles.get_historical_candlesticks,
    "GetMarketOrderbook": market.get_orderbook,
    "GetMarketOrderbooks": market.get_orderbooks,
    "GetMarkets": market.get_markets,
    "GetMilestone": reference.get_milestone,
    "GetMilestones": reference.get_milestones,
    "GetMultivariateEventCollection": reference.get_collection,
    "GetMultivariateEventCollections": reference.get_collections,
    "GetMultivariateEvents": event.get_multivariate_events,
    "GetSeries": series.get_series,
    "GetSeriesFeeChanges": series.get_series_fee_changes,
    "GetSeriesList": series.get_series_list,
    "GetStructuredTarget": reference.get_structured_target,
    "GetStructuredTargets": reference.get_structured_targets,
    "GetTagsForSeriesCategories": series.get_tags_by_categories,
    "GetTrades": market.get_trades,
    "GetTradesHistorical": market.get_historical_trades,
    "GetUserDataTimestamp": exchange.get_user_data_timestamp,
    "GetWeatherIndex": live.get_weather_index,
    "GetWeatherIndexCalibrations": live.get_weather_calibrations,
}
