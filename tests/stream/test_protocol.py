"""Commands and their answers, sids and numbers: one connection without its socket."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kalshi_async.stream import (
    StreamGap,
    StreamUnknown,
    StreamUnreadable,
    SubscriptionRefusedError,
)
from kalshi_async.stream import _channels as channels
from kalshi_async.stream._channels import Channel
from kalshi_async.stream._leg import MOST_REPEATS
from kalshi_async.stream._protocol import ENDED, Interrupted

from .hostile import delta, trade
from .line import Line, error, subscribed

ALL = [each for each in vars(channels).values() if isinstance(each, Channel)]


@pytest.fixture
def line() -> Line:
    return Line()


# ---------------------------------------------------------------------------- commands


@pytest.mark.parametrize("channel", ALL, ids=lambda channel: channel.name)
def test_subscribing(line, channel):
    command = line.subscribe(line.leg(channel, "A", "B", skip_ticker_ack=True))
    named = {channel.subjects: ["A", "B"]}
    assert command == {
        "id": 1,
        "cmd": "subscribe",
        "params": {"channels": [channel.name], "skip_ticker_ack": True, **named},
    }


def test_subscribing_to_all_names_nothing(line):
    assert line.subscribe(line.leg())["params"] == {"channels": ["trade"]}


@pytest.mark.parametrize("channel", ALL, ids=lambda channel: channel.name)
def test_changing_what_is_subscribed_to(line, channel):
    leg = line.open(line.leg(channel, "A"), 5)
    line.protocol.add(leg, ["B", "C"], line.outcomes.append)
    line.protocol.remove(leg, ["A"], line.outcomes.append)
    commands = line.sent()
    for command, action in zip(commands, (channel.follow, channel.unfollow), strict=True):
        assert command["cmd"] == "update_subscription"
        assert (command["params"]["sid"], command["params"]["action"]) == (5, action)
    assert [command["params"][channel.subjects] for command in commands] == [["B", "C"], ["A"]]
    assert list(leg.subjects) == ["A"]  # before it was agreed to
    line.say({"type": "ok", "id": commands[0]["id"], "sid": 5, "seq": 1, "msg": {}})
    assert list(leg.subjects) == ["A", "B", "C"]
    line.say({"type": "ok", "id": commands[1]["id"], "sid": 5, "seq": 2})
    assert (list(leg.subjects), line.outcomes) == (["B", "C"], [None, None])


def test_answers_find_their_command_in_any_order(line):
    first, second = line.leg(), line.leg(channels.TICKER)
    commands = [line.subscribe(first), line.subscribe(second)]
    line.say(subscribed(commands[1], 2), subscribed(commands[0], 1))
    assert (first.sid, second.sid, line.outcomes) == (1, 2, [None, None])
    assert (len(line.protocol.legs), line.protocol.overdue()) == (2, 0.0)
    line.say(trade(1, 1, sid=1), {"type": "ticker", "sid": 2, "msg": {"market_ticker": "A"}})
    assert [type(each).__name__ for each in line.consumer.messages] == [
        "TradeUpdate",
        "TickerUpdate",
    ]


def test_an_answer_that_comes_twice_counts_once(line):
    leg = line.leg()
    answer = subscribed(line.subscribe(leg))
    line.say(answer, trade(1, 1), answer, trade(2, 2))
    assert (line.outcomes, line.ids, line.consumer.said) == ([None], ["t-1", "t-2"], ["live"])


def test_an_answer_to_nobody_is_nothing(line):
    leg = line.leg()
    command = line.subscribe(leg)
    for wrong in (0, 99, -1):
        line.say(subscribed(command | {"id": wrong}), error(5, wrong))
    assert (line.outcomes, leg.line, line.protocol.overdue() >= 0) == ([], None, True)
    line.say(subscribed(command))
    assert line.outcomes == [None]


@pytest.mark.parametrize("code", [1, 8, 11, 18, 25, 10, 26, 27, 999])
def test_a_refusal_is_told_to_who_asked(line, code):
    command = line.subscribe(line.leg())
    line.say(error(code, command["id"], "A", "B"))
    (refused,) = line.outcomes
    assert isinstance(refused, SubscriptionRefusedError)
    assert (refused.channel, refused.code, refused.markets) == ("trade", code, ("A", "B"))
    assert line.protocol.ended == []
    assert not line.protocol.legs


def test_a_refused_change_changes_nothing(line):
    leg = line.open(line.leg(channels.TRADE, "A", "B"))
    line.protocol.add(leg, ["C"], line.outcomes.append)
    line.protocol.remove(leg, ["A"], line.outcomes.append)
    line.say(
        *(error(11, command["id"], sid=1, seq=at + 1) for at, command in enumerate(line.sent()))
    )
    assert [type(each) for each in line.outcomes] == [SubscriptionRefusedError] * 2
    assert (list(leg.subjects), leg.next_seq) == (["A", "B"], 3)


def test_an_answer_of_another_kind_is_no_agreement(line):
    command = line.subscribe(line.leg())
    line.say({"type": "unsubscribed", "id": command["id"], "sid": 1})
    assert "Unsubscribed" in str(line.outcomes[0])


def test_what_is_unanswered_when_the_connection_is_lost(line):
    leg = line.open(line.leg(channels.TRADE, "A"))
    line.subscribe(line.leg())
    line.protocol.add(leg, ["B"], line.outcomes.append)
    line.protocol.unsubscribe(leg, line.outcomes.append)
    line.protocol.close("gone")
    assert [type(each) for each in line.outcomes[:2]] == [Interrupted] * 2
    assert line.outcomes[2:] == [None]
    assert (line.consumer.said, list(leg.subjects), leg.line) == (["live", "lost"], ["A"], None)
    line.protocol.close("twice")
    assert len(line.outcomes) == 3


def test_an_answer_that_cannot_be_read_is_waited_for(line):
    command = line.subscribe(line.leg())
    line.say({"type": "subscribed", "id": command["id"], "msg": {"channel": "trade"}})
    line.say(subscribed(command, 3))
    assert (line.outcomes, list(line.protocol.legs)) == ([None], [3])


# ---------------------------------------------------------------------------- ending


def test_unsubscribing(line):
    leg = line.open(line.leg(), 4)
    line.say(trade(1, 1, sid=4))
    line.protocol.unsubscribe(leg, line.outcomes.append)
    (command,) = line.sent()
    assert (command["cmd"], command["params"]) == ("unsubscribe", {"sids": [4]})
    line.say(trade(2, 2, sid=4))  # still on its way
    line.say({"type": "unsubscribed", "id": command["id"], "sid": 4, "seq": 3})
    line.say(trade(3, 4, sid=4), error(25, sid=4, seq=5))
    assert (line.ids, line.outcomes) == (["t-1", "t-2"], [None])
    assert (line.protocol.legs, leg.line, leg.sid) == ({}, None, 0)
    assert (line.stats.dropped.total(), line.protocol.ended) == (1, [])


def test_a_subscription_that_nobody_wants_when_it_stands_is_ended(line):
    leg = line.leg()
    command = line.subscribe(leg)
    leg.drop()
    line.say(subscribed(command, 9))
    assert [each["params"] for each in line.sent()] == [{"sids": [9]}]


def test_a_number_that_is_used_again_is_the_new_subscription(line):
    old = line.open(line.leg(), 1)
    line.protocol.unsubscribe(old, line.outcomes.append)
    (command,) = line.sent()
    new = line.open(line.leg(), 1)
    line.say({"type": "unsubscribed", "id": command["id"], "sid": 1, "seq": 1})
    assert line.protocol.legs == {1: new}
    assert new.line is line.protocol


@pytest.mark.parametrize("code", sorted(ENDED))
def test_the_exchange_ends_a_subscription(line, code):
    leg, other = line.open(line.leg(), 1), line.open(line.leg(), 2)
    line.say(error(code, sid=1, seq=1), trade(1, 2, sid=1), trade(2, 1, sid=2))
    assert (line.protocol.ended, line.protocol.legs) == ([leg], {2: other})
    assert (line.ids, line.consumer.said) == (["t-2"], ["live", "live", "lost"])


@pytest.mark.parametrize("code", sorted(ENDED))
def test_a_change_that_is_under_way_when_its_subscription_ends_is_for_the_next(line, code):
    leg = line.open(line.leg(channels.TRADE, "A"))
    line.protocol.add(leg, ["B"], line.outcomes.append)
    (command,) = line.sent()
    line.say(error(code, sid=1, seq=1), error(12, command["id"]))
    assert [type(each) for each in line.outcomes] == [Interrupted]
    assert line.protocol.overdue() == 0


@pytest.mark.parametrize("frame", [error(5, sid=1, seq=1), error(25, sid=9), error(25), error(18)])
def test_other_complaints_end_nothing(line, frame):
    leg = line.open(line.leg())
    line.say(frame)
    assert (line.protocol.ended, line.protocol.legs) == ([], {1: leg})


def test_what_the_exchange_says_is_one_line(line, caplog):
    line.open(line.leg(channels.ORDERBOOK, "A"))
    books = line.open(line.books("A"), 2)
    ended = error(25, sid=2, seq=1)
    ended["msg"]["msg"] = "too\nslow\x1b[2J" + "x" * 100_000
    line.say(ended)
    reason = books.books["A"].stale_reason
    assert "too" in reason
    for text in (reason, caplog.text.rstrip("\n")):
        assert len(text) < 2_000
        assert text.isprintable()


# ---------------------------------------------------------------------------- numbers


def test_messages_carry_their_number_and_time(line):
    line.open(line.leg())
    line.say(trade(1, 1))
    (message,) = line.consumer.messages
    assert (message.seq, message.received_at) == (1, 12.5)


def test_everything_of_a_subscription_is_numbered(line):
    leg = line.open(line.leg(channels.TRADE, "A"))
    line.protocol.add(leg, ["B"], line.outcomes.append)
    (command,) = line.sent()
    line.say(
        trade(1, 1),
        {"type": "ok", "id": command["id"], "sid": 1, "seq": 2},
        error(5, sid=1, seq=3),
        {"type": "halt", "sid": 1, "seq": 4},
        {"type": "trade", "sid": 1, "seq": 5, "msg": {}},
        trade(2, 6),
    )
    assert (line.ids, leg.next_seq, line.stats.gaps) == (["t-1", "t-2"], 7, 0)
    assert [type(event) for event in line.events] == [StreamUnknown, StreamUnreadable]


@pytest.mark.parametrize("lost", [1, 2, 3])
def test_a_gap_is_told_and_passed(line, lost):
    leg = line.open(line.leg())
    line.say(trade(1, 1), trade(2, 2 + lost), trade(3, 3 + lost))
    assert (line.ids, leg.next_seq) == (["t-1", "t-2", "t-3"], 4 + lost)
    assert line.events == [StreamGap(7, "trade", 2, 2 + lost)]
    assert (line.stats.gaps, line.stats.missed, line.stats.repeats) == (1, lost, 0)


@pytest.mark.parametrize(
    "frame",
    [
        {"type": "ok", "sid": 1, "seq": 3},
        {"type": "halt", "sid": 1, "seq": 3},
        error(5, sid=1, seq=3),
        {"type": "trade", "sid": 1, "seq": 3, "msg": 5},
    ],
)
def test_a_gap_before_what_is_no_message(line, frame):
    line.open(line.leg())
    line.say(trade(1, 1), frame, trade(4, 4))
    assert StreamGap(7, "trade", 2, 3) in line.events
    assert (line.stats.gaps, line.ids) == (1, ["t-1", "t-4"])


def test_a_first_number_above_one_is_a_gap(line):
    line.open(line.leg())
    line.say(trade(1, 2))
    assert line.events == [StreamGap(7, "trade", 1, 2)]


def test_repeats_are_dropped(line):
    line.open(line.leg())
    line.say(trade(1, 1), trade(2, 2), trade(1, 1), trade(2, 2), trade(3, 3), trade(1, -4))
    assert (line.ids, line.stats.repeats, line.stats.gaps) == (["t-1", "t-2", "t-3"], 3, 0)
    assert line.stats.messages == {"trade": 3}


def test_a_repeated_frame_of_no_known_kind_is_told_once(line):
    line.open(line.leg())
    line.say(*[{"type": "halt", "sid": 1, "seq": 1}] * 2)
    assert [type(event) for event in line.events] == [StreamUnknown]


def test_an_answer_with_a_number_of_the_past_is_an_answer(line):
    leg = line.open(line.leg(channels.TRADE, "A"))
    line.protocol.add(leg, ["B"], line.outcomes.append)
    (command,) = line.sent()
    answer = {"type": "ok", "id": command["id"], "sid": 1, "seq": 1}
    line.say(trade(1, 1), trade(2, 2), answer, answer)
    assert (line.outcomes, list(leg.subjects)) == ([None], ["A", "B"])


def test_numbers_that_start_again_are_taken_after_a_while(line):
    leg = line.open(line.leg())
    line.say(*(trade(number, number) for number in range(1, 101)))
    line.say(*(trade(1000 + number, number) for number in range(1, MOST_REPEATS + 10)))
    assert (leg.next_seq, line.stats.gaps, line.stats.repeats) == (
        MOST_REPEATS + 10,
        1,
        MOST_REPEATS + 1,
    )
    assert line.ids[-1] == f"t-{1000 + MOST_REPEATS + 9}"


def test_repeats_that_others_come_between_stay_repeats(line):
    line.open(line.leg())
    for number in range(1, 3 * MOST_REPEATS):
        line.say(trade(number, number), trade(number, number))
    assert (len(line.ids), line.stats.gaps) == (3 * MOST_REPEATS - 1, 0)


def test_channels_without_numbers_are_not_counted(line):
    leg = line.open(line.leg(channels.TICKER))
    line.say(*[{"type": "ticker", "sid": 1, "msg": {"market_ticker": "A"}}] * 3)
    assert ([each.seq for each in line.consumer.messages], leg.next_seq) == ([None] * 3, 1)


@given(st.lists(st.integers(0, 12) | st.sampled_from([-1, 2**40, 2**63])))
def test_each_number_is_delivered_at_most_once_and_every_gap_is_counted(numbers):
    line = Line()
    line.open(line.leg())
    line.say(*(trade(number, number) for number in numbers))
    found = [each.seq for each in line.consumer.messages if each.seq]
    assert found == sorted(set(found))
    expected = 1
    gaps = missed = 0
    for number in found:
        gaps, missed = gaps + (number > expected), missed + number - expected
        expected = number + 1
    assert (line.stats.gaps, line.stats.missed) == (gaps, missed)


# ---------------------------------------------------------------------------- what does not belong


def test_frames_of_nobody_are_counted(line):
    line.open(line.leg())
    line.say(trade(1, 1, sid=9), trade(2, 1, sid=0), {"type": "ok", "sid": 9, "seq": 5, "id": 0})
    assert (line.ids, line.stats.dropped.total(), line.stats.gaps) == ([], 2, 0)


@pytest.mark.parametrize("channel", ALL, ids=lambda channel: channel.name)
def test_messages_of_another_channel_are_not_delivered(line, channel):
    line.open(line.leg(channel, "A"))
    other = delta("A", 1) if channel.name == "trade" else trade(1, 1)
    group = {"order_group_id": "g", "event_type": "created"}
    if channel.name == "order_group_updates":
        line.say(other)
    else:
        line.say(other, {"type": "order_group_updates", "sid": 1, "seq": 2, "msg": group})
    assert (line.consumer.messages, line.stats.messages) == ([], {})
    assert line.stats.dropped.total() >= 1


def test_what_is_new_is_counted_and_told(line):
    line.open(line.leg())
    made = trade(1, 1)
    made["msg"]["new"] = 1
    line.say(made, {"type": "halt", "sid": 9}, {"type": "halt"})
    assert line.stats.unknown == {"trade.new": 1, "halt": 2}
    assert [event.kind for event in line.events] == ["halt", "halt"]
    assert line.consumer.messages[0].extra == {"new": 1}


@given(st.lists(st.binary(max_size=30)))
def test_garbage_stops_nothing(frames):
    line = Line()
    line.open(line.leg())
    line.say(*frames)
    line.say(trade(1, 1))
    assert line.ids == ["t-1"]
    assert line.stats.unreadable == len(frames) == len(line.events)


def test_two_subscriptions_of_one_number(line):
    first = line.open(line.leg(), 1)
    line.open(line.leg(), 1)
    line.protocol.close("gone")
    assert first.line is None
