"""Carries a bundle into one org, or takes it back: plan, lock, snapshot, conflict check, validate, quick deploy,
verify, and the ledger before and after each step.

Knows no CumulusCI. A run that was killed is found and ended by the next one (`flows.resume`). A rollback is a run like
any other: its plan and bundle come out of snapshots.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from flows.bundle import Bundle, build_bundle
from flows.carry import Carrier
from flows.components import Component, ComponentKey
from flows.conflicts import refuse_conflicts
from flows.conflicts_org import look
from flows.drift_org import shipped_components
from flows.journal import Journal
from flows.ledger import Event, Ledger, Record
from flows.lock import OrgLock
from flows.metadata_api import MetadataApi
from flows.objectstore import ObjectStore
from flows.packages import Installer, Missing, NoPackages, shipped_packages
from flows.plan import Plan
from flows.planfile import refuse_if_other
from flows.planning import plan_for
from flows.relatedtests import Wanted
from flows.render.sso import CONFIG
from flows.resume import Resumption
from flows.rollback import Inverse, Undone, before_last, changes_of, inverse, obstacles
from flows.run import Keeper, Open, Outcome, Reporter, Silent, Work
from flows.shelf import Shelf
from flows.split import Limits, metadata_limits
from kit.problems import Refused, refuse_if_any
from orgs.editions import OrgKind
from orgs.federation import Org

TIMEOUT_SECONDS = 3600.0


@dataclass
class Promotion:
    """One org, and what is needed to carry a release into it. `timeout` is for each deployment, in seconds.

    `accepted` are components changed by hand that may be overwritten. `take_over` takes the org from a run that
    seems to live. `keeper` lets a release pass or not; `approved` is the plan that alone may be promoted, None for
    whatever is planned. A plan beyond `limits` goes in several parts. `release` is the digest of the release that the
    bundle comes out of, "" for none. `tests` are those that a promote or validation asks for. `installer` knows the
    packages that come before the metadata.
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
    limits: Limits = field(default_factory=metadata_limits)
    release: str = ""
    tests: Wanted = Wanted.USUAL
    installer: Installer = field(default_factory=NoPackages)
    clock: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        self.lock = OrgLock(self.org.name, self.releases)
        self._shelf = Shelf(self.releases, self.backups)

    def plan(self, bundle: Bundle) -> Plan:
        """Return what the org needs in order to hold `bundle`."""
        plan = plan_for(self.org, bundle, self.ledger, self.releases, self.tests, self.approved)
        return replace(plan, packages=self.installer.required())

    def lacking(self) -> tuple[Missing, ...]:
        """Return the packages that the org needs and lacks, in the order in which they are installed."""
        return self.installer.lacking(shipped_packages(self.ledger.entries(self.org.name)))

    def validate(self, bundle: Bundle) -> Outcome:
        """Check with the org that `bundle` could be deployed, tests included. Changes and records nothing.

        Raises `Refused` with what the gates stop, `PromotionFailed` with what the org refuses.
        """
        work = self._planned(bundle)
        self.keeper.check(work.plan, bundle)
        if work.plan.empty:
            return Outcome(work.plan, lacking=work.lacking)
        for each in work.lacking:
            self.reporter.step(f"Not checked: a promote has first to {each.words}")
        parts = work.parts(self.limits)
        if len(parts) > 1:
            later = f"{len(parts)} deployments, each of which needs those before it: the first alone can be validated"
            self.reporter.step(f"The plan takes {later}")
        first, carrier = parts[0], self._carrier()
        self.reporter.step(f"Validating: {first.words}, {first.plan.tests.level.value}")
        ident = carrier.api.deploy(first.package.zip, first.plan.tests, check_only=True)
        return Outcome(work.plan, carrier.done(ident, first), lacking=work.lacking)

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
        if self.approved and not (work.idle and self._was_last(self.approved)):
            refuse_if_other(self.approved, work.plan)
        return work if work.idle else replace(work, admission=self.keeper.admit(work.plan, bundle))

    def _was_last(self, plan: Plan) -> bool:
        success = self.ledger.last_success(self.org.name)
        return success is not None and success.record.plan == plan.digest

    def _planned(self, bundle: Bundle) -> Work:
        self.reporter.step(f"Planning against the ledger of {self.org.name}")
        return Work(self.plan(bundle), bundle, lacking=self.lacking())

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
            work = Work(way.plan, way.bundle, target)
            if work.idle:
                return work
            if self.approved:
                refuse_if_other(self.approved, way.plan)
            return replace(work, admission=self.keeper.admit_rollback(way.plan, self._signs_in_by(target, way.bundle)))

        return self._run(work, lambda record: record.rollback_to is not None and to in {None, record.rollback_to})

    def _way_back(self, to: int | None) -> tuple[int, Inverse]:
        changes = changes_of(self.ledger.entries(self.org.name))
        target = to if to is not None else before_last(changes)
        refuse_if_any(obstacles(self.org.name, target, changes))
        undone = [entry.record for entry in changes if entry.sequence > target]
        shelf = self._shelf
        runs = [Undone(shelf.plan(each.plan), shelf.snapshot(each.snapshot), each.packages) for each in undone]
        shipped, held = self.ledger.state_of(self.org.name), self.ledger.held_by(self.org.name)
        return target, inverse(runs, shipped, held, org=self.org.name, production=self.org.kind is OrgKind.PRODUCTION)

    def _signs_in_by(self, target: int, restored: Bundle) -> Bundle:
        """Return what the org holds, once it is back at entry `target`, of what people sign in by: what is `restored`,
        and beside it the configurations of single sign-on that stay."""
        held = self.ledger.state_at(self.org.name, target).items()
        stays = {key: digest for key, digest in held if key.type == CONFIG and key not in restored.components}
        there: Mapping[ComponentKey, Component] = {}
        with suppress(Refused):  # bundles that the bucket lost: a way back is not closed for that
            there, _ = shipped_components(stays, self.ledger, self.org.name, self.releases) if stays else ({}, "")
        return build_bundle([*restored.components.values(), *there.values()], restored.api_version)

    def _run(self, make: Callable[[], Work], was_it: Callable[[Record], bool]) -> Outcome:
        """Do what `make` says, after ending what died before; if that was it already (`was_it`), this is all."""
        carrier = self._carrier()
        journal = carrier.journal
        resumed = Resumption(carrier, self.lock, self.take_over).end(make)
        if resumed and resumed.entry and was_it(resumed.entry.record):
            return resumed
        journal.follow(self.ledger.last(self.org.name))
        work = make()
        if work.idle:
            return resumed or Outcome(work.plan)
        record = self._begun(work)
        with self.lock.beating() as journal.holder, carrier.recorded(record):
            journal.append(record)
            with journal.timed("packages"):
                record = self._install(journal, record, work.lacking)
            with journal.timed("snapshot"):
                self._shelf.keep(work.bundle, work.plan)
                record = self._snapshot(carrier, record, work)
            return carrier.carry(record, work)

    def _begun(self, work: Work) -> Record:
        """Return what the ledger says when a run begins."""
        plan, passed = work.plan, work.admission
        record = Record(Event.STARTED, uuid.uuid4().hex, work.bundle.digest, plan.digest, plan.counts)
        record = replace(record, rollback_to=work.rollback_to, approvals=passed.approvals, waived=passed.waived)
        record = replace(record, emergency=passed.emergency, overridden=passed.overridden)
        record = replace(record, excluded=passed.excluded, tried=passed.tried)
        record = replace(record, release="" if work.rollback_to is not None else self.release)
        parts = len(work.parts(self.limits))
        return replace(record, parts=parts, limits=self.limits.as_json()) if parts > 1 else record

    def _install(self, journal: Journal, record: Record, lacking: Sequence[Missing]) -> Record:
        """Install the packages that the org lacks; the ledger has each before it is begun, and when it is done."""
        for each in lacking:
            self.reporter.step(f"Packages first: {each.words}")
            before = record.packages
            journal.append(replace(record, packages=(*before, each.record("installing"))))
            self.installer.install(each.package)
            record = replace(record, packages=(*before, each.record("installed")))
            journal.append(record)
        return record

    def _snapshot(self, carrier: Carrier, record: Record, work: Work) -> Record:
        """Keep what the org holds of all that the plan touches; refuse when someone changed it by hand."""
        self.reporter.step("Taking a snapshot of what will change")
        now, conflicts = look(carrier.api, work, self.ledger, self.releases, self.limits)
        for conflict in conflicts.values():
            self.reporter.step(str(conflict))
        refuse_conflicts(conflicts, self.accepted, self.org.name)
        digest = self._shelf.keep_snapshot(build_bundle(now.values(), work.bundle.api_version))
        return replace(record, snapshot=digest, accepted=tuple(map(str, conflicts)))

    def _carrier(self) -> Carrier:
        journal = Journal(self.org.name, self.ledger, self.clock)
        return Carrier(self.org.name, self.api, journal, self._shelf, self.reporter, self.timeout, self.limits)
