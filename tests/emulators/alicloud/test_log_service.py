"""SLS through its official SDK, unchanged, with both of its signatures; and signed as the provider's SDK signs."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from email.utils import formatdate
from typing import Any

import pytest
import requests
from alibabacloud_sls20201230 import models as sls
from alibabacloud_sls20201230.client import Client
from alibabacloud_tea_openapi.models import Config

from emulators.alicloud.account import ACCESS_KEY_ID, ACCESS_KEY_SECRET
from emulators.testing import Running, running

PROJECT = "acme-logs"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with pytest.MonkeyPatch.context() as patch, running(tmp_path_factory.mktemp("sls")) as emulators:
        for name, value in emulators.environment.items():
            patch.setenv(name, value)
        yield emulators


def client_of(world: Running, **more: Any) -> Client:
    keys = {"access_key_id": ACCESS_KEY_ID, "access_key_secret": ACCESS_KEY_SECRET} | more
    return Client(Config(region_id="cn-shanghai", ca=str(world.ca_file), **keys))


@pytest.fixture(scope="module")
def client(world: Running) -> Client:
    made = client_of(world)
    made.create_project(sls.CreateProjectRequest(project_name=PROJECT, description="日志"))
    return made


def refused(call: Any) -> str:
    """Return the code with which a call is refused."""
    with pytest.raises(Exception) as caught:
        call()
    return str(getattr(caught.value, "code", caught.value))


def test_a_project_is_made_shown_tagged_and_changed(client: Client) -> None:
    tag = sls.TagResourcesRequestTags(key="team", value="客户关系")
    client.tag_resources(sls.TagResourcesRequest(resource_type="PROJECT", resource_id=[PROJECT], tags=[tag]))
    request = sls.ListTagResourcesRequest(resource_type="PROJECT", resource_id=[PROJECT])
    (row,) = client.list_tag_resources(request).body.tag_resources
    assert (row.resource_id, row.tag_key, row.tag_value) == (PROJECT, "team", "客户关系")
    client.update_project(PROJECT, sls.UpdateProjectRequest(description="审计"))
    shown = client.get_project(PROJECT, sls.GetProjectRequest()).body
    assert (shown.project_name, shown.description, shown.status) == (PROJECT, "审计", "Normal")


@pytest.mark.parametrize("version", ["v1", "v4"])
def test_a_log_store_and_its_index_live_and_end_with_either_signature(
    world: Running, client: Client, version: str
) -> None:
    signed = client_of(world)
    signed._signature_version = version
    name = f"network-{version}"
    signed.create_log_store(PROJECT, sls.CreateLogStoreRequest(logstore_name=name, ttl=365, shard_count=2))
    assert signed.get_log_store(PROJECT, name).body.ttl == 365
    line = sls.IndexLine(chn=True, case_sensitive=False, token=[",", " "])
    signed.create_index(PROJECT, name, sls.CreateIndexRequest(body=sls.Index(line=line)))
    assert signed.get_index(PROJECT, name).body.line.chn
    asked = sls.ListLogStoresRequest(logstore_name=name, offset=0, size=10)
    assert signed.list_log_stores(PROJECT, asked).body.logstores == [name]
    shards = signed.list_shards(PROJECT, name).body
    assert shards[0].exclusive_end_key == shards[1].inclusive_begin_key
    signed.delete_index(PROJECT, name)
    assert refused(lambda: signed.get_index(PROJECT, name)) == "IndexConfigNotExist"
    signed.delete_log_store(PROJECT, name)
    assert refused(lambda: signed.get_log_store(PROJECT, name)) == "LogStoreNotExist"


def test_what_is_wrong_is_refused_with_the_service_s_codes(world: Running, client: Client) -> None:
    again = sls.CreateProjectRequest(project_name=PROJECT, description="")
    assert refused(lambda: client.create_project(again)) == "ProjectAlreadyExist"
    assert refused(lambda: client.get_project("no-such-project", sls.GetProjectRequest())) == "ProjectNotExist"
    endless = sls.CreateLogStoreRequest(logstore_name="endless", ttl=99_999, shard_count=2)
    assert refused(lambda: client.create_log_store(PROJECT, endless)) == "ParameterInvalid"
    forged = client_of(world, access_key_secret="another")
    assert refused(lambda: forged.get_project(PROJECT, sls.GetProjectRequest())) == "SignatureNotMatch"


def test_a_project_is_deleted_with_its_stores(world: Running, client: Client) -> None:
    client.create_project(sls.CreateProjectRequest(project_name="acme-short-lived", description=""))
    request = sls.CreateLogStoreRequest(logstore_name="network", ttl=184, shard_count=1)
    client.create_log_store("acme-short-lived", request)
    client.delete_project("acme-short-lived", sls.DeleteProjectRequest())
    assert refused(lambda: client.get_project("acme-short-lived", sls.GetProjectRequest())) == "ProjectNotExist"
    assert not world.store.all("sls.logstore", "acme-short-lived/")


def test_a_project_s_policy_tags_and_description_come_and_go(client: Client) -> None:
    policy = json.dumps({"Version": "1", "Statement": [{"Effect": "Deny", "Action": "log:*", "Resource": "*"}]})
    client.put_project_policy(PROJECT, sls.PutProjectPolicyRequest(body=policy))
    assert json.loads(signed_by_sha1("GET", f"{PROJECT}.cn-shanghai", "/policy").text) == json.loads(policy)
    client.delete_project_policy(PROJECT)
    assert signed_by_sha1("GET", f"{PROJECT}.cn-shanghai", "/policy").text == ""
    tag = sls.TagResourcesRequestTags(key="owner", value="crm")
    client.tag_resources(sls.TagResourcesRequest(resource_type="PROJECT", resource_id=[PROJECT], tags=[tag]))
    client.untag_resources(sls.UntagResourcesRequest(resource_type="PROJECT", resource_id=[PROJECT], tags=["owner"]))
    request = sls.ListTagResourcesRequest(resource_type="PROJECT", resource_id=[PROJECT])
    assert "owner" not in [row.tag_key for row in client.list_tag_resources(request).body.tag_resources]
    found = client.list_project(sls.ListProjectRequest(project_name="acme")).body
    assert PROJECT in [project.project_name for project in found.projects]


def test_a_log_store_is_changed_within_what_the_service_takes(client: Client) -> None:
    client.create_log_store(PROJECT, sls.CreateLogStoreRequest(logstore_name="changing", ttl=184, shard_count=1))
    client.update_log_store(PROJECT, "changing", sls.UpdateLogStoreRequest(logstore_name="changing", ttl=365))
    assert client.get_log_store(PROJECT, "changing").body.ttl == 365
    assert client.get_log_store_metering_mode(PROJECT, "changing").body.metering_mode == "ChargeByFunction"
    by_data = sls.UpdateLogStoreMeteringModeRequest(metering_mode="ChargeByDataIngest")
    client.update_log_store_metering_mode(PROJECT, "changing", by_data)
    assert client.get_log_store_metering_mode(PROJECT, "changing").body.metering_mode == "ChargeByDataIngest"
    line = sls.IndexLine(chn=False, case_sensitive=False, token=[" "])
    body = sls.UpdateIndexRequest(body=sls.Index(line=line))
    assert refused(lambda: client.update_index(PROJECT, "changing", body)) == "IndexConfigNotExist"
    client.create_index(PROJECT, "changing", sls.CreateIndexRequest(body=sls.Index(line=line)))
    line.chn = True
    client.update_index(PROJECT, "changing", body)
    assert client.get_index(PROJECT, "changing").body.line.chn


ALERT = {
    "name": "root-sign-in",
    "type": "Alert",
    "displayName": "The owner signed in",
    "schedule": {"type": "FixedRate", "interval": "5m"},
    "configuration": {
        "version": "2.0",
        "queryList": [{"store": "actiontrail_acme", "query": "event.userIdentity.type: root-account"}],
        "severityConfigurations": [{"severity": 10}],
        "policyConfiguration": {"alertPolicyId": "sls.builtin.dynamic", "actionPolicyId": "acme"},
    },
}


def test_an_alert_is_a_job_of_its_project_and_ends_with_it(world: Running, client: Client) -> None:
    client.create_project(sls.CreateProjectRequest(project_name="acme-watched", description=""))
    host = "acme-watched.cn-shanghai"
    for part in ("type", "displayName", "schedule", "configuration"):
        wrong = signed_by_sha1("POST", host, "/jobs", {key: value for key, value in ALERT.items() if key != part})
        assert wrong.json()["errorCode"] == "ParameterInvalid", part
    assert signed_by_sha1("POST", host, "/jobs", ALERT).status_code == 200
    assert signed_by_sha1("POST", host, "/jobs", ALERT).json()["errorCode"] == "JobAlreadyExist"
    signed_by_sha1("PUT", host, "/jobs/root-sign-in", ALERT | {"displayName": "Changed"})
    shown = signed_by_sha1("GET", host, "/jobs/root-sign-in").json()
    assert (shown["displayName"], shown["status"]) == ("Changed", "ENABLED")
    signed_by_sha1("DELETE", host, "/jobs/root-sign-in")
    assert signed_by_sha1("GET", host, "/jobs/root-sign-in").json()["errorCode"] == "JobNotExist"
    signed_by_sha1("POST", host, "/jobs", ALERT)
    client.delete_project("acme-watched", sls.DeleteProjectRequest())
    assert not world.store.all("sls.job", "acme-watched/")


def test_who_is_told_is_written_in_one_region_and_read_in_all(world: Running) -> None:
    value = {"user_id": "on-call", "user_name": "on-call", "enabled": True, "email": ["on-call@example.com"]}
    records = "/resources/sls.common.user/records"
    user = {"id": "on-call", "tag": "on-call", "value": json.dumps(value)}
    assert signed_by_sha1("POST", "cn-shanghai", records, user).json()["errorCode"] == "ParameterInvalid"
    assert signed_by_sha1("POST", "cn-heyuan", records, user).status_code == 200
    assert signed_by_sha1("POST", "cn-heyuan", records, user).json()["errorCode"] == "ResourceRecordAlreadyExist"
    for wrong in ({"user_id": "other"}, {"email": "on-call@example.com"}):
        sent = user | {"id": "b-user", "value": json.dumps(value | {"user_id": "b-user"} | wrong)}
        assert signed_by_sha1("POST", "cn-heyuan", records, sent).json()["errorCode"] == "ParameterInvalid"
    signed_by_sha1("PUT", "cn-heyuan", f"{records}/on-call", user | {"tag": "changed"})
    assert signed_by_sha1("GET", "cn-shanghai", f"{records}/on-call").json()["tag"] == "changed"
    unknown = signed_by_sha1("POST", "cn-heyuan", "/resources/acme.own/records", user)
    assert unknown.json()["errorCode"] == "ResourceNotExist"
    assert signed_by_sha1("DELETE", "cn-heyuan", f"{records}?ids=on-call").status_code == 200
    gone = signed_by_sha1("GET", "cn-shanghai", f"{records}/on-call")
    assert gone.json()["errorCode"] == "ResourceRecordNotExist"


def signed_by_sha1(method: str, host: str, target: str, body: Any = None) -> requests.Response:
    """Call as the provider's SDK does: aliyun-log-go-sdk 0.1.108, signature.go."""
    raw = b"" if body is None else json.dumps(body).encode()
    md5 = hashlib.md5(raw).hexdigest().upper() if raw else ""
    date = formatdate(usegmt=True)
    own = {"x-log-apiversion": "0.6.0", "x-log-bodyrawsize": str(len(raw)), "x-log-signaturemethod": "hmac-sha1"}
    lines = "\n".join(f"{name}:{value}" for name, value in sorted(own.items()))
    text = f"{method}\n{md5}\napplication/json\n{date}\n{lines}\n{target}"
    signature = base64.b64encode(hmac.digest(ACCESS_KEY_SECRET.encode(), text.encode(), "sha1")).decode()
    headers = {"Date": date, "Content-Type": "application/json", "Authorization": f"LOG {ACCESS_KEY_ID}:{signature}"}
    more = {"Content-MD5": md5} if raw else {}
    url = f"https://{host}.log.aliyuncs.com{target}"
    return requests.request(method, url, data=raw, headers={**own, **headers, **more}, timeout=30)


def test_a_call_signed_by_sha1_as_the_provider_s_sdk_signs_is_taken(client: Client) -> None:
    answer = signed_by_sha1("GET", f"{PROJECT}.cn-shanghai", "/policy")
    assert (answer.status_code, answer.text) == (200, "")


def test_what_is_not_emulated_is_named(client: Client) -> None:
    unsigned = requests.get(f"https://{PROJECT}.cn-shanghai.log.aliyuncs.com/dashboards", timeout=30)
    assert json.loads(unsigned.content)["errorCode"] == "Unauthorized"
    assert refused(lambda: client.list_dashboard(PROJECT, sls.ListDashboardRequest())) == "InvalidAction.NotFound"
