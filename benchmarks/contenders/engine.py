"""The engine alone, in this process: a seeded mix of commands, one after another."""

from __future__ import annotations

import argparse
import tempfile
import time
from itertools import islice
from pathlib import Path

from benchmarks._exchange_server import TICKERS, quiet_markets
from benchmarks._flow import CENT, Flow, draws
from kalshi_async.sandbox import Catalog
from kalshi_async.sandbox._catalog.draw import default_now
from kalshi_async.sandbox._engine import Engine
from kalshi_async.sandbox._exchange import Exchange, Ids
from kalshi_async.sandbox._records import Listing, MarketState
from kalshi_async.sandbox._units import DOLLAR, ONE

from ._probe import Stopwatch, emit

_TRADERS = 16
# Microseconds between two commands.
_STEP = 50
_WARM_UP = 500


def bare() -> Engine:
    """An engine on which nothing happened yet, with ten markets on a grid of cents."""
    listed = {
        ticker: Listing(
            market=MarketState(
                ticker=ticker,
                event_ticker="KXBENCH-26",
                series_ticker="KXBENCH",
                shard=0,
                status="active",
                grid=((0, ONE, CENT),),
                opens=0,
                closes=0,
            )
        )
        for ticker in TICKERS
    }
    return Engine(new_id=Ids(1), listing=listed.get)


def members(engine: Engine) -> list[str]:
    """Accounts with all the money they will need."""
    user_ids = [f"trader-{number}" for number in range(_TRADERS)]
    for user_id in user_ids:
        engine.open_account(user_id)
        engine.deposit(user_id, 10_000_000 * DOLLAR, 0)
    return user_ids


def alone(commands: int) -> dict[str, float]:
    """The matching engine, its event log emptied after each command."""
    engine = bare()
    flow = Flow(members(engine), TICKERS)
    ready = list(islice(draws(1), commands + _WARM_UP))
    now = 1

    def run(start: int, end: int) -> int:
        nonlocal now
        events = 0
        for draw in ready[start:end]:
            now += _STEP
            engine.advance(now)
            flow.step(engine, draw, now)
            events += len(engine.drain())
        return events

    run(0, _WARM_UP)
    placed = flow.done["place"]
    watch = Stopwatch()
    events = run(_WARM_UP, len(ready))
    return {
        **watch.figures(),
        "commands": commands,
        "placed": flow.done["place"] - placed,
        "events": events,
        **_outcome(engine),
    }


def whole(commands: int) -> dict[str, float]:
    """The same behind the clock of an exchange, with its tape, candlesticks and quotes."""
    with tempfile.TemporaryDirectory() as folder:
        paths = (quiet_markets(Path(folder)),)
        catalog = Catalog(seed=1, markets=0, now=default_now(1), paths=paths)
    exchange = Exchange(catalog, seed=1, clock=time.time)
    flow = Flow(members(exchange.engine), TICKERS)
    ready = list(islice(draws(1), commands + _WARM_UP))

    def run(start: int, end: int) -> None:
        for draw in ready[start:end]:
            exchange.do(lambda engine, now, draw=draw: flow.step(engine, draw, now))  # type: ignore[misc]

    run(0, _WARM_UP)
    placed = flow.done["place"]
    watch = Stopwatch()
    run(_WARM_UP, len(ready))
    figures = {**watch.figures(), "commands": commands, "placed": flow.done["place"] - placed}
    return {**figures, **_outcome(exchange.engine)}


def _outcome(engine: Engine) -> dict[str, float]:
    """What the run came to. Ends the process where money was made or lost."""
    there = engine.fees + ONE * sum(market.open_interest for market in engine.markets.values())
    traders = engine.traders.values()
    there += sum(wallet.cash for trader in traders for wallet in trader.wallets.values())
    if there != engine.paid_in:
        raise SystemExit(f"paid in {engine.paid_in:,}, but there is {there:,}")
    return {
        "trades": sum(len(trader.fills) for trader in traders) // 2,
        "resting": sum(len(trader.resting) for trader in traders),
    }


def main() -> None:
    """Command line of the contender process."""
    parser = argparse.ArgumentParser()
    parser.add_argument("contender", choices=("alone", "whole"))
    parser.add_argument("--commands", type=int, default=40_000)
    given = parser.parse_args()
    emit({"alone": alone, "whole": whole}[given.contender](given.commands))


if __name__ == "__main__":
    main()
