"""The strikes of an event: suffixes, texts and fair prices of its markets, from the event's key
alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .._text import HOUR, digest, ticker_date
from .series import Kind, Series, competitor_id

# Events every catalog has: their keys are their own, so that these markets look the same for
# every seed.
FED_ANCHOR = 1
BTC_ANCHOR = 2
ANCHORS = {FED_ANCHOR: "KXFED-26MAR19", BTC_ANCHOR: "KXBTC-26MAR14"}


@dataclass(slots=True)
class Strike:
    """One market of an event before it has a price: `fair` is in ticks of $0.001."""

    suffix: str
    name: str
    question: str
    strike: str
    fair: int


def matchup(series: Series, key: int) -> tuple[tuple[str, str], tuple[str, str]]:
    """The two competitors of a game, always different ones."""
    names = series.names
    first = (key >> 8) % len(names)
    second = (first + 1 + (key >> 24) % (len(names) - 1)) % len(names)
    return names[first], names[second]


def event_ticker(series: Series, key: int, close: int) -> str:
    """The ticker of an event, from what the catalog stores about it."""
    if key in ANCHORS:
        return ANCHORS[key]
    if series.kind is Kind.COMBO:
        return f"{series.ticker}-S2026{key & 0xFFFFFFFFFFF:011X}"
    code = ticker_date(close)
    if series.kind is Kind.GAME:
        first, second = matchup(series, key)
        clock = f"{close // HOUR % 24:02d}{close // 60_000_000 % 60:02d}" if series.timed else ""
        return f"{series.ticker}-{code}{clock}{first[0]}{second[0]}"
    return (
        f"{series.ticker}-{code}{close // HOUR % 24:02d}"
        if series.timed
        else f"{series.ticker}-{code}"
    )


def strikes(series: Series, key: int, count: int) -> list[Strike]:
    """The markets of a struck event (not a combo), in no particular order."""
    if series.kind is Kind.GAME:
        return _game(series, key)[:count]
    if series.kind is Kind.WINNER:
        return _winner(series, key, count)
    if series.kind is Kind.BRACKET and count > 1:
        return _brackets(series, key, count)
    return _ladder(series, key, count)


def shares(weights: Sequence[int], low: int = 4) -> list[int]:
    """Fair prices, in ticks, of outcomes of which exactly one comes true."""
    total = sum(weights)
    return [max(low, weight * 1000 // total) for weight in weights]


def _start(series: Series, key: int) -> float:
    if key == BTC_ANCHOR:
        return 98_000.0
    if key == FED_ANCHOR:
        return 4.0
    return series.base + series.step * ((key >> 40) % 6)


def _ladder(series: Series, key: int, count: int) -> list[Strike]:
    found = []
    start = _start(series, key)
    if key == FED_ANCHOR:
        found.append(
            Strike(
                "",
                "Rate cut",
                "Will the Fed cut rates at the March 2026 meeting?",
                '"strike_type":"custom","custom_strike":{"Outcome":"cut"},',
                620,
            )
        )
        count -= 1
    shift = (key >> 48) % 301 - 150
    for number in range(count):
        value = start + series.step * number
        amount = f"{value:.{series.decimals}f}"
        fair = 940 - number * 860 // max(count - 1, 1) + shift
        found.append(
            Strike(
                f"-{series.prefix}{amount}",
                f"Above {value:,.{series.decimals}f}",
                f"Will {series.title} be above {value:,.{series.decimals}f} {series.unit}?",
                f'"strike_type":"greater","floor_strike":{amount},',
                min(max(fair, 3), 997),
            )
        )
    return found


def _brackets(series: Series, key: int, count: int) -> list[Strike]:
    start = _start(series, key)
    raw = digest(key, 0xB, 16)
    centre = count // 2
    weights = [(40 + raw[number]) * (8 >> min(abs(number - centre), 3)) for number in range(count)]
    found = []
    for number, fair in enumerate(shares(weights)):
        low = start + series.step * number
        high = low + series.step - 1
        if number == 0:
            suffix, name = f"-T{high + 1:g}", f"{high:g} or below"
            strike = f'"strike_type":"less","cap_strike":{high + 1:g},'
        elif number == count - 1:
            suffix, name = f"-T{low - 1:g}", f"{low:g} or above"
            strike = f'"strike_type":"greater","floor_strike":{low - 1:g},'
        else:
            suffix, name = f"-B{(low + high) / 2:.1f}", f"{low:g} to {high:g}"
            strike = f'"strike_type":"between","floor_strike":{low:g},"cap_strike":{high:g},'
        question = f"Will {series.title} be {name} {series.unit}?"
        found.append(Strike(suffix, name, question, strike, fair))
    return found


def _winner(series: Series, key: int, count: int) -> list[Strike]:
    raw = digest(key, 0xC, 16)
    names = series.names
    chosen = [names[(key + number) % len(names)] for number in range(min(count, len(names)))]
    fairs = shares([(raw[number] + 16) ** 2 for number in range(len(chosen))])
    return [
        Strike(f"-{code}", name, f"{series.title}: {name}?", _structured(series, code), fair)
        for (code, name), fair in zip(chosen, fairs, strict=True)
    ]


def _game(series: Series, key: int) -> list[Strike]:
    first, second = matchup(series, key)
    fair = 60 + (key >> 40) % 881
    return [
        Strike(
            f"-{code}",
            name,
            f"{first[1]} vs {second[1]} Winner?",
            _structured(series, code),
            chance,
        )
        for (code, name), chance in ((first, fair), (second, 1000 - fair))
    ]


def _structured(series: Series, code: str) -> str:
    target = competitor_id(series, code)
    return (
        f'"strike_type":"structured","custom_strike":{{"{series.participant}":"{target}"}},'
        f'"primary_participant_key":"{series.participant}",'
    )
