"""Recorded markets live on as trading time passes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kalshi_async.sandbox._text import DAY, HOUR, MINUTE, time_text

from .clocked import NOW, Clocked


def recorded(folder: Path, *markets: dict[str, Any], **event: Any) -> Clocked:
    facts = {
        "event_ticker": "KXA",
        "status": "active",
        "created_time": time_text(NOW - DAY),
        "open_time": time_text(NOW - DAY),
        "close_time": time_text(NOW + HOUR),
        "expected_expiration_time": time_text(NOW + 2 * HOUR),
        "settlement_timer_seconds": 600,
        "yes_bid_dollars": "0.2000",
        "no_bid_dollars": "0.7000",
        "last_price_dollars": "0.2500",
    }
    objects: list[Any] = [facts | {"ticker": f"KXA-{n}"} | own for n, own in enumerate(markets)]
    if event:
        objects.append({"event_ticker": "KXA", "series_ticker": "KXA", "title": "A"} | event)
    (folder / "a.json").write_text(json.dumps(objects))
    return Clocked(0, load=[folder])


@pytest.mark.parametrize("traded", [False, True])
def test_a_recorded_market_lives_on(tmp_path: Path, traded: bool) -> None:
    on = recorded(tmp_path, {}, {"status": "unopened", "open_time": time_text(NOW + MINUTE)})
    if traded:
        on.order("a", "bid", 3000, 10, "KXA-0")
        on.look("KXA-1")
    on.at(NOW + MINUTE)
    assert on.shown("KXA-1")["status"] == "active"
    on.at(NOW + HOUR)
    assert on.shown("KXA-0")["status"] == "closed"
    assert on.tickers(word="closed") == ["KXA-1", "KXA-0"]
    on.at(NOW + 2 * HOUR + 5 * MINUTE)
    assert on.shown("KXA-0")["status"] == "determined"
    assert on.shown("KXA-0")["result"] in ("yes", "no")
    on.at(NOW + 2 * HOUR + 16 * MINUTE)
    assert on.shown("KXA-0")["status"] == "finalized"
    assert on.tickers(word="settled") == ["KXA-1", "KXA-0"]
    assert bool(on.engine.traders["a"].settlements) is traded
    assert ("KXA-0" in on.engine.markets) is traded


def test_recorded_outcomes_stand_and_one_wins_an_exclusive_event(tmp_path: Path) -> None:
    on = recorded(tmp_path, {"result": "yes"}, {"result": "no"})
    on.at(NOW + 3 * HOUR)
    assert [on.shown(f"KXA-{n}")["result"] for n in (0, 1)] == ["yes", "no"]
    shares = [{"last_price_dollars": text} for text in ("0.5000", "0.3000", "0.2000")]
    on = recorded(tmp_path, *shares, mutually_exclusive=True)
    on.at(NOW + 3 * HOUR)
    assert sorted(on.shown(f"KXA-{n}")["result"] for n in range(3)) == ["no", "no", "yes"]


def test_recordings_of_the_past_do_not_change(tmp_path: Path) -> None:
    on = recorded(tmp_path, {"close_time": time_text(NOW - HOUR)})
    before = on.listed("KXA-0").json()
    on.later(400 * 86_400)
    assert on.listed("KXA-0").json() == before
