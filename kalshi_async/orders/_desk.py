"""What all views of a client share about its orders: who is being placed, and what is written."""

from __future__ import annotations

import time
from collections.abc import Callable, KeysView, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import anyio

from .._errors import KalshiError, OrderStatusUnknown
from .._hooks import logger
from ..models.orders import PlacedOrder
from ._finder import Certainty, Finder
from ._journal import Intent, Outcome, Status
from ._request import WireOrder

if TYPE_CHECKING:
    from ._journal import OrderJournal

Result = PlacedOrder | KalshiError
"""How a placement ended; ``OrderStatusUnknown`` is one of the errors."""


class Watcher(Protocol):
    """Told of every placement: when it begins, and how it ended."""

    def placing(self, order: WireOrder, /) -> None: ...

    def ended(self, order: WireOrder, result: Result | None, /) -> None:
        """``result`` is None for an order that was certainly not sent."""
        ...


@dataclass(slots=True)
class Desk:
    """The state that placements of one client have in common.

    Attributes:
        finder: Finds orders whose placement was not answered.
        journal: Where intents are kept; None keeps none.
        exchange: The REST base URL.
        api_key_id: The account's key; empty without one.
        wall_clock: Unix seconds.
        doubts: By when orders had been sent of which nothing is known, on the event loop's clock.
        earlier: Client_order_ids whose outcome the journal did not have when this desk opened.
    """

    finder: Finder
    journal: OrderJournal | None
    exchange: str
    api_key_id: str
    wall_clock: Callable[[], float]
    doubts: dict[str, float] = field(default_factory=dict)
    earlier: set[str] = field(init=False)
    _placing: dict[str, int] = field(default_factory=dict)
    _opened: float = field(init=False)

    def __post_init__(self) -> None:
        self.earlier = set() if self.journal is None else set(self.journal.open_ids)
        self._opened = time.monotonic()

    @property
    def certainty(self) -> Certainty:
        """How long to look for an order, and what an empty look means."""
        return self.finder.certainty

    @property
    def placing(self) -> KeysView[str]:
        """The client_order_ids of placements under way."""
        return self._placing.keys()

    @property
    def age(self) -> float:
        """Seconds since this desk opened, however the wall clock was set meanwhile."""
        return time.monotonic() - self._opened

    def in_doubt(self, client_order_id: str) -> bool:
        """Whether another placement of an order that is under way may be carried out, or was."""
        return (
            client_order_id in self.doubts
            or client_order_id in self.earlier
            or self._placing.get(client_order_id, 0) > 1
        )

    async def intend(self, orders: Sequence[tuple[WireOrder, bytes]]) -> None:
        """Write down what is about to be sent, with its body; it is under way until ``ended``.

        Raises:
            JournalError: It could not be written; it must not be sent.

        Cancelling is safe: what was written is then marked as never sent.
        """
        # Before it is written: what is open in the journal and not under way is looked up.
        for order, _ in orders:
            self._placing[order.client_order_id] = self._placing.get(order.client_order_id, 0) + 1
        if self.journal is None:
            return
        now, exchange, key = self.wall_clock(), self.exchange, self.api_key_id
        try:
            await self.journal.intend(
                [
                    Intent(order.client_order_id, order.ticker, body, exchange, key, now)
                    for order, body in orders
                ]
            )
        except BaseException as exc:
            for order, _ in orders:
                self.ended(order.client_order_id)
                if isinstance(exc, anyio.get_cancelled_exc_class()):
                    self.not_sent(order.client_order_id)
            raise

    def doubt(self, client_order_id: str, sent: float) -> None:
        """Nothing is known of an order that had been sent by then, on the event loop's clock."""
        self.doubts[client_order_id] = max(sent, self.doubts.get(client_order_id, sent))

    def ended(self, client_order_id: str) -> None:
        """A placement is not under way any more."""
        left = self._placing.pop(client_order_id) - 1
        if left:
            self._placing[client_order_id] = left

    def settle(self, client_order_id: str, result: Result) -> None:
        """Write down how a placement ended. One that is still unknown stays open."""
        if isinstance(result, OrderStatusUnknown):
            return
        self._settled(client_order_id)
        if isinstance(result, PlacedOrder):
            self._note(client_order_id, "placed", result.order_id)
        else:
            self._note(client_order_id, "rejected", detail=str(result))

    def not_sent(self, client_order_id: str) -> None:
        """Write down that a placement was given up before it was sent."""
        self._note(client_order_id, "unsent", detail="cancelled before it was sent")

    def absent(self, client_order_id: str) -> None:
        """Write down that an order was looked for, and proved not to be there."""
        self._settled(client_order_id)
        self._note(client_order_id, "absent", detail="looked for, and proved not to be there")

    def _settled(self, client_order_id: str) -> None:
        self.doubts.pop(client_order_id, None)
        self.earlier.discard(client_order_id)

    def _note(
        self,
        client_order_id: str,
        status: Status,
        order_id: str | None = None,
        detail: str = "",
    ) -> None:
        if self.journal is None:
            return
        # While another placement of the same order is under way, the intent must stay open.
        if status != "placed" and client_order_id in self._placing:
            return
        # Writing it down must never hide how a placement ended: what cannot be written stays open,
        # and is looked up by ``recover``.
        try:
            outcome = Outcome(client_order_id, status, order_id, detail, self.wall_clock())
            self.journal.settle([outcome])
        except KalshiError as exc:
            logger.warning("the outcome of %s was not written: %s", client_order_id, exc)
