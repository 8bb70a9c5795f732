"""``watch`` and ``book --live``: markets as they change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from time import monotonic

import anyio
from rich.live import Live
from rich.table import Table
from rich.text import Text

from ..models import OrderBook
from ..stream import BookView, OrderBooks, Subscription, TickerUpdate
from ._connect import Target
from ._live import (
    busiest,
    check_markets,
    live,
    need_markets,
    next_within,
    print_line,
    print_object,
)
from ._output import ask, bid, count, dollars, make_table, stdout
from ._show import book_table

# Seconds between two pictures, and for which a change is lit up.
_PICTURE = 0.125
_FLASH = 0.75
_COLUMNS = ("bid", "ask", "last", "volume", "spread")


@dataclass(slots=True)
class Quote:
    """What is known of one market: its figures, and when each of them changed.

    Attributes:
        ticker: The market.
        values: Figures by column; None where there is no such price.
        rises: By column, when it changed last and whether it rose.
        made_at: When the exchange made the newest of them, on the clock that ``age`` is given.
    """

    ticker: str
    values: dict[str, Decimal | None] = field(default_factory=dict)
    rises: dict[str, tuple[float, bool]] = field(default_factory=dict)
    made_at: float | None = None

    def take(self, update: TickerUpdate, now: float) -> None:
        """Note an update that came at ``now``."""
        best_bid = update.yes_bid or None
        best_ask = None if update.yes_ask == 1 else update.yes_ask
        spread = None if best_bid is None or best_ask is None else best_ask - best_bid
        figures = (best_bid, best_ask, update.price or None, update.volume, spread)
        for name, value in zip(_COLUMNS, figures, strict=True):
            before = self.values.get(name)
            if name in self.values and value != before:
                self.rises[name] = (now, (value or 0) > (before or 0))
            self.values[name] = value
        self.made_at = now - (update.age or 0.0)

    def age(self, now: float) -> float | None:
        """Seconds since the exchange made it; None before anything came."""
        return None if self.made_at is None else max(now - self.made_at, 0.0)

    def flash(self, name: str, now: float) -> str:
        """The style of a figure: lit up for a moment after it changed."""
        changed_at, rose = self.rises.get(name, (-_FLASH, True))
        return "" if now - changed_at >= _FLASH else f"bold reverse {'green' if rose else 'red'}"

    def shown(self) -> Iterator[tuple[str, str]]:
        """Each figure as text, by column."""
        shows = {"bid": bid, "ask": ask, "volume": count}
        for name in _COLUMNS:
            yield name, shows.get(name, dollars)(self.values.get(name))


async def watch(
    target: Target, tickers: Sequence[str], seconds: float | None, as_json: bool
) -> None:
    """Show markets as they change, until interrupted or for so many seconds.

    Raises:
        NotFoundError: There is no such market.
        ValueError: No market is named, and the exchange is not the embedded one.
        KalshiError: The stream cannot be opened, or cannot go on.
    """
    need_markets(target, tickers, "watch")
    async with live(target) as kalshi:
        stream = kalshi.stream()
        await check_markets(kalshi, tickers)
        async with stream:
            chosen = list(dict.fromkeys(tickers)) or await busiest(stream)
            picture = stdout.is_terminal and not as_json
            async with stream.ticker(*chosen, conflate=picture) as updates:
                with anyio.move_on_after(seconds):
                    if picture:
                        await _paint(chosen, updates)
                    else:
                        await _print(updates, as_json)


async def _paint(tickers: Sequence[str], updates: Subscription[TickerUpdate]) -> None:
    quotes = {ticker: Quote(ticker) for ticker in tickers}
    painted = 0.0
    with Live(console=stdout, auto_refresh=False) as screen:
        while True:
            update = await next_within(updates, max(painted + _PICTURE - monotonic(), 0.0))
            now = monotonic()
            if update is not None:
                quotes[update.ticker].take(update, now)
            if now - painted >= _PICTURE:
                screen.update(quotes_table(list(quotes.values()), now), refresh=True)
                painted = now


def quotes_table(quotes: Sequence[Quote], now: float) -> Table:
    """The table of ``watch``; what changed a moment ago is lit up."""
    table = make_table("Markets, live")
    table.add_column("market", no_wrap=True)
    for name in (*_COLUMNS, "age"):
        table.add_column(name, justify="right", no_wrap=True, min_width=len(name))
    for quote in quotes:
        figures = [Text(text, style=quote.flash(name, now)) for name, text in quote.shown()]
        table.add_row(quote.ticker, *figures, _age(quote.age(now)))
    return table


def _age(seconds: float | None) -> str:
    return "–" if seconds is None else f"{seconds:.1f} s"


async def _print(updates: Subscription[TickerUpdate], as_json: bool) -> None:
    quotes: dict[str, Quote] = {}
    async for update in updates:
        quote = quotes.setdefault(update.ticker, Quote(update.ticker))
        quote.take(update, update.received_at)
        age = quote.age(update.received_at)
        if as_json:
            seconds = None if age is None else round(age, 4)
            at = update.received_at
            told = {"ticker": quote.ticker, "received_at": at, **quote.values, "age": seconds}
            print_object(told)
        else:
            figures = "  ".join(f"{name} {text}" for name, text in quote.shown())
            print_line(f"{quote.ticker}  {figures}  age {_age(age)}")


# One book


async def live_book(
    target: Target, ticker: str, depth: int, seconds: float | None, as_json: bool
) -> None:
    """Show the order book of a market as it changes, until interrupted or for so many seconds.

    Raises:
        NotFoundError: There is no such market.
        KalshiError: The stream cannot be opened, or cannot go on.
    """
    async with live(target) as kalshi:
        stream = kalshi.stream()
        await check_markets(kalshi, [ticker])
        picture = stdout.is_terminal and not as_json
        async with stream, stream.orderbook(ticker, conflate=picture) as books:
            with anyio.move_on_after(seconds):
                if picture:
                    await _paint_book(books, ticker, depth)
                else:
                    await _print_book(books, ticker, depth, as_json)


async def _paint_book(books: OrderBooks, ticker: str, depth: int) -> None:
    painted = 0.0
    with Live(console=stdout, auto_refresh=False) as screen:
        while True:
            await next_within(books, max(painted + _PICTURE - monotonic(), 0.0))
            now = monotonic()
            if now - painted >= _PICTURE:
                book = books.book(ticker)
                picture = book_table(books.book(ticker, allow_stale=True).snapshot(), depth)
                if book.stale:
                    picture.caption = f"stale: {book.stale_reason}"
                screen.update(picture, refresh=True)
                painted = now


async def _print_book(books: OrderBooks, ticker: str, depth: int, as_json: bool) -> None:
    async for update in books:
        book = books.book(ticker)
        if as_json:
            print_object({"received_at": update.received_at, **_book_object(book, depth)})
        elif book.stale:
            print_line(f"{ticker}  stale: {book.stale_reason}")
        else:
            print_line(_book_line(book.snapshot()))


def _book_object(book: BookView, depth: int) -> dict[str, object]:
    if book.stale:
        return {"ticker": book.ticker, "stale": book.stale_reason}
    frozen = book.snapshot()
    return {
        "ticker": book.ticker,
        "yes": frozen.yes[-depth:],
        "no": frozen.no[-depth:],
        "best_yes_bid": frozen.best_yes_bid,
        "best_yes_ask": frozen.best_yes_ask,
        "spread": frozen.spread,
        "stale": None,
    }


def _book_line(book: OrderBook) -> str:
    bid_size = count(book.yes[-1].size) if book.yes else "–"
    ask_size = count(book.no[-1].size) if book.no else "–"
    return (
        f"{book.ticker}  bid {dollars(book.best_yes_bid)} × {bid_size}  "
        f"ask {dollars(book.best_yes_ask)} × {ask_size}  spread {dollars(book.spread)}  "
        f"{len(book.yes)} yes and {len(book.no)} no levels"
    )
