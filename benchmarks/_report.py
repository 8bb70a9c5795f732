"""What a benchmark reports: rows, figures to reach, and how they were taken; as text or as JSON."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

Cell = str | int | float | None


@dataclass(frozen=True)
class Target:
    """A figure to reach: `value` compared with `bound`, from below or from above."""

    name: str
    value: float
    bound: float
    at_least: bool = True

    @property
    def met(self) -> bool:
        """True where the value keeps to the bound."""
        return self.value >= self.bound if self.at_least else self.value <= self.bound

    def __str__(self) -> str:
        word = "met" if self.met else "MISSED"
        sign = ">=" if self.at_least else "<="
        return f"{word:6}  {self.name}: {_text(self.value)} (wanted {sign} {_text(self.bound)})"


@dataclass
class Report:
    """One benchmark's outcome. `rows` have a cell a column; `method` says how they were taken."""

    benchmark: str
    columns: Sequence[str]
    interpreter: str
    method: list[str] = field(default_factory=list)
    rows: list[list[Cell]] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)

    def add(self, *cells: Cell) -> None:
        """Append a row. Raises ValueError where it does not fit the columns."""
        if len(cells) != len(self.columns):
            raise ValueError(f"{len(cells)} cells for {len(self.columns)} columns")
        self.rows.append(list(cells))

    @property
    def met(self) -> bool:
        """True where every target is met."""
        return all(target.met for target in self.targets)

    def as_json(self) -> str:
        """The report as one JSON object."""
        return json.dumps(
            {
                "benchmark": self.benchmark,
                "taken": datetime.now(UTC).isoformat(timespec="seconds"),
                "machine": machine(),
                "interpreter": self.interpreter,
                "method": self.method,
                "rows": [dict(zip(self.columns, row, strict=True)) for row in self.rows],
                "targets": [asdict(target) | {"met": target.met} for target in self.targets],
            }
        )

    def as_text(self) -> str:
        """The report as an aligned table with its targets and its method."""
        head = f"{self.benchmark}: {self.interpreter}, {machine()}"
        lines = [head, "", *table(self.columns, self.rows)]
        if self.targets:
            lines += ["", *map(str, self.targets)]
        return "\n".join([*lines, "", *(f"- {line}" for line in self.method)])


def table(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> list[str]:
    """Lines of an aligned table; the first column to the left, the others to the right."""
    cells = [list(columns), *([_text(cell) for cell in row] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(columns))]

    def line(row: Sequence[str]) -> str:
        first, *others = zip(row, widths, strict=True)
        aligned = [first[0].ljust(first[1]), *(text.rjust(width) for text, width in others)]
        return "  ".join(aligned).rstrip()

    return [line(cells[0]), line(["-" * width for width in widths]), *map(line, cells[1:])]


def machine() -> str:
    """Kind of machine: processor, number of cores this process may use, system."""
    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        models = [row for row in cpuinfo.read_text().splitlines() if row.startswith("model name")]
        name = models[0].partition(":")[2].strip() if models else name
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{name}, {cores} cores, {platform.system()}"


def _text(cell: Cell) -> str:
    if cell is None:
        return "-"
    if isinstance(cell, float):
        return f"{cell:,.0f}" if abs(cell) >= 1_000 else f"{cell:.3g}"
    return f"{cell:,}" if isinstance(cell, int) else cell
