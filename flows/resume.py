"""Ends what a run that died left open: finishes its deployment, or closes it as failed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

from flows.carry import Carrier
from flows.ledger import Event, Record
from flows.lock import OrgLock
from flows.metadata_api import ApiRefused, Unreachable
from flows.run import Outcome, Work, tests_of
from kit.problems import Problem

NOT_SHOWN = frozenset({"INSUFFICIENT_ACCESS", "INSUFFICIENT_ACCESS_OR_READONLY", "INVALID_TYPE", "INVALID_FIELD"})
"""What the Tooling API answers a user to whom it doesn't show DeployRequest, or not every field of it (SOAP API
Developer Guide, "ExceptionCode"); any other error says nothing of what was deployed."""


@dataclass(frozen=True)
class Resumption:
    """What ends a run before this one. `take_over` ends one that seems to live, too."""

    carrier: Carrier
    lock: OrgLock
    take_over: bool

    def end(self, make: Callable[[], Work]) -> Outcome | None:
        """End what a run before this one left open, if any; `make` says what this one is to do. Returns what came of it
        when that run was finished.

        Raises `Held` when that run lives.
        """
        journal = self.carrier.journal
        last = journal.ledger.last(journal.org)
        if last is None or not last.record.event.is_open:
            return None
        if not self.take_over:
            self.lock.refuse_if_held(last)
        journal.follow(last)
        with self.lock.beating() as journal.holder, self.carrier.recorded(last.record):
            journal.append(last.record)  # of several that found the run dead, one writes this entry
            return self._end(last.record, f"A run of {last.at} by {last.by} died", make)

    def _end(self, record: Record, died: str, make: Callable[[], Work]) -> Outcome | None:
        carrier, api, step = self.carrier, self.carrier.api, self.carrier.reporter.step
        if record.event is Event.VALIDATING:
            record = self._asked_for(record)
        if record.event is Event.DEPLOYING:
            step(f"{died}: looking at its deployment {record.deployment}")
            work = carrier.kept(record)
            return carrier.carry(record, work, carrier.done(record.deployment, carrier.part(record, work)))
        if record.event is Event.VALIDATING:
            work = make()
            if (record.plan, record.rollback_to) == (work.plan.digest, work.rollback_to):
                step(f"{died}: looking at its validation {record.validation}")
                part = carrier.part(record, work)
                validated = carrier.done(record.validation, part)
                return carrier.carry(carrier.deploy(record, part, validated), work, validated)
            with suppress(ApiRefused):  # it may be over by now
                api.cancel(record.validation)
        if record.earlier:
            what = f"after part {len(record.earlier)} of {record.parts}"
        else:
            what = "before it deployed anything"
        step(f"{died} {what}: closing it")
        closed = f"given up: the run died {what}, and another one took its place"
        carrier.journal.append(replace(carrier.left(record), event=Event.FAILED, problems=(closed,)))
        return None

    def _asked_for(self, record: Record) -> Record:
        """Return the record of a run that died validating; if it had asked for the deployment before it could say so,
        as one that deploys."""
        carrier, api = self.carrier, self.carrier.api
        try:
            deployment = api.deployed_from(record.validation)
        except ApiRefused as refused:
            if refused.code not in NOT_SHOWN:
                raise self._unknown(record, refused) from refused
            carrier.reporter.step(
                f"{carrier.org} doesn't show this user its deployments ({refused.code}): what may have been deployed "
                "is deployed once more, which changes nothing"
            )
            return record
        if deployment:
            part = carrier.part(record, carrier.kept(record))
            tests = tests_of(part.plan, api.status(record.validation))
            record = replace(record, event=Event.DEPLOYING, deployment=deployment, tests=tests)
            carrier.journal.append(record)
        return record

    def _unknown(self, record: Record, refused: ApiRefused) -> Unreachable:
        return Unreachable(
            Problem(
                f"{self.carrier.org} doesn't say whether validation {record.validation} was deployed: "
                f"{refused.problems[0].what}",
                "a run that died is ended once it is known what it had asked for",
                "run the same command again; if the org goes on refusing, see Deployment Status in its setup",
            )
        )
