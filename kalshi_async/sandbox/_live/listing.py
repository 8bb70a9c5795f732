"""From a market of the catalog to one that trades: its state at first, and its resting quotes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

import msgspec

from .._catalog import states
from .._catalog.book import Book
from .._catalog.catalog import Catalog
from .._catalog.grid import DECI_CENT, GRIDS, LINEAR_CENT
from .._catalog.loading import LoadedMarket
from .._catalog.market import Market
from .._catalog.series import INDEX, SERIES
from .._records import (
    ACTIVE,
    CLOSED,
    DETERMINED,
    FINALIZED,
    INACTIVE,
    INITIALIZED,
    Listing,
    MarketState,
)
from .._text import parse_time
from .._units import CONTRACT, ONE

Grid = tuple[tuple[int, int, int], ...]
Quote = tuple[bool, int, int]

# Prices of the catalog are ticks of $0.001.
TICK = 10
# What a maker pays, in quarters of the taker fee.
# Beyond this multiplier closing a position would cost more than it brings.
_DEAREST = 14_000
_MAKER_QUARTERS = {"quadratic_with_maker_fees": 1, "quadratic_with_combo_maker_fees": 2}
# A dispute or an amendment ends like any determination: with the settlement.
_STATUS = {
    **dict.fromkeys(("disputed", "amended"), DETERMINED),
    **{name: name for name in (INITIALIZED, ACTIVE, INACTIVE, CLOSED, DETERMINED, FINALIZED)},
}
_STATUS_OF_WORD = {
    "unopened": INITIALIZED,
    "open": ACTIVE,
    "paused": INACTIVE,
    "closed": CLOSED,
    "settled": FINALIZED,
}
_FIELDS = msgspec.json.Decoder(dict[str, object])


@dataclass(frozen=True, slots=True)
class Fees:
    """The multiplier in thousandths, and what a maker pays in quarters of the taker fee."""

    thousandths: int = 1000
    quarters: int = 0

    @classmethod
    def of(cls, fee_type: object, multiplier: object) -> Fees:
        """The fees of a series or an event; what is not known is quadratic x 1."""
        exact = _decimal(multiplier)
        thousandths = 1000 if exact is None or exact < 0 else min(int(exact * 1000), _DEAREST)
        return cls(thousandths, _MAKER_QUARTERS.get(str(fee_type), 0))


def listing_of(catalog: Catalog, ticker: str, shift: int, now: int) -> Listing | None:
    """The market with this ticker as it starts to trade; None for one that is not listed.

    `shift` maps instants of the catalog onto trading time, in which `now` is (both microseconds).
    """
    listed = catalog.market(ticker)
    if isinstance(listed, Market):
        state, book = _generated(listed, shift), listed.book()
    elif isinstance(listed, LoadedMarket):
        state, book = _loaded(catalog, listed, shift), listed.book()
    else:
        return None
    if listed.word == "archived":
        return None
    if state.status == INITIALIZED and 0 < state.opens <= now:
        state.status = ACTIVE
    if state.status in (INITIALIZED, ACTIVE, INACTIVE) and 0 < state.closes <= now:
        state.status = CLOSED
    quoted = state.status in (ACTIVE, INACTIVE)
    return Listing(market=state, quotes=quotes_of(book, state.grid) if quoted else ())


def quotes_of(book: Book, grid: Grid) -> tuple[Quote, ...]:
    """The levels of a book as quotes at YES prices, bids first, each side best first.

    A recorded book can be crossed or hold prices beside the grid, which no engine would let rest:
    asks at or under the best bid are left out, and so is what is off the grid.
    """
    bids = _side(((tick * TICK, count) for tick, count in book.yes), grid)
    asks = _side((((ONE - tick * TICK), count) for tick, count in book.no), grid)
    best = max(bids, default=0)
    return (
        *((True, price, bids[price]) for price in sorted(bids, reverse=True)),
        *((False, price, asks[price]) for price in sorted(asks) if price > best),
    )


def _side(levels: Iterable[tuple[int, int]], grid: Grid) -> dict[int, int]:
    found: dict[int, int] = {}
    for price, count in levels:
        if count > 0 and on_grid(grid, price):
            found[price] = found.get(price, 0) + count
    return found


def on_grid(grid: Grid, price: int) -> bool:
    """Whether a price lies on a grid, strictly between nothing and a dollar."""
    return 0 < price < ONE and any(
        start <= price <= end and not (price - start) % step for start, end, step in grid
    )


def _generated(market: Market, shift: int) -> MarketState:
    event = market.event
    series = event.series
    fees = Fees.of(series.fee_type, series.fee_multiplier)
    return MarketState(
        ticker=market.ticker,
        event_ticker=event.ticker,
        series_ticker=series.ticker,
        shard=series.exchange_index,
        status=_STATUS[states.NAMES[event.state]],
        grid=grid_named(series.structure),
        opens=event.open + shift,
        closes=event.close + shift,
        fee_thousandths=fees.thousandths,
        maker_quarters=fees.quarters,
        value=market.settlement * TICK if market.settlement >= 0 else -1,
        last=market.last * TICK,
        base_volume=market.volume,
        base_volume_24h=market.volume_24h,
        base_open_interest=market.open_interest,
        determined=event.updated + shift if market.settlement >= 0 else 0,
        settled=event.settled + shift if event.settled else 0,
    )


def _loaded(catalog: Catalog, market: LoadedMarket, shift: int) -> MarketState:
    fields = _FIELDS.decode(market.raw)
    series = catalog.series_of(market)
    fees = _loaded_fees(catalog, market.event_ticker, series)
    value = outcome_of(fields)
    last = _price(fields, "last_price")
    # A recording of the past may be traded at leisure: only a close still ahead of the catalog's
    # present comes to pass.
    closes = market.close + shift if market.close > catalog.now else 0
    known = SERIES[INDEX[series]].exchange_index if series in INDEX else 0
    shard = fields.get("exchange_index")
    return MarketState(
        ticker=market.ticker,
        event_ticker=market.event_ticker,
        series_ticker=series,
        shard=shard if isinstance(shard, int) and shard >= 0 else known,
        status=_STATUS.get(str(fields.get("status")), _STATUS_OF_WORD[market.word]),
        grid=_loaded_grid(fields, market.book()),
        opens=(parse_time(fields.get("open_time")) or market.created) + shift,
        closes=closes,
        fee_thousandths=fees.thousandths,
        maker_quarters=fees.quarters,
        value=-1 if value is None else value,
        last=last or 0,
        base_volume=_count(fields, "volume"),
        base_volume_24h=_count(fields, "volume_24h"),
        base_open_interest=_count(fields, "open_interest"),
        determined=market.updated + shift if value is not None else 0,
        settled=market.settled + shift if market.settled else 0,
    )


def _loaded_fees(catalog: Catalog, event_ticker: str, series: str) -> Fees:
    """The fees of the event's override, else of its series: the recorded one, else a known one."""
    raw = catalog.loaded.series.get(series)
    known: Mapping[str, object] = {}
    if raw is not None:
        known = _FIELDS.decode(raw)
    elif series in INDEX:
        own = SERIES[INDEX[series]]
        known = {"fee_type": own.fee_type, "fee_multiplier": own.fee_multiplier}
    event = catalog.loaded.events.get(event_ticker)
    fee_type, multiplier = known.get("fee_type"), known.get("fee_multiplier")
    if event is not None:
        override = event.fields.get("fee_type_override")
        fee_type = (override and msgspec.json.decode(override)) or fee_type
        override = event.fields.get("fee_multiplier_override")
        changed = msgspec.json.decode(override) if override else None
        multiplier = multiplier if changed is None else changed
    return Fees.of(fee_type, multiplier)


def grid_named(structure: str) -> Grid:
    """The grid of a price level structure of the catalog."""
    return tuple((start * TICK, end * TICK, step * TICK) for start, end, step in GRIDS[structure])


def _loaded_grid(fields: Mapping[str, object], book: Book) -> Grid:
    """The recorded price ranges, else those of the structure, else the coarsest its quotes are
    on.
    """
    ranges = fields.get("price_ranges")
    found = []
    for item in ranges if isinstance(ranges, list) else ():
        parts = [_price(item, name) for name in ("start", "end", "step")]
        start, end, step = parts
        if start is not None and end is not None and step and start <= end:
            found.append((start, end, step))
    if found:
        return tuple(found)
    structure = fields.get("price_level_structure")
    if isinstance(structure, str) and structure in GRIDS:
        return grid_named(structure)
    whole = all(tick % 10 == 0 for tick, _ in (*book.yes, *book.no))
    return grid_named(LINEAR_CENT if whole else DECI_CENT)


def outcome_of(fields: Mapping[str, object]) -> int | None:
    """The YES price a recorded market was determined at, None for one without a result."""
    result = fields.get("result")
    if result == "yes":
        return ONE
    if result == "no":
        return 0
    value = _price(fields, "settlement_value")
    return value if result and value is not None and value <= ONE else None


def _decimal(value: object) -> Decimal | None:
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def _price(fields: object, name: str) -> int | None:
    """A price in dollar text, else in whole cents; range bounds have no suffix."""
    if not isinstance(fields, Mapping):
        return None
    plain = fields.get(name)
    dollars = fields.get(f"{name}_dollars", plain if isinstance(plain, str) else None)
    exact, unit = (_decimal(dollars), ONE) if dollars is not None else (_decimal(plain), ONE // 100)
    return None if exact is None or not 0 <= exact * unit <= ONE else int(exact * unit)


def _count(fields: Mapping[str, object], name: str) -> int:
    exact = _decimal(fields.get(f"{name}_fp", fields.get(name)))
    return 0 if exact is None or exact < 0 else int(exact * CONTRACT)
