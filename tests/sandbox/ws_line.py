"""A WebSocket session without a socket: eight markets, and everything its connection was sent."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from kalshi_async.sandbox._text import SECOND, named_uuid
from kalshi_async.sandbox._ws.protocol import Session
from kalshi_async.sandbox._ws.subscription import Frame, Subscription

NOW = 1_790_000_000 * SECOND
LISTED = [f"KXTEST-{number}" for number in range(8)]


class FakeBoard:
    """Eight markets; `watched` is who follows which of them."""

    def __init__(self) -> None:
        self.watched: dict[Subscription, set[str]] = {}

    def missing(self, tickers: Sequence[str]) -> list[str]:
        return [ticker for ticker in tickers if ticker not in LISTED]

    def named(self, market_id: str) -> str | None:
        return {named_uuid(ticker): ticker for ticker in LISTED}.get(market_id)

    def snapshot(self, ticker: str, *, yes_price: bool) -> bytes:
        body = {"market_ticker": ticker, "market_id": named_uuid(ticker), "clock": int(yes_price)}
        return json.dumps(body).encode()

    def ticker(self, ticker: str) -> bytes:
        return json.dumps({"market_ticker": ticker}).encode()

    def indices(self, channel: str) -> Sequence[str]:
        return ("BRTI", channel)

    def watch(self, subscription: Subscription, tickers: Iterable[str]) -> None:
        self.watched.setdefault(subscription, set()).update(tickers)

    def unwatch(self, subscription: Subscription, tickers: Iterable[str] | None = None) -> None:
        if tickers is None:
            del self.watched[subscription]
        else:
            self.watched[subscription].difference_update(tickers)


class Line:
    """A session and everything that went over its connection, decoded."""

    def __init__(self, **options: Any) -> None:
        self.board = FakeBoard()
        self.frames: list[dict[str, Any]] = []
        self.session = Session(self.board, self, "user", **options)

    def put(self, channel: str, payload: bytes) -> None:
        self.frames.append(json.loads(payload))

    def take(self, frames: list[Frame]) -> list[dict[str, Any]]:
        found = [json.loads(frame.payload) for frame in frames]
        self.frames += found
        return found

    def send(self, cmd: str, number: int = 1, **params: Any) -> list[dict[str, Any]]:
        command = {"id": number, "cmd": cmd, "params": params}
        return self.take(self.session.receive(json.dumps(command), NOW))

    def error(self, cmd: str, **params: Any) -> int:
        """The code of the one error frame that answers."""
        (frame,) = self.send(cmd, 7, **params)
        assert frame["type"] == "error"
        assert frame["id"] == 7
        return int(frame["msg"]["code"])

    def follow(self, *tickers: str, channel: str = "orderbook_delta", **params: Any) -> Any:
        """Subscribe to one channel; its sid."""
        if tickers:
            params["market_tickers"] = list(tickers)
        return self.send("subscribe", channels=[channel], **params)[0]["msg"]["sid"]
