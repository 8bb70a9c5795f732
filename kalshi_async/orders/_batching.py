"""How many items go together in one request."""

from __future__ import annotations

from .._errors import InvalidRequestError
from .._operations import BATCH_CREATE_ORDERS, Operation
from .._transport import Transport

UNLIMITED_BATCH = 10
"""The largest batch where no limits say better: what the bucket of the smallest tier holds."""


def check_batch(batch: object) -> None:
    """Raise ``InvalidRequestError`` for what ``batch=`` does not take."""
    if batch is not None and batch != "auto":
        raise InvalidRequestError(f'batch is {batch!r}; expected "auto" or None')


def batch_size(transport: Transport, batched: Operation, single: Operation) -> int:
    """How many items a batch of now may have; 1 where single requests are cheaper, or as good.

    As many as there are tokens for now, or would be in a moment: a batch then waits no longer than
    its items would. Never more than a full bucket holds, which has to hold a batch whole, nor than
    the tier takes.
    """
    if transport.cost(batched) > transport.cost(single):
        return 1
    room = transport.batch_room(batched)
    largest = transport.batch_room(BATCH_CREATE_ORDERS)
    if room is None or largest is None:
        return UNLIMITED_BATCH
    return max(1, min(room.soon, room.most, largest.most))
