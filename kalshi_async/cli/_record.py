"""``record`` and ``replay``: what a stream receives into a file, and what is in such a file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any

import anyio
from rich.table import Table

from ..models import OrderBook
from ..stream import Stream, StreamError, Subscription
from ..stream.recording import Recording, Replay, record
from ._connect import Target
from ._live import busiest, check_markets, live, need_markets
from ._output import count, make_table, print_json, stderr, stdout
from ._show import book_table

_Subscribe = Callable[[Stream, Sequence[str]], Subscription[Any]]

CHANNELS: dict[str, _Subscribe] = {
    "orderbook_delta": lambda stream, tickers: stream.orderbook(*tickers, conflate=True),
    "ticker": lambda stream, tickers: stream.ticker(*tickers, conflate=True),
    "trade": lambda stream, tickers: stream.trades(*tickers),
    "fill": lambda stream, tickers: stream.fills(*tickers),
    "user_orders": lambda stream, tickers: stream.orders(*tickers),
    "market_positions": lambda stream, tickers: stream.positions(*tickers),
    "market_lifecycle_v2": lambda stream, _: stream.lifecycle(),
    "multivariate_market_lifecycle": lambda stream, _: stream.multivariate(),
    "order_group_updates": lambda stream, _: stream.order_groups(),
    "communications": lambda stream, _: stream.communications(),
}
"""What can be recorded, by Kalshi's name."""

_OF_MARKETS = {"orderbook_delta", "ticker", "trade"}
_PROGRESS = 0.5


@dataclass(frozen=True, slots=True)
class RecordOptions:
    """What ``record`` was asked for."""

    path: Path
    tickers: Sequence[str]
    channels: Sequence[str]
    seconds: float | None = None
    force: bool = False
    as_json: bool = False


def parse_channels(text: str) -> list[str]:
    """Names of channels from a list with commas.

    Raises:
        ValueError: One of them is none.
    """
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in CHANNELS:
            raise ValueError(f"--channels {name!r} is no channel; expected {', '.join(CHANNELS)}")
    if not names:
        raise ValueError(f"--channels names none; expected some of {', '.join(CHANNELS)}")
    return list(dict.fromkeys(names))


async def record_to(target: Target, options: RecordOptions) -> None:
    """Record until interrupted, or for so many seconds; then say what was recorded.

    Raises:
        NotFoundError: There is no such market.
        ValueError: The file exists, or no market is named on another exchange than the embedded.
        KalshiError: The file or the stream cannot be opened, or cannot go on.
    """
    if options.path.exists() and not options.force:
        raise ValueError(f"{options.path} exists: give another name, or --force to replace it")
    chooses = bool(_OF_MARKETS & set(options.channels))
    if chooses:
        need_markets(target, options.tickers, f"record {options.path.name}")
    async with live(target) as kalshi:
        stream = kalshi.stream()
        await check_markets(kalshi, options.tickers)
        async with stream:
            tickers = list(dict.fromkeys(options.tickers))
            if chooses and not tickers:
                tickers = await busiest(stream)
            await _record(stream, tickers, options)


async def _record(stream: Stream, tickers: Sequence[str], options: RecordOptions) -> None:
    recording = record(stream, options.path, overwrite=options.force)
    began: float | None = None
    try:
        async with recording, AsyncExitStack() as stack:
            began = monotonic()
            taken = [
                await stack.enter_async_context(CHANNELS[name](stream, tickers))
                for name in options.channels
            ]
            await _take_all(taken, recording, options)
    finally:
        if began is not None:
            _say(recording, options, monotonic() - began)


async def _take_all(
    subscriptions: Sequence[Subscription[Any]], recording: Recording, options: RecordOptions
) -> None:
    """Take all messages, which are recorded by then."""
    try:
        async with anyio.create_task_group() as group:
            for subscription in subscriptions:
                group.start_soon(_take, subscription)
            with anyio.move_on_after(options.seconds):
                await _show_progress(recording, options)
            group.cancel_scope.cancel()
    except BaseExceptionGroup as errors:
        raise _first(errors) from None


async def _take(subscription: Subscription[Any]) -> None:
    async for _ in subscription:
        pass


def _first(error: BaseException) -> BaseException:
    return _first(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error


async def _show_progress(recording: Recording, options: RecordOptions) -> None:
    if not stderr.is_terminal:
        await anyio.sleep_forever()
    with stderr.status("") as status:
        while True:
            status.update(f"{options.path}: {recording.frames:,} frames (Ctrl-C ends it)")
            await anyio.sleep(_PROGRESS)


def _say(recording: Recording, options: RecordOptions, seconds: float) -> None:
    size = options.path.stat().st_size
    if options.as_json:
        print_json(
            {
                "path": str(options.path),
                "frames": recording.frames,
                "bytes": recording.size,
                "file_bytes": size,
                "lost": recording.lost,
                "seconds": round(seconds, 3),
            }
        )
        return
    lost = f", {recording.lost:,} lost" if recording.lost else ""
    stdout.print(
        f"{recording.frames:,} frames{lost} ({recording.size / 1e6:.1f} MB) in {seconds:.1f} s "
        f"→ {options.path} ({size / 1e6:.1f} MB)",
        markup=False,
    )


# What is in a file


async def replay(path: Path, book: str | None, depth: int, as_json: bool) -> None:
    """Print what is in a recording, and the book of a market at its end.

    Raises:
        ConfigurationError: The file is no recording.
        StreamError: It is corrupt, or has no such book, or one that is stale at the end.
        OSError: It cannot be read.
    """
    async with Replay(path) as played:
        messages: Counter[str] = Counter()
        first = 0.0
        async for message in played.messages():
            first = first or message.received_at
            messages[type(message).__name__] += 1
        seconds = played.now - (first or played.now)
        found = None if book is None else _book_at_end(played, book)
        told = _told(played, messages, seconds)
    if as_json:
        print_json({**told, **({} if found is None else {"book": _levels(found, depth)})})
        return
    stdout.print(_table(path, told))
    if found is not None:
        stdout.print(book_table(found, depth))


def _book_at_end(played: Replay, ticker: str) -> OrderBook:
    book = played.books.get(ticker)
    if book is None:
        known = ", ".join(sorted(played.books)[:5]) or "none"
        raise StreamError(f"there is no book of {ticker} in it; there is {known}")
    return book.snapshot()


def _levels(book: OrderBook, depth: int) -> dict[str, object]:
    return {"ticker": book.ticker, "yes": book.yes[-depth:], "no": book.no[-depth:]}


def _told(played: Replay, messages: Counter[str], seconds: float) -> dict[str, Any]:
    stats = played.stats
    return {
        "started_at": f"{datetime.fromtimestamp(played.started_at, UTC):%Y-%m-%dT%H:%M:%SZ}",
        "seconds": round(seconds, 3),
        "complete": not played.truncated,
        "frames": stats.frames,
        "bytes": stats.bytes,
        "types": dict(sorted(played.kinds.items())),
        "messages": dict(sorted(messages.items())),
        "books": len(played.books),
        "stale_books": sorted(ticker for ticker, book in played.books.items() if book.stale),
        "gaps": stats.gaps,
        "missed": stats.missed,
        "repeats": stats.repeats,
        "skipped": stats.skipped,
        "unreadable": stats.unreadable,
        "unknown": dict(stats.unknown),
        "lost": played.lost,
        "reconnects": stats.reconnects,
    }


def _table(path: Path, told: dict[str, Any]) -> Table:
    table = make_table(str(path), header=False)
    table.add_column(style="dim")
    table.add_column(justify="right")
    table.add_row("recorded from", told["started_at"])
    table.add_row("seconds", f"{told['seconds']:,.1f}")
    table.add_row("frames", count(told["frames"]))
    for kind, number in told["types"].items():
        table.add_row(f"  {kind}", count(number))
    table.add_row("books", count(told["books"]))
    if told["stale_books"]:
        table.add_row("  stale at the end", count(len(told["stale_books"])))
    table.add_row("gaps in the numbers", count(told["gaps"]))
    for name in ("missed", "repeats", "skipped", "unreadable", "lost", "reconnects"):
        if told[name]:
            table.add_row(f"  {name}", count(told[name]))
    for name, number in told["unknown"].items():
        table.add_row(f"  unknown {name}", count(number))
    if not told["complete"]:
        table.add_row("truncated", "it breaks off")
    return table
