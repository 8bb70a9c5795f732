"""Handlers of the API keys of an account and of its usage level."""

from __future__ import annotations

from asyncio import sleep, to_thread
from functools import partial
from typing import TYPE_CHECKING

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)

from .._auth import Key, PublicKey, make_key
from .._call import Call, Handler
from .._errors import bad_request, forbidden, not_found
from .._fcm import FcmMembers
from .._limits import TIERS, Limits, Tier
from .._text import DAY, SECOND
from .._units import CONTRACT, count_text
from .bodies import Body
from .portfolio import locked_subaccount

if TYPE_CHECKING:
    from .._exchange import Exchange

READ, WRITE = "read", "write"
SCOPES = (
    READ,
    WRITE,
    "read::block_trade_accept",
    "read::portfolio_balance",
    "write::trade",
    "write::transfer",
    "write::fcm_risk",
    "write::block_trade_accept",
)
_LONGEST_NAME = 200
_LONGEST_PEM = 16_384
_SMALLEST_RSA, _LARGEST_RSA = 2048, 8192
# Shares of twice the exchange's volume of a month, in hundred-thousandths: to earn a level and to
# keep it.
_GOALS = (
    ("expert", 75, 50),
    ("premier", 125, 100),
    ("paragon", 250, 200),
    ("prime", 500, 400),
    ("prestige", 1000, 800),
)
_MONTH = 30 * DAY
# What the exchange as a whole is taken to trade in a month.
_MONTHLY_CONTRACTS = 5_000_000_000
# Fills between two turns of the event loop, some 2 ms.
_SLICE = 20_000


class StoredKey(msgspec.Struct, kw_only=True, frozen=True):
    """A key as it is kept; `public_key` is PEM, a private key is never kept."""

    api_key_id: str
    user_id: str
    name: str
    public_key: str
    scopes: tuple[str, ...]
    subaccount: int | None = None


class RevokedKey(msgspec.Struct, kw_only=True, frozen=True):
    """A key that was deleted, which an account may be opened with again after a restart."""

    api_key_id: str


class KeyRing:
    """The keys that clients made and deleted. The first use brings back the state of the last
    run.
    """

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        for stored in exchange.kept("key", StoredKey):
            self._admit(stored, read_public_key(stored.public_key))
        for revoked in exchange.kept("revoked_key", RevokedKey):
            exchange.directory.keys.pop(revoked.api_key_id, None)

    def add(
        self,
        user_id: str,
        public_key: PublicKey,
        *,
        name: str,
        scopes: tuple[str, ...],
        subaccount: int | None,
    ) -> str:
        """Let a public key sign for an account from now on; its key id."""
        pem = public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        stored = StoredKey(
            api_key_id=self._exchange.engine.new_id(),
            user_id=user_id,
            name=name,
            public_key=pem.decode(),
            scopes=scopes,
            subaccount=subaccount,
        )
        self._admit(stored, public_key)
        self._exchange.keep("key", stored.api_key_id, stored)
        return stored.api_key_id

    def remove(self, user_id: str, api_key_id: str) -> None:
        """Revoke a key of an account; an ApiError 404 when it has no such key."""
        keys = self._exchange.directory.keys
        key = keys.get(api_key_id)
        if key is None or key.user_id != user_id:
            raise not_found()
        del keys[api_key_id]
        self._exchange.keep("key", api_key_id, None)
        self._exchange.keep("revoked_key", api_key_id, RevokedKey(api_key_id=api_key_id))

    def _admit(self, stored: StoredKey, public_key: PublicKey) -> None:
        self._exchange.directory.keys[stored.api_key_id] = Key(
            api_key_id=stored.api_key_id,
            user_id=stored.user_id,
            name=stored.name,
            public_key=public_key,
            scopes=stored.scopes,
            subaccount=stored.subaccount,
        )


def read_public_key(pem: str) -> PublicKey:
    """The RSA (2048 to 8192 bits) or Ed25519 public key in a PEM text; an ApiError 400 for anything
    else.
    """
    try:
        key = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm):
        raise bad_request("public_key: not a public key in PEM format") from None
    if isinstance(key, ed25519.Ed25519PublicKey):
        return key
    if not isinstance(key, rsa.RSAPublicKey):
        raise bad_request("public_key: must be an RSA or an Ed25519 key")
    if not _SMALLEST_RSA <= key.key_size <= _LARGEST_RSA:
        raise bad_request(f"public_key: an RSA key has {_SMALLEST_RSA} to {_LARGEST_RSA} bits")
    return key


def read_scopes(body: Body) -> tuple[str, ...]:
    """The scopes a request asks for, full access when it names none; an ApiError 400 for scopes
    that do not exist or do not go together.
    """
    asked = body.texts("scopes")
    if not asked:
        return (READ, WRITE)
    for scope in asked:
        if scope not in SCOPES:
            raise bad_request(f"scopes: {scope[:80]!r} is not one of {', '.join(SCOPES)}")
    if WRITE in asked and READ not in asked:
        raise bad_request("scopes: 'write' needs 'read' too")
    return tuple(scope for scope in SCOPES if scope in asked)


def _details(call: Call, body: Body) -> tuple[str, tuple[str, ...], int | None]:
    """Name, scopes and subaccount of the key that a request asks for."""
    if locked_subaccount(call) is not None:
        raise forbidden("a key restricted to a subaccount cannot make keys")
    name = body.needed("name", partial(body.text, longest=_LONGEST_NAME))
    scopes = read_scopes(body)
    subaccount = body.subaccount()
    subtrader_id = body.text("fcm_subtrader_id")
    if subtrader_id is not None:
        # A subtrader is a subaccount of its FCM; for everybody else this is a 403.
        bound = call.exchange.room(FcmMembers).subaccount_of(call.user_id, subtrader_id)
        if subaccount not in (None, bound):
            raise bad_request("subaccount and fcm_subtrader_id name different subaccounts")
        subaccount = bound
    owned = call.exchange.engine.trader(call.user_id).subaccounts
    if subaccount is not None and subaccount not in owned:
        raise bad_request(f"subaccount: you have no subaccount {subaccount}")
    return name, scopes, subaccount


async def create_api_key(call: Call) -> object:
    body = Body.read(call.body, "CreateApiKeyRequest")
    name, scopes, subaccount = _details(call, body)
    pem = body.needed("public_key", partial(body.text, longest=_LONGEST_PEM))
    public_key = read_public_key(pem)
    ring = call.exchange.room(KeyRing)
    return {
        "api_key_id": ring.add(
            call.user_id, public_key, name=name, scopes=scopes, subaccount=subaccount
        )
    }


async def generate_api_key(call: Call) -> object:
    body = Body.read(call.body, "GenerateApiKeyRequest")
    name, scopes, subaccount = _details(call, body)
    key_type = body.choice("rsa", "ed25519")("key_type") or "rsa"
    # An RSA key takes a tenth of a second to find.
    credentials, public_key = await to_thread(
        make_key, "", "ed25519" if key_type == "ed25519" else "rsa"
    )
    ring = call.exchange.room(KeyRing)
    return {
        "api_key_id": ring.add(
            call.user_id, public_key, name=name, scopes=scopes, subaccount=subaccount
        ),
        "key_type": key_type,
        "private_key": credentials.private_key_pem.decode(),
    }


async def get_api_keys(call: Call) -> object:
    call.exchange.room(KeyRing)
    keys = call.exchange.directory.keys.values()
    wanted = call.params.text("fcm_subtrader_id")
    members = call.exchange.room(FcmMembers)
    shown = [_key_json(key, members) for key in keys if key.user_id == call.user_id]
    return {
        "api_key_region_expiration_ts": None,
        "api_keys": [key for key in shown if wanted in (None, key["fcm_subtrader_id"])],
    }


def _key_json(key: Key, members: FcmMembers) -> dict[str, object]:
    bound = None if key.subaccount is None else members.trading_in(key.user_id, key.subaccount)
    return {
        "api_key_id": key.api_key_id,
        "fcm_subtrader_id": None if bound is None else bound.subtrader_id,
        "name": key.name,
        "scopes": [scope for scope in SCOPES if scope in key.scopes],
        "subaccount": key.subaccount,
    }


async def delete_api_key(call: Call) -> object:
    call.exchange.room(KeyRing).remove(call.user_id, call.path["api_key"])
    return None


class Grant(msgspec.Struct, kw_only=True, frozen=True):
    """A usage level that an account was given, for ever."""

    user_id: str
    level: str


class Grants:
    """The usage levels accounts were given. The first use brings back those of the last run."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._granted: dict[str, Grant] = {}
        for grant in exchange.kept("grant", Grant):
            self._apply(grant)

    def give(self, user_id: str, level: str) -> None:
        """Give an account a level; one it has that is as high or higher stays in force."""
        grant = Grant(user_id=user_id, level=level)
        self._apply(grant)
        self._exchange.keep("grant", user_id, grant)

    def json(self, user_id: str) -> list[dict[str, object]]:
        """The grants of an account."""
        grant = self._granted.get(user_id)
        if grant is None:
            return []
        # A grant that does not expire says nothing of when it does.
        return [{"exchange_instance": "event_contract", "level": grant.level, "source": "manual"}]

    def _apply(self, grant: Grant) -> None:
        self._granted[grant.user_id] = grant
        account = self._exchange.directory.accounts.get(grant.user_id)
        if account is not None:
            raise_tier(account.limits, TIERS[grant.level])


def raise_tier(limits: Limits, tier: Tier) -> None:
    """Let the buckets of an account run at a tier, unless they run at one at least as fast; what is
    in them stays.
    """
    if limits.tier.read_rate >= tier.read_rate and limits.tier.write_rate >= tier.write_rate:
        return
    limits.run_at(tier)


async def upgrade_usage_level(call: Call) -> object:
    """Advanced for whoever has placed an order: all of them come through the API here."""
    if not call.exchange.engine.trader(call.user_id).orders:
        raise forbidden(
            "No API-created order was found in the user's latest 100 Predictions orders",
        )
    call.exchange.room(Grants).give(call.user_id, "advanced")
    return None


async def get_account_limits(call: Call) -> object:
    account = call.exchange.directory.accounts[call.user_id]
    grants = call.exchange.room(Grants).json(call.user_id)
    return account.limits.json() | {"grants": grants}


async def get_volume_progress(call: Call) -> object:
    since = call.now - _MONTH
    fills = call.exchange.engine.trader(call.user_id).fills
    traded = 0
    for passed, fill in enumerate(reversed(fills), 1):
        if fill.time < since:
            break
        traded += fill.count
        if passed % _SLICE == 0:
            await sleep(0)
    return {
        "volume_progress": [
            {
                "computed_ts": call.now // SECOND,
                "goals": [
                    {
                        "earn_volume_goal_fp": count_text(_goal(earn)),
                        "keep_volume_goal_fp": count_text(_goal(keep)),
                        "level": level,
                    }
                    for level, earn, keep in _GOALS
                ],
                "trailing_30d_volume_fp": count_text(traded),
            }
        ]
    }


def _goal(share: int) -> int:
    """A share of twice the month's volume, as a count."""
    return 2 * _MONTHLY_CONTRACTS * CONTRACT * share // 100_000


HANDLERS: dict[str, Handler] = {
    "CreateApiKey": create_api_key,
    "DeleteApiKey": delete_api_key,
    "GenerateApiKey": generate_api_key,
    "GetAccountApiLimits": get_account_limits,
    "GetAccountApiUsageLevelVolumeProgress": get_volume_progress,
    "GetApiKeys": get_api_keys,
    "UpgradeAccountApiUsageLevel": upgrade_usage_level,
}
