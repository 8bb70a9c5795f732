"""Handlers of markets, order books and trades, live and historical."""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import Iterator

import msgspec

from . import _cursor
from . import _states as states
from ._call import Call, page, rendered
from ._catalog import Listed, place
from ._errors import bad_request, not_found
from ._market import Market
from ._params import Params
from ._query import Key, MarketQuery, Window
from ._tape import Trade, behind, newest_first, trades_of


def market_query(params: Params) -> MarketQuery:
    """The filters of GET /markets; an ApiError 400 for a combination the exchange refuses."""
    status = params.text("status")
    if status is not None and status not in states.STATUS_FILTERS:
        raise bad_request("invalid status filter")
    combos = params.choice("mve_filter", ("only", "exclude"))
    event = params.text("event_ticker")
    query = MarketQuery(
        word=status,
        events=(event,) if event else None,
        series=params.text("series_ticker"),
        tickers=params.comma("tickers"),
        combos=None if combos is None else combos == "only",
        created=params.window("min_created_ts", "max_created_ts"),
        close=params.window("min_close_ts", "max_close_ts"),
        settled=params.window("min_settled_ts", "max_settled_ts"),
        updated=params.window("min_updated_ts", "max_updated_ts"),
    )
    _check_combination(query)
    return query


def _check_combination(query: MarketQuery) -> None:
    families = {
        "created_ts": (query.created, ("unopened", "open", None)),
        "close_ts": (query.close, ("closed", None)),
        "settled_ts": (query.settled, ("settled", None)),
        "updated_ts": (query.updated, (None,)),
    }
    used = [name for name, (window, _) in families.items() if not window.everything]
    if len(used) > 1:
        raise bad_request(f"{' and '.join(used)} filters cannot be combined")
    for name in used:
        if query.word not in families[name][1]:
            raise bad_request(f"{name} filters are incompatible with status {query.word}")
    if "updated_ts" in used:
        others = (query.events, query.series, query.tickers)
        if query.combos is not False or any(other is not None for other in others):
            raise bad_request("updated_ts filters can only be combined with mve_filter=exclude")


async def get_markets(call: Call) -> object:
    limit = call.params.limit(100, 1000)
    return await _listing(call, market_query(call.params), limit)


async def get_historical_markets(call: Call) -> object:
    params = call.params
    event = params.text("event_ticker")
    query = MarketQuery(
        word="archived",
        events=(event,) if event else None,
        series=params.text("series_ticker"),
        tickers=params.comma("tickers"),
        combos=False if params.choice("mve_filter", ("exclude",)) else None,
    )
    return await _listing(call, query, params.limit(100, 1000))


async def _listing(call: Call, query: MarketQuery, limit: int) -> object:
    found, more = await page(call, call.catalog.markets(query, call.params.after()), limit)
    markets = await rendered(found, lambda market: msgspec.Raw(market.json()))
    return {"cursor": _cursor.encode(*place(found[-1], query)) if more else "", "markets": markets}


async def get_market(call: Call) -> object:
    return _single(call.market(), archived=False)


async def get_historical_market(call: Call) -> object:
    return _single(call.market(), archived=True)


def _single(market: Listed | None, *, archived: bool) -> object:
    if market is None or (market.word == "archived") is not archived:
        raise not_found()
    return {"market": msgspec.Raw(market.json())}


async def get_orderbook(call: Call) -> object:
    depth = call.params.limit(0, 100, name="depth")
    return {"orderbook_fp": call.catalog.book(call.path["ticker"]).json(depth)}


async def get_orderbooks(call: Call) -> object:
    tickers = call.params.repeated("tickers", most=100, required=True)
    return {
        "orderbooks": [
            {"orderbook_fp": call.catalog.book(ticker).json(), "ticker": ticker}
            for ticker in tickers
        ]
    }


async def get_trades(call: Call) -> object:
    window = call.params.window("min_ts", "max_ts")
    live = Window(max(window.low, call.catalog.cutoff), window.high)
    return await _trades(call, live)


async def get_historical_trades(call: Call) -> object:
    window = call.params.window("min_ts", "max_ts")
    ticker = call.params.text("ticker")
    if ticker is not None and call.catalog.market(ticker) is None:
        raise not_found()
    return await _trades(call, Window(window.low, min(window.high, call.catalog.cutoff - 1)))


async def _trades(call: Call, window: Window) -> object:
    limit, after = call.params.limit(100, 1000), call.params.after()
    if call.params.flag("is_block_trade"):
        return {"cursor": "", "trades": []}
    found, more = await page(call, behind(await _source(call, window, after), after), limit)
    cursor = _cursor.encode(*found[-1].key) if more else ""
    return {"cursor": cursor, "trades": await rendered(found, Trade.json)}


async def _source(call: Call, window: Window, after: Key | None) -> Iterator[Trade]:
    ticker = call.params.text("ticker")
    if ticker is None:
        # The first reader collects the tape, which takes seconds in a catalog of a million markets.
        await to_thread(call.catalog.tape.build)
        return call.catalog.tape.newest(window, after)
    market = call.catalog.market(ticker)
    trades = trades_of(market) if isinstance(market, Market) else []
    return newest_first(trades, window)
