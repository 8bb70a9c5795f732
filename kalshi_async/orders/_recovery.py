"""After a crash: what became of the orders that were on their way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import anyio
import msgspec

from .._errors import OrderStatusUnknown
from .._trail import Trail
from ..models.orders import PlacedOrder
from ._answers import Ticket
from ._desk import Desk
from ._journal import Intent
from ._placement import Placement
from ._request import WireOrder

_decoder = msgspec.json.Decoder(WireOrder)
# The clock by which an earlier run wrote its times may have been anything but right.
_SKEW = 86_400


@dataclass(slots=True)
class Recovery:
    """What became of the intents that a journal held open.

    Attributes:
        placed: Orders that the exchange has, as they stand now.
        absent: Orders that it does not have and will not get any more.
        unknown: Orders of which that could not be found out; their intents stay open.
        elsewhere: Intents of another exchange or another key, which this client cannot judge.
    """

    placed: list[PlacedOrder] = field(default_factory=list)
    absent: list[Intent] = field(default_factory=list)
    unknown: list[OrderStatusUnknown] = field(default_factory=list)
    elsewhere: list[Intent] = field(default_factory=list)


async def recover(
    placement: Placement, desk: Desk, intents: Sequence[Intent], until: float | None
) -> Recovery:
    """Look every open intent up; those of placements under way now are passed over.

    Args:
        placement: Looks them up.
        desk: What is shared.
        intents: The journal's open intents.
        until: When to give up, on the event loop's clock; None goes on until absence is proof.

    Cancelling is safe: what was settled by then is settled.
    """
    recovery = Recovery()
    now = anyio.current_time()
    # Whatever an earlier run sent, it had sent by the time this one began.
    earlier = now - desk.age

    async def settle(intent: Intent) -> None:
        name = intent.client_order_id
        trail = Trail(attempts=1, sent_at=intent.created, doubtful=True)
        ticket = Ticket(_decoder.decode(intent.body), trail, intent.created, until, _SKEW)
        sent = earlier if name in desk.earlier else now
        try:
            placed = await placement.look_up(ticket, sent, "the journal has no outcome for it")
        except OrderStatusUnknown as exc:
            recovery.unknown.append(exc)
        else:
            if placed is None:
                recovery.absent.append(intent)
            else:
                recovery.placed.append(placed)

    async with anyio.create_task_group() as tasks:
        for intent in intents:
            if (intent.exchange, intent.api_key_id) != (desk.exchange, desk.api_key_id):
                recovery.elsewhere.append(intent)
            elif intent.client_order_id not in desk.placing:
                tasks.start_soon(settle, intent)
    return recovery
