"""What a release passes before an org is touched: gates, calendar, rings, approvals. It all speaks at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone

from flows.bundle import Bundle
from flows.freeze import frozen
from flows.gates.approvals import Approved, Signature, judge_approvals, judge_emergency
from flows.gates.finding import Finding, Severity
from flows.lockout import Verdict
from flows.plan import Plan
from flows.rings import Standing, closed
from flows.run import Admission
from kit.problems import Problem, refuse_if_any
from orgs.editions import OrgKind
from orgs.federation import Approval, Federation, Org
from orgs.freezes import Freezes

BEIJING = timezone(timedelta(hours=8))
"""Terms, holidays and filings are days in China."""

Signatures = tuple[Sequence[Signature], Sequence[Signature]]
"""Approvals, and those of an emergency."""


@dataclass(frozen=True)
class Doorkeeper:
    """Judges whether a release may go to one org, at `now` (UTC).

    `gates` is what the gates find in a bundle and its plan; `standings` is how the orgs of earlier rings stand to the
    release; `signatures` are those over a plan's digest. `emergency` is the reason to pass calendar and rings, which
    headquarters signs. `tell` is told what doesn't stop the release. `lenient` shows what nobody knows of production,
    which stops it otherwise: for the emulators, where nobody's own people wrote the sample. `lockout` is whether
    somebody can still log in afterwards.
    """

    org: Org
    federation: Federation
    freezes: Freezes
    now: datetime
    gates: Callable[[Plan, Bundle], Sequence[Finding]]
    standings: Callable[[], Sequence[Standing]]
    signatures: Callable[[str], Signatures]
    emergency: str = ""
    tell: Callable[[str], None] = lambda _: None
    lenient: bool = False
    lockout: Callable[[Plan, Bundle], Verdict] = lambda _plan, _bundle: Verdict()

    def findings(self, plan: Plan, bundle: Bundle) -> tuple[Finding, ...]:
        """Return what the gates find, but for calendar and rings: `timing` has them."""
        return tuple(self.gates(plan, bundle))

    def stopping(self, findings: Sequence[Finding]) -> list[Problem]:
        """Return the findings that stop a release: what blocks, and in production what nobody knows."""
        strict = self.org.kind is OrgKind.PRODUCTION and not self.lenient
        return [one.as_problem() for one in findings if one.blocks or (strict and _unknown(one))]

    def locked_out(self, plan: Plan, bundle: Bundle) -> list[Problem]:
        """Return what would lock people out; in production also what nobody knows of it, which is told elsewhere."""
        verdict = self.lockout(plan, bundle)
        if self.org.kind is OrgKind.PRODUCTION and not self.lenient:
            return [*verdict.out, *verdict.unknown]
        for one in verdict.unknown:
            self.tell(f"Not known: {one.what} {one.what_zh}")
        return verdict.out

    def timing(self) -> list[Problem]:
        """Return why nothing goes to the org now: the freeze calendar, and rings that haven't opened."""
        frozen_now = frozen(self.org, self.freezes, self.today)
        return [*frozen_now, *closed(self.org, self.federation, self.standings(), self.now)]

    def check(self, plan: Plan, bundle: Bundle) -> None:
        """Raise `Refused` with what the gates stop."""
        refuse_if_any(self._asked(plan, bundle)[0], self.headline)

    def admit(self, plan: Plan, bundle: Bundle) -> Admission:
        """Return what let the plan pass, for the ledger. Raises `Refused` with everything that stops it."""
        problems, findings = self._asked(plan, bundle)
        approvals, urgent = self.signatures(plan.digest)
        approved: tuple[Approved, ...] = ()
        if self.federation.approval_of(self.org) is not Approval.NONE:
            verdict = judge_approvals(plan.digest, approvals, self.federation, self.org, self.today)
            approved = verdict.approved
            problems += [one.as_problem() for one in verdict.findings]
        untimely = self.timing()
        overridden: list[Problem] = []
        if untimely and self.emergency:
            second = judge_emergency(plan.digest, self.emergency, urgent, self.federation, self.today)
            problems += [one.as_problem() for one in second.findings]
            overridden, approved = untimely, (*approved, *second.approved)
        else:
            problems += untimely
        refuse_if_any(problems, self.headline)
        for problem in overridden:
            self.tell(f"Emergency ({self.emergency}): {problem.what}")
        return Admission(
            approvals=tuple(_approval(one) for one in approved),
            waived=tuple(_waived(one) for one in findings if one.waived),
            emergency=self.emergency if overridden else "",
            overridden=tuple(problem.what for problem in overridden),
        )

    def _asked(self, plan: Plan, bundle: Bundle) -> tuple[list[Problem], tuple[Finding, ...]]:
        self.tell("Asking the gates")
        findings = self.findings(plan, bundle)
        problems = [*self.stopping(findings), *self.locked_out(plan, bundle)]
        for one in findings if not problems else ():
            if one.waived:
                self.tell(f"{one.id} waived by {one.waived.by}: {one.component}: {one.waived.reason}")
            elif _unknown(one):
                self.tell(f"{one.id} {one.severity}: {one.component}: {one.what}")
        if warnings := sum(one.severity is Severity.WARN for one in findings):
            self.tell(f"{warnings} warnings: cci flow run gate --org {self.org.name} shows them")
        return problems, findings

    @property
    def today(self) -> date:
        """The day in China."""
        return self.now.astimezone(BEIJING).date()

    @property
    def headline(self) -> str:
        """What a refusal says first."""
        return f"this release may not go to {self.org.name} 该版本不得发布到 {self.org.name}"


def _unknown(one: Finding) -> bool:
    return one.severity is Severity.NEEDS_INFO and one.waived is None


def _approval(one: Approved) -> dict[str, str]:
    return {"name": one.name, "centre": one.centre, "key": one.fingerprint, "namespace": one.what}


def _waived(one: Finding) -> dict[str, str]:
    assert one.waived
    until = one.waived.until.isoformat()
    return {
        "check": one.id,
        "component": one.component,
        "by": one.waived.by,
        "reason": one.waived.reason,
        "until": until,
    }
