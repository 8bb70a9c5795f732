"""Orders: placed exactly once, thousands at a time, and settled after a crash."""

from ._changes import OrderLike
from ._finder import Certainty
from ._journal import OrderJournal
from ._orders import Orders
from ._recovery import Recovery
from ._request import OrderRequest

__all__ = [
    "Certainty",
    "OrderJournal",
    "OrderLike",
    "OrderRequest",
    "Orders",
    "Recovery",
]
