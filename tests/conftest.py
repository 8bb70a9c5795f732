"""Fixtures that every test may ask for."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

# The same examples in every run, and no deadline: timings belong to the benchmarks.
settings.register_profile("kalshi_async", derandomize=True, deadline=None)
settings.load_profile("kalshi_async")

_SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of recorded traffic and contracts beside a checkout; skips where there is none."""
    if not (_SHARED / "recorded").is_dir():
        pytest.skip("recorded traffic is not on this machine (no ../shared/recorded)")
    return _SHARED
