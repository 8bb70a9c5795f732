"""Handlers of milestones, structured targets, combo collections and incentive programs."""

from __future__ import annotations

from collections.abc import Iterator

from .._call import Call, page, rendered
from .._catalog.generated import Collection
from .._catalog.grid import price_ranges
from .._catalog.market import Market
from .._catalog.milestones import TARGETS, Milestone, milestones
from .._catalog.series import INDEX, SERIES
from .._errors import not_found
from .._text import DAY, SECOND, named_uuid, time_text
from .._units import count_text
from . import cursor as _cursor

_INCENTIVES = ("all", "liquidity", "volume", "margin_maker_volume", "margin_taker_volume")
_INCENTIVE_STATUSES = ("all", "active", "upcoming", "closed", "paid_out")


async def get_milestones(call: Call) -> object:
    params = call.params
    params.needed("limit")
    limit = params.limit(100, 500, least=1)
    start, since = params.instant("minimum_start_date"), params.number("min_updated_ts")
    category, competition = params.text("category"), params.text("competition")
    kind, source = params.text("type"), params.text("source_id")
    event = params.text("related_event_ticker")

    def matches(milestone: Milestone) -> bool:
        series = milestone.event.series
        return (
            (start is None or milestone.start >= start)
            and (since is None or milestone.updated >= since * SECOND)
            and category in (None, series.category)
            and competition in (None, series.competition)
            and kind in (None, milestone.type)
            and source in (None, milestone.source_id)
            and event in (None, milestone.event.ticker)
        )

    found, more = await page(
        call, filter(matches, milestones(call.catalog.generated, params.after())), limit
    )
    return {
        "cursor": _cursor.encode(found[-1].event.created, found[-1].id) if more else "",
        "milestones": await rendered(found, Milestone.json),
    }


async def get_milestone(call: Call) -> object:
    milestone = call.catalog.milestones.get(call.path["milestone_id"])
    if milestone is None:
        raise not_found()
    return {"milestone": milestone.json()}


async def get_structured_targets(call: Call) -> object:
    params = call.params
    limit = params.limit(100, 2000, least=1, name="page_size")
    ids, kind = params.repeated("ids", most=2000), params.text("type")
    competition, after = params.text("competition"), params.after()
    chosen = (
        target
        for target in TARGETS.values()
        if (not ids or target.id in ids)
        and kind in (None, target.type)
        and competition in (None, target.competition)
        and (after is None or target.id > after[1])
    )
    found, more = await page(call, chosen, limit)
    updated = call.catalog.cutoff
    return {
        "cursor": _cursor.encode(0, found[-1].id) if more else "",
        "structured_targets": [target.json(updated) for target in found],
    }


async def get_structured_target(call: Call) -> object:
    target = TARGETS.get(call.path["structured_target_id"])
    if target is None:
        raise not_found()
    return {"structured_target": target.json(call.catalog.cutoff)}


def _collection_json(call: Call, collection: Collection) -> dict[str, object]:
    series = SERIES[INDEX[collection.series]]
    now = call.catalog.now
    return {
        "associated_event_tickers": [event.ticker for event in collection.events],
        "associated_events": [
            {
                "active_quoters": [],
                "is_yes_only": False,
                "size_max": 1,
                "size_min": 0,
                "ticker": event.ticker,
            }
            for event in collection.events
        ],
        "close_date": time_text(max((event.close for event in collection.events), default=now)),
        "collection_ticker": collection.ticker,
        "description": f"{series.title}: choose a side of two or more of these events",
        "exchange_index": series.exchange_index,
        "functional_description": "yes if every selected leg is right",
        "is_all_yes": False,
        "is_ordered": False,
        "is_single_market_per_event": True,
        "open_date": time_text(now // DAY * DAY - 20 * DAY),
        "price_level_structure": series.structure,
        "price_ranges": price_ranges(series.structure),
        "series_ticker": series.ticker,
        "size_max": len(collection.events),
        "size_min": 2,
        "title": series.title,
    }


async def get_collections(call: Call) -> object:
    params = call.params
    limit, after = params.limit(200, 200, least=1), params.after()
    status = params.choice("status", ("unopened", "open", "closed"))
    event, series = params.text("associated_event_ticker"), params.text("series_ticker")
    # The events of a collection are open, and so is the collection.
    chosen = (
        collection
        for collection in sorted(call.catalog.generated.collections, key=lambda one: one.ticker)
        if status in (None, "open")
        and series in (None, collection.series)
        and (event is None or any(event == one.ticker for one in collection.events))
        and (after is None or collection.ticker > after[1])
    )
    found, more = await page(call, chosen, limit)
    return {
        "cursor": _cursor.encode(0, found[-1].ticker) if more else "",
        "multivariate_contracts": [_collection_json(call, collection) for collection in found],
    }


async def get_collection(call: Call) -> object:
    for collection in call.catalog.generated.collections:
        if collection.ticker == call.path["collection_ticker"]:
            return {"multivariate_contract": _collection_json(call, collection)}
    raise not_found()


class _Program:
    """An incentive program of one market: two weeks around today, before it or behind it."""

    def __init__(self, market: Market, now: int) -> None:
        self.market = market
        raw = market.raw
        offset = raw[17] % 60 - 40
        self.start = now // DAY * DAY + offset * DAY
        self.end = self.start + 14 * DAY
        self.paid = self.end < now - 7 * DAY
        self.type = "liquidity" if raw[18] & 1 else "volume"
        self.status = (
            "upcoming"
            if self.start > now
            else "active"
            if self.end > now
            else "paid_out"
            if self.paid
            else "closed"
        )

    @property
    def description(self) -> str:
        return f"{self.type.capitalize()} incentive"

    def json(self) -> dict[str, object]:
        liquidity = self.type == "liquidity"
        return {
            "discount_factor_bps": 5000 if liquidity else None,
            "end_date": time_text(self.end),
            "id": named_uuid(f"incentive/{self.market.ticker}"),
            "incentive_description": self.description,
            "incentive_type": self.type,
            "market_id": named_uuid(f"market/{self.market.ticker}"),
            "market_ticker": self.market.ticker,
            "paid_out": self.paid,
            "period_reward": (1 + self.market.raw[19]) * 10_000,
            "start_date": time_text(self.start),
            "target_size_fp": count_text(100_000) if liquidity else None,
        }


def _programs(call: Call, after: tuple[int, str] | None) -> Iterator[_Program]:
    """One program for every twelfth open event, newest first."""
    generated = call.catalog.generated
    columns = generated.columns
    for position in generated.by_word["open"]:
        if columns.key[position] % 12 == 0 and (
            after is None or columns.created[position] < after[0]
        ):
            yield _Program(generated.event_at(position).markets[0], call.catalog.now)


async def get_incentive_programs(call: Call) -> object:
    params = call.params
    limit = params.limit(100, 10_000, least=1)
    status = params.choice("status", _INCENTIVE_STATUSES) or "all"
    kind = params.choice("type", _INCENTIVES) or "all"
    description = params.text("incentive_description")
    chosen = (
        program
        for program in _programs(call, params.after())
        if status in ("all", program.status)
        and kind in ("all", program.type)
        and description in (None, program.description)
    )
    found, more = await page(call, chosen, limit)
    last = found[-1].market if more else None
    return {
        "incentive_programs": [program.json() for program in found],
        "next_cursor": _cursor.encode(last.created, last.ticker) if last else "",
    }
