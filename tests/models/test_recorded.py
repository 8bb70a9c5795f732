"""Recorded bodies of the exchange, decoded and compared with their text, digit for digit."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from kalshi_async import models
from kalshi_async._decode import PageDecoder, object_decoder
from kalshi_async.models.orderbook import WireOrderBook


def read(path: Path):
    """JSON whose numbers keep their digits."""
    return json.loads(path.read_text(), parse_float=Decimal)


def objects_with(node, *keys):
    """Every object under ``node`` that has all the keys."""
    if isinstance(node, dict):
        if all(key in node for key in keys):
            yield node
        for value in node.values():
            yield from objects_with(value, *keys)
    elif isinstance(node, list):
        for value in node:
            yield from objects_with(value, *keys)


def recorded(shared: Path, *keys):
    for path in sorted((shared / "recorded").rglob("*.json")):
        for found in objects_with(read(path), *keys):
            yield path.name, found


def as_json(value) -> bytes:
    """JSON that writes a Decimal as the number it was."""
    return msgspec.json.Encoder(decimal_format="number").encode(value)


def assert_same(item: msgspec.Struct, raw: dict, where: str) -> int:
    """Each field of ``item`` says what ``raw`` says; returns how many were compared."""
    compared = 0
    for field, wire in zip(item.__struct_fields__, item.__struct_encode_fields__, strict=True):
        value = getattr(item, field)
        if wire in raw:
            compared += same_value(value, raw[wire], f"{where}.{field}")
        elif wire != field and isinstance(raw.get(field), int):
            cents = wire.endswith("_dollars")
            expected = Decimal(raw[field]) / 100 if cents else Decimal(raw[field])
            assert value == expected, f"{where}.{field}"
            assert str(value) == (f"{expected:.4f}" if cents else f"{expected:.2f}")
            compared += 1
        else:
            assert value is None, f"{where}.{field} is {value!r}, and was not sent"
    return compared


def same_value(value, raw, where: str) -> int:
    if isinstance(value, msgspec.Struct):
        return assert_same(value, raw, where)
    if isinstance(value, Decimal):
        assert str(value) == str(raw), where
    elif isinstance(value, datetime):
        assert value == datetime.fromisoformat(raw), where
        assert value.utcoffset() is not None, where
    elif isinstance(value, list):
        assert len(value) == len(raw), where
        return sum(same_value(v, r, f"{where}[]") for v, r in zip(value, raw, strict=True))
    else:
        assert value == raw, where
    return 1


CASES = [
    (models.Market, ("ticker", "yes_sub_title"), 90, 30),
    (models.Event, ("event_ticker", "sub_title", "mutually_exclusive"), 10, 7),
    (models.Trade, ("trade_id",), 10, 6),
    (models.Series, ("contract_terms_url",), 3, 8),
    (models.Candlestick, ("end_period_ts",), 20, 12),
    (models.ExchangeStatus, ("exchange_active",), 1, 2),
    (models.AccountLimits, ("usage_tier",), 1, 5),
    (models.EndpointCosts, ("default_cost",), 1, 10),
]


@pytest.mark.parametrize(
    ("model", "keys", "at_least", "fields"), CASES, ids=[case[0].__name__ for case in CASES]
)
def test_recorded_objects_are_read_digit_for_digit(shared, model, keys, at_least, fields):
    decoder = object_decoder(model)
    seen = 0
    for name, raw in recorded(shared, *keys):
        item, drift = decoder.decode(as_json(raw))
        assert drift == [], name
        assert assert_same(item, raw, name) >= fields, name
        seen += 1
    assert seen >= at_least


@pytest.mark.parametrize(
    ("path", "model", "key"),
    [
        ("2026-01-production/markets_list.json", models.Market, "markets"),
        ("2026-06-demo/markets__page1.json", models.Market, "markets"),
        ("2026-06-demo/markets__page2.json", models.Market, "markets"),
        ("2026-06-demo/markets__page3.json", models.Market, "markets"),
        ("2026-06-demo/markets__status_closed.json", models.Market, "markets"),
        ("2026-01-production/events_list.json", models.Event, "events"),
        ("2026-01-production/trades_list.json", models.Trade, "trades"),
        ("2026-06-demo/trades__public_recorded.json", models.Trade, "trades"),
        ("2026-08-production/events_nfl_preseason.json", models.Event, "events"),
    ],
)
def test_recorded_pages_whole_and_in_slices(shared, path, model, key):
    body = (shared / "recorded" / path).read_bytes()
    raw = json.loads(body, parse_float=Decimal)
    decoder = PageDecoder(model, key)
    page = decoder.decode(body)
    assert page.undecoded == ()
    assert page.drift == ()
    assert page.cursor == (raw.get("cursor") or None)
    assert len(page) == len(raw[key]) > 0
    for item, sent in zip(page, raw[key], strict=True):
        assert_same(item, sent, path)
    slices = decoder.slices(body)
    assert [*slices][-1] == len(page)
    assert slices.page == page


def test_recorded_old_form_has_the_dollars_of_the_cents(shared):
    """Without the dollar strings beside them, cents and whole counts give the same market."""
    raw = read(shared / "recorded" / "2026-01-production" / "markets_list.json")["markets"]
    decoder = object_decoder(models.Market)
    for sent in raw:
        stripped = {
            key: value
            for key, value in sent.items()
            if not (key.endswith("_dollars") and key.removesuffix("_dollars") in sent)
        }
        assert len(stripped) < len(sent)
        bare, _ = decoder.decode(as_json(stripped))
        full, _ = decoder.decode(as_json(sent))
        assert bare == full


def test_recorded_books(shared):
    decoder = object_decoder(WireOrderBook)
    today = list(recorded(shared, "orderbook_fp"))
    before = [(n, raw) for n, raw in recorded(shared, "orderbook") if "yes" in raw["orderbook"]]
    assert today
    assert before
    for name, raw in today + before:
        wire, drift = decoder.decode(as_json(raw))
        assert drift == []
        book = wire.book("A")
        sides = raw.get("orderbook_fp") or raw["orderbook"]
        for side in ("yes", "no"):
            sent = sides[f"{side}_dollars"] or []
            levels = getattr(book, side)
            assert [[str(p), str(s)] for p, s in levels] == [list(map(str, x)) for x in sent], name
