"""The federation as a Salesforce emulator needs to know it: which orgs exist and who may log in to them."""

from __future__ import annotations

from orgs.domains import hosts
from orgs.editions import rules_of
from orgs.model import Federation, Org, api_number


def world(federation: Federation, certificate: str) -> dict[str, object]:
    """Return the world file's content; `certificate` is the runner's, PEM text, and no secret."""
    return {"orgs": [_org(org, certificate) for org in federation.orgs]}


def _org(org: Org, certificate: str) -> dict[str, object]:
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
        "users": [{"username": org.runner.username, "profile": "System Administrator"}],
        "connected_apps": [{"client_id": org.runner.client_id, "certificate": certificate}],
    }
