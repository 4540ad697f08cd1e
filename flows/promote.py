"""Carries a bundle into one org, or takes it back: plan, lock, snapshot, conflict check, validate, quick deploy,
verify, and the ledger before and after each step.

Knows no CumulusCI. Every deploy request's id is in the ledger before anyone waits for it, so a run that was killed
is found and ended by the next one. A rollback is a run like any other: its plan and bundle come out of snapshots.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace

from flows.bundle import Bundle, build_bundle
from flows.components import Component, ComponentKey
from flows.conflicts import Clash, changed_by_hand, conflicts_of, refuse_conflicts
from flows.drift_org import shipped_components
from flows.failures import Lost, PromotionFailed, failures_of
from flows.ledger import Entry, Event, Ledger, Overtaken, Record
from flows.lock import OrgLock
from flows.metadata_api import ApiRefused, MetadataApi, TimedOut
from flows.metadata_results import DeployResult
from flows.objectstore import ObjectStore
from flows.packages import Installer, Missing, NoPackages, shipped_packages
from flows.plan import Plan, State, state_after
from flows.planfile import refuse_if_other
from flows.planning import plan_for
from flows.relatedtests import Wanted
from flows.rollback import Inverse, Undone, before_last, changes_of, inverse, obstacles
from flows.run import Keeper, Open, Outcome, Reporter, Silent, Work, following, headline, tests_of, which
from flows.shelf import Shelf
from flows.snapshot import components_of, refuse_unattributed
from flows.split import Limits, batches, metadata_limits
from flows.verify import Verification, lost, verify
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
    _seconds: dict[str, float] = field(default_factory=dict)
    _sequence: int = 0
    _holder: str = ""

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
        first, api = parts[0], self.api()
        self.reporter.step(f"Validating: {first.words}, {first.plan.tests.level.value}")
        ident = api.deploy(first.package.zip, first.plan.tests, check_only=True)
        return Outcome(work.plan, self._done(api, ident, first), lacking=work.lacking)

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
            return Work(way.plan, way.bundle, target)

        return self._run(work, lambda record: record.rollback_to is not None and to in {None, record.rollback_to})

    def _way_back(self, to: int | None) -> tuple[int, Inverse]:
        changes = changes_of(self.ledger.entries(self.org.name))
        target = to if to is not None else before_last(changes)
        refuse_if_any(obstacles(self.org.name, target, changes))
        undone = [entry.record for entry in changes if entry.sequence > target]
        shelf = self._shelf
        runs = [Undone(shelf.plan(each.plan), shelf.snapshot(each.snapshot), each.packages) for each in undone]
        shipped, held = self.ledger.state_of(self.org.name), self.ledger.held_by(self.org.name)
        return target, inverse(runs, shipped, held, org=self.org.name, production=self._production)

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
        if work.idle:
            return resumed or Outcome(plan)
        record = Record(Event.STARTED, uuid.uuid4().hex, bundle.digest, plan.digest, plan.counts)
        passed = work.admission
        record = replace(record, rollback_to=work.rollback_to, approvals=passed.approvals, waived=passed.waived)
        record = replace(record, emergency=passed.emergency, overridden=passed.overridden)
        record = replace(record, release="" if work.rollback_to is not None else self.release)
        if parts := work.parts(self.limits)[1:]:
            record = replace(record, parts=len(parts) + 1, limits=self.limits.as_json())
        with self.lock.beating() as self._holder, self._recorded(record):
            self._append(record)
            api = self.api()
            with self._timed("packages"):
                record = self._install(record, work.lacking)
            with self._timed("snapshot"):
                self._shelf.keep(bundle, plan)
                record = self._snapshot(api, record, work)
            return self._carry(api, record, work)

    def _install(self, record: Record, lacking: Sequence[Missing]) -> Record:
        """Install the packages that the org lacks; the ledger has each before it is begun, and when it is done."""
        for each in lacking:
            self.reporter.step(f"Packages first: {each.words}")
            before = record.packages
            self._append(replace(record, packages=(*before, each.record("installing"))))
            self.installer.install(each.package)
            record = replace(record, packages=(*before, each.record("installed")))
            self._append(record)
        return record

    def _snapshot(self, api: MetadataApi, record: Record, work: Work) -> Record:
        """Keep what the org holds of all that the plan touches; refuse when someone changed it by hand."""
        plan = work.plan
        self.reporter.step("Taking a snapshot of what will change")
        keys = (*plan.touched, *plan.deletes)
        now: dict[ComponentKey, Component] = {}
        conflicts: dict[ComponentKey, Clash] = {}
        for some in batches(keys, work.bundle, self.limits):
            files = api.retrieve(some).files
            found = components_of(files, some, whole=set(plan.deletes))
            refuse_unattributed(files, some, found, self.org.name)
            now |= found
            conflicts |= self._conflicts(work, some, found, files)
        for conflict in conflicts.values():
            self.reporter.step(str(conflict))
        refuse_conflicts(conflicts, self.accepted, self.org.name)
        digest = self._shelf.keep_snapshot(build_bundle(now.values(), work.bundle.api_version))
        return replace(record, snapshot=digest, accepted=tuple(map(str, conflicts)))

    def _conflicts(
        self,
        work: Work,
        keys: Collection[ComponentKey],
        now: Mapping[ComponentKey, Component],
        files: Mapping[str, bytes],
    ) -> dict[ComponentKey, Clash]:
        org = self.org.name
        held = self.ledger.held_by(org)
        changed = changed_by_hand(work.plan, {key: held[key] for key in keys if key in held}, now)
        if not changed:
            return {}
        state = self.ledger.state_of(org)
        base: Mapping[ComponentKey, Component] = {}
        with suppress(Refused):  # bundles that the bucket lost: then all that differs from ours is shown
            base, _ = shipped_components(
                {key: state[key] for key in changed if key in state}, self.ledger, org, self.releases
            )
        return conflicts_of(changed, base, files, {key: work.bundle.components[key] for key in work.plan.touched})

    def _carry(self, api: MetadataApi, record: Record, work: Work, result: DeployResult | None = None) -> Outcome:
        """Validate and deploy what of `work` is still to come, part by part, then end the run. `result` is that of the
        part that `record` tells of, which is done; None before the first, and where packages are all there is."""
        parts = () if work.plan.empty else self._parts(record, work)
        for part in parts[max(record.part, 1) if result else 0 :]:
            record = following(record)
            with self._timed("validate"):
                self.reporter.step(f"{which(record)}Validating: {part.words}, {part.plan.tests.level.value}")
                record = replace(record, validation=api.deploy(part.package.zip, part.plan.tests, check_only=True))
                self._append(replace(record, event=Event.VALIDATING))
                result = self._done(api, record.validation, part)
            record = self._deploy(api, record, part, result)
        return self._finish(api, record, work, result)

    def _parts(self, record: Record, work: Work) -> tuple[Work, ...]:
        """Return the deployments of a run, parted as when it began."""
        return work.parts(Limits(**record.limits)) if record.parts else (work,)

    def _part(self, record: Record, work: Work) -> Work:
        return self._parts(record, work)[max(record.part, 1) - 1]

    def _deploy(self, api: MetadataApi, record: Record, part: Work, validated: DeployResult) -> Record:
        record = replace(record, tests=tests_of(part.plan, validated))
        with self._timed("deploy"):
            self._still_ours()
            record = replace(record, deployment=self._ask(api, record.validation, part))
            self._append(replace(record, event=Event.DEPLOYING))
            self._done(api, record.deployment, part)
        return record

    def _ask(self, api: MetadataApi, validation: str, work: Work) -> str:
        """Ask for the deployment: of what was validated if the org takes it, else of the same bytes with tests."""
        try:
            ident = api.quick_deploy(validation)
        except ApiRefused as refused:
            self.reporter.step(f"No quick deploy ({refused.code}): deploying the same package with its tests")
            return api.deploy(work.package.zip, work.plan.tests, check_only=False)
        self.reporter.step(f"Quick deploy of validation {validation}")
        return ident

    def _finish(self, api: MetadataApi, record: Record, work: Work, result: DeployResult | None) -> Outcome:
        """Compare what the org holds with what was shipped, and record the success."""
        plan, bundle = work.plan, work.bundle
        with self._timed("verify"):
            self.reporter.step("Verifying: retrieving what was shipped")
            verification, given_back = self._looked_at(api, plan.touched, bundle)
        after = self._state_after(work)
        held = self.ledger.put_index(self._held_besides(plan.touched, after) | given_back)
        if verification.missing:
            assert result, "what is missing was deployed"
            raise Lost(
                lost(bundle.components, verification.missing),
                f"{self.org.name} lost {len(verification.missing)} components of the release",
                result,
                held,
            )
        done = replace(
            record,
            event=Event.SUCCEEDED,
            index=self.ledger.put_index(after),
            held=held,
            seconds=dict(self._seconds),
            differs=tuple(map(str, verification.differs)),
        )
        return Outcome(plan, result, verification, self._append(done))

    def _looked_at(
        self, api: MetadataApi, keys: Sequence[ComponentKey], bundle: Bundle
    ) -> tuple[Verification, dict[ComponentKey, str]]:
        """Return how what was shipped compares with what the org gives back, and the digests of that."""
        found, given_back = [Verification(0, (), ())], dict[ComponentKey, str]()
        for some in batches(keys, bundle, self.limits):
            files = api.retrieve(some).files
            found.append(verify([bundle.components[key] for key in some], files))
            given_back |= {key: each.digest for key, each in components_of(files, some).items()}
        missing, differs = (
            tuple(key for one in found for key in getattr(one, name)) for name in ("missing", "differs")
        )
        return Verification(sum(one.checked for one in found), missing, differs), given_back

    def _held_besides(self, looked_at: Collection[ComponentKey], state: State) -> dict[ComponentKey, str]:
        """Return what the org gave back, when last asked, of all in `state` but what was `looked_at` just now."""
        asked = set(looked_at)
        held = self.ledger.held_by(self.org.name).items()
        return {key: digest for key, digest in held if key in state and key not in asked}

    def _left(self, record: Record) -> Record:
        """Return the record of a run that failed with what its earlier parts left in the org: they are deployed."""
        if not record.earlier:
            return record
        work = self._kept(record)
        parts = self._parts(record, work)[: len(record.earlier)]
        done = [key for part in parts for key in (*part.plan.touched, *part.plan.deletes)]
        after = self._state_after(work)
        state = {key: digest for key, digest in self.ledger.state_of(self.org.name).items() if key not in set(done)}
        state |= {key: after[key] for key in done if key in after}
        _, given_back = self._looked_at(self.api(), [key for key in done if key in work.bundle.components], work.bundle)
        held = self._held_besides(done, state) | given_back
        return replace(record, index=self.ledger.put_index(state), held=self.ledger.put_index(held))

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
        if record.event is Event.VALIDATING:
            record = self._asked_for(api, record)
        if record.event is Event.DEPLOYING:
            self.reporter.step(f"{died}: looking at its deployment {record.deployment}")
            work = self._kept(record)
            part = self._part(record, work)
            return self._carry(api, record, work, self._done(api, record.deployment, part))
        if record.event is Event.VALIDATING:
            work = make()
            if (record.plan, record.rollback_to) == (work.plan.digest, work.rollback_to):
                self.reporter.step(f"{died}: looking at its validation {record.validation}")
                part = self._part(record, work)
                validated = self._done(api, record.validation, part)
                return self._carry(api, self._deploy(api, record, part, validated), work, validated)
            with suppress(ApiRefused):  # it may be over by now
                api.cancel(record.validation)
        if record.earlier:
            what = f"after part {len(record.earlier)} of {record.parts}"
        else:
            what = "before it deployed anything"
        self.reporter.step(f"{died} {what}: closing it")
        closed = f"given up: the run died {what}, and another one took its place"
        self._append(replace(self._left(record), event=Event.FAILED, problems=(closed,)))
        return None

    def _asked_for(self, api: MetadataApi, record: Record) -> Record:
        """Return the record of a run that died validating; if it had asked for the deployment before it could say so,
        as one that deploys."""
        with suppress(ApiRefused):  # who may not list deployments deploys the same once more, which changes nothing
            if deployment := api.deployed_from(record.validation):
                part = self._part(record, self._kept(record))
                tests = tests_of(part.plan, api.status(record.validation))
                record = replace(record, event=Event.DEPLOYING, deployment=deployment, tests=tests)
                self._append(record)
        return record

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
            latest = replace(latest, held=refused.held) if isinstance(refused, Lost) else self._left(latest)
            self._append(replace(latest, event=Event.FAILED, problems=problems, seconds=dict(self._seconds)))
            raise

    @contextmanager
    def _timed(self, name: str) -> Iterator[None]:
        start = self.clock()
        try:
            yield
        finally:
            self._seconds[name] = round(self._seconds.get(name, 0) + self.clock() - start, 2)

    def _kept(self, record: Record) -> Work:
        """Return what a run that died was to do."""
        return Work(self._shelf.plan(record.plan), self._shelf.bundle(record.bundle), record.rollback_to)
