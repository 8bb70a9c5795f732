"""API keys, what they may do, and usage levels, over a real socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from kalshi_async.sandbox import Credentials, Sandbox

from .members import Member, place, quiet_events, trade

NO_SUCH_KEY = {
    "error": {
        "code": "authentication_error",
        "message": "authentication_error",
        "details": "NOT_FOUND",
    }
}
PrivateKey = ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@pytest.fixture
async def alice(exchange: Sandbox) -> AsyncIterator[Member]:
    async with httpx.AsyncClient(trust_env=False, verify=False) as http:
        yield Member(exchange, http, exchange.add_account(deposit="10000"))


def public_pem(key: PrivateKey) -> str:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def private_pem(key: PrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def signing_with(member: Member, key_id: str, pem: bytes) -> Member:
    """The same account by another of its keys."""
    credentials = Credentials(key_id, pem, member.credentials.user_id)
    return Member(member.exchange, member.http, credentials)


async def generated(member: Member, **details: Any) -> Member:
    details = {"name": "bot", "key_type": "ed25519"} | details
    made = await member.ok("GenerateApiKey", details)
    return signing_with(member, made["api_key_id"], made["private_key"].encode())


def new_rsa(bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


# Making and deleting


@pytest.mark.parametrize("make", [ed25519.Ed25519PrivateKey.generate, new_rsa])
async def test_a_key_of_ones_own_signs_at_once(alice: Member, make: Any) -> None:
    key = make()
    made = await alice.ok("CreateApiKey", {"name": "mine", "public_key": public_pem(key)})
    mine = signing_with(alice, made["api_key_id"], private_pem(key))
    assert (await mine.ok("GetBalance"))["balance"] == 1_000_000
    listed = (await mine.ok("GetApiKeys"))["api_keys"]
    assert [each["api_key_id"] for each in listed] == [
        alice.credentials.api_key_id,
        made["api_key_id"],
    ]
    assert listed[1]["name"] == "mine"
    assert listed[1]["scopes"] == ["read", "write"]
    assert listed[1]["subaccount"] is None


@pytest.mark.parametrize(
    ("asked", "key_type", "head"),
    [
        ({}, "rsa", "-----BEGIN RSA PRIVATE KEY-----"),
        ({"key_type": "rsa"}, "rsa", "-----BEGIN RSA PRIVATE KEY-----"),
        ({"key_type": "ed25519"}, "ed25519", "-----BEGIN PRIVATE KEY-----"),
    ],
)
async def test_a_generated_key_is_handed_out_once_and_signs(
    alice: Member, asked: dict[str, str], key_type: str, head: str
) -> None:
    made = await alice.ok("GenerateApiKey", {"name": "bot"} | asked)
    assert made["key_type"] == key_type
    assert made["private_key"].startswith(head)
    bot = signing_with(alice, made["api_key_id"], made["private_key"].encode())
    listed = await bot.ok("GetApiKeys")
    assert "PRIVATE" not in str(listed)


async def test_a_deleted_key_stops_working_at_once(alice: Member) -> None:
    bot = await generated(alice)
    await bot.ok("GetBalance")
    names = {"api_key": bot.credentials.api_key_id}
    await alice.ok("DeleteApiKey", names=names)
    assert await bot.refused("GetBalance", 401) == NO_SUCH_KEY
    await alice.refused("DeleteApiKey", 404, names=names)
    # A key may delete itself.
    await alice.ok("DeleteApiKey", names={"api_key": alice.credentials.api_key_id})
    assert await alice.refused("GetApiKeys", 401) == NO_SUCH_KEY


async def test_nobody_deletes_or_sees_the_keys_of_another(alice: Member) -> None:
    bob = Member(alice.exchange, alice.http, alice.exchange.add_account())
    names = {"api_key": alice.credentials.api_key_id}
    await bob.refused("DeleteApiKey", 404, names=names)
    listed = (await bob.ok("GetApiKeys"))["api_keys"]
    assert [each["api_key_id"] for each in listed] == [bob.credentials.api_key_id]
    await alice.ok("GetBalance")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"public_key": "x"}, "not a public key in PEM format"),
        ({"public_key": "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"}, "not a"),
        ({"public_key": "é"}, "not a public key in PEM format"),
        ({"public_key": public_pem(new_rsa(1024))}, "2048 to 8192 bits"),
        ({"public_key": public_pem(ec.generate_private_key(ec.SECP256R1()))}, "RSA or an Ed25519"),
        ({"public_key": 7}, "of type string"),
        ({"public_key": None}, "'required' tag"),
        ({"name": ""}, "'required' tag"),
        ({"name": "x" * 201}, "'max' tag"),
        ({"scopes": ["write"]}, "'write' needs 'read'"),
        ({"scopes": ["all"]}, "'all' is not one of read, write, "),
        ({"scopes": "read"}, "of type []string"),
        ({"subaccount": 3}, "you have no subaccount 3"),
        ({"subaccount": 64}, "'lte' tag"),
    ],
)
async def test_a_key_that_cannot_be_made(
    alice: Member, body: dict[str, Any], expected: str
) -> None:
    good = {"name": "mine", "public_key": public_pem(ed25519.Ed25519PrivateKey.generate())}
    refused = await alice.refused("CreateApiKey", 400, good | body)
    assert expected in refused.get("error", refused)["details"]
    assert len((await alice.ok("GetApiKeys"))["api_keys"]) == 1


async def test_a_key_for_a_subtrader_is_for_fcm_members(alice: Member) -> None:
    await alice.refused("GenerateApiKey", 403, {"name": "x", "fcm_subtrader_id": "u_1"})
    assert (await alice.ok("GetApiKeys", fcm_subtrader_id="u_1"))["api_keys"] == []


# What a key may do


async def test_scopes_decide_what_a_key_may_do(alice: Member) -> None:
    ticker, price = next(iter(quiet_events(alice.exchange).values()))[0]
    reader = await generated(alice, scopes=["read"])
    await reader.ok("GetFills")
    order = {
        "ticker": ticker,
        "side": "bid",
        "count": "1.00",
        "price": price,
        "time_in_force": "good_till_canceled",
        "self_trade_prevention_type": "maker",
    }
    await reader.refused("CreateOrderV2", 403, order)
    await reader.refused("GenerateApiKey", 403, {"name": "wider"})
    watcher = await generated(alice, scopes=["read::portfolio_balance"])
    await watcher.ok("GetBalance")
    await watcher.refused("GetFills", 403)
    bot = await generated(alice, scopes=["write::trade", "read"])
    await bot.ok("CreateOrderV2", order)
    await bot.refused("CreateSubaccount", 403)
    listed = (await alice.ok("GetApiKeys"))["api_keys"]
    assert [each["scopes"] for each in listed] == [
        ["read", "write"],
        ["read"],
        ["read::portfolio_balance"],
        ["read", "write::trade"],
    ]


async def test_a_locked_key_knows_only_its_subaccount(alice: Member) -> None:
    bob = Member(alice.exchange, alice.http, alice.exchange.add_account())
    (ticker, price), *_ = next(iter(quiet_events(alice.exchange).values()))
    await trade(alice, bob, ticker, "1.00", price)
    await alice.ok("CreateSubaccount")
    transfer = {
        "client_transfer_id": "3fa85f64-5717-4562-b3fc-2c963f66afa6",
        "from_subaccount": 0,
        "to_subaccount": 1,
        "amount_cents": 100_00,
    }
    await alice.ok("ApplySubaccountTransfer", transfer)
    locked = await generated(alice, subaccount=1)
    assert (await locked.ok("GetBalance"))["balance"] == 100_00
    assert (await locked.ok("GetFills"))["fills"] == []
    await place(locked, ticker, "bid", "2.00", price)
    await place(bob, ticker, "ask", "2.00", price)
    (fill,) = (await locked.ok("GetFills"))["fills"]
    assert (fill["subaccount_number"], fill["count_fp"]) == (1, "2.00")
    (position,) = (await locked.ok("GetPositions"))["market_positions"]
    assert position["position_fp"] == "2.00"
    alice.exchange.settle(ticker, "yes")
    assert len((await locked.ok("GetSettlements"))["settlements"]) == 1
    assert len((await alice.ok("GetSettlements"))["settlements"]) == 2
    (own,) = (await locked.ok("GetSubaccountBalances"))["subaccount_balances"]
    assert own["subaccount_number"] == 1
    for name in ("GetFills", "GetPositions", "GetBalance", "GetSettlements"):
        await locked.refused(name, 403, subaccount=0)
    await locked.refused("CreateSubaccount", 403)
    await locked.refused("ApplySubaccountTransfer", 403, transfer)
    await locked.refused("GenerateApiKey", 403, {"name": "wider"})
    await locked.refused("GetTargetBalanceAllocation", 403)


# Usage levels


async def test_the_first_order_opens_the_advanced_level() -> None:
    async with (
        Sandbox.serve(seed=7, markets=600, timer=lambda: 0.0) as exchange,
        httpx.AsyncClient(trust_env=False, verify=False) as http,
    ):
        alice = Member(exchange, http, exchange.add_account())
        refused = await alice.refused("UpgradeAccountApiUsageLevel", 403)
        assert "No API-created order" in refused["error"]["details"]
        assert (await alice.ok("GetAccountApiLimits"))["usage_tier"] == "basic"
        ticker, price = next(iter(quiet_events(exchange).values()))[0]
        await place(alice, ticker, "bid", "1.00", price)
        await alice.ok("UpgradeAccountApiUsageLevel")
        limits = await alice.ok("GetAccountApiLimits")
        assert limits["usage_tier"] == "advanced"
        assert limits["write"]["refill_rate"] == 300
        assert limits["grants"] == [
            {"exchange_instance": "event_contract", "level": "advanced", "source": "manual"}
        ]
        stranger = Member(exchange, http, exchange.add_account())
        assert (await stranger.ok("GetAccountApiLimits"))["usage_tier"] == "basic"


async def test_the_volume_of_the_last_thirty_days_counts(alice: Member) -> None:
    bob = Member(alice.exchange, alice.http, alice.exchange.add_account())
    ticker, price = next(iter(quiet_events(alice.exchange).values()))[0]
    await trade(alice, bob, ticker, "3.00", price)
    (progress,) = (await alice.ok("GetAccountApiUsageLevelVolumeProgress"))["volume_progress"]
    assert progress["trailing_30d_volume_fp"] == "3.00"
    assert [goal["level"] for goal in progress["goals"]] == [
        "expert",
        "premier",
        "paragon",
        "prime",
        "prestige",
    ]
    alice.exchange.advance(31 * 86_400)
    (progress,) = (await alice.ok("GetAccountApiUsageLevelVolumeProgress"))["volume_progress"]
    assert progress["trailing_30d_volume_fp"] == "0.00"


# After a restart


async def test_keys_and_levels_survive_a_restart(tmp_path: Path) -> None:
    options: dict[str, Any] = {
        "seed": 7,
        "markets": 600,
        "tier": "basic",
        "timer": lambda: 0.0,
        "state": tmp_path / "exchange.db",
    }
    async with httpx.AsyncClient(trust_env=False, verify=False) as http:
        async with Sandbox.serve(**options) as exchange:
            alice = Member(exchange, http, exchange.add_account())
            ticker, price = next(iter(quiet_events(exchange).values()))[0]
            await place(alice, ticker, "bid", "1.00", price)
            await alice.ok("UpgradeAccountApiUsageLevel")
            kept, deleted = await generated(alice), await generated(alice)
            await kept.ok("DeleteApiKey", names={"api_key": deleted.credentials.api_key_id})
            await kept.ok("DeleteApiKey", names={"api_key": alice.credentials.api_key_id})
        async with Sandbox.serve(**options) as exchange:
            exchange.add_account()
            for member in (alice, kept, deleted):
                member.exchange = exchange
            assert await alice.refused("GetBalance", 401) == NO_SUCH_KEY
            assert await deleted.refused("GetBalance", 401) == NO_SUCH_KEY
            (key,) = (await kept.ok("GetApiKeys"))["api_keys"]
            assert key["api_key_id"] == kept.credentials.api_key_id
            assert (await kept.ok("GetAccountApiLimits"))["usage_tier"] == "advanced"


async def test_every_body_is_as_the_contract_says(alice: Member) -> None:
    ticker, price = next(iter(quiet_events(alice.exchange).values()))[0]
    await place(alice, ticker, "bid", "1.00", price)
    await alice.ok("CreateSubaccount")
    key = ed25519.Ed25519PrivateKey.generate()
    made = await alice.ok(
        "CreateApiKey", {"name": "mine", "public_key": public_pem(key), "subaccount": 1}
    )
    await alice.ok("GenerateApiKey", {"name": "bot", "scopes": ["write::transfer"]})
    await alice.ok("GetApiKeys")
    await alice.ok("DeleteApiKey", names={"api_key": made["api_key_id"]})
    await alice.ok("UpgradeAccountApiUsageLevel")
    await alice.ok("GetAccountApiLimits")
    await alice.ok("GetAccountApiUsageLevelVolumeProgress")
    assert len(alice.check()) == 9
