"""`python -m benchmarks`: run all comparisons, print them as a table, write them to build/benchmarks.json."""

from __future__ import annotations

import json
import os
import platform
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks import conversion, federation, objects, planning
from benchmarks.measure import Row, Took
from benchmarks.project import write_project
from kit.console import people

RESULT = Path("build/benchmarks.json")
WIDTH_IN_A_PIPE = 160  # characters


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured. `small`: components of the project without profiles; 13,724 are 14,000 files. `seconds`:
    each comparison begins no further round after so long."""

    components: int = 10_000
    small: int = 13_724
    objects: int = 200
    rounds: int = 5
    seconds: float = 20.0


def run(sizes: Sizes, folder: Path) -> Iterator[Row]:
    """Yield each comparison's row as it is done; everything is written below `folder`."""
    home = folder / "home"
    home.mkdir()
    yield federation.measure(home, rounds=sizes.rounds, seconds=sizes.seconds)
    project = write_project(folder / "project", sizes.components)
    yield conversion.measure(project, sizes.components, folder, rounds=sizes.rounds, seconds=sizes.seconds)
    small = write_project(folder / "small", sizes.small, profiles=False)
    yield conversion.measure_command(small, folder, rounds=sizes.rounds, seconds=sizes.seconds)
    yield objects.measure(sizes.objects, folder, rounds=sizes.rounds, seconds=sizes.seconds)
    yield planning.measure(project, sizes.components, folder, rounds=sizes.rounds, seconds=sizes.seconds)


def machine() -> dict[str, object]:
    """Return what the figures depend on: processors, memory in GiB, Python, system."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "processors": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gib": round(memory, 1),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
    }


def table(rows: list[Row]) -> Table:
    """Return the rows as a table for people."""
    title = "Peer ÷ kit by the clock: above 1 the kit is faster; in brackets, seconds of the processors"
    shown = Table(box=box.SIMPLE, title=title, title_justify="left")
    for column in ("Task", "Peer", "Kit", "Peer took", "Peer ÷ kit", "Spread", "Bound", "Rounds"):
        shown.add_column(column, overflow="fold")
    for row in rows:
        if row.skipped:
            shown.add_row(row.task, row.peer, "[yellow]skipped[/]", row.skipped)
            continue
        shown.add_row(
            row.task,
            row.peer,
            _seconds(row.kit),
            _seconds(row.other),
            f"{statistics.median(row.ratios):.2f}",
            f"{min(row.ratios):.2f} to {max(row.ratios):.2f}",
            row.verdict,
            str(len(row.kit)),
        )
    return shown


def _seconds(took: Sequence[Took]) -> str:
    clock, processors = (statistics.median(column) for column in zip(*took, strict=True))
    return f"{clock:.2f} s ({processors:.2f} s)"


def main() -> int:
    """Measure, print, write. Returns the exit code."""
    words, rows = people(), []
    with tempfile.TemporaryDirectory(prefix="sfoa-bench-") as folder:
        for row in run(Sizes(), Path(folder)):
            words.print(f"{row.task}: {'skipped: ' + row.skipped if row.skipped else 'measured'}", markup=False)
            rows.append(row)
    result = {
        "load": [round(load, 1) for load in os.getloadavg()],
        "at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "machine": machine(),
        "rows": [row.as_json() for row in rows],
    }
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    console = Console()
    if not console.is_terminal:
        console.width = WIDTH_IN_A_PIPE
    console.print(table(rows))
    words.print(f"wrote {RESULT}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
