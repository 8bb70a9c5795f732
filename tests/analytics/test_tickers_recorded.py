"""Recorded tickers: each one parses, and says what the object says that bears it."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

from kalshi_async.analytics.tickers import SERIES_PREFIXES, parse

_EDT = dt.timezone(dt.timedelta(hours=-4))  # every clock that was recorded is a summer one


def objects(shared: Path) -> Iterator[dict[str, object]]:
    """Every JSON object of the recorded traffic, however deep it sits."""
    folder = shared / "recorded"
    open_ones = [json.loads(path.read_text()) for path in folder.glob("*/*.json")]
    for path in folder.glob("*/*.jsonl"):
        open_ones += [json.loads(line) for line in path.read_text().splitlines() if line]
    while open_ones:
        value = open_ones.pop()
        if isinstance(value, dict):
            yield value
            open_ones.extend(value.values())
        elif isinstance(value, list):
            open_ones.extend(value)


def test_recorded_tickers_parse(shared: Path) -> None:
    files = [path for path in (shared / "recorded").rglob("*") if path.suffix.startswith(".json")]
    pattern = re.compile(r"\bKX[A-Z0-9]+(?:-[A-Z0-9.]+)*")
    texts = {text for path in files for text in pattern.findall(path.read_text())}
    assert len(texts) > 200
    unread = {part for text in texts for part in parse(text).unparsed if not parse(text).combo}
    # A tournament's own name, and a number that is no year.
    assert unread == {"USO26", "0"}
    ids = {part for text in texts for part in parse(text).unparsed if parse(text).combo}
    assert all(re.fullmatch(r"R|S2025[0-9A-F]{11}|[0-9A-F]{11}", each) for each in ids)


def test_recorded_events_series_and_strikes_agree(shared: Path) -> None:
    markets = strikes = events = 0
    for each in objects(shared):
        ticker, event, series = (each.get(f"{key}ticker") for key in ("", "event_", "series_"))
        if isinstance(event, str) and isinstance(series, str):
            events += 1
            assert parse(event).series == series
            assert parse(event).event == event
        if not (isinstance(ticker, str) and isinstance(event, str)):
            continue
        markets += 1
        read = parse(ticker)
        assert read.event == event
        assert read == parse(ticker, event=event)
        bounds = {
            Decimal(str(each[key])) for key in ("floor_strike", "cap_strike") if each.get(key)
        }
        if read.strike_prefix and bounds:
            strikes += 1
            assert read.strike in bounds
    assert markets > 100
    assert events > 20
    assert strikes > 0


def test_recorded_clocks_are_eastern(shared: Path) -> None:
    checked = set()
    for each in objects(shared):
        ticker = each.get("ticker")
        # These close at the time they are named for; games are over hours later.
        if isinstance(ticker, str) and ticker.startswith(("KXWTIH-", "KXQUICKSETTLE-")):
            read = parse(ticker)
            assert read.date is not None
            assert read.time is not None
            closes = dt.datetime.fromisoformat(str(each["close_time"]))
            assert dt.datetime.combine(read.date, read.time, tzinfo=_EDT) == closes
            checked.add(read.series)
    assert checked == {"KXWTIH", "KXQUICKSETTLE"}


def test_well_known_series_are_those_of_the_guide(shared: Path) -> None:
    guide = "\n".join(path.read_text() for path in (shared / "seed").glob("*.txt"))
    rows = guide.split("PrefixCategory\n")[1].split("\nA ticker like")[0].splitlines()
    assert rows == [f"{series}{known.title}" for series, known in SERIES_PREFIXES.items()]
    categories = guide.split("CategoryExample markets\n")[1].split("\nAll API")[0]
    for known in SERIES_PREFIXES.values():
        assert re.search(rf"^{known.category}[A-Z]", categories, re.MULTILINE)
