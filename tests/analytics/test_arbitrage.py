"""What is a package and what is not, example by example."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kalshi_async import InvalidRequestError
from kalshi_async.analytics import arbitrage
from kalshi_async.analytics.fees import FREE, FeeSchedule
from kalshi_async.models import Event, Level, Market, OrderBook

from .arbitrage_events import EVENT, book, books, event, legs_of, numeric, outcome, quoted

FEES = FeeSchedule()
ABC = [outcome(name) for name in "ABC"]
CHEAP_YES = books(A=quoted("0.30"), B=quoted("0.30"), C=quoted("0.30"))
CHEAP_NO = books(
    A=quoted(no_ask="0.60", size="5"), B=quoted(no_ask="0.62", size="7.50"), C=quoted(no_ask="0.70")
)


def kinds(held: Event, of: dict[str, OrderBook], **options: Any) -> list[str]:
    return [package.kind for package in arbitrage.find(held, of, fees=FEES, **options)]


def test_all_yes_counts_cost_fees_and_payout() -> None:
    (package,) = arbitrage.find(event(ABC), CHEAP_YES, fees=FEES, exhaustive=True)
    # 10 of each at 0.30: three fees of ceil(10 x 0.07 x 0.3 x 0.7) to $0.0001.
    assert package.kind == "all_yes"
    assert package.count == package.payout == 10
    assert package.cost == 9
    assert package.fees == Decimal("0.4410")
    # A thousand fills of each at most: each rounded up to $0.000001, and $0.0001 not given back.
    assert package.worst_fees == Decimal("0.4443")
    assert package.profit == 10 - 9 - package.worst_fees
    assert package.capital == 9 + package.worst_fees == package.tied_up
    assert package.returned == 0
    assert package.return_on_capital == pytest.approx(package.profit / package.capital)


def test_at_most_one_is_not_at_least_one() -> None:
    assert kinds(event(ABC, exclusive=True), CHEAP_YES) == []
    assert kinds(event(ABC, exclusive=True), CHEAP_YES, exhaustive=True) == ["all_yes"]
    assert kinds(event(ABC, exclusive=True), CHEAP_YES, exhaustive=False) == []


@pytest.mark.parametrize(
    ("ticker", "fields"),
    [
        ("A", {"status": "inactive"}),
        ("B", {"status": "closed"}),
        ("B", {"status": "finalized"}),
        ("C", {"market_type": "scalar"}),
        ("C", {"settlement_bounds_type": "floor"}),
        ("C", {"notional_value": Decimal(10)}),
        ("A", {"event_ticker": "KXOTHER"}),
    ],
)
def test_a_market_that_does_not_trade_or_pay_like_the_others_takes_no_part(
    ticker: str, fields: dict[str, Any]
) -> None:
    markets = [outcome(name, **(fields if name == ticker else {})) for name in "ABC"]
    assert kinds(event(markets), CHEAP_YES, exhaustive=True) == []
    cheap = books(A=quoted(no_ask="0.40"), B=quoted(no_ask="0.40"), C=quoted(no_ask="0.40"))
    (package,) = arbitrage.find(event(markets, exclusive=True), cheap, fees=FEES)
    assert ticker not in {leg.market for leg in package.legs}


@pytest.mark.parametrize(
    "odd",
    [
        None,
        OrderBook(ticker="C"),
        book("C", yes=[("0.20", "10")]),
        book("D", no=[("0.70", "10")]),
        book("C", no=[("0.70", "0")]),
        book("C", no=[("0.70", "0.004")]),
        book("C", no=[("1.70", "10")]),
        book("C", no=[("0.70005", "10")]),
        book("C", no=[("0", "10")]),
        OrderBook(ticker="C", no=(Level(Decimal("NaN"), Decimal(1)),)),
        OrderBook(ticker="C", no=(Level(Decimal("sNaN"), Decimal(1)),)),
        OrderBook(ticker="C", no=(Level(Decimal("0.7"), Decimal("Infinity")),)),
        book("C", yes=[("0.35", "10")], no=[("0.70", "10")]),
    ],
)
def test_a_book_that_does_not_offer_the_leg_makes_no_package(odd: OrderBook | None) -> None:
    held = {name: each for name, each in CHEAP_YES.items() if name != "C"}
    if odd is not None:
        held["C"] = odd
    assert "all_yes" not in kinds(event(ABC), held, exhaustive=True)


def test_all_no_takes_the_best_subset_and_gets_collateral_back() -> None:
    (package,) = arbitrage.find(event(ABC, exclusive=True), CHEAP_NO, fees=FEES)
    # All three: 2 less 1.92 and fees for 5; A and B alone cost more than 1 together.
    assert [leg.market for leg in package.legs] == ["A", "B", "C"]
    assert package.count == 5
    assert package.payout == package.returned == 10
    assert package.tied_up == 0
    assert package.capital == Decimal("9.60") + package.worst_fees
    plain = event(ABC, exclusive=True, collateral_return_type="")
    (package,) = arbitrage.find(plain, CHEAP_NO, fees=FREE)
    assert package.returned == 0
    assert package.tied_up == Decimal("9.60")
    assert kinds(event(ABC), CHEAP_NO) == []


def test_all_no_leaves_out_a_leg_that_costs_more_than_it_adds() -> None:
    of = books(
        A=quoted(no_ask="0.40", size="0.01"),
        B=quoted(no_ask="0.40", size="0.01"),
        C=quoted(no_ask="0.99", size="0.01"),
    )
    (package,) = arbitrage.find(event(ABC, exclusive=True), of, fees=FEES, min_profit=0)
    assert [leg.market for leg in package.legs] == ["A", "B"]


def test_the_walk_stops_where_the_next_level_no_longer_pays_its_fees_and_roundings() -> None:
    of = books(
        A=((), [("0.70", "1.00"), ("0.60", "1.00"), ("0.50", "9")]),
        B=((), [("0.70", "1.50"), ("0.30", "9")]),
    )
    two = [outcome("A"), outcome("B")]
    (package,) = arbitrage.find(event(two), of, fees=FEES, exhaustive=True)
    assert package.count == Decimal("1.50")
    assert [leg.limit for leg in package.legs] == [Decimal("0.40"), Decimal("0.30")]
    assert [leg.cost for leg in package.legs] == [Decimal("0.50"), Decimal("0.45")]
    (package,) = arbitrage.find(event(two), of, fees=FEES, exhaustive=True, max_count="0.75")
    assert package.count == Decimal("0.75")
    # A second level that gains $0.000093 before the $0.0001 that rounding may cost there.
    of["A"] = book("A", no=[("0.70", "1.00"), ("0.34", "0.01")])
    (package,) = arbitrage.find(event(two), of, fees=FEES, exhaustive=True)
    assert package.count == 1


def test_strikes_that_touch_leave_nothing_out() -> None:
    of = books(A=quoted("0.30"), B=quoted("0.30"), C=quoted("0.30"))
    touching = [
        numeric("A", "less", high="10"),
        numeric("B", "between", "10", "20"),
        numeric("C", "greater", "20"),
    ]
    assert kinds(event(touching, exclusive=True), of) == ["all_yes"]
    assert kinds(event(touching), of) == ["all_yes"]
    open_at_20 = [*touching[:2], numeric("C", "greater", "20.01")]
    assert kinds(event(open_at_20), of) == []
    missing = event(touching[:2])
    assert kinds(missing, of) == []


def test_integer_brackets_need_the_resolution() -> None:
    brackets = [
        numeric("A", "less", high="70"),
        numeric("B", "between", "70", "79"),
        numeric("C", "greater", "79"),
    ]
    gap = [brackets[0], numeric("B", "between", "71", "79"), brackets[2]]
    apart = [numeric("A", "less", high="70"), numeric("B", "between", "70", "78"), brackets[2]]
    held = event([numeric("A", "less_or_equal", high="69"), *brackets[1:]], exclusive=True)
    assert kinds(held, CHEAP_YES) == []
    assert kinds(held, CHEAP_YES, resolution="1") == ["all_yes"]
    assert kinds(event(gap, exclusive=True), CHEAP_YES, resolution=1) == []
    assert kinds(event(apart, exclusive=True), CHEAP_YES, resolution=1) == []
    assert kinds(event(apart), CHEAP_YES, resolution="0.5") == []


def test_a_ladder_out_of_order() -> None:
    ladder = [
        numeric(name, "greater", low) for name, low in zip("ABC", ("10", "20", "30"), strict=True)
    ]
    of = books(A=quoted("0.50", "0.55"), B=quoted("0.45", "0.60"), C=quoted("0.70", "0.35"))
    found = arbitrage.find(event(ladder), of, fees=FEES)
    assert legs_of(found) == [
        ("monotone", frozenset({("B", "yes"), ("C", "no")})),
        ("monotone", frozenset({("A", "yes"), ("C", "no")})),
    ]
    assert (
        legs_of(arbitrage.find(event(ladder), of, fees=FEES, disjoint=True)) == legs_of(found)[:1]
    )
    # Said to exclude each other they contradict themselves.
    assert "monotone" not in kinds(event(ladder, exclusive=True), of)


def test_brackets_inside_thresholds_and_thresholds_against_each_other() -> None:
    wide, inner = numeric("A", "greater_or_equal", "10"), numeric("B", "between", "10", "20")
    of = books(A=quoted("0.40"), B=quoted(no_ask="0.40"))
    assert kinds(event([wide, inner]), of) == ["monotone"]
    assert kinds(event([numeric("A", "greater", "10"), inner]), of) == []
    cheap = books(A=quoted("0.40"), B=quoted("0.40"))
    assert kinds(event([wide, numeric("B", "less", high="10")]), cheap) == ["all_yes"]
    third = [wide, numeric("B", "less", high="10"), outcome("C")]
    assert kinds(event(third), cheap) == ["covering"]
    assert kinds(event([*third[:2], numeric("C", "less", high="9")]), cheap) == ["covering"]
    apart = books(A=quoted(no_ask="0.40"), B=quoted(no_ask="0.40"))
    assert kinds(event([wide, numeric("B", "less", high="10")]), apart) == ["all_no"]
    assert kinds(event([wide, numeric("B", "less_or_equal", high="10")]), apart) == []


OUT_OF_ORDER = books(A=quoted("0.30"), B=quoted(no_ask="0.30"))


@pytest.mark.parametrize(
    "fields",
    [
        {"custom_strike": {"player": "2"}},
        {"primary_participant_key": "player"},
        {"functional_strike": "f"},
        {"expected_expiration_time": "2026-05-07T00:00:00Z"},
        {"close_time": "2026-05-07T00:00:00Z"},
        {"title": "Will the other close be above 20 on May 6?"},
        {"title": "Will the index close be above 20 on May 7?"},
        {"rules_primary": "If the index close on May 5, 2026 is above 20, then Yes."},
        {"yes_sub_title": "Bob: above 20"},
        {"rules_secondary": "Of Bob."},
        {"title": "Will the index close be below 20 on May 6?"},
        {"strike_type": "structured"},
        {"strike_type": "greater_than_ever"},
        {"strike_type": None},
        {"floor_strike": None},
        {"floor_strike": Decimal("NaN")},
        {"floor_strike": Decimal("Infinity")},
        {"floor_strike": Decimal("1E+400")},
        {"cap_strike": Decimal(30)},
    ],
)
def test_another_number_or_a_doubt_about_it_makes_no_package(fields: dict[str, Any]) -> None:
    wide, narrow = numeric("A", "greater", "10"), numeric("B", "greater", "20")
    assert kinds(event([wide, narrow]), OUT_OF_ORDER) == ["monotone"]
    other = msgspec.structs.replace(narrow, **fields)
    assert kinds(event([wide, other]), OUT_OF_ORDER) == []


def test_texts_that_name_no_strikes_prove_nothing() -> None:
    said = {"title": "Which?", "yes_sub_title": "", "rules_primary": "If so, then Yes."}
    two = [numeric("A", "greater", "10", **said), numeric("B", "greater", "20", **said)]
    assert kinds(event(two), OUT_OF_ORDER) == []


def test_players_of_one_event_are_different_numbers(shared: Path) -> None:
    """Recorded: an event whose "greater" strikes are the hits of several players."""
    markets = []
    for page in (1, 2):
        path = shared / "recorded" / "2026-06-demo" / f"markets__page{page}.json"
        markets += msgspec.json.decode(path.read_bytes(), type=dict[str, Any])["markets"]
    hits = [
        msgspec.structs.replace(each, status="active")
        for each in msgspec.convert(markets, list[Market], strict=False)
        if each.event_ticker == "KXMLBHIT-26JUN111310AZMIA"
    ]
    assert len({each.title.partition(":")[0] for each in hits if each.title}) >= 3
    held = event(hits, event_ticker="KXMLBHIT-26JUN111310AZMIA")
    # Each YES and each NO for 0.40: whatever the strikes allow to pair is a package.
    of = {each.ticker: book(each.ticker, *quoted("0.40")) for each in hits[::2]}
    of |= {each.ticker: book(each.ticker, *quoted(None, "0.40")) for each in hits[1::2]}
    strikes = {each.ticker: each.floor_strike or Decimal(0) for each in hits}
    player = {each.ticker: (each.title or "").partition(":")[0] for each in hits}
    found = arbitrage.find(held, of, fees=FEES)
    assert found
    for package in found:
        bought, sold = package.legs
        assert player[bought.market] == player[sold.market]
        assert strikes[bought.market] < strikes[sold.market]
    expected = sum(
        player[one] == player[other] and strikes[one] < strikes[other]
        for one in [each.ticker for each in hits[::2]]
        for other in [each.ticker for each in hits[1::2]]
    )
    assert len(found) == expected


def test_a_crossed_book_is_a_package_of_its_own_and_of_no_other() -> None:
    of = books(A=quoted("0.40", "0.50"), B=quoted("0.30", "0.90"))
    found = arbitrage.find(event([outcome("A"), outcome("B")]), of, fees=FEES, exhaustive=True)
    assert legs_of(found) == [("crossed", frozenset({("A", "yes"), ("A", "no")}))]
    locked = books(A=quoted("0.40", "0.60"), B=quoted("0.30", "0.90"))
    assert kinds(event([outcome("A"), outcome("B")]), locked, exhaustive=True) == []


def test_requests_are_the_legs_as_orders() -> None:
    (package,) = arbitrage.find(event(ABC, exclusive=True), CHEAP_NO, fees=FEES)
    first, again = package.requests(), package.requests("immediate_or_cancel")
    assert [(each.ticker, each.action, each.side, each.time_in_force) for each in first] == [
        (name, "buy", "no", "fill_or_kill") for name in "ABC"
    ]
    assert [each.contracts for each in first] == [5, 5, 5]
    assert [each.price for each in first] == [Decimal(text) for text in ("0.60", "0.62", "0.70")]
    assert {each.time_in_force for each in again} == {"immediate_or_cancel"}
    assert len({each.client_order_id for each in first + again}) == 6


def test_fees_by_market_and_the_least_profit() -> None:
    held = event(ABC, exclusive=True)
    some = {"A": FREE, "B": FREE}
    assert arbitrage.find(held, CHEAP_NO, fees=some) == []
    (package,) = arbitrage.find(held, CHEAP_NO, fees={**some, "C": FREE})
    assert package.profit == Decimal("0.40")
    assert arbitrage.find(held, CHEAP_NO, fees=FREE, min_profit="0.40") == [package]
    assert arbitrage.find(held, CHEAP_NO, fees=FREE, min_profit="0.41") == []


def test_promising_names_the_books_to_read() -> None:
    def priced(market: Market, yes_bid: str, yes_ask: str) -> Market:
        bid, ask = Decimal(yes_bid), Decimal(yes_ask)
        return msgspec.structs.replace(
            market, yes_bid=bid, yes_ask=ask, no_bid=1 - ask, no_ask=1 - bid
        )

    low = priced(numeric("A", "greater", "10"), "0.40", "0.45")
    high = priced(numeric("B", "greater", "20"), "0.46", "0.50")
    third = priced(numeric("C", "greater", "30"), "0.0000", "1.0000")
    assert arbitrage.promising(event([low, high, third])) == ("A", "B")
    assert arbitrage.promising(event([low, high, third]), fees=FEES) == ()
    assert arbitrage.promising(event([low, high]), fees=FEES, within="0.05") == ("A", "B")
    bare = [numeric("A", "greater", "10"), numeric("B", "greater", "20")]
    assert arbitrage.promising(event(bare)) == ()


def test_not_understood_names_strikes_that_say_nothing() -> None:
    markets = [
        numeric("A", "greater", "10"),
        numeric("B", "greater", "10", cap_strike=Decimal(3)),
        outcome("C"),
        outcome("D", strike_type="sideways"),
        outcome("E", strike_type=None),
    ]
    assert arbitrage.not_understood(event(markets)) == ("B", "D")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"event": EVENT}, "expected an Event"),
        ({"event": Event(event_ticker="E")}, "with_nested_markets=True"),
        ({"books": []}, "books is a list"),
        ({"books": {"A": {}}}, "the book of A is a dict"),
        ({"books": {"A": OrderBook(no=(Level(0.7, 1),))}}, "0.7, a float"),  # type: ignore[arg-type]
        ({"fees": "0.07"}, "fees is a str"),
        ({"fees": {"A": "0.07"}}, "fees of A is a str"),
        ({"exhaustive": "yes"}, "exhaustive is 'yes'"),
        ({"resolution": 0.01}, "resolution is 0.01"),
        ({"resolution": "-1"}, "resolution is '-1'"),
        ({"resolution": "NaN"}, "resolution is 'NaN'"),
        ({"min_profit": 0.01}, "min_profit is 0.01"),
        ({"max_count": 0}, "max_count is 0"),
        ({"smallest": 0.01}, "smallest is 0.01"),
    ],
)
def test_bad_input_is_refused_with_the_remedy(arguments: dict[str, Any], said: str) -> None:
    given = {"event": event(ABC), "books": CHEAP_YES, "fees": FEES, **arguments}
    with pytest.raises(InvalidRequestError) as caught:
        arbitrage.find(**given)
    assert said in str(caught.value)


def test_an_event_that_lists_a_market_twice_has_it_once() -> None:
    of = books(A=quoted(no_ask="0.40"), B=quoted(no_ask="0.80"))
    held = event([outcome("A"), outcome("A"), outcome("B")], exclusive=True)
    assert kinds(held, of) == []
