"""An order as the caller puts it: what goes over the wire, and what is refused before it does."""

from __future__ import annotations

import decimal
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kalshi_async import InvalidRequestError
from kalshi_async.models import Market
from kalshi_async.models.markets import PriceRange
from kalshi_async.orders import OrderRequest
from kalshi_async.orders._request import wire_order

TICKER = "KXFED-26MAR19"
BUY_YES: dict[str, Any] = {"action": "buy", "side": "yes"}
CENT_GRID = [PriceRange(start=Decimal(0), end=Decimal(1), step=Decimal("0.01"))]
TAPERED = [
    PriceRange(start=Decimal(0), end=Decimal("0.1"), step=Decimal("0.001")),
    PriceRange(start=Decimal("0.1"), end=Decimal("0.9"), step=Decimal("0.01")),
    PriceRange(start=Decimal("0.9"), end=Decimal(1), step=Decimal("0.001")),
]


def request(**terms: Any) -> OrderRequest:
    facts: dict[str, Any] = {"count": 10, **terms}
    if not terms.keys() & {"price", "yes_price", "no_price", "slippage"}:
        facts["price"] = "0.62"
    if "book_side" not in terms:
        facts = BUY_YES | facts
    return OrderRequest(facts.pop("ticker", TICKER), **facts)


def body(order: OrderRequest) -> dict[str, Any]:
    assert order.limit is not None
    raw = msgspec.json.encode(wire_order(order, order.limit))
    decoded: dict[str, Any] = msgspec.json.decode(raw)
    return decoded


def market(ranges: Any) -> Market:
    return Market(ticker=TICKER, price_ranges=ranges)


def refused(**terms: Any) -> str:
    with pytest.raises(InvalidRequestError) as caught:
        request(**terms)
    return str(caught.value)


# -- direction and price


@pytest.mark.parametrize(
    ("action", "side", "stands", "price"),
    [
        ("buy", "yes", "bid", "0.6200"),
        ("sell", "yes", "ask", "0.6200"),
        ("buy", "no", "ask", "0.3800"),
        ("sell", "no", "bid", "0.3800"),
    ],
)
def test_buying_and_selling_yes_and_no(action: str, side: str, stands: str, price: str) -> None:
    order = request(action=action, side=side, price="0.62", client_order_id="mine")
    assert body(order) == {
        "ticker": TICKER,
        "client_order_id": "mine",
        "side": stands,
        "count": "10.00",
        "price": price,
        "time_in_force": "good_till_canceled",
        "self_trade_prevention_type": "taker_at_cross",
    }


@pytest.mark.parametrize("stands", ["bid", "ask"])
def test_the_raw_form_says_the_side_of_the_book_in_yes_prices(stands: str) -> None:
    sent = body(request(book_side=stands, price="0.62"))
    assert (sent["side"], sent["price"]) == (stands, "0.6200")


@pytest.mark.parametrize("side", ["yes", "no"])
@pytest.mark.parametrize(
    ("stated", "price"), [({"yes_price": 62}, "0.6200"), ({"no_price": 38}, "0.6200")]
)
def test_cents_name_their_own_side_whichever_is_traded(
    side: str, stated: dict[str, int], price: str
) -> None:
    assert body(request(side=side, **stated))["price"] == price


@given(
    ticks=st.integers(1, 9_999),
    hundredths=st.integers(1, 10**14),
    action=st.sampled_from(["buy", "sell"]),
    side=st.sampled_from(["yes", "no"]),
    as_text=st.booleans(),
)
def test_every_price_and_count_goes_out_exactly(
    ticks: int, hundredths: int, action: Any, side: Any, as_text: bool
) -> None:
    price, count = Decimal(ticks).scaleb(-4), Decimal(hundredths).scaleb(-2)
    order = request(
        action=action,
        side=side,
        price=str(price) if as_text else price,
        count=str(count) if as_text else count,
    )
    sent = body(order)
    assert sent["count"] == f"{hundredths // 100}.{hundredths % 100:02d}"
    yes_ticks = ticks if side == "yes" else 10_000 - ticks
    assert sent["price"] == f"0.{yes_ticks:04d}"
    assert sent["side"] == ("bid" if (action == "buy") == (side == "yes") else "ask")
    # The same order from the other side of the contract is the same order.
    other = request(
        action="sell" if action == "buy" else "buy",
        side="no" if side == "yes" else "yes",
        price=1 - price,
        count=count,
        client_order_id=order.client_order_id,
    )
    assert body(other) == sent


@given(cents=st.integers(1, 99), side=st.sampled_from(["yes", "no"]))
def test_cents_and_dollars_say_the_same(cents: int, side: Any) -> None:
    for name, yes in (("yes_price", cents), ("no_price", 100 - cents)):
        assert body(request(side=side, **{name: cents}))["price"] == f"0.{yes:02d}00"


def test_every_order_has_an_id_of_its_own() -> None:
    names = {request().client_order_id for _ in range(100)}
    assert len(names) == 100
    assert None not in names


def test_all_terms_reach_the_wire() -> None:
    sent = body(
        request(
            post_only=True,
            expiration=datetime(2026, 12, 1, tzinfo=UTC),
            client_order_id="a-_:+=/9",
            order_group_id="group",
            subaccount=0,
            exchange_index=2,
            cancel_order_on_pause=True,
            self_trade_prevention_type="maker",
        )
    )
    assert sent["expiration_time"] == 1_796_083_200
    assert sent["post_only"] is True
    assert sent["cancel_order_on_pause"] is True
    assert sent["order_group_id"] == "group"
    assert (sent["subaccount"], sent["exchange_index"]) == (0, 2)
    assert sent["self_trade_prevention_type"] == "maker"
    reducing = body(request(reduce_only=True, time_in_force="immediate_or_cancel"))
    assert reducing["reduce_only"] is True


def test_a_market_order_takes_what_there_is_within_its_bound() -> None:
    assert body(request(type="market"))["time_in_force"] == "immediate_or_cancel"
    whole = request(type="market", time_in_force="fill_or_kill")
    assert body(whole)["time_in_force"] == "fill_or_kill"
    assert request(type="market", slippage="0.02").limit is None


# -- what is refused


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        ({"price": 0.62}, "a float is not exact"),
        ({"price": 62}, "yes_price=62"),
        ({"price": 1}, "yes_price=1"),
        ({"price": True}, "expected dollars"),
        ({"price": "0"}, "above 0 and below 1"),
        ({"price": "1"}, "above 0 and below 1"),
        ({"price": "-0.10"}, "above 0 and below 1"),
        ({"price": "62"}, '"0.62"'),
        ({"price": "0.62001"}, "$0.0001"),
        ({"price": "nan"}, "dollars between 0 and 1"),
        ({"price": "Infinity"}, "dollars between 0 and 1"),
        ({"price": "sixty"}, "dollars between 0 and 1"),
        ({"price": "0." + "1" * 60}, "62 characters"),
        ({"yes_price": "62"}, "whole cents"),
        ({"yes_price": 62.0}, "whole cents"),
        ({"yes_price": 0}, "1 to 99"),
        ({"no_price": 100}, "1 to 99"),
        ({"yes_price": 62, "no_price": 38}, "one price"),
        ({"price": "0.62", "yes_price": 62}, "one price"),
        ({"price": "0.62", "slippage": "0.01"}, "not both"),
        ({"price": None}, "needs price="),
        ({"slippage": "0.01"}, "needs price="),
        ({"type": "market", "slippage": 0.01}, "a float is not exact"),
        ({"type": "market", "slippage": "-0.01"}, "slippage"),
        ({"type": "market", "price": None}, "never without a bound"),
        ({"type": "market", "time_in_force": "good_till_canceled"}, "does not rest"),
        ({"type": "stop"}, '"limit", "market"'),
    ],
)
def test_prices_that_are_none(terms: dict[str, Any], said: str) -> None:
    assert said in refused(**terms)


@pytest.mark.parametrize(
    "count", [0, -1, "0.00", "-2", "0.001", 1.5, True, None, "ten", Decimal("NaN"), 10**13]
)
def test_counts_that_are_none(count: Any) -> None:
    assert "count" in refused(count=count)


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        ({"action": None}, "needs a direction"),
        ({"side": None}, "needs a direction"),
        ({"book_side": "bid", "action": "buy"}, "the one or the other"),
        ({"book_side": "bid", "side": "no"}, "the one or the other"),
        ({"book_side": "buy"}, '"bid", "ask"'),
        ({"action": "BUY"}, '"buy", "sell"'),
        ({"side": "maybe"}, '"yes", "no"'),
        ({"ticker": ""}, "market's ticker"),
        ({"ticker": "  "}, "market's ticker"),
        ({"ticker": None}, "market's ticker"),
    ],
)
def test_directions_and_markets_that_are_none(terms: dict[str, Any], said: str) -> None:
    assert said in refused(**terms)


@pytest.mark.parametrize("time_in_force", ["immediate_or_cancel", "fill_or_kill"])
@pytest.mark.parametrize("term", [{"expiration": 1_800_000_000}, {"post_only": True}])
def test_terms_of_resting_orders_on_one_that_never_rests(
    time_in_force: str, term: dict[str, Any]
) -> None:
    assert "resting orders" in refused(time_in_force=time_in_force, **term)


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        ({"time_in_force": "day"}, '"good_till_canceled"'),
        ({"reduce_only": True}, "immediate_or_cancel"),
        ({"reduce_only": True, "time_in_force": "fill_or_kill"}, "immediate_or_cancel"),
        ({"expiration": datetime(2026, 12, 1)}, "no time zone"),  # noqa: DTZ001 - the mistake
        ({"expiration": 1_800_000_000_000}, "milliseconds"),
        ({"expiration": 0}, "Unix seconds"),
        ({"expiration": 1.5}, "Unix seconds"),
        ({"expiration": True}, "Unix seconds"),
        ({"client_order_id": ""}, "1 to 64"),
        ({"client_order_id": "x" * 65}, "1 to 64"),
        ({"client_order_id": "two words"}, "1 to 64"),
        ({"client_order_id": "größe"}, "1 to 64"),
        ({"client_order_id": "line\n"}, "1 to 64"),
        ({"client_order_id": 7}, "1 to 64"),
        ({"order_group_id": ""}, "order_group_id"),
        ({"subaccount": -1}, "subaccount"),
        ({"subaccount": True}, "subaccount"),
        ({"exchange_index": "0"}, "exchange_index"),
        ({"post_only": 1}, "True or False"),
        ({"reduce_only": None}, "True or False"),
        ({"cancel_order_on_pause": "yes"}, "True or False"),
        ({"self_trade_prevention_type": "taker"}, '"taker_at_cross"'),
    ],
)
def test_terms_that_are_none(terms: dict[str, Any], said: str) -> None:
    assert said in refused(**terms)


def test_ids_of_64_characters_are_fine() -> None:
    assert body(request(client_order_id="x" * 64))["client_order_id"] == "x" * 64


# -- the grid of a market that is known


@pytest.mark.parametrize(
    ("ranges", "price", "near"),
    [
        (CENT_GRID, "0.625", "0.62 and 0.63"),
        (TAPERED, "0.0995", "0.099 and 0.100"),
        (TAPERED, "0.105", "0.100 and 0.11"),
        (CENT_GRID, "0.995", "0.99"),
        (CENT_GRID, "0.005", "0.01"),
    ],
)
def test_a_price_between_two_of_the_grid_names_both(
    ranges: list[PriceRange], price: str, near: str
) -> None:
    assert refused(ticker=market(ranges), price=price).endswith(f"nearest YES prices: {near}")


def test_the_grid_is_that_of_yes_prices() -> None:
    lopsided = [
        PriceRange(start=Decimal(0), end=Decimal("0.5"), step=Decimal("0.001")),
        PriceRange(start=Decimal("0.5"), end=Decimal(1), step=Decimal("0.01")),
    ]
    assert body(request(ticker=market(lopsided), side="no", price="0.585"))["price"] == "0.4150"
    assert "0.585" in refused(ticker=market(lopsided), side="yes", price="0.585")


@pytest.mark.parametrize("ranges", [None, []])
def test_a_market_that_does_not_tell_its_grid_is_left_to_the_exchange(
    ranges: list[PriceRange] | None,
) -> None:
    assert body(request(ticker=market(ranges), price="0.625"))["price"] == "0.6250"


def test_what_the_caller_has_set_for_decimals_decides_nothing() -> None:
    with decimal.localcontext(decimal.Context(prec=1)):
        assert request(side="no", price="0.47").limit == Decimal("0.53")
        assert request(side="no", no_price=47).limit == Decimal("0.53")
        assert request(yes_price=62).limit == Decimal("0.62")
