"""What holds for every sequence of commands, and for every answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kalshi_async.sandbox._ws.subscription import CHANNELS

from .ws_contract import WsContract
from .ws_line import LISTED, NOW, Line

COMMANDS = ("subscribe", "unsubscribe", "update_subscription", "list_subscriptions")
FIELDS = (
    *("id", "cmd", "params", "channels", "sid", "sids", "action", "market_tickers"),
    *("index_ids", "shard_factor"),
)
SOME = st.sets(st.sampled_from(LISTED), min_size=1)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=5)
    ),
    max_leaves=12,
)
ACTIONS = st.one_of(
    st.tuples(
        st.just("subscribe"),
        st.sampled_from(list(CHANNELS)),
        SOME,
    ),
    st.tuples(
        st.sampled_from(["add_markets", "delete_markets", "get_snapshot", "nonsense"]),
        st.integers(1, 6),
        st.sets(st.sampled_from([*LISTED, "KXNOBODY"])),
    ),
    st.tuples(st.just("unsubscribe"), st.integers(1, 6), st.just(set())),
    st.tuples(st.just("data"), st.integers(1, 6), st.just(set())),
)


@given(st.lists(ACTIONS, max_size=40))
def test_seq_has_no_gaps_and_repeats_nothing(actions: list[tuple[str, Any, set[str]]]):
    line = Line()
    for kind, what, markets in actions:
        if kind == "subscribe":
            line.send("subscribe", channels=[what], market_tickers=sorted(markets))
        elif kind == "unsubscribe":
            line.send("unsubscribe", sids=[what])
        elif kind == "data":
            sub = line.session.subscriptions.get(what)
            if sub is not None:
                sub.deliver(b"trade", b"{}")
        else:
            line.send("update_subscription", sid=what, action=kind, market_tickers=sorted(markets))
    by_sid: dict[int, list[int]] = {}
    for frame in line.frames:
        if "seq" in frame:
            by_sid.setdefault(frame["sid"], []).append(frame["seq"])
    for numbers in by_sid.values():
        assert numbers == list(range(1, len(numbers) + 1))
    for sub, watched in line.board.watched.items():
        assert watched == set(sub.markets or ())
    assert set(line.board.watched) == set(line.session.subscriptions.values())


@given(JSON, st.sampled_from(COMMANDS))
def test_no_command_makes_a_session_raise(params: Any, cmd: str):
    line = Line()
    line.follow(LISTED[0])
    frames = line.session.receive(json.dumps({"id": 1, "cmd": cmd, "params": params}), NOW)
    assert all(json.loads(frame.payload)["type"] for frame in frames)
    assert line.session.receive(json.dumps(params), NOW)


def test_answers_fit_the_contract(shared: Path):
    contract = WsContract(shared / "contract" / "websocket-2.0.0.json")
    line = Line()
    line.follow(LISTED[0])
    line.follow(LISTED[0], channel="ticker")
    line.follow(channel="cfbenchmarks_value_5hz", index_ids=["all"])
    line.follow(channel="pyth_value", underlying_tickers=["all"])
    line.send("list_subscriptions")
    for action in ("add_markets", "delete_markets", "get_snapshot"):
        line.send("update_subscription", sid=1, action=action, market_tickers=LISTED[:2])
    line.send("update_subscription", sid=3, action="indexlist")
    line.send("update_subscription", sid=3, action="unsubscribe_indices", index_ids=["all"])
    line.send("update_subscription", sid=4, action="underlying_list")
    line.send(
        "update_subscription", sid=4, action="subscribe_underlyings", underlying_tickers=["x"]
    )
    line.send("update_subscription", sid=9, action="get_snapshot")
    line.take(line.session.overflow())
    line.send("unsubscribe", sids=[1, 2, 3])
    for frame in line.frames:
        if frame["type"] != "ticker":
            assert contract.problems(frame) == [], frame
