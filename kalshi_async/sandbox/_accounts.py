"""Money and subaccounts of traders."""

from __future__ import annotations

from ._errors import ApiError, bad_request, nested, not_found
from ._floor import Floor
from ._holdings import Trader
from ._records import LAST_SUBACCOUNT, Payment, Transfer, Wallet


def insufficient_balance() -> ApiError:
    """400 of an order, transfer or withdrawal that the free cash does not cover."""
    return nested(400, "insufficient_balance")


class Accounts(Floor):
    """A `Floor` on which traders move their money."""

    def withdraw(self, user_id: str, amount: int, now: int, *, shard: int = 0) -> Payment:
        """Money out of the primary subaccount; 400 when it is not free."""
        trader = self.trader(user_id)
        if amount <= 0:
            raise bad_request("the amount must be above zero")
        wallet = trader.wallet(0, shard)
        if amount > wallet.free:
            raise insufficient_balance()
        payment = Payment(payment_id=self.new_id(), user_id=user_id, amount=-amount, time=now)
        trader.payments.append(payment)
        self.move_cash(wallet, -amount, "withdrawal", now)
        return payment

    def create_subaccount(self, user_id: str, now: int) -> int:
        """The number of a new subaccount, counted from 1."""
        trader = self.trader(user_id)
        number = max(trader.subaccounts) + 1
        if number > LAST_SUBACCOUNT:
            raise nested(400, "max_subaccounts_reached", f"at most {LAST_SUBACCOUNT}")
        trader.subaccounts.add(number)
        self.move_cash(trader.wallet(number, 0), 0, "transfer", now)
        return number

    def transfer(
        self,
        user_id: str,
        amount: int,
        now: int,
        *,
        from_subaccount: int = 0,
        to_subaccount: int = 0,
        from_shard: int = 0,
        to_shard: int = 0,
        client_transfer_id: str = "",
    ) -> Transfer:
        """Money from one wallet of an account to another."""
        trader = self.trader(user_id)
        if not {from_subaccount, to_subaccount} <= trader.subaccounts:
            raise not_found()
        if (from_subaccount, from_shard) == (to_subaccount, to_shard):
            raise bad_request("source and destination are the same")
        if client_transfer_id and client_transfer_id in trader.transfer_ids():
            raise nested(409, "transfer_already_exists")
        source = trader.wallet(from_subaccount, from_shard)
        if amount <= 0:
            raise bad_request("the amount must be above zero")
        if amount > source.free:
            raise insufficient_balance()
        made = Transfer(
            transfer_id=self.new_id(),
            user_id=user_id,
            client_transfer_id=client_transfer_id,
            amount=amount,
            from_subaccount=from_subaccount,
            to_subaccount=to_subaccount,
            from_shard=from_shard,
            to_shard=to_shard,
            time=now,
        )
        trader.transfers.append(made)
        self.move_cash(source, -amount, "transfer", now)
        self.move_cash(trader.wallet(to_subaccount, to_shard), amount, "transfer", now)
        return made

    def lacks(self, trader: Trader, wallet: Wallet, short: int, shard: int | None) -> bool:
        """Whether other wallets cannot make up for what is short in this one; those of other shards
        may be drawn on where no `shard` was asked for.
        """
        if short <= 0:
            return False
        return shard is not None or sum(w.free for w in _others(trader, wallet)) < short

    def draw(self, trader: Trader, wallet: Wallet, short: int, now: int) -> None:
        """Bring what is short from the wallets of other shards; see `lacks` first."""
        if short <= 0:
            return
        for other in _others(trader, wallet):
            amount = min(other.free, short)
            short -= amount
            self.transfer(
                trader.user_id,
                amount,
                now,
                from_subaccount=wallet.subaccount,
                to_subaccount=wallet.subaccount,
                from_shard=other.shard,
                to_shard=wallet.shard,
            )
            if not short:
                return


def _others(trader: Trader, wallet: Wallet) -> list[Wallet]:
    """Wallets of the same subaccount with money that could be used instead."""
    return [
        other
        for (subaccount, shard), other in trader.wallets.items()
        if subaccount == wallet.subaccount and shard != wallet.shard and other.free > 0
    ]
