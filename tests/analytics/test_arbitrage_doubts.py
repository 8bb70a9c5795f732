"""Events that look like packages and are none: texts, strikes and flags that disagree."""

from __future__ import annotations

from decimal import Decimal, localcontext
from typing import Any

import msgspec
import pytest

from kalshi_async.analytics import _packages, arbitrage
from kalshi_async.analytics.fees import FREE, FeeSchedule
from kalshi_async.models import Market

from .arbitrage_events import book, books, event, legs_of, numeric, outcome, quoted

FEES = FeeSchedule()
OUT_OF_ORDER = books(A=quoted("0.30"), B=quoted(no_ask="0.30"))
CHEAP_NO = books(A=quoted(no_ask="0.30"), B=quoted(no_ask="0.30"))
CHEAP_YES = books(A=quoted("0.30"), B=quoted("0.30"))


def asks(ticker: str, kind: str, strikes: tuple[str | None, str | None], text: str) -> Market:
    """A market whose only text is its title."""
    return numeric(ticker, kind, *strikes, title=text, yes_sub_title="", rules_primary="")


def ladder(low: str, high: str, strikes: tuple[str, str] = ("5", "6"), **fields: Any) -> list[str]:
    """The kinds of packages of two ``greater`` markets with these titles, the lower too cheap."""
    markets = [
        asks("A", "greater", (strikes[0], None), low),
        asks("B", "greater", (strikes[1], None), high),
    ]
    held = event([msgspec.structs.replace(each, **fields) for each in markets])
    return [package.kind for package in arbitrage.find(held, OUT_OF_ORDER, fees=FEES)]


@pytest.mark.parametrize(
    ("low", "high", "strikes"),
    [
        ("Above 5?", "Above 6?", ("5", "6")),
        ("Above -6?", "Above -5?", ("-6", "-5")),
        ("Above -$6?", "Above -$5?", ("-6", "-5")),
        ("Above 5k?", "Above 6k?", ("5000", "6000")),
        ("Above 5 million?", "Above 6 million?", ("5", "6")),
        ("Above $5.5 million?", "Above $6 million?", ("5500000", "6000000")),
        ("Above 950,000?", "Above 1.05 million?", ("950000", "1050000")),
        ("5 points or more?", "6 points or more?", ("4", "5")),
        ("5 points or more?", "6 points or more?", ("4.5", "5.5")),
        ("1 degree or above?", "2 degrees or above?", ("0", "1")),
        ("Bitcoin to $100k?", "Bitcoin to $110k?", ("100000", "110000")),
        ("At least 5 on May 6?", "At least 6 on May 6?", ("5", "6")),
    ],
)
def test_texts_that_agree_with_their_strikes(low: str, high: str, strikes: tuple[str, str]) -> None:
    assert ladder(low, high, strikes) == ["monotone"]
    # The other way round nothing is sure.
    assert ladder(high, low, (strikes[1], strikes[0])) == []


@pytest.mark.parametrize(
    ("low", "high", "strikes"),
    [
        pytest.param("Above 5m sold?", "Above 6k sold?", ("5", "6"), id="other scale"),
        pytest.param("Above 5m sold?", "Above 6k sold?", ("5", "6000"), id="another scale"),
        pytest.param("Above $5?", "Above 6%?", ("5", "6"), id="other unit"),
        pytest.param("5 points or more?", "6 degrees or more?", ("5", "6"), id="unit in words"),
        pytest.param("Above -5?", "Above -6?", ("5", "6"), id="sign lost"),
        pytest.param("Above 5?", "Above 4?", ("-5", "-4"), id="sign gained"),
        pytest.param("Not above 5?", "Not above 6?", ("5", "6"), id="negated"),
        pytest.param("Won't be above 5?", "Won't be above 6?", ("5", "6"), id="won't"),
        pytest.param("No more than 5?", "No more than 6?", ("5", "6"), id="no more"),
        pytest.param("At most 5?", "At most 6?", ("5", "6"), id="reversed"),
        pytest.param("Exactly 5?", "Exactly 6?", ("5", "6"), id="exactly"),
        pytest.param("Oil dips to $5?", "Oil dips to $6?", ("5", "6"), id="falling"),
        pytest.param("Above 5?", "5 or above?", ("5", "5"), id="the strike itself"),
        pytest.param("Over 2.5 in game 2?", "Over 3.5 in game 3?", ("2.5", "3.5"), id="game"),
        pytest.param("Above 30 on May 30?", "Above 31 on May 31?", ("30", "31"), id="date"),
        pytest.param("Above 5 May 5-6?", "Above 6 May 6-7?", ("5", "6"), id="dates"),
        pytest.param("Week 5?", "Week 6?", ("5", "6"), id="no amount"),
        pytest.param("The 5:30 train?", "The 6:30 train?", ("5", "6"), id="time"),
        pytest.param(
            "Days above 90 over 5?", "Days below 90 over 6?", ("5", "6"), id="another comparison"
        ),
        pytest.param(
            "Above 4 in at least 5 games?",
            "Above 5 in at least 4 games?",
            ("4", "5"),
            id="two comparisons, one the other way",
        ),
        pytest.param("Above 5?", "5+?", ("5", "6"), id="strike and text apart"),
        pytest.param("Oil: $5", "Oil: above $6", ("5", "6"), id="by itself and compared"),
        pytest.param("Above 5 or more?", "Above 6 or more?", ("5", "6"), id="both ways"),
        pytest.param("Oil at $5.1?", "Oil at $6.1?", ("5", "6"), id="near by itself"),
        pytest.param("At 5.30 pm?", "At 6.30 pm?", ("5.3", "6.3"), id="time of day"),
        pytest.param("Above 2.5 in heat 2.5?", "Above 3.5 in heat 3.5?", ("2.5", "3.5"), id="heat"),
    ],
)
def test_texts_that_are_of_two_numbers_or_contradict_their_strikes(
    low: str, high: str, strikes: tuple[str, str]
) -> None:
    assert ladder(low, high, strikes) == []


def test_ranges_of_amounts_and_of_dates() -> None:
    def find(wide: str, inner: str, highest: tuple[str, str] = ("7", "6")) -> list[str]:
        markets = [
            asks(name, "between", (highest[1].replace("6", "5"), high), text)
            for name, high, text in zip("AB", highest, (wide, inner), strict=True)
        ]
        return [each.kind for each in arbitrage.find(event(markets), OUT_OF_ORDER, fees=FEES)]

    assert find("5 to 7 points?", "5 to 6 points?") == ["monotone"]
    assert find("5 to 7 million?", "5 to 6 million?", ("7000000", "6000000")) == ["monotone"]
    assert find("5 to 7 on May 5-7?", "5 to 6 on May 5-6?") == []
    assert find("5 to 7 on May 5-6?", "5 to 6 on May 5-6?") == ["monotone"]


def test_tickers_that_name_different_players() -> None:
    def find(*tickers: str) -> list[str]:
        markets = [numeric(name, "greater", low) for name, low in zip(tickers, "12", strict=True)]
        of = [book(tickers[0], *quoted("0.30")), book(tickers[1], *quoted(no_ask="0.30"))]
        held = {each.ticker or "": each for each in of}
        return [each.kind for each in arbitrage.find(event(markets), held, fees=FEES)]

    assert find("KX-26-ANN-1", "KX-26-ANN-2") == ["monotone"]
    assert find("KX-26-T1", "KX-26-T2.50") == ["monotone"]
    assert find("KX-26-T-1", "KX-26-T2") == ["monotone"]
    assert find("KX-26-ANN-1", "KX-26-BOB-2") == []


def test_a_way_that_begins_at_another_time() -> None:
    hits = [
        numeric(name, "greater", low, what="any price") for name, low in (("A", "5"), ("B", "6"))
    ]
    closes = [numeric(name, "greater", low) for name, low in (("A", "5"), ("B", "6"))]
    later = {"open_time": "2026-05-02T00:00:00Z"}
    for markets, expected in ((hits, []), (closes, ["monotone"])):
        assert legs_of(arbitrage.find(event(markets), OUT_OF_ORDER, fees=FEES))
        markets[0] = msgspec.structs.replace(markets[0], **later)
        found = arbitrage.find(event(markets), OUT_OF_ORDER, fees=FEES)
        assert [each.kind for each in found] == expected


@pytest.mark.parametrize(
    ("what", "kinds"),
    [
        ("the close", ["all_no"]),
        ("the price in 2026", []),
        ("the price to exceed and", []),
        ("the price by the end of May", []),
        ("the price as reported by the office", ["all_no"]),
    ],
)
def test_two_places_on_a_way_exclude_each_other_only_at_one_moment(
    what: str, kinds: list[str]
) -> None:
    markets = [
        asks("A", "less", (None, "5"), f"Will {what} be below 5?"),
        asks("B", "greater", ("6", None), f"Will {what} be above 6?"),
    ]
    found = arbitrage.find(event(markets), CHEAP_NO, fees=FEES)
    assert [each.kind for each in found] == kinds


def test_boundaries_that_texts_and_strikes_see_differently() -> None:
    # By the strikes 5 belongs to one of the two, by the texts to neither, or to both.
    left_out = [
        asks("A", "less_or_equal", (None, "5"), "Below 5?"),
        asks("B", "greater", ("5", None), "Above 5?"),
        outcome("C"),
    ]
    assert arbitrage.find(event(left_out), CHEAP_YES, fees=FEES) == []
    assert arbitrage.find(event(left_out[:2]), CHEAP_YES, fees=FEES) == []
    in_both = [
        asks("A", "less", (None, "5"), "5 or below?"),
        asks("B", "greater", ("5", None), "5 or above?"),
    ]
    assert arbitrage.find(event(in_both), CHEAP_NO, fees=FEES) == []
    whole = [
        asks("A", "less", (None, "5"), "4 or below?"),
        asks("B", "greater", ("4", None), "5 or above?"),
    ]
    assert arbitrage.find(event(whole), CHEAP_YES, fees=FEES) == []
    (package,) = arbitrage.find(event(whole), CHEAP_YES, fees=FEES, resolution=1)
    assert package.kind == "all_yes"


def test_arithmetic_left_in_a_strike_makes_it_unreadable() -> None:
    touching = [
        numeric("A", "less_or_equal", high="0.3"),
        numeric("B", "greater_or_equal", "0.30000000000000004"),
    ]
    assert arbitrage.find(event(touching), CHEAP_NO, fees=FEES) == []
    assert arbitrage.not_understood(event(touching)) == ("B",)
    long = [numeric("A", "less", high="0.300"), numeric("B", "greater", "123456789012.345")]
    assert arbitrage.not_understood(event(long)) == ()


@pytest.mark.parametrize(
    ("markets", "expected"),
    [
        ([numeric("A", "greater", "5"), numeric("B", "greater", "6")], []),
        ([numeric("A", "between", "5", "6"), numeric("B", "between", "6", "7")], []),
        ([numeric("A", "between", "5", "6"), numeric("B", "greater", "6")], ["all_no"]),
        (
            [numeric("A", "greater", "5", what="a"), numeric("B", "greater", "6", what="b")],
            ["all_no"],
        ),
    ],
)
def test_an_exclusive_event_whose_strikes_overlap_contradicts_itself(
    markets: list[Market], expected: list[str]
) -> None:
    found = arbitrage.find(event(markets, exclusive=True), CHEAP_NO, fees=FEES)
    assert [each.kind for each in found] == expected


def test_a_market_listed_twice_with_different_contents_takes_no_part() -> None:
    twice = [
        numeric("A", "greater", "7"),
        numeric("A", "greater", "5"),
        numeric("B", "greater", "6"),
    ]
    assert arbitrage.find(event(twice), OUT_OF_ORDER, fees=FEES) == []
    assert arbitrage.find(event(twice[1:]), OUT_OF_ORDER, fees=FEES) != []


def test_a_narrow_decimal_context_that_saw_no_price_before() -> None:
    held = event([outcome("A"), outcome("B")], exclusive=True)
    _packages.costs_of.cache_clear()
    with localcontext(prec=2):
        (package,) = arbitrage.find(held, CHEAP_NO, fees=FEES)
    assert [package] == arbitrage.find(held, CHEAP_NO, fees=FEES)


@pytest.mark.parametrize("size", ["1E+14", "1E+80", "1E+400"])
def test_sizes_beyond_what_an_order_holds_are_cut(size: str) -> None:
    of = books(A=quoted(no_ask="0.30", size=size), B=quoted(no_ask="0.30", size=size))
    two = event([outcome("A"), outcome("B")], exclusive=True)
    (package,) = arbitrage.find(two, of, fees=FEES)
    assert package.count == 10**12
    deep = [("0.70", size), ("0.60", size)]
    (package,) = arbitrage.find(two, books(A=(deep, ()), B=(deep, ())), fees=FEES)
    assert [each.contracts for each in package.requests()] == [10**12, 10**12]


def test_a_level_that_costs_more_than_the_next_does_not_end_the_walk() -> None:
    # Half-cent prices are rounded at each smallest fill, whole cents once: at 0.305 a contract
    # costs more with its worst fees than at 0.31.
    of = books(
        A=((), [("0.70", "1"), ("0.695", "0.01"), ("0.69", "900")]),
        B=((), [("0.33", "901.01")]),
    )
    two = event([outcome("A"), outcome("B")])
    worst = FEES.worst(1, "0.305") + Decimal("0.305"), FEES.worst(1, "0.31") + Decimal("0.31")
    assert worst[0] > worst[1]
    (package,) = arbitrage.find(
        two, of, fees=FeeSchedule(multiplier=Decimal("0.5")), exhaustive=True
    )
    assert package.count == Decimal("901.01")


def test_screening_takes_prices_from_either_side_and_whatever_fees_may_be() -> None:
    def priced(name: str, **prices: str) -> Market:
        fields = {side: Decimal(price) for side, price in prices.items()}
        return outcome(name, **fields)

    told = [priced("A", no_ask="0.30"), priced("B", yes_bid="0.40")]
    assert arbitrage.promising(event(told, exclusive=True)) == ("A", "B")
    crossed = priced("A", no_ask="0.30", yes_ask="0.60")
    assert arbitrage.promising(event([crossed]), fees=FREE) == ("A",)
    # With fees of single contracts it gains nothing; who reckons with larger fills finds it.
    close = [priced("A", yes_bid="0.511"), priced("B", yes_bid="0.524")]
    held = event(close, exclusive=True)
    of = books(A=quoted(no_ask="0.489", size="1E+6"), B=quoted(no_ask="0.476", size="1E+6"))
    costly = FeeSchedule(step=Decimal("0.01"))
    assert arbitrage.find(held, of, fees=costly, smallest="1000") != []
    assert arbitrage.promising(held, fees=costly) == ("A", "B")


@pytest.mark.parametrize("narrow", ["no book", "closed", "crossed"])
def test_a_contradiction_counts_whatever_becomes_of_its_market(narrow: str) -> None:
    markets = [
        asks("A", "greater", ("10", None), "Above 10?"),
        asks("B", "greater", ("20", None), "Above 20?"),
        outcome("C"),
    ]
    found = dict(books(A=quoted(no_ask="0.30"), C=quoted(no_ask="0.30")))
    if narrow == "closed":
        markets[1] = msgspec.structs.replace(markets[1], status="closed")
        found |= books(B=quoted(no_ask="0.30"))
    if narrow == "crossed":
        found |= books(B=quoted("0.30", "0.30"))
    packages = arbitrage.find(event(markets, exclusive=True), found, fees=FEES)
    assert {package.kind for package in packages} <= {"crossed"}
    # Without the market that contradicts the flag there would be one.
    told = event([markets[0], markets[2]], exclusive=True)
    assert [package.kind for package in arbitrage.find(told, found, fees=FEES)] == ["all_no"]
