"""A caller's own, smaller struct in the place of a model."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import msgspec
import pytest

from kalshi_async import models
from kalshi_async._decode import PageDecoder
from kalshi_async._errors import InvalidRequestError
from kalshi_async._schema import bind_schema

MARKET = {
    "ticker": "A",
    "yes_bid_dollars": "0.4700",
    "yes_ask_dollars": "0.4800",
    "volume_fp": "12.50",
    "open_time": "2026-08-01T12:00:00Z",
    "title": 7,
}


class ByName(msgspec.Struct):
    ticker: str
    yes_bid: Decimal
    volume: Decimal
    open_time: datetime


class ByWireName(msgspec.Struct, frozen=True):
    ticker: str
    yes_bid_dollars: Decimal
    volume_fp: Decimal | None = None


class Renamed(msgspec.Struct, rename={"bid": "yes_bid_dollars"}):
    ticker: str
    bid: Decimal


class WithOwnField(msgspec.Struct, kw_only=True):
    ticker: str
    note: str = "mine"
    yes_ask: Decimal = Decimal(1)
    tags: list[str] = msgspec.field(default_factory=list)


class Misspelt(msgspec.Struct):
    ticker: str
    yes_bit: Decimal


def decode(schema, *items):
    body = msgspec.json.encode({"markets": list(items), "cursor": ""})
    return PageDecoder(bind_schema(schema, models.Market), "markets").decode(body)


def test_python_names():
    (quote,) = decode(ByName, MARKET)
    assert isinstance(quote, ByName)
    assert (quote.ticker, quote.yes_bid, quote.volume) == ("A", Decimal("0.4700"), Decimal("12.50"))
    assert quote.open_time.year == 2026
    assert not hasattr(quote, "title")


def test_wire_names():
    (quote,) = decode(ByWireName, MARKET)
    assert type(quote) is ByWireName
    assert (quote.yes_bid_dollars, quote.volume_fp) == (Decimal("0.4700"), Decimal("12.50"))


def test_the_callers_renaming_stands():
    (quote,) = decode(Renamed, MARKET)
    assert quote.bid == Decimal("0.4700")


def test_own_fields_need_a_default():
    first, second = decode(WithOwnField, MARKET, MARKET)
    assert (first.note, first.yes_ask, first.tags) == ("mine", Decimal("0.4800"), [])
    assert first.tags is not second.tags
    with pytest.raises(InvalidRequestError, match=r"Misspelt.yes_bit is no field of Market"):
        bind_schema(Misspelt, models.Market)


@pytest.mark.parametrize("schema", [dict, Decimal, "Market", None, {}])
def test_only_structs(schema):
    with pytest.raises(InvalidRequestError, match=r"msgspec\.Struct"):
        bind_schema(schema, models.Market)


def test_the_model_and_its_subclasses_pass_unchanged():
    class Mine(models.Market):
        pass

    assert bind_schema(models.Market, models.Market) is models.Market
    assert bind_schema(Mine, models.Market) is Mine


def test_old_form_in_a_schema():
    """Fields without a default fail strictly, and fields with one are noticed by their absence."""
    old = {
        "ticker": "A",
        "yes_bid": 47,
        "volume": 3,
        "yes_ask": 48,
        "open_time": "2026-01-01T00:00:00Z",
    }
    (quote,) = decode(ByName, old)
    assert (str(quote.yes_bid), str(quote.volume)) == ("0.4700", "3.00")
    (quote,) = decode(WithOwnField, old)
    assert str(quote.yes_ask) == "0.4800"


def test_only_what_the_schema_names_is_decoded():
    """A field that the model would set aside does not disturb a schema without it."""
    page = decode(ByName, MARKET)
    assert page.drift == ()
    body = msgspec.json.encode({"markets": [MARKET | {"volume_fp": "1.00"}]})
    whole = PageDecoder(models.Market, "markets").decode(body)
    assert [change.field for change in whole.drift] == ["title"]


class Outcome(msgspec.Struct):
    ticker: str
    yes_bid: Decimal


class Question(msgspec.Struct):
    event_ticker: str
    markets: list[Outcome] | None = None


class Leg(msgspec.Struct):
    yes_settlement_value: Decimal


class Combo(msgspec.Struct):
    ticker: str
    mve_selected_legs: list[Leg] = msgspec.field(default_factory=list)


def test_structs_inside_a_schema_are_bound_as_well():
    body = msgspec.json.encode(
        {
            "events": [
                {"event_ticker": "E", "markets": [MARKET, {"ticker": "B", "yes_bid": 47}]},
                {"event_ticker": "F"},
            ]
        }
    )
    page = PageDecoder(bind_schema(Question, models.Event), "events").decode(body)
    first, second = page
    assert isinstance(first, Question)
    assert [isinstance(outcome, Outcome) for outcome in first.markets] == [True, True]
    assert [str(outcome.yes_bid) for outcome in first.markets] == ["0.4700", "0.4700"]
    assert second.markets is None
    assert page.drift == ()
    (combo,) = decode(
        Combo, {"ticker": "A", "mve_selected_legs": [{"yes_settlement_value_dollars": "0.5000"}]}
    )
    assert combo.mve_selected_legs[0].yes_settlement_value == Decimal("0.5000")


def test_a_wrong_name_inside_a_schema_is_refused():
    class Wrong(msgspec.Struct):
        event_ticker: str
        markets: list[Misspelt]

    with pytest.raises(InvalidRequestError, match=r"Misspelt.yes_bit is no field of Market"):
        bind_schema(Wrong, models.Event)
