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

    __slots__ = ("count", "orders", "places")

    def __init__(self) -> None:
        self.orders: OrderedDict[str, Order] = OrderedDict()
        self.count = 0
        # The count before each order, until something changes here.
        self.places: dict[str, int] | None = None

    def ahead(self, order: Order) -> int:
        """The count at this price that came before an order. Asking for each order of a level that
        stays as it is takes one walk in all.
        """
        places = self.places
        if places is None:
            places, found = {}, 0
            for order_id, other in self.orders.items():
                places[order_id] = found
                found += other.remaining
            self.places = places
        return places[order.order_id]


class Side:
    """The bids or the asks. A bid of 0.47 is better than one of 0.46, an ask the other way."""

    __slots__ = ("_better", "bid", "levels", "prices")

    def __init__(self, *, bid: bool) -> None:
        self.bid = bid
        self.prices: list[int] = []  # ascending
        self.levels: dict[int, Level] = {}
        # The count at better prices than each, until something changes.
        self._better: dict[int, int] | None = None

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
        level.places = self._better = None

    def remove(self, order: Order) -> None:
        """Take an order out; its remaining count must be what it was when it was counted."""
        level = self.levels[order.price]
        del level.orders[order.order_id]
        level.count -= order.remaining
        level.places = self._better = None
        if not level.orders:
            del self.levels[order.price]
            del self.prices[bisect_left(self.prices, order.price)]

    def reduce(self, order: Order, count: int) -> None:
        """Take `count` off a resting order that keeps its place; at zero it leaves the book."""
        level = self.levels[order.price]
        order.remaining -= count
        level.count -= count
        level.places = self._better = None
        if not order.remaining:
            del level.orders[order.order_id]
            if not level.orders:
                del self.levels[order.price]
                del self.prices[bisect_left(self.prices, order.price)]

    def ahead(self, order: Order) -> int:
        """The count that trades before a resting order does."""
        better = self._better
        if better is None:
            better, found = {}, 0
            for price in reversed(self.prices) if self.bid else self.prices:
                better[price] = found
                found += self.levels[price].count
            self._better = better
        return better[order.price] + self.levels[order.price].ahead(order)

    def within(self, price: int) -> int:
        """The count at this price and at better ones."""
        found = 0
        for other in reversed(self.prices) if self.bid else self.prices:
            if other < price if self.bid else other > price:
                break
            found += self.levels[other].count
        return found


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
        """The count that trades before a resting order does."""
        return self.side(order.bid).ahead(order)
