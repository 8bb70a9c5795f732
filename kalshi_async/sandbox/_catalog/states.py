"""Market lifecycle: the states on objects and the words that filters use for them."""

from __future__ import annotations

INITIALIZED, ACTIVE, INACTIVE, CLOSED, DETERMINED, DISPUTED, AMENDED, FINALIZED, ARCHIVED = range(9)

# An archived market is a finalized one that was settled before the historical cutoff.
NAMES = (
    "initialized",
    "active",
    "inactive",
    "closed",
    "determined",
    "disputed",
    "amended",
    "finalized",
    "finalized",
)
WORDS = (
    "unopened",
    "open",
    "paused",
    "closed",
    "closed",
    "closed",
    "closed",
    "settled",
    "archived",
)
STATUS_FILTERS = ("unopened", "open", "paused", "closed", "settled")
# Lists of these are ordered by close time, all others by creation.
BY_CLOSE = frozenset({"closed", "settled", "archived"})

WORD_OF_STATUS = dict(zip(NAMES[:8], WORDS[:8], strict=True)) | {
    # The words of objects recorded in older forms.
    "open": "open",
    "unopened": "unopened",
    "paused": "paused",
    "settled": "settled",
}


def traded(state: int) -> bool:
    """Whether a market in this state has been open for trading."""
    return state != INITIALIZED


def quoted(state: int) -> bool:
    """Whether a market in this state has a book."""
    return state in (ACTIVE, INACTIVE)


def decided(state: int) -> bool:
    """Whether a market in this state has a result."""
    return state >= DETERMINED
