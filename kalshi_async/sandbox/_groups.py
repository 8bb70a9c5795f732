"""The rolling limit of order groups."""

from __future__ import annotations

from ._records import Group
from ._text import SECOND

WINDOW = 15 * SECOND
# Matches of one hundredth of a second are remembered as one, at its end: what a group remembers has
# a bound, and no window holds more than the limit.
_GRAIN = SECOND // 100


def allowance(group: Group, now: int) -> int:
    """How many contracts may still match now."""
    recent = group.recent
    if recent and recent[0][0] <= now - WINDOW:
        old = 0
        for time, count in recent:
            if time > now - WINDOW:
                break
            group.used -= count
            old += 1
        del recent[:old]
    return group.limit - group.used


def matched(group: Group, count: int, now: int) -> bool:
    """Count a match; whether the group has reached its limit with it."""
    recent, time = group.recent, -(-now // _GRAIN) * _GRAIN
    group.used += count
    if recent and recent[-1][0] == time:
        count += recent.pop()[1]
    recent.append((time, count))
    return allowance(group, now) <= 0


def reset(group: Group) -> None:
    """Start the count anew."""
    group.recent, group.used = [], 0
