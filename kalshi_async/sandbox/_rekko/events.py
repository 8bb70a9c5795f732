"""Events as the intelligence API groups them: the exchange's own, and those whose questions are
also asked elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

import msgspec

from .desk import RekkoDesk
from .drawn import JsonObject, market_json
from .given import Asked, Given, not_found
from .markets import COINBASE, KALSHI, PLATFORMS, Entry, VenueMarket

_LIMIT, _MOST = 30, 100


@dataclass(frozen=True, slots=True)
class Group:
    """An event on one platform, and its open questions."""

    platform: str
    ticker: str
    entries: tuple[Entry, ...]

    @property
    def slug(self) -> str:
        """Its name in paths: the ticker here, behind the platform elsewhere."""
        own = self.ticker.lower()
        return own if self.platform == KALSHI else f"{self.platform}-{own}"


def _groups(desk: RekkoDesk, platform: str | None) -> Iterator[Group]:
    """Events of open markets, the busiest first."""
    by_event: dict[str, list[Entry]] = {}
    for entry in desk.venues.entries():
        by_event.setdefault(entry.event_ticker, []).append(entry)
    ordered = sorted(by_event, key=lambda ticker: -sum(e.volume for e in by_event[ticker]))
    for ticker in ordered:
        for each in PLATFORMS if platform is None else (platform,):
            group = _group(desk, each, ticker, by_event[ticker])
            if group is not None:
                yield group


def _group(desk: RekkoDesk, platform: str, ticker: str, entries: list[Entry]) -> Group | None:
    if platform == COINBASE:
        return None
    if platform != KALSHI:
        twins = desk.venues.twins()
        entries = [
            entry
            for entry in entries
            if any(twin.platform == platform for twin in twins.get(entry.ticker, ()))
        ]
    return Group(platform, ticker, tuple(entries)) if entries else None


def _fields(desk: RekkoDesk, ticker: str) -> Mapping[str, object]:
    """What the exchange itself says of an event."""
    entry = desk.exchange.live.event(ticker)
    return {} if entry is None else entry.json()


def _event_json(desk: RekkoDesk, group: Group, *, expand: bool = False) -> JsonObject:
    fields = _fields(desk, group.ticker)
    markets = list(desk.venues.of(group.entries, group.platform))
    closing = [market.close_time for market in markets if market.close_time]
    shown: JsonObject = {
        "slug": group.slug,
        "title": _plain(fields.get("title")) or group.ticker,
        "category": _plain(fields.get("category")),
        "platform": group.platform,
        "close_time": max(closing, default=None),
        "volume_24h": sum(market.volume_24h for market in markets) / 100,
        "market_count": len(markets),
    }
    return shown | {"markets": _markets_json(markets)} if expand else shown


def _category(desk: RekkoDesk, ticker: str) -> str:
    return _plain(_fields(desk, ticker).get("category"))


def _markets_json(markets: list[VenueMarket]) -> list[JsonObject]:
    return [market_json(market) for market in markets]


def _plain(value: object) -> str:
    found = msgspec.json.decode(value) if isinstance(value, msgspec.Raw) else value
    return found if isinstance(found, str) else ""


def _expands(asked: Given) -> bool:
    """Whether events are to come with their markets: ``markets``, or true."""
    return asked.get("expand") == "markets" or asked.flag("expand")


def _listed(desk: RekkoDesk, groups: Iterator[Group], asked: Given) -> object:
    limit, category = asked.whole("limit", _LIMIT, 1, _MOST), asked.text("category")
    expand = _expands(asked)
    if category is not None:
        wanted = category.lower()
        groups = (g for g in groups if _category(desk, g.ticker).lower() == wanted)
    found = (_event_json(desk, group, expand=expand) for group in groups)
    return {"events": list(islice(found, limit))}


def events(desk: RekkoDesk, asked: Asked) -> object:
    query = asked.query
    groups = _groups(desk, query.choice("source", PLATFORMS))
    if query.flag("featured"):
        # What is asked on several venues is what many look at.
        twins = desk.venues.twins()
        groups = (g for g in groups if any(entry.ticker in twins for entry in g.entries))
    return _listed(desk, groups, query)


def trending(desk: RekkoDesk, asked: Asked) -> object:
    groups = _groups(desk, asked.query.choice("source", PLATFORMS))
    busy = (group for group in groups if any(entry.volume for entry in group.entries))
    return _listed(desk, busy, asked.query)


def search(desk: RekkoDesk, asked: Asked) -> object:
    words = asked.query.needed("q", "the words to search for").lower().split()
    groups = _groups(desk, asked.query.choice("source", PLATFORMS))
    found = (
        group
        for group in groups
        if any(all(word in entry.text for word in words) for entry in group.entries)
    )
    return _listed(desk, found, asked.query)


def _named(desk: RekkoDesk, asked: Asked) -> Group:
    slug = asked.path["slug"]
    own = desk.venues.event(slug.upper())
    if own:
        return Group(KALSHI, slug.upper(), tuple(own))
    for platform in PLATFORMS:
        for group in _groups(desk, platform):
            if group.slug == slug.lower():
                return group
    raise not_found(f"event {slug!r}")


def event(desk: RekkoDesk, asked: Asked) -> object:
    return _event_json(desk, _named(desk, asked), expand=_expands(asked.query))


def event_markets(desk: RekkoDesk, asked: Asked) -> object:
    group = _named(desk, asked)
    limit = asked.query.whole("limit", _MOST, 1, _MOST)
    found = islice(desk.venues.of(group.entries, group.platform), limit)
    return {"markets": _markets_json(list(found))}
