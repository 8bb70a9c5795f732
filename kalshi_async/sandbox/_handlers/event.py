"""Handlers of events and combo events."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from .._call import Call, page, rendered
from .._catalog.catalog import EventEntry
from .._catalog.milestones import milestone_of
from .._errors import bad_request, not_found
from .._text import SECOND, named_uuid, time_text
from . import cursor as _cursor

_STATUSES = ("unopened", "open", "closed", "settled")


async def get_events(call: Call) -> object:
    params, live = call.params, call.exchange.live
    limit, after = params.limit(200, 200, least=1), params.after()
    status = params.text("status")
    if status is not None and status not in _STATUSES:
        raise bad_request("invalid status filter")
    tickers, series = params.comma("tickers"), params.text("series_ticker")
    min_close, min_updated = params.number("min_close_ts"), params.number("min_updated_ts")
    nested = bool(params.flag("with_nested_markets"))

    def matches(event: EventEntry) -> bool:
        return (
            (status is None or status in live.words(event))
            and (series is None or event.series == series)
            and (min_close is None or event.close >= min_close * SECOND)
            and (min_updated is None or live.updated(event) >= min_updated * SECOND)
        )

    source = call.catalog.events(after, series=series)
    if tickers is not None:
        source = _named(call, tickers, after)
    found, more = await page(call, filter(matches, source), limit)
    shown: dict[str, object] = {
        "cursor": _cursor.encode(found[-1].close, found[-1].ticker) if more else "",
        "events": await rendered(found, lambda event: _shown(call, event, nested=nested)),
    }
    if params.flag("with_milestones"):
        milestones = (milestone_of(event.generated) for event in found if event.generated)
        shown["milestones"] = [milestone.json() for milestone in milestones if milestone]
    return shown


def _named(
    call: Call, tickers: tuple[str, ...], after: tuple[int, str] | None
) -> Iterator[EventEntry]:
    events = [event for ticker in dict.fromkeys(tickers) if (event := call.catalog.event(ticker))]
    words = call.exchange.live.words
    found = [event for event in events if not event.combo and "archived" not in words(event)]
    found.sort(key=lambda event: (event.close, event.ticker), reverse=True)
    return (event for event in found if after is None or (event.close, event.ticker) < after)


async def get_multivariate_events(call: Call) -> object:
    params = call.params
    limit, after = params.limit(100, 200, least=1), params.after()
    series, collection = params.text("series_ticker"), params.text("collection_ticker")
    if series is not None and collection is not None:
        raise bad_request("series_ticker and collection_ticker cannot be combined")
    tickers = params.comma("tickers")
    nested = bool(params.flag("with_nested_markets"))

    def matches(event: EventEntry) -> bool:
        own = event.generated.combo if event.generated else None
        return (
            (series is None or event.series == series)
            and (tickers is None or event.ticker in tickers)
            and (collection is None or (own is not None and own.collection_ticker == collection))
        )

    found, more = await page(call, filter(matches, call.exchange.live.combo_events(after)), limit)
    return {
        "cursor": _cursor.encode(found[-1].created, found[-1].ticker) if more else "",
        "events": await rendered(found, lambda event: _shown(call, event, nested=nested)),
    }


async def get_event(call: Call) -> object:
    event = _found(call)
    nested = bool(call.params.flag("with_nested_markets"))
    hidden = nested or bool(call.params.flag("exclude_markets"))
    markets = [] if hidden else call.exchange.live.event_markets(event)
    return {
        "event": _shown(call, event, nested=nested),
        "markets": [msgspec.Raw(market.json()) for market in markets],
    }


def _shown(call: Call, event: EventEntry, *, nested: bool) -> dict[str, object]:
    """The object of an event, with its markets as they are now if they are asked for."""
    live = call.exchange.live
    shown = event.json(live.event_markets(event) if nested else None)
    updated = live.updated(event)
    if updated > event.updated:
        shown = shown | {"last_updated_ts": time_text(updated)}
    return shown


async def get_event_metadata(call: Call) -> object:
    event = _found(call)
    fields = event.json()
    images = "https://kalshi-public-docs.s3.amazonaws.com/series-images-webp"
    series = event.generated.series if event.generated else None
    return {
        "competition": series.competition or None if series else None,
        "competition_scope": "Game" if series and series.competition else None,
        "featured_image_url": f"{images}/{event.series}.webp",
        "image_url": f"{images}/{event.series}.webp",
        "market_details": [
            {
                "color_code": f"#{named_uuid(market.ticker)[:6].upper()}",
                "image_url": f"{images}/{event.series}.webp",
                "market_ticker": market.ticker,
            }
            for market in event.markets
        ],
        "settlement_sources": fields.get("settlement_sources", []),
    }


def _found(call: Call) -> EventEntry:
    event = call.exchange.live.event(call.path["event_ticker"])
    if event is None:
        raise not_found()
    return event


async def get_event_fee_changes(call: Call) -> object:
    """Fee overrides, scheduled for the close of the events that combos are made of."""
    params = call.params
    limit = params.limit(100, 1000, least=1)
    ticker, after = params.text("event_ticker"), params.after()
    events = {
        event.ticker: event for one in call.catalog.generated.collections for event in one.events
    }
    chosen = [
        event
        for name, event in sorted(events.items(), reverse=True)
        if ticker in (None, name) and (after is None or name < after[1])
    ]
    found, more = await page(call, iter(chosen), limit)
    return {
        "cursor": _cursor.encode(0, found[-1].ticker) if more else "",
        "event_fee_changes": [
            {
                "event_ticker": event.ticker,
                "fee_multiplier_override": 0.5,
                "fee_type_override": "quadratic",
                "id": named_uuid(f"fee/{event.ticker}"),
                "scheduled_ts": time_text(event.close),
                "series_ticker": event.series.ticker,
            }
            for event in found
        ],
    }
