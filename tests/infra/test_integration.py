from __future__ import annotations

import base64
import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import pytest

from infra.functioncode import package
from infra.settings import read_settings
from kit.problems import Refused

ACCOUNT = {"ALIBABA_CLOUD_ACCOUNT_ID": "1234567890123456"}


@pytest.fixture(scope="module")
def landed(stand: Any) -> Any:
    return stand("example-production")


def changed(values: dict[str, str], **callbacks: Any) -> dict[str, str]:
    """Return a config with other callbacks."""
    section = json.loads(values["sfoa:integration"])
    section["callbacks"] |= callbacks
    return values | {"sfoa:integration": json.dumps(section)}


def statements(landed: Any, name: str) -> list[dict[str, Any]]:
    policy = landed.of("ram/policy:Policy")[name]
    rows: list[dict[str, Any]] = json.loads(policy.inputs["policyDocument"])["Statement"]
    return rows


def test_the_contract_says_where_the_platforms_and_the_orgs_call(landed: Any) -> None:
    assert landed.contract["integration_callbacks"] == {
        name: f"https://callbacks.acme.example/{name}" for name in ("official-account", "mini-program", "wecom")
    }
    assert landed.contract["integration_endpoints"] == {"events": "https://events.acme.example/events"}
    assert landed.contract["integration_aliases"] == {"events.acme.example": "events.acme.example.aliyunwaf5.com"}
    assert landed.contract["integration_origins"] == ["https://portal.acme.example"]
    assert landed.contract["integration_extracts_bucket"].startswith("acme-production-extracts-")
    assert "integration" not in landed.contract["absent"]


def test_the_orgs_call_through_waf_which_leads_to_the_gateway_alone(stand: Any, landed: Any) -> None:
    shield = landed.of("wafv3/domain:Domain")["integration-gateway"].inputs
    assert shield["redirect"]["backends"] == ["group-cn-shanghai.alicloudapi.com"]
    assert (shield["listen"]["httpsPorts"], shield["listen"]["certId"]) == ([443], "12345678-cn-hangzhou")
    assert (shield["listen"]["tlsVersion"], "httpPorts" in shield["listen"]) == ("tlsv1.2", False)
    own = stand("local").contract["integration_endpoints"]
    assert own == {"events": "https://group-cn-shanghai.alicloudapi.com/events"}


def test_pages_stand_behind_waf_by_their_certificate_and_are_an_origin(
    stand: Any, config: Callable[[str], dict[str, str]]
) -> None:
    domain = json.loads(config("local")["sfoa:integration"])["callbacks"]["domain"]
    web = {"name": "pages.acme.example", "certificate": domain["certificate"], "private_key": "k"}
    pages: Any = {"pages": {"domain": web, "backends": ["203.0.113.80", "pages.internal.example"]}, "waf": "waf_v2-1"}
    standing = stand("local", {"sfoa:integration": json.dumps(pages)})
    assert not standing.of("wafv3/instance:Instance")
    shield = standing.of("wafv3/domain:Domain")["integration-pages"].inputs
    assert (shield["instanceId"], shield["redirect"]["backends"]) == ("waf_v2-1", pages["pages"]["backends"])
    assert shield["listen"]["certId"] == "integration-pages-id-cn-hangzhou"
    uploaded = standing.of("ServiceCertificate")["integration-pages"].inputs
    assert uploaded["cert"] == domain["certificate"]
    assert standing.contract["integration_pages"] == "https://pages.acme.example"
    assert standing.contract["integration_origins"] == ["https://pages.acme.example"]


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ({"pages": {"domain": {"name": "a.example"}, "backends": ["203.0.113.80"]}}, "not one certificate"),
        (
            {
                "pages": {
                    "domain": {"name": "a.example", "certificate_id": "1", "private_key": "k"},
                    "backends": ["b.cn"],
                }
            },
            "not one certificate",
        ),
        ({"pages": {"domain": {"name": "a.example", "certificate_id": "1"}, "backends": ["http://b"]}}, "backends"),
        ({"events": {"domain": {"name": "a.example", "certificate_id": "x"}}}, "certificate_id"),
    ],
)
def test_a_domain_that_cannot_be_shielded_is_refused(
    config: Callable[[str], dict[str, str]], section: dict[str, Any], said: str
) -> None:
    with pytest.raises(Refused, match=said):
        read_settings(config("local") | {"sfoa:integration": json.dumps(section)}, ACCOUNT)


def test_a_domain_behind_the_account_s_own_waf_names_it(config: Callable[[str], dict[str, str]]) -> None:
    values = changed(config("example-production"), adopt_waf=True)
    with pytest.raises(Refused, match="a WAF that isn't named"):
        read_settings(values, ACCOUNT)


def test_each_part_may_be_off(stand: Any) -> None:
    only = stand("local", {"sfoa:integration": json.dumps({"origins": ["https://a.example"]})})
    assert not only.of("V3Function")
    assert not only.of("EventBus")
    assert only.contract["integration_callbacks"] == {}
    assert "integration_event_bus" not in only.contract


def test_the_callback_stands_behind_waf_and_leaves_by_the_addresses_that_orgs_trust(landed: Any) -> None:
    domain = landed.of("V3CustomDomain")["integration-callback"].inputs
    assert domain["wafConfig"] == {"enableWaf": True}
    assert (domain["protocol"], domain["tlsConfig"]["minVersion"]) == ("HTTPS", "TLSv1.2")
    function = landed.of("V3Function")["integration-callback"].inputs
    assert (function["internetAccess"], function["vpcConfig"]["vpcId"]) == (False, landed.contract["network_vpc_id"])
    trigger = json.loads(landed.of("V3Trigger")["integration-callback"].inputs["triggerConfig"])
    assert trigger["disableURLInternet"] is True


def test_the_function_knows_its_org_and_the_name_of_its_secret_alone(landed: Any) -> None:
    environment = landed.of("V3Function")["integration-callback"].inputs["environmentVariables"]
    assert environment["SALESFORCE_URL"].endswith(".my.sfcrmproducts.cn")
    assert environment["SALESFORCE_AUDIENCE"] == "https://login.sfcrmproducts.cn"
    assert environment["SECRET_NAME"] == "acme/callbacks"
    assert set(environment) == {
        *("CHANNELS", "REGION", "SECRET_NAME", "SALESFORCE_URL", "SALESFORCE_AUDIENCE"),
        *("SALESFORCE_API_VERSION", "SALESFORCE_EVENT"),
    }


def test_no_role_of_the_integration_may_more_than_it_needs(landed: Any) -> None:
    for name in ("integration-callback", "integration-events", "integration-gateway"):
        for statement in statements(landed, name):
            assert not [action for action in statement["Action"] if "*" in action]
            assert "*" not in statement["Resource"]
    (read, decrypt, _) = statements(landed, "integration-callback")
    assert read["Resource"] == ["acs:kms:cn-shanghai:1234567890123456:secret/acme/callbacks"]
    assert decrypt["Resource"] == ["acs:kms:cn-shanghai:1234567890123456:key/storage-key-id"]


def test_the_gateway_asks_for_an_app_and_every_event_is_kept(landed: Any) -> None:
    api = landed.of("apigateway/api:Api")["integration-events"].inputs
    assert (api["authType"], api["requestConfig"]["protocol"]) == ("APP", "HTTPS")
    rule = landed.of("eventbridge/rule:Rule")["integration-keep"].inputs
    assert rule["targets"][0]["type"] == "acs.fc.function"
    function = landed.of("V3Function")["integration-events"].inputs
    assert function["environmentVariables"]["BUS"] == landed.contract["integration_event_bus"]
    assert function["vpcConfig"]["vpcId"] == landed.contract["network_vpc_id"]
    mount = function["ossMountConfig"]["mountPoints"][0]
    assert mount["bucketName"] == landed.contract["integration_extracts_bucket"]


def test_an_account_that_has_waf_keeps_its_own(stand: Any, config: Callable[[str], dict[str, str]]) -> None:
    assert len(stand("local").of("wafv3/instance:Instance")) == 1
    values = changed(config("local"), adopt_waf=True)
    assert not stand("local", {"sfoa:integration": values["sfoa:integration"]}).of("wafv3/instance:Instance")


@pytest.mark.parametrize(
    ("callbacks", "said"),
    [
        ({"org": "global-production"}, "not an org of the alibaba edition"),
        ({"channels": []}, "channels"),
        ({"event": "SocialMessage__c"}, "event"),
        ({"layer": "cryptography"}, "layer"),
    ],
)
def test_callbacks_that_cannot_work_are_refused(
    config: Callable[[str], dict[str, str]], callbacks: dict[str, Any], said: str
) -> None:
    with pytest.raises(Refused, match=said):
        read_settings(changed(config("local"), **callbacks), ACCOUNT)


def test_a_certificate_is_one_and_its_key_is_never_said(config: Callable[[str], dict[str, str]]) -> None:
    domain = {"name": "a.example", "certificate": "none", "private_key": "hunter2"}
    with pytest.raises(Refused, match="no PEM certificate") as refused:
        read_settings(changed(config("local"), domain=domain), ACCOUNT)
    assert "hunter2" not in str(refused.value)
    settings = read_settings(config_values_with("hunter2", config), ACCOUNT)
    assert "hunter2" not in repr(settings)


def config_values_with(key: str, config: Callable[[str], dict[str, str]]) -> dict[str, str]:
    values = config("local")
    domain = json.loads(values["sfoa:integration"])["callbacks"]["domain"]
    return changed(values, domain=domain | {"private_key": key})


def test_a_file_that_is_read_without_the_engine_leaves_the_key_unknown(config: Callable[[str], dict[str, str]]) -> None:
    settings = read_settings(config("local"), ACCOUNT)
    assert settings.integration is not None
    assert settings.integration.callbacks is not None
    assert settings.integration.callbacks.domain.private_key.get_secret_value() == ""


@pytest.mark.parametrize("name", ["callback", "events"])
def test_code_is_packed_the_same_every_time(name: str) -> None:
    assert package(name) == package(name)
    archive = zipfile.ZipFile(io.BytesIO(base64.b64decode(package(name))))
    assert {"index.py", "infra/__init__.py", f"infra/functions/{name}/entry.py"} <= set(archive.namelist())
    assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
