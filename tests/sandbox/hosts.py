"""An engine with a state file behind it, without the rest of an exchange."""

from __future__ import annotations

from pathlib import Path

from kalshi_async.sandbox._engine import Engine
from kalshi_async.sandbox._events import Event
from kalshi_async.sandbox._recorder import Recorder
from kalshi_async.sandbox._state import Store


class Numbers:
    """Identifiers that are counted."""

    def __init__(self, made: int = 0) -> None:
        self.made = made

    def __call__(self) -> str:
        self.made += 1
        return f"id-{self.made}"


class Host:
    """What a recorder needs of an exchange; its wall clock stands still."""

    def __init__(self, engine: Engine, store: Store, *, wall: int = 0) -> None:
        self.engine = engine
        self.ids = Numbers(100)
        engine.new_id = self.ids
        self.wall, self.shift, self.advanced = wall, 5, 0
        self.recorder: Recorder | None = Recorder(store)
        self.recorder.restore(self)

    def now(self) -> int:
        return self.wall + self.advanced

    def deliver(self) -> list[Event]:
        """Record what happened since the last time."""
        events = self.engine.drain()
        if self.recorder is not None:
            self.recorder.record(events)
        return events

    def close(self) -> None:
        """Close the file; the engine can go on without."""
        if self.recorder is not None:
            self.recorder.close()
        self.recorder = None


def unused(like: Engine) -> Engine:
    """An engine to which nothing happened, with the listings of another."""
    return Engine(new_id=like.new_id, listing=like._listing)


def restarted(host: Host, path: Path) -> Host:
    """A new host that goes on from the file of one that is closed."""
    return Host(unused(host.engine), Store.open(path, {}), wall=host.wall)
