"""Carries work into an org whose lock a run holds: validate, deploy, verify, part by part, and say so in the ledger.

Every deploy request's id is in the ledger before anyone waits for it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property

from flows.bundle import Bundle
from flows.components import ComponentKey
from flows.failures import Lost, PromotionFailed, failures_of
from flows.journal import Journal
from flows.ledger import Event, Ledger, Record
from flows.metadata_api import ApiRefused, MetadataApi, TimedOut
from flows.metadata_results import DeployResult
from flows.plan import State, state_after
from flows.run import Outcome, Reporter, Work, following, headline, tests_of, which
from flows.shelf import Shelf
from flows.snapshot import components_of
from flows.split import Limits, batches
from flows.verify import Verification, lost, verify


@dataclass
class Carrier:
    """What carries work into the org of that name. `timeout` is for each deployment, in seconds; a plan beyond `limits`
    goes in several parts."""

    org: str
    connect: Callable[[], MetadataApi]
    journal: Journal
    shelf: Shelf
    reporter: Reporter
    timeout: float
    limits: Limits

    @cached_property
    def api(self) -> MetadataApi:
        """The org's Metadata API, asked for when it is first needed."""
        return self.connect()

    @property
    def ledger(self) -> Ledger:
        """The ledger that it is recorded in."""
        return self.journal.ledger

    def carry(self, record: Record, work: Work, result: DeployResult | None = None) -> Outcome:
        """Validate and deploy what of `work` is still to come, part by part, then end the run. `result` is that of the
        part that `record` tells of, which is done; None before the first, and where packages are all there is."""
        parts = () if work.plan.empty else self._parts(record, work)
        for part in parts[max(record.part, 1) if result else 0 :]:
            record = following(record)
            with self.journal.timed("validate"):
                self.reporter.step(f"{which(record)}Validating: {part.words}, {part.plan.tests.level.value}")
                ident = self.api.deploy(part.package.zip, part.plan.tests, check_only=True)
                record = replace(record, validation=ident)
                self.journal.append(replace(record, event=Event.VALIDATING))
                result = self.done(record.validation, part)
            record = self.deploy(record, part, result)
        return self._finish(record, work, result)

    def part(self, record: Record, work: Work) -> Work:
        """Return the part of `work` that `record` tells of."""
        return self._parts(record, work)[max(record.part, 1) - 1]

    def deploy(self, record: Record, part: Work, validated: DeployResult) -> Record:
        """Deploy what was validated, and wait for it. Raises as `done`."""
        record = replace(record, tests=tests_of(part.plan, validated))
        with self.journal.timed("deploy"):
            self.journal.refuse_if_overtaken()
            record = replace(record, deployment=self._ask(record.validation, part))
            self.journal.append(replace(record, event=Event.DEPLOYING))
            self.done(record.deployment, part)
        return record

    def done(self, ident: str, work: Work) -> DeployResult:
        """Wait for a deployment. Raises `PromotionFailed` when it fails, once it is really over."""
        try:
            result = self.api.wait(ident, self.reporter.progress, self.timeout)
        except TimedOut as late:
            # A cancelled deployment may still have won the race: only the org knows.
            result = self.api.wait(ident, self.reporter.progress, self.timeout)
            if not result.success:
                raise PromotionFailed(late.problems, late.headline) from late
        if not result.success:
            raise PromotionFailed(failures_of(result, work.package.lines), headline(self.org, result), result)
        return result

    def left(self, record: Record) -> Record:
        """Return the record of a run that failed with what its earlier parts left in the org: they are deployed."""
        if not record.earlier:
            return record
        work = self.kept(record)
        parts = self._parts(record, work)[: len(record.earlier)]
        done = [key for part in parts for key in (*part.plan.touched, *part.plan.deletes)]
        after = self._state_after(work)
        state = {key: digest for key, digest in self.ledger.state_of(self.org).items() if key not in set(done)}
        state |= {key: after[key] for key in done if key in after}
        _, given_back = self._looked_at([key for key in done if key in work.bundle.components], work.bundle)
        held = self._held_besides(done, state) | given_back
        return replace(record, index=self.ledger.put_index(state), held=self.ledger.put_index(held))

    def kept(self, record: Record) -> Work:
        """Return what a run that died was to do."""
        return Work(self.shelf.plan(record.plan), self.shelf.bundle(record.bundle), record.rollback_to)

    @contextmanager
    def recorded(self, record: Record) -> Iterator[None]:
        """Record it when the org refuses. After any other error nothing is known, so the run stays open."""
        try:
            yield
        except (PromotionFailed, ApiRefused) as refused:
            problems = tuple(f"{each.place}: {each.what}" if each.place else each.what for each in refused.problems)
            last = self.ledger.last(self.org)
            latest = last.record if last and last.record.run == record.run else record
            latest = replace(latest, held=refused.held) if isinstance(refused, Lost) else self.left(latest)
            seconds = dict(self.journal.seconds)
            self.journal.append(replace(latest, event=Event.FAILED, problems=problems, seconds=seconds))
            raise

    def _parts(self, record: Record, work: Work) -> tuple[Work, ...]:
        """Return the deployments of a run, parted as when it began."""
        return work.parts(Limits(**record.limits)) if record.parts else (work,)

    def _ask(self, validation: str, work: Work) -> str:
        """Ask for the deployment: of what was validated if the org takes it, else of the same bytes with tests."""
        try:
            ident = self.api.quick_deploy(validation)
        except ApiRefused as refused:
            self.reporter.step(f"No quick deploy ({refused.code}): deploying the same package with its tests")
            return self.api.deploy(work.package.zip, work.plan.tests, check_only=False)
        self.reporter.step(f"Quick deploy of validation {validation}")
        return ident

    def _finish(self, record: Record, work: Work, result: DeployResult | None) -> Outcome:
        """Compare what the org holds with what was shipped, and record the success."""
        plan, bundle = work.plan, work.bundle
        with self.journal.timed("verify"):
            self.reporter.step("Verifying: retrieving what was shipped")
            verification, given_back = self._looked_at(plan.touched, bundle)
        after = self._state_after(work)
        held = self.ledger.put_index(self._held_besides(plan.touched, after) | given_back)
        if verification.missing:
            assert result, "what is missing was deployed"
            raise Lost(
                lost(bundle.components, verification.missing),
                f"{self.org} lost {len(verification.missing)} components of the release",
                result,
                held,
            )
        done = replace(
            record,
            event=Event.SUCCEEDED,
            index=self.ledger.put_index(after),
            held=held,
            seconds=dict(self.journal.seconds),
            differs=tuple(map(str, verification.differs)),
        )
        return Outcome(plan, result, verification, self.journal.append(done))

    def _looked_at(self, keys: Sequence[ComponentKey], bundle: Bundle) -> tuple[Verification, dict[ComponentKey, str]]:
        """Return how what was shipped compares with what the org gives back, and the digests of that."""
        found, given_back = [Verification(0, (), ())], dict[ComponentKey, str]()
        for some in batches(keys, bundle, self.limits):
            files = self.api.retrieve(some).files
            found.append(verify([bundle.components[key] for key in some], files))
            given_back |= {
                key: each.digest for key, each in components_of(files, some, shipped=bundle.components).items()
            }
        missing, differs = (
            tuple(key for one in found for key in getattr(one, name)) for name in ("missing", "differs")
        )
        return Verification(sum(one.checked for one in found), missing, differs), given_back

    def _held_besides(self, looked_at: Collection[ComponentKey], state: State) -> dict[ComponentKey, str]:
        """Return what the org gave back, when last asked, of all in `state` but what was `looked_at` just now."""
        asked = set(looked_at)
        held = self.ledger.held_by(self.org).items()
        return {key: digest for key, digest in held if key in state and key not in asked}

    def _state_after(self, work: Work) -> State:
        """Return what the org holds of ours once `work` is done: after a rollback, what it held back then."""
        if work.rollback_to is None:
            return state_after(work.plan, work.bundle, self.ledger.state_of(self.org))
        return self.ledger.state_at(self.org, work.rollback_to)
