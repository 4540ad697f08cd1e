"""Runs the full matrix and writes docs/clients.md: `python -m tests.clients [client …]`. Ends with 1 when one fails.

The page is written again whenever a client is done with an org: a run that is broken off leaves what it had found.
"""

from __future__ import annotations

import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from tests.clients.adapters import CLIENTS, versions
from tests.clients.page import page
from tests.clients.runner import Outcome, carry_out, operations
from tests.clients.stage import ORGS, ROOT, stage

WORKERS = 3


def main() -> int:
    """Run what the command line asks for and return the exit code."""
    jobs = [(client, org) for client in sys.argv[1:] or CLIENTS for org in ORGS]
    with ProcessPoolExecutor(WORKERS) as pool:
        outcomes: list[Outcome] = []
        for done in as_completed([pool.submit(_run, *job) for job in jobs]):
            outcomes += done.result()
            if not sys.argv[1:]:
                text = page(operations(), outcomes, versions(), time.strftime("%Y-%m-%d", time.gmtime()))
                (ROOT / "docs" / "clients.md").write_text(text, encoding="utf-8")
    counts = {mark: sum(each.mark == mark for each in outcomes) for mark in ("passed", "failed", "not run")}
    print(", ".join(f"{number} {mark}" for mark, number in counts.items()))
    return 1 if counts["failed"] else 0


def _run(client: str, org: str) -> list[Outcome]:
    """Run all operations of a client against one org, on a stage and in a process of their own."""
    with tempfile.TemporaryDirectory() as folder, stage(Path(folder), (org,)) as one:
        return carry_out(one, client, tuple(row for row in operations() if row.client == client), _tell)


def _tell(each: Outcome) -> None:
    name = f"{each.org} {each.operation.client}: {each.operation.name}"
    print(
        f"{each.mark:8} {name} ({each.seconds:.1f} s){'  ' + each.why if each.why else ''}", file=sys.stderr, flush=True
    )


if __name__ == "__main__":
    sys.exit(main())
