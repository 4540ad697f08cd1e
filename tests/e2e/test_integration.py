"""Integration with network and storage alone, under the real engine and the real provider."""

from __future__ import annotations

import base64
import io
import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import alibabacloud_oss_v2 as oss
import pytest

from tests.certificates import self_signed
from tests.e2e.ground import EMPTYING, Ground, beyond_platform, standing_on
from tests.gatewaycalls import post

pytestmark = pytest.mark.e2e
DOMAIN = "callbacks.acme.example"

PROGRAM = """\
from infra.integration import Integration
from infra.network import Network
from infra.storage import Storage

network = Network("network", settings)
storage = Storage("storage", settings)
integration = Integration("integration", settings, settings.integration, network, storage, None)
for key, value in integration.contract.items():
    pulumi.export(key, value)
"""


def sections() -> dict[str, Any]:
    """Return the settings of the integration, with a certificate that is made for them."""
    certificate, private = self_signed(DOMAIN)
    web = {"certificate": certificate, "private_key": private}
    return {
        "sfoa:integration": {
            "origins": ["https://portal.acme.example"],
            "events": {"domain": {"name": "events.acme.example", **web}},
            "pages": {"domain": {"name": "pages.acme.example", **web}, "backends": ["203.0.113.80"]},
            "callbacks": {
                "channels": ["official-account", "wecom"],
                "org": "china-uat",
                "secret": "acme/callbacks",
                "layer": "acs:fc:cn-shanghai:1234567890123456:layers/cryptography/versions/1",
                "domain": {"name": DOMAIN, "certificate": certificate, "private_key": private},
            },
        }
    }


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """The stack, up."""
    with standing_on(tmp_path_factory.mktemp("integrated"), "integrated", PROGRAM) as made:
        made.settle(sections())
        made.up()
        yield made


def test_what_stands_is_what_the_contract_says(ground: Ground) -> None:
    outputs = ground.outputs()
    (bus,), (group,) = ground.kept("alicloud.event_bus"), ground.kept("alicloud.api_group")
    assert outputs["integration_event_bus"] == bus["id"]
    assert outputs["integration_endpoints"] == {"events": "https://events.acme.example/events"}
    assert outputs["integration_pages"] == "https://pages.acme.example"
    assert outputs["integration_origins"] == ["https://portal.acme.example", "https://pages.acme.example"]
    shielded = {domain["id"]: domain for domain in ground.kept("alicloud.waf_domain")}
    assert outputs["integration_aliases"] == {name: domain["Cname"] for name, domain in shielded.items()}
    assert shielded["events.acme.example"]["Redirect"]["Backends"] == [group["SubDomain"]]
    assert shielded["pages.acme.example"]["Redirect"]["Backends"] == ["203.0.113.80"]
    certificates = {f"{one['id']}-cn-hangzhou" for one in ground.kept("alicloud.certificate")}
    assert {domain["Listen"]["CertId"] for domain in shielded.values()} == certificates
    assert {domain["Listen"]["TLSVersion"] for domain in shielded.values()} == {"tlsv1.2"}
    assert outputs["integration_callbacks"] == {
        name: f"https://{DOMAIN}/{name}" for name in ("official-account", "wecom")
    }
    (rule,) = ground.kept("alicloud.event_rule")
    functions = {function["functionArn"]: function for function in ground.kept("fc.function")}
    keeper = functions[rule["targets"][0]["Endpoint"]]
    assert keeper["ossMountConfig"]["mountPoints"][0]["bucketName"] == outputs["integration_extracts_bucket"]
    (api,), (app,) = ground.kept("alicloud.api"), ground.kept("alicloud.api_app")
    assert (api["AuthType"], api["stages"], api["apps"]) == ("APP", ["RELEASE"], [[app["id"], "RELEASE"]])


def test_the_public_domain_has_waf_and_new_tls_and_its_function_no_other_door(ground: Ground) -> None:
    (domain,), (trigger,) = ground.kept("fc.domain"), ground.kept("fc.trigger")
    assert domain["wafConfig"] == {"enableWAF": True}
    assert (domain["protocol"], domain["tlsConfig"]["minVersion"]) == ("HTTPS", "TLSv1.2")
    assert len(ground.kept("alicloud.waf_instance")) == 1
    assert json.loads(trigger["triggerConfig"])["disableURLInternet"] is True


def test_the_certificate_s_key_stands_in_no_state_in_plain(ground: Ground) -> None:
    state = ground.pulumi("stack", "export")
    assert "BEGIN CERTIFICATE" in state
    assert "PRIVATE KEY" not in state


def test_a_second_look_finds_nothing_to_change(ground: Ground) -> None:
    ground.pulumi("preview", "--expect-no-changes")
    ground.pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes")
    assert beyond_platform(ground.calls) == set()
    ground.pulumi("preview", "--expect-no-changes")


def test_the_code_that_was_sent_starts_by_itself(ground: Ground, tmp_path: Path) -> None:
    """Unpacked where nothing else of ours is, as Function Compute does; the engine's state has the code."""
    functions = [row for row in ground.resources() if row["type"] == "alicloud:fc/v3Function:V3Function"]
    assert len(functions) == 2
    for row in functions:
        folder = tmp_path / row["inputs"]["functionName"]
        zipfile.ZipFile(io.BytesIO(base64.b64decode(row["inputs"]["code"]["zipFile"]))).extractall(folder)
        module, _, name = row["inputs"]["handler"].partition(".")
        check = f"import {module}, sys; assert callable({module}.{name}); print({module}.__file__)"
        clean = {"PATH": os.environ["PATH"], "PYTHONPATH": str(folder)}
        done = subprocess.run(
            [sys.executable, "-P", "-c", check], env=clean, cwd=folder, capture_output=True, text=True
        )
        assert done.stdout.strip() == str(folder / "index.py"), done.stderr


def test_a_change_event_posted_to_the_endpoint_goes_over_the_bus_into_the_bucket(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Gateway, function, bus, rule, the function again, bucket: by the roles and rights that the stack made."""
    for name, value in ground.clouds.environment.items():
        monkeypatch.setenv(name, value)
    outputs, (app,), (group,) = ground.outputs(), ground.kept("alicloud.api_app"), ground.kept("alicloud.api_group")
    endpoint = f"https://{group['SubDomain']}/events"  # WAF, which stands before it, isn't a way through here
    header = {"entityName": "Account", "changeType": "UPDATE", "recordIds": ["0015g00000AbCdEAAV"]}
    change = {"event": {"replayId": 7}, "payload": {"ChangeEventHeader": header, "Name": "客户"}}
    body = json.dumps(change, ensure_ascii=False).encode()
    for _ in range(2):  # an org sends again what it isn't sure of
        answer = post(endpoint, body, app["key"], app["secret"])
        assert answer.status_code == 202, answer.headers
    bucket = outputs["integration_extracts_bucket"]
    (key,) = [place for place, _ in ground.clouds.store.all("oss.object", f"{bucket}/")]
    assert re.fullmatch(rf"{bucket}/events/\d{{4}}/\d\d/\d\d/[0-9a-f]{{64}}\.json", key)
    config = oss.config.load_default()
    config.region, config.credentials_provider = "cn-shanghai", oss.credentials.EnvironmentVariableCredentialsProvider()
    asked = oss.GetObjectRequest(bucket=bucket, key=key.partition("/")[2])
    kept = json.loads(oss.Client(config).get_object(asked).body.content)
    assert (kept["data"], kept["type"]) == (change, "salesforce:ChangeEvent:Account")
    assert (kept["aliyuneventbusname"], kept["aliyunregionid"]) == (outputs["integration_event_bus"], "cn-shanghai")
    assert ground.kept("eventbridge.undelivered") == []
    guessed = post(endpoint, body, app["key"], "guessed")
    assert guessed.status_code == 400


def test_destroy_leaves_nothing(ground: Ground) -> None:
    """The last test of the file."""
    before = len(ground.calls)
    ground.destroy()
    assert beyond_platform(ground.calls[before:]) <= EMPTYING
    left = ground.kinds("alicloud.", "fc.", "oss.")
    assert left <= {"alicloud.client_token", "alicloud.kms_key", "alicloud.access_key", "alicloud.api_nonce"}, left
