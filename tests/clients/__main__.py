"""Runs clients against orgs and writes docs/clients.md: `python -m tests.clients [--org ORG …] [CLIENT …]`.

Without arguments the full matrix. Ends with 1 when something fails. What a client did with an org goes on record, and
onto the page, as soon as the two are done: a run that is broken off leaves what it had found, and the page says what
was not run.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from tests.clients.adapters import CLIENTS, versions
from tests.clients.page import page
from tests.clients.record import record, recorded
from tests.clients.runner import Outcome, carry_out, operations
from tests.clients.stage import ORGS, ROOT, stage


def main() -> int:
    """Run what the command line asks for and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.clients", description="Run clients against emulated orgs.")
    parser.add_argument("clients", nargs="*", metavar="CLIENT", help=f"of {', '.join(CLIENTS)}; all unless named")
    parser.add_argument("--org", action="append", choices=ORGS, help="may be given again; all unless given")
    parser.add_argument("--workers", type=int, default=3, help="how many at a time (3)")
    asked = parser.parse_args()
    if unknown := set(asked.clients) - set(CLIENTS):
        parser.error(f"no such client: {', '.join(sorted(unknown))}")
    jobs = [(client, org) for client in asked.clients or CLIENTS for org in asked.org or ORGS]
    outcomes: list[Outcome] = []
    with ProcessPoolExecutor(asked.workers) as pool:
        for done in as_completed([pool.submit(_run, *job) for job in jobs]):
            outcomes += done.result()
            record(done.result(), time.strftime("%Y-%m-%d", time.gmtime()), versions())
            (ROOT / "docs" / "clients.md").write_text(page(operations(), recorded(), versions()), encoding="utf-8")
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
