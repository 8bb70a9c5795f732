"""Market makers and takers that let books, trades and candlesticks move.

Each market has a desk with dice of its own. What happens depends only on the seed and on what
others did before: an action takes place at the instant it was drawn for, whenever that is caught up
with.
"""

from __future__ import annotations

from collections.abc import Iterable
from heapq import heapify, heapreplace
from itertools import islice
from operator import attrgetter
from random import Random
from typing import TYPE_CHECKING

from ._activity import Activity
from ._catalog.query import MarketQuery
from ._catalog.strikes import ANCHORS
from ._engine import Engine
from ._errors import ApiError
from ._records import (
    ACTIVE,
    CLOSED,
    DETERMINED,
    FINALIZED,
    GTC,
    IOC,
    MAKER,
    MarketState,
    NewOrder,
    Order,
)
from ._text import MINUTE, SECOND, named_uuid
from ._units import CONTRACT, ONE

if TYPE_CHECKING:
    from ._exchange import Exchange

# Open markets the desks are drawn from.
_CANDIDATES = 5_000
_ENDED = (CLOSED, DETERMINED, FINALIZED)
_QUOTES = 6
_MAKERS, _TAKERS = 4, 8


class Crowd:
    """All desks, in the order in which they act next."""

    def __init__(self, exchange: Exchange, activity: Activity) -> None:
        self._exchange = exchange
        self._mean = SECOND / activity.speed
        engine = exchange.engine
        # A restarted exchange goes on with other dice than it began with.
        self._salt = f"{exchange.seed}/{engine.priority}"
        self._makers = [named_uuid(f"maker/{number}") for number in range(_MAKERS)]
        self._takers = [named_uuid(f"taker/{number}") for number in range(_TAKERS)]
        for user_id in self._makers + self._takers:
            engine.open_account(user_id, house=True)
        start = exchange.now()
        quotes = self._left_quotes(engine)
        self._desks: list[tuple[int, int, _Desk]] = []
        desks: dict[str, _Desk] = {}
        for number, ticker in enumerate(self._chosen(activity.markets, quotes)):
            dice = Random(f"desk/{self._salt}/{ticker}")  # noqa: S311 - reproducible, not secret
            desk = desks[ticker] = _Desk(ticker, dice)
            self._desks.append((start + desk.wait(self._mean), number, desk))
        heapify(self._desks)
        self._acting = False
        self._strays: list[Order] = []
        for order in quotes:
            if order.ticker in desks:
                desks[order.ticker].quotes[order.bid].append((order.user_id, order.order_id))
            else:
                self._strays.append(order)

    def __repr__(self) -> str:
        return f"<Crowd of {len(self._desks)} markets>"

    def _left_quotes(self, engine: Engine) -> list[Order]:
        """What the makers left in the books before a restart, oldest first."""
        return sorted(
            (
                order
                for user_id in self._makers
                for order in engine.traders[user_id].resting.values()
            ),
            key=attrgetter("priority"),
        )

    def _chosen(self, count: int, quotes: Iterable[Order]) -> list[str]:
        """Tickers of open markets: the ones with quotes to look after, the ones every catalog has,
        then drawn ones.
        """
        catalog = self._exchange.catalog
        query = MarketQuery(word="open", combos=False)
        found = [market.ticker for market in islice(catalog.markets(query), _CANDIDATES)]
        known = [
            market.ticker
            for event in map(catalog.generated.event, ANCHORS.values())
            if event is not None
            for market in event.markets
        ]
        Random(f"desks/{self._exchange.seed}").shuffle(found)  # noqa: S311 - reproducible, not secret
        adopted = [order.ticker for order in quotes]
        return list(dict.fromkeys(adopted + known + found))[:count]

    def act(self, now: int) -> None:
        """Catch up with everything that was to happen by now, each at its own instant."""
        if self._acting:
            return  # whoever hears of an action may use the exchange in the middle of it
        self._acting = True
        try:
            self._catch_up(now)
        finally:
            self._acting = False

    def _catch_up(self, now: int) -> None:
        desks = self._desks
        while desks and desks[0][0] <= now:
            due, number, desk = desks[0]
            self._exchange.reach(due)
            self._clear_strays(due)
            market = self._exchange.engine.market(desk.ticker, due)
            if market is None or market.status in _ENDED:
                desks[0] = desks[-1]
                desks.pop()
                heapify(desks)
                continue
            if market.status == ACTIVE and self._exchange.engine.trading:
                desk.act(self._exchange.engine, market, self._makers, self._takers, due)
            heapreplace(desks, (due + desk.wait(self._mean), number, desk))

    def _clear_strays(self, now: int) -> None:
        """Cancel the quotes in markets that have no desk any more."""
        engine = self._exchange.engine
        while self._strays:
            order = self._strays.pop()
            if order.order_id in engine.traders[order.user_id].resting:
                engine.cancel(order.user_id, order.order_id, now)


class _Desk:
    """What goes on in one market: a fair price that wanders, quotes around it, and takers."""

    def __init__(self, ticker: str, dice: Random) -> None:
        self.ticker = ticker
        self._dice = dice
        self._fair = 0
        self.quotes: dict[bool, list[tuple[str, str]]] = {True: [], False: []}

    def wait(self, mean: float) -> int:
        """Microseconds to the next action."""
        return 1 + int(self._dice.expovariate(1 / mean))

    def act(
        self, engine: Engine, market: MarketState, makers: list[str], takers: list[str], now: int
    ) -> None:
        """Do one thing."""
        dice = self._dice
        if not self._fair:
            self._fair = _opinion(engine, market)
        self._wander()
        drawn = dice.randrange(100)
        if drawn < 55:
            self._quote(engine, market, makers[dice.randrange(len(makers))], now)
        elif drawn < 85:
            self._take(engine, market, takers[dice.randrange(len(takers))], now)
        else:
            self._rest(engine, market, takers[dice.randrange(len(takers))], now)

    def _wander(self) -> None:
        """The fair price moves most near the middle, and stays inside the market."""
        reach = 1 + 60 * self._fair * (ONE - self._fair) // (ONE * ONE // 4)
        moved = self._fair + self._dice.randrange(-reach, reach + 1)
        self._fair = min(max(moved, 50), ONE - 50)

    def _quote(self, engine: Engine, market: MarketState, maker: str, now: int) -> None:
        """A maker renews its oldest quote on one side."""
        bid = self._dice.random() < 0.5
        quotes = self.quotes[bid]
        if len(quotes) >= _QUOTES:
            owner, order_id = quotes.pop(0)
            if order_id in engine.traders[owner].resting:
                engine.cancel(owner, order_id, now)
        away = 20 + self._dice.randrange(400)
        price = snapped(market, self._fair - away if bid else self._fair + away, down=bid)
        order_id = _place(engine, market, maker, bid, price, self._size(8), now)
        if order_id:
            quotes.append((maker, order_id))

    def _take(self, engine: Engine, market: MarketState, taker: str, now: int) -> None:
        """A taker hits the best price on the side that seems cheap, mostly."""
        best_bid, best_ask = (
            engine.books[self.ticker].best(True),
            engine.books[self.ticker].best(False),
        )
        bid = self._dice.random() < 0.5
        if best_bid and best_ask and self._dice.random() < 0.7:
            bid = self._fair * 2 > best_bid[0] + best_ask[0]
        best = best_ask if bid else best_bid
        if best is None or abs(best[0] - self._fair) > ONE // 8:
            return
        _place(engine, market, taker, bid, best[0], self._size(4), now, time_in_force=IOC)

    def _rest(self, engine: Engine, market: MarketState, trader: str, now: int) -> None:
        """Somebody leaves an order for a while."""
        bid = self._dice.random() < 0.5
        away = self._dice.randrange(800)
        price = snapped(market, self._fair - away if bid else self._fair + away, down=bid)
        expiration = now + self._dice.randrange(10 * SECOND, 5 * MINUTE)
        _place(engine, market, trader, bid, price, self._size(2), now, expiration=expiration)

    def _size(self, scale: int) -> int:
        """A count: mostly small and whole."""
        contracts = 1 + int(self._dice.expovariate(1 / (5 * scale)))
        part = self._dice.randrange(CONTRACT) if self._dice.random() < 0.05 else 0
        return contracts * CONTRACT + part


def _opinion(engine: Engine, market: MarketState) -> int:
    """The fair price to begin with: the middle of the book, else the last price."""
    book = engine.books[market.ticker]
    bid, ask = book.best(True), book.best(False)
    if bid and ask:
        return (bid[0] + ask[0]) // 2
    if bid or ask:
        return (bid or ask or (0, 0))[0]
    return market.last or ONE // 2


def _place(
    engine: Engine,
    market: MarketState,
    user_id: str,
    bid: bool,
    price: int,
    count: int,
    now: int,
    *,
    time_in_force: str = GTC,
    expiration: int = 0,
) -> str:
    """Place an order; its id while it rests, else nothing."""
    new = NewOrder(
        user_id=user_id,
        ticker=market.ticker,
        bid=bid,
        price=price,
        count=count,
        time_in_force=time_in_force,
        expiration=expiration,
        self_trade=MAKER,
    )
    try:
        order = engine.place(new, now)
    except ApiError:
        # A price that is not on the grid: nothing is placed at the very edge of a market.
        return ""
    return order.order_id if order.remaining else ""


def snapped(market: MarketState, price: int, *, down: bool) -> int:
    """The valid price next to this one, below or above; 0 when there is none."""
    price = min(max(price, 1), ONE - 1)
    for start, end, step in market.grid:
        if start <= price <= end:
            below = start + (price - start) // step * step
            return below if down or below == price else below + step
    return 0
