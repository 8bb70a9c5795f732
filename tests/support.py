"""Stand-ins for the edges, so that tests need neither network nor patience."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

import anyio
import msgspec
import trio
import trio.testing

from kalshi_async import Request, Response

T = TypeVar("T")
Answer = Response | Exception | Callable[[Request], "Response | Awaitable[Response]"]


def answer(body: object = None, status: int = 200, **headers: str) -> Response:
    """A response; ``body`` is bytes as they are, or anything that becomes JSON."""
    raw = body if isinstance(body, bytes) else msgspec.json.encode({} if body is None else body)
    return Response(status, {name.replace("_", "-"): value for name, value in headers.items()}, raw)


class ScriptedHTTP:
    """An HTTP adapter that gives prepared answers and remembers what was asked.

    Args:
        script: One answer a request, in order; the last is repeated for ever.
        latency: Seconds until each answer.
    """

    def __init__(self, *script: Answer, latency: float = 0.0) -> None:
        self.script = list(script) or [answer()]
        self.latency = latency
        self.requests: list[Request] = []
        self.headers: list[Mapping[str, str]] = []
        self.timeouts: list[float | None] = []
        self.times: list[float] = []
        self.in_flight = self.most_in_flight = 0
        self.closed = False

    async def send(
        self, request: Request, headers: Mapping[str, str], timeout: float | None
    ) -> Response:
        index = min(len(self.requests), len(self.script) - 1)
        self.requests.append(request)
        self.headers.append(headers)
        self.timeouts.append(timeout)
        self.times.append(anyio.current_time())
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await anyio.sleep(self.latency)
            step = self.script[index]
            if isinstance(step, Exception):
                raise step
            if isinstance(step, Response):
                return step
            made = step(request)
            return made if isinstance(made, Response) else await made
        finally:
            self.in_flight -= 1

    async def aclose(self) -> None:
        self.closed = True


def in_virtual_time(main: Callable[[], Awaitable[T]]) -> T:
    """Run an async function on a clock that jumps over every wait."""
    return trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
