"""The federation as a Salesforce emulator needs to know it: which orgs exist and who may log in to them."""

from __future__ import annotations

from datetime import date

from orgs.access import Access, OrgAccess
from orgs.domains import hosts
from orgs.editions import rules_of
from orgs.model import Federation, Org, api_number


def world(federation: Federation, certificate: str, access: Access | None = None) -> dict[str, object]:
    """Return the world file's content; `certificate` is the runner's, PEM text, and no secret. The break-glass
    administrators that `access` names are users of their orgs."""
    stated = access or Access(as_of=date.min)
    return {"orgs": [_org(org, certificate, stated.of(org.name)) for org in federation.orgs]}


def _org(org: Org, certificate: str, access: OrgAccess) -> dict[str, object]:
    its = hosts(org)
    rules = rules_of(org.edition)
    return {
        "name": org.name,
        "edition": str(org.edition),
        "kind": str(org.kind),
        "my_domain_host": its.my_domain,
        "login_host": its.login,
        "audience": its.jwt_audience,
        "instance": org.instance,
        "language": org.language,
        "api_versions": {
            "floor": api_number(rules.api_versions.floor),
            "ceiling": api_number(rules.api_versions.ceiling),
        },
        "users": [
            {"username": username, "profile": "System Administrator"}
            for username in (org.runner.username, *access.break_glass)
        ],
        "connected_apps": [{"client_id": org.runner.client_id, "certificate": certificate}],
    }
