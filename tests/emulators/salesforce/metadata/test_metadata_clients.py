"""The clients that people use, over real sockets: CumulusCI's own deploy and retrieve, and simple-salesforce."""

from __future__ import annotations

import base64
import io
import logging
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cumulusci.salesforce_api.exceptions import MetadataApiError, MetadataParseError
from cumulusci.salesforce_api.metadata import ApiDeploy, ApiListMetadata, ApiRetrieveUnpackaged
from tests.emulators.salesforce.metadata.metadata_support import manifest, xml, zipped
from simple_salesforce import Salesforce as Client

from emulators.salesforce.api import Salesforce
from emulators.service import Service, World
from emulators.testing import running

HOST = "acme-cn--uat.sandbox.my.sfcrmproducts.cn"
USER = "release.runner@acme-cn.example.uat"
WORLD = {
    "name": "china-uat", "edition": "alibaba", "kind": "sandbox", "my_domain_host": HOST,
    "login_host": "test.sfcrmproducts.cn", "audience": "https://test.sfcrmproducts.cn", "instance": "CHN3S",
    "language": "zh_CN", "api_versions": {"floor": 31, "ceiling": 67},
    "users": [{"username": USER, "profile": "System Administrator"}],
    "connected_apps": [],
}  # fmt: skip
GOOD = {
    "package.xml": manifest({"CustomPermission": ["Open"]}),
    "customPermissions/Open.customPermission": xml("CustomPermission", "<label>Open</label>"),
}
BAD = {"package.xml": manifest({"CustomTab": ["T"]}), "tabs/T.tab": xml("CustomTab", "<page>Nope</page>")}


@pytest.fixture
def task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A stand-in for a CumulusCI task, with an org whose token is real."""
    made: list[Salesforce] = []

    def only_salesforce(world: World) -> list[Service]:
        made.append(Salesforce(world))
        return [made[-1]]

    with running(tmp_path, only_salesforce) as emulators:
        for name, value in emulators.environment.items():
            monkeypatch.setenv(name, value)
        service = made[-1]
        (org,) = service.seed({"orgs": [WORLD]})
        token = service.sessions.open(org, org.users[0], "test")
        yield SimpleNamespace(
            org_config=SimpleNamespace(
                org_id=org.id,
                instance_url=org.instance_url,
                access_token=token,
                refresh_token=None,
                org_type="Enterprise Edition",
                is_sandbox=True,
            ),
            project_config=SimpleNamespace(project__package__api_version="64.0"),
            logger=logging.getLogger("test"),
        )


def test_cumulusci_deploys_lists_and_retrieves(task: Any) -> None:
    data = base64.b64encode(zipped(GOOD)).decode()
    assert ApiDeploy(task, data, api_version="64.0")() == "Success"
    listed = ApiListMetadata(task, "CustomPermission", as_of_version="64.0")()
    assert [row["fullName"] for row in listed["CustomPermission"]] == ["Open"]
    got = ApiRetrieveUnpackaged(task, GOOD["package.xml"], "64.0")()
    assert sorted(got.namelist()) == ["customPermissions/Open.customPermission", "package.xml"]


def test_cumulusci_tells_what_the_org_refused(task: Any) -> None:
    data = base64.b64encode(zipped(BAD)).decode()
    with pytest.raises(MetadataParseError, match=r"of CustomTab T: Error on line 3, col \d+: .*no ApexPage named Nope"):
        ApiDeploy(task, data, api_version="64.0")()
    task.org_config.access_token = "expired"
    with pytest.raises(MetadataApiError, match="sf:INVALID_SESSION_ID"):
        ApiDeploy(task, data, api_version="64.0")()


def test_simple_salesforce_describes_and_lists(task: Any) -> None:
    client = Client(instance=HOST, session_id=task.org_config.access_token, version="64.0")
    described = client.mdapi.describe_metadata()
    assert "CustomObject" in [row.xmlName for row in described.metadataObjects]
    query = client.mdapi.ListMetadataQuery(type="Profile")
    assert "Admin" in [row.fullName for row in client.mdapi.list_metadata([query])]


def test_simple_salesforce_deploys_and_follows_the_deploy(task: Any) -> None:
    """simple_salesforce posts to `…/m/64.0/deployRequest` and `…/deployRequest/<id>`, not to the endpoint itself."""
    client = Client(instance=HOST, session_id=task.org_config.access_token, version="64.0")

    def deployed(files: dict[str, str]) -> tuple[Any, ...]:
        ident, _ = client.mdapi.deploy(io.BytesIO(zipped(files)), sandbox=True, rollbackOnError=True)
        while True:
            state, _, detail, _ = client.mdapi.check_deploy_status(ident)
            if state not in ("Pending", "InProgress"):
                return state, detail
            time.sleep(0.1)

    state, detail = deployed(GOOD)
    assert (state, detail["deployed_count"], detail["failed_count"]) == ("Succeeded", "1", "0")
    query = client.mdapi.ListMetadataQuery(type="CustomPermission")
    assert [row.fullName for row in client.mdapi.list_metadata([query])] == ["Open"]
    state, detail = deployed(BAD)
    assert state == "Failed"
    assert [(row["type"], row["file"]) for row in detail["errors"]] == [("CustomTab", "tabs/T.tab")]
