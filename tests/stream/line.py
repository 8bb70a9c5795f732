"""A protocol without its socket: a consumer at one end, the exchange's frames at the other."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

from kalshi_async import KalshiError
from kalshi_async.stream import StreamError, StreamEvent, StreamMessage, StreamStats
from kalshi_async.stream import _channels as channels
from kalshi_async.stream._channels import Channel
from kalshi_async.stream._leg import BookLeg, Leg
from kalshi_async.stream._protocol import Interrupted, Protocol

AnyLeg = TypeVar("AnyLeg", bound=Leg)


class Consumer:
    """Takes what a leg gives it."""

    def __init__(self, stats: StreamStats, tell: Callable[[StreamEvent], None]) -> None:
        self.stats, self.tell = stats, tell
        self.messages: list[StreamMessage] = []
        self.put: Callable[[StreamMessage], None] = self.messages.append
        self.said: list[str] = []

    def lost(self) -> None:
        self.said.append("lost")

    def live(self) -> None:
        self.said.append("live")

    def doubted(self) -> None:
        self.said.append("doubted")

    def too_slow(self, waited: float) -> None:
        self.said.append("too slow")

    def failed(self, error: KalshiError) -> None:
        self.said.append(f"failed: {error}")

    def fresh(self) -> None:
        self.said.append("fresh")


class Line:
    """A protocol, one consumer, and the exchange at its other end."""

    def __init__(self) -> None:
        self.stats = StreamStats()
        self.events: list[StreamEvent] = []
        self.protocol = Protocol(7, self.stats, self.events.append)
        self.consumer = Consumer(self.stats, self.events.append)
        self.outcomes: list[StreamError | Interrupted | None] = []
        self._read = 0

    def sent(self) -> list[dict[str, Any]]:
        """The commands since the last time."""
        new = self.protocol.outgoing[self._read :]
        self._read = len(self.protocol.outgoing)
        return [json.loads(each) for each in new]

    def say(self, *messages: object) -> None:
        for message in messages:
            data = message if isinstance(message, bytes) else json.dumps(message).encode()
            self.protocol.receive(data, 12.5)

    def leg(self, channel: Channel = channels.TRADE, *subjects: str, **params: object) -> Leg:
        return Leg(channel, subjects, params, self.consumer)

    def books(self, *tickers: str) -> BookLeg:
        return BookLeg(channels.ORDERBOOK, tickers, {"skip_ticker_ack": True}, self.consumer)

    def subscribe(self, leg: Leg) -> dict[str, Any]:
        self.protocol.subscribe(leg, self.outcomes.append)
        (command,) = self.sent()
        return command

    def open(self, leg: AnyLeg, sid: int = 1) -> AnyLeg:
        self.say(subscribed(self.subscribe(leg), sid))
        assert self.outcomes.pop() is None
        return leg

    @property
    def ids(self) -> list[str]:
        return [message.trade_id for message in self.consumer.messages]  # type: ignore[attr-defined]


def subscribed(command: dict[str, Any], sid: int = 1) -> dict[str, Any]:
    (channel,) = command["params"]["channels"]
    msg = {"channel": channel, "sid": sid}
    return {"type": "subscribed", "id": command["id"], "msg": msg}


def error(code: int, number: int = 0, *markets: str, **envelope: object) -> dict[str, Any]:
    """A refusal of the command with this id, or a complaint."""
    msg = {"code": code, "msg": "no", "market_tickers": list(markets)}
    return {"type": "error", "id": number, "msg": msg, **envelope}
