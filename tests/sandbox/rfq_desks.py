"""A desk for RFQs over a bare engine, without an exchange around it."""

from __future__ import annotations

from itertools import count
from typing import Any

import msgspec
import pytest

from kalshi_async.sandbox._engine import Engine
from kalshi_async.sandbox._errors import ApiError
from kalshi_async.sandbox._records import MarketState, Order
from kalshi_async.sandbox._rfq.batches import BatchDesk
from kalshi_async.sandbox._rfq.desk import Desk
from kalshi_async.sandbox._rfq.records import (
    Ask,
    Batch,
    BatchQuote,
    Cross,
    Leg,
    Offer,
    Quote,
    Rfq,
    Subject,
    Timing,
)

from .engines import code, engine, market

SECOND = 1_000_000
LEGS = (Leg("E1", "E1-A", "yes"), Leg("E2", "E2-B", "no"))
TYPES: dict[str, type[msgspec.Struct]] = {
    "rfq": Rfq,
    "quote": Quote,
    "rfq_batch": Batch,
    "batch_quote": BatchQuote,
}


class Floor:
    """Markets M and N and a combo K, traders a, b and c, a desk, and all that it kept and told."""

    def __init__(self, timing: Timing | None = None, *, dollars: int = 1_000) -> None:
        self.engine: Engine = engine(market("M"), market("N"), market("K"), dollars=dollars)
        self.now = SECOND
        self.kept: dict[tuple[str, str], bytes] = {}
        self.timing = timing
        self._numbers = count(1)
        self.desk, self.batches = self.opened()

    def opened(self) -> tuple[Desk, BatchDesk]:
        desk = Desk(
            subject=self._subject,
            cross=self._cross,
            keep=self._keep,
            new_id=lambda kind, number: f"{kind}-{number}",
            timing=self.timing,
        )
        return desk, BatchDesk(desk)

    def reopen(self) -> None:
        """Put desk and batches together again from what was kept."""
        desk, batches = self.opened()
        desk.restore(self._records(Rfq, "rfq"), self._records(Quote, "quote"))
        batches.restore(self._records(Batch, "rfq_batch"), self._records(BatchQuote, "batch_quote"))
        self.desk, self.batches = desk, batches

    def _records(self, type_: type[Any], kind: str) -> list[Any]:
        return [
            msgspec.msgpack.decode(body, type=type_)
            for (kept, _), body in self.kept.items()
            if kept == kind
        ]

    def _keep(self, kind: str, key: str, value: msgspec.Struct | None) -> None:
        if value is None:
            self.kept.pop((kind, key), None)
        else:
            self.kept[kind, key] = msgspec.msgpack.encode(value)

    def _subject(self, ticker: str) -> Subject | None:
        found: MarketState | None = self.engine.market(ticker, self.now)
        if found is None:
            return None
        return Subject(found, "KXMVE-C", LEGS) if ticker == "K" else Subject(found)

    def _cross(self, cross: Cross) -> tuple[Order, Order]:
        fields = {name: getattr(cross, name) for name in Cross.__dataclass_fields__}
        return self.engine.cross(**fields, now=self.now)

    # Short words

    def ask(self, user_id: str = "a", ticker: str = "M", contracts: int = 1000, **more: Any) -> Rfq:
        if more.get("target"):
            contracts = 0
        replace = more.pop("replace", False)
        ask = Ask(user_id=user_id, ticker=ticker, contracts=contracts, **more)
        return self.desk.create_rfq(ask, self.now, replace=replace)

    def quote(self, rfq: Rfq, user_id: str = "b", yes: int = 4000, no: int = 5500) -> Quote:
        offer = Offer(user_id=user_id, rfq_id=rfq.id, yes_bid=yes, no_bid=no)
        return self.desk.create_quote(offer, self.now)

    def pass_time(self, micros: int) -> None:
        self.now += micros
        self.desk.advance(self.now)
        self.batches.advance(self.now)

    def told(self) -> list[tuple[str, frozenset[str] | None]]:
        return [(notice.kind, notice.users) for notice in self.desk.drain()]


def refused(status: int, word: str) -> Any:
    """A context in which an ApiError with this status and code is raised."""

    class Refused:
        def __enter__(self) -> None:
            self._raises = pytest.raises(ApiError)
            self._caught = self._raises.__enter__()

        def __exit__(self, *args: Any) -> bool | None:
            swallowed = self._raises.__exit__(*args)
            assert code(self._caught.value) == (status, word)
            return swallowed

    return Refused()
