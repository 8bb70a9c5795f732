"""Runs the command in a process of its own, as a user would."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-W", "error", "-m", "kalshi_async", *arguments]


def clean_environment(**extra: str) -> dict[str, str]:
    """This process's environment without any Kalshi settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("KALSHI")}
    kept["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), kept.get("PYTHONPATH", "")]))
    return {**kept, **extra}


def kalshi(*arguments: str, cwd: Path | None = None, **env: str) -> Result:
    """Run ``kalshi-async`` with these arguments and settings."""
    done = subprocess.run(
        command(*arguments),
        capture_output=True,
        text=True,
        cwd=cwd,
        env=clean_environment(**env),
        timeout=120,
        check=False,
    )
    return Result(done.returncode, done.stdout, done.stderr)
