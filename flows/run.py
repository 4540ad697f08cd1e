"""What one run is to do to an org, who is told how it goes, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Protocol

from flows.bundle import Bundle
from flows.ledger import Entry, Record
from flows.metadata_results import DeployResult
from flows.package import Package, assemble
from flows.packages import Missing
from flows.plan import Plan
from flows.split import Limits, split
from flows.verify import Verification


class Reporter(Protocol):
    """Who is told how a promote goes."""

    def step(self, text: str) -> None:
        """A step begins."""
        ...

    def progress(self, result: DeployResult) -> None:
        """A deployment went on."""
        ...


class Silent:
    """Tells nobody."""

    def step(self, text: str) -> None:
        """Say nothing."""

    def progress(self, result: DeployResult) -> None:
        """Say nothing."""


@dataclass(frozen=True, slots=True)
class Admission:
    """What let a release pass, as the ledger keeps it: who approved, which findings were waived and why, in an
    emergency its reason and what it went against, and what was left out since the edition lacks what it needs. `tried`
    is the sandbox that accepted an assertion before production's sign-on changes, and when; empty when it changes none.
    """

    approvals: tuple[Mapping[str, str], ...] = ()
    waived: tuple[Mapping[str, str], ...] = ()
    emergency: str = ""
    overridden: tuple[str, ...] = ()
    excluded: tuple[Mapping[str, str], ...] = ()
    tried: Mapping[str, str] = field(default_factory=dict)


class Keeper(Protocol):
    """Who lets a release pass before an org is touched."""

    def check(self, plan: Plan, bundle: Bundle) -> None:
        """Raise `Refused` when the gates stop the release, whenever it would be promoted."""
        ...

    def admit(self, plan: Plan, bundle: Bundle) -> Admission:
        """Return what let the plan pass. Raises `Refused` when it may not go to its org."""
        ...

    def admit_rollback(self, plan: Plan, after: Bundle) -> Admission:
        """Return what let a rollback pass; `after` is what its org then holds of what people sign in by. Raises
        `Refused` when the org may not be taken back."""
        ...


class Open:
    """Lets everything pass: for an engine that something else guards."""

    def check(self, plan: Plan, bundle: Bundle) -> None:
        """Let it pass."""

    def admit(self, plan: Plan, bundle: Bundle) -> Admission:  # noqa: ARG002
        """Let it pass."""
        return Admission()

    def admit_rollback(self, plan: Plan, after: Bundle) -> Admission:  # noqa: ARG002
        """Let it pass."""
        return Admission()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a promote or a validation. `entry` is the ledger's, None when nothing was deployed. `lacking` are
    the packages that the org lacks, which a validation can't install."""

    plan: Plan
    result: DeployResult | None = None
    verification: Verification | None = None
    entry: Entry | None = None
    lacking: tuple[Missing, ...] = ()


@dataclass(frozen=True)
class Work:
    """What one run is to do, and what let it pass. `rollback_to` is the ledger's entry whose state it restores; None
    for a promote; `lacking` are the packages that the org needs first."""

    plan: Plan
    bundle: Bundle
    rollback_to: int | None = None
    admission: Admission = field(default_factory=Admission)
    lacking: tuple[Missing, ...] = ()

    @property
    def idle(self) -> bool:
        """Whether there is nothing to do: nothing to install, and nothing to deploy."""
        return self.plan.empty and not self.lacking

    @cached_property
    def package(self) -> Package:
        """What is deployed: the same bytes whenever it is asked for."""
        components = [self.bundle.components[key] for key in self.plan.touched]
        return assemble(components, self.bundle.api_version, destructive_post=self.plan.deletes)

    def parts(self, limits: Limits) -> tuple[Work, ...]:
        """Return the deployments that it takes, in their order: this one alone when it fits into one request.

        Raises `Refused` when a component alone is more than a request takes.
        """
        plans = split(self.plan, self.bundle, limits)
        return (self,) if len(plans) == 1 else tuple(replace(self, plan=plan) for plan in plans)

    @property
    def words(self) -> str:
        """What it does, for people: "3 created, 1 deleted"."""
        return ", ".join(f"{count} {verb}" for verb, count in self.plan.counts.items() if count)


def following(record: Record) -> Record:
    """Return what the next deployment of a run starts from: of a plan in parts, the ids of the one before are kept."""
    if not record.parts:
        return record
    ids = {"validation": record.validation, "deployment": record.deployment}
    earlier = (*record.earlier, ids) if record.deployment else record.earlier
    return replace(record, part=record.part + 1, earlier=earlier, validation="", deployment="")


def which(record: Record) -> str:
    """Return which part of a plan in parts it is, for people."""
    return f"Part {record.part} of {record.parts}: " if record.parts else ""


def tests_of(plan: Plan, result: DeployResult) -> dict[str, object]:
    """Return what the ledger says of the tests of a deployment."""
    return {
        "level": plan.tests.level.value,
        "run": result.tests.run or result.tests_completed,
        "failed": result.tests_failed,
        "seconds": result.tests.seconds,
    }


def headline(org: str, result: DeployResult) -> str:
    """Return in one line what an org refused."""
    parts = [
        f"{count} {what}" + ("s" if count != 1 else "")
        for count, what in (
            (result.components_failed or len(result.failures), "component"),
            (result.tests_failed or len(result.tests.failures), "test"),
        )
        if count
    ]
    over = "is as before" if result.status != "SucceededPartial" else "took a part of it"
    return f"{org} refused the release ({result.status}): {' and '.join(parts) or result.error}; the org {over}"
