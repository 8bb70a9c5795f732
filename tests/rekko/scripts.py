"""A Rekko of prepared answers, in memory or on loopback, and a client for it."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, cast

import anyio

from kalshi_async import RetryPolicy
from kalshi_async.rekko import Analysis, RekkoClient, RekkoOptions
from tests.support import Answer, ScriptedHTTP, answer, in_virtual_time

T = TypeVar("T")

KEY = "rk_live_0123456789abcdefTELLTALE"
TELLTALE = "TELLTALE"
AT_ONCE = RetryPolicy(first=0, longest=0)


def scripted(*answers: Answer, **options: object) -> tuple[RekkoClient, ScriptedHTTP]:
    """A client whose requests are answered in order, and what it asks."""
    http = ScriptedHTTP(*answers)
    usual = {"api_key": KEY, "limits": None, "retry": AT_ONCE, "rng": random.Random(1)}
    return RekkoClient(**cast("RekkoOptions", usual | {"http": http} | options)), http


def asking(
    use: Callable[[RekkoClient], Awaitable[T]], *answers: Answer, **options: object
) -> tuple[T, ScriptedHTTP]:
    """What ``use`` returns, in virtual time, and what was asked."""

    async def main() -> tuple[T, ScriptedHTTP]:
        rekko, http = scripted(*answers, **options)
        async with rekko:
            return await use(rekko), http

    return in_virtual_time(main)


def refused(
    use: Callable[[RekkoClient], Awaitable[object]], *answers: Answer, **options: object
) -> tuple[Exception, ScriptedHTTP, float]:
    """The error of ``use``, what was asked, and the virtual seconds until it came."""

    async def main() -> tuple[Exception, ScriptedHTTP, float]:
        rekko, http = scripted(*answers, **options)
        async with rekko:
            began = anyio.current_time()
            try:
                await use(rekko)
            except Exception as exc:  # noqa: BLE001 - whatever it is, the test looks at it
                return exc, http, anyio.current_time() - began
            raise AssertionError("it succeeded")

    return in_virtual_time(main)


# A run: what Rekko says of it, and how it is waited for.

MARKET = ("kalshi", "KXFED-26MAR19")
RUN = "/v1/markets/kalshi/KXFED-26MAR19/analyze"
STARTED = answer({"analysis_id": "a1", "status": "pending"}, 202)
RUNNING = answer({"analysis_id": "a1", "status": "running", "progress": 0.25})
COMPLETE = answer({"analysis_id": "a1", "status": "complete"})
RESULT = answer({"probability": 0.71, "edge": 0.09, "recommendation": "buy_yes"})


async def analyze(rekko: RekkoClient) -> Analysis:
    return await rekko.analyze(*MARKET)


def patient(seconds: float | None) -> Callable[[RekkoClient], Any]:
    return lambda rekko: rekko.analyze(*MARKET, timeout=seconds)


def looks(http: Any) -> list[float]:
    """When the status was asked for, each time once."""
    asked = zip(http.requests, http.times, strict=True)
    return [at for request, at in asked if request.path.endswith("/status")]
