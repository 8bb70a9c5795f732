"""Events and books for the arbitrage tests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from kalshi_async.models import Event, Level, Market, OrderBook

EVENT = "KXNUM-26MAY06"
Levels = Sequence[tuple[str, str]]


def book(ticker: str, yes: Levels = (), no: Levels = ()) -> OrderBook:
    """A book from (bid, size) texts in any order."""
    sides = [
        tuple(sorted(Level(Decimal(price), Decimal(size)) for price, size in side))
        for side in (yes, no)
    ]
    return OrderBook(ticker=ticker, yes=sides[0], no=sides[1])


def books(**of: tuple[Levels, Levels]) -> dict[str, OrderBook]:
    return {ticker: book(ticker, *sides) for ticker, sides in of.items()}


def quoted(yes_ask: str | None = None, no_ask: str | None = None, size: str = "10") -> Any:
    """The sides of a book that offers YES and NO at these prices."""
    one = Decimal(1)
    yes = [] if no_ask is None else [(str(one - Decimal(no_ask)), size)]
    no = [] if yes_ask is None else [(str(one - Decimal(yes_ask)), size)]
    return yes, no


def outcome(ticker: str, **fields: Any) -> Market:
    """A market on an outcome with a name."""
    given: dict[str, Any] = {
        "event_ticker": EVENT,
        "status": "active",
        "market_type": "binary",
        "strike_type": "custom",
        "custom_strike": {"Outcome": ticker},
        "title": f"Will {ticker} win?",
        "rules_primary": f"If {ticker} wins, then the market resolves to Yes.",
    }
    return Market(ticker=ticker, **{**given, **fields})


_SAYS = {
    "greater": "above {low}",
    "greater_or_equal": "at least {low}",
    "less": "below {high}",
    "less_or_equal": "at most {high}",
    "between": "between {low} and {high}",
}


def numeric(
    ticker: str,
    kind: str,
    low: str | None = None,
    high: str | None = None,
    *,
    what: str = "the index close",
    **fields: Any,
) -> Market:
    """A market on a number; its texts say what the strikes say."""
    says = _SAYS[kind].format(low=low, high=high)
    given: dict[str, Any] = {
        "event_ticker": EVENT,
        "status": "active",
        "market_type": "binary",
        "strike_type": kind,
        "floor_strike": None if low is None else Decimal(low),
        "cap_strike": None if high is None else Decimal(high),
        "title": f"Will {what} be {says} on May 6?",
        "yes_sub_title": says,
        "rules_primary": f"If {what} on May 6, 2026 is {says}, then the market resolves to Yes.",
    }
    return Market(ticker=ticker, **{**given, **fields})


def event(markets: Iterable[Market], *, exclusive: bool = False, **fields: Any) -> Event:
    given: dict[str, Any] = {
        "event_ticker": EVENT,
        "mutually_exclusive": exclusive,
        "collateral_return_type": "MECNET" if exclusive else "",
        "markets": list(markets),
    }
    return Event(**{**given, **fields})


def pays(market: Market, value: Decimal) -> bool:
    """Whether YES pays at a value, read off the words of the strike type."""
    low, high = market.floor_strike, market.cap_strike
    if market.strike_type == "between":
        assert low is not None
        assert high is not None
        return low <= value <= high
    if market.strike_type in ("greater", "greater_or_equal"):
        assert low is not None
        return value > low or (market.strike_type == "greater_or_equal" and value == low)
    assert high is not None
    return value < high or (market.strike_type == "less_or_equal" and value == high)


def legs_of(packages: Iterable[Any]) -> list[tuple[str, frozenset[tuple[str, str]]]]:
    """Kind and (market, side) of each leg, for comparison."""
    return [
        (package.kind, frozenset((leg.market, leg.side) for leg in package.legs))
        for package in packages
    ]


def bought(side: str, of: OrderBook, count: Decimal) -> list[tuple[Decimal, Decimal]]:
    """(count, price) of the offers that an order takes, best first."""
    bids = of.no if side == "yes" else of.yes
    taken, left = [], count
    for level in sorted(bids, reverse=True):
        if not left:
            break
        size = min(left, level.size)
        if size:
            taken.append((size, 1 - level.price))
            left -= size
    assert not left, "the book does not hold that much"
    return taken


Books = Mapping[str, OrderBook]
