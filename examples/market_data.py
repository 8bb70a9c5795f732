"""A first look: status, markets of a series, an order book, trades and candlesticks."""

from __future__ import annotations

import asyncio
from decimal import Decimal

from kalshi_async.sandbox import Sandbox

TICKER = "KXFED-26MAR19"


async def main() -> None:
    # For the real exchange: `async with KalshiClient() as kalshi:`
    async with Sandbox.serve() as exchange, exchange.client() as kalshi:
        status = await kalshi.exchange.status()
        print(f"trading active: {status.trading_active}")

        async for market in kalshi.markets.list(series_ticker="KXFED", status="open"):
            print(f"{market.ticker:26} {market.yes_bid} / {market.yes_ask}  {market.title}")

        market = await kalshi.markets.get(TICKER)
        book = await kalshi.markets.orderbook(TICKER)
        print(f"{TICKER}: bid {book.best_yes_bid}, ask {book.best_yes_ask}, spread {book.spread}")
        print(f"buying 100 YES now would cost ${book.cost('yes', Decimal(100))}")

        trades = await kalshi.markets.trades(ticker=TICKER).collect(max_items=200)
        print(f"last trade: {trades[0].count} at {trades[0].yes_price}, {len(trades)} read")

        event = await kalshi.events.get(market.event_ticker)
        candles = await kalshi.markets.candlesticks(
            event.series_ticker,
            TICKER,
            start_ts=int(trades[-1].created_time.timestamp()) - 86_400,
            end_ts=int(trades[0].created_time.timestamp()),
            period_interval=60,
        )
        print(f"{len(candles)} hourly candlesticks, volume {sum(c.volume for c in candles)}")


if __name__ == "__main__":
    asyncio.run(main())
