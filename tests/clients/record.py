"""What was found when each client was last run against each org: tests/clients/outcomes.json, which only runs write."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.clients.runner import Mark, Operation, Outcome

PATH = Path(__file__).parent / "outcomes.json"


@dataclass(frozen=True)
class Run:
    """The last run of a client against an org: its day, the client's version, and how each row ended.

    `rows` holds the mark by `fingerprint`: a row that was changed since counts as not run.
    """

    client: str
    org: str
    day: str
    version: str
    rows: Mapping[str, Mark]

    def mark(self, row: Operation) -> Mark:
        """Return how a row ended, "not run" when it wasn't there, or was another."""
        return self.rows.get(fingerprint(row), "not run")


def fingerprint(row: Operation) -> str:
    """Return what changes with anything that a row asks or wants proven; it begins with the row's name."""
    asked = {key: value for key, value in asdict(row).items() if key != "short"}
    digest = hashlib.sha256(json.dumps(asked, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
    return f"{row.name} {digest[:12]}"


def recorded(path: Path = PATH) -> tuple[Run, ...]:
    """Return the runs on record."""
    return tuple(Run(**each) for each in json.loads(path.read_text(encoding="utf-8"))) if path.exists() else ()


def record(outcomes: Iterable[Outcome], day: str, versions: Mapping[str, str], path: Path = PATH) -> None:
    """Put the outcomes of one or more runs on record, each in place of the run before of its client and org."""
    runs = {(each.client, each.org): each for each in recorded(path)}
    found: dict[tuple[str, str], dict[str, Mark]] = {}
    for each in outcomes:
        found.setdefault((each.operation.client, each.org), {})[fingerprint(each.operation)] = each.mark
    for (client, org), rows in found.items():
        runs[client, org] = Run(client, org, day, versions[client], rows)
    text = json.dumps([asdict(runs[key]) for key in sorted(runs)], indent=1, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")
