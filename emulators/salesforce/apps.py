"""The connected apps of an org: those that the world file declares, and those that were deployed to it as metadata.

Fields: Metadata API Developer Guide, "ConnectedApp". Who may use an app whose users are approved by administrators:
profiles and permission sets that it names (Salesforce Help, "Manage OAuth Access Policies for a Connected App"); both
from knowledge, as are the words of the refusals.
"""

from __future__ import annotations

from dataclasses import replace

from emulators.salesforce.catalog import Catalog
from emulators.salesforce.errors import OAuthError
from emulators.salesforce.metadata.components import OrgComponents
from emulators.salesforce.metadata.xmlform import find, parse, text, walk
from emulators.salesforce.orgs import ConnectedApp, OrgRecord, OrgUser
from emulators.salesforce.records import Records
from emulators.salesforce.schema import schema_of
from emulators.service import World

_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"


def app_of(world: World, org: OrgRecord, client_id: str) -> ConnectedApp | None:
    """Return the connected app of a consumer key, None when the org has none."""
    declared = org.app(client_id)
    if declared:
        return declared
    components = OrgComponents(world.store, org.id)
    for component in components.of_type("ConnectedApp"):
        root = parse(components.content(component))
        config = find(root, "oauthConfig")
        if config is None or text(config, "consumerKey") != client_id:
            continue
        given = tuple(each.text for each in walk(root, "permissionsetName") if each.text)
        profiles = tuple(each.text for each in walk(root, "profileName") if each.text)
        approved = text(config, "isAdminApproved") == "true"
        app = ConnectedApp(client_id, _pem(text(config, "certificate")))
        return replace(app, deployed=True, admin_approved=approved, permission_sets=given, profiles=profiles)
    return None


def admit(world: World, org: OrgRecord, app: ConnectedApp, user: OrgUser) -> None:
    """Raise `OAuthError` unless the user may use the app."""
    if not app.deployed:
        return  # the world file's apps are approved for every user of the org
    if not app.admin_approved:
        raise OAuthError("invalid_grant", "user hasn't approved this consumer")
    if user.profile in app.profiles:
        return
    components = OrgComponents(world.store, org.id)
    schema = schema_of(components)
    records = Records(world, Catalog(org, schema, components), None)
    granted = {found.id for name in app.permission_sets if (found := components.get("PermissionSet", name)) is not None}
    for row in records.rows(schema.objects["permissionsetassignment"]):
        if row["AssigneeId"] == user.id and row.get("PermissionSetId") in granted:
            return
    raise OAuthError("invalid_app_access", "user is not admin approved to access this app")


def _pem(certificate: str) -> str:
    body = certificate.replace(_BEGIN, "").replace(_END, "").strip()
    return f"{_BEGIN}\n{body}\n{_END}\n" if body else ""
