"""A small market maker: a bid and an ask around the price of the others, moved as they move.

Whatever ends it, no order of its stays behind: its quotes are placed through a guard. It trades on
an embedded exchange with makers and takers of its own; with ``asyncio.sleep`` for a pause it would
do the same on the demo exchange.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Literal

from kalshi_async import KalshiClient, NotFoundError, PostOnlyCrossError
from kalshi_async.models import Level, OrderBook
from kalshi_async.models.orders import Order
from kalshi_async.orders import Guard
from kalshi_async.sandbox import Sandbox

TICKER = "KXNETFLIX-26MAR27-GLAS"
TICK = Decimal("0.01")
ONE = Decimal(1)

Side = Literal["bid", "ask"]
Quotes = dict[Side, Decimal]
SIDES: tuple[Side, Side] = ("bid", "ask")


def best_of_others(levels: Sequence[Level], mine: Decimal, size: Decimal) -> Decimal | None:
    """The best bid that is not only my own ``size`` contracts at ``mine``."""
    for level in reversed(levels):
        if level.price != mine or level.size > size:
            return level.price
    return None


def quotes(
    bid: Decimal | None, ask: Decimal | None, inventory: Decimal, size: int, most: int
) -> Quotes:
    """YES prices to quote: a tick away from the middle, lower the more YES there is in hand.

    A side that could take the inventory beyond ``most`` is left out, and both where one side of the
    market is empty.
    """
    if bid is None or ask is None:
        return {}
    fair = (bid + ask) / 2 - TICK * inventory / most
    # Never across the market: only others are to take.
    low = min(((fair - TICK) / TICK).to_integral_value(ROUND_FLOOR) * TICK, ask - TICK)
    high = max(((fair + TICK) / TICK).to_integral_value(ROUND_CEILING) * TICK, bid + TICK)
    found: Quotes = {}
    if low > 0 and inventory + size <= most:
        found["bid"] = low
    if high < ONE and inventory - size >= -most:
        found["ask"] = high
    return found


class MarketMaker:
    """Quotes one market.

    Args:
        kalshi: The client.
        ticker: The market; its ticks are whole cents.
        size: Contracts to quote on each side.
        most: Contracts of YES or of NO never to be exceeded, as far as positions are told in time.
    """

    def __init__(
        self, kalshi: KalshiClient, ticker: str, *, size: int = 10, most: int = 30
    ) -> None:
        self.kalshi, self.ticker, self.size, self.most = kalshi, ticker, size, most
        self.resting: dict[Side, str] = {}

    async def run(self, rounds: int, pause: Callable[[], Awaitable[None]]) -> None:
        """Quote for so many rounds; then, or when anything goes wrong, take the quotes back."""
        async with self.kalshi.orders.guard() as guard:
            for _ in range(rounds):
                await self.requote(guard)
                await pause()
            for side in SIDES:
                await self.withdraw(side)

    async def inventory(self) -> Decimal:
        """YES contracts in hand; NO contracts count below zero."""
        for position in await self.kalshi.portfolio.positions(ticker=self.ticker):
            return position.position
        return Decimal(0)

    async def requote(self, guard: Guard) -> None:
        mine = {side: order for side in SIDES if (order := await self.look(side))}
        book = await self.kalshi.markets.orderbook(self.ticker)
        inventory = await self.inventory()
        wanted = quotes(*self.market_of(book, mine), inventory, self.size, self.most)
        for side in SIDES:
            price = wanted.get(side)
            if price is None:
                await self.withdraw(side)
            elif side in mine:
                await self.move(side, mine[side], price)
            elif side not in self.resting:
                await self.place(guard, side, price)

    async def look(self, side: Side) -> Order | None:
        """My order on that side as it is now; None if it is not there, or not to be seen yet."""
        if side not in self.resting:
            return None
        with contextlib.suppress(NotFoundError):
            order = await self.kalshi.orders.get(self.resting[side])
            if order.is_resting:
                return order
            del self.resting[side]
        return None

    def market_of(
        self, book: OrderBook, mine: dict[Side, Order]
    ) -> tuple[Decimal | None, Decimal | None]:
        """Bid and ask of the others, in YES prices."""
        bid, ask = mine.get("bid"), mine.get("ask")
        best_yes = (
            best_of_others(book.yes, bid.yes_price, bid.remaining_count)
            if bid
            else book.best_yes_bid
        )
        best_no = (
            best_of_others(book.no, ask.no_price, ask.remaining_count) if ask else book.best_no_bid
        )
        return best_yes, None if best_no is None else ONE - best_no

    async def place(self, guard: Guard, side: Side, price: Decimal) -> None:
        with contextlib.suppress(PostOnlyCrossError):  # the market moved: the next round will do
            order = await guard.create(
                self.ticker, book_side=side, count=self.size, price=price, post_only=True
            )
            self.resting[side] = order.order_id

    async def move(self, side: Side, order: Order, price: Decimal) -> None:
        if order.yes_price == price and order.remaining_count == self.size:
            return
        with contextlib.suppress(NotFoundError):  # filled a moment ago
            await self.kalshi.orders.amend(order, price=price, count=order.fill_count + self.size)

    async def withdraw(self, side: Side) -> None:
        if side in self.resting:
            with contextlib.suppress(NotFoundError):
                await self.kalshi.orders.cancel(self.resting[side], market_ticker=self.ticker)
            del self.resting[side]


async def main() -> None:
    async with Sandbox.serve(seed=7, activity=True, tier="premier") as exchange:

        async def pause() -> None:
            exchange.advance(30)  # half a minute of the others' trading; really: asyncio.sleep

        async with exchange.client(limits="account") as kalshi:
            maker = MarketMaker(kalshi, TICKER)
            await maker.run(12, pause)
            fills = await kalshi.portfolio.fills(ticker=TICKER).collect()
            for fill in reversed(fills):
                word = "bought" if fill.book_side == "bid" else "sold"
                print(f"{word:6} {fill.count:>6} YES at {fill.yes_price}, fee {fill.fee_cost}")
            print(f"{len(fills)} fills, inventory {await maker.inventory()}")
            resting = await kalshi.orders.list(status="resting").collect()
            print(f"{len(resting)} orders resting")


if __name__ == "__main__":
    asyncio.run(main())
