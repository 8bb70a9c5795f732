"""An order book as a picture of its depth."""

from __future__ import annotations

from decimal import Decimal

from rich.table import Table
from rich.text import Text

from ..models import Level, OrderBook
from ._output import dollars, make_table
from ._show import _add_level, _cumulated, _total


def book_table(book: OrderBook, depth: int) -> Table:
    """Asks above, bids below, in YES prices; bars show the contracts up to each level."""
    asks = [Level(1 - level.price, level.size) for level in reversed(book.no)][:depth]
    bids = list(reversed(book.yes))[:depth]
    most = max((_total(asks), _total(bids), Decimal(1)))
    table = make_table(f"{book.ticker}  (YES prices)", framed=False)
    table.add_column("", style="dim")
    for name in ("price", "size", "total"):
        table.add_column(name, justify="right")
    table.add_column("depth", min_width=28)
    for level, total in reversed(_cumulated(asks)):
        _add_level(table, "ask", level, total, most, "red")
    spread = dollars(book.spread) if book.spread is not None else "one-sided"
    table.add_row("", Text("spread", style="dim"), Text(spread, style="dim"), "", "")
    for level, total in _cumulated(bids):
        _add_level(table, "bid", level, total, most, "green")
    return table
