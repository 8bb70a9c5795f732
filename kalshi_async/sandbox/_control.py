"""What tests and tools may do to a running exchange beside its API."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from ._engine import Engine
from ._errors import ApiError
from ._exchange import Exchange
from ._records import MarketState, Position
from ._text import SECOND
from ._units import DOLLAR, ONE, parse_money, parse_price

Book = dict[str, list[tuple[Decimal, Decimal]]]
# A trillion dollars: more does not fit into what is written to disk.
_MOST_MONEY = 10**12 * DOLLAR


class Control:
    """The controls of an exchange: its markets, its clock, the money of its accounts. They raise
    ValueError for what cannot be done, and their effects are seen by every client at once.
    """

    _exchange: Exchange

    # Markets

    def pause(self, ticker: str | None = None) -> None:
        """Stop trading in a market, or everywhere: nothing is placed, cancels work. Orders that
        asked for it are cancelled.
        """
        if ticker is None:
            self._exchange.do(lambda engine, now: engine.pause(now))
        else:
            self._market(ticker, lambda engine, now: engine.pause_market(ticker, now))

    def resume(self, ticker: str | None = None) -> None:
        """Trade again after `pause`; also opens a market that was never open."""
        if ticker is None:
            self._exchange.do(lambda engine, now: engine.resume(now))
        else:
            self._market(ticker, lambda engine, now: engine.resume_market(ticker, now))

    def close(self, ticker: str) -> None:
        """End trading in a market; its orders are cancelled."""
        self._market(ticker, lambda engine, now: engine.close_market(ticker, now))

    def determine(self, ticker: str, outcome: str | Decimal) -> None:
        """Say how a market ended: "yes", "no", or what YES pays in dollars. Closes it first;
        nothing is paid before `settle`.
        """
        value = _value(outcome)
        self._market(ticker, lambda engine, now: engine.determine(ticker, value, now))

    def settle(self, ticker: str, outcome: str | Decimal | None = None) -> None:
        """Pay out a market, after determining it if `outcome` is given."""
        if outcome is not None:
            self.determine(ticker, outcome)
        self._market(ticker, lambda engine, now: engine.settle(ticker, now))

    def _market(self, ticker: str, command: Callable[[Engine, int], MarketState]) -> None:
        try:
            self._exchange.do(command)
        except ApiError as error:
            detail = error.body.get("error")
            text = detail.get("details") if isinstance(detail, dict) else None
            raise ValueError(text or f"there is no market {ticker!r}") from None

    # Time

    def advance(self, seconds: float) -> None:
        """Let the clock of trading jump ahead: orders expire, markets open, close and settle,
        makers and takers trade. Signatures are still held against the wall clock. All of it is
        done when this returns: an hour of activity in 50 markets takes some seconds.

        Raises ValueError for a negative number: time does not go back.
        """
        if not 0 <= seconds < 100 * 365 * 86_400:
            raise ValueError(f"seconds={seconds!r} must be between 0 and a hundred years")
        self._exchange.advanced += round(seconds * SECOND)
        self._exchange.tick()

    # Money

    def deposit(self, user_id: str, dollars: Decimal | str, *, exchange_index: int = 0) -> None:
        """Money from outside into the primary subaccount of an account; below zero: out of it.

        Raises ValueError for an unknown account, or one that does not have that much free.
        """
        amount = money(dollars, "dollars")
        if exchange_index < 0:
            raise ValueError(f"exchange_index={exchange_index!r} must be 0 or above")
        try:
            if amount >= 0:
                self._exchange.do(
                    lambda engine, now: engine.deposit(user_id, amount, now, shard=exchange_index)
                )
            else:
                self._exchange.do(
                    lambda engine, now: engine.withdraw(user_id, -amount, now, shard=exchange_index)
                )
        except ApiError as error:
            raise ValueError(f"cannot deposit {dollars} for {user_id!r}: {error}") from None

    # What there is

    @property
    def engine(self) -> Engine:
        """The matching engine, to look at; change it through the controls."""
        return self._exchange.engine

    def book(self, ticker: str) -> Book:
        """The order book as the exchange itself has it: bids of "yes" and of "no", (price in
        dollars, contracts), best first.
        """
        bids = self._exchange.book_levels(ticker, True)
        asks = self._exchange.book_levels(ticker, False)
        return {
            "yes": [(_dollars(price), _contracts(count)) for price, count in bids],
            "no": [(_dollars(ONE - price), _contracts(count)) for price, count in asks],
        }

    def position(self, user_id: str, ticker: str, subaccount: int = 0) -> Decimal:
        """Contracts an account holds of a market: above zero YES, below zero NO."""
        trader = self._exchange.engine.traders.get(user_id)
        found: Position | None = trader.positions.get((subaccount, ticker)) if trader else None
        return _contracts(found.count if found else 0)

    def money(self) -> tuple[Decimal, Decimal]:
        """(what was ever paid in, what is there): wallets, open pairs at a dollar each, and fees.
        The two are equal, whatever was traded.
        """
        engine = self._exchange.engine
        there = engine.fees + ONE * sum(market.open_interest for market in engine.markets.values())
        for trader in engine.traders.values():
            there += sum(wallet.cash for wallet in trader.wallets.values())
        return _amount(engine.paid_in), _amount(there)


def money(dollars: object, name: str) -> int:
    """An amount from what a caller gave: text, a Decimal or a whole number; a ValueError says what
    is wrong with anything else, a float among it.
    """
    text = format(dollars, "f") if isinstance(dollars, Decimal | int) else dollars
    amount = parse_money(text) if isinstance(text, str) else None
    if amount is None or abs(amount) > _MOST_MONEY:
        raise ValueError(
            f"{name}={dollars!r} must be dollars with at most six decimals, up to a trillion, "
            "such as '10000.00'"
        )
    return amount


def _value(outcome: str | Decimal) -> int:
    known = {"yes": ONE, "no": 0}.get(outcome) if isinstance(outcome, str) else None
    text = format(outcome, "f") if isinstance(outcome, Decimal) else str(outcome)
    value = known if known is not None else parse_price(text)
    if value is None or not 0 <= value <= ONE:
        raise ValueError(f"outcome={outcome!r} must be 'yes', 'no' or dollars from 0 to 1")
    return value


def _dollars(price: int) -> Decimal:
    return Decimal(price).scaleb(-4)


def _contracts(count: int) -> Decimal:
    return Decimal(count).scaleb(-2)


def _amount(amount: int) -> Decimal:
    return Decimal(amount).scaleb(-6)
