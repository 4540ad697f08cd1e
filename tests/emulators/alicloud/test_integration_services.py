"""API gateway by its official SDK, Function Compute by ROA signatures made here, EventBridge and WAF by RPC."""

from __future__ import annotations

import base64
import hashlib
import hmac
import io
import json
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus, urlencode

import pytest
from alibabacloud_cloudapi20160714 import models as gateway
from alibabacloud_cloudapi20160714.client import Client as GatewayClient
from alibabacloud_tea_openapi.models import Config
from alibabacloud_tea_openapi.utils_models import OpenApiRequest, Params
from alibabacloud_tea_util.models import RuntimeOptions
from Tea.exceptions import TeaException

from emulators.alicloud.account import ACCESS_KEY_ID, ACCESS_KEY_SECRET
from emulators.alicloud.fc.api import FunctionCompute
from emulators.http import Request
from emulators.service import World
from emulators.testing import Running, running
from tests.certificates import self_signed
from tests.emulators.alicloud.rpc_cloud import Cloud, Refusal

HOST = "cn-shanghai.fc.aliyuncs.com"


@pytest.fixture
def clouds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    with running(tmp_path) as made:
        for name, value in made.environment.items():
            monkeypatch.setenv(name, value)
        yield made


@pytest.fixture
def sdk(clouds: Running) -> GatewayClient:
    keys = {"access_key_id": ACCESS_KEY_ID, "access_key_secret": ACCESS_KEY_SECRET}
    return GatewayClient(Config(region_id="cn-shanghai", ca=str(clouds.ca_file), **keys))


def test_the_gateway_s_sdk_makes_an_api_that_an_app_may_call(sdk: GatewayClient) -> None:
    group = sdk.create_api_group(gateway.CreateApiGroupRequest(group_name="acme_events")).body
    listed = sdk.describe_api_groups(gateway.DescribeApiGroupsRequest()).body.api_group_attributes.api_group_attribute
    assert [row.sub_domain for row in listed] == [group.sub_domain]
    request = {
        "requestProtocol": "HTTPS",
        "requestHttpMethod": "POST",
        "requestPath": "/events",
        "requestMode": "PASSTHROUGH",
    }
    service = {"serviceProtocol": "FunctionCompute", "functionComputeConfig": {"fcVersion": "3.0", "functionName": "f"}}
    made = sdk.create_api(
        gateway.CreateApiRequest(
            group_id=group.group_id,
            api_name="events",
            auth_type="APP",
            visibility="PRIVATE",
            request_config=json.dumps(request),
            service_config=json.dumps(service),
        )
    ).body
    shown = sdk.describe_api(gateway.DescribeApiRequest(group_id=group.group_id, api_id=made.api_id)).body
    assert (shown.auth_type, shown.request_config.request_path) == ("APP", "/events")
    assert shown.service_config.function_compute_config.function_name == "f"
    stage = {"group_id": group.group_id, "api_id": made.api_id, "stage_name": "RELEASE"}
    with pytest.raises(TeaException) as refused:
        sdk.describe_deployed_api(gateway.DescribeDeployedApiRequest(**stage))
    assert refused.value.code == "NotFoundStage"
    sdk.deploy_api(gateway.DeployApiRequest(**stage, description="first"))
    app = sdk.create_app(gateway.CreateAppRequest(app_name="orgs")).body
    sdk.set_apps_authorities(gateway.SetAppsAuthoritiesRequest(**stage, app_ids=str(app.app_id)))
    asked = sdk.describe_authorized_apps(gateway.DescribeAuthorizedAppsRequest(**stage)).body
    assert [row.app_id for row in asked.authorized_apps.authorized_app] == [app.app_id]
    assert sdk.describe_app_security(gateway.DescribeAppSecurityRequest(app_id=app.app_id)).body.app_code
    sdk.abolish_api(gateway.AbolishApiRequest(**stage))
    sdk.delete_api(gateway.DeleteApiRequest(group_id=group.group_id, api_id=made.api_id))
    sdk.delete_app(gateway.DeleteAppRequest(app_id=app.app_id))
    sdk.delete_api_group(gateway.DeleteApiGroupRequest(group_id=group.group_id))
    with pytest.raises(TeaException) as gone:
        sdk.describe_api_group(gateway.DescribeApiGroupRequest(group_id=group.group_id))
    assert gone.value.code == "NotFoundApiGroup"


def test_function_compute_takes_the_sdks_newer_signature(sdk: GatewayClient) -> None:
    """By the core of the official SDKs, which signs ROA calls by ACS3-HMAC-SHA256."""
    sdk._endpoint = "fcv3.cn-shanghai.aliyuncs.com"
    params = Params(
        action="CreateFunction",
        version="2023-03-30",
        protocol="HTTPS",
        pathname="/2023-03-30/functions",
        method="POST",
        auth_type="AK",
        style="ROA",
        req_body_type="json",
        body_type="json",
    )
    body = {"functionName": "callback", "runtime": "python3.12", "handler": "index.handle"}
    answer = sdk.call_api(params, OpenApiRequest(body=body), RuntimeOptions())
    assert answer["body"]["functionArn"] == "acs:fc:cn-shanghai:1234567890123456:functions/callback"


class Functions:
    """FC in a test's hands; signs by version 1.0, written here anew."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud, self.service = cloud, FunctionCompute(World(cloud.store, lambda: cloud.now))
        self.secret = ACCESS_KEY_SECRET

    def __call__(self, method: str, path: str, body: Any = None, query: str = "") -> tuple[int, Any]:
        headers = {
            "accept": "application/json",
            "content-type": "application/json; charset=utf-8" if body is not None else "",
            "date": format_datetime(datetime.fromtimestamp(self.cloud.now, UTC), usegmt=True),
            "x-acs-version": "2023-03-30",
            "x-acs-signature-nonce": "n",
        }
        target = f"/2023-03-30{path}{query}"
        lines = [method, headers["accept"], "", headers["content-type"], headers["date"]]
        lines += [f"{name}:{headers[name]}" for name in ("x-acs-signature-nonce", "x-acs-version")]
        text = "\n".join([*lines, unquote_plus(target)])
        digest = hmac.new(self.secret.encode(), text.encode(), hashlib.sha1).digest()
        headers["authorization"] = f"acs {ACCESS_KEY_ID}:{base64.b64encode(digest).decode()}"
        data = b"" if body is None else json.dumps(body).encode()
        answer = self.service.handle(Request(method, HOST, target, headers, data))
        return answer.status, json.loads(answer.body) if answer.body else None

    def function(self, name: str = "callback", **more: Any) -> tuple[int, Any]:
        sent = {"functionName": name, "runtime": "python3.12", "handler": "index.handle"}
        return self("POST", "/functions", sent | more)


@pytest.fixture
def functions(cloud: Cloud) -> Functions:
    return Functions(cloud)


def zipped() -> str:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("index.py", "def handle(event, context): ...")
    return base64.b64encode(file.getvalue()).decode()


def test_a_function_lives_with_its_trigger(functions: Functions) -> None:
    status, made = functions.function(code={"zipFile": zipped()})
    assert (status, made["state"], made["memorySize"]) == (200, "Active", 512)
    assert "code" not in made
    config = json.dumps({"authType": "anonymous", "methods": ["GET"], "disableURLInternet": True})
    trigger = {"triggerName": "http", "triggerType": "http", "triggerConfig": config, "qualifier": "LATEST"}
    assert functions("POST", "/functions/callback/triggers", trigger)[1]["triggerConfig"] == config
    mine, wrong = "/functions/callback/triggers/http", json.dumps({"authType": "anonymous"})
    assert functions("PUT", mine, {"triggerConfig": wrong})[1]["Code"] == "InvalidArgument"
    functions("PUT", mine, {"description": "the platforms"})
    shown = functions("GET", mine)[1]
    assert (shown["triggerConfig"], shown["description"]) == (config, "the platforms")
    functions("PUT", "/functions/callback", {"timeout": 15})
    assert functions("GET", "/functions/callback")[1]["timeout"] == 15
    assert [row["functionName"] for row in functions("GET", "/functions")[1]["functions"]] == ["callback"]
    assert functions("DELETE", "/functions/callback")[0] == 403
    assert functions("DELETE", "/functions/callback/triggers/http") == (204, None)
    assert functions("DELETE", "/functions/callback") == (204, None)
    assert functions("GET", "/functions/callback")[1]["Code"] == "FunctionNotFound"


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"code": {"zipFile": "bm8gemlw"}}, "InvalidArgument"),
        ({"functionName": "two words"}, "InvalidArgument"),
        ({"runtime": ""}, "InvalidArgument"),
    ],
)
def test_what_is_no_function_is_refused(functions: Functions, more: dict[str, Any], code: str) -> None:
    name = more.pop("functionName", "callback")
    assert functions.function(name, **more)[1]["Code"] == code


def test_a_wrong_signature_and_an_old_date_are_refused(functions: Functions) -> None:
    functions.secret = "other"
    assert functions.function()[1]["Code"] == "SignatureNotMatch"
    functions.secret = ACCESS_KEY_SECRET
    functions.service = FunctionCompute(World(functions.cloud.store, lambda: functions.cloud.now + 3600))
    assert functions.function()[1]["Code"] == "InvalidTimeStamp.Expired"


def test_a_domain_wants_a_function_and_a_key_of_its_certificate(functions: Functions) -> None:
    route = {"routes": [{"path": "/wecom", "functionName": "callback", "methods": ["GET", "POST"]}]}
    domain = {"domainName": "callbacks.acme.example", "protocol": "HTTP", "routeConfig": route}
    assert functions("POST", "/custom-domains", domain)[1]["Code"] == "FunctionNotFound"
    functions.function()
    assert functions("POST", "/custom-domains", domain | {"protocol": "HTTPS"})[1]["Code"] == "InvalidArgument"
    assert functions("POST", "/custom-domains", domain)[0] == 200
    assert functions("POST", "/custom-domains", domain)[1]["Code"] == "DomainNameAlreadyExists"
    mine = "/custom-domains/callbacks.acme.example"
    away = {"routeConfig": {"routes": [{"path": "/*", "functionName": "elsewhere"}]}}
    assert functions("PUT", mine, away)[1]["Code"] == "FunctionNotFound"
    functions("PUT", mine, {"wafConfig": {"enableWAF": True}})
    shown = functions("GET", mine)[1]
    assert (shown["routeConfig"], shown["wafConfig"]) == (route, {"enableWAF": True})
    assert functions("DELETE", mine)[0] == 204


def test_tags_of_a_function_come_and_go(functions: Functions) -> None:
    arn = functions.function()[1]["functionArn"]
    sent = {"ResourceType": "function", "ResourceId": [arn], "Tag": [{"Key": "team", "Value": "crm"}]}
    functions("POST", "/tags-v2", sent)
    assert functions("GET", "/functions/callback")[1]["tags"] == [{"key": "team", "value": "crm"}]
    asked = urlencode({"ResourceId": json.dumps([arn]), "ResourceType": "function", "TagKey": '["team"]'})
    assert functions("DELETE", "/tags-v2", query=f"?{asked}")[0] == 200
    assert functions("GET", "/functions/callback")[1]["tags"] == []


def test_what_nobody_emulates_is_named(functions: Functions) -> None:
    status, body = functions("GET", "/layers")
    assert (status, body["Code"]) == (404, "InvalidAction.NotFound")
    assert "GET /2023-03-30/layers" in body["Message"]


def test_a_bus_has_rules_whose_refusals_are_answers(cloud: Cloud) -> None:
    bridge = "eventbridge-console"
    assert cloud(bridge, "GetEventBus", EventBusName="changes")["Code"] == "EventBusNotExist"
    assert cloud(bridge, "CreateEventBus", EventBusName="changes")["Success"]
    assert cloud(bridge, "CreateEventBus", EventBusName="changes")["Code"] == "EventBusExist"
    assert cloud(bridge, "ListEventBuses")["Data"]["Total"] == 1
    targets = json.dumps([{"Id": "keep", "Type": "acs.fc.function", "Endpoint": "acs:fc:…", "DeadLetterQueue": {}}])
    named = {"EventBusName": "changes", "RuleName": "all"}
    cloud(bridge, "CreateRule", **named, FilterPattern="{}", EventTargets=targets)
    shown = cloud(bridge, "GetRule", **named)["Data"]
    assert (shown["Status"], shown["Targets"][0]["PushRetryStrategy"]) == ("ENABLE", "BACKOFF_RETRY")
    cloud(bridge, "DisableRule", **named)
    assert cloud(bridge, "GetRule", **named)["Data"]["Status"] == "DISABLE"
    cloud(bridge, "DeleteEventBus", EventBusName="changes")
    assert cloud(bridge, "GetRule", **named)["Code"] == "EventRuleNotExisted"


def test_an_account_has_one_waf_instance(cloud: Cloud) -> None:
    waf = "wafopenapi"
    assert "InstanceId" not in cloud(waf, "DescribeInstance")
    made = cloud(waf, "CreatePostpaidInstance")["InstanceId"]
    assert cloud(waf, "DescribeInstance")["Status"] == 2
    cloud.wait()
    assert (cloud(waf, "DescribeInstance")["InstanceId"], cloud(waf, "DescribeInstance")["Status"]) == (made, 1)
    cloud(waf, "ReleaseInstance", InstanceId=made)
    assert "InstanceId" not in cloud(waf, "DescribeInstance")


def refused(cloud: Cloud, product: str, action: str, **sent: Any) -> str:
    """Return the code with which a call is refused."""
    with pytest.raises(Refusal) as caught:
        cloud(product, action, **sent)
    return str(caught.value.code)


def test_a_domain_behind_waf_has_a_certificate_and_something_to_lead_to(cloud: Cloud) -> None:
    waf, cas = "wafopenapi", "cas"
    instance = cloud(waf, "CreatePostpaidInstance")["InstanceId"]
    certificate, key = self_signed("pages.acme.example")
    other = self_signed("pages.acme.example")[1]
    assert refused(cloud, cas, "UploadUserCertificate", Name="pages", Cert=certificate, Key=other) == "InvalidParameter"
    number = cloud(cas, "UploadUserCertificate", Name="pages", Cert=certificate, Key=key)["CertId"]
    assert refused(cloud, cas, "UploadUserCertificate", Name="pages", Cert=certificate, Key=key) == "NameRepeat"
    assert cloud(cas, "GetUserCertificateDetail", CertId=str(number))["Cert"] == certificate
    assert cloud(cas, "ListUserCertificateOrder")["CertificateOrderList"][0]["CertificateId"] == number
    named = {"InstanceId": instance, "Domain": "pages.acme.example"}
    redirect = json.dumps({"Backends": ["203.0.113.7"], "Loadbalance": "iphash"})
    listen = {"HttpsPorts": [443], "CertId": f"{number}-cn-hangzhou", "TLSVersion": "tlsv1.2"}
    for wrong, code in (
        (
            {"Listen": json.dumps(listen | {"CertId": "1-cn-hangzhou"}), "Redirect": redirect},
            "Waf.Certificate.NotFound",
        ),
        ({"Listen": "{}", "Redirect": redirect}, "InvalidParameter"),
        ({"Listen": json.dumps(listen), "Redirect": "{}"}, "InvalidParameter"),
    ):
        assert refused(cloud, waf, "CreateDomain", **named, **wrong) == code
    sent = {"Listen": json.dumps(listen), "Redirect": redirect}
    made = cloud(waf, "CreateDomain", **named, **sent, Tag__1__Key="team", Tag__1__Value="crm")["DomainInfo"]
    assert refused(cloud, waf, "CreateDomain", **named, **sent) == "Waf.Domain.Exists"
    cloud.wait()
    shown = cloud(waf, "DescribeDomainDetail", **named)
    assert (shown["Status"], shown["Cname"], shown["Listen"]) == (1, made["Cname"], listen)
    assert shown["Redirect"]["BackendList"] == ["203.0.113.7"]
    tags = cloud(waf, "ListTagResources", ResourceId__1="pages.acme.example")["TagResources"]
    assert [(row["TagKey"], row["TagValue"]) for row in tags] == [("team", "crm")]
    cloud(waf, "TagResources", ResourceId__1="pages.acme.example", Tag__1__Key="kind", Tag__1__Value="pages")
    cloud(waf, "UntagResources", ResourceId__1="pages.acme.example", TagKey__1="team")
    tags = cloud(waf, "ListTagResources", ResourceId__1="pages.acme.example")["TagResources"]
    assert [(row["TagKey"], row["TagValue"]) for row in tags] == [("kind", "pages")]
    cloud(waf, "ModifyDomain", **named, **sent | {"Redirect": json.dumps({"Backends": ["203.0.113.8"]})})
    assert cloud(waf, "DescribeDomainDetail", **named)["Redirect"]["BackendList"] == ["203.0.113.8"]
    cloud(waf, "DeleteDomain", **named)
    assert "Status" not in cloud(waf, "DescribeDomainDetail", **named)
    cloud(cas, "DeleteUserCertificate", CertId=str(number))
    assert refused(cloud, cas, "GetUserCertificateDetail", CertId=str(number)) == "NotFound"
