"""A bare engine with one or two markets, and short ways to trade on it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import pytest

from kalshi_async.sandbox._engine import Engine
from kalshi_async.sandbox._errors import ApiError
from kalshi_async.sandbox._records import Listing, MarketState, NewOrder, Order
from kalshi_async.sandbox._units import DOLLAR

CENTS = ((0, 10_000, 100),)
TENTHS = ((0, 10_000, 10),)
TAPERED = ((0, 1000, 10), (1000, 9000, 100), (9000, 10_000, 10))


def market(ticker: str = "M", **changes: object) -> MarketState:
    """An active market on a grid of cents, without maker fees."""
    fields: dict[str, object] = {
        "ticker": ticker,
        "event_ticker": "E",
        "series_ticker": "S",
        "shard": 0,
        "status": "active",
        "grid": CENTS,
        "opens": 0,
        "closes": 0,
    }
    return MarketState(**{**fields, **changes})  # type: ignore[arg-type]


def engine(*listings: Listing | MarketState, dollars: int = 10_000) -> Engine:
    """An engine that lists these markets, with the accounts a, b and c."""
    known = {
        listing.market.ticker: listing
        for listing in (
            item if isinstance(item, Listing) else Listing(market=item)
            for item in listings or (market(),)
        )
    }
    numbers = count(1)
    made = Engine(new_id=lambda: f"id-{next(numbers)}", listing=known.get)
    for user_id in "abc":
        made.open_account(user_id)
        made.deposit(user_id, dollars * DOLLAR, 0)
    return made


def place(
    exchange: Engine,
    user_id: str,
    side: str,
    price: int,
    contracts: float,
    *,
    now: int = 1,
    ticker: str = "M",
    **options: object,
) -> Order:
    """An order for so many contracts; `price` in units of $0.0001."""
    new = NewOrder(
        user_id=user_id,
        ticker=ticker,
        bid=side == "bid",
        price=price,
        count=round(contracts * 100),
        **options,  # type: ignore[arg-type]
    )
    return exchange.place(new, now)


def code(error: ApiError) -> tuple[int, str]:
    """Status and code of a refusal."""
    inner = error.body["error"]
    assert isinstance(inner, dict)
    return error.status, inner["code"]


def refusal(function: Callable[..., object], *args: object, **options: object) -> tuple[int, str]:
    """Status and code of the refusal that a call ends in."""
    with pytest.raises(ApiError) as caught:
        function(*args, **options)
    return code(caught.value)


def levels(exchange: Engine, ticker: str = "M") -> tuple[list[tuple[int, int]], ...]:
    """Bids and asks of a book, best first."""
    book = exchange.books[ticker]
    return book.levels(True), book.levels(False)


def free(exchange: Engine, user_id: str, subaccount: int = 0, shard: int = 0) -> int:
    """The free cash of a wallet."""
    return exchange.traders[user_id].wallet(subaccount, shard).free


def there(exchange: Engine) -> int:
    """All money in the system: wallets, a dollar for each open pair, and the fees taken."""
    cash = sum(
        wallet.cash for trader in exchange.traders.values() for wallet in trader.wallets.values()
    )
    pairs = sum(market.open_interest for market in exchange.markets.values())
    return cash + pairs * 10_000 + exchange.fees
