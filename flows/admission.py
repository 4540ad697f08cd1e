"""What a release passes before an org is touched: gates, calendar, rings, approvals. It all speaks at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
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
from orgs.federation import Approval, Federation, Org, Power
from orgs.freezes import Freezes

BEIJING = timezone(timedelta(hours=8))
"""Terms, holidays and filings are days in China."""

EXCLUDED = "K20.excluded"
"""The finding of a component that the release goes without."""

Signatures = tuple[Sequence[Signature], Sequence[Signature]]
"""Approvals, and those of an emergency."""


@dataclass(frozen=True)
class Doorkeeper:
    """Judges whether a release may go to one org, at `now` (UTC).

    `gates` is what the gates find in a bundle and its plan; `standings` is how the orgs of earlier rings stand to the
    release; `signatures` are those over a plan's digest. `emergency` is the reason to pass calendar and rings, which
    headquarters signs. `tell` is told what doesn't stop the release. `lenient` shows what nobody knows of production,
    which stops it otherwise: for the emulators, where nobody's own people wrote the sample. `lockout` is whether
    somebody can still log in after a plan, of which the bundle holds what people then sign in by.
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
        return [one.as_problem() for one in findings if one.blocks or (self._strict and _unknown(one))]

    def locked_out(self, plan: Plan, bundle: Bundle) -> list[Problem]:
        """Return what would lock people out; in production also what nobody knows of it, which is told elsewhere."""
        return self._out(self.lockout(plan, bundle), strict=self._strict)

    @property
    def _strict(self) -> bool:
        """Whether what nobody knows stops a release."""
        return self.org.kind is OrgKind.PRODUCTION and not self.lenient

    def _out(self, verdict: Verdict, *, strict: bool) -> list[Problem]:
        if strict:
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
        problems, findings, verdict = self._asked(plan, bundle)
        approved, missing = self._approved(plan, Power.PROMOTE)
        passed = self._passed(plan, [*problems, *missing], self.timing(), approved, self.headline)
        waived = tuple(_waived(one) for one in findings if one.waived)
        left = tuple({"component": one.component, "reason": one.what} for one in findings if one.id == EXCLUDED)
        tried = asdict(verdict.tried) if verdict.tried else {}
        return replace(passed, waived=waived, excluded=left, tried=tried)

    def admit_rollback(self, plan: Plan, after: Bundle) -> Admission:
        """Return what let a rollback pass, for the ledger; `after` is what the org then holds of what people sign in
        by. Raises `Refused` with everything that stops it.

        Neither gates nor rings are asked: what comes back was there. The approvals are those that the org asks for, of
        who may roll back, and the calendar counts; in an emergency headquarters' signature stands for both. See
        docs/decisions/039.
        """
        out = self._out(self.lockout(plan, after), strict=False)
        approved, missing = self._approved(plan, Power.ROLL_BACK)
        waits = [*missing, *frozen(self.org, self.freezes, self.today)]
        headline = f"{self.org.name} may not be taken back now {self.org.name} 目前不得回滚"
        return self._passed(plan, out, waits, approved, headline)

    def _approved(self, plan: Plan, power: Power) -> tuple[tuple[Approved, ...], list[Problem]]:
        """Return who approved a plan, and what of the approvals that its org asks for is missing or wrong."""
        if self.federation.approval_of(self.org) is Approval.NONE:
            return (), []
        approvals, _ = self.signatures(plan.digest)
        verdict = judge_approvals(plan.digest, approvals, self.federation, self.org, self.today, power)
        return verdict.approved, [one.as_problem() for one in verdict.findings]

    def _passed(
        self, plan: Plan, problems: list[Problem], waits: list[Problem], approved: tuple[Approved, ...], headline: str
    ) -> Admission:
        """Return what let a plan pass: nothing stops it but, in an emergency that headquarters signed, what `waits`."""
        overridden: list[Problem] = []
        if waits and self.emergency:
            _, urgent = self.signatures(plan.digest)
            second = judge_emergency(plan.digest, self.emergency, urgent, self.federation, self.today)
            problems = [*problems, *(one.as_problem() for one in second.findings)]
            overridden, approved = waits, (*approved, *second.approved)
        else:
            problems = [*problems, *waits]
        refuse_if_any(problems, headline)
        for problem in overridden:
            self.tell(f"Emergency ({self.emergency}): {problem.what}")
        return Admission(
            approvals=tuple(_approval(one) for one in approved),
            emergency=self.emergency if overridden else "",
            overridden=tuple(problem.what for problem in overridden),
        )

    def _asked(self, plan: Plan, bundle: Bundle) -> tuple[list[Problem], tuple[Finding, ...], Verdict]:
        self.tell("Asking the gates")
        findings, verdict = self.findings(plan, bundle), self.lockout(plan, bundle)
        problems = [*self.stopping(findings), *self._out(verdict, strict=self._strict)]
        for one in findings if not problems else ():
            if one.waived:
                self.tell(f"{one.id} waived by {one.waived.by}: {one.component}: {one.waived.reason}")
            elif _unknown(one):
                self.tell(f"{one.id} {one.severity}: {one.component}: {one.what}")
        if warnings := sum(one.severity is Severity.WARN for one in findings):
            self.tell(f"{warnings} warnings: cci flow run gate --org {self.org.name} shows them")
        return problems, findings, verdict

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
