"""Two keys: who signed a plan's digest with which SSH key, and whether they may, by `ssh-keygen -Y verify`.

An approver signs with `printf %s DIGEST | ssh-keygen -Y sign -n sfoa-approval -f KEY`.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from flows.gates.finding import Finding, finding
from kit.problems import Problem, Refused
from orgs.editions import OrgKind
from orgs.federation import Approver, Federation, Org, Power

NAMESPACE = "sfoa-approval"
_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Signature:
    """An approval: the approver's name, and the armoured signature that ssh-keygen made."""

    name: str
    armoured: str


def verify_approvals(
    plan_digest: str, signatures: Iterable[Signature], federation: Federation, org: Org, today: date
) -> tuple[Finding, ...]:
    """Return what is wrong with the approvals of a plan for `org`; nothing when it is approved.

    Every signature must be good and its signer in power. The owning centre approves with "promote"; production needs
    two people, and where the owner acts by delegation, one of them from a centre that may "approve-core". Raises
    `Refused` when there is no ssh-keygen.
    """
    found: list[Finding] = []
    good: set[str] = set()
    powers: set[tuple[str, Power]] = set()
    approvers = {approver.name: approver for approver in federation.approvers_of(org)}
    subject = f"plan:{plan_digest[:12]}"
    for signature in signatures:
        approver = approvers.get(signature.name)
        if approver is None:
            found.append(finding("K53.unknown-signer", subject, None, name=signature.name, org=org.name))
            continue
        fault = signature_fault(plan_digest, signature, approver)
        if fault:
            found.append(finding("K53.bad-signature", subject, None, name=signature.name, reason=fault))
            continue
        centre = federation.centre(approver.centre)
        held = {power for power in (Power.PROMOTE, Power.APPROVE_CORE) if centre.holds(power, today)}
        if not held:
            texts = {"name": signature.name, "centre": centre.name, "power": Power.PROMOTE.value, "today": today}
            found.append(finding("K53.no-power", subject, None, **texts))
            continue
        good.add(approver.name)
        powers |= {(centre.name, power) for power in held}
    return (*found, *_missing(subject, good, powers, federation, org))


def signature_fault(plan_digest: str, signature: Signature, approver: Approver) -> str:
    """Return why the signature is not the approver's over this digest, in ssh-keygen's words; "" when it is."""
    kind, body = approver.public_key.split()[:2]
    with tempfile.TemporaryDirectory() as folder:
        allowed, signed = Path(folder, "allowed_signers"), Path(folder, "signature")
        allowed.write_text(f'{approver.name} namespaces="{NAMESPACE}" {kind} {body}\n', encoding="utf-8")
        signed.write_text(signature.armoured, encoding="utf-8")
        command = ["ssh-keygen", "-Y", "verify", "-f", str(allowed), "-I", approver.name, "-n", NAMESPACE]
        try:
            done = subprocess.run(
                [*command, "-s", str(signed)],
                input=plan_digest.encode(),
                capture_output=True,
                timeout=_SECONDS,
            )
        except FileNotFoundError as error:
            rule = "approvals are verified by ssh-keygen -Y"
            raise Refused(Problem("there is no ssh-keygen", rule, "install OpenSSH 8.1 or later")) from error
    if done.returncode == 0:
        return ""
    lines = (done.stderr or done.stdout).decode("utf-8", "replace").strip().splitlines()
    return lines[0].replace(str(folder), "") if lines else f"ssh-keygen ended with {done.returncode}"


def _missing(
    subject: str, good: set[str], powers: set[tuple[str, Power]], federation: Federation, org: Org
) -> Iterator[Finding]:
    owner = federation.centre(org.coe)
    if (owner.name, Power.PROMOTE) not in powers:
        yield finding("K53.missing-key", subject, None, power=Power.PROMOTE.value, centre=owner.name)
    if org.kind is not OrgKind.PRODUCTION:
        return
    if len(good) < 2:
        yield finding("K53.one-person", subject, None)
    if owner.delegated_by and not any(power is Power.APPROVE_CORE for _, power in powers):
        yield finding("K53.missing-key", subject, None, power=Power.APPROVE_CORE.value, centre=owner.delegated_by)
