"""Carries a bundle into one org, or takes it back: plan, lock, snapshot, conflict check, validate, quick deploy,
verify, and the ledger before and after each step.

Knows no CumulusCI. Every deploy request's id is in the ledger before anyone waits for it, so a run that was killed
is found and ended by the next one. A rollback is a run like any other: its plan and bundle come out of snapshots.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace

from flows.bundle import Bundle, build_bundle
from flows.components import ComponentKey
from flows.conflicts import conflicts_of, refuse_conflicts
from flows.failures import PromotionFailed, failures_of
from flows.ledger import Entry, Event, Ledger, Overtaken, Record
from flows.lock import OrgLock
from flows.metadata_api import ApiRefused, MetadataApi, TimedOut
from flows.metadata_results import DeployResult
from flows.objectstore import ObjectStore
from flows.plan import Plan, State, make_plan, state_after
from flows.planfile import refuse_if_other
from flows.rollback import Inverse, Undone, inverse, obstacles
from flows.run import Keeper, Open, Outcome, Reporter, Silent, Work, headline, tests_of
from flows.shelf import Shelf
from flows.snapshot import components_of
from flows.verify import lost, verify
from kit.problems import refuse_if_any
from orgs.editions import OrgKind
from orgs.federation import Org

TIMEOUT_SECONDS = 3600.0


@dataclass
class Promotion:
    """One org, and what is needed to carry a release into it. `timeout` is for each deployment, in seconds.

    `accepted` are components changed by hand that may be overwritten. `take_over` takes the org from a run that
    seems to live. `keeper` lets a release pass or not; `approved` is the plan that alone may be promoted, None for
    whatever is planned.
    """

    org: Org
    api: Callable[[], MetadataApi]
    ledger: Ledger
    releases: ObjectStore
    backups: ObjectStore
    reporter: Reporter = field(default_factory=Silent)
    timeout: float = TIMEOUT_SECONDS
    accepted: Collection[ComponentKey] = ()
    take_over: bool = False
    keeper: Keeper = field(default_factory=Open)
    approved: Plan | None = None
    clock: Callable[[], float] = time.monotonic
    _seconds: dict[str, float] = field(default_factory=dict)
    _sequence: int = 0
    _holder: str = ""

    def __post_init__(self) -> None:
        self.lock = OrgLock(self.org.name, self.releases)
        self._shelf = Shelf(self.releases, self.backups)

    def plan(self, bundle: Bundle) -> Plan:
        """Return what the org needs in order to hold `bundle`."""
        shipped = self.ledger.state_of(self.org.name)
        return make_plan(bundle, shipped, org=self.org.name, production=self._production)

    def validate(self, bundle: Bundle) -> Outcome:
        """Check with the org that `bundle` could be deployed, tests included. Changes and records nothing.

        Raises `Refused` with what the gates stop, `PromotionFailed` with what the org refuses.
        """
        work = self._planned(bundle)
        self.keeper.check(work.plan, bundle)
        if work.plan.empty:
            return Outcome(work.plan)
        api, tests = self.api(), work.plan.tests
        self.reporter.step(f"Validating: {work.words}, {tests.level.value}")
        ident = api.deploy(work.package.zip, tests, check_only=True)
        return Outcome(work.plan, self._done(api, ident, work))

    def promote(self, bundle: Bundle) -> Outcome:
        """Bring the org to hold exactly `bundle`; does nothing when it does.

        A run that died before is ended first. Raises `Refused` with what doesn't let the plan pass, `Held` when a run
        that lives holds the org, `Conflict` when someone changed by hand what would be overwritten, `PromotionFailed`
        with what the org refuses (the org is then as before, and the ledger says failed), any other `Refused` when it
        isn't known how it ended, such as `Unreachable` (run it again: it goes on).
        """
        return self._run(lambda: self._admitted(bundle), lambda _record: False)

    def _admitted(self, bundle: Bundle) -> Work:
        work = self._planned(bundle)
        if self.approved and not (work.plan.empty and self._was_last(self.approved)):
            refuse_if_other(self.approved, work.plan)
        return work if work.plan.empty else replace(work, admission=self.keeper.admit(work.plan, bundle))

    def _was_last(self, plan: Plan) -> bool:
        success = self.ledger.last_success(self.org.name)
        return success is not None and success.record.plan == plan.digest

    def _planned(self, bundle: Bundle) -> Work:
        self.reporter.step(f"Planning against the ledger of {self.org.name}")
        return Work(self.plan(bundle), bundle)

    def inverse(self, to: int | None = None) -> Inverse:
        """Return what takes the org back to how it was after entry `to` (0: before the first); without `to`, to how
        it was before the last success. Raises `Refused` when the ledger doesn't lead there."""
        return self._way_back(to)[1]

    def rollback(self, to: int | None = None) -> Outcome:
        """Take the org back, as `inverse` says, by the same steps as a promote; raises what `promote` does."""

        def work() -> Work:
            target, way = self._way_back(to)
            self.reporter.step(f"Rolling {self.org.name} back to entry {target}")
            for loss in way.losses:
                self.reporter.step(f"Can't be undone: {loss}")
            return Work(way.plan, way.bundle, target)

        return self._run(work, lambda record: record.rollback_to is not None and to in {None, record.rollback_to})

    def _way_back(self, to: int | None) -> tuple[int, Inverse]:
        successes = [entry for entry in self.ledger.entries(self.org.name) if entry.record.event is Event.SUCCEEDED]
        target = to if to is not None else (successes[-2].sequence if len(successes) > 1 else 0)
        undone = [entry for entry in successes if entry.sequence > target]
        refuse_if_any(obstacles(self.org.name, target, successes))
        runs = [Undone(self._shelf.plan(e.record.plan), self._shelf.snapshot(e.record.snapshot)) for e in undone]
        shipped = self.ledger.state_of(self.org.name)
        return target, inverse(runs, shipped, org=self.org.name, production=self._production)

    def _run(self, make: Callable[[], Work], was_it: Callable[[Record], bool]) -> Outcome:
        """Do what `make` says, after ending what died before; if that was it already (`was_it`), this is all."""
        self._seconds.clear()
        resumed = self._resume(make)
        if resumed and resumed.entry and was_it(resumed.entry.record):
            return resumed
        last = self.ledger.last(self.org.name)
        self._sequence = last.sequence if last else 0
        work = make()
        plan, bundle = work.plan, work.bundle
        if plan.empty:
            return resumed or Outcome(plan)
        record = Record(Event.STARTED, uuid.uuid4().hex, bundle.digest, plan.digest, plan.counts)
        passed = work.admission
        record = replace(record, rollback_to=work.rollback_to, approvals=passed.approvals, waived=passed.waived)
        record = replace(record, emergency=passed.emergency, overridden=passed.overridden)
        with self.lock.beating() as self._holder, self._recorded(record):
            self._append(record)
            api = self.api()
            with self._timed("snapshot"):
                self._shelf.keep(bundle, plan)
                record = self._snapshot(api, record, work)
            with self._timed("validate"):
                self.reporter.step(f"Validating: {work.words}, {plan.tests.level.value}")
                record = replace(record, validation=api.deploy(work.package.zip, plan.tests, check_only=True))
                self._append(replace(record, event=Event.VALIDATING))
                validated = self._done(api, record.validation, work)
            return self._deploy(api, record, work, validated)

    def _snapshot(self, api: MetadataApi, record: Record, work: Work) -> Record:
        """Keep what the org holds of all that the plan touches; refuse when someone changed it by hand."""
        plan = work.plan
        self.reporter.step("Taking a snapshot of what will change")
        keys = (*plan.touched, *plan.deletes)
        now = components_of(api.retrieve(keys).files, keys, whole=set(plan.deletes))
        conflicts = conflicts_of(plan, self.ledger.held_by(self.org.name), now)
        refuse_conflicts(conflicts, self.accepted, self.org.name)
        digest = self._shelf.keep_snapshot(build_bundle(now.values(), work.bundle.api_version))
        return replace(record, snapshot=digest, accepted=tuple(map(str, conflicts)))

    def _deploy(self, api: MetadataApi, record: Record, work: Work, validated: DeployResult) -> Outcome:
        record = replace(record, tests=tests_of(work.plan, validated))
        with self._timed("deploy"):
            self._still_ours()
            record = replace(record, deployment=self._ask(api, record.validation, work))
            self._append(replace(record, event=Event.DEPLOYING))
            self._done(api, record.deployment, work)
        return self._finish(api, record, work, validated)

    def _ask(self, api: MetadataApi, validation: str, work: Work) -> str:
        """Ask for the deployment: of what was validated if the org takes it, else of the same bytes with tests."""
        try:
            ident = api.quick_deploy(validation)
        except ApiRefused as refused:
            self.reporter.step(f"No quick deploy ({refused.code}): deploying the same package with its tests")
            return api.deploy(work.package.zip, work.plan.tests, check_only=False)
        self.reporter.step(f"Quick deploy of validation {validation}")
        return ident

    def _finish(self, api: MetadataApi, record: Record, work: Work, result: DeployResult) -> Outcome:
        """Compare what the org holds with what was shipped, and record the success."""
        plan, bundle = work.plan, work.bundle
        with self._timed("verify"):
            self.reporter.step("Verifying: retrieving what was shipped")
            shipped = [bundle.components[key] for key in plan.touched]
            files = api.retrieve(plan.touched).files if shipped else {}
            verification = verify(shipped, files)
        if verification.missing:
            raise PromotionFailed(
                lost(bundle.components, verification.missing),
                f"{self.org.name} lost {len(verification.missing)} components of the release",
            )
        after = self._state_after(work)
        held_before = self.ledger.held_by(self.org.name)
        given_back = {key: each.digest for key, each in components_of(files, plan.touched).items()}
        held = {key: digest for key, digest in (held_before | given_back).items() if key in after}
        done = replace(
            record,
            event=Event.SUCCEEDED,
            index=self.ledger.put_index(after),
            held=self.ledger.put_index(held),
            seconds=dict(self._seconds),
            differs=tuple(map(str, verification.differs)),
        )
        return Outcome(plan, result, verification, self._append(done))

    def _state_after(self, work: Work) -> State:
        """Return what the org holds of ours once `work` is done: after a rollback, what it held back then."""
        if work.rollback_to is None:
            return state_after(work.plan, work.bundle, self.ledger.state_of(self.org.name))
        return self.ledger.state_at(self.org.name, work.rollback_to)

    def _resume(self, make: Callable[[], Work]) -> Outcome | None:
        """End what a run before this one left open, if any: finish its deployment, or close it as failed.

        Raises `Held` when that run lives.
        """
        last = self.ledger.last(self.org.name)
        if last is None or not last.record.event.is_open:
            return None
        if not self.take_over:
            self.lock.refuse_if_held(last)
        record, self._sequence = last.record, last.sequence
        with self.lock.beating() as self._holder, self._recorded(record):
            self._append(record)  # of several that found the run dead, one writes this entry
            return self._end(record, f"A run of {last.at} by {last.by} died", make)

    def _end(self, record: Record, died: str, make: Callable[[], Work]) -> Outcome | None:
        api = self.api()
        if record.event is Event.DEPLOYING:
            self.reporter.step(f"{died}: looking at its deployment {record.deployment}")
            work = self._kept(record)
            result = self._done(api, record.deployment, work)
            return self._finish(api, record, work, result)
        if record.event is Event.VALIDATING:
            work = make()
            if (record.plan, record.rollback_to) == (work.plan.digest, work.rollback_to):
                self.reporter.step(f"{died}: looking at its validation {record.validation}")
                validated = self._done(api, record.validation, work)
                return self._deploy(api, record, work, validated)
            with suppress(ApiRefused):  # it may be over by now
                api.cancel(record.validation)
        self.reporter.step(f"{died} before it deployed anything: closing it")
        closed = "given up: the run died before it deployed anything, and another one took its place"
        self._append(replace(record, event=Event.FAILED, problems=(closed,)))
        return None

    def _append(self, record: Record) -> Entry:
        """Write the entry after the last one that this run knows. Raises `Overtaken`: then another has the org."""
        entry = self.ledger.append(self.org.name, replace(record, holder=self._holder), after=self._sequence)
        self._sequence = entry.sequence
        return entry

    def _still_ours(self) -> None:
        """Raise `Overtaken` when another run took the org while this one slept."""
        last = self.ledger.last(self.org.name)
        if last and last.sequence != self._sequence:
            raise Overtaken(self.org.name, last.sequence, f"{last.by} at {last.at}")

    @property
    def _production(self) -> bool:
        return self.org.kind is OrgKind.PRODUCTION

    def _done(self, api: MetadataApi, ident: str, work: Work) -> DeployResult:
        """Wait for a deployment. Raises `PromotionFailed` when it fails, once it is really over."""
        try:
            result = api.wait(ident, self.reporter.progress, self.timeout)
        except TimedOut as late:
            # A cancelled deployment may still have won the race: only the org knows.
            result = api.wait(ident, self.reporter.progress, self.timeout)
            if not result.success:
                raise PromotionFailed(late.problems, late.headline) from late
        if not result.success:
            raise PromotionFailed(failures_of(result, work.package.lines), headline(self.org.name, result), result)
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
            self._append(replace(latest, event=Event.FAILED, problems=problems, seconds=dict(self._seconds)))
            raise

    @contextmanager
    def _timed(self, name: str) -> Iterator[None]:
        start = self.clock()
        try:
            yield
        finally:
            self._seconds[name] = round(self.clock() - start, 2)

    def _kept(self, record: Record) -> Work:
        """Return what a run that died was to do."""
        return Work(self._shelf.plan(record.plan), self._shelf.bundle(record.bundle), record.rollback_to)
