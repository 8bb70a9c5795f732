"""Order books as frames come, go missing, come twice, or do not fit."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kalshi_async import models
from kalshi_async.stream import (
    OrderbookDelta,
    OrderbookSnapshot,
    StaleBookError,
    StreamFresh,
    StreamGap,
    StreamStale,
)
from kalshi_async.stream._leg import BookLeg

from .hostile import delta, snapshot, trade
from .line import Line, error, subscribed


@pytest.fixture
def line() -> Line:
    return Line()


def opened(line: Line, *tickers: str) -> BookLeg:
    """Books that stand."""
    leg = line.open(line.books(*tickers))
    line.say(*(snapshot(ticker, at + 1) for at, ticker in enumerate(tickers)))
    line.consumer.messages.clear()
    return leg


def asked(line: Line) -> list[list[str]]:
    """The markets of which snapshots were asked for since the last time, by command."""
    found = [each["params"] for each in line.sent()]
    assert all(each["action"] == "get_snapshot" for each in found)
    return [each["market_tickers"] for each in found]


def stale(leg: BookLeg) -> list[str]:
    return [ticker for ticker, book in leg.books.items() if book.stale]


def bid(leg: BookLeg, ticker: str) -> Decimal:
    return leg.books[ticker].size_at("yes", "0.40")


# ---------------------------------------------------------------------------- standing


def test_books_wait_for_their_snapshots(line):
    leg = line.open(line.books("A", "B"))
    assert stale(leg) == ["A", "B"]
    line.say(delta("A", 1), snapshot("A", 2), delta("A", 3))
    assert (stale(leg), bid(leg, "A"), line.stats.skipped) == (["B"], 11, 1)
    assert "fresh" not in line.consumer.said
    line.say(snapshot("B", 4))
    assert (stale(leg), line.consumer.said) == ([], ["live", "fresh"])
    kinds = [type(each) for each in line.consumer.messages]
    assert kinds == [OrderbookSnapshot, OrderbookDelta, OrderbookSnapshot]
    assert line.events == []
    assert asked(line) == []


def test_a_book_without_levels_is_a_book(line):
    leg = line.open(line.books("A"))
    empty = {"type": "orderbook_snapshot", "sid": 1, "seq": 1, "msg": {"market_ticker": "A"}}
    line.say(empty, delta("A", 2))
    assert (stale(leg), bid(leg, "A"), leg.books["A"].no) == ([], 1, ())


def test_a_later_snapshot_replaces_the_book(line):
    leg = opened(line, "A")
    line.say(delta("A", 2), snapshot("A", 3, yes="3.00"))
    assert bid(leg, "A") == 3


def test_a_market_that_is_added_waits_for_its_snapshot(line):
    leg = opened(line, "A")
    line.protocol.add(leg, ["B"], line.outcomes.append)
    (command,) = line.sent()
    line.say({"type": "ok", "id": command["id"], "sid": 1, "seq": 2})
    assert stale(leg) == ["B"]
    line.say(delta("A", 3), snapshot("B", 4))
    assert (stale(leg), bid(leg, "A")) == ([], 11)


def test_a_market_that_is_removed_is_stale(line):
    leg = opened(line, "A", "B")
    book = leg.books["B"]
    line.protocol.remove(leg, ["B"], line.outcomes.append)
    (command,) = line.sent()
    line.say(delta("B", 3), {"type": "ok", "id": command["id"], "sid": 1, "seq": 4}, delta("B", 5))
    assert (list(leg.books), book.stale, line.stats.dropped.total()) == (["A"], True, 1)
    assert [each.seq for each in line.consumer.messages] == [3]


def test_a_market_that_nobody_asked_for_is_dropped(line):
    leg = opened(line, "A")
    line.say(snapshot("X", 2), delta("X", 3), delta("A", 4))
    assert (list(leg.books), bid(leg, "A")) == (["A"], 11)
    assert ([each.seq for each in line.consumer.messages], line.stats.dropped.total()) == ([4], 2)


# ---------------------------------------------------------------------------- in doubt


def test_a_gap_makes_all_books_of_the_subscription_stale(line):
    leg, other = opened(line, "A", "B"), line.open(line.books("C"), 2)
    line.say(snapshot("C", 1, sid=2), delta("A", 4))
    assert (stale(leg), stale(other)) == (["A", "B"], [])
    with pytest.raises(StaleBookError, match="frames 3 to 3 are missing"):
        bid(leg, "A")
    assert [type(event) for event in line.events] == [StreamGap, StreamStale]
    assert line.events[1].tickers == ("A", "B")
    line.say(delta("B", 5), snapshot("A", 6, yes="7.00"), delta("A", 7), delta("B", 8))
    assert (stale(leg), bid(leg, "A"), line.stats.skipped) == (["B"], 8, 3)
    line.say(snapshot("B", 9))
    assert stale(leg) == []
    assert type(line.events[-1]) is StreamFresh
    assert [each.seq for each in line.consumer.messages if each.market_ticker != "C"] == [6, 7, 9]


def test_the_snapshots_of_a_gap_are_asked_for(line):
    leg = opened(line, "A", "B")
    line.say(delta("A", 9))
    wanted = asked(line)
    leg.ask_again(0.0)
    wanted += asked(line)
    assert {ticker for part in wanted for ticker in part} == {"A", "B"}


def test_many_snapshots_are_asked_for_in_parts(line):
    names = [f"M-{number}" for number in range(2_500)]
    leg = opened(line, *names)
    asked(line)
    leg.waiting.clear()
    line.say(delta("M-0", 9_999))
    leg.ask_again(0.0)
    parts = asked(line)
    assert all(len(part) <= 1_000 for part in parts)
    assert {name for part in parts for name in part} == set(names)


@pytest.mark.parametrize(
    "frame",
    [
        delta("A", 3, change="-10.01"),
        delta("A", 3, change="NaN"),
        delta("A", 3, change="Infinity"),
        delta("A", 3) | {"msg": delta("A", 3)["msg"] | {"price_dollars": "1.01"}},
        delta("A", 3) | {"msg": delta("A", 3)["msg"] | {"price_dollars": "NaN"}},
        delta("A", 3) | {"msg": delta("A", 3)["msg"] | {"side": "maybe"}},
        snapshot("A", 3, yes="-1"),
        snapshot("A", 3, yes="NaN"),
        snapshot("A", 3)
        | {"msg": {"market_ticker": "A", "yes_dollars_fp": [["0.4", "1"], ["0.40", "1"]]}},
    ],
)
def test_a_change_that_does_not_fit_makes_its_book_stale(line, frame):
    leg = opened(line, "A", "B")
    line.say(frame, delta("A", 4), delta("B", 5))
    assert (stale(leg), bid(leg, "B")) == (["A"], 11)
    assert [event.tickers for event in line.events] == [("A",)]
    assert [each.seq for each in line.consumer.messages] == [5]
    line.say(snapshot("A", 6))
    assert stale(leg) == []


def test_a_market_whose_snapshots_never_fit_is_not_asked_for_all_the_time(line):
    opened(line, "A")
    line.say(*(snapshot("A", seq, yes="-1") for seq in range(2, 200)))
    assert len(asked(line)) <= 2
    assert line.stats.resyncs <= 2


@pytest.mark.parametrize(
    ("text", "concerned"),
    [
        (b'{"type":"orderbook_delta","sid":1,"seq":2,"msg":{"market_ticker":"A"}}', ["A"]),
        (b'{"type":"orderbook_delta","sid":2,"msg":{"market_ticker":"A"}}', ["B"]),
        (b"garbage", ["A", "B"]),
    ],
)
def test_a_frame_that_cannot_be_read_puts_in_doubt_what_it_may_have_been_about(
    line, text, concerned
):
    legs = [opened(line, "A"), line.open(line.books("B"), 2)]
    line.say(snapshot("B", 1, sid=2), text)
    assert [ticker for leg in legs for ticker in stale(leg)] == concerned


def test_what_was_lost_with_its_number_is_missed_once(line):
    opened(line, "A")
    broken = {"type": "orderbook_delta", "sid": 1, "seq": 2, "msg": {}}
    line.say(broken, broken, delta("A", 3), snapshot("A", 4))
    assert (line.stats.gaps, line.stats.repeats, line.stats.unreadable) == (0, 1, 2)


def test_a_repeated_change_is_applied_once(line):
    leg = opened(line, "A")
    line.say(delta("A", 2), delta("A", 2), delta("A", 3))
    assert (bid(leg, "A"), stale(leg)) == (12, [])


def test_an_old_snapshot_that_comes_again_is_not_taken(line):
    leg = opened(line, "A")
    line.say(delta("A", 2), snapshot("A", 1))
    assert bid(leg, "A") == 11


def test_fresh_is_told_when_the_last_that_waits_is_removed(line):
    leg = opened(line, "A", "B")
    line.say(delta("A", 9), snapshot("A", 10))
    line.protocol.remove(leg, ["B"], line.outcomes.append)
    line.say({"type": "ok", "id": line.sent()[-1]["id"], "sid": 1, "seq": 11})
    assert type(line.events[-1]) is StreamFresh
    assert (stale(leg), line.consumer.said.count("fresh")) == ([], 2)


# ---------------------------------------------------------------------------- ended


@pytest.mark.parametrize("end", ["lost", "ended", "unsubscribed"])
def test_the_books_of_a_subscription_that_ended_are_stale(line, end):
    leg = opened(line, "A")
    if end == "lost":
        line.protocol.close("gone")
    elif end == "ended":
        line.say(error(25, sid=1, seq=2))
    else:
        line.protocol.unsubscribe(leg, line.outcomes.append)
        line.say({"type": "unsubscribed", "id": line.sent()[0]["id"], "sid": 1, "seq": 2})
    assert (stale(leg), line.consumer.said[-1]) == (["A"], "lost")
    assert asked(line) == []


def test_books_that_are_subscribed_to_again_wait_for_new_snapshots(line):
    leg = opened(line, "A", "B")
    line.say(error(25, sid=1, seq=3))
    line.say(subscribed(line.subscribe(leg), 2), delta("A", 1, sid=2), snapshot("A", 2, sid=2))
    assert stale(leg) == ["B"]
    line.say(snapshot("B", 3, sid=2), snapshot("A", 4, sid=1, yes="99.00"))
    assert (stale(leg), bid(leg, "A")) == ([], 10)
    assert [type(event) for event in line.events] == [StreamStale, StreamFresh]


def test_the_books_of_a_subscription_that_was_dropped_are_stale(line):
    leg = opened(line, "A")
    leg.drop()
    line.protocol.close("gone")
    assert stale(leg) == ["A"]


# ---------------------------------------------------------------------------- the model

TICKERS = ("A", "B", "C")
LOSSES = st.lists(
    st.tuples(
        st.sampled_from(TICKERS),
        st.sampled_from(["change", "change", "change", "snapshot", "ok", "trade", "garbled"]),
        st.sampled_from(["sent", "sent", "sent", "lost", "twice", "late", "garbage"]),
        st.integers(1, 9),
    ),
    max_size=60,
)


class Exchange:
    """Knows how the books truly stand after each number."""

    def __init__(self) -> None:
        self.books: dict[str, dict[str, Decimal]] = {ticker: {} for ticker in TICKERS}
        self.history: list[dict[str, dict[str, Decimal]]] = [self.copy()]

    def copy(self) -> dict[str, dict[str, Decimal]]:
        return {ticker: dict(book) for ticker, book in self.books.items()}

    @property
    def seq(self) -> int:
        return len(self.history) - 1

    def frame(self, ticker: str, kind: str, size: int) -> dict[str, Any] | bytes:
        seq, book, price = self.seq + 1, self.books[ticker], f"0.{size}0"
        frame: dict[str, Any] | bytes
        if kind in ("change", "garbled"):
            held = book.pop(price, Decimal(0))
            change = -held if held and size % 2 else Decimal(size)
            if held + change:
                book[price] = held + change
            named = {"price_dollars": price, "delta_fp": str(change), "side": "yes"}
            frame = delta(ticker, seq)
            frame["msg"] |= named if kind == "change" else {"delta_fp": None}
        elif kind == "snapshot":
            frame = snapshot(ticker, seq)
            levels = [[price, str(held)] for price, held in book.items()]
            frame["msg"] = {"market_ticker": ticker, "yes_dollars_fp": levels}
        elif kind == "trade":
            frame = trade(1, seq)
        else:
            frame = {"type": "ok", "sid": 1, "seq": seq, "msg": {}}
        self.history.append(self.copy())
        return frame


@given(LOSSES)
def test_a_book_that_is_not_stale_is_the_true_one(steps):
    line, exchange = Line(), Exchange()
    leg = line.open(line.books(*TICKERS))
    told: dict[str, dict[Decimal, Decimal]] = {}
    late: list[Any] = []
    for ticker, kind, fate, size in steps:
        frame = exchange.frame(ticker, kind, size)
        if fate == "garbage":
            line.say(b"garbage")
        if fate == "late":
            late.append(frame)
        elif fate != "lost":
            line.say(*[frame] * (2 if fate == "twice" else 1))
            line.say(*late)
            late.clear()
        # What the client knows of the sequence is all it can be held to.
        truth = exchange.history[min(leg.next_seq - 1, exchange.seq)]
        for name, book in leg.books.items():
            if not book.stale:
                levels = {level.price: level.size for level in book.yes}
                assert levels == {Decimal(price): held for price, held in truth[name].items()}
        for message in line.consumer.messages:
            follow(told, message)
        line.consumer.messages.clear()
        for name, book in leg.books.items():
            if not book.stale:
                assert told[name] == {level.price: level.size for level in book.yes}
    line.say(*(exchange.frame(ticker, "snapshot", 1) for ticker in TICKERS))
    assert stale(leg) == []
    for name, book in leg.books.items():
        ours = models.OrderBook(ticker=name, yes=book.yes, no=book.no)
        assert book.differences(ours) == ()
        assert {str(level.price)[:4] for level in book.yes} == exchange.books[name].keys()


def follow(told: dict[str, dict[Decimal, Decimal]], message: Any) -> None:
    """A consumer who keeps books from what it is given alone."""
    if isinstance(message, OrderbookSnapshot):
        told[message.ticker] = {level.price: level.size for level in message.yes or ()}
        return
    book = told[message.ticker]
    book[message.price] = book.get(message.price, Decimal(0)) + message.delta
    if not book[message.price]:
        del book[message.price]
