"""Gathers what the lock-out guard judges: the release, the ledger, the org itself, and sandboxes of its edition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import date

from flows.bundle import Bundle
from flows.components import ComponentKey
from flows.ledger import Ledger
from flows.lockout import Accepted, Logins, Verdict, judge_lockout
from flows.logins import administrators, assertion_accepted, runner_address, runner_profile, trusted_since
from flows.metadata_api import MetadataApi
from flows.plan import Plan
from flows.project import federation_of
from flows.render.network import SECURITY, IpRange, ranges_of
from flows.render.profiles import PROFILE, login_ranges, may_be
from flows.render.sso import CONFIG, good_until, passwords_off
from flows.tasks.base import ReleaseTask
from flows.tokens import mint
from kit.problems import Refused
from orgs.editions import OrgKind


def lockout(task: ReleaseTask, ledger: Ledger, today: date, plan: Plan, bundle: Bundle) -> Verdict:
    """Return whether somebody can still log in to the task's org after a plan; asks only when the plan changes who
    can. Raises `Refused` when the org can't be reached."""
    touched = [key for key in plan.touched if key.type == PROFILE]
    restricted = {key: found for key in touched if (found := login_ranges(bundle.components[key]))}
    changes = {key for key in (*plan.touched, *plan.deletes) if key == SECURITY or key.type == CONFIG}
    if not (changes or restricted):
        return Verdict()
    org, api = task.org, task.api(bundle.api_version)
    configs = {key: component for key, component in bundle.components.items() if key.type == CONFIG}
    security = bundle.components.get(SECURITY)
    ranges, named = ranges_of(security), task.access.of(org.name).break_glass
    ask = org.kind is OrgKind.PRODUCTION and bool(configs)
    logins = Logins(
        certificates=[good_until(component) for component in configs.values()],
        named=named,
        admins=administrators(api, named) if configs else None,
        passwords_off=bool(security and passwords_off(security)),
        ranges=ranges,
        runner=runner_address(api) if ranges or restricted else None,
        profiles=_of_runner(restricted, runner_profile(api)) if restricted else {},
        tried=_tried(task, ledger, frozenset(configs), bundle.api_version) if ask else None,
        needs_trial=ask,
    )
    return judge_lockout(org.name, logins, today)


def _of_runner(restricted: Mapping[ComponentKey, Sequence[IpRange]], label: str | None) -> dict[str, Sequence[IpRange]]:
    return {key.full_name: ranges for key, ranges in restricted.items() if may_be(key.full_name, label)}


def _tried(task: ReleaseTask, ledger: Ledger, configs: frozenset[ComponentKey], api_version: str) -> Accepted | None:
    """Return the first assertion that a sandbox of the edition accepted since it has the same configurations."""
    for other in federation_of(task.root).orgs:
        if other.edition is not task.org.edition or other.kind is not OrgKind.SANDBOX:
            continue
        since = trusted_since(ledger, other.name, configs)
        if since is None:
            continue
        with suppress(Refused):  # a sandbox that can't be asked has tried nothing that counts
            at = assertion_accepted(MetadataApi(mint(other), api_version), since)
            if at:
                return Accepted(other.name, at)
    return None
