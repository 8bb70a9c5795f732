"""An exchange without sockets, on a clock that stands still until it is moved."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from kalshi_async.sandbox._catalog.catalog import Catalog, Listed
from kalshi_async.sandbox._catalog.draw import default_now
from kalshi_async.sandbox._catalog.query import MarketQuery
from kalshi_async.sandbox._exchange import Exchange
from kalshi_async.sandbox._records import NewOrder, Order
from kalshi_async.sandbox._text import SECOND
from kalshi_async.sandbox._units import DOLLAR

NOW = default_now(7)
FED = "KXFED-26MAR19"


class Clocked:
    """An exchange with the members a and b, who have $10,000 each on every shard."""

    def __init__(
        self,
        markets: int = 400,
        *,
        wall: float = 1_790_000_000.0,
        load: Iterable[Path] = (),
        members: str = "ab",
    ) -> None:
        self.wall = wall
        self.catalog = Catalog(seed=7, markets=markets, now=NOW, paths=load)
        self.exchange = Exchange(self.catalog, seed=7, clock=lambda: self.wall)
        self.engine, self.live = self.exchange.engine, self.exchange.live
        for user_id in members:
            self.engine.open_account(user_id)
            for shard in range(4):
                self.engine.deposit(user_id, 10_000 * DOLLAR, self.exchange.now(), shard=shard)

    def later(self, seconds: float) -> None:
        """Let time pass and do what is due."""
        self.wall += seconds
        self.exchange.tick()

    def at(self, instant: int) -> None:
        """Let time pass until an instant of the catalog."""
        self.later((instant + self.exchange.shift - self.exchange.now()) / SECOND + 0.001)

    def order(
        self, user_id: str, side: str, price: int, contracts: float, ticker: str = FED, **more: Any
    ) -> Order:
        new = NewOrder(
            user_id=user_id,
            ticker=ticker,
            bid=side == "bid",
            price=price,
            count=round(contracts * 100),
            **more,
        )
        return self.exchange.do(lambda engine, now: engine.place(new, now))

    def look(self, ticker: str) -> None:
        """Activate a market."""
        self.exchange.do(lambda engine, now: engine.market(ticker, now))

    def listed(self, ticker: str = FED) -> Listed:
        found = self.live.market(ticker)
        assert found is not None
        return found

    def shown(self, ticker: str = FED) -> Any:
        return json.loads(self.listed(ticker).json())

    def tickers(self, **query: Any) -> list[str]:
        """The listing of a query, in its order."""
        return [market.ticker for market in self.live.markets(MarketQuery(**query))]

    def seconds(self) -> int:
        return self.exchange.now() // SECOND
