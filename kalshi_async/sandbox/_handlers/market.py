"""Handlers of markets, order books and trades, live and historical."""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import Iterator

import msgspec

from .._call import Call, page, rendered
from .._catalog import states
from .._catalog.catalog import Listed, place
from .._catalog.market import Market
from .._catalog.query import MarketQuery, Window
from .._catalog.tape import behind, newest_first, trades_of
from .._errors import bad_request, not_found
from .._live.view import AnyTrade
from . import cursor as _cursor
from .params import Params


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
    found, more = await page(call, call.exchange.live.markets(query, call.params.after()), limit)
    markets = await rendered(found, lambda market: msgspec.Raw(market.json()))
    return {"cursor": _cursor.encode(*place(found[-1], query)) if more else "", "markets": markets}


async def get_market(call: Call) -> object:
    return _single(call.exchange.live.market(call.path["ticker"]), archived=False)


async def get_historical_market(call: Call) -> object:
    return _single(call.market(), archived=True)


def _single(market: Listed | None, *, archived: bool) -> object:
    if market is None or (market.word == "archived") is not archived:
        raise not_found()
    return {"market": msgspec.Raw(market.json())}


async def get_orderbook(call: Call) -> object:
    depth = call.params.limit(0, 100, name="depth")
    return {"orderbook_fp": call.exchange.live.book(call.path["ticker"], depth)}


async def get_orderbooks(call: Call) -> object:
    tickers = call.params.repeated("tickers", most=100, required=True)
    return {
        "orderbooks": [
            {"orderbook_fp": call.exchange.live.book(ticker), "ticker": ticker}
            for ticker in tickers
        ]
    }


async def get_trades(call: Call) -> object:
    """Those made here, then the catalog's; a trade of before the cutoff is only in the historical
    list.
    """
    params = call.params
    limit, after = params.limit(100, 1000), params.after()
    window, ticker = params.window("min_ts", "max_ts"), params.text("ticker")
    block = params.flag("is_block_trade")
    if ticker is None and not block:
        # The first reader collects the tape, which takes seconds in a catalog of a million markets.
        await to_thread(call.catalog.tape.build)
    found = call.exchange.live.trades(
        ticker, window, after, limit, block=block, cutoff=call.catalog.cutoff
    )
    return await _tape_page(call, found, limit)


async def get_historical_trades(call: Call) -> object:
    params = call.params
    limit, after = params.limit(100, 1000), params.after()
    window, ticker = params.window("min_ts", "max_ts"), params.text("ticker")
    market = None if ticker is None else call.catalog.market(ticker)
    if ticker is not None and market is None:
        raise not_found()
    if params.flag("is_block_trade"):
        return {"cursor": "", "trades": []}
    past = Window(window.low, min(window.high, call.catalog.cutoff - 1))
    if ticker is None:
        await to_thread(call.catalog.tape.build)
        trades = call.catalog.tape.newest(past, after)
    else:
        trades = newest_first(trades_of(market) if isinstance(market, Market) else [], past)
    return await _tape_page(call, behind(trades, after), limit)


async def _tape_page(call: Call, trades: Iterator[AnyTrade], limit: int) -> object:
    found, more = await page(call, trades, limit)
    cursor = _cursor.encode(*found[-1].key) if more else ""
    return {"cursor": cursor, "trades": await rendered(found, lambda trade: trade.json())}
