"""A plan as a file: what people look at and approve, and the only thing that is then deployed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from flows.plan import Plan, plan_from_json
from kit.problems import Place, Problem, Refused, refuse_if_any, relative

_FORMAT = 1
_RULE = "only the plan that was made and approved is deployed"
_SHOWN = 10


def write_plan(plan: Plan, path: Path, cost: Mapping[str, Any] | None = None) -> None:
    """Write a plan and its digest, and beside it the `cost`, which is an estimate: no approval is over it.

    Raises `Refused` when the disk doesn't take it.
    """
    data = {"format": _FORMAT, "digest": plan.digest, "plan": plan.as_json(), **({"cost": cost} if cost else {})}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(data, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        what = f"cannot write the plan: {error.strerror}"
        raise Refused(Problem(what, "the folder can be written", "choose another file", Place(str(path)))) from error


def read_plan(path: Path) -> Plan:
    """Read a plan file. Raises `Refused` when it is none, or was altered after it was made."""
    place = Place(relative(path))
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        fix = "write it: cci task run plan --org ORG --out FILE"
        raise Refused(Problem(f"cannot read the plan: {error.strerror}", "the file exists", fix, place)) from error
    except ValueError as error:
        raise Refused(_no_plan(str(error), place)) from error
    if not isinstance(data, dict) or data.get("format") != _FORMAT:
        raise Refused(_no_plan(f"it is not of format {_FORMAT}", place))
    try:
        plan = plan_from_json(data["plan"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Refused(_no_plan(repr(error), place)) from error
    if plan.digest != data.get("digest"):
        what = f"the plan was altered after it was made: it has the digest {plan.digest[:12]}"
        fix = "make the plan anew, and have it approved"
        raise Refused(Problem(what, _RULE, fix, place, str(data.get("digest"))[:12]))
    return plan


def refuse_if_other(approved: Plan, now: Plan) -> None:
    """Raise `Refused` with every difference when what is planned now isn't the approved plan."""
    if approved.digest != now.digest:
        refuse_if_any(_differences(approved, now), f"plan {approved.digest[:12]} is not what is planned now")


def _differences(approved: Plan, now: Plan) -> Iterator[Problem]:
    if approved.org != now.org:
        yield _other(f"the plan is for {approved.org}, and this is {now.org}")
        return
    if approved.base != now.base:
        yield _other(f"{now.org} received something since the plan was made: its ledger says another state")
    for verb in ("creates", "changes", "deletes"):
        then, today = getattr(approved, verb), getattr(now, verb)
        if added := [str(key) for key in today if key not in then]:
            yield _other(f"the plan says nothing of what it now {verb}: {_names(added)}")
        if gone := [str(key) for key in then if key not in today]:
            yield _other(f"the plan {verb} what it now doesn't: {_names(gone)}")
    if approved.bundle_digest != now.bundle_digest:
        digests = f"{approved.bundle_digest[:12]} was planned, {now.bundle_digest[:12]} is here"
        yield _other(f"the release has other content: {digests}")
    if approved.risks != now.risks:
        new = [f"{risk.component} ({risk.id})" for risk in now.risks if risk not in approved.risks]
        gone = [f"{risk.component} ({risk.id})" for risk in approved.risks if risk not in now.risks]
        words = [f"{label}: {_names(names)}" for label, names in (("new", new), ("gone", gone)) if names]
        yield _other(f"the plan has other risks now; {'; '.join(words) or 'in another order'}")
    if approved.packages != now.packages:
        then, today = (", ".join(map(str, plan.packages)) or "no packages" for plan in (approved, now))
        yield _other(f"the plan needs other packages now: {then} then, {today} now")
    if approved.tests != now.tests:
        yield _other(f"other tests run: {approved.tests.level.value} was planned, {now.tests.level.value} is now")


def _other(what: str) -> Problem:
    return Problem(what, _RULE, "check out what the plan was made of; or make a plan anew and have it approved")


def _no_plan(why: str, place: Place) -> Problem:
    fix = "write it: cci task run plan --org ORG --out FILE"
    return Problem(f"this is no plan: {why}", "a plan file is what the task plan wrote", fix, place)


def _names(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
