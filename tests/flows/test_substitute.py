from __future__ import annotations

import json
from pathlib import Path

import pytest

from flows.bundle import Bundle
from flows.components import ComponentKey
from flows.compose import compose_project
from flows.source.project import read_project
from flows.substitute import has_placeholders, substituted
from flows.xmltext import parse
from infra.outputs import LandingZoneOutputs, parse_outputs
from kit.problems import Refused
from tests.flows.source_samples import container, write, xml
from tests.landed import OUTPUTS

PROJECT = json.dumps({"packageDirectories": [{"path": "app"}], "sourceApiVersion": "62.0"})
SITE = "app/remoteSiteSettings/Events.remoteSite-meta.xml"
KEY = ComponentKey("RemoteSiteSetting", "Events")


def outputs(**more: object) -> LandingZoneOutputs:
    return parse_outputs({**OUTPUTS, **more}, "outputs.json")


def bundle(root: Path, url: str, **more: str) -> Bundle:
    files = {SITE: xml("RemoteSiteSetting", isActive="true", url=url), **{f"app/{k}": v for k, v in more.items()}}
    return compose_project(read_project(write(root, files, project=PROJECT)))[0]


def url_of(bundle: Bundle) -> str:
    return parse(bundle.components[KEY].files[0].data).root.findtext("{*}url", "")


def refusal(bundle: Bundle, outputs: LandingZoneOutputs | None) -> str:
    with pytest.raises(Refused) as refused:
        substituted(bundle, outputs)
    (problem,) = refused.value.problems
    return str(problem)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("@{outputs.region}", "cn-shanghai"),
        ("https://@{outputs.network_egress_ips[0]}/", "https://47.100.0.1/"),
        ("@{outputs.integration_endpoints.events}", "https://events.acme.cn/in?a=1"),
        ("@{outputs.identity_saml.china-uat.issuer}", 'idp & "more"'),
        ("<![CDATA[<@{outputs.identity_saml.china-uat.issuer}>]]>", '<idp & "more">'),
        ("<!-- @{outputs.gone} -->@{outputs.region}", "cn-shanghai"),
    ],
)
def test_a_name_gives_way_to_its_value(tmp_path: Path, written: str, value: str) -> None:
    saml = {
        "issuer": 'idp & "more"',
        "sso_url": "https://idp.acme.cn/",
        "certificate": "-----BEGIN CERTIFICATE-----\nA",
    }
    known = outputs(
        integration_endpoints={"events": "https://events.acme.cn/in?a=1"}, identity_saml={"china-uat": saml}
    )
    assert url_of(substituted(bundle(tmp_path, written), known)) == value


def test_the_digest_is_that_of_the_value(tmp_path: Path) -> None:
    plain = bundle(tmp_path, "cn-shanghai").components[KEY].digest
    named = bundle(tmp_path, "@{outputs.region}")
    assert named.components[KEY].digest != plain
    assert substituted(named, outputs()).components[KEY].digest == plain


def test_a_value_of_several_lines_keeps_every_line_where_it_was(tmp_path: Path) -> None:
    saml = {"issuer": "i", "sso_url": "https://idp.acme.cn/", "certificate": "-----BEGIN CERTIFICATE-----\nA\n"}
    named = bundle(tmp_path, "@{outputs.identity_saml.uat.certificate}")
    done = substituted(named, outputs(identity_saml={"uat": saml}))
    assert url_of(done) == saml["certificate"]
    assert done.components[KEY].files[0].data.count(b"\n") == named.components[KEY].files[0].data.count(b"\n")


def test_a_child_of_a_container_is_filled_in_as_well(tmp_path: Path) -> None:
    label = "<labels><fullName>Region</fullName><value>@{outputs.region}</value></labels>"
    named = bundle(tmp_path, "x", **{"labels/CustomLabels.labels-meta.xml": container("CustomLabels", label)})
    fragment = substituted(named, outputs()).components[ComponentKey("CustomLabel", "Region")].fragment
    assert fragment
    assert b"<value>cn-shanghai</value>" in fragment.xml


def test_code_is_left_as_it_is_and_needs_no_outputs(tmp_path: Path) -> None:
    code = "class A { String s = '@{outputs.region}'; }"
    files = {"classes/A.cls": code, "classes/A.cls-meta.xml": xml("ApexClass", apiVersion="62.0")}
    plain = bundle(tmp_path, "{!Account.Name} ${x} {0} @{other}", **files)
    assert not has_placeholders(plain)
    assert substituted(plain, None) is plain


@pytest.mark.parametrize(
    ("path", "what"),
    [
        ("regoin", "did you mean region?"),
        ("network_egress_ips[3]", "network_egress_ips has no 3"),
        ("network_security_group_ids.apps", "did you mean app?"),
        ("network_egress_ips", "name one of them: @{outputs.network_egress_ips[0]}"),
        ("integration_event_bus", "the outputs have no integration_event_bus"),
        ("Region", "not well formed"),
    ],
)
def test_a_name_without_value_is_refused_with_its_line_and_what_to_do(tmp_path: Path, path: str, what: str) -> None:
    said = refusal(bundle(tmp_path, f"@{{outputs.{path}}}"), outputs())
    assert f"{SITE}:4: " in said
    assert what in said


def test_what_is_off_is_said_so(tmp_path: Path) -> None:
    said = refusal(bundle(tmp_path, "@{outputs.integration_event_bus}"), outputs(absent=["integration"]))
    assert "(off: integration)" in said


def test_without_outputs_the_way_to_them_is_named(tmp_path: Path) -> None:
    assert "SFOA_OUTPUTS" in refusal(bundle(tmp_path, "@{outputs.region}"), None)
