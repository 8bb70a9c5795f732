"""The live order book: examples, refusals, what it says; see also its model test."""

from __future__ import annotations

import sys
import tracemalloc
from decimal import ROUND_DOWN, Context, Decimal, localcontext

import msgspec
import pytest

from kalshi_async import models
from kalshi_async._errors import InvalidRequestError, KalshiError
from kalshi_async._stream_errors import BookError, StaleBookError
from kalshi_async.models import Level
from kalshi_async.stream.orderbook import NO_SNAPSHOT, BookView, LevelDifference, OrderBook

D = Decimal
YES = [(D("0.4500"), D("10.00")), (D("0.4700"), D("3.50"))]
NO = [(D("0.5000"), D("7.00")), (D("0.5100"), D("2.25"))]


@pytest.fixture
def book() -> OrderBook:
    book = OrderBook("KXA-1")
    book.apply_snapshot(YES, NO, clock=17)
    return book


def test_best_prices_and_sizes(book):
    assert (book.ticker, book.clock, book.stale) == ("KXA-1", 17, False)
    assert (book.best_yes_bid, book.best_yes_ask) == (D("0.47"), D("0.49"))
    assert (book.best_no_bid, book.best_no_ask) == (D("0.51"), D("0.53"))
    assert (book.spread, book.mid) == (D("0.02"), D("0.48"))
    assert book.yes == tuple(Level(*level) for level in YES)
    assert (book.depth("yes"), book.depth("no", levels=1)) == (D("13.5"), D("2.25"))
    assert book.cost("yes", "9.25") == D("2.25") * D("0.49") + 7 * D("0.50")


def test_a_book_without_bids_has_no_prices():
    book = OrderBook("KXA-1")
    book.apply_snapshot([], [])
    for name in ("best_yes_bid", "best_yes_ask", "best_no_bid", "best_no_ask", "spread", "mid"):
        assert getattr(book, name) is None
    assert (book.yes, book.no, book.depth("yes"), book.size_at("no", "0.5")) == ((), (), 0, 0)
    book.apply_delta("yes", D("0.30"), D(1))
    assert (book.best_no_ask, book.best_yes_ask, book.mid) == (D("0.70"), None, None)


def test_levels_come_grow_shrink_and_go(book):
    book.apply_delta("yes", D("0.4800"), D("5.00"))
    assert (book.best_yes_bid, book.size_at("yes", "0.48")) == (D("0.48"), 5)
    book.apply_delta("yes", D("0.48"), D("-2"))
    assert book.size_at("yes", D("0.480")) == 3
    book.apply_delta("yes", D("0.480"), D("-3.00"))
    assert (book.best_yes_bid, len(book.yes)) == (D("0.47"), 2)
    book.apply_delta("yes", D("0.4500"), D("-10"))
    assert book.yes == (Level(D("0.4700"), D("3.50")),)
    book.apply_delta("yes", D("0.4600"), D("1"))
    assert [level.price for level in book.yes] == [D("0.46"), D("0.47")]


def test_one_price_written_in_two_ways_is_one_level(book):
    book.apply_delta("no", D("0.52"), D("1.00"))
    book.apply_delta("no", D("0.5200"), D("0.50"))
    assert book.size_at("no", "0.520") == D("1.50")
    assert len(book.no) == 3


def test_prices_and_sizes_finer_than_the_grid_are_exact(book):
    fine, size = D("0.4700000000000000000000001"), D("0.000000001")
    book.apply_delta("yes", fine, size)
    book.apply_delta("yes", fine, size)
    assert (book.best_yes_bid, book.size_at("yes", fine)) == (fine, D("2E-9"))
    assert book.best_no_ask == D("0.5299999999999999999999999")
    assert book.cost("no", D("2E-9")) == D("2E-9") * D("0.5299999999999999999999999")
    assert book.depth("yes") == D("13.500000002")


def test_many_changes_leave_every_size_exact(book):
    """More levels change than are kept as Decimals at a time, with fine sizes among them."""
    expected = {}
    for turn in range(4):
        for tick in range(1, 400):
            price = D(tick).scaleb(-3)
            delta = D(tick * (turn + 1)).scaleb(-4 if tick % 7 == 0 else -2)
            book.apply_delta("no", price, delta)
            expected[price] = expected.get(price, D(0)) + delta
    assert {price: size for price, size in book.no if price < D("0.4")} == expected
    for price, size in expected.items():
        assert book.size_at("no", price) == size
        book.apply_delta("no", price, -size)
    assert book.no == tuple(Level(*level) for level in NO)


@pytest.mark.parametrize("side", ["yes", "no"])
@pytest.mark.parametrize(
    ("price", "delta", "message"),
    [
        ("0.4600", "-1", "0 contracts are bid for (yes|no) at 0.4600, which cannot change by -1"),
        ("1.0001", "1", r"1\.0001 is no price; expected dollars from 0 to 1"),
        ("-0.01", "1", r"-0\.01 is no price"),
        ("47", "0", "47 is no price"),
        ("NaN", "1", "NaN is no price"),
        ("sNaN", "1", "sNaN is no price"),
        ("-Infinity", "1", "-Infinity is no price"),
        ("1E-28", "1", "1E-28 is no price; expected .* at most 28 digits"),
        ("0.60", "NaN", "NaN is no change of a size; expected contracts, as a finite"),
        ("0.60", "sNaN", "sNaN is no change"),
        ("0.60", "Infinity", "Infinity is no change"),
        ("0.60", "1E-28", "1E-28 is no change"),
        ("0.60", "1E+999999", r"1E\+999999 is no change"),
        ("0.60", "9" * 1000, f"^KXA-1: {'9' * 40}… is no change"),
    ],
)
def test_a_change_that_does_not_fit_changes_nothing(book, side, price, delta, message):
    before = book.snapshot(), book.version
    with pytest.raises(BookError, match=message) as caught:
        book.apply_delta(side, D(price), D(delta))
    assert caught.value.ticker == "KXA-1"
    assert (book.snapshot(), book.version, book.stale) == (*before, False)


@pytest.mark.parametrize("delta", ["-3.51", "NaN", "sNaN", "Infinity", "-Infinity", "1E-28"])
def test_a_change_that_does_not_fit_a_level_changes_nothing(book, delta):
    book.apply_delta("yes", D("0.45"), D(1))
    for price in ("0.45", "0.47"):  # the first has changed since the snapshot
        before = book.snapshot(), book.version
        with pytest.raises(BookError, match=r"0\.4[57]|no change") as caught:
            book.apply_delta("yes", D(price), 4 * D(delta) if delta == "-3.51" else D(delta))
        assert isinstance(caught.value, KalshiError)
        assert (book.snapshot(), book.version) == before


def test_a_sum_that_needs_more_digits_than_are_kept_is_refused(book):
    book.apply_delta("yes", D("0.45"), D("1E+25"))
    before = book.yes
    with pytest.raises(BookError, match="has at most 28 digits"):
        book.apply_delta("yes", D("0.45"), D("0.0001"))
    assert book.yes == before


@pytest.mark.parametrize(
    ("side", "price", "delta", "message"),
    [
        ("bid", D("0.5"), D(1), 'side is \'bid\'; expected "yes" or "no"'),
        (None, D("0.5"), D(1), "side is None"),
        ("yes", 0.46, D(1), r"0\.46 is no price; .* as a Decimal"),
        ("yes", "0.47", D(1), r"'0\.47' is no price"),
        ("yes", [], D(1), r"\[\] is no price"),
        ("yes", D("0.47"), 1.5, r"1\.5 is no change"),
        ("yes", D("0.47"), "1", "'1' is no change"),
        ("yes", D("0.46"), None, "None is no change"),
    ],
)
def test_what_is_no_decimal_is_refused(book, side, price, delta, message):
    before = book.snapshot(), book.version
    with pytest.raises(BookError, match=message):
        book.apply_delta(side, price, delta)
    assert (book.snapshot(), book.version) == before


@pytest.mark.parametrize(
    ("levels", "message"),
    [
        ([(D("0.5"), D(1)), (D("0.50"), D(2))], "two no levels have one price"),
        ([(D("0.5"), D(1)), (D("1.5"), D(2))], r"no price 1\.5; expected dollars"),
        ([(D("0.5"), D("-1"))], "no level of -1 contracts; expected contracts, .* 0 or more"),
        ([(D("0.5"), D("NaN"))], "no level of NaN contracts"),
        ([(D("sNaN"), D(1))], "no price sNaN"),
        ([(D("0.5"), D("1E+28"))], r"no level of 1E\+28 contracts"),
        ([(0.5, D(1))], r"no price 0\.5; expected dollars"),
        ([(D("0.5"),)], "the no levels are no pairs"),
        (7, "the no levels are no pairs"),
    ],
)
def test_a_snapshot_that_is_no_book_changes_nothing(book, levels, message):
    book.mark_stale("gap")
    face = book.view(allow_stale=True)
    before = face.snapshot(), book.version, book.clock
    with pytest.raises(BookError, match=message):
        book.apply_snapshot([(D("0.1"), D(1))], levels, clock=99)
    assert (face.snapshot(), book.version, book.clock) == before
    assert book.stale_reason == "gap"


def test_a_snapshot_takes_any_iterable_in_any_order_and_leaves_out_empty_levels():
    book = OrderBook("KXA-1")
    levels = [(D("0.47"), D("1")), (D("0.02"), D("0.00")), (D("0.45"), D("2E+1"))]
    book.apply_snapshot(iter(levels), ())
    assert book.yes == (Level(D("0.45"), D(20)), Level(D("0.47"), D(1)))
    assert book.clock is None


def test_a_book_is_stale_until_its_first_snapshot(book):
    fresh = OrderBook("KXB-2")
    assert (fresh.stale, fresh.stale_reason, fresh.version) == (True, NO_SNAPSHOT, 0)
    with pytest.raises(StaleBookError, match="the book of KXB-2 is stale: no snapshot") as caught:
        _ = fresh.best_yes_bid
    assert (caught.value.ticker, caught.value.reason) == ("KXB-2", "no snapshot yet")
    fresh.apply_snapshot([], [])
    assert fresh.best_yes_bid is None


def test_a_view_may_read_what_is_stale(book):
    tolerant, strict = book.view(allow_stale=True), book.view(allow_stale=False)
    book.mark_stale("sequence gap")
    book.apply_delta("yes", D("0.48"), D(1))
    assert book.stale
    assert tolerant.stale_reason == "sequence gap"
    assert (tolerant.best_yes_bid, tolerant.cost("no", 1)) == (D("0.48"), D("0.52"))
    with pytest.raises(StaleBookError):
        _ = strict.best_yes_bid
    assert not hasattr(tolerant, "apply_delta")
    book.apply_snapshot(NO, YES)
    assert (strict.best_yes_bid, tolerant.best_yes_bid, tolerant.stale) == (D("0.51"),) * 2 + (
        False,
    )


def test_version_grows_with_each_change(book):
    versions = [book.version]
    book.apply_delta("yes", D("0.45"), D(1))
    versions.append(book.version)
    book.apply_delta("no", D("0.45"), D(1))
    versions.append(book.version)
    book.apply_snapshot(YES, NO)
    versions.append(book.version)
    assert versions == sorted(set(versions))


def test_a_snapshot_does_not_change_and_keeps_the_side_that_did_not(book):
    before = book.snapshot()
    assert before == models.OrderBook(
        ticker="KXA-1",
        yes=tuple(Level(*level) for level in YES),
        no=tuple(Level(*level) for level in NO),
    )
    book.apply_delta("yes", D("0.45"), D(1))
    after = book.snapshot()
    assert (before.yes[0].size, after.yes[0].size) == (10, 11)
    assert after.no is before.no


def test_questions_that_make_no_sense_are_refused_as_by_the_frozen_book(book):
    for call, message in (
        (lambda: book.depth("bid"), 'expected "yes" or "no"'),
        (lambda: book.depth("yes", levels=-1), "levels is -1"),
        (lambda: book.size_at("YES", D("0.45")), 'expected "yes" or "no"'),
        (lambda: book.size_at("yes", 0.45), "price is 0.45"),
        (lambda: book.size_at("yes", D("sNaN")), "price is"),
        (lambda: book.cost("maybe", 1), 'expected "yes" or "no"'),
        (lambda: book.cost("yes", 0), "expected more than 0"),
        (lambda: book.cost("yes", 10), r"book of KXA-1 offers only 9\.25 contracts"),
        (lambda: book.cost("yes", D("9." + "0" * 200 + "1")), "at most 28 digits"),
        (lambda: book.cost("yes", 10**5000 + 1), "count is"),
        (lambda: book.differences(models.OrderBook(ticker="KXB-2")), "book of KXB-2"),
    ):
        with pytest.raises(InvalidRequestError, match=message):
            call()


def test_differences_name_side_price_and_both_sizes(book):
    assert book.differences(book.snapshot()) == ()
    theirs = models.OrderBook(
        ticker="KXA-1",
        yes=(Level(D("0.45"), D("10")), Level(D("0.46"), D("1"))),
        no=(Level(D("0.5"), D("7.5")), Level(D("0.51"), D("2.250"))),
    )
    assert book.differences(theirs) == (
        LevelDifference("yes", D("0.46"), D(0), D(1)),
        LevelDifference("yes", D("0.47"), D("3.50"), D(0)),
        LevelDifference("no", D("0.50"), D(7), D("7.5")),
    )


def test_the_callers_decimal_context_rounds_nothing(book):
    answers = book.mid, book.depth("yes"), book.cost("yes", "9.25"), book.best_no_ask
    with localcontext(Context(prec=1, rounding=ROUND_DOWN, traps=[])):
        again = OrderBook("KXA-1")
        again.apply_snapshot([], NO)
        for price, size in YES:
            again.apply_delta("yes", price, size)
        with pytest.raises(BookError):
            again.apply_delta("yes", D("0.45"), D("NaN"))
        assert answers == (again.mid, again.depth("yes"), again.cost("yes", "9.25"), D("0.53"))
        assert again.size_at("yes", "0.4700") == D("3.50")
    assert again.snapshot() == book.snapshot()


def test_repr_says_what_matters(book):
    assert repr(book) == (
        "<OrderBook KXA-1: bid 0.4700 x 3.50, ask 0.4900 x 2.25, 2 yes and 2 no levels>"
    )
    book.mark_stale("connection lost")
    view = book.view(allow_stale=True)
    assert type(view) is BookView
    assert repr(view).startswith("<BookView KXA-1: bid 0.4700 x 3.50, ask")
    assert repr(view).endswith("levels, stale: connection lost>")
    assert repr(OrderBook("KXB-2")) == (
        "<OrderBook KXB-2: bid none, ask none, 0 yes and 0 no levels, stale: no snapshot yet>"
    )


def test_a_recorded_subscription(shared):
    path = shared / "recorded/2026-06-demo/ws__orderbook_trade_yes.jsonl"
    frames = [msgspec.json.decode(line) for line in path.read_bytes().splitlines() if line.strip()]
    book, sizes = None, []
    for frame in frames:
        message = frame["msg"]
        if frame["type"] == "orderbook_snapshot":
            book = OrderBook(message["market_ticker"])
            sides = (message.get(f"{side}_dollars_fp", ()) for side in ("yes", "no"))
            book.apply_snapshot(*([(D(p), D(s)) for p, s in side] for side in sides))
        elif frame["type"] == "orderbook_delta":
            side, price = message["side"], D(message["price_dollars"])
            book.apply_delta(side, price, D(message["delta_fp"]))
            sizes.append(book.size_at(side, price))
    assert (sizes, book.best_yes_bid, book.best_yes_ask) == ([0, 2], D("0.47"), D("0.48"))


@pytest.mark.skipif(sys.implementation.name != "cpython", reason="sizes of CPython's objects")
def test_a_full_book_stays_below_25_kilobytes():
    grid = [D(tick).scaleb(-2) for tick in range(1, 100)]
    books = [OrderBook(f"KXM-{number}") for number in range(40)]
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for number, book in enumerate(books):
            levels = [(price, D(number * 100 + i + 7001) / 100) for i, price in enumerate(grid)]
            book.apply_snapshot(levels, levels)
            for price, size in levels * 3:
                for side in ("yes", "no"):
                    book.apply_delta(side, price, -size)
                    book.apply_delta(side, price, size)
            for price, size in levels:
                book.apply_delta("yes", price, size)
                book.apply_delta("no", price, size)
        del levels, price, size
        held = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert 0 < held < len(books) * 25_000
