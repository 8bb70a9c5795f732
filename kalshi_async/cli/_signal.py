"""``kalshi-async signal``: look a market up, have it analyzed, get a signal, size the bet from the
book.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

import anyio
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from .. import (
    AnalysisFailedError,
    AnalysisPendingError,
    ConfigurationError,
    KalshiClient,
    KalshiError,
    NotFoundError,
)
from .._amounts import money
from ..analytics._exact import share
from ..analytics.fees import FeeSchedule
from ..analytics.schedules import FeeSchedules
from ..analytics.sizing import Bet, Cap, kelly, size
from ..models import OrderBook
from ..models.orderbook import Side
from ._connect import EMBEDDED, Target, connected
from ._output import ask, bid, count, dollars, make_table, show, stderr, stdout

if TYPE_CHECKING:
    from ..rekko import Analysis, AnalysisStatus, Market, RekkoClient, Signal

KALSHI = "kalshi"
SIDES: tuple[Side, ...] = ("yes", "no")
KEY_VARIABLE = "REKKO_API_KEY"

_SIZED = "4. A bet from the book, net of fees"
_LIMITS: dict[Cap, str] = {
    "edge": "more has no edge, or is more than Kelly would stake",
    "stake": "the money",
    "depth": "nobody offers more",
    "limit": "the price",
    "max_count": "the count",
}


@dataclass(frozen=True, slots=True)
class SignalOptions:
    """What ``signal`` was asked for.

    Attributes:
        ticker: The market, by the id it has on its platform.
        platform: Where it is traded.
        bankroll: Dollars to size by.
        fraction: Of Kelly's stake, above 0 and up to 1.
        timeout: Seconds to wait for the analysis.
        resume: A run that was started before, to wait for in place of a new one.
        as_json: Print JSON.
    """

    ticker: str
    platform: str
    bankroll: Decimal
    fraction: Decimal
    timeout: float
    resume: str | None
    as_json: bool

    @classmethod
    def of(
        cls,
        ticker: str,
        *,
        platform: str,
        bankroll: str,
        fraction: str,
        timeout: float,
        resume: str | None,
        as_json: bool,
    ) -> SignalOptions:
        """The options from their texts.

        Raises:
            InvalidRequestError: The bankroll is no amount of dollars above 0, or the fraction no
                part of Kelly's stake.
        """
        purse, part = Decimal(money("--bankroll", bankroll)), share("--fraction", fraction)
        return cls(ticker, platform, purse, part, timeout, resume, as_json)


@dataclass(frozen=True, slots=True)
class Sizing:
    """What the book says: Kelly's full share of the bankroll at the best price, and the bet."""

    kelly: Decimal
    bet: Bet


@dataclass(frozen=True, slots=True)
class Found:
    """All that was found out. ``sizing`` is None where the analysis names no probability, or the
    market is not Kalshi's.
    """

    market: Market
    analysis: Analysis
    signal: Signal
    sizing: Sizing | None

    @property
    def made_up(self) -> bool:
        """Whether a sandbox made it up."""
        return self.analysis.extra.get("made_up") is True


async def signal(target: Target, options: SignalOptions) -> None:
    """Print the market, its analysis, the signal, and a size net of fees.

    Raises:
        ConfigurationError: No key of Rekko's, or a run to resume on an exchange that starts anew.
        NotFoundError: There is no such market.
        TimeoutError: The analysis is not complete in time; the message says how to go on.
        KalshiError: Anything else that Rekko or the exchange says.
    """
    async with _desks(target, options) as (kalshi, rekko):
        market = await _market(rekko, options)
        # Before anything is paid for: what the exchange does not list cannot be sized.
        fees = await _fees(kalshi, options)
        seen = [options.resume]
        with _way_back(seen, target, options):
            analysis = await _analysis(rekko, options, seen)
            found = Found(
                market,
                analysis,
                await rekko.signals.get(platform=options.platform, market_id=options.ticker),
                await _sizing(kalshi, analysis, fees, options),
            )
    show(_json(found), options.as_json, lambda: _print(found, options))


@asynccontextmanager
async def _desks(
    target: Target, options: SignalOptions
) -> AsyncIterator[tuple[KalshiClient, RekkoClient]]:
    """Clients of the exchange and of the intelligence API, or of the stand-ins of both."""
    from ..rekko import RekkoClient
    from ..rekko._settings import environment_settings

    if target.env == EMBEDDED:
        if options.resume is not None:
            raise ConfigurationError(
                "--resume goes on with a run of an exchange that is still there; the embedded one "
                "starts anew: leave it out, or name an exchange with --env"
            )
        async with connected(target) as (kalshi, exchange):
            if exchange is None:
                raise ConfigurationError(f"--env {target.env} has no embedded exchange")
            async with exchange.rekko() as rekko:
                yield kalshi, rekko
        return
    if not os.environ.get(KEY_VARIABLE, "").strip():
        environment_settings()  # a misspelt variable is told first
        raise ConfigurationError(
            f"{KEY_VARIABLE} is not set: analyses beside --env {target.env} are Rekko's own and "
            f"need its key; --env {EMBEDDED} tries made-up ones"
        )
    async with connected(target) as (kalshi, _), RekkoClient.from_env() as rekko:
        yield kalshi, rekko


async def _market(rekko: RekkoClient, options: SignalOptions) -> Market:
    try:
        return await rekko.markets.get(options.platform, options.ticker)
    except NotFoundError as exc:
        exc.add_note(f"there is no market {options.ticker} on {options.platform}")
        raise


async def _fees(kalshi: KalshiClient, options: SignalOptions) -> FeeSchedule | None:
    """The fees of the market; None where it is not Kalshi's."""
    if options.platform != KALSHI:
        return None
    return await FeeSchedules(kalshi).of(options.ticker)


# The analysis


async def _analysis(rekko: RekkoClient, options: SignalOptions, seen: list[str | None]) -> Analysis:
    where, run = (options.platform, options.ticker), options.resume
    with _progress(options, seen) as look:
        if run is None:
            return await rekko.analyze(*where, timeout=options.timeout, on_progress=look)
        return await rekko.resume(*where, run, timeout=options.timeout, on_progress=look)


@contextmanager
def _way_back(seen: list[str | None], target: Target, options: SignalOptions) -> Iterator[None]:
    """Whatever ends it, a run that is paid for can be gone on with: says how."""
    try:
        yield
    except AnalysisPendingError as exc:
        raise TimeoutError(_pending(exc, target, options)) from exc
    except (AnalysisFailedError, NotFoundError):  # there is nothing to go on with
        raise
    except KalshiError as exc:
        if seen[0] is not None and target.env != EMBEDDED:
            exc.__notes__ = [f"to go on: {_command(seen[0], target, options)}"]
        raise
    except anyio.get_cancelled_exc_class():
        # So comes Ctrl-C.
        if seen[0] is not None and target.env != EMBEDDED:
            stderr.print(f"to go on: {escape(_command(seen[0], target, options))}")
        raise


@contextmanager
def _progress(
    options: SignalOptions, seen: list[str | None]
) -> Iterator[Callable[[AnalysisStatus], None]]:
    """Shows how far a run has got, on a terminal only, and notes in `seen` which run it is."""
    about = f"analyzing {escape(options.ticker)}"
    line = stderr.status(f"{about}: 30 to 90 s as a rule") if stderr.is_terminal else None

    def look(told: AnalysisStatus) -> None:
        seen[0] = told.analysis_id or seen[0]
        if line is not None:
            far = "" if told.progress is None else f", {told.progress:.0%}"
            line.update(f"{about}: {escape(told.status or 'no status')}{far}")

    with line or nullcontext():
        yield look


def _pending(error: AnalysisPendingError, target: Target, options: SignalOptions) -> str:
    said = (
        f"the analysis {error.analysis_id} of {options.platform}/{options.ticker} is not complete "
        f"after {error.waited:.0f} s (status: {error.status or 'unknown'})"
    )
    if target.env == EMBEDDED:
        return f"{said}, and ends with the embedded exchange: wait longer with --timeout"
    return f"{said}; it goes on, to wait for it: {_command(error.analysis_id, target, options)}"


def _command(run: str, target: Target, options: SignalOptions) -> str:
    """What goes on waiting for a run."""
    words = ["kalshi-async", "signal", options.ticker, "--env", target.env]
    if options.platform != KALSHI:
        words += ["--platform", options.platform]
    words += ["--bankroll", f"{options.bankroll:f}", "--fraction", f"{options.fraction:f}"]
    return shlex.join([*words, "--resume", run])


# The size


async def _sizing(
    kalshi: KalshiClient, analysis: Analysis, fees: FeeSchedule | None, options: SignalOptions
) -> Sizing | None:
    """What the book and the fees of now make of the probability; the better of both sides."""
    chance = analysis.probability
    if fees is None or chance is None or not 0 <= chance <= 1:
        return None
    book = await kalshi.markets.orderbook(options.ticker)
    bets = [
        size(
            probability=chance,
            bankroll=options.bankroll,
            book=book,
            side=side,
            fees=fees,
            fraction=options.fraction,
        )
        for side in SIDES
    ]
    best = max(bets, key=lambda bet: bet.expected)
    offer = _offer(book, best.side)
    full = Decimal(0)
    if offer is not None:
        full = kelly(probability=chance, price=offer, side=best.side, fees=fees)
    return Sizing(full, best)


def _offer(book: OrderBook, side: Side) -> Decimal | None:
    return book.best_yes_ask if side == "yes" else book.best_no_ask


# What is printed


def _json(found: Found) -> dict[str, object]:
    sizing = found.sizing
    return {
        "made_up": found.made_up,
        "market": found.market,
        "analysis": found.analysis,
        "signal": found.signal,
        "sizing": None if sizing is None else {"kelly": sizing.kelly, **_bet_json(sizing.bet)},
    }


def _bet_json(bet: Bet) -> dict[str, object]:
    return {
        "side": bet.side,
        "count": bet.count,
        "limit": bet.limit,
        "cost": bet.cost,
        "fee": bet.fee,
        "worst_fee": bet.worst_fee,
        "expected": bet.expected,
        "capped_by": bet.capped_by,
    }


def _print(found: Found, options: SignalOptions) -> None:
    if found.made_up:
        stdout.print(
            "[bold yellow]made up by the sandbox:[/] nobody looked into this question, "
            "do not trade on it"
        )
    for table in (_market_table(found.market, options), _analysis_table(found.analysis)):
        stdout.print(table)
    stdout.print(_signal_table(found.signal))
    stdout.print(_sizing_table(found, options))


def _rows(title: str, rows: dict[str, str | None]) -> Table:
    table = make_table(title, header=False)
    table.add_column(style="dim", min_width=14)
    table.add_column(overflow="fold")
    for name, value in rows.items():
        if value:
            table.add_row(name, Text(value))
    return table


def _market_table(market: Market, options: SignalOptions) -> Table:
    volume = market.volume_24h
    return _rows(
        f"1. {options.platform}/{options.ticker}",
        {
            "title": market.title,
            "yes price": dollars(market.yes_price),
            "bid, ask": f"{bid(market.yes_bid)}, {ask(market.yes_ask)}",
            "volume (24 h)": None if volume is None else f"${volume:,.0f}",
            "closes": f"{market.close_time:%Y-%m-%d %H:%M}Z" if market.close_time else None,
        },
    )


def _analysis_table(analysis: Analysis) -> Table:
    factors = [
        f"{factor.factor} ({factor.direction})" if factor.direction else str(factor.factor)
        for factor in analysis.key_factors
        if factor.factor
    ]
    scenarios = [
        f"{_percent(scenario.probability)} {scenario.name or ''}: {scenario.description or ''}"
        for scenario in analysis.scenarios
    ]
    return _rows(
        f"2. Analysis {analysis.analysis_id or ''}",
        {
            "probability": _percent(analysis.probability),
            "market price": _percent(analysis.market_price),
            "edge": _signed(analysis.edge),
            "says": analysis.recommendation,
            "confidence": _percent(analysis.confidence),
            "summary": analysis.summary,
            "scenarios": "\n".join(scenarios),
            "factors": "\n".join(factors),
            "risks": "\n".join(analysis.risks),
            "model": analysis.model,
        },
    )


def _signal_table(told: Signal) -> Table:
    share = None if told.size_pct is None else f"{told.size_pct:.1%} of the bankroll"
    return _rows(
        "3. Signal",
        {
            "says": told.recommendation,
            "edge": _signed(told.edge),
            "Kelly fraction": share,
            "risk": told.risk_rating,
            "reasoning": told.reasoning,
        },
    )


def _sizing_table(found: Found, options: SignalOptions) -> Table:
    sizing = found.sizing
    stake = f"{options.fraction.normalize():f} of Kelly's, bankroll ${options.bankroll:,.2f}"
    if sizing is None:
        why = "the analysis names no probability"
        if options.platform != KALSHI:
            why = (
                f"nothing: the books that are walked are Kalshi's, not those of {options.platform}"
            )
        return _rows(_SIZED, {"stake": stake, "buy": why})
    bet = sizing.bet
    if bet.limit is None:
        return _rows(_SIZED, {"stake": stake, "buy": f"nothing: {_LIMITS[bet.capped_by]}"})
    return _rows(
        _SIZED,
        {
            "stake": stake,
            "buy": f"{count(bet.count)} {bet.side.upper()} at {dollars(bet.limit)} or better",
            "cost": f"${bet.cost:,.2f}, fees ${bet.fee:,.4f} (at most ${bet.worst_fee:,.4f})",
            "expected": f"+${bet.expected:,.2f} after fees",
            "Kelly": f"{sizing.kelly:.1%} of the bankroll at the best price",
            "limited by": _LIMITS[bet.capped_by],
        },
    )


def _percent(value: Decimal | None) -> str | None:
    return None if value is None else f"{value:.1%}"


def _signed(value: Decimal | None) -> str | None:
    return None if value is None else f"{value:+.1%}"
