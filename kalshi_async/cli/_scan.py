"""``kalshi-async scan``: read the whole market list."""

from __future__ import annotations

import heapq
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import msgspec
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Table

from .. import KalshiClient, KalshiError, ScanProgress
from ..models import Market
from ._connect import Target, connected
from ._output import ask, bid, count, dollars, make_table, print_json, stderr, stdout

if TYPE_CHECKING:
    from ..sandbox import Sandbox

PAGE_SIZE = 1000

# What a row of the table takes beside its ticker and its title; figures are never cut.
_FIGURES_WIDTH = 93
_TICKER_WIDTH = 44
_SHORTEST_TITLE = 16


@dataclass(frozen=True, slots=True)
class ScanOptions:
    """What ``scan`` was asked for."""

    filters: dict[str, Any]
    limit: int | None = None
    out: Path | None = None
    as_json: bool = False
    concurrency: int = 6
    top: int = 10


@dataclass(slots=True)
class _Busiest:
    """The markets with the largest volume of the last day, kept in a heap of fixed size."""

    size: int
    heap: list[tuple[Any, int, Market]] = field(default_factory=list)
    seen: int = 0

    def add(self, market: Market) -> None:
        self.seen += 1
        if self.size <= 0:
            return
        entry = (market.volume_24h or 0, -self.seen, market)
        if len(self.heap) < self.size:
            heapq.heappush(self.heap, entry)
        else:
            heapq.heappushpop(self.heap, entry)

    def markets(self) -> list[Market]:
        return [entry[2] for entry in sorted(self.heap, reverse=True)]


class _LinesFile:
    """JSON lines into a file that appears under its name only when it is complete."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._part = path.with_name(path.name + ".part")
        self._encoder = msgspec.json.Encoder()
        self._buffer = bytearray()

    def __enter__(self) -> Self:
        self._file = self._part.open("wb")
        return self

    def write(self, market: Market) -> None:
        self._encoder.encode_into(market, self._buffer, -1)
        self._buffer += b"\n"
        if len(self._buffer) > 1 << 20:
            self._flush()

    def _flush(self) -> None:
        self._file.write(self._buffer)
        self._buffer.clear()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._file:
            self._flush()
        if exc_type is None:
            self._part.replace(self._path)


class _Bar:
    """The progress bar, on a terminal only."""

    def __init__(self, kalshi: KalshiClient, total: int | None) -> None:
        self._kalshi = kalshi
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("[bold]scan[/]"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[text]}"),
            console=stderr,
            transient=True,
            disable=not sys.stderr.isatty(),
        )
        self._task = self._progress.add_task("scan", total=total, text="")

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._progress.stop()

    def update(self, progress: ScanProgress) -> None:
        text = (
            f"{progress.pages} pages  {progress.items:,} markets  "
            f"{progress.items_per_second:,.0f}/s  "
            f"throttled {self._kalshi.stats.throttled_seconds:.1f} s"
        )
        self._progress.update(self._task, completed=progress.items, text=text)


async def scan(target: Target, options: ScanOptions) -> None:
    """Scan, print the busiest markets and the figures.

    Raises:
        KalshiError: The scan broke off.
        OSError: The output file cannot be written.
    """
    busiest = _Busiest(options.top)
    with ExitStack() as stack:
        lines = stack.enter_context(_LinesFile(options.out)) if options.out else None
        async with connected(target) as (kalshi, exchange):
            started = time.perf_counter()
            total = None if options.filters else _listed(exchange)
            with _Bar(kalshi, options.limit or total) as bar:
                progress = await _read(kalshi, options, busiest, lines, bar)
            elapsed = time.perf_counter() - started
            summary = _summary(kalshi, progress, elapsed, options)
    if options.as_json:
        print_json({**summary, "busiest": busiest.markets()})
    else:
        if busiest.heap:
            stdout.print(_table(busiest.markets()))
        if exchange is not None and target.load:
            stdout.print(f"loaded: {exchange.catalog.summary}", style="dim", markup=False)
        stdout.print(_closing_line(summary, options))


async def _read(
    kalshi: KalshiClient,
    options: ScanOptions,
    busiest: _Busiest,
    lines: _LinesFile | None,
    bar: _Bar,
) -> ScanProgress:
    few = options.limit is not None and options.limit <= PAGE_SIZE
    async with kalshi.markets.scan(
        **options.filters,
        page_size=options.limit if few and options.limit else PAGE_SIZE,
        concurrency=1 if few else options.concurrency,
        progress=bar.update,
    ) as scanning:
        try:
            async for market in scanning:
                busiest.add(market)
                if lines is not None:
                    lines.write(market)
                if options.limit is not None and busiest.seen >= options.limit:
                    break
        except KalshiError as exc:
            exc.add_note(f"{busiest.seen:,} markets had been read")
            raise
        return scanning.progress


def _listed(exchange: Sandbox | None) -> int | None:
    return None if exchange is None else len(exchange.catalog)


def _summary(
    kalshi: KalshiClient, progress: ScanProgress, elapsed: float, options: ScanOptions
) -> dict[str, Any]:
    stats = kalshi.stats
    return {
        "environment": kalshi.environment.value,
        "markets": progress.items,
        "pages": progress.pages,
        "seconds": round(elapsed, 3),
        "markets_per_second": round(progress.items / elapsed) if elapsed else 0,
        "requests": stats.attempts,
        "retries": stats.retries,
        "rate_limited": stats.rate_limited,
        "throttled_seconds": round(stats.throttled_seconds, 3),
        "megabytes": round(stats.bytes_received / 1e6, 1),
        "undecoded": stats.undecoded_items,
        "out": str(options.out) if options.out else None,
    }


def _table(markets: list[Market]) -> Table:
    table = make_table("Busiest markets by 24-hour volume")
    ticker_width = min(_TICKER_WIDTH, max(len(market.ticker) for market in markets))
    title_width = min(44, stdout.width - ticker_width - _FIGURES_WIDTH)
    table.add_column("market", no_wrap=True, max_width=ticker_width)
    if title_width >= _SHORTEST_TITLE:
        table.add_column("title", no_wrap=True, max_width=title_width)
    for name in ("yes bid", "yes ask", "last", "volume 24h", "open interest"):
        table.add_column(name, justify="right", no_wrap=True, min_width=len(name))
    table.add_column("closes", no_wrap=True, min_width=17)
    for market in markets:
        title = [market.title or market.yes_sub_title or ""]
        table.add_row(
            market.ticker,
            *(title if title_width >= _SHORTEST_TITLE else ()),
            bid(market.yes_bid),
            ask(market.yes_ask),
            dollars(market.last_price),
            count(market.volume_24h),
            count(market.open_interest),
            f"{market.close_time:%Y-%m-%d %H:%M}Z" if market.close_time else "–",
        )
    return table


def _closing_line(summary: dict[str, Any], options: ScanOptions) -> str:
    line = (
        f"[bold]{summary['markets']:,} markets[/] in {summary['pages']} pages, "
        f"{summary['seconds']:.2f} s: [bold]{summary['markets_per_second']:,} markets/s[/] "
        f"({summary['requests']} requests, {summary['retries']} retries, "
        f"throttled {summary['throttled_seconds']:.1f} s, {summary['megabytes']:.1f} MB)"
    )
    if summary["undecoded"]:
        line += f"; [red]{summary['undecoded']} items could not be read[/]"
    if options.out is not None:
        line += f" → {options.out}"
    return line
