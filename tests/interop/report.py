"""What a foreign client did on the exchange, as JSON on standard output.

Runs in the foreign client's environment: nothing but the standard library is imported here.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")


class StoppedError(Exception):
    """A step failed that the rest needs; the report holds the reason."""


@dataclass(frozen=True)
class Setting:
    """Where the exchange is and what to trade."""

    base_url: str
    ws_url: str
    api_key_id: str
    private_key_path: str
    market: str
    other_api_key_id: str
    other_private_key_path: str

    @classmethod
    def from_env(cls) -> Setting:
        """The variables ``kalshi-async sandbox`` prints, the market, and a second account."""
        return cls(
            base_url=os.environ["KALSHI_BASE_URL"],
            ws_url=os.environ["KALSHI_WS_URL"],
            api_key_id=os.environ["KALSHI_API_KEY_ID"],
            private_key_path=os.environ["KALSHI_PRIVATE_KEY_PATH"],
            market=os.environ["KALSHI_INTEROP_MARKET"],
            other_api_key_id=os.environ["KALSHI_OTHER_API_KEY_ID"],
            other_private_key_path=os.environ["KALSHI_OTHER_PRIVATE_KEY_PATH"],
        )


class Report:
    """Facts by name, refusals by step, and every step that failed though it should not have."""

    def __init__(self) -> None:
        self.facts: dict[str, Any] = {}
        self.refusals: dict[str, Any] = {}
        self.failures: dict[str, str] = {}
        self.passed: list[str] = []

    async def step(self, name: str, call: Awaitable[T]) -> T:
        """The result of a step the rest needs; StoppedError when it fails."""
        try:
            result = await call
        except Exception as error:
            self.failures[name] = describe(error)
            raise StoppedError(name) from error
        self.passed.append(name)
        return result

    async def look(self, name: str, call: Callable[[], Awaitable[object]]) -> None:
        """A step on its own: a failure is noted and the next one goes on."""
        try:
            await call()
        except Exception as error:  # noqa: BLE001 - whatever a foreign client raises is noted
            self.failures[name] = describe(error)
        else:
            self.passed.append(name)

    async def refused(
        self, name: str, call: Awaitable[object], kind: type[Exception], *facts: str
    ) -> None:
        """A step the exchange must refuse; `facts` are the attributes of the error to note."""
        try:
            answer = await call
        except kind as error:
            noted = {fact: getattr(error, fact) for fact in facts}
            self.refusals[name] = {"type": type(error).__name__, "text": str(error), **noted}
            self.passed.append(name)
        except Exception as error:  # noqa: BLE001 - whatever a foreign client raises is noted
            self.failures[name] = describe(error)
        else:
            self.failures[name] = f"not refused: {answer!r}"[:500]


def describe(error: BaseException) -> str:
    """Type and text of an error, and of what caused it."""
    text = f"{type(error).__name__}: {error}"
    cause = error.__cause__ or error.__context__
    return f"{text} <- {describe(cause)}"[:1500] if cause else text[:1500]


def run(drive: Callable[[Report, Setting], Awaitable[None]]) -> None:
    """Drive the exchange and print the report."""
    report = Report()

    async def main() -> None:
        try:
            async with asyncio.timeout(45):
                await drive(report, Setting.from_env())
        except StoppedError:
            pass
        except Exception as error:  # noqa: BLE001 - as above
            report.failures["drive"] = describe(error)

    asyncio.run(main())
    print(json.dumps(vars(report), default=str))
