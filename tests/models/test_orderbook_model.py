"""The order book: both forms of the wire, and its arithmetic."""

from __future__ import annotations

import decimal
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kalshi_async._decode import object_decoder
from kalshi_async._errors import DecodeError, InvalidRequestError
from kalshi_async.models import Level, OrderBook
from kalshi_async.models.orderbook import WireOrderBook

D = Decimal


def decode(body: object) -> OrderBook:
    raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
    wire, drift = object_decoder(WireOrderBook).decode(raw)
    assert drift == []
    return wire.book("KXA-1")


BOOK = decode(
    {
        "orderbook_fp": {
            "yes_dollars": [["0.4500", "10.00"], ["0.4700", "3.50"]],
            "no_dollars": [["0.5000", "7.00"], ["0.5100", "2.25"]],
        }
    }
)
EMPTY = OrderBook(ticker="KXA-1")


def test_best_prices():
    assert BOOK.ticker == "KXA-1"
    assert BOOK.yes[-1] == Level(D("0.4700"), D("3.50"))
    assert (BOOK.best_yes_bid, BOOK.best_yes_ask) == (D("0.4700"), D("0.4900"))
    assert (BOOK.best_no_bid, BOOK.best_no_ask) == (D("0.5100"), D("0.5300"))
    assert (BOOK.spread, BOOK.mid) == (D("0.0200"), D("0.4800"))


def test_an_empty_book_has_no_prices():
    for name in ("best_yes_bid", "best_yes_ask", "best_no_bid", "best_no_ask", "spread", "mid"):
        assert getattr(EMPTY, name) is None
    assert EMPTY.depth("yes") == 0
    assert EMPTY.size_at("no", "0.5") == 0
    one_sided = OrderBook(yes=BOOK.yes)
    assert one_sided.best_no_ask == D("0.5300")
    assert (one_sided.best_yes_ask, one_sided.spread, one_sided.mid) == (None, None, None)


def test_depth_and_size():
    assert BOOK.depth("yes") == D("13.50")
    assert BOOK.depth("no", levels=1) == D("2.25")
    assert BOOK.depth("no", levels=0) == 0
    assert BOOK.depth("no", levels=9) == D("9.25")
    assert BOOK.size_at("yes", D("0.45")) == D("10.00")
    assert BOOK.size_at("no", "0.51") == D("2.25")
    assert BOOK.size_at("no", "0.45") == 0


def test_cost_walks_the_opposite_bids():
    assert BOOK.cost("yes", 2) == 2 * D("0.49")
    assert BOOK.cost("yes", "9.25") == D("2.25") * D("0.49") + 7 * D("0.50")
    assert BOOK.cost("no", D("3.50")) == D("3.50") * D("0.53")
    with pytest.raises(InvalidRequestError, match=r"KXA-1 offers only 9\.25 contracts of yes"):
        BOOK.cost("yes", 10)
    with pytest.raises(InvalidRequestError, match="offers only 0 contracts of no"):
        EMPTY.cost("no", 1)


@pytest.mark.parametrize("count", [0, -1, "0", "-2.5", "ten", "NaN", "Infinity", 1.5, True, None])
def test_cost_of_no_count(count):
    with pytest.raises(InvalidRequestError, match="count is"):
        BOOK.cost("yes", count)


@pytest.mark.parametrize("price", [0.45, 45, "half", "NaN", None])
def test_size_at_no_price(price):
    with pytest.raises(InvalidRequestError, match="price is"):
        BOOK.size_at("yes", price)


def test_other_sides_and_levels_are_refused():
    for call in (
        lambda: BOOK.depth("bid"),
        lambda: BOOK.size_at("YES", "0.45"),
        lambda: BOOK.cost("maybe", 1),
        lambda: EMPTY.cost("maybe", 1),
    ):
        with pytest.raises(InvalidRequestError, match='expected "yes" or "no"'):
            call()
    with pytest.raises(InvalidRequestError, match="levels is -1"):
        BOOK.depth("yes", levels=-1)


def test_cents_with_and_without_dollar_strings():
    new = {"orderbook_fp": {"yes_dollars": [["0.4700", "3"]], "no_dollars": [["0.0300", "12"]]}}
    cents = {"yes": [[47, 3]], "no": [[3, 12]]}
    dollars = {"yes_dollars": [["0.4700", 3]], "no_dollars": [["0.0300", 12]]}
    assert decode({"orderbook": cents}) == decode(new)
    assert decode({"orderbook": cents | dollars}) == decode(new)
    assert str(decode({"orderbook": cents}).best_yes_bid) == "0.4700"


def test_finer_dollar_strings_win_over_cents():
    sent = {"yes": [[47, 3]], "no": None, "yes_dollars": [["0.4750", 3]], "no_dollars": None}
    assert decode({"orderbook": sent}).best_yes_bid == D("0.4750")


@pytest.mark.parametrize(
    "body",
    [
        {"orderbook": {"yes": None, "no": None, "yes_dollars": None, "no_dollars": None}},
        {"orderbook": {"yes": [], "no": []}},
        {"orderbook_fp": {"yes_dollars": [], "no_dollars": None}},
    ],
)
def test_empty_sides(body):
    assert decode(body) == EMPTY


def test_levels_are_sorted():
    sent = {"yes_dollars": [["0.4700", "1"], ["0.0900", "2"]], "no_dollars": []}
    assert [level.price for level in decode({"orderbook_fp": sent}).yes] == [D("0.09"), D("0.47")]


@pytest.mark.parametrize(
    "side",
    [
        [["0.47"]],
        [["0.47", "1", "2"]],
        [["x", "1"]],
        [["1.01", "1"]],
        [["-0.01", "1"]],
        [["NaN", "1"]],
        [["0.47", "-1"]],
        [["0.47", "Infinity"]],
        "none",
        {},
    ],
)
@pytest.mark.parametrize("form", ["orderbook_fp", "orderbook"])
def test_a_side_that_cannot_be_read_is_an_error_and_never_an_empty_side(side, form):
    """To take it for empty would show a price that does not exist."""
    other = {"yes_dollars": [["0.10", "1"]]} if form == "orderbook_fp" else {"yes": [[10, 1]]}
    name = "no_dollars" if form == "orderbook_fp" else "no"
    with pytest.raises(DecodeError):
        decode({form: other | {name: side}})


@pytest.mark.parametrize("body", [b"{}", b'{"orderbook_fp":null}', b'{"orderbook_fp":{}}', b"[]"])
def test_no_book_at_all_is_an_error(body):
    with pytest.raises(DecodeError):
        decode(body)


ticks = st.integers(1, 999).map(lambda tick: D(tick) / 1000)
sizes = st.integers(1, 10**6).map(lambda size: D(size) / 100)
sides = st.dictionaries(ticks, sizes, max_size=12).map(
    lambda levels: tuple(Level(price, levels[price]) for price in sorted(levels))
)


@given(yes=sides, no=sides)
def test_wire_and_back(yes, no):
    def sent(levels):
        return [[f"{price:.4f}", f"{size:.2f}"] for price, size in levels]

    body = {"orderbook_fp": {"yes_dollars": sent(yes), "no_dollars": sent(no)}}
    assert decode(body) == OrderBook(ticker="KXA-1", yes=yes, no=no)


@given(cents=st.dictionaries(st.integers(1, 99), st.integers(1, 10**6), max_size=20))
def test_cents_are_hundredths_of_dollars(cents):
    old = {"yes": [[price, size] for price, size in cents.items()], "no": None}
    book = decode({"orderbook": old})
    assert [(level.price * 100, level.size) for level in book.yes] == sorted(cents.items())


@given(yes=sides, no=sides, count=sizes)
def test_cost_takes_the_cheapest_first(yes, no, count):
    book = OrderBook(yes=yes, no=no)
    for side, offers in (("yes", no), ("no", yes)):
        cheapest_first = sorted((1 - price, size) for price, size in offers)
        if count > sum(size for _, size in offers):
            with pytest.raises(InvalidRequestError, match=r"offers only [\d.]+ contracts"):
                book.cost(side, count)
            continue
        before, expected = D(0), D(0)
        for ask, size in cheapest_first:
            expected += ask * max(D(0), min(size, count - before))
            before += size
        assert book.cost(side, count) == expected
        assert cheapest_first[0][0] * count <= expected <= cheapest_first[-1][0] * count


@given(yes=sides, no=sides)
def test_prices_of_both_sides_mirror_each_other(yes, no):
    book, mirror = OrderBook(yes=yes, no=no), OrderBook(yes=no, no=yes)
    assert book.best_yes_ask == mirror.best_no_ask
    assert book.best_no_bid == mirror.best_yes_bid
    assert book.spread == mirror.spread
    assert book.depth("yes") == mirror.depth("no") == sum((size for _, size in yes), D(0))
    for price, size in yes:
        assert book.size_at("yes", price) == size
    if book.mid is not None:
        assert book.mid + mirror.mid == 1
        assert book.spread == 1 - book.best_yes_bid - book.best_no_bid


def test_what_the_caller_has_set_for_decimals_decides_nothing() -> None:
    half = Decimal("0.4321")
    book = OrderBook(
        yes=(Level(half, Decimal("12345.67")),),
        no=(Level(half, Decimal("76543.21")), Level(Decimal("0.4322"), Decimal("98765.43"))),
    )

    def asked() -> tuple[Decimal | None, ...]:
        return (
            book.best_yes_ask,
            book.best_no_ask,
            book.spread,
            book.mid,
            book.depth("no"),
            book.size_at("no", half),
            book.cost("yes", "123456.78"),
        )

    known = asked()
    assert known[-1] == Decimal("98765.43") * Decimal("0.5678") + Decimal("24691.35") * Decimal(
        "0.5679"
    )
    with decimal.localcontext(decimal.Context(prec=2, traps=[decimal.Inexact])):
        assert asked() == known
