"""Puts together who lets a release pass: the project's files, the ledger, the org itself, and the task's options."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

from flows.admission import BEIJING, Doorkeeper, Signatures
from flows.approval import LOCAL, folder_of, known_approvers, read_approvals, time_now
from flows.components import Component
from flows.gates.facts import Facts, OrgFacts, facts_file
from flows.gates.gather import gather
from flows.gates.run import run_gates
from flows.handover import read_outputs
from flows.ledger import Ledger
from flows.logins import runner_addresses
from flows.objectstore import buckets_of
from flows.plan import Plan
from flows.project import federation_of
from flows.render.network import ranges_of
from flows.render.profiles import ADMINISTRATORS
from flows.render.sso import several_configs
from flows.rings import Standing, before, standing
from flows.source.project import read_project
from flows.tasks.base import ReleaseTask
from flows.tasks.guard import lockout
from flows.view import Narrator
from orgs.federation import Org
from orgs.freezes import load_freezes


def doorkeeper(task: ReleaseTask, narrator: Narrator) -> Doorkeeper:
    """Return who judges a release of `task`'s org, with the facts that the org tells itself. Raises `Refused`."""
    outputs = read_outputs(project=task.root)
    federation = known_approvers(federation_of(task.root), outputs.environment)
    ledger = Ledger.of(buckets_of(outputs))
    options = task.parsed_options
    calendar = task.root / "orgs" / "freezes.yml"

    def facts(plan: Plan) -> Facts:
        file = facts_file(task.root, task.org.name, task.stated_facts)
        known = gather(read_project(task.root), federation, task.org, file)
        known = replace(known, deletes=plan.deletes, packages=plan.packages, excluded=task.excluded)
        if task.security is not None:
            known = replace(known, org=known.org.model_copy(update=_seen(task.security, known.org)))
        if known.org.runner_addresses is None and task.access.of(task.org.name).profiles:
            seen = runner_addresses(task.api(federation.api_version), ADMINISTRATORS)
            known = replace(known, org=known.org.model_copy(update={"runner_addresses": seen}))
        if known.org.api_ceiling is not None:
            return known
        return replace(known, org=known.org.model_copy(update={"api_ceiling": task.ceiling}))

    def stands(other: Org) -> Standing:
        wanted = {key: component.digest for key, component in task.release(other).components.items()}
        success = ledger.last_success(other.name)
        return standing(other.name, wanted, ledger.state_of(other.name), success)

    def signatures(plan_digest: str) -> Signatures:
        told = getattr(options, "approvals", None)
        return read_approvals(Path(told) if told else folder_of(task.root, plan_digest))

    now = time_now(outputs.environment)
    today = now.astimezone(BEIJING).date()
    return Doorkeeper(
        org=task.org,
        federation=federation,
        freezes=load_freezes(calendar if calendar.is_file() else None, federation),
        now=now,
        gates=lambda plan, bundle: run_gates(bundle, task.org, federation, facts(plan), today),
        standings=lambda: [stands(other) for other in before(task.org, federation)],
        signatures=signatures,
        emergency=getattr(options, "emergency", None) or "",
        tell=narrator.step,
        lenient=outputs.environment == LOCAL,
        lockout=partial(lockout, task, ledger, today),
    )


def _seen(security: Component, stated: OrgFacts) -> dict[str, object]:
    """Return what an org's security settings say of facts that nobody stated. Ranges of the kit's own don't count among
    those that a release may not drop."""
    others = tuple(each.bounds for each in ranges_of(security) if not each.ours)
    seen = {"trusted_ranges": others, "multiple_saml_configs": several_configs(security)}
    return {name: value for name, value in seen.items() if getattr(stated, name) is None}
