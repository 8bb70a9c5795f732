"""The stand-in of the intelligence API on a timer that is turned by hand, without a network."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from kalshi_async.sandbox._catalog.catalog import Catalog
from kalshi_async.sandbox._catalog.draw import default_now
from kalshi_async.sandbox._errors import ApiError
from kalshi_async.sandbox._exchange import Exchange
from kalshi_async.sandbox._rekko.calls import Waiting
from kalshi_async.sandbox._rekko.desk import RekkoDesk
from kalshi_async.sandbox._rekko.given import Asked, Given
from kalshi_async.sandbox._rekko.http import CALLS
from kalshi_async.sandbox._rekko.markets import KALSHI, VenueMarket

FED = "KXFED-26MAR19"


class Desk:
    """A desk on a timer that is turned by hand, asked as the edge asks it."""

    def __init__(self, seed: int = 7, markets: int = 300, paths: tuple[Path, ...] = ()) -> None:
        catalog = Catalog(seed=seed, markets=markets, now=default_now(seed), paths=paths)
        self.wall, self.timer = default_now(seed) / 1e6, 0.0
        self.exchange = Exchange(catalog, seed=seed, clock=lambda: self.wall)
        self.desk = RekkoDesk(self.exchange, timer=lambda: self.timer, seconds=(30.0, 90.0))

    def ask(
        self,
        name: str,
        *path: str,
        query: Mapping[str, object] | None = None,
        body: Mapping[str, object] | None = None,
    ) -> Any:
        names = ("slug",) if len(path) == 1 else ("platform", "market_id", "analysis_id")
        words = dict(zip(names, path, strict=False))
        self.desk.advance()
        found = CALLS[name](self.desk, Asked(words, Given(query or {}), Given(body or {})))
        if isinstance(found, Waiting) and found.run.over:
            return found.then()
        return found

    def refused(self, name: str, *path: str, **asked: Any) -> tuple[int, Any]:
        with pytest.raises(ApiError) as refusal:
            self.ask(name, *path, **asked)
        assert set(refusal.value.body) >= {"detail", "code"}
        return refusal.value.status, refusal.value.body["code"]

    def analyzed(self, market_id: str = FED, platform: str = KALSHI) -> Any:
        self.ask("RekkoAnalyze", platform, market_id)
        self.timer += 90
        return self.ask("RekkoAnalysis", platform, market_id)


def elsewhere(desk: Desk) -> list[VenueMarket]:
    return [market for market in desk.desk.venues.open() if market.platform != KALSHI]
