"""A market list to scan: an HTTP adapter that filters, orders and pages as an exchange might."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

import anyio
import msgspec

from kalshi_async import Request, Response, Scan
from kalshi_async._decode import page_decoder
from kalshi_async._transport import Transport
from kalshi_async._windows import EPOCH
from tests.pipeline.helpers import LIST, NEVER, make_transport
from tests.support import answer

Order = Literal["newest", "oldest", "random"]


class Item(msgspec.Struct):
    ticker: str
    created_time: datetime | None = None


@dataclass
class Listing:
    """Markets by creation time, in microseconds after ``EPOCH``.

    Attributes:
        times: When each market was created; its ticker is its index.
        page: Markets a page.
        order: The order of the list.
        min_inclusive: Whether ``min_created_ts`` lets its own second in.
        max_inclusive: The same for ``max_created_ts``.
        whole_seconds: Whether the filter compares seconds and not microseconds.
        fail_at: Numbers of requests (from 1) that are answered with a 400.
        latency: Greatest number of turns that an answer takes, drawn by ``seed``.
    """

    times: list[int]
    page: int = 5
    order: Order = "newest"
    min_inclusive: bool = True
    max_inclusive: bool = True
    whole_seconds: bool = False
    fail_at: tuple[int, ...] = ()
    latency: int = 0
    seed: int = 1
    requests: list[dict[str, str]] = field(default_factory=list)
    in_flight: int = 0
    most_in_flight: int = 0

    def __post_init__(self) -> None:
        self._rng = random.Random(self.seed)
        numbers = list(range(len(self.times)))
        if self.order == "random":
            self._rng.shuffle(numbers)
        else:
            numbers.sort(key=lambda n: (self.times[n], n), reverse=self.order == "newest")
        self._order = numbers

    @property
    def tickers(self) -> list[str]:
        return sorted(f"T{number}" for number in range(len(self.times)))

    async def send(
        self, request: Request, headers: Mapping[str, str], timeout: float | None
    ) -> Response:
        query = {name: values[0] for name, values in parse_qs(urlsplit(request.url).query).items()}
        self.requests.append(query)
        number = len(self.requests)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            for _ in range(1 + self._rng.randint(0, self.latency)):
                await anyio.lowlevel.checkpoint()
        finally:
            self.in_flight -= 1
        return answer(status=400) if number in self.fail_at else answer(self._page(query))

    async def aclose(self) -> None: ...

    def _page(self, query: Mapping[str, str]) -> dict[str, object]:
        listed = [number for number in self._order if self._passes(self.times[number], query)]
        if "cursor" in query:  # a key: where its market stands, whatever the filters
            after = self._order.index(int(query["cursor"]))
            places = {number: place for place, number in enumerate(self._order)}
            listed = [number for number in listed if places[number] > after]
        shown = listed[: self.page]
        return {
            "cursor": str(shown[-1]) if len(listed) > self.page else "",
            "markets": [
                {"ticker": f"T{number}", "created_time": _text(self.times[number])}
                for number in shown
            ],
        }

    def _passes(self, time: int, query: Mapping[str, str]) -> bool:
        if self.whole_seconds:
            time -= time % 1_000_000
        if (low := query.get("min_created_ts")) is not None:
            bound = (int(low) - EPOCH) * 1_000_000
            if time < bound or (time == bound and not self.min_inclusive):
                return False
        if (high := query.get("max_created_ts")) is not None:
            bound = (int(high) - EPOCH) * 1_000_000
            if time > bound or (time == bound and not self.max_inclusive):
                return False
        return True


def _text(micros: int) -> str:
    moment = datetime.fromtimestamp(EPOCH + micros // 1_000_000, UTC)
    return moment.replace(microsecond=micros % 1_000_000).isoformat()


def scan_of(
    source: Listing | Transport,
    *,
    concurrency: int = 4,
    sharded: bool = True,
    query: Mapping[str, Any] | None = None,
    **options: Any,
) -> Scan[Item]:
    transport = source if isinstance(source, Transport) else make_transport(source, retry=NEVER)
    settings: dict[str, Any] = {"prefetch": None, "progress": None, "resume": None, "options": {}}
    return Scan(
        transport,
        LIST,
        page_decoder(Item, "markets"),
        query={"status": "open", "limit": 1000, **(query or {})},
        identity="ticker",
        sharded=sharded,
        concurrency=concurrency,
        **{**settings, **options},
    )
