"""The ``kalshi-async`` command."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command; errors are one line and exit code 1."""
    try:
        from ._app import app, run_app
    except ModuleNotFoundError as exc:
        if exc.name not in ("typer", "rich", "aiohttp"):
            raise
        sys.stderr.write(f"error: {exc.name} is missing: pip install 'kalshi-async[cli,sandbox]'\n")
        raise SystemExit(1) from None
    run_app(app)
