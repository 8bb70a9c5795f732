"""What the faults decide: pure, the same for the same seed and order of calls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kalshi_async.sandbox._fault_text import parse_fault
from kalshi_async.sandbox._faults import CHANNELS, LAGGING, Fault, Faults, FrameFault
from kalshi_async.sandbox._operations import NAMES

RATES = {
    "frame_drop_rate": 0.1,
    "frame_duplicate_rate": 0.1,
    "frame_delay_rate": 0.1,
    "reset_rate": 0.1,
    "close_rate": 0.1,
}


def busy(seed: int = 3) -> Faults:
    """Everything goes wrong now and then."""
    faults = Faults(
        jitter=0.2,
        error_rate=0.2,
        drop_rate=0.2,
        rate_limit_rate=0.2,
        handshake_error_rate=0.4,
        seed=seed,
        **RATES,
    )
    faults.on("CreateOrderV2", rate=0.3, reset=True, processed=True)
    faults.on("*", rate=0.2, slow=0.5).on_frame("ticker", rate=0.3, drop=True)
    return faults.on_connect(rate=0.2, status=503)


CALLS: dict[str, Callable[[Faults], object]] = {
    "create": lambda faults: faults.decide("CreateOrderV2"),
    "ticker": lambda faults: faults.frame("ticker"),
    "handshake": lambda faults: faults.handshake(),
}


@given(st.integers(), st.lists(st.sampled_from(["orders", "book", *CALLS]), max_size=60))
def test_nothing_disturbs_the_dice_of_another(seed: int, order: list[str]) -> None:
    mixed, alone = busy(seed), {name: busy(seed) for name in CALLS}
    # A rule for any operation counts every request: it is left out here.
    for faults in (mixed, *alone.values()):
        faults._requests._rules = [rule for rule in faults._requests._rules if rule.name != "*"]
    for name in order:
        if name == "orders":
            mixed.decide("GetOrders")
        elif name == "book":
            mixed.frame("orderbook_delta")
        else:
            assert CALLS[name](mixed) == CALLS[name](alone[name])


def test_the_same_seed_and_order_give_the_same_faults() -> None:
    def run(seed: int) -> list[object]:
        faults = busy(seed)
        return [call(faults) for call in CALLS.values() for _ in range(60)]

    assert run(5) == run(5)
    assert run(5) != run(6)


# Scripts


@st.composite
def scripts(draw: st.DrawFn) -> list[tuple[str, int, int]]:
    names = st.sampled_from(["GetOrders", "GetMarkets", "*"])
    return draw(st.lists(st.tuples(names, st.integers(1, 5), st.integers(1, 4)), max_size=6))


@given(scripts(), st.lists(st.sampled_from(["GetOrders", "GetMarkets"]), max_size=30))
def test_a_script_hits_the_calls_it_names(
    rules: list[tuple[str, int, int]], calls: list[str]
) -> None:
    faults = Faults()
    for number, (name, nth, times) in enumerate(rules):
        faults.on(name, nth=nth, times=times, status=400 + number)
    for index, call in enumerate(calls):
        seen = calls[: index + 1]
        expected = [
            400 + number
            for number, (name, nth, times) in enumerate(rules)
            if name in (call, "*")
            and nth <= sum(name in (each, "*") for each in seen) < nth + times
        ]
        assert faults.decide(call).status == (expected[0] if expected else None)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"reset": True}, Fault(reset=True)),
        ({"reset": True, "processed": True}, Fault(reset=True, processed=True)),
        ({"drop": True, "processed": True}, Fault(drop=True, processed=True)),
        ({"status": 504, "processed": True}, Fault(status=504, processed=True)),
        ({"refuse": 2.5}, Fault(refuse=2.5)),
        ({"delay_answer": 9.0}, Fault(delay_answer=9.0)),
        ({"slow": 3.0, "truncate": True}, Fault(slow=3.0, truncate=True)),
        ({"delay": 0.5, "status": 429}, Fault(delay=0.5, status=429)),
        ({"stale": 4.0}, Fault(stale=4.0)),
    ],
)
def test_every_fault_can_be_aimed(options: dict[str, Any], expected: Fault) -> None:
    faults = Faults().on("GetOrders", nth=2, **options)
    assert [faults.decide("GetOrders") for _ in range(3)] == [Fault(), expected, Fault()]


def test_a_rate_hits_about_that_often_and_as_long_as_told() -> None:
    faults = Faults(seed=1).on("GetOrders", rate=0.3, truncate=True)
    hits = Counter(faults.decide("GetOrders").truncate for _ in range(3000))
    assert 800 < hits[True] < 1000
    faults = Faults(seed=1).on("GetOrders", nth=11, times=10, rate=0.5, drop=True)
    found = [faults.decide("GetOrders").drop for _ in range(100)]
    assert 1 <= sum(found[10:20]) <= 9
    assert not any(found[:10] + found[20:])
    assert faults.injected == sum(found)


def test_what_takes_effect_and_what_is_lost() -> None:
    assert Fault().takes_effect
    assert not Fault().lost
    assert Fault(delay=1, slow=1, truncate=True, stale=1).takes_effect
    assert not Fault(status=503).takes_effect
    assert Fault(status=504, processed=True).takes_effect
    for ending in (Fault(drop=True), Fault(reset=True), Fault(refuse=0.1)):
        assert ending.lost
        assert not ending.takes_effect
    assert Fault(reset=True, processed=True).takes_effect


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "give the fault"),
        ({"status": 200}, "400 to 599"),
        ({"status": 503.0}, "400 to 599"),
        ({"status": 503, "reset": True}, "without drop, reset and refuse"),
        ({"drop": True, "reset": True}, "drop and reset exclude each other"),
        ({"reset": True, "refuse": 1.0}, "reset and refuse exclude each other"),
        ({"processed": True}, "processed=True needs drop=True"),
        ({"processed": True, "refuse": 1.0}, "processed=True needs drop=True"),
        ({"processed": True, "status": 429}, "502 or 504 of a gateway"),
        ({"slow": 1.0, "drop": True}, "drop lets none arrive"),
        ({"truncate": True, "refuse": 1.0}, "refuse lets none arrive"),
        ({"delay_answer": 1.0, "drop": True}, "takes effect"),
        ({"stale": 1.0, "status": 503}, "takes effect"),
        ({"stale": -1.0}, "stale=-1.0"),
        ({"slow": float("inf")}, "slow=inf"),
        ({"delay": "1"}, "delay='1'"),
        ({"refuse": float("nan")}, "refuse=nan"),
        ({"drop": True, "nth": 0}, "1 or more"),
        ({"drop": True, "nth": 1.5}, "1 or more"),
        ({"drop": True, "times": 0}, "1 or more"),
        ({"drop": True, "rate": 1.5}, "rate=1.5"),
        ({"drop": True, "rate": 0}, "never hits"),
    ],
)
def test_nonsense_is_refused_and_changes_nothing(options: dict[str, Any], words: str) -> None:
    faults = Faults()
    with pytest.raises(ValueError, match=words):
        faults.on("GetOrders", **options)
    assert faults.decide("GetOrders") == Fault()


# Lag


def test_only_reads_of_an_account_lag() -> None:
    assert LAGGING <= NAMES
    faults = Faults(read_lag=0.4)
    assert faults.decide("GetOrders") == Fault(stale=0.4)
    assert faults.lag(faults.decide("GetOrders")) == 0.4
    assert faults.decide("GetMarkets") == Fault()
    assert faults.decide("CreateOrderV2") == Fault()
    with pytest.raises(ValueError, match="GetMarkets is none"):
        faults.on("GetMarkets", stale=2.0)
    faults.on("*", times=2, stale=2.0).on("GetFills", delay=1.0)
    assert faults.decide("GetMarkets") == Fault()
    assert faults.decide("GetPositions") == Fault(stale=2.0)
    assert faults.decide("GetFills") == Fault(delay=1.0, stale=0.4)


def test_whoever_keeps_the_past_hears_how_much_of_it() -> None:
    heard: list[float] = []
    faults = Faults(read_lag=0.4)
    faults.follow_lag(heard.append)
    faults.on("GetOrders", stale=5.0)
    faults.read_lag = 7.0
    faults.read_lag = 0.0
    with pytest.raises(ValueError, match="read_lag=-1"):
        faults.read_lag = -1
    assert heard == [0.4, 5.0, 7.0, 5.0]
    assert faults.longest_lag == 5.0


# Frames and handshakes


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"drop": True}, FrameFault(drop=True)),
        ({"duplicate": True}, FrameFault(duplicate=True)),
        ({"duplicate": True, "delay": 1.0}, FrameFault(duplicate=True, delay=1.0)),
        ({"delay": 1.5}, FrameFault(delay=1.5)),
        ({"reset": True}, FrameFault(reset=True)),
        ({"close": 1012}, FrameFault(close=1012)),
    ],
)
def test_a_frame_fault_hits_its_frame(options: dict[str, Any], expected: FrameFault) -> None:
    faults = Faults()
    assert faults.frames_quiet
    faults.on_frame("orderbook_delta", nth=2, **options)
    assert not faults.frames_quiet
    assert [faults.frame("ticker") for _ in range(3)] == [FrameFault()] * 3
    assert [faults.frame("orderbook_delta") for _ in range(2)] == [FrameFault(), expected]
    assert faults.frames_quiet
    assert faults.frame("orderbook_delta") == FrameFault()
    assert faults.injected == 1


def test_random_frame_faults_come_as_often_as_told() -> None:
    faults = Faults(seed=2, frame_delay=0.5, **RATES)
    assert not faults.frames_quiet
    found = [faults.frame("ticker") for _ in range(5000)]
    delays = [fault.delay for fault in found if fault.delay]
    counts = Counter(FrameFault(delay=1) if fault.delay else fault for fault in found)
    assert set(counts) == {
        FrameFault(),
        FrameFault(drop=True),
        FrameFault(duplicate=True),
        FrameFault(delay=1),
        FrameFault(reset=True),
        FrameFault(close=1001),
    }
    assert all(400 < count < 600 for fault, count in counts.items() if fault != FrameFault())
    assert max(delays) <= 0.5
    assert faults.injected == 5000 - counts[FrameFault()]


def test_any_channel_counts_the_frames_of_all() -> None:
    faults = Faults().on_frame("*", nth=3, reset=True)
    assert not faults.frame("ticker").reset
    assert not faults.frame("control").reset
    assert faults.frame("fill").reset


def test_handshakes_fail_as_told() -> None:
    faults = Faults().on_connect(nth=2, times=2).on_connect(nth=5, status=429)
    assert [faults.handshake() for _ in range(6)] == [None, 502, 502, None, 429, None]
    assert faults.frames_quiet
    faults = Faults(handshake_error_rate=0.5, errors=(502, 503), seed=4)
    found = Counter(faults.handshake() for _ in range(1000))
    assert set(found) == {None, 502, 503}
    assert 400 < found[None] < 600


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"channel": "orderbook"}, "did you mean 'orderbook_delta'"),
        ({"channel": "?", "drop": True}, "channels are such as"),
        ({}, "give the fault"),
        ({"drop": True, "duplicate": True}, "drop and duplicate exclude"),
        ({"reset": True, "close": 1000}, "reset and close exclude"),
        ({"drop": True, "delay": 1.0}, "cannot be delayed"),
        ({"close": 1006}, "close=1006"),
        ({"close": True}, "close=True"),
        ({"delay": -1.0}, "delay=-1.0"),
        ({"drop": True, "rate": -0.1}, "rate=-0.1"),
    ],
)
def test_frame_faults_that_make_no_sense_are_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Faults().on_frame(**({"channel": "ticker"} | options))


def test_settings_out_of_range_are_refused() -> None:
    for name in (*RATES, "handshake_error_rate"):
        with pytest.raises(ValueError, match=f"{name}=1.1"):
            Faults(**{name: 1.1})
    with pytest.raises(ValueError, match="at most 1 fits"):
        Faults(frame_drop_rate=0.6, close_rate=0.6)
    with pytest.raises(ValueError, match="frame_delay=0"):
        Faults(frame_delay=0)
    with pytest.raises(ValueError, match="status=200"):
        Faults().on_connect(status=200)


def test_repr_shows_what_is_on() -> None:
    faults = Faults(latency=0.1, reset_rate=0.5, seed=9).on_connect().on("*", reset=True)
    faults.handshake()
    expected = "Faults(latency=0.1, reset_rate=0.5, seed=9) <2 scripted, 1 injected>"
    assert repr(faults) == expected


# Faults in words


def test_faults_are_read_from_words() -> None:
    faults = Faults()
    for text in (
        "CreateOrderV2:nth=2,drop,processed",
        " GetOrders : stale=2 , delay = 0.5 ",
        "*:nth=3,slow=1.5,truncate",
        "orderbook_delta:nth=2,close=1012",
        "frames:drop",
        "connect:times=2,status=503",
    ):
        assert parse_fault(text, faults) is faults
    assert faults.decide("CreateOrderV2") == Fault()
    assert faults.decide("CreateOrderV2") == Fault(drop=True, processed=True)
    assert faults.decide("GetOrders") == Fault(stale=2.0, delay=0.5)
    assert faults.frame("ticker") == FrameFault(drop=True)
    assert faults.frame("orderbook_delta") == FrameFault()
    assert faults.frame("orderbook_delta") == FrameFault(close=1012)
    assert [faults.handshake() for _ in range(3)] == [503, 503, None]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not NAME:OPTION"),
        ("CreateOrderV2", "not NAME:OPTION"),
        (":drop", "not NAME:OPTION"),
        ("CreateOrderV3:drop", "did you mean 'CreateOrderV2'"),
        ("ticket:drop", "did you mean 'ticker'"),
        ("nonsense:drop", "there are cfbenchmarks_value"),
        ("GetOrders:", "unknown option ''"),
        ("GetOrders:stales=1", "did you mean 'stale'"),
        ("GetOrders:duplicate", "unknown option 'duplicate'"),
        ("GetOrders:drop=yes", "'drop' takes no value"),
        ("GetOrders:drop,nth", "'nth' needs a whole number"),
        ("GetOrders:drop,nth=two", "nth=two is not a whole number"),
        ("GetOrders:delay=soon", "delay=soon is not a number"),
        ("GetOrders:delay=nan", "delay=nan"),
        ("GetOrders:drop,drop", "given twice"),
        ("GetOrders:nth=2", "give the fault"),
        ("connect:drop", "unknown option 'drop'"),
    ],
)
def test_words_that_make_no_sense_are_refused(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        parse_fault(text, Faults())
    assert repr(text) in str(caught.value)


@given(st.text(max_size=40) | st.from_regex(r"[A-Za-z*_]{1,20}:[a-z_]{1,9}(=[0-9.e-]{1,5})?"))
def test_any_text_is_a_fault_or_a_clear_error(text: str) -> None:
    faults = Faults()
    try:
        parse_fault(text, faults)
    except ValueError as error:
        assert str(error).startswith("fault ")  # noqa: PT017
    else:
        assert "1 scripted" in repr(faults)


def test_every_name_can_be_written() -> None:
    for name in sorted(CHANNELS):
        parse_fault(f"{name}:drop", Faults())
    for name in sorted(NAMES):
        parse_fault(f"{name}:drop", Faults())
