"""The dynamic providers of IDaaS EIAM against the emulator: what the engine would have them do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from emulators.faults import Fault, FaultKind
from emulators.testing import Running, running
from infra.providers import eiam_client
from infra.providers.eiam_application import ApplicationProvider
from infra.providers.eiam_client import CallRefused, Eiam, EiamProvider
from infra.providers.eiam_instance import InstanceProvider
from infra.providers.eiam_policy import MfaPolicyProvider
from infra.providers.eiam_scim import ScimTargetProvider

REGION = {"region": "cn-shanghai"}
MADE_BY = "Salesforce org china-uat: acme/test, by Pulumi"
applications, policies = ApplicationProvider(), MfaPolicyProvider()


@pytest.fixture(scope="module")
def clouds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("eiam")) as clouds, pytest.MonkeyPatch.context() as patch:
        for name, value in clouds.environment.items():
            patch.setenv(name, value)
        yield clouds


@pytest.fixture(scope="module")
def within(clouds: Running) -> dict[str, Any]:
    """Region and id of an instance."""
    props = {**REGION, "description": "acme"}
    made = InstanceProvider().create(props)
    assert InstanceProvider().create(props).id == made.id, "its description is its name"
    return {**REGION, "instance_id": made.id}


def application(within: dict[str, Any], name: str, **more: Any) -> dict[str, Any]:
    addresses = {"entity_id": "https://crm.example.cn", "acs_url": "https://crm.example.cn/acs"}
    settings = {"name_id": "user.username", "application_id": None, "keep": False, "enabled": True}
    return {**within, "name": name, "description": MADE_BY, **addresses, **settings, **more}


def mfa(within: dict[str, Any], **more: Any) -> dict[str, Any]:
    asked = {"groups": [], "methods": ["ia_totp"], "interval_seconds": 600, "enabled": True}
    return {**within, "name": "mfa", "description": MADE_BY, **asked, **more}


def test_what_was_made_is_read_back_without_a_difference(within: dict[str, Any]) -> None:
    props = application(within, "same")
    made = applications.create(props)
    assert made.outs is not None
    assert applications.read(made.id, made.outs).outs == made.outs
    assert applications.diff(made.id, made.outs, props).changes is False
    assert made.outs["saml"]["issuer"].endswith(f"{made.id}/saml2/meta")


def test_a_name_that_others_gave_is_refused_with_the_id_to_adopt(within: dict[str, Any]) -> None:
    theirs = applications.create(application(within, "taken", description="made by hand")).id
    with pytest.raises(ValueError, match=f"didn't make it: adopt it .*{theirs}"):
        applications.create(application(within, "taken"))
    longer = applications.create(application(within, "take")).id
    assert longer != theirs, "a name that begins another one isn't it"


def test_an_application_of_another_protocol_is_not_adopted(within: dict[str, Any]) -> None:
    where = {"InstanceId": within["instance_id"], "ApplicationName": "oidc", "SsoType": "oidc"}
    source = "urn:idaas:app:source:standard"
    theirs = Eiam("cn-shanghai").call("CreateApplication", **where, ApplicationSourceType=source)["ApplicationId"]
    with pytest.raises(ValueError, match="signs in by oidc, not by SAML"):
        applications.create(application(within, "adopted", application_id=theirs))


@pytest.mark.parametrize(
    ("change", "changes", "replaces"),
    [
        ({}, False, []),
        ({"acs_url": "https://other.example.cn"}, True, []),
        ({"keep": True}, True, []),
        ({"instance_id": "idaas_other"}, True, ["instance_id"]),
        ({"application_id": "app_1"}, True, []),
        ({"application_id": "app_2"}, True, ["application_id"]),
    ],
)
def test_only_what_can_t_be_changed_is_replaced(change: dict[str, Any], changes: bool, replaces: list[str]) -> None:
    old = application({**REGION, "instance_id": "idaas_1"}, "crm")
    found = applications.diff("app_1", old, old | change)
    assert (found.changes, found.replaces, found.delete_before_replace) == (changes, replaces, True)


@pytest.mark.parametrize("provider", [InstanceProvider(), applications, policies, ScimTargetProvider()])
def test_what_is_gone_is_read_as_gone_and_deleted_twice_without_harm(clouds: Running, provider: EiamProvider) -> None:
    props = {**REGION, "instance_id": "idaas_gone", "application_id": "app_gone"}
    assert provider.read("gone", props).id == ""
    provider.delete("gone", props)


def test_a_policy_with_an_exception_is_a_difference(within: dict[str, Any]) -> None:
    props = mfa(within)
    made = policies.create(props)
    assert policies.create(props).id == made.id, "an interrupted run finds its own"
    assert made.outs is not None
    assert policies.diff(made.id, made.outs, props).changes is False
    where = {"InstanceId": within["instance_id"], "ConditionalAccessPolicyId": made.id}
    found = Eiam("cn-shanghai").call("GetConditionalAccessPolicy", **where)["ConditionalAccessPolicy"]
    users = found["ConditionsConfig"]["Users"] | {"ExcludeUsers": ["user_chief"]}
    excepted = {"ConditionsConfig": {"Users": users}, "DecisionConfig": found["DecisionConfig"]}
    Eiam("cn-shanghai").call("UpdateConditionalAccessPolicy", **where, **excepted)
    drifted = policies.read(made.id, made.outs).outs
    assert drifted is not None
    assert drifted["enabled"] is False
    assert policies.diff(made.id, drifted, props).changes is True
    mended = policies.update(made.id, drifted, props).outs
    assert mended is not None
    assert mended["enabled"] is True
    policies.delete(made.id, mended)
    assert policies.read(made.id, mended).id == ""


def test_throttled_calls_are_tried_again_and_others_are_not(clouds: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("infra.providers.eiam_client.time.sleep", pauses.append)
    clouds.emulators.faults.add(Fault("eiam.*", FaultKind.THROTTLE, times=2))
    assert Eiam("cn-shanghai").call("ListInstances")["TotalCount"] == 1
    assert pauses == [1, 2]
    clouds.emulators.faults.add(Fault("eiam.*", FaultKind.DENIED))
    with pytest.raises(CallRefused, match=r"ListInstances: Forbidden\.RAM"):
        Eiam("cn-shanghai").call("ListInstances")


def test_a_list_is_read_to_its_last_page(within: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(eiam_client, "PAGE", 1)
    made = [applications.create(application(within, f"page-{number}")).id for number in range(3)]
    where = {"InstanceId": within["instance_id"], "ApplicationName": "page-"}
    rows = Eiam("cn-shanghai").rows("ListApplications", "Applications", **where)
    assert [row["ApplicationId"] for row in rows] == made
    kept = [policies.create(mfa(within, name=f"mfa-{number}")).id for number in range(3)]
    within_instance = {"InstanceId": within["instance_id"]}
    rows = Eiam("cn-shanghai").rows("ListConditionalAccessPolicies", "ConditionalAccessPolicies", **within_instance)
    assert [row["ConditionalAccessPolicyId"] for row in rows] == kept
