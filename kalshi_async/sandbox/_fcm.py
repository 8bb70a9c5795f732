"""Futures commission merchants: members that trade for customers, their subtraders.

A subtrader trades in a subaccount of its member's account, so that its orders, fills and positions
are those of that subaccount. Under its error account a member takes over positions of subtraders.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from ._errors import bad_request, forbidden, nested, not_found
from ._fcm_risk import NewYorkDay, executed_premium
from ._fees import taker_fee
from ._text import named_uuid
from ._units import ONE, money_text

if TYPE_CHECKING:
    from ._exchange import Exchange

_SUFFIX = re.compile(r"[A-Za-z0-9][-A-Za-z0-9]{0,63}")


class Member(msgspec.Struct, kw_only=True):
    """An FCM. `error_account` prefixes the subtraders that take over positions."""

    user_id: str
    error_account: str


class Subtrader(msgspec.Struct, kw_only=True):
    """A customer of an FCM. `cap` is the most premium it may have at risk a day, as an amount; None
    where no cap is set.
    """

    subtrader_id: str
    user_id: str
    subaccount: int
    created: int
    cap: int | None = None
    blocked: list[str] = []


class Utilization(msgspec.Struct, kw_only=True, frozen=True):
    """How much of a cap is used, as amounts, on which day in New York (``2026-03-19``)."""

    executed: int
    resting: int
    day: str


class FcmMembers:
    """The FCMs of one exchange and their subtraders."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._members = {one.user_id: one for one in exchange.kept("fcm_member", Member)}
        self._subtraders = {
            one.subtrader_id: one for one in exchange.kept("fcm_subtrader", Subtrader)
        }

    def add(self, user_id: str) -> Member:
        """Make an account an FCM; one that is stays what it is.

        Raises:
            ApiError: 404 for an unknown account.
        """
        found = self._members.get(user_id)
        if found is None:
            self._exchange.engine.trader(user_id)
            found = Member(user_id=user_id, error_account=named_uuid(f"fcm_error/{user_id}"))
            self._members[user_id] = found
            self._exchange.keep("fcm_member", user_id, found)
        return found

    def member(self, user_id: str) -> Member:
        """The FCM with this account, else 403."""
        found = self._members.get(user_id)
        if found is None:
            raise forbidden("the account is not an FCM member")
        return found

    def subtraders(self, user_id: str) -> list[Subtrader]:
        """The subtraders of an FCM, oldest first."""
        self.member(user_id)
        return [one for one in self._subtraders.values() if one.user_id == user_id]

    def create(self, user_id: str, suffix: str) -> Subtrader:
        """A new subtrader, named by the account and a suffix.

        Raises:
            ApiError: 403 for an account that is no FCM, 400 for a bad suffix or when the account
                has all the subaccounts it can have, 409 for a suffix in use.
        """
        self.member(user_id)
        if not _SUFFIX.fullmatch(suffix):
            raise bad_request("subtrader_suffix must be 1 to 64 letters, digits or hyphens")
        return self._create(user_id, f"{user_id}_{suffix}")

    def _create(self, user_id: str, subtrader_id: str) -> Subtrader:
        if subtrader_id in self._subtraders:
            raise nested(409, "conflict", "the subtrader exists already")
        number = self._exchange.do(lambda engine, now: engine.create_subaccount(user_id, now))
        found = Subtrader(
            subtrader_id=subtrader_id,
            user_id=user_id,
            subaccount=number,
            created=self._exchange.now(),
        )
        self._subtraders[subtrader_id] = found
        self._save(found)
        return found

    def find(self, user_id: str, subtrader_id: str) -> Subtrader:
        """A subtrader of an FCM: 403 for other accounts, 404 for an unknown one."""
        self.member(user_id)
        found = self._subtraders.get(subtrader_id)
        if found is None or found.user_id != user_id:
            raise not_found()
        return found

    def subaccount_of(self, user_id: str, subtrader_id: str) -> int:
        """The subaccount in which a subtrader trades; raises as `find`."""
        return self.find(user_id, subtrader_id).subaccount

    def trading_in(self, user_id: str, subaccount: int | None) -> Subtrader | None:
        """Who trades in a subaccount; None when it belongs to no subtrader."""
        for found in self._subtraders.values():
            if found.user_id == user_id and found.subaccount == subaccount:
                return found
        return None

    # Risk controls

    def set_cap(self, user_id: str, subtrader_id: str, cap: int | None) -> None:
        """Set the daily cap of a subtrader, or with None take it away (404 when there is none)."""
        found = self.find(user_id, subtrader_id)
        if cap is None and found.cap is None:
            raise not_found()
        found.cap = cap
        self._save(found)

    def block(self, user_id: str, subtrader_id: str, category: str, blocked: bool) -> list[str]:
        """Block a category for a subtrader, or allow it again; the categories blocked then."""
        found = self.find(user_id, subtrader_id)
        chosen = set(found.blocked) - {category}
        if blocked:
            chosen.add(category)
        found.blocked = sorted(chosen)
        self._save(found)
        return found.blocked

    def utilization(self, subtrader: Subtrader, now: int) -> Utilization:
        """How much of its cap a subtrader uses: premium of today's fills, less what was sold and
        settled, and what its resting orders can cost at most, fees included.
        """
        engine = self._exchange.engine
        trader = engine.trader(subtrader.user_id)
        day = NewYorkDay.of(now)
        resting = 0
        for order in trader.resting.values():
            if order.subaccount == subtrader.subaccount:
                market = engine.markets[order.ticker]
                pays = order.price if order.bid else ONE - order.price
                resting += order.remaining * pays
                resting += taker_fee(market.fee_thousandths, order.remaining, order.price)
        return Utilization(
            executed=executed_premium(trader, subtrader.subaccount, day.start),
            resting=resting,
            day=day.text,
        )

    def check_order(
        self,
        user_id: str,
        subaccount: int | None,
        *,
        ticker: str,
        bid: bool,
        price: int,
        count: int,
        now: int,
    ) -> None:
        """What stands against an order of a key that is locked to `subaccount`: nothing unless a
        subtrader trades there.

        Raises:
            ApiError: 403 without a cap, for a blocked category and for an order that would go
                beyond the cap.
        """
        found = self.trading_in(user_id, subaccount)
        market = self._exchange.engine.market(ticker, now) if found is not None else None
        if found is None or market is None:
            return
        if found.cap is None:
            raise forbidden("no event contract daily cap is set for the subtrader")
        category = self._category(market.event_ticker)
        if category in found.blocked:
            raise forbidden(f"category {category} is blocked for the subtrader")
        used = self.utilization(found, now)
        pays = price if bid else ONE - price
        needed = count * pays + taker_fee(market.fee_thousandths, count, price)
        left = found.cap - used.executed - used.resting
        if needed > left:
            raise forbidden(
                f"the order needs ${money_text(needed)} of ${money_text(max(left, 0))} "
                "left under the event contract daily cap",
            )

    def _category(self, event_ticker: str) -> str:
        entry = self._exchange.catalog.event(event_ticker)
        if entry is None:
            return "Exotics"
        return str(entry.json().get("category", ""))

    # Moving positions

    def target(self, user_id: str, subtrader_id: str) -> Subtrader:
        """The subtrader of the error account that takes over a position, made on first use; 400 for
        one that is not under the error account.
        """
        prefix = f"{self.member(user_id).error_account}_"
        suffix = subtrader_id.removeprefix(prefix)
        if suffix == subtrader_id or not _SUFFIX.fullmatch(suffix):
            raise bad_request(f"target_subtrader_id must be {prefix} and a suffix")
        return self._subtraders.get(subtrader_id) or self._create(user_id, subtrader_id)

    def __iter__(self) -> Iterator[Member]:
        return iter(tuple(self._members.values()))

    def _save(self, subtrader: Subtrader) -> None:
        self._exchange.keep("fcm_subtrader", subtrader.subtrader_id, subtrader)
