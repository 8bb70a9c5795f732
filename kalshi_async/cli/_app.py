"""The commands and their options."""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from .. import KalshiError, __version__
from . import _show
from ._connect import EMBEDDED, make_target, run_async
from ._output import WarningLines, print_error, silence_stdout
from ._scan import ScanOptions
from ._scan import scan as run_scan

app = typer.Typer(
    name="kalshi-async",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Look at the Kalshi prediction-market exchange, or at an embedded one.",
)

EnvOption = Annotated[
    str | None,
    typer.Option(
        "--env",
        metavar="NAME",
        help=f"production, demo, sandbox (a running one), or {EMBEDDED}. "
        f"Default: KALSHI_ENV, else {EMBEDDED}.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
LoadOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--load",
        metavar="PATH",
        help="File or folder of recorded markets for the embedded exchange; may be repeated.",
    ),
]
MarketsOption = Annotated[
    int | None,
    typer.Option(help="Markets the embedded exchange makes up [20000; 0 with --load]."),
]
SeedOption = Annotated[int, typer.Option(help="What the embedded exchange is made from.")]
TickerArgument = Annotated[str, typer.Argument(help="Market ticker, e.g. KXFED-26MAR19.")]
TickersArgument = Annotated[
    list[str] | None,
    typer.Argument(help="Market tickers; the embedded exchange has a choice of its own."),
]
SecondsOption = Annotated[
    float | None, typer.Option(min=0, metavar="SECONDS", help="End after so long.")
]

_INTERRUPTED = 130
# The base of all usage errors; typer carries its own copy of click or uses the real one.
_UsageError: type[Exception] = next(
    kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException"
)


def run_app(application: typer.Typer) -> None:
    """Run the command line: errors are one red line with the remedy and exit code 1; after Ctrl-C
    the exit code is 130.
    """
    logging.getLogger("kalshi_async").addHandler(logging.NullHandler())
    try:
        # Newer versions of typer give an exit code back instead of raising what Ctrl-C raises.
        if application(standalone_mode=False) == _INTERRUPTED:
            raise KeyboardInterrupt
    except (KalshiError, ImportError, ValueError, OSError) as exc:
        if isinstance(exc, BrokenPipeError):
            silence_stdout()
            raise SystemExit(1) from None
        notes = getattr(exc, "__notes__", [])
        print_error("; ".join([str(exc) or type(exc).__name__, *notes]))
        raise SystemExit(1) from None
    except _UsageError as exc:
        message = getattr(exc, "format_message", exc.__str__)()
        print_error(f"{message} (see kalshi-async --help)")
        raise SystemExit(1) from None
    except (typer.Abort, KeyboardInterrupt):
        print_error("interrupted")
        raise SystemExit(_INTERRUPTED) from None


def _version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"kalshi-async {__version__}\n")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Look at the Kalshi prediction-market exchange, or at an embedded one."""


@app.command()
def scan(
    env: EnvOption = None,
    load: LoadOption = None,
    markets: MarketsOption = None,
    seed: SeedOption = 7,
    status: Annotated[
        str | None, typer.Option(help="unopened, open, paused, closed or settled.")
    ] = None,
    series: Annotated[str | None, typer.Option(help="Only this series.")] = None,
    event: Annotated[str | None, typer.Option(help="Only this event.")] = None,
    mve: Annotated[
        str | None, typer.Option(help="Combos: exclude leaves them out, only keeps just them.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Stop after so many markets.")] = None,
    out: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Write the markets there as JSON lines.")
    ] = None,
    concurrency: Annotated[int, typer.Option(min=1, max=64, help="Cursors at once.")] = 6,
    top: Annotated[int, typer.Option(min=0, help="Busiest markets to show.")] = 10,
    as_json: JsonOption = False,
) -> None:
    """Read the whole market list. By default from an embedded exchange, without key or network."""
    given: dict[str, Any] = {
        "status": status,
        "series_ticker": series,
        "event_ticker": event,
        "mve_filter": mve,
    }
    filters = {name: value for name, value in given.items() if value is not None}
    chosen = ScanOptions(filters, limit, out, as_json, concurrency, top)
    run_async(partial(run_scan, make_target(env, load, markets, seed), chosen))


@app.command()
def market(
    ticker: TickerArgument,
    env: EnvOption = None,
    load: LoadOption = None,
    seed: SeedOption = 7,
    as_json: JsonOption = False,
) -> None:
    """Show one market."""
    run_async(partial(_show.market, make_target(env, load, None, seed), ticker, as_json))


@app.command()
def book(
    ticker: TickerArgument,
    depth: Annotated[int, typer.Option(min=1, max=100, help="Levels a side.")] = 10,
    env: EnvOption = None,
    load: LoadOption = None,
    seed: SeedOption = 7,
    as_json: JsonOption = False,
    live: Annotated[
        bool, typer.Option("--live", help="Follow it; --json prints an object a change.")
    ] = False,
    seconds: SecondsOption = None,
) -> None:
    """Show the order book of a market as a picture of its depth."""
    target = make_target(env, load, None, seed)
    if live:
        from ._watch import live_book as run_live_book

        run_async(partial(run_live_book, target, ticker, depth, seconds, as_json))
        return
    if seconds is not None:
        raise typer.BadParameter("it goes with --live", param_hint="--seconds")
    run_async(partial(_show.book, target, ticker, depth, as_json))


@app.command()
def watch(
    tickers: TickersArgument = None,
    env: EnvOption = None,
    load: LoadOption = None,
    seed: SeedOption = 7,
    seconds: SecondsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show markets as they change: a live table on a terminal, else a line for each change."""
    from ._watch import watch as run_watch

    target = make_target(env, load, None, seed)
    run_async(partial(run_watch, target, tickers or (), seconds, as_json))


@app.command()
def record(
    file: Annotated[
        Path, typer.Argument(dir_okay=False, help="….jsonl.gz, or ….jsonl without compression.")
    ],
    tickers: TickersArgument = None,
    channels: Annotated[
        str, typer.Option(help="What to record, by Kalshi's names with commas.")
    ] = "orderbook_delta,trade,ticker",
    env: EnvOption = None,
    load: LoadOption = None,
    seed: SeedOption = 7,
    seconds: SecondsOption = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that exists.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Record what a live stream receives, until Ctrl-C or for so many seconds."""
    from ._record import RecordOptions, parse_channels, record_to

    target = make_target(env, load, None, seed)
    options = RecordOptions(file, tickers or (), parse_channels(channels), seconds, force, as_json)
    run_async(partial(record_to, target, options))


@app.command()
def replay(
    file: Annotated[Path, typer.Argument(dir_okay=False, help="What record wrote.")],
    book: Annotated[
        str | None, typer.Option(metavar="TICKER", help="Also show its order book at the end.")
    ] = None,
    depth: Annotated[int, typer.Option(min=1, max=100, help="Levels a side.")] = 10,
    as_json: JsonOption = False,
) -> None:
    """Show what is in a recording: frames by type, gaps, how long it is."""
    from ._record import replay as run_replay

    run_async(partial(run_replay, file, book, depth, as_json))


@app.command()
def signal(
    ticker: TickerArgument,
    platform: Annotated[
        str, typer.Option(help="Where the market is: kalshi, polymarket, robinhood, coinbase.")
    ] = "kalshi",
    bankroll: Annotated[str, typer.Option(metavar="DOLLARS", help="What there is.")] = "1000",
    fraction: Annotated[str, typer.Option(help="Of Kelly's stake, up to 1.")] = "0.25",
    timeout: Annotated[
        float, typer.Option(min=0.001, metavar="SECONDS", help="For the analysis.")
    ] = 180.0,
    resume: Annotated[
        str | None,
        typer.Option(metavar="ANALYSIS_ID", help="Go on waiting for a run that was started."),
    ] = None,
    env: EnvOption = None,
    load: LoadOption = None,
    seed: SeedOption = 7,
    as_json: JsonOption = False,
) -> None:
    """Have Rekko analyze a market, and size a bet by that. The embedded exchange makes it up."""
    from ._signal import SignalOptions
    from ._signal import signal as run_signal

    options = SignalOptions.of(
        ticker,
        platform=platform,
        bankroll=bankroll,
        fraction=fraction,
        timeout=timeout,
        resume=resume,
        as_json=as_json,
    )
    run_async(partial(run_signal, make_target(env, load, None, seed), options))


@app.command()
def arb(
    env: EnvOption = None,
    load: LoadOption = None,
    markets: MarketsOption = None,
    seed: SeedOption = 7,
    min_profit: Annotated[
        str, typer.Option(metavar="DOLLARS", help="That a package gains at least.")
    ] = "0.01",
    series: Annotated[str | None, typer.Option(help="Only this series.")] = None,
    max_events: Annotated[
        int | None, typer.Option(min=1, help="Stop after so many events.")
    ] = None,
    top: Annotated[int, typer.Option(min=1, help="Packages to show.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """Look in all open events for orders that pay more than they cost, if all fill. Only reads."""
    from ._arb import ArbOptions
    from ._arb import arb as run_arb

    options = ArbOptions(min_profit, series, max_events, as_json, top)
    run_async(partial(run_arb, make_target(env, load, markets, seed), options))


@app.command()
def status(env: EnvOption = None, as_json: JsonOption = False) -> None:
    """Show whether the exchange is open, and the limits in force."""
    run_async(partial(_show.status, make_target(env), as_json))


@app.command()
def sandbox(
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 picks a free one.")] = 0,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    seed: SeedOption = 7,
    markets: Annotated[
        int | None,
        typer.Option(min=0, max=1_000_000, help="Markets made up [2000; 0 with --load]."),
    ] = None,
    load: LoadOption = None,
    tier: Annotated[
        str, typer.Option(help="Rate limits of the account: basic … prestige, or unlimited.")
    ] = "basic",
    latency: Annotated[float, typer.Option(min=0, help="Seconds before each answer.")] = 0.0,
    jitter: Annotated[float, typer.Option(min=0, help="Up to so many seconds more.")] = 0.0,
    error_rate: Annotated[float, typer.Option(min=0, max=1, help="Share of 5xx answers.")] = 0.0,
    drop_rate: Annotated[
        float, typer.Option(min=0, max=1, help="Share of connections closed without an answer.")
    ] = 0.0,
    rate_limit_rate: Annotated[
        float, typer.Option(min=0, max=1, help="Share of answers 429 beside the real limits.")
    ] = 0.0,
    read_lag: Annotated[
        float, typer.Option(min=0, help="Seconds that reads of an account lag behind.")
    ] = 0.0,
    fault: Annotated[
        list[str] | None,
        typer.Option(help="One to aim, such as CreateOrderV2:nth=2,drop,processed. Repeatable."),
    ] = None,
    deposit: Annotated[str, typer.Option(help="Dollars the account starts with.")] = "10000.00",
    key_type: Annotated[
        Literal["ed25519", "rsa"], typer.Option(help="Of the account's key.")
    ] = "ed25519",
    activity: Annotated[
        bool, typer.Option("--activity", help="Let seeded makers and takers trade.")
    ] = False,
    speed: Annotated[
        float, typer.Option(min=0.001, max=40, help="How fast they act; 1: once a second.")
    ] = 1.0,
    dialect: Annotated[
        str | None, typer.Option(help="seed: the API of early 2026 beside today's.")
    ] = None,
    state: Annotated[
        Path | None, typer.Option(help="File that keeps the exchange over restarts.")
    ] = None,
    now: Annotated[
        str, typer.Option(help="Date of the listing: today, seed, or such as 2026-03-05.")
    ] = "today",
) -> None:
    """Run an embedded exchange until SIGTERM or Ctrl-C; prints NAME=value lines when ready."""
    # Only here: the other commands start twice as fast without it.
    from ..sandbox import Faults, parse_fault
    from ..sandbox import run as run_sandbox

    faults = Faults(
        latency=latency,
        jitter=jitter,
        error_rate=error_rate,
        drop_rate=drop_rate,
        rate_limit_rate=rate_limit_rate,
        read_lag=read_lag,
        seed=seed,
    )
    for text in fault or ():
        parse_fault(text, faults)
    logger, lines = logging.getLogger("kalshi_async.sandbox"), WarningLines(logging.WARNING)
    logger.addHandler(lines)
    try:
        run_async(
            partial(
                run_sandbox,
                port=port,
                host=host,
                seed=seed,
                markets=(0 if load else 2_000) if markets is None else markets,
                load=load or (),
                tier=None if tier == "unlimited" else tier,
                faults=faults,
                deposit=deposit,
                key_type=key_type,
                activity=activity,
                speed=speed,
                dialect=dialect,
                state=state,
                now=_instant(now),
                announce=_announce,
            )
        )
    finally:
        logger.removeHandler(lines)


def _instant(text: str) -> datetime | Literal["today"] | None:
    if text in ("today", "seed"):
        return "today" if text == "today" else None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"--now {text!r} must be today, seed, or a time such as 2026-03-05T12:00:00Z"
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _announce(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
