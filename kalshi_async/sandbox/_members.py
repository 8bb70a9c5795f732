"""Opening accounts: a key to sign with, buckets, and money to trade with."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from uuid import UUID

import msgspec
from msgspec.structs import replace

from ._auth import Account, Credentials, Key, KeyType, load_public_key, make_key
from ._exchange import Exchange
from ._handlers.keys import Grants, raise_tier
from ._limits import TIERS, Limits, tier_named
from ._text import named_uuid

SCOPES = ("read", "write")


class StoredMember(msgspec.Struct, kw_only=True, frozen=True):
    """An account and its first key, as the state file keeps them."""

    api_key_id: str
    user_id: str
    private_key_pem: bytes
    tier: str | None
    scopes: tuple[str, ...]


class Members:
    """The accounts of one exchange. The n-th one has the same ids for the same seed, and after a
    restart from a state file it is the same account with the same key.
    """

    def __init__(self, exchange: Exchange, *, timer: Callable[[], float]) -> None:
        self._exchange, self._timer = exchange, timer
        self._names = Random(f"accounts/{exchange.seed}")  # noqa: S311 - reproducible, not secret
        self._kept = {member.api_key_id: member for member in exchange.kept("member", StoredMember)}
        for member in self._kept.values():
            self._admit(member)

    def open(
        self, *, tier: str | None, key_type: KeyType, amount: int, scopes: tuple[str, ...]
    ) -> Credentials:
        """A further account with `amount` in its wallet, or the one that was kept in its place,
        with another tier if need be.
        """
        tier_named(tier)
        key_id = str(UUID(int=self._names.getrandbits(128), version=4))
        member = self._kept.get(key_id)
        if member is None:
            credentials, _ = make_key(key_id, key_type)
            member = StoredMember(
                api_key_id=key_id,
                user_id=named_uuid(f"member/{key_id}"),
                private_key_pem=credentials.private_key_pem,
                tier=tier,
                scopes=scopes,
            )
            self._exchange.keep("member", key_id, member)
            self._admit(member)
            if amount:
                self._exchange.do(lambda engine, now: engine.deposit(member.user_id, amount, now))
        elif member.tier != tier:
            self._change_tier(replace(member, tier=tier))
        return Credentials(key_id, member.private_key_pem, member.user_id)

    def _change_tier(self, member: StoredMember) -> None:
        """How fast an account may be is up to the present start, its grants aside."""
        self._exchange.keep("member", member.api_key_id, member)
        limits = Limits(tier_named(member.tier), self._timer)
        for grant in self._exchange.room(Grants).json(member.user_id):
            raise_tier(limits, TIERS[str(grant["level"])])
        self._exchange.directory.accounts[member.user_id].limits = limits

    def _admit(self, member: StoredMember) -> None:
        directory = self._exchange.directory
        user_id = member.user_id
        directory.accounts[user_id] = Account(user_id, Limits(tier_named(member.tier), self._timer))
        directory.keys[member.api_key_id] = Key(
            member.api_key_id,
            user_id,
            "sandbox",
            load_public_key(member.private_key_pem),
            member.scopes,
        )
        self._exchange.engine.open_account(user_id)
