"""The digest of the contract that lies beside this file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

DIGEST_FILE = Path(__file__).with_name("digest.json")
DIGEST: dict[str, Any] = json.loads(DIGEST_FILE.read_text())
OPERATIONS: dict[str, dict[str, Any]] = DIGEST["operations"]
SCHEMAS: dict[str, dict[str, Any]] = DIGEST["schemas"]
