"""What the command prints: tables for people, JSON for programs, one line for an error."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from decimal import Decimal

import msgspec
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

PLAIN_WIDTH = 200
"""Columns of a line where no terminal says how wide it is."""

stdout = Console(highlight=False, width=None if sys.stdout.isatty() else PLAIN_WIDTH)
stderr = Console(stderr=True, highlight=False, soft_wrap=True)


def print_json(value: object) -> None:
    """A value as indented JSON, prices and counts as the exact strings of the exchange."""
    text = msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
    sys.stdout.write(text + "\n")


def print_error(message: str) -> None:
    """One red line on standard error."""
    stderr.print(f"[bold red]error:[/] [red]{escape(' '.join(message.split()))}[/]")


class WarningLines(logging.Handler):
    """Log records as one line each on standard error, without tracebacks."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print a record, and what kind of failure it tells of."""
        message = record.getMessage()
        if record.exc_info and record.exc_info[1] is not None:
            message += f": {type(record.exc_info[1]).__name__}: {record.exc_info[1]}"
        line = escape(" ".join(message.split()))
        stderr.print(f"[bold yellow]{record.levelname.lower()}:[/] {line}")


def silence_stdout() -> None:
    """Keep the interpreter from complaining when the reader of a pipe has gone away."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def make_table(title: str, *, framed: bool = True, header: bool = True) -> Table:
    """A table; without lines where the output is not a terminal."""
    frame = box.SQUARE if framed and stdout.is_terminal else None
    return Table(title=title, title_justify="left", box=frame, show_header=header)


def dollars(value: Decimal | None) -> str:
    """A price in dollars; a dash where there is none."""
    return "–" if value is None else f"{value:.4f}".rstrip("0").ljust(4, "0")


def bid(value: Decimal | None) -> str:
    """A best bid; a dash for none (the exchange sends 0)."""
    return dollars(value or None)


def ask(value: Decimal | None) -> str:
    """A best ask; a dash for none (the exchange sends 1)."""
    return dollars(None if value == 1 else value)


def count(value: Decimal | int | None) -> str:
    """A count with thousands separators, without a fraction that is zero."""
    if value is None:
        return "–"
    text = f"{value:,.2f}" if isinstance(value, Decimal) else f"{value:,}"
    return text.removesuffix(".00")


def show(value: object, as_json: bool, render: Callable[[], None]) -> None:
    """JSON where it was asked for, else what ``render`` prints."""
    if as_json:
        print_json(value)
    else:
        render()
