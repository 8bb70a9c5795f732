"""The rolling limit of order groups."""

from __future__ import annotations

from ._records import Group
from ._text import SECOND

WINDOW = 15 * SECOND


def allowance(group: Group, now: int) -> int:
    """How many contracts may still match now."""
    recent = group.recent
    while recent and recent[0][0] <= now - WINDOW:
        del recent[0]
    return group.limit - sum(count for _, count in recent)


def matched(group: Group, count: int, now: int) -> bool:
    """Count a match; whether the group has reached its limit with it."""
    if group.recent and group.recent[-1][0] == now:
        count += group.recent.pop()[1]
    group.recent.append((now, count))
    return allowance(group, now) <= 0
