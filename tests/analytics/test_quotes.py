"""Quotes of several venues: one form, and what buying both sides of a question leaves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal, localcontext
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kalshi_async import InvalidRequestError
from kalshi_async.analytics.fees import FeeSchedule
from kalshi_async.analytics.quotes import Comparison, Quote, VenueFees, compare, group, rank
from kalshi_async.models.markets import Market
from kalshi_async.models.orderbook import Level, OrderBook

D = Decimal
CLOSE = datetime(2026, 3, 19, 18, tzinfo=UTC)


def market(**changes: object) -> Market:
    fields: dict[str, object] = {
        "ticker": "KXFED-26MAR19", "title": "Will the Fed cut?", "status": "active",
        "yes_bid": D("0.6100"), "yes_ask": D("0.6300"), "last_price": D("0.6000"),
        "volume_24h": D("12840.50"), "close_time": CLOSE,
    }  # fmt: skip
    return Market(**(fields | changes))


def quote(
    venue: str = "kalshi", bid: str | None = "0.60", ask: str | None = "0.62", **more
) -> Quote:
    return Quote(
        venue, more.pop("id", "M"), bid=bid and D(bid), ask=ask and D(ask), **more
    )  # fmt: skip


# ---------------------------------------------------------------------------- from a market


def test_a_market_becomes_a_quote_with_the_mid_as_its_probability() -> None:
    fees = FeeSchedule()
    got = Quote.from_market(market(), fees=fees)
    assert (got.venue, got.id, got.title) == ("kalshi", "KXFED-26MAR19", "Will the Fed cut?")
    assert (got.bid, got.ask, got.spread) == (D("0.61"), D("0.63"), D("0.02"))
    assert got.probability == got.mid == D("0.62")
    assert (got.close_time, got.fees) == (CLOSE, fees)


def test_dollars_of_a_market_are_contracts_by_last_price_and_say_that_they_are_guessed() -> None:
    got = Quote.from_market(market())
    assert (got.volume, got.volume_estimated) == (D("7704.30"), True)
    never = Quote.from_market(market(last_price=D("0.0000")))
    assert (never.volume, never.volume_estimated) == (None, False)
    idle = Quote.from_market(market(last_price=D("0.0000"), volume_24h=D("0.00")))
    assert idle.volume == 0


@pytest.mark.parametrize(
    ("bid", "ask", "last", "expected"),
    [
        ("0.0000", "0.6300", "0.6000", (None, D("0.63"), D("0.60"), None)),
        ("0.6100", "1.0000", "0.6000", (D("0.61"), None, D("0.60"), None)),
        ("0.0000", "1.0000", "0.0000", (None, None, None, None)),
        ("0.0000", "0.0000", "0.0000", (None, None, None, None)),  # a market not open yet
        ("0.6200", "0.6200", "0.6000", (D("0.62"), D("0.62"), D("0.62"), D(0))),
        ("0.6400", "0.6200", "0.6000", (D("0.64"), D("0.62"), D("0.63"), D("-0.02"))),
    ],
)
def test_no_bid_and_no_ask_are_none(bid: str, ask: str, last: str, expected: object) -> None:
    got = Quote.from_market(market(yes_bid=D(bid), yes_ask=D(ask), last_price=D(last)))
    assert (got.bid, got.ask, got.probability, got.spread) == expected
    assert got.crossed == (bid == "0.6400")


@pytest.mark.parametrize("status", ["closed", "finalized", "inactive", "initialized"])
def test_a_market_that_does_not_trade_offers_nothing(status: str) -> None:
    got = Quote.from_market(market(status=status))
    assert (got.bid, got.ask, got.probability) == (None, None, D("0.60"))


def test_recorded_markets_all_become_quotes(shared: Path) -> None:
    found = 0
    for name in ("2026-06-demo/markets__page1", "2026-08-production/markets_settled"):
        body = msgspec.json.decode((shared / "recorded" / f"{name}.json").read_bytes())
        for raw in body["markets"]:
            if isinstance(raw, dict) and "yes_bid_dollars" in raw:
                got = Quote.from_market(msgspec.convert(raw, Market, strict=False))
                assert got.bid is None or 0 < got.bid < 1
                found += 1
    assert found >= 10


# ---------------------------------------------------------------------------- from elsewhere


def test_a_book_becomes_a_quote() -> None:
    book = OrderBook(
        ticker="KXA", yes=(Level(D("0.40"), D(5)),), no=(Level(D("0.55"), D(1)),)
    )  # fmt: skip
    got = Quote.from_orderbook(book, close_time=CLOSE)
    assert (got.id, got.bid, got.ask, got.probability) == ("KXA", D("0.40"), D("0.45"), D("0.425"))
    empty = Quote.from_orderbook(OrderBook(ticker="KXA"))
    assert (empty.bid, empty.ask, empty.probability) == (None, None, None)
    with pytest.raises(InvalidRequestError, match="no ticker"):
        Quote.from_orderbook(OrderBook())


def test_a_market_of_rekko_becomes_a_quote() -> None:
    from kalshi_async.rekko.models import Market as RekkoMarket

    there = RekkoMarket(
        platform="polymarket", market_id="0xfed", title="Fed cut?", yes_price=D("0.6"),
        yes_bid=D("0.64"), yes_ask=D("0.65"), volume_24h=D("81250.5"), close_time=CLOSE,
    )  # fmt: skip
    got = Quote.from_rekko(there)
    assert got == Quote(
        "polymarket", "0xfed", "Fed cut?", D("0.645"), D("0.64"), D("0.65"), D("81250.5"),
        close_time=CLOSE,
    )  # fmt: skip
    bare = Quote.from_rekko(RekkoMarket(platform="robinhood", market_id="7", yes_price=D("0.6")))
    assert (bare.probability, bare.bid, bare.ask, bare.volume) == (D("0.6"), None, None, None)


@dataclass
class Strange:
    platform: str | None = "polymarket"
    market_id: str | None = "0xfed"
    title: str | None = None
    yes_price: object = None
    yes_bid: object = None
    yes_ask: object = None
    volume_24h: object = None
    close_time: datetime | None = None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"yes_bid": 0.62}, r"yes_bid of polymarket 0xfed is 0.62, a float; .*Decimal\('0.62'\)"),
        ({"yes_bid": D(62)}, "yes_bid of polymarket 0xfed is 62; expected 0 to 1"),
        ({"yes_ask": D("NaN")}, "is NaN; expected 0 to 1"),
        ({"yes_price": D("sNaN")}, "is sNaN; expected 0 to 1"),
        (
            {"volume_24h": D(-1)},
            "volume of polymarket 0xfed is -1; expected 0 to 1,000,000,000,000",
        ),
        ({"volume_24h": D("Infinity")}, "expected 0 to 1,000,000,000,000"),
        ({"platform": None}, "venue of a quote is ''; expected text"),
        ({"market_id": None}, "id of a quote is ''; expected text"),
        ({"close_time": datetime(2026, 1, 1)}, "expected a datetime with a time zone"),  # noqa: DTZ001
    ],
)
def test_what_is_no_quote_says_what_is_wrong(changes: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidRequestError, match=message):
        Quote.from_rekko(Strange(**changes))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["bid", "ask"])
@pytest.mark.parametrize("price", ["0", "1.00"])
def test_an_empty_side_is_none_and_no_number(name: str, price: str) -> None:
    with pytest.raises(InvalidRequestError, match=f"{name} of x y is .* or None where there is"):
        Quote("x", "y", **{name: D(price)})


# ---------------------------------------------------------------------------- comparing


def test_what_two_venues_leave_of_a_dollar() -> None:
    here = quote("kalshi", "0.60", "0.62", fees=FeeSchedule(), close_time=CLOSE)
    there = quote("robinhood", "0.66", "0.68", close_time=CLOSE + timedelta(hours=6))
    best, other = compare([there, here], fees={"robinhood": D("0.01")})
    assert (best.yes, best.no) == (here, there)
    assert (best.gross, best.cost) == (D("0.04"), D("0.96"))
    assert best.fees == D("0.07") * D("0.62") * D("0.38") + D("0.01")
    assert best.net == best.at_most == D("0.04") - best.fees
    assert best.pays
    assert best.closes_apart == other.closes_apart == timedelta(hours=6)
    assert (other.gross, other.pays) == (D("-0.08"), False)


def test_the_side_bought_is_what_is_paid_for_in_fees() -> None:
    asked: list[Decimal] = []

    def fee(price: Decimal) -> Decimal:
        asked.append(price)
        return price / 100

    (only,) = compare(
        [quote("a", None, "0.30"), quote("b", "0.90", None)], fees={"a": fee, "b": fee}
    )
    assert asked == [D("0.30"), D("0.10")]
    assert (only.fees, only.net) == (D("0.004"), D("0.596"))


def test_fees_of_the_market_come_before_those_of_its_venue() -> None:
    free = quote("kalshi", None, "0.30", fees=FeeSchedule(multiplier=D(0)))
    (only,) = compare([free, quote("b", "0.40", None)], fees={"kalshi": D("0.02"), "b": D(0)})
    assert (only.fees, only.net) == (0, D("0.1"))
    (charged,) = compare(
        [quote("kalshi", None, "0.30"), quote("b", "0.40", None)],
        fees={"kalshi": FeeSchedule(), "b": D(0)},
    )
    assert charged.fees == D("0.0147")


def test_unknown_fees_leave_no_net_and_come_last() -> None:
    known = [quote("a", "0.50", "0.52"), quote("b", "0.51", "0.53")]
    strange = quote("c", "0.90", "0.91")
    found = compare([*known, strange], fees={"a": D("0.005"), "b": D(0)})
    assert [each.fees_known for each in found] == [True, True, False, False, False, False]
    lucky = found[2]
    assert (lucky.yes.venue, lucky.no.venue) == ("a", "c")
    assert (lucky.net, lucky.at_most, lucky.pays) == (None, D("0.375"), False)
    assert not any(each.fees_known for each in compare(known))


def test_a_quote_that_is_crossed_in_itself_promises_nothing() -> None:
    stale = quote("a", "0.80", "0.50")
    found = compare([stale, quote("b", "0.60", "0.61")], fees={"a": D(0), "b": D(0)})
    assert [each.net for each in found] == [D("0.19"), D("0.10")]
    assert all(each.crossed and not each.pays for each in found)


def test_one_sided_and_locked_quotes_are_bought_only_where_they_can_be() -> None:
    nothing = quote("a", None, None)
    locked = quote("b", "0.40", "0.40")
    assert compare([nothing, locked]) == compare([locked]) == compare([]) == []
    (only,) = compare([quote("a", "0.45", None), locked], fees={"a": D(0), "b": D(0)})
    assert (only.yes, only.net, only.pays) == (locked, D("0.05"), True)


@pytest.mark.parametrize(
    ("fees", "message"),
    [
        ({"b": 0.01}, "fees of b at .* are 0.01; expected a Decimal"),
        ({"b": D(-1)}, "expected a Decimal from 0 to 1"),
        ({"b": lambda price: D("NaN")}, "expected a Decimal from 0 to 1"),
    ],
)
def test_fees_that_are_no_amount_are_refused(fees: dict[str, VenueFees], message: str) -> None:
    with pytest.raises(InvalidRequestError, match=message):
        compare([quote("a"), quote("b")], fees=fees)


def test_a_market_that_is_there_twice_is_refused() -> None:
    with pytest.raises(InvalidRequestError, match="kalshi M twice"):
        compare([quote(), quote(bid="0.10")])
    with pytest.raises(InvalidRequestError, match=r"quotes\[0\] is a Market; expected a Quote"):
        compare([market()])  # type: ignore[list-item]


def test_questions_are_grouped_as_the_caller_says_and_ranked_together() -> None:
    names = {"M1": "fed", "N1": "fed", "M2": "cpi", "N2": "cpi"}
    quotes = [
        quote("a", "0.40", "0.41", id="M1"), quote("b", "0.45", "0.46", id="N1"),
        quote("a", "0.20", "0.21", id="M2"), quote("b", "0.30", "0.31", id="N2"),
        quote("b", id="other"),
    ]  # fmt: skip
    groups = group(quotes, lambda each: names.get(each.id))
    assert {key: [each.id for each in found] for key, found in groups.items()} == {
        "fed": ["M1", "N1"], "cpi": ["M2", "N2"],
    }  # fmt: skip
    found = rank(groups.values(), fees={"a": D(0), "b": D("0.01")})
    assert [(each.yes.id, each.net) for each in found[:2]] == [
        ("M2", D("0.08")), ("M1", D("0.03")),
    ]  # fmt: skip
    assert len(found) == 4


# ---------------------------------------------------------------------------- whatever they are

PRICES = st.none() | st.integers(1, 9999).map(lambda ticks: D(ticks) / 10_000)
QUOTES = st.lists(st.tuples(PRICES, PRICES, st.booleans()), max_size=4).map(
    lambda rows: [
        Quote(f"v{number}", "M", bid=bid, ask=ask, fees=FeeSchedule() if fees else None)
        for number, (bid, ask, fees) in enumerate(rows)
    ]
)


@settings(max_examples=60)
@given(QUOTES, st.sampled_from([None, {"v0": D("0.01"), "v2": D(0)}]))
def test_net_is_never_more_than_gross_and_the_best_is_first(
    quotes: list[Quote], fees: dict[str, VenueFees] | None
) -> None:
    found = compare(quotes, fees=fees)
    able = [(a, b) for a in quotes for b in quotes if a is not b and a.ask and b.bid]
    assert len(found) == len(able)
    for each in found:
        assert each.at_most <= each.gross
        assert (each.net is None) == (not each.fees_known)
        assert not each.pays or (each.net is not None and each.net > 0)
    sure = [each for each in found if each.fees_known and not each.crossed]
    assert found[: len(sure)] == sure
    assert [each.net for each in sure] == sorted((each.net for each in sure), reverse=True)
    assert compare(list(reversed(quotes)), fees=fees) == found


@settings(max_examples=60)
@given(QUOTES)
def test_both_directions_of_a_pair_lose_its_two_spreads(quotes: list[Quote]) -> None:
    found: dict[tuple[str, str], Comparison] = {
        (each.yes.venue, each.no.venue): each for each in compare(quotes)
    }
    by_venue = {each.venue: each for each in quotes}
    for (one, other), each in found.items():
        back = found.get((other, one))
        if back is not None:
            spreads = (by_venue[one].spread or D(0)) + (by_venue[other].spread or D(0))
            assert each.gross + back.gross == -spreads


@settings(max_examples=30)
@given(QUOTES)
def test_the_callers_decimal_context_changes_nothing(quotes: list[Quote]) -> None:
    def figures() -> list[object]:
        return [
            (each.gross, each.fees, each.net, each.at_most, each.cost, each.yes.mid, each.no.spread)
            for each in compare(quotes, fees={"v1": D("0.0123456789")})
        ]

    exact = figures()
    with localcontext(Context(prec=3)):
        assert figures() == exact
