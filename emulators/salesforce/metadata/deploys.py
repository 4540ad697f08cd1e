"""The deploys of an org: queued, carried out one at a time as the clock goes on, cancelled, or quickly repeated.

A deploy is kept as a document. Nothing runs in the background: every call first lets the queue catch up with the
clock, so that an emulator that was killed goes on where it was.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from emulators.salesforce import ids
from emulators.salesforce.metadata.components import Key, OrgComponents
from emulators.salesforce.metadata.deployment import Outcome, apply, evaluate
from emulators.salesforce.metadata.options import DeployOptions
from emulators.salesforce.metadata.package import read_zip
from emulators.salesforce.orgs import OrgRecord, Session
from emulators.service import World
from emulators.store import Document

_KIND = "salesforce.deploy"
_RESULT = "salesforce.deploy-result"

# How long a deploy seems to take, in seconds: short, yet long enough that a client sees it pending and at work.
QUEUED_SECONDS = 0.3
BASE_SECONDS = 0.6
SECONDS_A_COMPONENT = 0.0005
CANCELING_SECONDS = 0.5

# Metadata API Developer Guide, `deployRecentValidation()` (excerpt read 2026-11-22): good for ten days.
VALIDATION_SECONDS = 10 * 24 * 60 * 60


class UnknownDeploy(Exception):
    """There is no deploy of this id in the org."""


class NotCancellable(Exception):
    """The deploy is over already."""


class NotQuickDeployable(Exception):
    """The validation can't be deployed. The message says why."""


class Deploys:
    """The deploys of one org."""

    def __init__(self, world: World, org: OrgRecord) -> None:
        self._store, self._now, self._org = world.store, world.now, org
        self._kind = f"{_KIND}.{org.id}"

    def submit(self, session: Session, zip_data: bytes, options: DeployOptions, validated: str = "") -> Document:
        """Queue a deploy and return its document."""
        job: Document = {
            "id": ids.numbered("0Af", self._store.next("salesforce.deploy")),
            "status": "Pending",
            "created": self._now(),
            "created_by": session.user_id,
            "created_by_name": session.username,
            "options": asdict(options),
            "zip": self._store.put_blob(zip_data),
            "validated": validated,
        }
        self._store.put(self._kind, job["id"], job)
        return job

    def get(self, ident: str) -> Document:
        """Return a deploy as it stands now. Raises `UnknownDeploy`."""
        self.advance()
        job = self._store.get(self._kind, ids.normal(ident) or ident)
        if job is None:
            raise UnknownDeploy(ident)
        result = self._store.get(_RESULT, job["id"])
        return job | {"result": result} if result else job

    def all(self) -> list[Document]:
        """Return all deploys as they stand now, oldest first."""
        self.advance()
        jobs = sorted((job for _, job in self._store.all(self._kind)), key=lambda job: str(job["id"]))
        return [job | {"result": self._store.get(_RESULT, job["id"])} for job in jobs]

    def cancel(self, ident: str, session: Session) -> Document:
        """Cancel a deploy: at once when it waits, soon when it is at work. Raises `UnknownDeploy`, `NotCancellable`."""
        job = self.get(ident)
        if is_done(job):
            raise NotCancellable(ident)
        job |= {"canceled_by": session.user_id, "canceled_by_name": session.username}
        if job["status"] == "Pending":
            job |= {"status": "Canceled", "completed": self._now()}
        else:
            job |= {"status": "Canceling", "canceled": self._now()}
        self._store.put(self._kind, job["id"], job)
        return job

    def quick(self, ident: str, session: Session) -> Document:
        """Queue the deploy of a recent validation, without its tests. Raises `NotQuickDeployable`."""
        try:
            validation = self.get(ident)
        except UnknownDeploy:
            raise NotQuickDeployable(f"no validation has the id {ident}") from None
        options = DeployOptions(**validation["options"] | {"run_tests": tuple(validation["options"]["run_tests"])})
        if not options.check_only:
            raise NotQuickDeployable(f"{ident} is a deployment, not a validation")
        if validation["status"] != "Succeeded":
            raise NotQuickDeployable(f"the validation {ident} is {validation['status']}, not Succeeded")
        result = validation["result"]
        if not result["test_level"] or result["coverage_warnings"]:
            raise NotQuickDeployable(f"the validation {ident} ran no tests, or they cover too little")
        if self._now() - validation["completed"] > VALIDATION_SECONDS:
            raise NotQuickDeployable(f"the validation {ident} is more than 10 days old")
        if any(self._changed_org_after(job, validation["completed"]) for _, job in self._store.all(self._kind)):
            raise NotQuickDeployable(f"something else was deployed after the validation {ident}")
        again = DeployOptions(
            **asdict(options)
            | {"check_only": False, "run_tests": (), "run_all_tests": False, "test_level": "NoTestRun"}
        )
        return self.submit(session, self._store.blob(validation["zip"]), again, validation["id"])

    def advance(self) -> None:
        """Let the queue catch up with the clock."""
        now, free = self._now(), 0.0
        declared = self._store.get("salesforce.org", self._org.my_domain_host) or {}
        slow = float(declared.get("deploy_seconds", 0.0))  # of the world file, for who wants to see a deploy at work
        for ident, job in self._store.all(self._kind):
            if is_done(job):
                free = max(free, job["completed"])
                continue
            if job["status"] == "Pending":
                starts = max(job["created"] + QUEUED_SECONDS, free)
                if now < starts:
                    return
                job |= {"status": "InProgress", "started": starts, "total": self._estimate(job)}
                self._store.put(self._kind, ident, job)
            takes = max(slow, BASE_SECONDS + SECONDS_A_COMPONENT * job["total"])
            if job.get("takes") != takes:
                job["takes"] = takes
                self._store.put(self._kind, ident, job)
            ends = job["started"] + takes
            if job["status"] == "Canceling":
                ends = min(ends, job["canceled"] + CANCELING_SECONDS)
            if now < ends:
                return
            self._finish(job, ends)
            free = ends

    def packaged(self, name: str) -> list[Key] | None:
        """Return what was deployed as part of the unmanaged package `name` (a manifest's `fullName`) and is still
        there; None when there is no such package."""
        found: list[Key] | None = None
        for _, job in self._store.all(self._kind):
            if not self._changed_org_after(job, 0.0):
                continue
            options = DeployOptions(**job["options"])
            for package in read_zip(self._store.blob(job["zip"]), single_package=options.single_package):
                if package.manifest.full_name == name:
                    found = [*(found or ()), *(key for key in package.incoming if package.manifest.names(key))]
        components = OrgComponents(self._store, self._org.id)
        return None if found is None else [key for key in dict.fromkeys(found) if components.get(*key)]

    def _finish(self, job: Document, ends: float) -> None:
        job["completed"] = ends
        if job["status"] == "Canceling":
            job["status"] = "Canceled"
        else:
            options = DeployOptions(**job["options"] | {"run_tests": tuple(job["options"]["run_tests"])})
            components = OrgComponents(self._store, self._org.id)
            declared = self._store.get("salesforce.org", self._org.my_domain_host) or {}
            outcome = evaluate(self._org, components, self._store.blob(job["zip"]), options, declared)
            job["status"] = outcome.status(options)
            if job["status"] != "Failed" and not options.check_only and outcome.state is not None:
                apply(outcome.state, ends, job["created_by_name"])
            # Apart from the deploy itself: the queue is read at every call, ten thousand messages are not.
            self._store.put(_RESULT, job["id"], _result(outcome))
        self._store.put(self._kind, job["id"], job)

    def _estimate(self, job: Document) -> int:
        """Return about how many files a deploy brings: enough to show progress by."""
        return max(1, self._store.blob(job["zip"]).count(b"PK\x01\x02"))

    @staticmethod
    def _changed_org_after(job: Document, moment: float) -> bool:
        real = job["status"] in ("Succeeded", "SucceededPartial") and not job["options"]["check_only"]
        return real and bool(job["completed"] > moment)


def is_done(job: Document) -> bool:
    """Return whether a deploy is over."""
    return job["status"] in ("Succeeded", "SucceededPartial", "Failed", "Canceled")


def _result(outcome: Outcome) -> Document:
    tests = outcome.tests
    result: dict[str, Any] = {
        "total": outcome.total,
        "messages": [vars(message) for message in outcome.messages],
        "test_level": tests.level,
        **tests.as_document(),
    }
    if outcome.error:
        result["error_code"], result["error_message"] = outcome.error
    elif tests.coverage_lacks and not outcome.failures:
        result["error_message"] = " ".join(message for _, message in tests.warnings)
    return result
