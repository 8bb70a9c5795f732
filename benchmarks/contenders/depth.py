"""A match and a cancellation in a book of a given depth; a turn for each line on standard input."""

from __future__ import annotations

import argparse
import sys
from random import Random
from time import thread_time_ns

from benchmarks._exchange_server import TICKERS
from benchmarks._flow import MIDDLE
from kalshi_async.sandbox._engine import Engine
from kalshi_async.sandbox._records import NewOrder, Order
from kalshi_async.sandbox._units import CONTRACT

from ._probe import emit
from .engine import bare, members

TICKER = TICKERS[0]
# Prices a side rests at: a tenth of a cent apart, at most so many of them.
TICK, LEVELS = 10, 400


class Deep:
    """A book in which always so many orders rest, half of them bids, of several traders."""

    def __init__(self, engine: Engine, depth: int, seed: int, *, one_sided: bool) -> None:
        self._engine, self._dice, self._one_sided = engine, Random(seed), one_sided
        *self._makers, self._taker = members(engine)
        market = engine.market(TICKER, 1)
        assert market is not None
        market.grid = ((0, 10_000, TICK),)
        self._now, self._buys = 1, False
        self._orders: list[Order] = []
        self._places: dict[str, int] = {}
        for number in range(depth):
            self._orders.append(self._rest(number, bid=number % 2 == 1))

    def match(self) -> int:
        """Processor nanoseconds of an order that takes the best one whole; another takes its place.
        Takers buy and sell in turns, or only buy: then the makers' holdings grow.
        """
        bid = self._buys = self._one_sided or not self._buys
        side = self._engine.books[TICKER].side(not bid)
        price = side.best()
        assert price is not None
        best = next(iter(side.levels[price].orders.values()))
        order = self._new(self._taker, bid=bid, price=price, count=best.remaining)
        self._now += 1
        begin = thread_time_ns()
        self._engine.place(order, self._now)
        self._engine.drain()
        taken = thread_time_ns() - begin
        assert not best.remaining
        self._replace(best)
        return taken

    def cancel(self) -> int:
        """Processor nanoseconds of cancelling any order; another takes its place."""
        order = self._orders[self._dice.randrange(len(self._orders))]
        self._now += 1
        begin = thread_time_ns()
        self._engine.cancel(order.user_id, order.order_id, self._now)
        self._engine.drain()
        taken = thread_time_ns() - begin
        self._replace(order)
        return taken

    def rested(self) -> int:
        """How many orders rest."""
        sides = self._engine.books[TICKER].bids, self._engine.books[TICKER].asks
        return sum(len(level.orders) for side in sides for level in side.levels.values())

    def _replace(self, ended: Order) -> None:
        number = self._places.pop(ended.order_id)
        self._orders[number] = self._rest(number, bid=ended.bid, price=ended.price)

    def _rest(self, number: int, *, bid: bool, price: int = 0) -> Order:
        away = (1 + self._dice.randrange(LEVELS)) * TICK
        maker = self._makers[self._dice.randrange(len(self._makers))]
        count = self._dice.randrange(1, 10) * CONTRACT
        price = price or (MIDDLE - away if bid else MIDDLE + away)
        new = self._new(maker, bid=bid, price=price, count=count)
        order = self._engine.place(new, self._now)
        self._engine.drain()
        self._places[order.order_id] = number
        return order

    def _new(self, user_id: str, *, bid: bool, price: int, count: int) -> NewOrder:
        return NewOrder(user_id=user_id, ticker=TICKER, bid=bid, price=price, count=count)


def main() -> None:
    """Command line of the contender process."""
    parser = argparse.ArgumentParser()
    parser.add_argument("depth", type=int)
    parser.add_argument("--operations", type=int, default=2_000)
    parser.add_argument("--one-sided", action="store_true", help="takers only buy")
    given = parser.parse_args()
    deep = Deep(bare(), given.depth, seed=1, one_sided=given.one_sided)
    deep.match()
    deep.cancel()
    print("ready", flush=True)
    for _line in sys.stdin:
        figures = {
            "match": sum(deep.match() for _ in range(given.operations)) / given.operations / 1e3,
            "cancel": sum(deep.cancel() for _ in range(given.operations)) / given.operations / 1e3,
        }
        if deep.rested() != given.depth:
            raise SystemExit(f"{deep.rested():,} orders rest, not {given.depth:,}")
        emit(figures)


if __name__ == "__main__":
    main()
