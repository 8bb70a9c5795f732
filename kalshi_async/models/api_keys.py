"""API keys of the account."""

from __future__ import annotations

from typing import Literal

from ._base import ABSENT, Model
from .secret import Secret

ApiKeyScope = Literal[
    "read",
    "write",
    "read::block_trade_accept",
    "read::portfolio_balance",
    "write::trade",
    "write::transfer",
    "write::fcm_risk",
    "write::block_trade_accept",
]
"""What a key may do; ``"write"`` needs ``"read"`` beside it."""

ApiKeyType = Literal["rsa", "ed25519"]


class ApiKey(Model, kw_only=True):
    """A key of the account; its private half is not known to the exchange.

    ``subaccount`` and ``fcm_subtrader_id`` say what it is restricted to; None restricts nothing.
    """

    api_key_id: str
    fcm_subtrader_id: str | None = None
    name: str = ABSENT
    scopes: list[str] = ABSENT
    subaccount: int | None = None


class ApiKeyList(Model, kw_only=True):
    """The keys of the account.

    ``api_key_region_expiration_ts`` (Unix seconds) is when keys of this region stop working, None
    where they do not.
    """

    api_key_region_expiration_ts: int | None = None
    api_keys: list[ApiKey] = ABSENT


class CreatedApiKey(Model, kw_only=True):
    """A key made from a public key of the caller's; ``warning`` is for people to read."""

    api_key_id: str
    warning: str | None = None


class GeneratedApiKey(Model, kw_only=True):
    """A key pair that the exchange made. It hands out the private key this once.

    ``KalshiClient(api_key_id=key.api_key_id, private_key=key.private_key.reveal())`` signs with it.
    """

    api_key_id: str
    key_type: str | None = None
    private_key: Secret
    warning: str | None = None
