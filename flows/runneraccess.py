"""What an org holds of the release runner: its connected apps and its permission set, as metadata. Pure.

There is one app for the key in use; while a key is rolled over, a second one for the next. Metadata API Developer
Guide, "ConnectedApp": the certificate is given without its first and last line; a consumer key is set once.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from flows.components import Component
from flows.contents import metadata_root
from flows.render.elements import Value, whole
from kit.problems import Place
from kit.yamlfile import read_yaml
from orgs.domains import hosts
from orgs.federation import Org

TABLE = Path(__file__).with_name("runner_access.yml")
NAME = "Sfoa_Release_Runner"
NEXT = f"{NAME}_Next"


def with_next(org: Org) -> Org:
    """Return the org with the runner logging in by the app of the next key."""
    runner = org.runner.model_copy(update={"client_id": f"{org.runner.client_id}.NEXT"})
    return org.model_copy(update={"runner": runner})


def connected_app(org: Org, certificate: x509.Certificate, *, upcoming: bool = False) -> Component:
    """Return the connected app that takes assertions of a certificate's key; `upcoming` for the next key's app."""
    name, member = (NEXT, with_next(org)) if upcoming else (NAME, org)
    oauth: list[tuple[str, Value]] = [
        ("callbackUrl", f"https://{hosts(org).my_domain}/services/oauth2/success"),
        ("certificate", _body(certificate)),
        ("consumerKey", member.runner.client_id),
        ("isAdminApproved", "true"),
        ("isConsumerSecretOptional", "false"),
        *(("scopes", str(scope["name"])) for scope in _table()["scopes"]),
    ]
    children: list[tuple[str, Value]] = [
        ("contactEmail", org.runner.username),
        ("label", name.replace("_", " ")),
        ("oauthConfig", oauth),
        ("oauthPolicy", [("ipRelaxation", "ENFORCE"), ("refreshTokenPolicy", "zero")]),
        ("permissionsetName", NAME),
    ]
    return whole("ConnectedApp", name, f"connectedApps/{name}.connectedApp", children, _SOURCE)


def permission_set() -> Component:
    """Return the permission set that lets its user use the apps, and do what a release needs."""
    children: list[tuple[str, Value]] = [
        ("description", "What the release runner needs, and nothing else"),
        ("hasActivationRequired", "false"),
        ("label", NAME),
        *(("userPermissions", [("enabled", "true"), ("name", str(each["name"]))]) for each in _table()["permissions"]),
    ]
    return whole("PermissionSet", NAME, f"permissionsets/{NAME}.permissionset", children, _SOURCE)


def lacks(wanted: Component, held: Component | None) -> bool:
    """Return whether a permission set has to be deployed: the org has none, or one with other permissions."""
    if held is None:
        return True
    ours, theirs = (metadata_root(each.files[0].data) for each in (wanted, held))
    if ours is None or theirs is None:
        return True
    names = [
        {each.findtext("{*}name") for each in root.iter("{*}userPermissions") if each.findtext("{*}enabled") == "true"}
        for root in (ours, theirs)
    ]
    return names[0] != names[1]


def _body(certificate: x509.Certificate) -> str:
    return "".join(certificate.public_bytes(serialization.Encoding.PEM).decode().splitlines()[1:-1])


@cache
def _table() -> dict[str, Any]:
    table: dict[str, Any] = read_yaml(TABLE).data
    return table


_SOURCE = Place("flows/runner_access.yml")
