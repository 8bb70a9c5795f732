"""What traders may ask for their order groups."""

from __future__ import annotations

from ._errors import bad_request, not_found, unknown_subaccount
from ._events import GroupChanged
from ._floor import Floor
from ._groups import allowance, reset
from ._holdings import Trader
from ._records import Group


class Groups(Floor):
    """A `Floor` with order groups."""

    def create_group(
        self, user_id: str, limit: int, now: int, *, subaccount: int = 0, shard: int = 0
    ) -> Group:
        """A group of orders of which at most `limit` contracts match in 15 seconds."""
        trader = self.trader(user_id)
        if subaccount not in trader.subaccounts:
            raise unknown_subaccount(subaccount)
        _check_limit(limit)
        group = Group(
            group_id=self.new_id(),
            user_id=user_id,
            subaccount=subaccount,
            shard=shard,
            limit=limit,
            created=now,
            updated=now,
        )
        trader.groups[group.group_id] = group
        self.emit(GroupChanged(group, "created", now))
        return group

    def group(self, user_id: str, group_id: str) -> tuple[Trader, Group]:
        """A group of this trader, else 404."""
        trader = self.trader(user_id)
        if group_id not in trader.groups:
            raise not_found()
        return trader, trader.groups[group_id]

    def delete_group(self, user_id: str, group_id: str, now: int) -> Group:
        """Cancel the orders of a group and forget it."""
        trader, group = self.group(user_id, group_id)
        self.cancel_group(trader, group, now)
        del trader.groups[group_id]
        self.emit(GroupChanged(group, "deleted", now))
        return group

    def trigger_group(self, user_id: str, group_id: str, now: int) -> Group:
        """Cancel the orders of a group and accept no more until it is reset."""
        trader, group = self.group(user_id, group_id)
        self.trigger(trader, group, now)
        return group

    def reset_group(self, user_id: str, group_id: str, now: int) -> Group:
        """Start the count of a group anew and accept orders again."""
        _, group = self.group(user_id, group_id)
        reset(group)
        group.triggered, group.updated = False, now
        self.emit(GroupChanged(group, "reset", now))
        return group

    def limit_group(self, user_id: str, group_id: str, limit: int, now: int) -> Group:
        """Another limit; one that is reached already triggers the group."""
        trader, group = self.group(user_id, group_id)
        _check_limit(limit)
        group.limit, group.updated = limit, now
        self.emit(GroupChanged(group, "limit_updated", now))
        if not group.triggered and allowance(group, now) <= 0:
            self.trigger(trader, group, now)
        return group


def _check_limit(limit: int) -> None:
    if limit <= 0:
        raise bad_request("the limit of a group must be above zero")
