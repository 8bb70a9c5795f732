"""``kalshi-async arb``: look in all open events for packages that pay more than they cost whatever
happens, if all legs fill. It only reads.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import islice
from typing import Self

from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Table

from .. import (
    InvalidRequestError,
    KalshiClient,
    KalshiError,
    NotFoundError,
    Priority,
    UnknownFeeTypeError,
)
from .._amounts import money_or_zero
from ..analytics import arbitrage
from ..analytics.arbitrage import Package
from ..analytics.fees import FeeSchedule
from ..analytics.schedules import FeeSchedules
from ..models import Event, OrderBook
from ._connect import Target, connected
from ._output import count, dollars, make_table, print_json, stderr, stdout

MAX_BOOKS = 100
"""Books a request."""

_SHOWN_LEGS = 3
_SHOWN_SERIES = 10

NO_MARKETS = "without markets"
NO_FEES = "whose fees are not known"
NO_BOOK = "without the books asked for"


@dataclass(frozen=True, slots=True)
class ArbOptions:
    """What ``arb`` was asked for; ``min_profit`` is dollars as text.

    Raises:
        InvalidRequestError: ``min_profit`` is no amount of dollars.
    """

    min_profit: str = "0.01"
    series: str | None = None
    max_events: int | None = None
    as_json: bool = False
    top: int = 20

    def __post_init__(self) -> None:
        money_or_zero("--min-profit", self.min_profit)


@dataclass(slots=True)
class Findings:
    """What was seen and found; nothing that was passed over is left uncounted."""

    events: int = 0
    markets: int = 0
    candidates: int = 0
    books: int = 0
    not_understood: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    unknown_fees: dict[str, str] = field(default_factory=dict)
    """Series whose fees are not known, and why."""
    packages: list[Package] = field(default_factory=list)


async def arb(target: Target, options: ArbOptions) -> None:
    """Scan the open events, read the books of promising ones, print the packages in them.

    Raises:
        KalshiError: The events or books could not be read.
    """
    started = time.perf_counter()
    async with connected(target) as (kalshi, _):
        # Behind everything else that shares the account's budget.
        findings = await _Hunt(kalshi.with_options(priority=Priority.SCAN), options).run()
        stats = kalshi.stats
        summary = {
            "environment": kalshi.environment.value,
            "events": findings.events,
            "markets": findings.markets,
            "candidates": findings.candidates,
            "books": findings.books,
            "packages": len(findings.packages),
            "seconds": round(time.perf_counter() - started, 3),
            "skipped": dict(findings.skipped),
            "unknown_fees": findings.unknown_fees,
            "strikes_not_understood": findings.not_understood,
            "undecoded": stats.undecoded_items,
            "requests": stats.attempts,
            "throttled_seconds": round(stats.throttled_seconds, 3),
        }
    if options.as_json:
        print_json({**summary, "found": [_as_object(each) for each in findings.packages]})
        return
    if findings.packages:
        stdout.print(_table(findings.packages[: options.top]))
    for line in _closing_lines(summary, findings):
        stdout.print(line)


class _Hunt:
    """One run over the events."""

    def __init__(self, kalshi: KalshiClient, options: ArbOptions) -> None:
        self._kalshi, self._options = kalshi, options
        self._schedules = FeeSchedules(kalshi)
        self._found = Findings()
        self._waiting: list[tuple[Event, tuple[str, ...]]] = []
        self._seen: set[str] = set()

    async def run(self) -> Findings:
        found, most = self._found, self._options.max_events
        scanning = self._kalshi.events.scan(
            with_nested_markets=True, status="open", series_ticker=self._options.series
        )
        with _Bar(self._kalshi, most) as bar:
            async with scanning as events:
                try:
                    async for event in events:
                        self._screen(event)
                        if sum(len(tickers) for _, tickers in self._waiting) >= MAX_BOOKS:
                            await self._look_closer()
                        bar.update(found)
                        if most is not None and found.events >= most:
                            break
                    await self._look_closer()
                except KalshiError as exc:
                    exc.add_note(f"{found.events:,} events had been read")
                    raise
        found.packages.sort(key=lambda package: package.profit, reverse=True)
        return found

    def _screen(self, event: Event) -> None:
        found = self._found
        if event.event_ticker in self._seen:
            return  # pages shift while they are read
        self._seen.add(event.event_ticker)
        found.events += 1
        if not event.markets:
            found.skipped[NO_MARKETS] += 1
            return
        found.markets += len(event.markets)
        found.not_understood += bool(arbitrage.not_understood(event))
        tickers = arbitrage.promising(event)
        if tickers:
            found.candidates += 1
            self._waiting.append((event, tickers))

    async def _look_closer(self) -> None:
        """Read the books of the waiting events and look through them."""
        waiting, self._waiting = self._waiting, []
        known = []
        for event, tickers in waiting:
            schedule = await self._fees(event)
            if schedule is not None:
                known.append((event, tickers, schedule))
        # Fees first: books should be as young as can be when they are looked at.
        for part in _requests([(event, tickers) for event, tickers, _ in known]):
            books = await self._books(part)
            for event, tickers, schedule in known:
                if tickers[0] in part:
                    self._find(event, tickers, books, schedule)

    def _find(
        self,
        event: Event,
        tickers: Sequence[str],
        books: Mapping[str, OrderBook],
        schedule: FeeSchedule,
    ) -> None:
        if any(ticker not in books for ticker in tickers):
            self._found.skipped[NO_BOOK] += 1
            return
        self._found.packages += arbitrage.find(
            event, books, fees=schedule, min_profit=self._options.min_profit
        )

    async def _fees(self, event: Event) -> FeeSchedule | None:
        try:
            return await self._schedules.of(event)
        except (UnknownFeeTypeError, NotFoundError, InvalidRequestError) as exc:
            self._found.skipped[NO_FEES] += 1
            self._found.unknown_fees.setdefault(event.series_ticker or event.event_ticker, str(exc))
            return None

    async def _books(self, tickers: Sequence[str]) -> dict[str, OrderBook]:
        books: dict[str, OrderBook] = {}
        for start in range(0, len(tickers), MAX_BOOKS):
            part = tickers[start : start + MAX_BOOKS]
            for book in await self._kalshi.markets.orderbooks(tickers=part):
                if book.ticker is not None:
                    books[book.ticker] = book
        self._found.books += len(books)
        return books


def _requests(waiting: Sequence[tuple[Event, tuple[str, ...]]]) -> Iterator[list[str]]:
    """Tickers to ask for together: those of one event are never apart, so that its books are of
    about the same moment.
    """
    part: list[str] = []
    for _, tickers in waiting:
        if part and len(part) + len(tickers) > MAX_BOOKS:
            yield part
            part = []
        part = [*part, *tickers]
    if part:
        yield part


class _Bar:
    """The progress bar, on a terminal only."""

    def __init__(self, kalshi: KalshiClient, total: int | None) -> None:
        self._kalshi = kalshi
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("[bold]arb[/]"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[text]}"),
            console=stderr,
            transient=True,
            disable=not sys.stderr.isatty(),
        )
        self._task = self._progress.add_task("arb", total=total, text="")

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._progress.stop()

    def update(self, found: Findings) -> None:
        text = (
            f"{found.events:,} events  {found.markets:,} markets  {found.books:,} books  "
            f"{len(found.packages):,} packages  "
            f"throttled {self._kalshi.stats.throttled_seconds:.1f} s"
        )
        self._progress.update(self._task, completed=found.events, text=text)


def _table(packages: Sequence[Package]) -> Table:
    table = make_table("Packages that pay more than they cost, if all legs fill")
    table.add_column("kind", no_wrap=True)
    table.add_column("event", no_wrap=True)
    for name in ("count", "cost", "worst fees", "payout", "profit", "return"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("buy")
    for package in packages:
        table.add_row(
            package.kind,
            package.event,
            count(package.count),
            dollars(package.cost),
            dollars(package.worst_fees),
            dollars(package.payout),
            dollars(package.profit),
            f"{package.return_on_capital:.2%}",
            _legs(package),
        )
    return table


def _legs(package: Package) -> str:
    shown = [
        f"{leg.side.upper()} {leg.market} at {dollars(leg.limit)}"
        for leg in package.legs[:_SHOWN_LEGS]
    ]
    more = len(package.legs) - _SHOWN_LEGS
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


def _as_object(package: Package) -> dict[str, object]:
    """A package for JSON, amounts as exact strings."""
    amounts: dict[str, Decimal] = {
        "count": package.count,
        "cost": package.cost,
        "fees": package.fees,
        "worst_fees": package.worst_fees,
        "payout": package.payout,
        "returned": package.returned,
        "capital": package.capital,
        "profit": package.profit,
        "return_on_capital": package.return_on_capital,
    }
    return {"kind": package.kind, "event": package.event, **amounts, "legs": package.legs}


def _closing_lines(summary: Mapping[str, object], found: Findings) -> Iterator[str]:
    number = len(found.packages)
    packages = f"{number:,} package{'s' * (number != 1)}" if number else "none found"
    yield (
        f"[bold]{packages}[/]: {found.events:,} events, {found.markets:,} markets, "
        f"{found.candidates:,} candidates, {found.books:,} books read, {summary['seconds']:.2f} s "
        f"({summary['requests']} requests, throttled {summary['throttled_seconds']:.1f} s)"
    )
    for reason, events in found.skipped.most_common():
        yield f"[yellow]{events:,} events skipped {reason}[/]"
    for series, reason in islice(found.unknown_fees.items(), _SHOWN_SERIES):
        yield f"[yellow]  {series}: {escape(reason)}[/]"
    if len(found.unknown_fees) > _SHOWN_SERIES:
        yield f"[yellow]  and {len(found.unknown_fees) - _SHOWN_SERIES:,} series more[/]"
    if found.not_understood:
        yield (
            f"[yellow]{found.not_understood:,} events with strikes that were not understood "
            "and so not used[/]"
        )
    if summary["undecoded"]:
        yield f"[red]{summary['undecoded']} items could not be read[/]"
