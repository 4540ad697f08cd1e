"""What a plan costs: how much of what one request takes, in how many deployments, and about how long. Pure.

How long is told from the org's own ledger: the median of what its deployments took for each component and each test
method. Without history, nobody knows, and that is what is said.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from flows.apexuse import test_methods
from flows.bundle import Bundle
from flows.components import ComponentKey
from flows.ledger import Entry, Event, Record
from flows.package import assemble
from flows.plan import Plan, TestLevel
from flows.split import Limits, size_of, split

NEWEST = 20
"""How many of the newest deployments are looked at: an org grows, and so do its times."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Files and bytes are those of all parts together. `minutes` is None when `unknown` says why nobody knows; it is
    out of `deployments` earlier ones. `tests` is how many test methods run, None when that isn't known."""

    files: int
    zip_bytes: int
    unzipped_bytes: int
    parts: int
    tests: int | None
    minutes: float | None
    deployments: int
    unknown: str = ""

    def as_json(self, limits: Limits) -> dict[str, Any]:
        """Return the cost, and the limits that it is measured against, as plain data."""
        return {
            "files": self.files,
            "zip_bytes": self.zip_bytes,
            "unzipped_bytes": self.unzipped_bytes,
            "limits": limits.as_json(),
            "parts": self.parts,
            "tests": self.tests,
            "minutes": self.minutes,
            "deployments": self.deployments,
            "unknown": self.unknown,
        }


def cost_of(plan: Plan, bundle: Bundle, limits: Limits, entries: Sequence[Entry]) -> Cost:
    """Return what `plan` costs in an org whose ledger holds `entries`.

    Raises `Refused` when a component alone is more than a request takes.
    """
    if plan.empty:
        return Cost(0, 0, 0, 0, 0, 0.0, 0)
    parts = split(plan, bundle, limits)
    sizes = [
        size_of(
            assemble(
                [bundle.components[key] for key in part.touched], bundle.api_version, destructive_post=part.deletes
            )
        )
        for part in parts
    ]
    files, zipped, unzipped = (
        sum(getattr(size, name) for size in sizes) for name in ("files", "zip_bytes", "unzipped_bytes")
    )
    past = [entry.record for entry in entries if _tells(entry.record)][-NEWEST:]
    tests = _tests(plan, bundle, past)
    minutes, unknown = _minutes(plan, past, tests)
    return Cost(files, zipped, unzipped, len(parts), tests, minutes, len(past) if minutes is not None else 0, unknown)


def _tells(record: Record) -> bool:
    """Return whether it is a deployment whose times say something: done in one go, and not resumed after a death."""
    return (
        record.event is Event.SUCCEEDED and {"validate", "deploy"} <= record.seconds.keys() and _components(record) > 0
    )


def _tests(plan: Plan, bundle: Bundle, past: Sequence[Record]) -> int | None:
    if plan.tests.level is TestLevel.SPECIFIED:
        keys = [ComponentKey("ApexClass", name) for name in plan.tests.classes]
        return sum(test_methods(bundle.components[key]) for key in keys if key in bundle.components)
    same = [record for record in past if record.tests.get("level") == plan.tests.level.value]
    return int(_number(same[-1], "run")) if same else None


def _minutes(plan: Plan, past: Sequence[Record], tests: int | None) -> tuple[float | None, str]:
    if not past:
        return None, f"the ledger of {plan.org} holds no deployment whose times could be compared"
    per_test = [_number(record, "seconds") / _number(record, "run") for record in past if _number(record, "run")]
    if tests is None:
        return None, f"{plan.org} never ran {plan.tests.level.value} in a deployment of the ledger"
    if tests and not per_test:
        return None, f"no deployment in the ledger of {plan.org} ran a test"
    seconds = median(_each(past)) * sum(plan.counts.values()) + (median(per_test) * tests if tests else 0)
    return round(seconds / 60, 1), ""


def _each(past: Sequence[Record]) -> Iterator[float]:
    """Yield how many seconds a component took in each deployment, its tests left out."""
    for record in past:
        yield max(0.0, sum(record.seconds.values()) - _number(record, "seconds")) / _components(record)


def _components(record: Record) -> int:
    return sum(record.counts.values())


def _number(record: Record, name: str) -> float:
    value = record.tests.get(name, 0)
    return float(value) if isinstance(value, int | float) else 0.0
