"""Two keys: who signed a plan's digest with which SSH key, and whether they may, by `ssh-keygen -Y verify`.

An approver signs with `sfoa approve`, which is `printf %s DIGEST | ssh-keygen -Y sign -n sfoa-approval -f KEY`. For an
emergency, headquarters signs digest and reason in a namespace of their own: who approves a plan for its time hasn't
approved it for a day of rest.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from flows.gates.finding import Finding, finding
from flows.sshsig import signature_fault
from orgs.federation import Approval, Approver, Federation, Org, Power

NAMESPACE = "sfoa-approval"
EMERGENCY = "sfoa-emergency"


@dataclass(frozen=True, slots=True)
class Signature:
    """An approval: the approver's name, and the armoured signature that ssh-keygen made."""

    name: str
    armoured: str


@dataclass(frozen=True, slots=True)
class Approved:
    """A good signature of somebody in power; `fingerprint` is their key's, as ssh-keygen prints it. `what` is the
    namespace: an approval, or the one of an emergency."""

    name: str
    centre: str
    fingerprint: str
    what: str = NAMESPACE


@dataclass(frozen=True, slots=True)
class Verdict:
    """Who approved, and what is wrong with the approvals; nothing is when they suffice."""

    approved: tuple[Approved, ...]
    findings: tuple[Finding, ...]


def verify_approvals(
    plan_digest: str, signatures: Iterable[Signature], federation: Federation, org: Org, today: date
) -> tuple[Finding, ...]:
    """Return what is wrong with the approvals of a plan for `org`, as `judge_approvals` does."""
    return judge_approvals(plan_digest, signatures, federation, org, today).findings


def judge_approvals(
    plan_digest: str,
    signatures: Iterable[Signature],
    federation: Federation,
    org: Org,
    today: date,
    power: Power = Power.PROMOTE,
) -> Verdict:
    """Return who approved a plan for `org`, and what is missing or wrong.

    Every signature must be good and its signer in power. The owning centre approves with `power`, which is "roll-back"
    for a rollback; two keys are those of two people, and where the owner acts by delegation, one of them from a centre
    that may "approve-core". Raises `Refused` when there is no ssh-keygen.
    """
    found: list[Finding] = []
    approved: list[Approved] = []
    powers: set[tuple[str, Power]] = set()
    approvers = {approver.name: approver for approver in federation.approvers_of(org)}
    subject = f"plan:{plan_digest[:12]}"
    for signature in signatures:
        approver = approvers.get(signature.name)
        if approver is None:
            found.append(finding("K53.unknown-signer", subject, None, name=signature.name, org=org.name))
            continue
        fault = signature_fault(plan_digest.encode(), signature.armoured, approver, NAMESPACE)
        if fault:
            found.append(finding("K53.bad-signature", subject, None, name=signature.name, reason=fault))
            continue
        centre = federation.centre(approver.centre)
        held = {each for each in (power, Power.APPROVE_CORE) if centre.holds(each, today)}
        if not held:
            texts = {"name": signature.name, "centre": centre.name, "power": power.value, "today": today}
            found.append(finding("K53.no-power", subject, None, **texts))
            continue
        approved.append(Approved(approver.name, centre.name, fingerprint(approver)))
        powers |= {(centre.name, each) for each in held}
    good = {one.name for one in approved}
    return Verdict(tuple(approved), (*found, *_missing(subject, good, powers, federation, org, power)))


def judge_emergency(
    plan_digest: str, reason: str, signatures: Iterable[Signature], federation: Federation, today: date
) -> Verdict:
    """Return who of headquarters let a plan pass for `reason`, against calendar and rings, and what is wrong.

    Headquarters is the centre that holds "approve-core" by nobody's delegation. Raises as `judge_approvals`.
    """
    found: list[Finding] = []
    approved: list[Approved] = []
    own = [c.name for c in federation.centres if c.delegated_by is None and c.holds(Power.APPROVE_CORE, today)]
    approvers = {approver.name: approver for approver in federation.approvers if approver.centre in own}
    subject = f"plan:{plan_digest[:12]}"
    for signature in signatures:
        approver = approvers.get(signature.name)
        if approver is None:
            texts = {"name": signature.name, "org": f"headquarters ({', '.join(own)})"}
            found.append(finding("K53.unknown-signer", subject, None, **texts))
        elif fault := signature_fault(emergency_text(plan_digest, reason), signature.armoured, approver, EMERGENCY):
            found.append(finding("K53.bad-signature", subject, None, name=signature.name, reason=fault))
        else:
            approved.append(Approved(approver.name, approver.centre, fingerprint(approver), EMERGENCY))
    if not approved:
        texts = {"power": f"{Power.APPROVE_CORE} in an emergency", "centre": ", ".join(own)}
        found.append(finding("K53.missing-key", subject, None, **texts))
    return Verdict(tuple(approved), tuple(found))


def emergency_text(plan_digest: str, reason: str) -> bytes:
    """Return what headquarters signs to let a plan pass calendar and rings."""
    return f"{plan_digest}\n{reason}".encode()


def fingerprint(approver: Approver) -> str:
    """Return the fingerprint of an approver's key: SHA256:…"""
    digest = hashlib.sha256(base64.b64decode(approver.public_key.split()[1])).digest()
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


def _missing(
    subject: str, good: set[str], powers: set[tuple[str, Power]], federation: Federation, org: Org, power: Power
) -> Iterator[Finding]:
    owner = federation.centre(org.coe)
    if (owner.name, power) not in powers:
        yield finding("K53.missing-key", subject, None, power=power.value, centre=owner.name)
    if federation.approval_of(org) is not Approval.TWO_KEYS:
        return
    if len(good) < 2:
        yield finding("K53.one-person", subject, None)
    if owner.delegated_by and not any(held is Power.APPROVE_CORE for _, held in powers):
        yield finding("K53.missing-key", subject, None, power=Power.APPROVE_CORE.value, centre=owner.delegated_by)
