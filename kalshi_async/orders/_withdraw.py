"""Taking back orders that may rest, in a bounded time, whatever else goes on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import anyio

from .._errors import DeadlineExceededError, KalshiError, OrderStatusUnknown
from .._hooks import logger
from .._operations import CANCEL_ORDER
from .._retry import worth_retrying
from ._bulk_cancel import CancelMany
from ._outcomes import Canceled, CancelFailed, CancelOutcome, Gone
from ._targets import Target

if TYPE_CHECKING:
    from ._orders import Orders


_MOST_AT_ONCE = 100
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 1.0


@dataclass(slots=True, eq=False)
class Stake:
    """An order that may rest.

    Attributes:
        client_order_id: The caller's id.
        ticker: Its market.
        subaccount: Its subaccount; None for the primary.
        index: Its place in the input, where there is one.
        order_id: The exchange's id; empty while it is not known.
        doubt: Why it is not known.
    """

    client_order_id: str
    ticker: str
    subaccount: int | None = None
    index: int = 0
    order_id: str = ""
    doubt: OrderStatusUnknown | None = None

    def __str__(self) -> str:
        order = self.order_id or "of unknown id"
        return f"order {order} (client_order_id {self.client_order_id}) in {self.ticker}"

    @property
    def target(self) -> Target:
        """The order, for a cancellation."""
        return Target(self.order_id, self.ticker, self.subaccount)


def log_failure(stake: Stake, error: KalshiError) -> None:
    """Say which order may still rest, and why."""
    logger.error("could not cancel %s: %s", stake, error)


async def withdraw(orders: Orders, stakes: Sequence[Stake], seconds: float) -> list[CancelOutcome]:
    """Cancel orders that may rest; those of which that is unknown are looked up first.

    Not disturbed by a cancellation from outside, and over after so many seconds. What fails for a
    passing reason is tried again until then, however often calls are tried otherwise.

    Returns:
        What happened to each, in the order of ``index``; orders that turn out not to have been
        placed, or not to rest, are left out.
    """
    outcomes: dict[int, CancelOutcome] = {}
    open_stakes = {id(stake): stake for stake in stakes}
    failures: dict[int, KalshiError] = {}

    def settled(stake: Stake, outcome: CancelOutcome | None = None) -> None:
        del open_stakes[id(stake)]
        if outcome is not None:
            outcomes[stake.index] = outcome

    async def cancel(known: Sequence[Stake]) -> None:
        pause = _FIRST_PAUSE
        while known := await cancel_once(known):
            await anyio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def cancel_once(known: Sequence[Stake]) -> list[Stake]:
        again: list[Stake] = []
        flow = CancelMany(
            orders,
            [stake.target for stake in known],
            subaccount=None,
            max_in_flight=_MOST_AT_ONCE,
            batch="auto",
            # An answer that does not come must leave time for another attempt.
            options={"timeout": seconds / 3, "deadline": None},
        )
        over = True
        try:
            await flow
            over = False
        finally:
            for outcome in flow.outcomes:
                stake = known[outcome.index]
                if not isinstance(outcome, CancelFailed):
                    settled(stake, _of(outcome, stake.index))
                elif not over:
                    failures[id(stake)] = outcome.error
                    if worth_retrying(CANCEL_ORDER, outcome.error):
                        again.append(stake)
                    else:
                        settled(stake, _of(outcome, stake.index))
        return again

    async def find(stake: Stake, doubt: OrderStatusUnknown) -> None:
        try:
            placed = await doubt.resolve()
        except KalshiError as exc:
            settled(stake, CancelFailed("", exc, stake.index))
            return
        except Exception:  # noqa: BLE001 - it must not keep the others on the book
            settled(stake, CancelFailed("", doubt, stake.index))
            return
        if placed is None or placed.remaining_count == 0:
            settled(stake)
            return
        stake.order_id = placed.order_id
        await cancel([stake])

    with anyio.move_on_after(seconds, shield=True):
        async with anyio.create_task_group() as tasks:
            known = [stake for stake in stakes if stake.order_id]
            if known:
                tasks.start_soon(cancel, known)
            for stake in stakes:
                if not stake.order_id and stake.doubt is not None:
                    tasks.start_soon(find, stake, stake.doubt)
    late = DeadlineExceededError(f"not cancelled within {seconds:g} s")
    for stake in open_stakes.values():
        why = failures.get(id(stake)) or stake.doubt or late
        outcomes[stake.index] = CancelFailed(stake.order_id, why, stake.index)
    return [outcomes[index] for index in sorted(outcomes)]


def _of(outcome: CancelOutcome, index: int) -> CancelOutcome:
    """The same outcome, at another place."""
    if isinstance(outcome, Canceled):
        return Canceled(outcome.order_id, outcome.order, index)
    if isinstance(outcome, Gone):
        return Gone(outcome.order_id, outcome.error, index)
    return CancelFailed(outcome.order_id, outcome.error, index)
