"""The exchange's account limits and endpoint costs as rate limits."""

from __future__ import annotations

from pathlib import Path

import msgspec

from kalshi_async import OPERATIONS, BucketLimits
from kalshi_async._limits import to_rate_limits
from kalshi_async._operations import BY_NAME, Bucket
from kalshi_async.models.account import AccountLimits, EndpointCosts


def test_account_limits_and_costs_become_rate_limits() -> None:
    limits = msgspec.convert(
        {
            "usage_tier": "premier",
            "read": {"refill_rate": 1200, "bucket_capacity": 3600},
            "write": {"refill_rate": 1100, "bucket_capacity": 3300},
            "grants": [],
        },
        AccountLimits,
    )
    costs = msgspec.convert(
        {
            "default_cost": 10,
            "endpoint_costs": [
                {"method": "GET", "path": "/trade-api/v2/markets/:ticker/orderbook", "cost": 3},
                {"method": "get", "path": "/trade-api/v2/markets", "cost": 25},
                {"method": "POST", "path": "/trade-api/v2/markets", "cost": 99},
                {"method": "GET", "path": "/trade-api/v2/no/such/:thing", "cost": 1},
            ],
        },
        EndpointCosts,
    )
    made = to_rate_limits(limits, costs)
    assert made.read == BucketLimits(1200, 3600)
    assert made.write == BucketLimits(1100, 3300)
    assert dict(made.costs) == {"GetMarkets": 25, "GetMarketOrderbook": 3}
    assert (made.default_cost, made.tier, dict(made.dedicated)) == (10, "premier", {})


def test_recorded_account_limits_and_costs(shared: Path) -> None:
    folder = shared / "recorded" / "2026-06-demo"
    limits = msgspec.json.decode((folder / "account__limits.json").read_bytes(), type=AccountLimits)
    raw = (folder / "account__endpoint_costs.json").read_bytes()
    costs = msgspec.json.decode(raw, type=EndpointCosts)
    made = to_rate_limits(limits, costs)
    assert (made.read, made.write) == (BucketLimits(200, 200), BucketLimits(100, 100))
    assert made.tier == "basic"
    assert "GetBalance" in made.dedicated
    templates = {
        (op.method, "/trade-api/v2" + op.path.replace("{", ":").replace("}", "")): op.name
        for op in OPERATIONS
    }
    for listed in msgspec.json.decode(raw)["endpoint_costs"]:
        name = templates.get((listed["method"], listed["path"]))
        if name is not None:
            assert made.cost(BY_NAME[name]) == listed["cost"]
    assert {op.bucket for op in OPERATIONS} <= {Bucket.READ, Bucket.WRITE}
