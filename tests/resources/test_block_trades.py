"""Block trades: what is sent, and what is refused before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from kalshi_async import InvalidRequestError
from kalshi_async.resources.communications import Communications

from .fake import FakeTransport

BLOCK = {
    "buyer_user_id": "b",
    "seller_user_id": "s",
    "market_ticker": "A",
    "price_centi_cents": 4_000,
    "centicount": 2_500,
    "maker_side": "yes",
    "expiration_ts": "2026-11-30T15:00:00Z",
}


def room() -> tuple[FakeTransport, Communications]:
    transport = FakeTransport.answering({"block_trade_proposal_id": "p"})
    return transport, Communications(transport)


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("2026-11-30T15:00:00Z", "2026-11-30T15:00:00Z"),
        ("2026-11-30T15:00:00.25+02:00", "2026-11-30T15:00:00.25+02:00"),
        (datetime(2026, 11, 30, 15, tzinfo=UTC), "2026-11-30T15:00:00Z"),
        (
            datetime(2026, 11, 30, 15, tzinfo=timezone(timedelta(hours=-5))),
            "2026-11-30T20:00:00Z",
        ),
    ],
)
async def test_a_block_trade_on_the_wire(given, sent):
    transport, room_ = room()
    trade = BLOCK | {"expiration_ts": given}
    made = await room_.block_trades.propose(**trade, buyer_subaccount=63, seller_subtrader_id="t")
    assert made.block_trade_proposal_id == "p"
    await room_.block_trades.accept("p")
    await room_.block_trades.accept("p", subaccount=1)
    proposed, *accepted = [call.body for call in transport.calls]
    more = {"expiration_ts": sent, "buyer_subaccount": 63, "seller_subtrader_id": "t"}
    assert proposed == BLOCK | more
    assert accepted == [{}, {"subaccount": 1}]


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({"price_centi_cents": 0}, "price_centi_cents is 0; expected 1 to 9999"),
        ({"price_centi_cents": 10_000}, "price_centi_cents"),
        ({"price_centi_cents": "0.40"}, "expected an integer"),
        ({"price_centi_cents": None}, "price_centi_cents is None"),
        ({"centicount": 0}, "centicount is 0"),
        ({"centicount": 2**63}, "centicount"),
        ({"centicount": 2.5}, "centicount is 2.5"),
        ({"expiration_ts": "soon"}, "expected an RFC 3339 time"),
        ({"expiration_ts": "2026-11-30T15:00:00"}, "expected an RFC 3339 time"),
        ({"expiration_ts": datetime(2026, 11, 30)}, "no time zone"),  # noqa: DTZ001
        ({"expiration_ts": None}, "expiration_ts is None"),
        ({"expiration_ts": 1_800_000_000}, "expiration_ts"),
        ({"seller_user_id": "b"}, "between two accounts"),
        ({"buyer_user_id": ""}, "buyer_user_id"),
        ({"market_ticker": None}, "market_ticker"),
        ({"buyer_subaccount": 64}, "buyer_subaccount is 64"),
        ({"seller_subtrader_id": "t", "seller_subaccount": 1}, "seller_subaccount both name"),
    ],
)
async def test_block_trades_that_are_not_sent(wrong, problem):
    transport, room_ = room()
    with pytest.raises(InvalidRequestError, match=problem):
        await room_.block_trades.propose(**BLOCK | wrong)
    with pytest.raises(InvalidRequestError, match="both name a subaccount"):
        await room_.block_trades.accept("p", subtrader_id="t", subaccount=1)
    with pytest.raises(InvalidRequestError, match="subaccount is 64"):
        await room_.block_trades.accept("p", subaccount=64)
    assert transport.calls == []


@pytest.mark.parametrize("side", ["maybe", "", None, "YES"])
async def test_a_maker_side_that_is_no_side(side):
    transport, room_ = room()
    with pytest.raises(InvalidRequestError, match="maker_side"):
        await room_.block_trades.propose(**BLOCK | {"maker_side": side})
    assert transport.calls == []


@pytest.mark.parametrize("wrong", [{"limit": 0}, {"limit": 101}, {"market_ticker": ""}])
async def test_filters_that_are_refused(wrong):
    transport, room_ = room()
    with pytest.raises(InvalidRequestError, match=next(iter(wrong))):
        room_.block_trades.list(**wrong)
    with pytest.raises(InvalidRequestError, match="block_trade_proposal_id"):
        await room_.block_trades.accept("")
    assert transport.calls == []


async def test_prices_and_sizes_are_also_dollars_and_contracts():
    item = BLOCK | {"id": "p", "price_centi_cents": 5, "centicount": 101}
    transport = FakeTransport.answering({"block_trade_proposals": [item], "cursor": ""})
    (found,) = await Communications(transport).block_trades.list()
    assert (found.price, found.count) == (Decimal("0.0005"), Decimal("1.01"))
    assert (found.price_centi_cents, found.centicount) == (5, 101)
