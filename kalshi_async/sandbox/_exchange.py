"""One running exchange: the engine on a clock, what it lists, who trades on it, and who listens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import TypeVar, cast

import msgspec

from ._activity import Activity
from ._auth import Directory
from ._catalog.catalog import Catalog
from ._combos import combo_listing
from ._crowd import Crowd
from ._engine import Engine
from ._events import Event
from ._live.life import Life
from ._live.listing import TICK, listing_of
from ._live.view import LiveMarkets
from ._recorder import Recorder
from ._records import Listing
from ._rfq.communications import Communications
from ._text import DAY, SECOND, uuid_text
from ._units import ONE

T = TypeVar("T")
R = TypeVar("R")
S = TypeVar("S", bound=msgspec.Struct)
Listener = Callable[[Sequence[Event]], None]


class Ids:
    """Identifiers in the shape of UUIDs, the same ones in the same order for the same seed."""

    def __init__(self, seed: int) -> None:
        self._key = f"ids/{seed}".encode()[:64]
        self.made = 0

    def __call__(self) -> str:
        """The next one."""
        self.made += 1
        number = self.made.to_bytes(8, "little")
        return uuid_text(blake2b(number, digest_size=16, key=self._key).digest())


class Exchange:
    """What handlers, the WebSocket and the control surface work with. All of it is synchronous: a
    command is done, and everyone has heard of it, when `do` returns.
    """

    def __init__(
        self,
        catalog: Catalog,
        *,
        seed: int,
        clock: Callable[[], float],
        recorder: Recorder | None = None,
        activity: Activity | None = None,
    ) -> None:
        self.catalog, self.seed = catalog, seed
        self.directory = Directory()
        self.skew = 0.0
        self.advanced = 0
        self._clock = clock
        self._latest = 0
        self._listeners: list[Listener] = []
        self._rooms: dict[type, object] = {}
        self._recorder = recorder
        self.ids = Ids(seed)
        self.engine = Engine(new_id=self.ids, listing=self._listing)
        ahead = self.now() - catalog.now
        # A catalog of this very day needs no other calendar: what is past in it is past.
        self.shift = 0 if 0 <= ahead < DAY else ahead
        if recorder is not None:
            recorder.restore(self)
        self.life = Life(self)
        self.live = LiveMarkets(self)
        self.crowd = None if activity is None else Crowd(self, activity)

    # Time

    def now(self) -> int:
        """The time of the exchange in Unix microseconds: the wall clock, its skew, and what it was
        advanced by. It never goes back.
        """
        self._latest = max(self._latest, int((self._clock() + self.skew) * SECOND) + self.advanced)
        return self._latest

    def wall_ms(self) -> int:
        """The clock signatures are held against, in milliseconds: without what was advanced."""
        return int((self._clock() + self.skew) * 1000)

    def tick(self) -> None:
        """Do what is due by now."""
        now = self.now()
        if self.crowd is not None:
            self.crowd.act(now)
        self.reach(now)

    def reach(self, now: int) -> None:
        """Do what is due by an instant, the crowd apart: each thing at its own time."""
        while (due := self.life.next) < now:
            self._reach(due)
        self._reach(now)

    def _reach(self, now: int) -> None:
        self.engine.advance(now)
        self.life.advance(now)
        self.room(Communications).advance(now)
        self._deliver()

    @property
    def cutoff(self) -> int:
        """What ended before this instant, on the clock of trading, is only in historical lists."""
        return self.catalog.cutoff + self.shift

    # Commands

    def do(self, command: Callable[[Engine, int], T]) -> T:
        """Run a command at the present time, after everything that was due before it."""
        self.tick()
        try:
            return command(self.engine, self._latest)
        finally:
            self._deliver()

    def _deliver(self) -> None:
        while events := self.engine.drain():
            if self._recorder is not None:
                self._recorder.record(events)
            for listener in tuple(self._listeners):
                listener(events)

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Have `listener` called with the events of each command; the result ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def room(self, kind: Callable[[Exchange], R]) -> R:
        """The one instance of a class that keeps further state of this exchange."""
        found = self._rooms.get(cast("type", kind))
        if found is None:
            found = self._rooms[cast("type", kind)] = kind(self)
        return cast("R", found)

    # State on disk

    def keep(self, kind: str, key: str, value: msgspec.Struct | None) -> None:
        """Write something that is not the engine's to the state file; None takes it out."""
        if self._recorder is not None:
            self._recorder.keep(kind, key, value)

    def kept(self, kind: str, type_: type[S]) -> list[S]:
        """What the state file held of a kind when the exchange started."""
        return [] if self._recorder is None else self._recorder.kept(kind, type_)

    async def durable(self) -> None:
        """Return when everything done so far will survive the end of this process."""
        if self._recorder is not None:
            await self._recorder.durable()

    def end(self) -> None:
        """Close the state file."""
        if self._recorder is not None:
            self._recorder.close()

    # Markets

    def _listing(self, ticker: str) -> Listing | None:
        return listing_of(self.catalog, ticker, self.shift, self._latest) or combo_listing(
            self, ticker
        )

    def book_levels(self, ticker: str, bid: bool) -> list[tuple[int, int]]:
        """(YES price, count) of one side of a book, best first; empty for an unknown ticker."""
        book = self.engine.book(ticker)
        if book is not None:
            return book.levels(bid)
        listed = self.catalog.book(ticker)
        if bid:
            return [(tick * TICK, count) for tick, count in listed.yes]
        return [(ONE - tick * TICK, count) for tick, count in listed.no]
