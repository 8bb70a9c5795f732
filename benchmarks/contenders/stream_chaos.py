"""One stream whose connection is ended again and again, in every way; the exchange's record is the
judge.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from random import Random
from typing import Any

from benchmarks._stream_chaos import (
    DROP_RATE,
    Account,
    Life,
    StreamFaults,
    Told,
    Verdict,
    judge,
)
from benchmarks._stream_wire import Wire, relaying
from kalshi_async import KalshiClient
from kalshi_async.sandbox import Activity, FrameFault, Sandbox
from kalshi_async.stream import (
    OrderBooks,
    Reconnect,
    Stream,
    StreamClosedError,
    StreamDisconnected,
    Subscription,
)

from ._probe import emit

HEARTBEAT = 0.5
RECONNECT = Reconnect(base=0.01, cap=0.1)
# Seconds until a connection that was ended must be missed and there must be another one.
_NOTICED = 30.0
# What makers and takers do in a second, in all markets.
_ACTIONS = 400.0
# Seconds that the client's clock is set back or ahead: more than signatures may be old, or new.
_SET_BACK, _SET_AHEAD = 25.0, 40.0
# Seconds that it is ahead from the start: so little that signatures hold and nobody says so.
_AHEAD = 20.0
# Seconds from setting the clock ahead to the end of the connection, so that frames still come.
_A_WHILE = 0.1


@dataclass
class Scene:
    """What a way to end a connection needs."""

    faults: StreamFaults
    wire: Wire
    dice: Random
    clock: Clock


class Clock:
    """The client's clock, which is wrong and can be set."""

    def __init__(self) -> None:
        self.ahead = _AHEAD

    def __call__(self) -> float:
        return time.time() + self.ahead


def _closing(code: int) -> Callable[[Scene], None]:
    return lambda scene: scene.faults.end(FrameFault(close=code))


def _reset(scene: Scene) -> None:
    scene.faults.end(FrameFault(reset=True))


def _refused(status: int, times: int) -> Callable[[Scene], None]:
    def strike(scene: Scene) -> None:
        scene.faults.on_connect(status=status, times=times)
        _reset(scene)

    return strike


def _set_back(scene: Scene) -> None:
    scene.clock.ahead -= _SET_BACK
    _reset(scene)


def _set_ahead(scene: Scene) -> None:
    scene.clock.ahead += _SET_AHEAD
    asyncio.get_running_loop().call_later(_A_WHILE, _reset, scene)


KINDS: Mapping[str, Callable[[Scene], None]] = {
    "reset": _reset,
    "closed 1000": _closing(1000),
    "closed 1001": _closing(1001),
    "closed 1011": _closing(1011),
    "closed 4001": _closing(4001),
    "hung up": lambda scene: scene.wire.hang_up(),
    "cut off": lambda scene: scene.wire.cut(scene.dice.randint(1, 3_000)),
    "silence": lambda scene: scene.wire.silence(),
    "reset, then 502 twice": _refused(502, 2),
    "reset, then 429": _refused(429, 1),
    "reset, then 401": _refused(401, 1),
    "reset, clock set back": _set_back,
    "reset, clock set ahead": _set_ahead,
}


@dataclass
class Run:
    """What a run came to."""

    struck: Counter[str] = field(default_factory=Counter)
    verdict: Verdict = field(default_factory=Verdict)
    checkpoints: int = 0
    figures: dict[str, float] = field(default_factory=dict)

    @property
    def wrong(self) -> int:
        """Everything that must not be; 0 for a run without fault."""
        told = ("told backwards", "gaps unnoticed", "trades told twice")
        return self.verdict.wrong + int(sum(self.figures[name] for name in told))


@dataclass(frozen=True)
class Plan:
    """How much is to go wrong.

    Attributes:
        disconnects: Ends of the connection.
        gaps: Gaps in the numbers of books that the client is to notice.
        markets: How many trade.
        between: Disconnects from one checkpoint to the next.
        pace: What pauses between disconnects are multiplied by.
        drop_rate: Of the frames of books, so many are left out.
        settling: Seconds until the books must be right at a checkpoint.
        patience: Seconds more until everything must have arrived.
    """

    disconnects: int
    gaps: int
    markets: int = 50
    between: int = 50
    pace: float = 1.0
    drop_rate: float = DROP_RATE
    settling: float = 30.0
    patience: float = 30.0


class Chaos:
    """A client with one stream, its consumers, and what is done to it.

    Args:
        exchange: The embedded exchange, with activity.
        faults: Its faults.
        seed: Of everything drawn.
        plan: How much goes wrong.
    """

    def __init__(self, exchange: Sandbox, faults: StreamFaults, seed: int, plan: Plan) -> None:
        self._exchange, self._faults, self._plan = exchange, faults, plan
        self._dice = Random(f"{seed}/strikes")
        self._life = Life(exchange)
        self.tickers = self._life.tickers
        self._account = Account(exchange, exchange.user_id, self.tickers, seed)
        rival = exchange.add_account(tier=None, deposit="10000.00").user_id
        self._rival = Account(exchange, rival, self.tickers, seed)
        self.told, self.run = Told(), Run()
        self._kinds: list[str] = []
        self._down = 0
        self._fell = asyncio.Event()

    async def play(self) -> Run:
        """Lose the connection and frames as planned; all is judged every now and then, and in the
        end. What is found wrong ends it.
        """
        clock = Clock()
        async with AsyncExitStack() as stack:
            wire = await stack.enter_async_context(relaying(self._exchange.ws_url))
            client = self._exchange.client(ws_url=wire.url, limits=None, wall_clock=clock)
            kalshi = await stack.enter_async_context(client)
            scene = Scene(self._faults, wire, self._dice, clock)
            began = time.monotonic()
            async with asyncio.TaskGroup() as tasks:
                async with self._subscribed(kalshi, tasks) as (stream, books):
                    trading = tasks.create_task(self._trade())
                    await self._go_wrong(scene, stream, books)
                    trading.cancel()
                self._count(stream, time.monotonic() - began)
        return self.run

    @asynccontextmanager
    async def _subscribed(
        self, kalshi: KalshiClient, tasks: asyncio.TaskGroup
    ) -> AsyncIterator[tuple[Stream, OrderBooks]]:
        """Everything there is to know, each subscription with a task that takes it."""
        told, noted = self.told, asyncio.Event()
        async with kalshi.stream(heartbeat=HEARTBEAT, reconnect=RECONNECT) as stream:
            tasks.create_task(self._watch(stream, noted))
            await noted.wait()
            books = stream.orderbook(*self.tickers)
            takers: list[tuple[Subscription[Any], Callable[[Any], None]]] = [
                (books, told.book),
                (stream.trades(*self.tickers), told.trade),
                (stream.ticker(*self.tickers), lambda _: None),
                (stream.fills(), told.fill),
                (stream.orders(), told.order),
                (stream.positions(), told.position),
            ]
            for subscription, tell in takers:
                await subscription.open()
                tasks.create_task(_take(subscription, tell))
            yield stream, books

    async def _watch(self, stream: Stream, noted: asyncio.Event) -> None:
        """Count the connections that were lost."""
        events = stream.events()
        noted.set()
        try:
            async for event in events:
                if isinstance(event, StreamDisconnected):
                    self._down += 1
                    self._fell.set()
        except StreamClosedError:
            return

    async def _trade(self) -> None:
        """The account acts some hundred times a second, unless everybody rests."""
        while True:
            await asyncio.sleep(0.01)
            if not self._faults.calm:
                self._account.act()

    async def _go_wrong(self, scene: Scene, stream: Stream, books: OrderBooks) -> None:
        plan, done = self._plan, 0
        self._faults.calm = False
        while done < plan.disconnects or stream.stats.gaps < plan.gaps:
            await asyncio.sleep(self._pause() * plan.pace)
            if done < plan.disconnects:
                await self._strike(scene, stream)
                done += 1
                if done % plan.between == 0:
                    await self._check(books)
                if self.run.verdict.wrong:
                    return
        await self._check(books)

    def _pause(self) -> float:
        """Seconds: often before all is subscribed to again, at times until all has been read."""
        drawn = self._dice.random()
        if drawn < 0.4:
            return self._dice.uniform(0, 0.05)
        return self._dice.uniform(0.05, 0.4) if drawn < 0.9 else self._dice.uniform(1.5, 2.5)

    async def _strike(self, scene: Scene, stream: Stream) -> None:
        """End the connection, and wait until the client has noticed and has another one."""
        if not self._kinds:
            self._kinds = list(KINDS)
        kind = self._kinds.pop(self._dice.randrange(len(self._kinds)))
        self._fell.clear()
        KINDS[kind](scene)
        try:
            async with asyncio.timeout(_NOTICED):
                await self._fell.wait()
                await _until(lambda: stream.state == "connected", 0.005)
        except TimeoutError:
            raise SystemExit(f"{kind}: after {_NOTICED:.0f} s there is {stream!r}") from None
        self.run.struck[kind] += 1

    async def _check(self, books: OrderBooks) -> None:
        """Let everything rest until all has arrived, and judge."""
        self._faults.calm = True
        self._life.rest()
        self.run.checkpoints += 1
        # What was left out last shows only when something follows.
        self._rival.touch(self.tickers[0])
        await _within(self._plan.settling, lambda: not self._judged(books).books)
        await _within(self._plan.patience, lambda: not self._judged(books).wrong)
        self.run.verdict = self._judged(books)
        self._life.go_on()
        self._faults.calm = False

    def _judged(self, books: OrderBooks) -> Verdict:
        def kept(ticker: str) -> dict[str, dict[Decimal, Decimal]] | None:
            book = books.book(ticker)
            return None if book.stale else {"yes": dict(book.yes), "no": dict(book.no)}

        return judge(self._exchange, self.told, self.tickers, kept)

    def _count(self, stream: Stream, seconds: float) -> None:
        stats, told = stream.stats, self.told
        self.run.figures = {
            "disconnects": self._down,
            "failures to connect": stats.failures,
            "frames": stats.frames,
            "gaps": stats.gaps,
            "frames missed": stats.missed,
            "resyncs": stats.resyncs,
            "repeats": stats.repeats,
            "backfilled": stats.backfilled,
            "checkpoints": self.run.checkpoints,
            "told backwards": told.backwards,
            "gaps unnoticed": told.unnoticed,
            "trades told twice": told.trades_again,
            "seconds": seconds,
            **{f"told {channel}": count for channel, count in told.counts.items()},
            **{f"frames {what}": count for what, count in self._faults.struck.items()},
        }


async def _until(done: Callable[[], bool], often: float) -> None:
    """Look every so many seconds: what is looked at tells nobody when it changes."""
    while not done():  # noqa: ASYNC110
        await asyncio.sleep(often)


async def _within(seconds: float, done: Callable[[], bool]) -> None:
    """Wait until it is so, or for so long."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await _until(done, 0.2)


async def _take(subscription: Subscription[Any], tell: Callable[[Any], None]) -> None:
    """Take everything until the stream is closed."""
    try:
        async for message in subscription:
            tell(message)
    except StreamClosedError:
        return


async def chaos(seed: int, plan: Plan) -> Run:
    """A whole run: the same seed strikes in the same ways."""
    faults = StreamFaults(seed, plan.drop_rate)
    activity = Activity(markets=plan.markets, speed=_ACTIONS / plan.markets)
    async with Sandbox.serve(
        seed=seed, tier=None, faults=faults, activity=activity, deposit="1000000.00"
    ) as exchange:
        return await Chaos(exchange, faults, seed, plan).play()


def _first(error: Exception) -> Exception:
    """What is innermost in a group of errors."""
    return _first(error.exceptions[0]) if isinstance(error, ExceptionGroup) else error


def main() -> None:
    """Command line of the contender process."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--disconnects", type=int, default=1_000)
    parser.add_argument("--gaps", type=int, default=500)
    parser.add_argument("--pace", type=float, default=1.0, help="pauses are multiplied by it")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    # What fails here is meant to.
    logging.disable(logging.ERROR)
    plan = Plan(given.disconnects, given.gaps, pace=given.pace)
    try:
        run = asyncio.run(chaos(given.seed, plan))
    except ExceptionGroup as group:
        raise SystemExit(f"a consumer was told: {_first(group)!r}") from group
    kinds = {f"kind {kind}": float(count) for kind, count in run.struck.items()}
    wrong = {f"wrong {name}": float(count) for name, count in asdict(run.verdict).items()}
    emit(run.figures | kinds | wrong)


if __name__ == "__main__":
    main()
