"""An exchange in memory that misbehaves as told, order by order, and counts what is under way."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import anyio
import anyio.lowlevel
import msgspec

from kalshi_async import (
    ConnectionLostError,
    KalshiClient,
    KalshiError,
    Request,
    Response,
    RetryPolicy,
)
from kalshi_async.orders import Certainty, OrderRequest, Outcome
from tests.orders.venue import BASE_URL, EXISTS, KEY, POOR, TICKER, Fields, receipt, row, wall_clock
from tests.support import answer, in_virtual_time

NOT_FOUND = {"code": "not_found", "message": "not found"}
SHORT = Certainty(lag=0.5, grace=20.0, patience=4.0)


class Floor:
    """An HTTP adapter that is an exchange.

    Args:
        latency: Seconds until each answer.
        delays: More seconds for a request that holds an order of this client_order_id.
        moods: What happens to orders by client_order_id: ``"refused"``; ``"lost"`` (placed, the
            first answer never comes); ``"dropped"`` (the first attempt never arrives); ``"silent"``
            (no attempt arrives, as far as anyone can tell); ``"hanging"`` (placed, no answer ever);
            ``"stuck"`` (placed, but it cannot be cancelled).
    """

    def __init__(
        self,
        *,
        latency: float = 0.0,
        delays: Mapping[str, float] | None = None,
        moods: Mapping[str, str] | None = None,
    ) -> None:
        self.latency = latency
        self.delays = dict(delays or {})
        self.moods = dict(moods or {})
        self.orders: dict[str, Fields] = {}
        self.attempts: Counter[str] = Counter()
        self.placements: list[list[str]] = []
        self.cancels: list[list[str]] = []
        self.under_way = self.most_under_way = 0
        self.batches = 0
        self.cancel_items: list[Fields] = []
        self.batch_answer: Response | None = None
        self.lose_cancels = 0

    @property
    def resting(self) -> set[str]:
        """The client_order_ids on the book."""
        return {name for name, order in self.orders.items() if order["status"] == "resting"}

    async def send(
        self, request: Request, headers: Mapping[str, str], timeout: float | None
    ) -> Response:
        path = urlsplit(request.url).path
        body = msgspec.json.decode(request.body) if request.body else {}
        batched = path.endswith("/batched")
        if request.method == "POST":
            items = body["orders"] if batched else [body]
            return await self._placing(items, batched)
        if request.method == "DELETE":
            names = [path.rpartition("/")[2]]
            if batched:
                names = [item["order_id"] for item in body["orders"]]
                self.cancel_items = body["orders"]
                if self.batch_answer is not None:
                    self.cancels.append(names)
                    return self.batch_answer
            return await self._cancelling(names, batched)
        await anyio.sleep(self.latency)
        return self._reading(path, request.url)

    async def aclose(self) -> None:
        """There is nothing to close."""

    async def _placing(self, items: list[Fields], batched: bool) -> Response:
        names = [item["client_order_id"] for item in items]
        self.placements.append(names)
        self.batches += batched
        self.under_way += len(items)
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            await anyio.sleep(self.latency + max(self.delays.get(name, 0.0) for name in names))
            moods = {self.moods.get(name, "fine") for name in names}
            if "silent" in moods:
                raise ConnectionLostError("reset")
            first = [name for name in names if not self.attempts[name]]
            self.attempts.update(names)
            if "dropped" in moods and any(self.moods.get(n) == "dropped" for n in first):
                raise ConnectionLostError("reset")
            told = [self._place(item) for item in items]
            if "hanging" in moods:
                await anyio.sleep_forever()
            if any(self.moods.get(name) == "lost" for name in first):
                raise ConnectionLostError("reset")
        finally:
            self.under_way -= len(items)
        if batched:
            return answer(
                {
                    "orders": [
                        fields if status == 201 else {"client_order_id": name, **fields}
                        for name, (status, fields) in zip(names, told, strict=True)
                    ]
                },
                201,
            )
        status, fields = told[0]
        return answer(fields, status)

    def _place(self, item: Fields) -> tuple[int, Fields]:
        name = item["client_order_id"]
        if name in self.orders:
            return 409, EXISTS
        if self.moods.get(name) == "refused":
            return 400, POOR
        self.orders[name] = row(item)
        return 201, receipt(item)

    async def _cancelling(self, order_ids: list[str], batched: bool) -> Response:
        self.cancels.append(order_ids)
        await anyio.sleep(self.latency)
        told = [self._cancel(order_id) for order_id in order_ids]
        if self.lose_cancels:
            self.lose_cancels -= 1
            raise ConnectionLostError("reset")
        if batched:
            return answer({"orders": told})
        error = told[0].get("error")
        if error is None:
            return answer(told[0])
        return answer({"error": error}, 404 if error == NOT_FOUND else 409)

    def _cancel(self, order_id: str) -> Fields:
        order = self.orders.get(order_id.removeprefix("id-of-"))
        if order is None or order["status"] != "resting":
            return {"order_id": order_id, "reduced_by": "0.00", "error": NOT_FOUND}
        if self.moods.get(order["client_order_id"]) == "stuck":
            stuck = {"code": "trading_is_paused", "message": "not now"}
            return {"order_id": order_id, "reduced_by": "0.00", "error": stuck}
        left, order["remaining_count_fp"] = order["remaining_count_fp"], "0.00"
        order["status"] = "canceled"
        return {"order_id": order_id, "reduced_by": left, "ts_ms": 1}

    def _reading(self, path: str, url: str) -> Response:
        last = path.rpartition("/")[2]
        if last == "orders":
            asked = parse_qs(urlsplit(url).query)
            shown = [o for o in self.orders.values() if [o["ticker"]] == asked["ticker"]]
            return answer({"orders": shown, "cursor": ""})
        order = self.orders.get(last.removeprefix("id-of-"))
        if order is None:
            return answer({"error": NOT_FOUND}, 404)
        return answer({"order": order})

    def client(self, **options: Any) -> KalshiClient:
        """A client of it, without limits, which tries again at once."""
        chosen: dict[str, Any] = {
            "base_url": BASE_URL,
            "api_key_id": "key",
            "private_key": KEY,
            "limits": None,
            "http": self,
            "wall_clock": wall_clock,
            "rng": random.Random(5),
            "retry": RetryPolicy(first=0, longest=0),
            "certainty": SHORT,
        }
        return KalshiClient(**chosen | options)


def request(name: str, **terms: Any) -> OrderRequest:
    """One YES at 62 cents, unless said otherwise."""
    facts: dict[str, Any] = {"book_side": "bid", "count": 1, "price": "0.62"}
    return OrderRequest(TICKER, client_order_id=name, **facts | terms)


def requests(count: int, prefix: str = "n") -> list[OrderRequest]:
    return [request(f"{prefix}{number}") for number in range(count)]


def names(outcomes: Iterable[Outcome]) -> list[str]:
    return [outcome.request.client_order_id or "" for outcome in outcomes]


def kinds(outcomes: Iterable[object]) -> list[str]:
    return [type(outcome).__name__ for outcome in outcomes]


class Source:
    """Requests that remember how many were asked for; iterated plainly or asynchronously.

    Args:
        items: What comes, in order; an exception is raised instead.
        pause: Seconds before each, when asynchronous.
    """

    def __init__(self, items: Iterable[object], pause: float = 0.0) -> None:
        self._items = iter(items)
        self.pause = pause
        self.pulled = 0

    def _next(self) -> Any:
        item = next(self._items)
        if isinstance(item, Exception):
            raise item
        self.pulled += 1
        return item

    def plainly(self) -> Iterable[Any]:
        while True:
            try:
                item = self._next()
            except StopIteration:
                return
            yield item

    async def slowly(self) -> AsyncIterator[Any]:
        while True:
            await anyio.sleep(self.pause)
            try:
                item = self._next()
            except StopIteration:
                return
            yield item


async def cancelled_after(turns: int, work: Awaitable[object]) -> bool:
    """Do something that is cancelled after so many turns of the event loop.

    Returns:
        Whether it got through before.
    """
    scope = anyio.CancelScope()
    raised: KalshiError | None = None
    through = False

    async def cancel() -> None:
        for _ in range(turns):
            await anyio.lowlevel.checkpoint()
        scope.cancel()

    async with anyio.create_task_group() as clock:
        clock.start_soon(cancel)
        with scope:
            try:
                await work
                through = True
            except KalshiError as exc:
                raised = exc
            clock.cancel_scope.cancel()
    if raised is not None:
        raise raised
    return through


def on_the_floor(
    main: Callable[[Floor, KalshiClient], Awaitable[object]], floor: Floor, **options: Any
) -> None:
    """Run a test in virtual time; nothing may be under way at its end."""

    async def run() -> None:
        async with floor.client(**options) as kalshi:
            await main(floor, kalshi)
            assert floor.under_way == 0
            assert "0 active, 0 queued" in repr(kalshi)

    in_virtual_time(run)
