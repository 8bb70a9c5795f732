"""Arguments that the exchange would refuse are refused before anything is sent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kalshi_async._errors import InvalidRequestError, KalshiError
from kalshi_async.resources import _checks as checks
from kalshi_async.resources.markets import Markets

from .fake import FakeTransport

NOON = datetime(2026, 8, 1, 12, tzinfo=UTC)
NOON_TS = 1785585600
NAIVE = datetime(2026, 8, 1, 12)  # noqa: DTZ001 - what has to be refused

FAMILIES = {
    "created": ("unopened", "open"),
    "close": ("closed",),
    "settled": ("settled",),
    "updated": (),
}
STATUSES = ("unopened", "open", "paused", "closed", "settled")


def listed(**filters) -> str:
    """The query of ``markets.list`` with these filters; raises as it does."""
    transport = FakeTransport.answering({"markets": [], "cursor": ""})
    paginator = Markets(transport).list(**filters)
    with pytest.raises(StopIteration):
        paginator.__await__().send(None)
    return transport.calls[0].query


def refused(**filters) -> str:
    """The message with which ``markets.list`` refuses these filters."""
    transport = FakeTransport.answering({"markets": []})
    with pytest.raises(InvalidRequestError) as caught:
        Markets(transport).list(**filters)
    assert transport.calls == []
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, KalshiError)
    return str(caught.value)


@pytest.mark.parametrize("edge", ["min", "max"])
@pytest.mark.parametrize("status", [None, *STATUSES])
@pytest.mark.parametrize("family", FAMILIES)
def test_time_filters_and_status(family, status, edge):
    name = f"{edge}_{family}_ts"
    filters = {name: 5} | ({} if status is None else {"status": status})
    if status is None or status in FAMILIES[family]:
        assert f"{name}=5" in listed(**filters)
    else:
        message = refused(**filters)
        assert f"{family}_ts" in message
        assert status in message


@pytest.mark.parametrize("first", FAMILIES)
@pytest.mark.parametrize("second", FAMILIES)
def test_families_exclude_each_other(first, second):
    if first == second:
        query = listed(**{f"min_{first}_ts": 5, f"max_{first}_ts": 6})
        assert query == f"min_{first}_ts=5&max_{first}_ts=6"
    else:
        message = refused(**{f"min_{first}_ts": 5, f"max_{second}_ts": 6})
        assert "exclude each other" in message


def test_updated_stands_no_other_filter():
    assert listed(min_updated_ts=5, mve_filter="exclude") == "mve_filter=exclude&min_updated_ts=5"
    for other in (
        {"mve_filter": "only"},
        {"tickers": "A"},
        {"event_ticker": "E"},
        {"series_ticker": "S"},
    ):
        (name,) = other
        message = refused(min_updated_ts=5, **other)
        assert name in message
        assert 'mve_filter="exclude"' in message


@pytest.mark.parametrize(
    ("status", "hint"),
    [
        ("active", '"open"'),
        ("finalized", '"settled"'),
        ("initialized", '"unopened"'),
        ("inactive", '"paused"'),
        ("determined", '"closed"'),
        ("disputed", '"closed"'),
        ("open,closed", "a call for each"),
        ("Open", 'expected one of "unopened"'),
        ("", "expected one of"),
    ],
)
def test_status_words(status, hint):
    message = refused(status=status)
    assert repr(status) in message
    assert hint in message


def test_a_hint_names_only_words_of_the_filter():
    with pytest.raises(InvalidRequestError, match="expected one of") as caught:
        checks.status_word("inactive", ("unopened", "open", "closed"))
    assert "paused" not in str(caught.value)


@pytest.mark.parametrize(
    ("filters", "says"),
    [
        ({"limit": 1001}, "limit is 1001; expected 0 to 1000"),
        ({"limit": -1}, "expected 0 to 1000"),
        ({"limit": "10"}, "expected an integer"),
        ({"limit": True}, "expected an integer"),
        ({"limit": 10.0}, "expected an integer"),
        ({"tickers": ""}, "tickers"),
        ({"tickers": []}, "tickers is empty"),
        ({"tickers": ["A", ""]}, "tickers"),
        ({"tickers": "A,,B"}, "tickers"),
        ({"event_ticker": ""}, "event_ticker is ''"),
        ({"series_ticker": "  "}, "series_ticker is '  '"),
        ({"mve_filter": "both"}, "mve_filter is 'both'"),
        ({"min_close_ts": NAIVE}, "has no time zone"),
        ({"min_close_ts": "2026"}, "expected Unix seconds or an aware datetime"),
        ({"min_close_ts": 1.5}, "expected Unix seconds"),
        ({"min_close_ts": True}, "expected Unix seconds"),
        ({"min_close_ts": 9, "max_close_ts": 8}, "is later than max_close_ts"),
        ({"max_pages": 0}, "max_pages"),
    ],
)
def test_bad_values(filters, says):
    assert says in refused(**filters)


def test_values_on_the_wire():
    query = listed(limit=1000, tickers=["A", "B"], status="open", mve_filter="only")
    assert query == "limit=1000&status=open&mve_filter=only&tickers=A%2CB"
    assert listed(tickers="A,B") == "tickers=A%2CB"
    assert listed(tickers=("A",)) == "tickers=A"
    assert listed() == ""


def test_datetimes_become_unix_seconds():
    eastern = timezone(timedelta(hours=-4))
    assert listed(min_close_ts=NOON) == f"min_close_ts={NOON_TS}"
    assert listed(min_close_ts=NOON.astimezone(eastern)) == f"min_close_ts={NOON_TS}"
    assert listed(min_close_ts=NOON, max_close_ts=NOON_TS).endswith(f"max_close_ts={NOON_TS}")


@given(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - hypothesis adds the zone
def test_timestamps_of_any_moment(moment):
    seconds = checks.timestamp("t", moment)
    millis = checks.milliseconds("t", moment)
    assert seconds == (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1)
    assert abs(millis - moment.timestamp() * 1000) <= 0.5
    assert datetime.fromisoformat(checks.rfc3339("t", moment)) == moment


def test_milliseconds_and_rfc3339():
    assert checks.milliseconds("from_", NOON) == NOON_TS * 1000
    assert checks.milliseconds("from_", 5) == 5
    assert checks.milliseconds("from_", None) is None
    assert checks.rfc3339("d", NOON) == "2026-08-01T12:00:00Z"
    assert checks.rfc3339("d", "2026-08-01T12:00:00Z") == "2026-08-01T12:00:00Z"
    for call in (checks.milliseconds, checks.rfc3339, checks.timestamp):
        with pytest.raises(InvalidRequestError, match="no time zone"):
            call("d", NAIVE)


@pytest.mark.parametrize("period", [0, 5, 61, "60", None, True, 1440.5])
def test_periods(period):
    with pytest.raises(InvalidRequestError, match="period_interval"):
        checks.candle_span(1, 2, period)


def test_candle_spans():
    assert checks.candle_span(1, NOON, 60) == {
        "start_ts": 1,
        "end_ts": NOON_TS,
        "period_interval": 60,
    }
    with pytest.raises(InvalidRequestError, match=r"start_ts \(3\) is later than end_ts \(2\)"):
        checks.candle_span(3, 2, 60)
    with pytest.raises(InvalidRequestError, match="both needed"):
        checks.candle_span(None, 2, 60)


def test_too_many_identifiers():
    assert len(checks.identifiers("tickers", ["A"] * 100, 100)) == 100
    with pytest.raises(InvalidRequestError, match="101 identifiers; the exchange takes 100"):
        checks.identifiers("tickers", ["A"] * 101, 100)
    with pytest.raises(InvalidRequestError, match="ticker is 7"):
        checks.identifier("ticker", 7)
