"""Approvals as files: `<approver>.sig` and `<approver>.emergency.sig` beside each other in a folder for each plan."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from flows.gates.approvals import EMERGENCY, NAMESPACE, Signature, emergency_text
from flows.sshsig import sign, signature_fault
from kit.problems import Place, Problem, Refused, relative
from orgs.federation import Approver, Federation

APPROVERS = "SFOA_APPROVERS"
NOW = "SFOA_NOW"
LOCAL = "local"
FOLDER = "approvals"
_SIGNED = ".sig"
_URGENT = ".emergency.sig"


def folder_of(root: Path, plan_digest: str) -> Path:
    """Return where a project keeps the approvals of a plan."""
    return root / FOLDER / plan_digest


def read_approvals(folder: Path) -> tuple[tuple[Signature, ...], tuple[Signature, ...]]:
    """Return the approvals in a folder, and those for an emergency; nothing where there is no folder."""
    files = sorted(folder.glob(f"*{_SIGNED}")) if folder.is_dir() else []
    urgent = [file for file in files if file.name.endswith(_URGENT)]
    return _signatures((file for file in files if file not in urgent), _SIGNED), _signatures(urgent, _URGENT)


def _signatures(files: Iterable[Path], suffix: str) -> tuple[Signature, ...]:
    return tuple(Signature(each.name.removesuffix(suffix), each.read_text("utf-8", "replace")) for each in files)


def approve(plan_digest: str, key: Path, approver: Approver, folder: Path, emergency: str = "") -> list[Path]:
    """Sign a plan with an approver's private key and return the files written; with `emergency`, the reason, for an
    emergency too. Raises `Refused` when ssh-keygen does, or when the key isn't the approver's."""
    texts = [(NAMESPACE, plan_digest.encode(), _SIGNED)]
    if emergency:
        texts.append((EMERGENCY, emergency_text(plan_digest, emergency), _URGENT))
    signed = [(folder / f"{approver.name}{suffix}", sign(text, key, name)) for name, text, suffix in texts]
    fault = signature_fault(plan_digest.encode(), signed[0][1], approver, NAMESPACE)
    if fault:
        rule = "an approver signs with the key that the federation knows them by"
        fix = f"name the private key that belongs to the public_key of {approver.name}"
        what = f"this is not the key of {approver.name}: {fault}"
        raise Refused(Problem(what, rule, fix, Place(relative(key))))
    folder.mkdir(parents=True, exist_ok=True)
    for path, text in signed:
        path.write_text(text, encoding="utf-8")
    return [path for path, _ in signed]


def known_approvers(federation: Federation, environment: str) -> Federation:
    """Return the federation with the approvers' keys that the file $SFOA_APPROVERS names (JSON: name → public key),
    which counts on the emulators only. Raises `Refused` when it is set in any other environment."""
    file = os.environ.get(APPROVERS)
    if not file:
        return federation
    _refuse_elsewhere(APPROVERS, environment, "approvers' keys are those of orgs/federation.yml")
    try:
        keys = json.loads(Path(file).read_text(encoding="utf-8"))
        approvers = tuple(
            Approver.model_validate(each.model_dump() | {"public_key": keys.get(each.name, each.public_key)})
            for each in federation.approvers
        )
    except (OSError, ValueError, AttributeError, ValidationError) as error:
        rule = f"{APPROVERS} names a JSON file: an approver's name → their public key"
        raise Refused(Problem(f"no approvers' keys: {error}", rule, f"unset {APPROVERS}", Place(file))) from error
    return federation.model_copy(update={"approvers": approvers})


def time_now(environment: str) -> datetime:
    """Return the time (UTC): of the clock, or on the emulators that of $SFOA_NOW (ISO 8601, with its offset), so that
    what they show doesn't hang on the calendar. Raises `Refused` when it is set in any other environment."""
    told = os.environ.get(NOW)
    if not told:
        return datetime.now(UTC)
    _refuse_elsewhere(NOW, environment, "terms, freezes and soaks are judged by the clock")
    try:
        found = datetime.fromisoformat(told)
        if found.tzinfo is None:
            raise ValueError("it says no offset")
    except ValueError as error:
        rule = f"{NOW} is a time such as 2026-11-18T10:00:00+08:00"
        raise Refused(Problem(f"{NOW}={told} is no time: {error}", rule, f"unset {NOW}")) from error
    return found.astimezone(UTC)


def _refuse_elsewhere(variable: str, environment: str, rule: str) -> None:
    if environment != LOCAL:
        what = f"{variable} is set, and the stack's environment is {environment}"
        raise Refused(Problem(what, f"{rule}; only on the emulators it may be otherwise", f"unset {variable}"))
