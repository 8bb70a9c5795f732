"""The book of one market: resting orders in price-time priority. No work grows with its depth.

Each side keeps its occupied prices in order (the grid bounds how many there are) and, at each
price, its orders in order of arrival.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import OrderedDict

from ._records import Order


class Level:
    """The orders at one price, first come first, and what they add up to."""

    __slots__ = ("count", "orders")

    def __init__(self) -> None:
        self.orders: OrderedDict[str, Order] = OrderedDict()
        self.count = 0


class Side:
    """The bids or the asks. A bid of 0.47 is better than one of 0.46, an ask the other way."""

    __slots__ = ("bid", "levels", "prices")

    def __init__(self, *, bid: bool) -> None:
        self.bid = bid
        self.prices: list[int] = []  # ascending
        self.levels: dict[int, Level] = {}

    def best(self) -> int | None:
        """The best price, None when nothing rests."""
        if not self.prices:
            return None
        return self.prices[-1] if self.bid else self.prices[0]

    def add(self, order: Order) -> None:
        """Queue an order behind all others of its price."""
        level = self.levels.get(order.price)
        if level is None:
            level = self.levels[order.price] = Level()
            insort(self.prices, order.price)
        level.orders[order.order_id] = order
        level.count += order.remaining

    def remove(self, order: Order) -> None:
        """Take an order out; its remaining count must be what it was when it was counted."""
        level = self.levels[order.price]
        del level.orders[order.order_id]
        level.count -= order.remaining
        if not level.orders:
            del self.levels[order.price]
            del self.prices[bisect_left(self.prices, order.price)]

    def reduce(self, order: Order, count: int) -> None:
        """Take `count` off a resting order that keeps its place; at zero it leaves the book."""
        level = self.levels[order.price]
        order.remaining -= count
        level.count -= count
        if not order.remaining:
            del level.orders[order.order_id]
            if not level.orders:
                del self.levels[order.price]
                del self.prices[bisect_left(self.prices, order.price)]


class LiveBook:
    """Both sides of one market."""

    __slots__ = ("asks", "bids")

    def __init__(self) -> None:
        self.bids = Side(bid=True)
        self.asks = Side(bid=False)

    def side(self, bid: bool) -> Side:
        """The bids, or the asks."""
        return self.bids if bid else self.asks

    def best(self, bid: bool) -> tuple[int, int] | None:
        """The best price of a side and the count there, None when nothing rests."""
        side = self.bids if bid else self.asks
        price = side.best()
        return None if price is None else (price, side.levels[price].count)

    def levels(self, bid: bool) -> list[tuple[int, int]]:
        """(price, count) of a side, best first."""
        side = self.bids if bid else self.asks
        prices = reversed(side.prices) if bid else side.prices
        return [(price, side.levels[price].count) for price in prices]

    def crosses(self, bid: bool, price: int) -> bool:
        """Whether an order at this price would trade at once."""
        best = (self.asks if bid else self.bids).best()
        return best is not None and (best <= price if bid else best >= price)

    def ahead(self, order: Order) -> int:
        """The count that trades before this order does."""
        side = self.side(order.bid)
        found = 0
        for price in reversed(side.prices) if order.bid else side.prices:
            level = side.levels[price]
            if price != order.price:
                found += level.count
                continue
            for other in level.orders.values():
                if other is order:
                    return found
                found += other.remaining
        return found
