"""Orders: placed exactly once, thousands at a time, and settled after a crash."""

from ._bulk import PlaceMany
from ._bulk_cancel import CancelMany
from ._finder import Certainty
from ._guard import Guard, Guarded
from ._journal import OrderJournal
from ._orders import Orders
from ._outcomes import (
    Canceled,
    CancelFailed,
    CancelOutcome,
    Gone,
    Outcome,
    Placed,
    Rejected,
    Unknown,
)
from ._recovery import Recovery
from ._request import OrderRequest
from ._targets import OrderLike

__all__ = [
    "CancelFailed",
    "CancelMany",
    "CancelOutcome",
    "Canceled",
    "Certainty",
    "Gone",
    "Guard",
    "Guarded",
    "OrderJournal",
    "OrderLike",
    "OrderRequest",
    "Orders",
    "Outcome",
    "PlaceMany",
    "Placed",
    "Recovery",
    "Rejected",
    "Unknown",
]
