"""Markets and events out of files: found at any depth, served as recorded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from kalshi_async.sandbox import LoadError, Sandbox
from kalshi_async.sandbox._catalog.loading import load

from .conftest import Api

DOLLARS = """{"ticker":"KXA-26JAN01-T1", "event_ticker":"KXA-26JAN01","market_type":"binary",
 "status":"active","created_time":"2026-01-01T00:00:00.5Z","close_time":"2026-09-01T00:00:00Z",
 "yes_bid_dollars":"0.4700","yes_ask_dollars":"0.5200","no_bid_dollars":"0.4800",
 "yes_bid_size_fp":"3.00","yes_ask_size_fp":"7.50","floor_strike":1.50,"unheard_of":1e2}"""
CENTS = """{"ticker":"KXFED-26MAR19","event_ticker":"KXFED-26MAR19","yes_bid":61,"yes_ask":63,
 "no_bid":37,"no_ask":39,"status":"active","created_time":"2026-01-02T00:00:00Z"}"""
EVENT = """{"event_ticker":"KXA-26JAN01","series_ticker":"KXA","title":"A","sub_title":"",
 "mutually_exclusive":false,"collateral_return_type":"","weight":1.500,"markets":[%s]}"""


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_markets_are_found_at_any_depth_once(tmp_path: Path) -> None:
    write(tmp_path, "a.json", f'{{"x":[{{"nested":{DOLLARS}}}],"single":{{"market":{CENTS}}}}}')
    write(tmp_path, "b.json", f'{{"events":[{EVENT % DOLLARS}]}}')
    write(tmp_path, "c.jsonl", CENTS.replace("\n", "") + "\n\n" + DOLLARS.replace("\n", "") + "\n")
    write(tmp_path, "broken.json", '{"markets":[')
    write(tmp_path, "notes.txt", "hello")
    found = load([tmp_path])
    assert found.markets["KXA-26JAN01-T1"].raw == DOLLARS.encode()
    assert found.markets["KXFED-26MAR19"].raw == CENTS.encode()
    summary = found.summary
    assert (summary.files, summary.objects, summary.markets) == (3, 5, 2)
    assert (summary.duplicates, summary.events) == (3, 2)
    assert [path.name for path, _ in summary.skipped] == ["broken.json", "notes.txt"]
    assert "2 markets (3 duplicates left out)" in str(summary)
    assert "broken.json: not valid JSON" in str(summary)


def test_look_alikes_are_not_markets(tmp_path: Path) -> None:
    trade = '{"ticker":"KXA","trade_id":"1","yes_price":6,"event_ticker":"E"}'
    candle = '{"end_period_ts":1,"yes_bid":{"open":1}}'
    holder = '{"ticker":"KXA-1","event_ticker":"KXA","yes_bid":{"close":1},"orderbook":{}}'
    series = '{"ticker":"KXA","fee_type":"quadratic","frequency":"daily"}'
    path = write(tmp_path, "a.json", f"[{trade},{candle},{holder},{series},{DOLLARS}]")
    found = load([path])
    assert list(found.markets) == ["KXA-26JAN01-T1"]
    assert list(found.series) == ["KXA"]


def test_errors_name_the_file_and_what_was_expected(tmp_path: Path) -> None:
    broken = write(tmp_path, "broken.json", '{"markets":[')
    with pytest.raises(LoadError, match=r"broken\.json: not valid JSON"):
        load([broken])
    with pytest.raises(LoadError, match=r"notes\.txt: not a JSON file \(expected \.json"):
        load([write(tmp_path, "notes.txt", "x")])
    with pytest.raises(LoadError, match="No such file"):
        load([tmp_path / "absent.json"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(LoadError, match=r"no market in .*empty.*yes_bid_dollars"):
        load([tmp_path / "empty"])
    deep = write(tmp_path, "deep.json", "[" * 100_000)
    with pytest.raises(LoadError, match="not valid JSON"):
        load([deep])


async def test_loaded_markets_join_the_generated_ones(tmp_path: Path) -> None:
    write(tmp_path, "a.json", f'{{"events":[{EVENT % DOLLARS}],"m":{CENTS}}}')
    serving = Sandbox.serve(markets=200, load=[tmp_path], tier=None)
    async with serving as exchange, httpx.AsyncClient(trust_env=False, verify=False) as http:
        api = Api(exchange, http)
        # The recorded KXFED-26MAR19 takes the place of the generated one.
        assert len(exchange.catalog) == 201
        live = await api.pages("/markets", "markets", limit=9)
        old = await api.pages("/historical/markets", "markets", limit=9)
        assert len(live) == 201
        assert len({market["ticker"] for market in live + old}) == len(live + old) > 201
        raw = await http.get(exchange.base_url + "/markets/KXFED-26MAR19")
        assert raw.text == f'{{"market":{CENTS}}}'
        book = await api.get("/markets/KXA-26JAN01-T1/orderbook")
        assert book["orderbook_fp"] == {
            "yes_dollars": [["0.4700", "3.00"]],
            "no_dollars": [["0.4800", "7.50"]],
        }
        cents = await api.get("/markets/KXFED-26MAR19/orderbook")
        assert cents["orderbook_fp"]["yes_dollars"] == [["0.6100", "1.00"]]
        event = await http.get(exchange.base_url + "/events/KXA-26JAN01")
        assert '"weight":1.500' in event.text
        assert event.json()["markets"][0]["ticker"] == "KXA-26JAN01-T1"
        assert "markets" not in event.json()["event"]
        nested = await api.get("/events/KXA-26JAN01", with_nested_markets="true")
        assert len(nested["event"]["markets"]) == 1
        events = await api.pages("/events", "events", limit=5)
        tickers = [event["event_ticker"] for event in events]
        assert tickers.count("KXFED-26MAR19") == tickers.count("KXA-26JAN01") == 1
        series = await api.get("/series/KXA")
        assert series["series"]["ticker"] == "KXA"


def markets_in(value: Any) -> list[dict[str, Any]]:
    """Every recorded market object, found by another rule than the sandbox uses."""
    if isinstance(value, list):
        return [market for item in value for market in markets_in(item)]
    if not isinstance(value, dict):
        return []
    own = [value] if "market_type" in value and "ticker" in value else []
    return own + [market for item in value.values() for market in markets_in(item)]


async def test_recorded_traffic_comes_back_digit_for_digit(shared: Path) -> None:
    folder = shared / "recorded"
    recorded: dict[str, dict[str, Any]] = {}
    objects = 0
    for path in sorted(folder.rglob("*.json")):
        for market in markets_in(json.loads(path.read_text(), parse_float=str)):
            objects += 1
            recorded.setdefault(market["ticker"], market)
    assert len(recorded) > 100
    serving = Sandbox.serve(markets=0, load=[folder], tier=None)
    async with serving as exchange, httpx.AsyncClient(trust_env=False, verify=False) as http:
        api = Api(exchange, http)
        summary = exchange.catalog.summary
        assert (summary.objects, summary.markets) == (objects, len(recorded))
        served: dict[str, Any] = {}
        cursor = ""
        while True:
            page = await http.get(
                exchange.base_url + "/markets", params={"limit": 20, "cursor": cursor}
            )
            body = json.loads(page.text, parse_float=str)
            served |= {market["ticker"]: market for market in body["markets"]}
            cursor = body["cursor"]
            if not cursor:
                break
        assert served == recorded
        for word in ("open", "closed", "settled", "unopened"):
            page = await api.get("/markets", status=word, limit=1000)
            assert page["markets"], word
        only = await api.get("/markets", mve_filter="only", limit=1000)
        rest = await api.get("/markets", mve_filter="exclude", limit=1000)
        assert len(only["markets"]) + len(rest["markets"]) == len(recorded)
        assert only["markets"]


async def test_the_recorded_book_is_served_with_its_market(shared: Path) -> None:
    path = shared / "recorded" / "2026-08-production" / "market_single.json"
    recorded = msgspec.json.decode(path.read_bytes())
    serving = Sandbox.serve(markets=0, load=[path], tier=None)
    async with serving as exchange, httpx.AsyncClient(trust_env=False, verify=False) as http:
        book = await Api(exchange, http).get(f"/markets/{recorded['ticker']}/orderbook")
        assert book["orderbook_fp"] == recorded["orderbook"]["orderbook_fp"]


async def test_recorded_events_come_with_their_nested_markets(shared: Path) -> None:
    path = shared / "recorded" / "2026-08-production" / "events_nfl_preseason.json"
    recorded = {event["event_ticker"]: event for event in json.loads(path.read_text())["events"]}
    serving = Sandbox.serve(markets=0, load=[path], tier=None)
    async with serving as exchange, httpx.AsyncClient(trust_env=False, verify=False) as http:
        api = Api(exchange, http)
        events = await api.pages("/events", "events", limit=7, with_nested_markets="true")
        assert {event["event_ticker"] for event in events} == set(recorded)
        for event in events:
            expected = recorded[event["event_ticker"]]
            own, other = event.pop("markets"), expected.pop("markets")
            assert event == expected
            assert sorted(own, key=lambda m: m["ticker"]) == sorted(
                other, key=lambda m: m["ticker"]
            )
