"""From a list of markets to orders: scan, screen, signal, size, order.

Rekko estimates how likely something is, Kelly's criterion says how much of that to believe with
one's money, and an order that rests pays a part of the fee or none: so the bot quotes first, and
takes only what is still worth its fee once nobody came. On the embedded exchange the estimates are
made up, and time is moved by hand; with ``RekkoClient.from_env()``,
``KalshiClient.from_env(environment="demo")`` and ``asyncio.sleep`` it does the same on the demo
exchange.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal

from kalshi_async import KalshiClient, KalshiError, NotFoundError, PostOnlyCrossError
from kalshi_async.analytics import prices, sizing
from kalshi_async.analytics.fees import FeeSchedule, Role
from kalshi_async.analytics.schedules import FeeSchedules
from kalshi_async.analytics.sizing import Bet
from kalshi_async.models import Market, OrderBook
from kalshi_async.models.orderbook import Side
from kalshi_async.orders import Guard
from kalshi_async.rekko import RekkoClient
from kalshi_async.sandbox import Sandbox

SIDES: dict[str | None, Side] = {"buy_yes": "yes", "buy_no": "no"}


@dataclass(frozen=True)
class Plan:
    """What the bot may do.

    Attributes:
        markets: Busiest markets to have screened.
        analyses: Most promising ones to have analyzed; each costs money.
        fraction: Of Kelly's stake: the estimates are somebody's, not the truth.
        most: Dollars in one market at most, without fees.
        widest: Dollars between bid and ask beyond which a market is left alone.
        patience: How many pauses an order rests before it is taken back.
    """

    markets: int = 25
    analyses: int = 3
    fraction: Decimal = Decimal("0.25")
    most: Decimal = Decimal(200)
    widest: Decimal = Decimal("0.05")
    patience: int = 3


async def scan(kalshi: KalshiClient, plan: Plan) -> list[Market]:
    """The busiest open markets with two narrow sides."""
    async with kalshi.markets.scan(status="open", mve_filter="exclude") as markets:
        found = [
            market
            async for market in markets
            if market.yes_bid > 0 and market.yes_ask < 1 and market.spread <= plan.widest
        ]
    return sorted(found, key=lambda market: market.volume_24h, reverse=True)[: plan.markets]


async def screen(rekko: RekkoClient, markets: list[Market], plan: Plan) -> list[str]:
    """The tickers that are worth an analysis, the most promising first."""
    tickers = [market.ticker for market in markets]
    screened = await rekko.screen(platform="kalshi", market_ids=tickers, limit=len(tickers))
    worth = [market.market_id for market in screened if market.action == "analyze"]
    return worth[: plan.analyses]


def resting_price(book: OrderBook, side: Side, market: Market) -> Decimal | None:
    """Where to wait: a tick better than the best bid of the side, as long as that takes nothing."""
    bid = book.best_yes_bid if side == "yes" else book.best_no_bid
    ask = book.best_yes_ask if side == "yes" else book.best_no_ask
    if bid is None or ask is None:
        return None
    grid = market if side == "yes" else prices.mirrored(market)
    better = prices.next_up(bid, grid)
    return better if better is not None and better < ask else bid


class Bot:
    """Places what a signal is worth, resting first.

    Args:
        kalshi: The exchange.
        rekko: Who estimates.
        plan: What it may do.
        pause: Awaited to let the market move.
    """

    def __init__(
        self,
        kalshi: KalshiClient,
        rekko: RekkoClient,
        plan: Plan,
        pause: Callable[[], Awaitable[None]],
    ) -> None:
        self.kalshi, self.rekko, self.plan, self.pause = kalshi, rekko, plan, pause
        self.schedules = FeeSchedules(kalshi)

    async def run(self) -> None:
        markets = await scan(self.kalshi, self.plan)
        print(f"scanned: {len(markets)} busy markets with two narrow sides")
        worth = await screen(self.rekko, markets, self.plan)
        print(f"screened: {len(worth)} of them worth an analysis")
        # Analyses take a minute or so each: all at once.
        async with self.kalshi.orders.guard() as guard, asyncio.TaskGroup() as tasks:
            for market in markets:
                if market.ticker in worth:
                    tasks.create_task(self.trade(guard, market))

    async def trade(self, guard: Guard, market: Market) -> None:
        """One market, from its signal to what came of it."""
        try:
            signal = await self.rekko.signals.get(platform="kalshi", market_id=market.ticker)
        except KalshiError as exc:  # one market without a signal stops no other
            print(f"{market.ticker}: no signal: {exc}")
            return
        side, chance = SIDES.get(signal.recommendation), signal.probability
        if chance is None:
            print(f"{market.ticker}: {signal.recommendation}, and nobody says how likely")
            return
        print(
            f"{market.ticker}: {signal.recommendation}, {chance:.0%} likely, "
            f"risk {signal.risk_rating}"
        )
        if side is None:
            return
        fees = await self.schedules.of(market)
        filled = await self.rest(guard, market, side, chance, fees)
        if not filled:
            await self.take(guard, market, side, chance, fees)

    async def rest(
        self, guard: Guard, market: Market, side: Side, probability: Decimal, fees: FeeSchedule
    ) -> bool:
        """Wait in the book for a price of one's own; whether anything was had."""
        book = await self.kalshi.markets.orderbook(market.ticker)
        price = resting_price(book, side, market)
        if price is None:
            return False
        bet = await self.bet(side, probability, fees, role="maker", price=price, market=market)
        order = bet.request(market.ticker)
        if order is None:
            print(f"{market.ticker}: nothing to gain at {price}, fees counted")
            return False
        try:
            placed = await guard.place(order)
        except PostOnlyCrossError:  # the market came closer meanwhile
            return False
        print(f"{market.ticker}: {bet.count} {side} wait at {bet.limit}, fee {bet.fee}")
        for _ in range(self.plan.patience):
            await self.pause()
            now = await self.kalshi.orders.get(placed.order_id)
            if not now.is_resting:
                break
        try:
            filled = bet.count - (await self.kalshi.orders.cancel(placed)).reduced_by
        except NotFoundError:  # it rests no more
            filled = (await self.kalshi.orders.get(placed.order_id)).fill_count
        if filled:
            print(f"{market.ticker}: {filled} {side} bought at {bet.limit} by waiting")
        return filled > 0

    async def take(
        self, guard: Guard, market: Market, side: Side, probability: Decimal, fees: FeeSchedule
    ) -> None:
        """Nobody came: buy from the book what is still worth it after the taker's fee."""
        book = await self.kalshi.markets.orderbook(market.ticker)
        bet = await self.bet(side, probability, fees, role="taker", book=book)
        order = bet.request(market.ticker)
        if order is None:
            print(f"{market.ticker}: nobody came, and the fee is more than the edge")
            return
        placed = await guard.place(order)
        print(
            f"{market.ticker}: {placed.fill_count} {side} taken at {bet.limit} or better, "
            f"fee {bet.fee}"
        )

    async def bet(
        self,
        side: Side,
        probability: Decimal,
        fees: FeeSchedule,
        *,
        role: Role,
        price: Decimal | None = None,
        book: OrderBook | None = None,
        market: Market | None = None,
    ) -> Bet:
        """What the plan's part of Kelly's stake comes to with the money that is there."""
        balance = (await self.kalshi.portfolio.balance()).balance_dollars
        return sizing.size(
            probability=probability,
            bankroll=balance,
            price=price,
            book=book,
            side=side,
            fees=fees,
            role=role,
            fraction=self.plan.fraction,
            max_count=int(self.plan.most),  # a contract costs a dollar at the most
            step=Decimal(1),
            grid=market,
        )


async def main() -> None:
    serving = Sandbox.serve(seed=7, activity=True, tier="premier", analysis_seconds=0.2)
    async with serving as exchange:  # really an analysis takes 30 to 90 s

        async def pause() -> None:
            exchange.advance(20)  # the others trade on meanwhile; really: asyncio.sleep(20)

        async with exchange.client(limits="account") as kalshi, exchange.rekko() as rekko:
            await Bot(kalshi, rekko, Plan(), pause).run()
            for position in await kalshi.portfolio.positions().collect():
                print(f"holds {position.position} of {position.ticker} (fees {position.fees_paid})")
            resting = await kalshi.orders.list(status="resting").collect()
            print(f"{len(resting)} orders resting")


if __name__ == "__main__":
    asyncio.run(main())
