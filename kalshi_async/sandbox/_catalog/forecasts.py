"""What the prices of an event say about the number it asks for: percentiles of the forecast.

The markets of a ladder give the chance that the number is above each threshold, those of a bracket
event the chance of each range. Between the thresholds the chance is spread evenly; beyond the
outermost ones it is spread over one more step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import msgspec

from .market import Event, Market
from .series import Kind

Curve = list[tuple[float, float]]
"""(value, chance that the number is at most this), both ascending, from 0 to 1."""

_STRIKE = msgspec.json.Decoder(dict[str, object])


def bounds(market: Market) -> tuple[float | None, float | None]:
    """The open or closed range that makes a market YES: (above, up to); None has no end."""
    fields = _STRIKE.decode("{" + market.strike.strike.rstrip(",") + "}")
    low, high = fields.get("floor_strike"), fields.get("cap_strike")
    return (
        float(low) if isinstance(low, int | float) else None,
        float(high) if isinstance(high, int | float) else None,
    )


def forecast(event: Event, chance: Callable[[Market], float | None]) -> Curve | None:
    """The distribution that the chances of the markets (0 to 1) describe; None when they describe
    none: no numbers to choose from, or no prices yet.
    """
    priced = [
        (*bounds(market), found)
        for market in event.markets
        if (found := chance(market)) is not None
    ]
    if event.series.kind is Kind.LADDER:
        return _ladder([(low, found) for low, high, found in priced if low is not None])
    if event.series.kind is Kind.BRACKET:
        return _brackets(priced)
    return None


def _ladder(above: Sequence[tuple[float, float]]) -> Curve | None:
    points = sorted((value, 1 - chance) for value, chance in above)
    if not points:
        return None
    # Prices of neighbouring thresholds can contradict each other; a chance never falls.
    rising, highest = [], 0.0
    for value, chance in points:
        highest = max(highest, chance)
        rising.append((value, highest))
    return _closed(rising)


def _brackets(ranges: Sequence[tuple[float | None, float | None, float]]) -> Curve | None:
    total = sum(chance for _, _, chance in ranges)
    ordered = sorted(ranges, key=lambda one: float("-inf") if one[0] is None else one[0])
    tops = [(high, chance) for _, high, chance in ordered if high is not None]
    if not tops or total <= 0:
        return None
    curve, reached = [], 0.0
    for high, chance in tops:
        reached += chance / total
        curve.append((high, min(reached, 1.0)))
    return _closed(curve)


def _closed(points: Curve) -> Curve:
    """With an end on either side where the chance is 0 and 1."""
    values = [value for value, _ in points]
    step = (values[-1] - values[0]) / (len(values) - 1) if len(values) > 1 else 1.0
    return [(values[0] - step, 0.0), *points, (values[-1] + step, 1.0)]


def percentile(curve: Curve, share: float) -> float:
    """The value that the number is at most with this chance (0 to 1)."""
    for (low, below), (high, upto) in pairwise(curve):
        if share <= upto:
            inside = (share - below) / (upto - below) if upto > below else 0.0
            return low + (high - low) * max(inside, 0.0)
    return curve[-1][0]
