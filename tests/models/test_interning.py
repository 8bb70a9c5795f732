"""Decoding with each distinct price made once must not be told from decoding without."""

from __future__ import annotations

import copy
import json
import pickle
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kalshi_async._decode import SLICE_BYTES, page_decoder
from kalshi_async._interning import InterningDecoder
from kalshi_async._schema import bind_schema
from kalshi_async.models import Market, MveSelectedLeg, PriceRange, Trade

prices = st.integers(0, 10_000).map(lambda n: f"{Decimal(n) / 10_000:.4f}")
texts = st.one_of(
    prices,
    st.decimals(-(10**9), 10**9, places=6).map(str),
    st.sampled_from(
        ["0.0000", "1.0000", "0.5", "1", "-0.0100", "1E-7", "12345678901234567890.1234"]
    ),
)


def wire_market(number: int, **prices: str) -> dict[str, object]:
    return {
        "ticker": f"T-{number}",
        "created_time": "2026-03-01T00:00:00Z",
        "floor_strike": 3.5,
        "volume_fp": f"{number}.00",
        "price_ranges": [{"start": "0.0000", "end": "1.0000", "step": "0.0010"}],
        "mve_selected_legs": [{"market_ticker": "A", "yes_settlement_value_dollars": "1.0000"}],
        **{f"{name}_dollars": price for name, price in prices.items()},
    }


@given(st.lists(st.tuples(texts, texts), min_size=1, max_size=5))
def test_interned_and_plain_decoding_agree_digit_for_digit(pairs: list[tuple[str, str]]) -> None:
    body = json.dumps([wire_market(n, yes_bid=a, last_price=b) for n, (a, b) in enumerate(pairs)])
    interned = InterningDecoder(Market).decode(body.encode())
    plain = msgspec.json.decode(body, type=list[Market])
    assert interned == plain
    assert [str(one.yes_bid) for one in interned] == [a for a, _ in pairs]
    assert [str(one.last_price) for one in interned] == [b for _, b in pairs]


def test_nobody_sees_a_twin() -> None:
    (market,) = InterningDecoder(Market).decode(
        json.dumps([wire_market(1, yes_bid="0.6100")]).encode()
    )
    assert type(market) is Market
    assert type(market.yes_bid) is Decimal
    assert type(market.price_ranges[0]) is PriceRange
    assert type(market.mve_selected_legs[0]) is MveSelectedLeg
    assert market.floor_strike == Decimal("3.5")
    assert pickle.loads(pickle.dumps(market)) == copy.deepcopy(market) == market
    assert hash(market.price_ranges[0]) == hash(
        PriceRange(**msgspec.structs.asdict(market.price_ranges[0]))
    )
    assert msgspec.json.decode(msgspec.json.encode(market), type=Market) == market
    with pytest.raises(AttributeError):
        market.yes_bid = Decimal(1)  # type: ignore[misc]
    assert "yes_bid=Decimal('0.6100')" in repr(market)


@pytest.mark.parametrize(
    ("text", "shared"), [("0.3330", True), ("0.3333", False), ("1.0000", True)]
)
def test_prices_on_the_grid_are_one_object(text: str, shared: bool) -> None:
    rows = json.dumps([wire_market(n, yes_bid=text) for n in range(3)]).encode()
    markets = InterningDecoder(Market).decode(rows)
    assert {str(market.yes_bid) for market in markets} == {text}
    assert len({id(market.yes_bid) for market in markets}) == (1 if shared else 3)


@pytest.mark.parametrize("bad", [0.61, 61, True, None, [], {}, "", "x", "0.6l00", " "])
def test_what_is_no_price_is_refused_so_that_the_page_is_repaired(bad: object) -> None:
    rows = json.dumps(
        [{"ticker": "T", "yes_bid_dollars": bad, "last_price_dollars": "0.5000"}]
    ).encode()
    with pytest.raises(msgspec.ValidationError):
        InterningDecoder(Market).decode(rows)


def test_a_large_page_keeps_number_prices_and_counts_what_it_drops() -> None:
    rows = [wire_market(n, yes_bid="0.5000") for n in range(1_500)]
    rows[700]["yes_bid_dollars"] = 0.61
    rows[900]["yes_bid_dollars"] = {}
    body = json.dumps({"cursor": "", "markets": rows}, separators=(",", ":")).encode()
    assert len(body) > SLICE_BYTES
    slices = page_decoder(Market, "markets").slices(body)
    assert len(list(slices)) > 1
    page = slices.page
    assert page == page_decoder(Market, "markets").decode(body)
    assert page[700].yes_bid == Decimal("0.61")
    assert page[900].yes_bid is None
    assert [change.index for change in page.drift] == [900]


class Frozen(msgspec.Struct, frozen=True):
    ticker: str
    yes_bid: Decimal


class Open(msgspec.Struct, kw_only=True, dict=True, weakref=True):
    yes_bid: Decimal | None = None
    ticker: str

    def __post_init__(self) -> None:
        self.__dict__["seen"] = self.yes_bid


class Tagged(msgspec.Struct, tag_field="market_type", tag="binary"):
    ticker: str
    last_price: Decimal


@pytest.mark.parametrize("schema", [Frozen, Open, Tagged])
def test_a_callers_struct_of_any_kind(schema: type[msgspec.Struct]) -> None:
    bound = bind_schema(schema, Market)
    row = wire_market(1, yes_bid="0.6100", last_price="0.6000") | {"market_type": "binary"}
    body = json.dumps([row] * 3).encode()
    items = InterningDecoder(bound).decode(body)
    assert items == msgspec.json.decode(body, type=list[bound])  # type: ignore[valid-type]
    assert all(type(item) is bound and isinstance(item, schema) for item in items)


def test_structs_without_prices_are_left_alone() -> None:
    class Plain(msgspec.Struct):
        ticker: str
        volume_fp: Decimal

    decoder = InterningDecoder(Plain)
    assert decoder._interning is None
    assert decoder.decode(b'[{"ticker":"T","volume_fp":"1.00"}]') == [Plain("T", Decimal("1.00"))]


def test_trades_too() -> None:
    row = {"trade_id": "a", "ticker": "T", "count_fp": "1.00", "yes_price_dollars": "0.0600"}
    (trade,) = InterningDecoder(Trade).decode(json.dumps([row]).encode())
    assert trade == msgspec.json.decode(json.dumps(row), type=Trade)
    assert str(trade.yes_price) == "0.0600"
