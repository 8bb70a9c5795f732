"""Tickers: what they say is read exactly, and what could be read in two ways is not read at all."""

from __future__ import annotations

import datetime as dt
import decimal
import re
from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kalshi_async import InvalidRequestError
from kalshi_async.analytics.tickers import SERIES_PREFIXES, Ticker, build, describe, parse

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")


def said(ticker: Ticker) -> dict[str, object]:
    """What a ticker says beside its text, series, event and market."""
    names = ("date", "time", "period", "participants", "outcome", "strike", "strike_prefix")
    found = {name: getattr(ticker, name) for name in names if getattr(ticker, name) is not None}
    if ticker.unparsed:
        found["unparsed"] = ticker.unparsed
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("KXFED", {}),
        ("KXFED-26MAR19", {"date": dt.date(2026, 3, 19)}),
        ("KXFED-28FEB29", {"date": dt.date(2028, 2, 29)}),
        (
            "KXBTC-26MAR14-100000",
            {"date": dt.date(2026, 3, 14), "strike": Decimal(100_000), "strike_prefix": ""},
        ),
        (
            "KXWTIH-26JUN1102-T91.89",
            {
                "date": dt.date(2026, 6, 11),
                "time": dt.time(2),
                "strike": Decimal("91.89"),
                "strike_prefix": "T",
            },
        ),
        (
            "KXDOGE-26SEP1102-B0.262",
            {
                "date": dt.date(2026, 9, 11),
                "time": dt.time(2),
                "strike": Decimal("0.262"),
                "strike_prefix": "B",
            },
        ),
        (
            "KXMLBGAME-26AUG071905ATLNYY-NYY",
            {
                "date": dt.date(2026, 8, 7),
                "time": dt.time(19, 5),
                "participants": "ATLNYY",
                "outcome": "NYY",
            },
        ),
        (
            "KXNFLGAME-26SEP09NESEA-SEA",
            {"date": dt.date(2026, 9, 9), "participants": "NESEA", "outcome": "SEA"},
        ),
        (
            "KXMLBHIT-26JUN111310AZMIA-AZGPERDOMO2-2",
            {
                "date": dt.date(2026, 6, 11),
                "time": dt.time(13, 10),
                "participants": "AZMIA",
                "outcome": "AZGPERDOMO2",
                "strike": Decimal(2),
                "strike_prefix": "",
            },
        ),
        (
            "KXINX-26FEB27H1600-T7199.9999",
            {
                "date": dt.date(2026, 2, 27),
                "time": dt.time(16),
                "strike": Decimal("7199.9999"),
                "strike_prefix": "T",
            },
        ),
        ("KXNEWPOPE-70", {"period": "70"}),
        ("KXELONMARS-99", {"period": "99"}),
        ("KXBTCMAX-25Q1", {"period": "25Q1"}),
        (
            "KXCPI-26MAR-T0.3",
            {"period": "26MAR", "strike": Decimal("0.3"), "strike_prefix": "T"},
        ),
    ],
)
def test_what_a_ticker_says(text: str, expected: dict[str, object]) -> None:
    ticker = parse(text)
    assert said(ticker) == expected
    assert str(ticker) == ticker.text == text
    assert ticker.series == text.split("-")[0]


@pytest.mark.parametrize(
    ("text", "event", "market"),
    [
        ("KXFED", None, None),
        ("KXFED-26MAR19", "KXFED-26MAR19", None),
        ("KXFED-26MAR19-T4.25", "KXFED-26MAR19", "T4.25"),
        ("KXGDP-25APR30-T-1.5", "KXGDP-25APR30", "T-1.5"),
        ("KXMLBHIT-26JUN111310AZMIA-AZMARTE4-2", "KXMLBHIT-26JUN111310AZMIA", "AZMARTE4-2"),
    ],
)
def test_event_and_market(text: str, event: str | None, market: str | None) -> None:
    ticker = parse(text)
    assert (ticker.event, ticker.market) == (event, market)


def test_a_hyphen_after_the_prefix_is_the_sign_of_the_strike() -> None:
    ticker = parse("KXGDP-25APR30-T-1.5")
    assert (ticker.strike, ticker.strike_prefix, ticker.outcome) == (Decimal("-1.5"), "T", None)
    # Without an event before it, T is the event.
    ticker = parse("KXA-T-5")
    assert (ticker.event, ticker.strike, ticker.strike_prefix) == ("KXA-T", Decimal(5), "")


def test_a_side_of_the_game_is_no_strike() -> None:
    for sides in ("T1GENG", "GENGT1"):
        side = parse(f"KXLOLGAME-26JAN19{sides}-T1")
        assert (side.participants, side.outcome, side.strike) == (sides, "T1", None)
    points = parse("KXNFLTOTAL-26JAN12HOUPIT-T41.5")
    assert (points.strike, points.strike_prefix) == (Decimal("41.5"), "T")


def test_the_known_event_settles_where_the_market_begins() -> None:
    guess = parse("KXNFLWINS-IND-25B-T8")
    assert (guess.event, guess.outcome, guess.strike) == ("KXNFLWINS-IND", "25B", Decimal(8))
    told = parse("KXNFLWINS-IND-25B-T8", event="KXNFLWINS-IND-25B")
    assert (told.event, told.market, told.outcome) == ("KXNFLWINS-IND-25B", "T8", None)
    assert told.unparsed == ("IND", "25B")
    alone = parse("KXFED-26MAR19", event="KXFED-26MAR19")
    assert alone == parse("KXFED-26MAR19")
    assert parse("CONTROL-26MAR19", event="CONTROL").market == "26MAR19"


@pytest.mark.parametrize("event", ["KXFED-26MAR1", "KXBTC-26MAR14", "", "KXFED-26MAR19-"])
def test_an_event_that_is_not_the_markets(event: str) -> None:
    with pytest.raises(InvalidRequestError, match="begins with"):
        parse("KXFED-26MAR19-T4.25", event=event)


@pytest.mark.parametrize(
    ("text", "date", "unparsed"),
    [
        ("KXPGATOUR-USO26-JDAY", None, ("USO26",)),
        ("KXERUPTSUPER-0", None, ("0",)),
        ("KXNFLWINS-27DAL-1", None, ("27DAL",)),
        ("KXFED-26MARS-T1", None, ("26MARS",)),
        ("KXFED-26MAR9", None, ("26MAR9",)),
        ("KXFED-26XYZ19", None, ("26XYZ19",)),
        ("KXFED-2026MAR19", None, ("2026MAR19",)),
        ("KXBTCMAX-25Q5", None, ("25Q5",)),
        # No such hour, no such minute, too few digits, no such hour, teams that begin with digits.
        ("KXWTIH-26JUN1125", dt.date(2026, 6, 11), ("25",)),
        ("KXWTIH-26JUN112360", dt.date(2026, 6, 11), ("2360",)),
        ("KXINX-26JUN11H16", dt.date(2026, 6, 11), ("H16",)),
        ("KXINX-26JUN11H2400", dt.date(2026, 6, 11), ("H2400",)),
        ("KXCS-26JUN11100TFAZE-FAZE", dt.date(2026, 6, 11), ("100TFAZE",)),
        ("KXCS-26JUN1100NATION", dt.date(2026, 6, 11), ("00NATION",)),
    ],
)
def test_what_has_no_sure_reading_stays_text(
    text: str, date: dt.date | None, unparsed: tuple[str, ...]
) -> None:
    ticker = parse(text)
    assert (ticker.date, ticker.unparsed) == (date, unparsed)
    assert (ticker.time, ticker.period, ticker.participants) == (None, None, None)


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("KXQUICKSETTLE-11JUN26H0210-2", dt.date(2026, 6, 11)),
        ("KXQUICKSETTLE-26JAN08H0850-3", dt.date(2026, 1, 8)),
        ("KXQUICKSETTLE-26JUN26H0100-3", dt.date(2026, 6, 26)),
        ("KXQUICKSETTLE-26JAN25H2150-3", None),  # 25 January 2026 or 26 January 2025
    ],
)
def test_the_series_that_writes_its_dates_in_either_order(text: str, date: dt.date | None) -> None:
    ticker = parse(text)
    assert ticker.date == date
    assert (ticker.time is None) == (date is None) == bool(ticker.unparsed)


def test_combos_have_ids_and_nothing_to_read_in_them() -> None:
    # Both ids could pass for strikes, the second one with its prefix.
    for suffix in ("688BECB3826", "12345678901", "B1234567890"):
        ticker = parse(f"KXMVENFLSINGLEGAME-S202513E70FA7695-{suffix}")
        assert ticker.combo
        assert said(ticker) == {"unparsed": ("S202513E70FA7695", suffix)}
        assert ticker.market == suffix
    collection = parse("KXMVENFLSINGLEGAME-26JAN12HOUPIT")
    assert collection.combo
    assert said(collection) == {"date": dt.date(2026, 1, 12), "participants": "HOUPIT"}
    assert not parse("KXMLBGAME-26AUG071905ATLNYY-NYY").combo


@pytest.mark.parametrize("part", ["26FEB30", "26FEB29", "26JAN00", "26APR31NESEA", "26MAR991905"])
def test_a_day_that_is_on_no_calendar(part: str) -> None:
    with pytest.raises(InvalidRequestError, match=f"{part[:7]} is no day of the calendar.*YYMMMDD"):
        parse(f"KXNFLGAME-{part}")


def test_a_day_that_is_on_no_calendar_in_either_order() -> None:
    with pytest.raises(InvalidRequestError, match="no day of the calendar"):
        parse("KXQUICKSETTLE-31FEB30H0100")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kxfed-26mar19", "lower case"),
        ("KXFED-26mar19", "lower case"),
        ("KXFED 26MAR19", "capital letters, digits and dots"),
        (" KXFED-26MAR19", "capital letters"),
        ("KXFED-26MAR19\n", "capital letters"),
        ("", "capital letters"),
        ("-", "capital letters"),
        ("KXFED-", "capital letters"),
        ("KXFED--T4", "capital letters"),
        ("26-26MAR19", "capital letters"),
        ("KXFED-26MÄR19", "capital letters"),
        ("KXFED-٢٦MAR19", "capital letters"),
        ("KX" + "A" * 127, "129 characters; expected 128"),
        (None, "ticker is a NoneType"),
        (b"KXFED", "ticker is a bytes"),
        (26, "ticker is a int"),
    ],
)
def test_what_is_no_ticker(text: str, message: str) -> None:
    with pytest.raises(InvalidRequestError, match=message):
        parse(text)


def test_an_error_shows_a_part_of_a_long_text_only() -> None:
    with pytest.raises(InvalidRequestError) as caught:
        parse("KXFED " * 21)
    assert "…" in str(caught.value)
    assert len(str(caught.value)) < 250


def test_the_callers_decimal_context_changes_nothing() -> None:
    text = "KXINX-26FEB27H1600-T-7199.9999"
    expected = parse(text)
    with decimal.localcontext(decimal.Context(prec=2, traps=[decimal.Inexact, decimal.Rounded])):
        assert parse(text) == expected
        assert build("KXA", period="26", strike="-7199.99990", strike_prefix="T") == (
            "KXA-26-T-7199.99990"
        )
    assert expected.strike == Decimal("-7199.9999")


_codes = st.from_regex(r"[A-Z][A-Z0-9]{0,7}", fullmatch=True)
_clocks = st.times().map(lambda time: time.replace(second=0, microsecond=0))
_strikes = st.decimals(
    min_value=-(10**9), max_value=10**9, allow_nan=False, allow_infinity=False, places=4
)


@given(
    series=st.from_regex(r"KX[A-LN-Z][A-Z0-9]{0,10}", fullmatch=True),
    date=st.dates(dt.date(2000, 1, 1), dt.date(2099, 12, 31)),
    time=st.none() | _clocks,
    participants=st.none() | _codes,
    strike=st.none() | _strikes,
    strike_prefix=st.sampled_from(["T", "B"]),
    outcome=st.none() | _codes,
)
def test_what_is_built_is_read_back(
    series: str,
    date: dt.date,
    time: dt.time | None,
    participants: str | None,
    strike: Decimal | None,
    strike_prefix: str,
    outcome: str | None,
) -> None:
    # Names that look like something else are refused: that is a test of its own.
    assume(outcome is None or not re.fullmatch(r"[TB]([0-9]*|-.*)", outcome))
    assume(participants is None or not re.fullmatch(r"H[0-9]+", participants))
    text = build(series, date, time, participants, strike, strike_prefix, outcome)
    read = parse(text)
    assert (read.series, read.date, read.time) == (series, date, time)
    assert (read.participants, read.outcome, read.strike) == (participants, outcome, strike)
    assert read.strike_prefix == (None if strike is None else strike_prefix)
    assert read.unparsed == ()
    assert build(series, date, strike=strike, strike_prefix="T").startswith(f"{series}-")


def test_building() -> None:
    day = dt.date(2026, 6, 11)
    assert build("KXFED", dt.date(2026, 3, 19)) == "KXFED-26MAR19"
    assert build("KXBTC", dt.date(2026, 3, 14), strike=100_000) == "KXBTC-26MAR14-100000"
    assert build("KXA", day, strike="4.00", strike_prefix="T") == "KXA-26JUN11-T4.00"
    assert build("KXA", day, strike="1E+5") == "KXA-26JUN11-100000"
    assert build("KXWTIH", day, dt.time(2), hour_only=True) == "KXWTIH-26JUN1102"
    assert build("KXBTC15M", day, dt.time(2)) == "KXBTC15M-26JUN110200"
    assert build("KXCPI", period="26MAR", strike="-0.1", strike_prefix="T") == "KXCPI-26MAR-T-0.1"


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"outcome": "NYY"}, "pass date= or period="),
        ({"strike": 4}, "pass date= or period="),
        ({"time": dt.time(2)}, "pass date= as well"),
        ({"participants": "NESEA", "period": "26"}, "pass date= as well"),
        ({"date": dt.date(2026, 1, 1), "period": "26"}, "both given"),
        ({"date": dt.date(1999, 1, 1)}, "years 2000 to 2099"),
        ({"date": dt.datetime(2026, 1, 1, tzinfo=dt.UTC)}, "expected datetime.date"),
        ({"date": dt.date(2026, 1, 1), "time": dt.time(2, 0, 1)}, "whole minutes"),
        ({"date": dt.date(2026, 1, 1), "time": dt.time(2, tzinfo=dt.UTC)}, "without a zone"),
        ({"date": dt.date(2026, 1, 1), "time": dt.time(2, 5), "hour_only": True}, "whole hours"),
        ({"date": dt.date(2026, 1, 1), "time": 2}, "expected datetime.time"),
        ({"period": "26", "strike": 4.25}, "strike is a float; expected text"),
        ({"period": "26", "strike": "four"}, "expected a number"),
        ({"period": "26", "strike": "NaN"}, "expected a number"),
        ({"period": "26", "strike": "1E+999999"}, "expected a number"),
        ({"period": "26", "strike": 10**5000}, "expected a number"),
        ({"period": "26", "strike": "-4"}, "needs strike_prefix"),
        ({"period": "26", "strike": 4, "strike_prefix": "A"}, "expected 'T', 'B' or ''"),
        ({"period": "26", "outcome": ""}, "not empty"),
        ({"period": 26}, "period is 26"),
        ({"period": "2026"}, "read as something else"),
        ({"period": "26", "outcome": "T4"}, "read as something else"),
        ({"period": "26", "outcome": "T", "strike": 4}, "read as something else"),
        ({"date": dt.date(2026, 1, 1), "participants": "1905NESEA"}, "read as something else"),
        ({"date": dt.date(2026, 1, 1), "participants": "H1600"}, "read as something else"),
        ({"period": "26", "outcome": "new york"}, "capital letters"),
    ],
)
def test_what_cannot_be_built(parts: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidRequestError, match=message):
        build("KXA", **parts)  # type: ignore[arg-type]


_like_tickers = st.lists(
    st.sampled_from(
        ["KX", "KXMVE", "-", "-26", "MAR", "FEB", "T", "B", "H", "0", "31", "9.", "Q1"]
    ),
    max_size=12,
).map("".join)


@given(text=st.text(max_size=40) | _like_tickers)
def test_any_text_is_a_ticker_or_an_invalid_request(text: str) -> None:
    try:
        ticker = parse(text)
    except InvalidRequestError:
        return
    assert str(ticker) == text
    assert text == "-".join(part for part in (ticker.event or ticker.series, ticker.market) if part)


@given(
    year=st.integers(0, 99),
    month=st.sampled_from(_MONTHS),
    day=st.integers(0, 99),
    tail=st.sampled_from(["", "NESEA", "1905NESEA", "02", "H1600"]),
)
def test_a_date_is_the_one_that_is_written_or_an_error(
    year: int, month: str, day: int, tail: str
) -> None:
    try:
        date: dt.date | None = dt.date(2000 + year, _MONTHS.index(month) + 1, day)
    except ValueError:
        date = None
    text = f"KXA-{year:02d}{month}{day:02d}{tail}"
    if date is None:
        with pytest.raises(InvalidRequestError, match="no day of the calendar"):
            parse(text)
    else:
        assert parse(text).date == date


def test_well_known_series() -> None:
    fed = describe("KXFED")
    assert fed is not None
    assert (fed.title, fed.category) == ("Federal Reserve rate decisions", "Economics")
    assert describe(parse("KXOSCAR-26-XYZ").series) == SERIES_PREFIXES["KXOSCAR"]
    # Another series that begins alike, a series nobody listed, and a market.
    assert [describe(each) for each in ("KXBTCD", "KXHIGHNY", "KXFED-26MAR19")] == [None] * 3
    assert len(SERIES_PREFIXES) == 10
    with pytest.raises(TypeError):
        SERIES_PREFIXES["KXFED"] = fed  # type: ignore[index]
