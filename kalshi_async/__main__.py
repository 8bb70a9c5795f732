"""``python -m kalshi_async`` is the ``kalshi-async`` command."""

from .cli import main

main()
