"""What happened to the account while no connection was there, read over REST as stream messages."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

import anyio

from .._errors import KalshiError, NotFoundError, PermissionDeniedError
from .._operations import Priority
from .._pagination import Paginator
from ..models.orders import Order, OrderStatusFilter
from ..models.portfolio import Fill, MarketPosition
from ._continuity import Place, is_newer, order_micros
from .messages import FillUpdate, MarketPositionUpdate, UserOrderUpdate

if TYPE_CHECKING:
    from .._client import KalshiClient

T = TypeVar("T")

PAGE_LIMIT = 1000
AT_ONCE = 8
# A page of orders costs as many tokens as five orders by id.
PAGE_PAYS, MANY = 5, 20
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


class Backfill:
    """Reads what private subscriptions missed. A read shows what happened up to the lag before it.

    The reads rank with orders in the rate limit: whoever does not know its fills trades blindly.

    Args:
        client: A client with a key.
        clock: Unix seconds, for ``received_at`` of what is read.
        at_once: How many single orders or positions are read at a time.

    Attributes:
        undecoded: Items that could not be read; each may be a message that is missing.
        not_found: Orders and positions that were asked for and that the exchange does not show.

    Every method raises KalshiError where something could not be read at all, and can then be called
    again. Cancelling is safe.
    """

    def __init__(
        self,
        client: KalshiClient,
        *,
        clock: Callable[[], float] = time.time,
        at_once: int = AT_ONCE,
    ) -> None:
        self._client = client.with_options(priority=Priority.ORDER)
        self._clock = clock
        self._at_once = at_once
        self.undecoded = self.not_found = 0

    def __repr__(self) -> str:
        return f"<Backfill: {self.undecoded} items undecoded, {self.not_found} not found>"

    async def fills(self, since: float, tickers: Collection[str] | None = None) -> list[FillUpdate]:
        """The fills since then, oldest first.

        Args:
            since: Unix seconds of the exchange.
            tickers: Only of these markets; None: of all.
        """
        listed = self._client.portfolio.fills(
            ticker=_only(tickers), min_ts=_seconds(since), limit=PAGE_LIMIT
        )
        found: list[FillUpdate] = []
        for fill in await self._all(listed):
            message = fill_update(fill, self._clock())
            # The exchange counts in whole seconds.
            early = message.ts_ms is not None and message.ts_ms < since * 1000
            if not early and _is_in(tickers, message.market_ticker):
                found.append(message)
        found.reverse()
        return found

    async def orders(
        self,
        since: float,
        believed_resting: Iterable[str] = (),
        tickers: Collection[str] | None = None,
    ) -> list[UserOrderUpdate]:
        """The orders that rest, those created since then whatever became of them, and each that was
        believed to rest and is in neither list; each once, by the time of their last change.

        Args:
            since: Unix seconds of the exchange.
            believed_resting: ``OrderContinuity.believed_resting``.
            tickers: Only of these markets; None: of all.
        """
        lists, ticker = self._client.orders, _only(tickers)
        found: dict[str, UserOrderUpdate] = {}

        def note(order: Order) -> None:
            message = order_update(order, self._clock())
            known = found.get(order.order_id)
            # Two looks may show the account from two copies, the later look from the older one.
            if known is None or is_newer(message, known):
                found[order.order_id] = message

        async def read(order_id: str) -> None:
            note(await lists.get(order_id))

        for listed in (
            lists.list(ticker=ticker, min_ts=_seconds(since), limit=PAGE_LIMIT),
            lists.list(ticker=ticker, status="resting", limit=PAGE_LIMIT),
        ):
            for order in await self._all(listed):
                note(order)
        gone = [order_id for order_id in believed_resting if order_id not in found]
        for order in await self._gone_together(gone, ticker):
            note(order)
        await self._each([order_id for order_id in gone if order_id not in found], read)
        return sorted(
            (message for message in found.values() if _is_in(tickers, message.ticker)),
            key=order_micros,
        )

    async def _gone_together(self, gone: Collection[str], ticker: str | None) -> list[Order]:
        """Many orders end at once when a market closes, or are cancelled with the connection: pages
        of ended ones are read for as long as they hold more than reading by id would for the price.
        """
        found: list[Order] = []
        left = set(gone)
        status: OrderStatusFilter
        for status in ("canceled", "executed"):
            if len(left) < MANY:
                break
            listed = self._client.orders.list(ticker=ticker, status=status, limit=PAGE_LIMIT)
            async for page in listed.pages():
                # What cannot be read is asked for by its id.
                here = [order for order in page if order.order_id in left]
                found += here
                left.difference_update(order.order_id for order in here)
                if len(here) < PAGE_PAYS or len(left) < MANY:
                    break
        return found

    async def resting(self, tickers: Collection[str] | None = None) -> list[UserOrderUpdate]:
        """The orders that rest: for ``OrderContinuity.baseline``."""
        listed = self._client.orders.list(ticker=_only(tickers), status="resting", limit=PAGE_LIMIT)
        messages = [order_update(order, self._clock()) for order in await self._all(listed)]
        return [message for message in messages if _is_in(tickers, message.ticker)]

    async def positions(
        self,
        tickers: Collection[str] | None = None,
        believed_held: Iterable[Place] = (),
    ) -> list[MarketPositionUpdate]:
        """The positions of all subaccounts in markets that have not settled, and each that was
        believed to be held and is not among them.

        Args:
            tickers: Only of these markets; None: of all.
            believed_held: ``PositionContinuity.believed_held``.
        """
        portfolio, ticker = self._client.portfolio, _only(tickers)
        believed = [place for place in believed_held if _is_in(tickers, place[0])]
        found: dict[Place, MarketPositionUpdate] = {}

        async def note(listed: Paginator[MarketPosition], subaccount: int) -> None:
            for position in await self._all(listed):
                if _is_in(tickers, position.ticker):
                    message = position_update(position, subaccount, self._clock())
                    found[position.ticker, subaccount] = message

        async def read_one(place: Place) -> None:
            name, subaccount = place
            await note(
                portfolio.positions(ticker=name, subaccount=subaccount, settlement_status="all"),
                subaccount,
            )
            if place not in found:
                self.not_found += 1

        async def read_all(subaccount: int) -> None:
            await note(
                portfolio.positions(ticker=ticker, subaccount=subaccount, limit=PAGE_LIMIT),
                subaccount,
            )

        await self._each(await self._subaccounts(believed), read_all)
        await self._each([place for place in believed if place not in found], read_one)
        return list(found.values())

    async def _subaccounts(self, believed: Iterable[Place]) -> list[int]:
        """The subaccounts that this key sees, since positions are shown of one at a time."""
        try:
            balances = await self._client.subaccounts.balances()
        except PermissionDeniedError:
            # A key without this right: the primary one, and those that messages told of.
            return sorted({0, *(subaccount for _, subaccount in believed)})
        self.undecoded += len(balances.undecoded)
        return sorted({balance.subaccount_number for balance in balances})

    async def _all(self, listed: Paginator[T]) -> list[T]:
        items: list[T] = []
        async for page in listed.pages():
            self.undecoded += len(page.undecoded)
            items += page.items
        return items

    async def _each(self, names: Sequence[T], read: Callable[[T], Awaitable[None]]) -> None:
        """Read each, a few at a time; the first error ends it."""
        left = iter(names)
        failures: list[KalshiError] = []

        async def work() -> None:
            for name in left:
                try:
                    await read(name)
                except NotFoundError:
                    self.not_found += 1
                except KalshiError as exc:
                    failures.append(exc)
                    tasks.cancel_scope.cancel()
                    return

        async with anyio.create_task_group() as tasks:
            for _ in range(min(self._at_once, len(names))):
                tasks.start_soon(work)
        if failures:
            raise failures[0]


def fill_update(fill: Fill, received_at: float = 0.0) -> FillUpdate:
    """A fill as the ``fill`` channel tells it, without what REST does not know."""
    at = fill.created_time
    ts = fill.ts if fill.ts is not None or at is None else int(at.timestamp())
    ts_ms = _milliseconds(at)
    if ts_ms is None and ts is not None:
        ts_ms = ts * 1000
    return FillUpdate(
        received_at=received_at,
        backfilled=True,
        trade_id=fill.trade_id or fill.fill_id,
        order_id=fill.order_id,
        market_ticker=fill.market_ticker or fill.ticker,
        exchange_index=fill.exchange_index,
        is_taker=fill.is_taker,
        side=fill.side,
        ts=ts,
        ts_ms=ts_ms,  # type: ignore[arg-type]
        yes_price=fill.yes_price,
        count=fill.count,
        fee_cost=fill.fee_cost,
        action=fill.action,
        outcome_side=fill.outcome_side,
        book_side=fill.book_side,
        subaccount=fill.subaccount_number,
    )


def order_update(order: Order, received_at: float = 0.0) -> UserOrderUpdate:
    """An order as the ``user_orders`` channel tells it, without what REST does not know."""
    return UserOrderUpdate(
        received_at=received_at,
        backfilled=True,
        order_id=order.order_id,
        user_id=order.user_id,
        ticker=order.ticker,
        exchange_index=order.exchange_index,
        status=order.status,
        # REST tells side and action of an order; the channel, without an action, the outcome.
        side=order.outcome_side,
        outcome_side=order.outcome_side,
        book_side=order.book_side,
        yes_price=order.yes_price,
        fill_count=order.fill_count,
        remaining_count=order.remaining_count,
        initial_count=order.initial_count,
        taker_fill_cost=order.taker_fill_cost,
        maker_fill_cost=order.maker_fill_cost,
        taker_fees=order.taker_fees,
        maker_fees=order.maker_fees,
        client_order_id=order.client_order_id,
        order_group_id=order.order_group_id,
        self_trade_prevention_type=order.self_trade_prevention_type,
        created_time=order.created_time,
        last_update_time=order.last_update_time,
        expiration_time=order.expiration_time,
        expiration_ts_ms=_milliseconds(order.expiration_time),
        created_ts_ms=_milliseconds(order.created_time),
        last_updated_ts_ms=_milliseconds(order.last_update_time),
        subaccount_number=order.subaccount_number,
    )


def position_update(
    position: MarketPosition, subaccount: int, received_at: float = 0.0
) -> MarketPositionUpdate:
    """A position as the ``market_positions`` channel tells it, without what REST does not know."""
    return MarketPositionUpdate(
        received_at=received_at,
        backfilled=True,
        market_ticker=position.ticker,
        position=position.position,
        position_cost=position.market_exposure,
        realized_pnl=position.realized_pnl,
        fees_paid=position.fees_paid,
        subaccount=subaccount,
    )


def _milliseconds(at: datetime | None) -> int | None:
    return None if at is None else (at - _EPOCH) // _MILLISECOND


def _seconds(since: float) -> int:
    return max(0, int(since))


def _only(tickers: Collection[str] | None) -> str | None:
    """The one market that the exchange can filter by."""
    return next(iter(tickers)) if tickers is not None and len(tickers) == 1 else None


def _is_in(tickers: Collection[str] | None, ticker: str) -> bool:
    return tickers is None or ticker in tickers
