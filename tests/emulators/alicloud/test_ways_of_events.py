"""From a call of API gateway to a function that runs, and from an event on a bus to the function behind its rule."""

from __future__ import annotations

import base64
import hmac
import io
import json
import zipfile
from collections.abc import Iterator
from email.utils import formatdate
from typing import Any

import pytest
import requests

from emulators.alicloud.account import ACCESS_KEY_ID, ACCESS_KEY_SECRET, ACCOUNT_ID
from emulators.alicloud.eventbus import UNDELIVERED, matches
from emulators.testing import Running, running
from tests.gatewaycalls import post

GROUP = "0123456789abcdef0123456789abcdef"
URL = f"https://{GROUP}-cn-shanghai.alicloudapi.com/events"
APP = ("203000001", "app-secret")
CODE = """\
import json, os, pathlib
def handle(event, context):
    data = json.loads(event)
    if data.get("type") == "broken":
        raise ValueError("broken")
    pathlib.Path(os.environ["FOLDER"], "seen.json").write_bytes(event)
    body = base64 = data.get("body", "")
    known = context.credentials.access_key_id.startswith("STS.")
    return {"statusCode": 201, "headers": {"X-Sts": str(known)}, "isBase64Encoded": True, "body": body}
"""


def role(service: str, *statements: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a role that a service takes on, and its policy."""
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": [service]}}
    name = service.partition(".")[0]
    made = {"id": name, "RoleName": name, "RoleId": "300", "policies": [{"type": "Custom", "name": name}]}
    policy = {"default": "v1", "versions": {"v1": {"document": json.dumps({"Statement": list(statements)})}}}
    return made | {"AssumeRolePolicyDocument": json.dumps({"Statement": [trust]})}, policy


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """An API of an app's, the function behind it with a mounted bucket, and a bus with a rule that leads to it."""
    with pytest.MonkeyPatch.context() as patch, running(tmp_path_factory.mktemp("events")) as clouds:
        for name, value in clouds.environment.items():
            patch.setenv(name, value)
        put = clouds.store.put
        write = {"Effect": "Allow", "Action": "oss:PutObject", "Resource": "acs:oss:*:*:acme-extracts/in/*"}
        invoke = {"Effect": "Allow", "Action": "fc:InvokeFunction", "Resource": "acs:fc:*:*:functions/keeper"}
        for made, policy in (role("fc.aliyuncs.com", write), role("apigateway.aliyuncs.com", invoke)):
            put("alicloud.ram_role", made["id"], made)
            put("alicloud.ram_policy", made["id"], policy)
        requests.put("https://acme-extracts.oss-cn-shanghai.aliyuncs.com/", headers=oss_signed("PUT"), timeout=30)
        zipped = io.BytesIO()
        with zipfile.ZipFile(zipped, "w") as archive:
            archive.writestr("index.py", CODE)
        put("fc.code", "cn-shanghai/keeper", {"zipFile": base64.b64encode(zipped.getvalue()).decode()})
        mount = {"bucketName": "acme-extracts", "bucketPath": "/in", "mountDir": "/mnt/in"}
        put(
            "fc.function",
            "cn-shanghai/keeper",
            {
                "functionName": "keeper",
                "handler": "index.handle",
                "role": f"acs:ram::{ACCOUNT_ID}:role/fc",
                "timeout": 5,
                "environmentVariables": {"FOLDER": "/mnt/in"},
                "ossMountConfig": {"mountPoints": [mount]},
            },
        )
        function = {"FunctionName": "keeper", "RoleArn": f"acs:ram::{ACCOUNT_ID}:role/apigateway"}
        put("alicloud.api_group", GROUP, {"id": GROUP})
        put("alicloud.api_app", "app-1", {"id": "app-1", "key": APP[0], "secret": APP[1]})
        put("alicloud.api_app", "app-2", {"id": "app-2", "key": "other", "secret": APP[1]})
        put(
            "alicloud.api",
            "api-1",
            {
                "ApiId": "api-1",
                "GroupId": GROUP,
                "AuthType": "APP",
                "ForceNonceCheck": True,
                "RequestConfig": {"RequestPath": "/events", "RequestHttpMethod": "POST", "RequestProtocol": "HTTPS"},
                "ServiceConfig": {"FunctionComputeConfig": function},
                "stages": ["RELEASE"],
                "apps": [["app-1", "RELEASE"]],
            },
        )
        put("alicloud.event_bus", "changes", {"id": "changes", "region": "cn-shanghai"})
        body = {"ResourceKey": "Body", "Form": "ORIGINAL"}
        named = {"ResourceKey": "functionName", "Form": "CONSTANT", "Value": "keeper"}
        target = {"Id": "keep", "Type": "acs.fc.function", "ParamList": [named, body]}
        pattern = json.dumps({"source": [{"prefix": "sales"}]})
        rule = {"id": "changes:keep", "Status": "ENABLE", "pattern": pattern, "targets": [target]}
        put("alicloud.event_rule", "changes:keep", rule)
        yield clouds


def oss_signed(method: str) -> dict[str, str]:
    date = formatdate(usegmt=True)
    text = f"{method}\n\n\n{date}\n/acme-extracts/"
    signature = base64.b64encode(hmac.digest(ACCESS_KEY_SECRET.encode(), text.encode(), "sha1")).decode()
    return {"Date": date, "Authorization": f"OSS {ACCESS_KEY_ID}:{signature}"}


def put_events(
    *events: Any, secret: str = ACCESS_KEY_SECRET, date: str = "", target: str = "/openapi/putEvents"
) -> Any:
    """Put events as alibabacloud-eventbridge 1.2 does, written here anew."""
    date, kind = date or formatdate(usegmt=True), "application/cloudevents-batch+json; charset=utf-8"
    own = {"x-acs-signature-method": "HMAC-SHA1", "x-acs-signature-nonce": "n", "x-acs-signature-version": "1.0"}
    lines = "".join(f"{name}:{own[name]}\n" for name in sorted(own))
    text = f"POST\n\n{kind}\n{date}\n{lines}{target}"
    signature = base64.b64encode(hmac.digest(secret.encode(), text.encode(), "sha1")).decode()
    headers = {"Date": date, "Content-Type": kind, "Authorization": f"acs:{ACCESS_KEY_ID}:{signature}", **own}
    url = f"https://{ACCOUNT_ID}.eventbridge.cn-shanghai.aliyuncs.com{target}"
    return requests.post(url, data=json.dumps(events).encode(), headers=headers, timeout=120).json()


def event(**more: Any) -> dict[str, Any]:
    made = {"id": "1", "source": "salesforce", "type": "t", "specversion": "1.0", "aliyuneventbusname": "changes"}
    return made | more


def object_of(clouds: Running) -> Any:
    (row,) = (place for place, _ in clouds.store.all("oss.object", "acme-extracts/"))
    return row


def test_a_call_of_an_app_is_answered_by_the_function_which_leaves_a_file_in_the_bucket(world: Running) -> None:
    answer = post(URL, b'{"a": 1}', *APP)
    assert (answer.status_code, answer.content) == (201, b'{"a": 1}')
    assert answer.headers["X-Sts"] == "True"
    assert object_of(world).endswith("in/seen.json")


@pytest.mark.parametrize(
    ("more", "status", "said"),
    [
        ({"X_Ca_Key": "nobody"}, 400, "Invalid AppKey"),
        ({"X_Ca_Key": "other"}, 403, "Unauthorized"),
        ({"X_Ca_Nonce": ""}, 400, "Nonce Required"),
        ({"X_Ca_Timestamp": "1"}, 400, "Timestamp Expired"),
        ({"X_Ca_Stage": "TEST"}, 404, "Invalid Path or Stage"),
        ({"Content_MD5": "AAAA"}, 400, "Invalid Content-MD5"),
    ],
)
def test_a_call_that_may_not_go_on_is_refused(world: Running, more: dict[str, str], status: int, said: str) -> None:
    answer = post(URL, b"{}", *APP, **more)
    assert (answer.status_code, answer.headers["X-Ca-Error-Message"]) == (status, said)


def test_a_call_with_a_wrong_signature_or_sent_twice_is_refused(world: Running) -> None:
    assert "Invalid Signature" in post(URL, b"{}", APP[0], "guessed").headers["X-Ca-Error-Message"]
    assert post(URL, b"{}", *APP, X_Ca_Nonce="once").status_code == 201
    assert post(URL, b"{}", *APP, X_Ca_Nonce="once").headers["X-Ca-Error-Message"] == "Nonce Used"
    assert post(URL.replace("/events", "/other"), b"{}", *APP).status_code == 404


def test_a_gateway_whose_role_may_not_invoke_the_function_gets_no_answer_of_it(world: Running) -> None:
    kept = world.store.get("alicloud.ram_policy", "apigateway")
    assert kept is not None
    _, other = role("x", {"Effect": "Allow", "Action": "fc:InvokeFunction", "Resource": "acs:fc:*:*:functions/other"})
    world.store.put("alicloud.ram_policy", "apigateway", other)
    try:
        assert post(URL, b"{}", *APP).status_code == 503
    finally:
        world.store.put("alicloud.ram_policy", "apigateway", kept)


def test_an_event_goes_to_the_function_of_each_rule_that_it_matches(world: Running) -> None:
    for place, _ in world.store.all("oss.object", "acme-extracts/"):
        world.store.delete("oss.object", place)
    assert put_events(event(source="other"))["FailedEntryCount"] == 0
    assert not world.store.all("oss.object", "acme-extracts/")
    assert put_events(event(id="2"))["EntryList"] == [{"EventId": "2"}]
    assert object_of(world).endswith("in/seen.json")


def test_what_the_function_does_not_take_is_kept_as_undelivered(world: Running) -> None:
    assert put_events(event(id="3", type="broken"))["FailedEntryCount"] == 0
    kept = world.store.get(UNDELIVERED, "changes:keep:keep:3")
    assert kept is not None
    assert kept["code"] == "UnhandledInvocationError"
    assert "ValueError: broken" in kept["message"]


def test_the_role_s_policy_decides_what_the_function_may_leave_in_the_bucket(world: Running) -> None:
    function = world.store.get("fc.function", "cn-shanghai/keeper")
    assert function is not None
    mount = function["ossMountConfig"]["mountPoints"][0] | {"bucketPath": "/elsewhere"}
    world.store.put("fc.function", "cn-shanghai/keeper", function | {"ossMountConfig": {"mountPoints": [mount]}})
    try:
        put_events(event(id="4"))
    finally:
        world.store.put("fc.function", "cn-shanghai/keeper", function)
    kept = world.store.get(UNDELIVERED, "changes:keep:keep:4")
    assert kept is not None
    assert "AccessDenied" in kept["message"]


def test_wrong_events_and_calls_are_refused(world: Running) -> None:
    wrong = [event(id=""), event(aliyuneventbusname="none"), event(data="x" * 70_000)]
    entries = put_events(*wrong)["EntryList"]
    assert [entry["ErrorCode"] for entry in entries] == ["InvalidCloudEvent", "EventBusNotExist", "InvalidCloudEvent"]
    assert put_events(event(), secret="guessed")["code"] == "SignatureNotMatch"
    assert put_events(event(), date=formatdate(0, usegmt=True))["code"] == "InvalidTimestamp"
    assert put_events(event(), target="/openapi/other")["code"] == "InvalidAction.NotFound"


def test_a_pattern_names_values_and_prefixes_at_any_depth() -> None:
    sent = {"source": "salesforce", "data": {"kind": "Account", "count": 3}}
    assert matches({}, sent)
    assert matches({"source": ["x", "salesforce"], "data": {"kind": [{"prefix": "Acc"}], "count": [3]}}, sent)
    assert not matches({"data": {"kind": ["Contact"]}}, sent)
    assert not matches({"absent": {"kind": ["Account"]}}, sent)
