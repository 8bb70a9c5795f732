"""``rekko.signals`` and ``rekko.trades``."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Unpack

from .._amounts import Money, Price, money_or_zero
from .._amounts import money as dollars
from .._amounts import price as checked_price
from .._errors import InvalidRequestError
from ..resources._base import CallOptions
from ..resources._checks import identifier, optional
from . import _checks as check
from . import _operations as ops
from ._base import Calls
from .models import Holding, PortfolioSignal, Signal, TradeReport

if TYPE_CHECKING:
    from .._transport import Transport

SIGNAL_TIMEOUT = 180.0
"""Seconds for one attempt: the answer comes when the analysis behind it is done."""


class Signals(Calls):
    """Recommendations with a size.

    A signal that is not at hand is reckoned first, and takes as long as an analysis: one attempt
    has 180 s unless the call or the client gives more, or ``timeout=`` says otherwise. A second
    request is a second signal, and is billed: only what certainly was not carried out is sent again
    by itself. Cancelled after sending, it may be carried out all the same.
    """

    def __init__(self, transport: Transport) -> None:
        super().__init__(transport)
        own = transport.timeout
        self._patience = None if own is None else max(own, SIGNAL_TIMEOUT)

    async def get(
        self,
        *,
        platform: str | None = None,
        market_id: str | None = None,
        market_query: str | None = None,
        risk_limit: str | int | Decimal | None = None,
        **options: Unpack[CallOptions],
    ) -> Signal:
        """The signal for one market, by its id or by words that describe it.

        Args:
            platform: The market's platform, with ``market_id``.
            market_id: The market.
            market_query: Words instead, such as ``"Fed cuts in March"``.
            risk_limit: What Rekko is to keep to: a word (``"low"``) or a number.
            options: ``timeout=`` (180 s when left out) and ``deadline=`` in seconds.

        Raises:
            InvalidRequestError: Neither a market nor words, or both; nothing is sent.
            NotFoundError: No such market, or none that fits the words.
            PlanRequiredError: The key's plan has no signals.
            QuotaExceededError: The plan's signals are used up.
        """
        where: dict[str, str] = {}
        if market_query is None:
            if platform is None or market_id is None:
                raise InvalidRequestError(
                    "platform and market_id, or market_query, must say which market is meant"
                )
            where = {
                "platform": identifier("platform", platform),
                "market_id": identifier("market_id", market_id),
            }
        elif platform is not None or market_id is not None:
            raise InvalidRequestError(
                "market_query is given beside platform or market_id; give one or the other"
            )
        fields: dict[str, object] = dict(where)
        fields["market_query"] = optional("market_query", market_query)
        fields["risk_limit"] = _risk_limit(risk_limit)
        return await self._object(
            ops.SIGNAL,
            Signal,
            self._patient(options),
            query={"wait": True},
            body=check.body(fields),
            facts=where,
        )

    async def portfolio(
        self,
        *,
        market_query: str,
        bankroll_usd: Money,
        max_position_pct: check.Share,
        portfolio: Sequence[Holding] = (),
        **options: Unpack[CallOptions],
    ) -> PortfolioSignal:
        """A signal sized for what is held already.

        Args:
            market_query: The market: its id, or words that describe it.
            bankroll_usd: What there is to stake, in dollars.
            max_position_pct: The most that one position may take, as a share of the bankroll above
                0 and up to 1: ``"0.05"`` is 5 %.
            portfolio: What is held.
            options: ``timeout=`` (180 s when left out) and ``deadline=`` in seconds.

        Raises:
            InvalidRequestError: An argument is empty, a float, or out of range; nothing is sent.
            PlanRequiredError: The key's plan has no portfolio signals.
            QuotaExceededError: The plan's signals are used up.
        """
        fields = {
            "market_query": identifier("market_query", market_query),
            "bankroll_usd": dollars("bankroll_usd", bankroll_usd),
            "max_position_pct": check.share("max_position_pct", max_position_pct, above_low=True),
            "portfolio": [_holding(place, one) for place, one in enumerate(portfolio)] or None,
        }
        return await self._object(
            ops.PORTFOLIO_SIGNAL,
            PortfolioSignal,
            self._patient(options),
            query={"wait": True},
            body=check.body(fields),
        )

    def _patient(self, options: CallOptions) -> CallOptions:
        patient: CallOptions = {"timeout": self._patience}
        patient.update(options)
        return patient


class Trades(Calls):
    """Trades made elsewhere, told to Rekko for its record of performance."""

    async def report(
        self,
        *,
        market_id: str,
        platform: str,
        side: str,
        size_usd: Money,
        price: Price,
        **options: Unpack[CallOptions],
    ) -> TradeReport:
        """Report one trade.

        A second report counts as a second trade: only what certainly was not carried out is sent
        again by itself. Cancelled after sending, it may be carried out all the same.

        Args:
            market_id: The market.
            platform: Its platform.
            side: ``"yes"`` or ``"no"``: what was bought.
            size_usd: What it cost, in dollars.
            price: Dollars a contract, as text or Decimal.
            options: ``timeout=`` and ``deadline=`` in seconds.

        Raises:
            InvalidRequestError: An argument is empty, a float, or out of range; nothing is sent.
        """
        fields = {
            "market_id": identifier("market_id", market_id),
            "platform": identifier("platform", platform),
            "side": check.side(side),
            "size_usd": dollars("size_usd", size_usd),
            "price": checked_price("price", price),
        }
        # An error would have it reported twice: a success is one, whatever it says.
        return await self._object(
            ops.REPORT_TRADE, TradeReport, options, body=check.body(fields), may_be_empty=True
        )


def _risk_limit(value: str | int | Decimal | None) -> str | Decimal | None:
    if value is None or (isinstance(value, str) and value.strip()):
        return value
    return check.number("risk_limit", value)


def _holding(place: int, holding: Holding) -> dict[str, object]:
    name = f"portfolio[{place}]"
    if not isinstance(holding, Holding):
        raise InvalidRequestError(
            f"{name} is a {type(holding).__name__}; expected Holding(ticker, side, size_usd)"
        )
    return {
        "ticker": identifier(f"{name}.ticker", holding.ticker),
        "side": check.side(holding.side),
        "size_usd": money_or_zero(f"{name}.size_usd", holding.size_usd),
    }
