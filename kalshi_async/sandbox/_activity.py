"""How much life an exchange has of its own."""

from __future__ import annotations

import math

import msgspec

MOST_MARKETS = 2_000
# Actions a second that a machine keeps up with beside everything else.
_MOST_ACTIONS = 2_000


class Activity(msgspec.Struct, kw_only=True, frozen=True):
    """Seeded market makers and takers in `markets` open markets. In each of them somebody acts
    about once a second, `speed` times as often.
    """

    speed: float = 1.0
    markets: int = 50


def activity_of(wanted: bool | Activity, speed: float) -> Activity | None:
    """What was asked for; `speed` counts where it is not part of `wanted`. Raises ValueError for
    values out of range.
    """
    if wanted is False:
        return None
    activity = wanted if isinstance(wanted, Activity) else Activity(speed=speed)
    if not (math.isfinite(activity.speed) and 0 < activity.speed <= 1000):
        raise ValueError(f"speed={activity.speed!r} must be above 0 and at most 1000")
    if not 1 <= activity.markets <= MOST_MARKETS:
        raise ValueError(f"markets={activity.markets!r} must be from 1 to {MOST_MARKETS:,}")
    if activity.speed * activity.markets > _MOST_ACTIONS:
        raise ValueError(
            f"speed={activity.speed:g} in {activity.markets} markets is more than "
            f"{_MOST_ACTIONS:,} actions a second: choose at most "
            f"speed={_MOST_ACTIONS / activity.markets:g}"
        )
    return activity
