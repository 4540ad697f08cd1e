"""Connected apps that come as metadata, and secrets that go in and never come out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from emulators.salesforce.credentials import KIND
from emulators.salesforce.orgs import OrgRecord
from emulators.service import World
from tests.emulated_org import cites
from tests.emulators.salesforce.salesforce_world import Ask, Caller

APP = """<ConnectedApp xmlns="http://soap.sforce.com/2006/04/metadata"><label>L</label><oauthConfig>
<certificate>{certificate}</certificate><consumerKey>ANOTHER_APP</consumerKey><isAdminApproved>{approved}</isAdminApproved>
</oauthConfig><permissionsetName>Door</permissionsetName></ConnectedApp>"""
EXTERNAL = """<ExternalCredential xmlns="http://soap.sforce.com/2006/04/metadata">
<authenticationProtocol>Custom</authenticationProtocol><externalCredentialParameters><parameterName>Runner</parameterName>
<parameterType>NamedPrincipal</parameterType></externalCredentialParameters><label>L</label></ExternalCredential>"""
WHO = {"externalCredential": "Events", "principalName": "Runner", "principalType": "NamedPrincipal"}


Deployed = Callable[..., None]


@cites("knowledge")
def test_a_deployed_app_lets_in_whom_an_administrator_approved(
    deployed: Deployed, key_pair: tuple[str, str], ask_token: Ask, caller: Caller, china: OrgRecord
) -> None:
    body = "".join(key_pair[1].splitlines()[1:-1])
    assert ask_token(iss="ANOTHER_APP")[1]["error"] == "invalid_client_id"
    deployed("ConnectedApp", "App", ("App.connectedApp", APP.format(certificate=body, approved="false")))
    assert ask_token(iss="ANOTHER_APP")[1]["error_description"] == "user hasn't approved this consumer"
    deployed("ConnectedApp", "App", ("App.connectedApp", APP.format(certificate=body, approved="true")))
    deployed("PermissionSet", "Door", ("Door.permissionset", "<PermissionSet><label>Door</label></PermissionSet>"))
    assert ask_token(iss="ANOTHER_APP")[1]["error"] == "invalid_app_access"
    (granted,) = caller.records("SELECT Id FROM PermissionSet WHERE Name = 'Door'")
    row = {"AssigneeId": china.users[0].id, "PermissionSetId": granted["Id"]}
    assert caller("POST", "/services/data/v62.0/sobjects/PermissionSetAssignment", row).status == 201
    assert ask_token(iss="ANOTHER_APP")[0] == 200
    deployed("ConnectedApp", "App", ("App.connectedApp", APP.format(certificate="", approved="true")))
    assert ask_token(iss="ANOTHER_APP")[1]["error"] == "invalid_client"


@cites("credential")
def test_a_credential_is_created_once_replaced_and_never_read(deployed: Deployed, caller: Caller, world: World) -> None:
    path = "/services/data/v62.0/named-credentials/credential"
    asked = path + "?" + urlencode(WHO)
    assert caller.refused("GET", asked)[:2] == (404, "NOT_FOUND")
    deployed("ExternalCredential", "Events", ("Events.externalCredential", EXTERNAL))
    assert caller.get(asked)["authenticationStatus"] == "NotConfigured"
    given: dict[str, Any] = {**WHO, "authenticationProtocol": "Custom", "credentials": {}}
    assert caller.refused("POST", path, given)[1] == "MISSING_ARGUMENT"
    given["credentials"] = {"token": {"value": "very-secret", "encrypted": True}}
    assert caller.refused("PUT", path, given)[1] == "INVALID_INPUT"
    assert caller("POST", path, given).status == 201
    assert caller.refused("POST", path, given)[1] == "INVALID_INPUT"
    answer = caller.get(asked)
    assert answer["authenticationStatus"] == "Configured"
    assert answer["credentials"] == {"token": {"encrypted": True, "value": None}}
    ((_, kept),) = world.store.all(KIND)
    assert kept["values"]["token"]["sha256"] == hashlib.sha256(b"very-secret").hexdigest()
    assert "very-secret" not in json.dumps(kept)
    assert caller("PUT", path, given).status == 200
    assert caller("DELETE", asked).status == 204
    assert caller.get(asked)["authenticationStatus"] == "NotConfigured"
    assert caller.refused("POST", path, given | {"authenticationProtocol": "OAuth"})[1] == "INVALID_INPUT"
    assert caller.refused("GET", asked.replace("62.0", "55.0"))[0] == 404
