"""Commands of the WebSocket and the numbering of its frames, without a socket."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kalshi_async.sandbox._text import SECOND, named_uuid
from kalshi_async.sandbox._ws.protocol import COMMANDS_PER_SECOND, MOST_MARKETS
from kalshi_async.sandbox._ws.subscription import CHANNELS

from .ws_line import LISTED, NOW, Line


def test_subscribing_answers_channel_by_channel_before_any_snapshot():
    line = Line()
    frames = line.send(
        "subscribe", 4, channels=["orderbook_delta", "trade"], market_tickers=LISTED[:2]
    )
    assert frames[:2] == [
        {"type": "subscribed", "id": 4, "msg": {"channel": "orderbook_delta", "sid": 1}},
        {"type": "subscribed", "id": 4, "msg": {"channel": "trade", "sid": 2}},
    ]
    assert [(each["type"], each["sid"], each["seq"]) for each in frames[2:]] == [
        ("orderbook_snapshot", 1, 1),
        ("orderbook_snapshot", 1, 2),
    ]
    assert [each["msg"]["market_ticker"] for each in frames[2:]] == LISTED[:2]


def test_a_repeated_channel_or_market_counts_once():
    line = Line()
    frames = line.send(
        "subscribe", channels=["orderbook_delta"] * 3, market_tickers=[LISTED[0]] * 3
    )
    assert [each["type"] for each in frames] == ["subscribed", "orderbook_snapshot"]


def test_one_market_can_be_named_without_a_list():
    line = Line()
    assert len(line.send("subscribe", channels=["orderbook_delta"], market_ticker=LISTED[3])) == 2


def test_yes_prices_are_asked_for_by_the_subscription():
    line = Line()
    line.follow(LISTED[0], use_yes_price=True)
    line.follow(LISTED[0])
    snapshots = [each for each in line.frames if each["type"] == "orderbook_snapshot"]
    assert [each["msg"]["clock"] for each in snapshots] == [1, 0]


def test_initial_prices_come_on_the_ticker_channel_only_when_asked_for():
    line = Line()
    line.follow(LISTED[0], channel="ticker")
    assert [each["type"] for each in line.frames] == ["subscribed"]
    line.follow(LISTED[0], channel="ticker", send_initial_snapshot=True)
    assert line.frames[-1] == {"type": "ticker", "sid": 2, "msg": {"market_ticker": LISTED[0]}}


def test_markets_are_added_and_removed_with_the_whole_list_as_answer():
    line = Line()
    sid = line.follow(LISTED[0])
    added = line.send(
        "update_subscription", 2, sid=sid, action="add_markets", market_tickers=LISTED[:3]
    )
    assert added[0] == {
        "type": "ok",
        "id": 2,
        "sid": sid,
        "seq": 2,
        "msg": {"market_tickers": LISTED[:3]},
    }
    assert [each["msg"]["market_ticker"] for each in added[1:]] == LISTED[1:3]
    (removed,) = line.send(
        "update_subscription", 3, sids=[sid], action="delete_markets", market_ticker=LISTED[1]
    )
    assert removed["msg"] == {"market_tickers": [LISTED[0], LISTED[2]]}
    assert next(iter(line.board.watched.values())) == {LISTED[0], LISTED[2]}


def test_a_snapshot_can_be_had_again_without_changing_the_subscription():
    line = Line()
    sid = line.follow(*LISTED[:2])
    (again,) = line.send(
        "update_subscription", 9, sid=sid, action="get_snapshot", market_tickers=[LISTED[1]]
    )
    assert (again["type"], again["id"], again["sid"], again["seq"]) == (
        "orderbook_snapshot",
        9,
        sid,
        3,
    )
    assert line.session.subscriptions[sid].markets == dict.fromkeys(LISTED[:2])


def test_quiet_subscriptions_are_not_told_their_markets():
    line = Line()
    sid = line.follow(LISTED[0], channel="ticker", skip_ticker_ack=True)
    (answer,) = line.send(
        "update_subscription", sid=sid, action="add_markets", market_tickers=[LISTED[1]]
    )
    assert "msg" not in answer


def test_the_ticker_channel_takes_market_ids():
    line = Line()
    ids = [named_uuid(ticker) for ticker in LISTED[:2]]
    line.send("subscribe", channels=["ticker"], market_ids=ids[:1], send_initial_snapshot=True)
    assert line.frames[-1]["msg"] == {"market_ticker": LISTED[0]}
    (answer,) = line.send("update_subscription", sid=1, action="add_markets", market_id=ids[1])
    assert answer["msg"] == {"market_tickers": [], "market_ids": ids}
    assert line.error("subscribe", channels=["orderbook_delta"], market_ids=ids) == 14
    assert line.error("subscribe", channels=["trade"], market_ids=ids) == 11
    assert line.error("subscribe", channels=["ticker"], market_id=named_uuid("nobody")) == 11


def test_subscriptions_are_listed_and_end():
    line = Line()
    line.follow(LISTED[0])
    line.follow(channel="fill")
    (listed,) = line.take(line.session.receive('{"id":5,"cmd":"list_subscriptions"}', NOW))
    assert listed == {
        "type": "ok",
        "id": 5,
        "msg": [{"channel": "orderbook_delta", "sid": 1}, {"channel": "fill", "sid": 2}],
    }
    ended = line.send("unsubscribe", 6, sids=[1, 2, 99])
    assert ended[:2] == [
        {"type": "unsubscribed", "id": 6, "sid": 1, "seq": 2},
        {"type": "unsubscribed", "id": 6, "sid": 2, "seq": 1},
    ]
    assert ended[2]["msg"]["code"] == 7
    assert not line.session.subscriptions
    assert not line.board.watched


def test_indices_are_followed_listed_and_left():
    line = Line()
    sid = line.follow(channel="cfbenchmarks_value", index_ids=["BRTI"])
    sub = line.session.subscriptions[sid]
    assert sub.follows("BRTI")
    assert not sub.follows("ETHUSD_RTI")
    (ok,) = line.send(
        "update_subscription", sid=sid, action="subscribe_indices", index_ids=["all", "ETHUSD_RTI"]
    )
    assert ok["msg"] == {"index_ids": ["all", "BRTI", "ETHUSD_RTI"]}
    (ok,) = line.send(
        "update_subscription", sid=sid, action="unsubscribe_indices", index_ids=["all", "BRTI"]
    )
    assert ok["msg"] == {"index_ids": ["ETHUSD_RTI"]}
    (listed,) = line.send("update_subscription", 8, sid=sid, action="indexlist")
    assert (listed["type"], listed["id"], listed["seq"]) == ("cfbenchmarks_value_indexlist", 8, 3)
    pyth = line.follow(channel="pyth_value", underlying_tickers=["all"])
    (listed,) = line.send("update_subscription", sid=pyth, action="underlying_list")
    assert listed["type"] == "pyth_value_underlying_list"
    assert line.error("update_subscription", sid=pyth, action="subscribe_underlyings") == 28
    assert line.error("update_subscription", sid=sid, action="subscribe_indices") == 24


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", 1),
        ("hello", 1),
        ("[1]", 1),
        ("[" * 200_000, 1),
        ("{}", 5),
        ('{"id":1}', 5),
        ('{"id":1,"cmd":"buy"}', 5),
        ('{"id":1,"cmd":["subscribe"]}', 5),
        ('{"id":"one","cmd":"subscribe","params":{}}', 11),
        ('{"id":true,"cmd":"subscribe","params":{}}', 11),
        ('{"id":1,"cmd":"subscribe"}', 2),
        ('{"id":1,"cmd":"subscribe","params":[]}', 11),
    ],
)
def test_what_is_no_command_is_answered_by_an_error(text: str, code: int):
    (frame,) = Line().session.receive(text, NOW)
    assert json.loads(frame.payload)["msg"]["code"] == code


def book(**params: Any) -> tuple[str, dict[str, Any]]:
    return "subscribe", {"channels": ["orderbook_delta"], "market_tickers": LISTED[:1], **params}


def rfqs(**params: Any) -> tuple[str, dict[str, Any]]:
    return "subscribe", {"channels": ["communications"], **params}


def change(**params: Any) -> tuple[str, dict[str, Any]]:
    return "update_subscription", {"sid": 1, "action": "add_markets", **params}


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (("subscribe", {}), 3),
        (book(channels=[]), 3),
        (book(channels="ticker"), 11),
        (book(channels=["ticker", "ticker_v2"]), 8),
        (book(market_tickers=None), 14),
        (book(market_tickers=[]), 14),
        (book(market_tickers=[1]), 11),
        (book(market_tickers=["KXNOBODY"]), 11),
        (book(market_ticker=LISTED[1]), 11),
        (book(use_yes_price="yes"), 11),
        (book(user_filter="others"), 11),
        (book(market_tickers=[f"KX-{number}" for number in range(MOST_MARKETS + 1)]), 26),
        (book(channels=["trade", "pyth_value"], underlying_tickers=["x"] * (MOST_MARKETS + 1)), 26),
        (rfqs(shard_factor=0), 19),
        (rfqs(shard_factor="2"), 19),
        (rfqs(shard_key=0), 20),
        (rfqs(shard_factor=4, shard_key=4), 21),
        (rfqs(shard_factor=4, shard_key=-1), 21),
        (rfqs(shard_factor=101), 22),
        (("unsubscribe", {}), 4),
        (("unsubscribe", {"sids": []}), 4),
        (("unsubscribe", {"sids": ["1"]}), 11),
        (("update_subscription", {}), 12),
        (change(sids=[1]), 12),
        (change(sid=None, sids=[1, 2]), 12),
        (change(sid=5), 7),
        (change(sid=0), 11),
        (change(action=None), 15),
        (change(action="pause"), 13),
        (change(action="subscribe_indices"), 13),
        (change(), 14),
        (change(market_tickers=["KXNOBODY"]), 11),
        (change(sid=2, action="get_snapshot", market_tickers=LISTED[:1]), 13),
        (change(sid=2, action="delete_markets", market_tickers=LISTED[:1]), 11),
        (change(sid=3, market_tickers=LISTED[:1]), 13),
    ],
)
def test_refusals_have_the_codes_of_the_exchange(command: tuple[str, dict[str, Any]], code: int):
    line = Line()
    line.follow(LISTED[0])
    line.follow(channel="ticker")
    line.follow(channel="market_lifecycle_v2")
    before = dict(line.session.subscriptions)
    cmd, params = command
    assert line.error(cmd, **params) == code
    assert line.session.subscriptions == before


def test_an_unknown_market_is_named():
    line = Line()
    (frame,) = line.send("subscribe", channels=["trade"], market_tickers=["KXNO", LISTED[0]])
    assert frame["msg"]["market_ticker"] == "KXNO"
    (frame,) = line.send("subscribe", channels=["trade"], market_tickers=["KXNO", "KXNIL"])
    assert frame["msg"]["market_tickers"] == ["KXNO", "KXNIL"]


def test_a_refused_change_is_numbered_like_the_rest_of_its_subscription():
    line = Line()
    sid = line.follow(LISTED[0])
    line.error("update_subscription", sid=sid, action="nothing")
    assert (line.frames[-1]["sid"], line.frames[-1]["seq"]) == (sid, 2)


def test_a_key_that_may_not_read_gets_no_private_channel():
    line = Line(private=False)
    for name, channel in CHANNELS.items():
        if channel.private:
            assert line.error("subscribe", channels=[name]) == 9
    assert line.follow(LISTED[0]) == 1


def test_too_many_commands_in_a_second_are_refused():
    session = Line().session
    text = '{"id":1,"cmd":"list_subscriptions"}'
    for _ in range(COMMANDS_PER_SECOND):
        session.receive(text, NOW)
    assert b'"code":27' in session.receive(text, NOW)[0].payload
    assert b'"ok"' in session.receive(text, NOW + SECOND)[0].payload


def test_overflow_ends_every_subscription_by_name():
    line = Line()
    line.follow(LISTED[0])
    line.follow(channel="trade")
    frames = line.take(line.session.overflow())
    assert [(each["sid"], each["seq"], each["msg"]["code"]) for each in frames] == [
        (1, 2, 25),
        (2, 1, 25),
    ]
