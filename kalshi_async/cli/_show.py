"""``market``, ``book`` and ``status``: one look at the exchange."""

from __future__ import annotations

from decimal import Decimal

from rich.table import Table
from rich.text import Text

from .. import KalshiClient
from ..models import ExchangeStatus, Level, Market, OrderBook
from ._connect import Target, connected
from ._output import ask, bid, count, dollars, make_table, show, stdout

_BAR_WIDTH = 28


async def market(target: Target, ticker: str, as_json: bool) -> None:
    """Print one market."""
    async with connected(target) as (kalshi, _):
        found = await kalshi.markets.get(ticker)
    show(found, as_json, lambda: stdout.print(_market_table(found)))


async def book(target: Target, ticker: str, depth: int, as_json: bool) -> None:
    """Print the order book of a market as a picture of its depth.

    Raises:
        NotFoundError: There is no such market (the exchange shows an empty book for any ticker).
    """
    async with connected(target) as (kalshi, _):
        found = await kalshi.markets.orderbook(ticker, depth=depth)
        if not found.yes and not found.no:
            await kalshi.markets.get(ticker)
    show(_book_json(found), as_json, lambda: _print_book(found, depth))


async def status(target: Target, as_json: bool) -> None:
    """Print whether the exchange is open, and the limits in force."""
    async with connected(target) as (kalshi, _):
        found = await kalshi.exchange.status()
        show(found, as_json, lambda: _print_status(kalshi, found))


def _market_table(market: Market) -> Table:
    table = make_table(market.ticker, header=False)
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    rows = {
        "title": market.title or market.yes_sub_title,
        "outcome": market.yes_sub_title,
        "event": market.event_ticker,
        "status": f"{market.status}{f', result {market.result}' if market.result else ''}",
        "yes": f"bid {bid(market.yes_bid)} × {count(market.yes_bid_size)}   "
        f"ask {ask(market.yes_ask)} × {count(market.yes_ask_size)}",
        "no": f"bid {bid(market.no_bid)}   ask {ask(market.no_ask)}",
        "last": dollars(market.last_price),
        "volume": f"{count(market.volume)} (24 h: {count(market.volume_24h)})",
        "open interest": count(market.open_interest),
        "opens": f"{market.open_time:%Y-%m-%d %H:%M:%S}Z" if market.open_time else "–",
        "closes": f"{market.close_time:%Y-%m-%d %H:%M:%S}Z" if market.close_time else "–",
        "grid": ", ".join(
            f"{dollars(grid.start)}–{dollars(grid.end)} step {dollars(grid.step)}"
            for grid in market.price_ranges or ()
        ),
        "rules": market.rules_primary,
    }
    for name, value in rows.items():
        if value:
            table.add_row(name, Text(str(value)))
    return table


def _book_json(book: OrderBook) -> dict[str, object]:
    return {
        "ticker": book.ticker,
        "yes": [[level.price, level.size] for level in book.yes],
        "no": [[level.price, level.size] for level in book.no],
        "best_yes_bid": book.best_yes_bid,
        "best_yes_ask": book.best_yes_ask,
        "best_no_bid": book.best_no_bid,
        "best_no_ask": book.best_no_ask,
        "spread": book.spread,
    }


def _print_book(book: OrderBook, depth: int) -> None:
    stdout.print(book_table(book, depth))
    if not book.yes and not book.no:
        stdout.print("no resting orders", style="dim")


def book_table(book: OrderBook, depth: int) -> Table:
    """Asks above, bids below, in YES prices; bars show the contracts up to each level."""
    asks = [Level(1 - level.price, level.size) for level in reversed(book.no)][:depth]
    bids = list(reversed(book.yes))[:depth]
    most = max((_total(asks), _total(bids), Decimal(1)))
    table = make_table(f"{book.ticker}  (YES prices)", framed=False)
    table.add_column("", style="dim")
    table.add_column("price", justify="right")
    table.add_column("size", justify="right")
    table.add_column("total", justify="right")
    table.add_column("depth", min_width=_BAR_WIDTH)
    for level, total in reversed(_cumulated(asks)):
        _add_level(table, "ask", level, total, most, "red")
    spread = dollars(book.spread) if book.spread is not None else "one-sided"
    table.add_row("", Text("spread", style="dim"), Text(spread, style="dim"), "", "")
    for level, total in _cumulated(bids):
        _add_level(table, "bid", level, total, most, "green")
    return table


def _add_level(
    table: Table, side: str, level: Level, total: Decimal, most: Decimal, color: str
) -> None:
    width = max(1, int(total * _BAR_WIDTH / most))
    table.add_row(
        side,
        Text(dollars(level.price), style=color),
        count(level.size),
        count(total),
        Text("█" * width, style=color),
    )


def _cumulated(levels: list[Level]) -> list[tuple[Level, Decimal]]:
    total = Decimal(0)
    rows = []
    for level in levels:
        total += level.size
        rows.append((level, total))
    return rows


def _total(levels: list[Level]) -> Decimal:
    return sum((level.size for level in levels), Decimal(0))


def _print_status(kalshi: KalshiClient, status: ExchangeStatus) -> None:
    def word(flag: bool | None) -> str:
        return "[green]yes[/]" if flag else "[red]no[/]"

    stdout.print(f"exchange active: {word(status.exchange_active)}")
    stdout.print(f"trading active:  {word(status.trading_active)}")
    if status.exchange_estimated_resume_time:
        stdout.print(f"expected back:   {status.exchange_estimated_resume_time:%Y-%m-%d %H:%M}Z")
    stdout.print(f"environment:     {kalshi.environment.value}")
    stdout.print(f"limits:          {kalshi.limits!r}", markup=False)
