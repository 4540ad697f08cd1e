"""Carries a bundle into one org: plan, validate, quick deploy, verify, and the ledger before and after each step.

Knows no CumulusCI. Every deploy request's id is in the ledger before anyone waits for it, so a run that was killed
is found and ended by the next one.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Protocol

from flows.bundle import Bundle, bundle_bytes, parse_bundle
from flows.failures import PromotionFailed, failures_of
from flows.ledger import Entry, Event, Ledger, Record
from flows.metadata_api import ApiRefused, MetadataApi, TimedOut
from flows.metadata_results import DeployResult
from flows.objectstore import ObjectStore, Taken
from flows.package import Package, assemble
from flows.plan import Plan, make_plan, plan_from_json, state_after
from flows.verify import Verification, verify
from kit.problems import Problem, Refused
from orgs.editions import OrgKind
from orgs.federation import Org

TIMEOUT_SECONDS = 3600.0


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
class Outcome:
    """What came of a promote or a validation. `entry` is the ledger's, None when nothing was deployed."""

    plan: Plan
    result: DeployResult | None = None
    verification: Verification | None = None
    entry: Entry | None = None


@dataclass
class Promotion:
    """One org, and what is needed to carry a release into it. `timeout` is for each deployment, in seconds."""

    org: Org
    api: Callable[[], MetadataApi]
    ledger: Ledger
    releases: ObjectStore
    reporter: Reporter = field(default_factory=Silent)
    timeout: float = TIMEOUT_SECONDS
    clock: Callable[[], float] = time.monotonic
    _seconds: dict[str, float] = field(default_factory=dict)

    def plan(self, bundle: Bundle) -> Plan:
        """Return what the org needs in order to hold `bundle`."""
        shipped = self.ledger.state_of(self.org.name)
        return make_plan(bundle, shipped, org=self.org.name, production=self.org.kind is OrgKind.PRODUCTION)

    def validate(self, bundle: Bundle) -> Outcome:
        """Check with the org that `bundle` could be deployed, tests included. Changes and records nothing.

        Raises `PromotionFailed` with what the org refuses.
        """
        plan = self._planned(bundle)
        if plan.empty:
            return Outcome(plan)
        package, api = _package(plan, bundle), self.api()
        self.reporter.step(f"Validating: {_words(plan)}, {plan.tests.level.value}")
        ident = api.deploy(package.zip, plan.tests, check_only=True)
        return Outcome(plan, self._done(api, ident, package))

    def promote(self, bundle: Bundle) -> Outcome:
        """Bring the org to hold exactly `bundle`; does nothing when it does.

        A run that died before is ended first. Raises `PromotionFailed` with what the org refuses (the org is then
        as before, and the ledger says failed), any other `Refused` when it isn't known how it
        ended, such as `Unreachable` (run it again: it goes on).
        """
        self._seconds.clear()
        resumed = self._resume(bundle)
        plan = self._planned(bundle)
        if plan.empty:
            return resumed or Outcome(plan)
        package, api = _package(plan, bundle), self.api()
        self._keep(bundle, plan)
        record = Record(Event.STARTED, uuid.uuid4().hex, bundle.digest, plan.digest, plan.counts)
        self.ledger.append(self.org.name, record)
        with self._recorded(record):
            with self._timed("validate"):
                self.reporter.step(f"Validating: {_words(plan)}, {plan.tests.level.value}")
                record = replace(record, validation=api.deploy(package.zip, plan.tests, check_only=True))
                self.ledger.append(self.org.name, replace(record, event=Event.VALIDATING))
                validated = self._done(api, record.validation, package)
            return self._deploy(api, record, plan, bundle, package, validated)

    def _deploy(
        self,
        api: MetadataApi,
        record: Record,
        plan: Plan,
        bundle: Bundle,
        package: Package,
        validated: DeployResult,
    ) -> Outcome:
        record = replace(record, tests=_tests(plan, validated))
        with self._timed("deploy"):
            record = replace(record, deployment=self._ask(api, record.validation, package, plan))
            self.ledger.append(self.org.name, replace(record, event=Event.DEPLOYING))
            self._done(api, record.deployment, package)
        return self._finish(api, record, plan, bundle, validated)

    def _ask(self, api: MetadataApi, validation: str, package: Package, plan: Plan) -> str:
        """Ask for the deployment: of what was validated if the org takes it, else of the same bytes with tests."""
        try:
            ident = api.quick_deploy(validation)
        except ApiRefused as refused:
            self.reporter.step(f"No quick deploy ({refused.code}): deploying the same package with its tests")
            return api.deploy(package.zip, plan.tests, check_only=False)
        self.reporter.step(f"Quick deploy of validation {validation}")
        return ident

    def _finish(self, api: MetadataApi, record: Record, plan: Plan, bundle: Bundle, result: DeployResult) -> Outcome:
        """Compare what the org holds with what was shipped, and record the success."""
        with self._timed("verify"):
            self.reporter.step("Verifying: retrieving what was shipped")
            shipped = [bundle.components[key] for key in plan.touched]
            files = api.retrieve(plan.touched).files if shipped else {}
            verification = verify(shipped, files)
        if verification.missing:
            raise PromotionFailed(
                [
                    Problem(
                        f"{key} was deployed, but the org doesn't give it back",
                        "what was deployed can be retrieved",
                        "look for it in the org's setup, then promote again",
                        bundle.components[key].source,
                    )
                    for key in verification.missing
                ],
                f"{self.org.name} lost {len(verification.missing)} components of the release",
            )
        shipped_before = self.ledger.state_of(self.org.name)
        index = self.ledger.put_index(state_after(plan, bundle, shipped_before))
        entry = self.ledger.append(
            self.org.name,
            replace(
                record,
                event=Event.SUCCEEDED,
                index=index,
                seconds=dict(self._seconds),
                differs=tuple(map(str, verification.differs)),
            ),
        )
        return Outcome(plan, result, verification, entry)

    def _resume(self, bundle: Bundle) -> Outcome | None:
        """End what a run before this one left open, if any: finish its deployment, or close it as failed."""
        last = self.ledger.last(self.org.name)
        if last is None or not last.record.event.is_open:
            return None
        record, api = last.record, self.api()
        died = f"A run of {last.at} by {last.by} died"
        if record.event is Event.DEPLOYING:
            self.reporter.step(f"{died}: looking at its deployment {record.deployment}")
            old, plan = self._kept(record)
            with self._recorded(record):
                result = self._done(api, record.deployment, _package(plan, old))
                return self._finish(api, record, plan, old, result)
        if record.event is Event.VALIDATING:
            plan = self.plan(bundle)
            if record.plan == plan.digest:
                self.reporter.step(f"{died}: looking at its validation {record.validation}")
                with self._recorded(record):
                    package = _package(plan, bundle)
                    validated = self._done(api, record.validation, package)
                    return self._deploy(api, record, plan, bundle, package, validated)
            with suppress(ApiRefused):  # it may be over by now
                api.cancel(record.validation)
        self.reporter.step(f"{died} before it deployed anything: closing it")
        closed = "given up: the run died before it deployed anything, and another one took its place"
        self.ledger.append(self.org.name, replace(record, event=Event.FAILED, problems=(closed,)))
        return None

    def _planned(self, bundle: Bundle) -> Plan:
        self.reporter.step(f"Planning against the ledger of {self.org.name}")
        return self.plan(bundle)

    def _done(self, api: MetadataApi, ident: str, package: Package) -> DeployResult:
        """Wait for a deployment. Raises `PromotionFailed` when it fails, once it is really over."""
        try:
            result = api.wait(ident, self.reporter.progress, self.timeout)
        except TimedOut as late:
            # A cancelled deployment may still have won the race: only the org knows.
            result = api.wait(ident, self.reporter.progress, self.timeout)
            if not result.success:
                raise PromotionFailed(late.problems, late.headline) from late
        if not result.success:
            raise PromotionFailed(failures_of(result, package.lines), _headline(self.org.name, result), result)
        return result

    @contextmanager
    def _recorded(self, record: Record) -> Iterator[None]:
        """Record it when the org refuses. After any other error nothing is known, so the run stays open."""
        try:
            yield
        except (PromotionFailed, ApiRefused) as refused:
            problems = tuple(f"{each.place}: {each.what}" if each.place else each.what for each in refused.problems)
            last = self.ledger.last(self.org.name)
            latest = last.record if last and last.record.run == record.run else record
            failed = replace(latest, event=Event.FAILED, problems=problems, seconds=dict(self._seconds))
            self.ledger.append(self.org.name, failed)
            raise

    @contextmanager
    def _timed(self, name: str) -> Iterator[None]:
        start = self.clock()
        try:
            yield
        finally:
            self._seconds[name] = round(self.clock() - start, 2)

    def _keep(self, bundle: Bundle, plan: Plan) -> None:
        """Store bundle and plan by their digests, so that any later run can go on with them."""
        self._put(f"bundles/{bundle.digest}.zip", lambda: bundle_bytes(bundle))
        self._put(f"plans/{plan.digest}.json", lambda: json.dumps(plan.as_json(), ensure_ascii=False).encode())

    def _put(self, key: str, data: Callable[[], bytes]) -> None:
        if self.releases.head(key) is None:
            try:
                self.releases.put(key, data(), if_absent=True)
            except Taken:
                return  # another run stored the same digest just now

    def _kept(self, record: Record) -> tuple[Bundle, Plan]:
        """Return bundle and plan of a run that died, as `_keep` stored them."""
        name = f"bundles/{record.bundle}.zip"
        bundle = parse_bundle(self.releases.get(name), name)
        plan = plan_from_json(json.loads(self.releases.get(f"plans/{record.plan}.json")))
        if plan.digest != record.plan:
            raise Refused(
                Problem(
                    f"plans/{record.plan}.json was altered: it has the digest {plan.digest}",
                    "only the plan that the ledger names is deployed",
                    "see the bucket's access log for who wrote there; its versions hold what stood there",
                )
            )
        return bundle, plan


def _package(plan: Plan, bundle: Bundle) -> Package:
    components = [bundle.components[key] for key in plan.touched]
    return assemble(components, bundle.api_version, destructive_post=plan.deletes)


def _words(plan: Plan) -> str:
    return ", ".join(f"{count} {verb}" for verb, count in plan.counts.items() if count)


def _tests(plan: Plan, result: DeployResult) -> dict[str, object]:
    return {
        "level": plan.tests.level.value,
        "run": result.tests.run or result.tests_completed,
        "failed": result.tests_failed,
        "seconds": result.tests.seconds,
    }


def _headline(org: str, result: DeployResult) -> str:
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
