"""Filters that the private lists of several families share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from ..models.portfolio import PositionCountFilter
from ._bodies import words_of


def count_words(
    value: PositionCountFilter | Sequence[PositionCountFilter] | None,
) -> str | None:
    """``count_filter`` in one comma-separated text; None stays None.

    Raises:
        InvalidRequestError: It is empty, or holds another word.
    """
    words = words_of("count_filter", value, get_args(PositionCountFilter))
    return None if words is None else ",".join(words)
