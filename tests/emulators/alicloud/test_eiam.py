"""IDaaS EIAM through its official Python SDK, unchanged, and the portals that serve metadata."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from alibabacloud_eiam20211201 import models as eiam
from alibabacloud_eiam20211201.client import Client
from alibabacloud_tea_openapi.models import Config
from cryptography import x509
from lxml import etree

from emulators.alicloud.account import ACCESS_KEY_ID, ACCESS_KEY_SECRET
from emulators.testing import Running, running
from tests.emulators.alicloud.rpc_cloud import Cloud, Refusal

POLICY = {
    "conditional_access_policy_name": "mfa",
    "conditional_access_policy_type": "arn:alibaba:idaas:authn:access:policy:system",
    "decision_type": "enforcement",
    "evaluate_at": "arn:alibaba:idaas:authn:access:rule:eval_at:after_step1",
    "priority": 1,
}
CERTIFICATE = "{http://www.w3.org/2000/09/xmldsig#}X509Certificate"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("eiam")) as emulators:
        yield emulators


@pytest.fixture(scope="module")
def client(world: Running) -> Client:
    keys = {"access_key_id": ACCESS_KEY_ID, "access_key_secret": ACCESS_KEY_SECRET}
    proxy = world.environment["HTTPS_PROXY"]
    return Client(Config(region_id="cn-shanghai", ca=str(world.ca_file), https_proxy=proxy, **keys))


@pytest.fixture(scope="module")
def instance(client: Client) -> str:
    """An instance that runs."""
    ident: str = client.create_instance(
        eiam.CreateInstanceRequest(description="acme", client_token="once")
    ).body.instance_id
    again = client.create_instance(eiam.CreateInstanceRequest(description="acme", client_token="once")).body.instance_id
    assert again == ident
    until = time.monotonic() + 10
    while client.get_instance(eiam.GetInstanceRequest(instance_id=ident)).body.instance.status != "running":
        assert time.monotonic() < until
        time.sleep(0.2)
    return ident


@pytest.fixture(scope="module")
def application(client: Client, instance: str) -> str:
    """A SAML application that is configured and enabled."""
    made = eiam.CreateApplicationRequest(
        instance_id=instance,
        application_name="crm",
        application_source_type="urn:idaas:app:source:standard",
        sso_type="saml2",
    )
    ident: str = client.create_application(made).body.application_id
    saml = eiam.SetApplicationSsoConfigRequestSamlSsoConfig(
        sp_entity_id="https://crm.example.cn",
        sp_sso_acs_url="https://crm.example.cn/acs",
        assertion_signed=True,
        response_signed=False,
        attribute_statements=[
            eiam.SetApplicationSsoConfigRequestSamlSsoConfigAttributeStatements(
                attribute_name="mail", attribute_value_expression="user.email"
            )
        ],
    )
    where = {"instance_id": instance, "application_id": ident}
    client.set_application_sso_config(eiam.SetApplicationSsoConfigRequest(saml_sso_config=saml, **where))
    client.enable_application_sso(eiam.EnableApplicationSsoRequest(**where))
    return ident


def config_of(client: Client, instance: str, application: str) -> Any:
    asked = eiam.GetApplicationSsoConfigRequest(instance_id=instance, application_id=application)
    return client.get_application_sso_config(asked).body.application_sso_config


def test_what_the_sdk_sets_on_an_application_it_reads_back(client: Client, instance: str, application: str) -> None:
    config = config_of(client, instance, application)
    saml = config.saml_sso_config
    assert (config.sso_status, saml.sp_entity_id) == ("enabled", "https://crm.example.cn")
    assert (saml.sp_sso_acs_url, saml.assertion_signed) == ("https://crm.example.cn/acs", True)
    assert saml.attribute_statements[0].attribute_value_expression == "user.email"
    listed = client.list_applications(eiam.ListApplicationsRequest(instance_id=instance, application_name="crm")).body
    assert [(row.application_id, row.sso_type) for row in listed.applications] == [(application, "saml2")]


def test_the_portal_serves_metadata_with_a_real_certificate(
    world: Running, client: Client, instance: str, application: str
) -> None:
    config = config_of(client, instance, application)
    url = config.protocol_endpoint_domain.saml_meta_endpoint
    fetch = {"proxies": world.proxies, "verify": str(world.ca_file)}
    first, second = (requests.get(url, **fetch).content for _ in range(2))  # type: ignore[arg-type]
    assert first == second
    root = etree.fromstring(first)
    assert root.get("entityID") == config.saml_sso_config.id_pentity_id
    certificate = x509.load_der_x509_certificate(base64.b64decode(root.findtext(f".//{CERTIFICATE}") or ""))
    certificate.verify_directly_issued_by(certificate)
    assert requests.get(url.replace("app_", "app_x"), **fetch).status_code == 404  # type: ignore[arg-type]


def test_a_certificate_goes_with_its_application(world: Running, client: Client, instance: str) -> None:
    made = {"application_name": "short-lived", "application_source_type": "urn:idaas:app:source:standard"}
    where = {"instance_id": instance}
    ident = client.create_application(eiam.CreateApplicationRequest(sso_type="saml2", **made, **where)).body
    where["application_id"] = ident.application_id
    client.enable_application_sso(eiam.EnableApplicationSsoRequest(**where))
    url = config_of(client, instance, ident.application_id).protocol_endpoint_domain.saml_meta_endpoint
    assert requests.get(url, proxies=world.proxies, verify=str(world.ca_file)).status_code == 200
    assert world.store.get("idaas.certificate", ident.application_id)
    client.disable_application(eiam.DisableApplicationRequest(**where))
    client.delete_application(eiam.DeleteApplicationRequest(**where))
    assert world.store.get("idaas.certificate", ident.application_id) is None


def test_a_provisioning_token_is_never_shown_again(client: Client, instance: str, application: str) -> None:
    request = eiam.SetApplicationProvisioningConfigRequest
    part = eiam.SetApplicationProvisioningConfigRequestScimProvisioningConfig
    authn = eiam.SetApplicationProvisioningConfigRequestScimProvisioningConfigAuthnConfiguration
    param = eiam.SetApplicationProvisioningConfigRequestScimProvisioningConfigAuthnConfigurationAuthnParam
    where = {"instance_id": instance, "application_id": application}
    client.set_application_provisioning_config(
        request(
            provision_protocol_type="scim2",
            scim_provisioning_config=part(
                scim_base_url="https://crm.example.cn/scim/v2/",
                provisioning_actions=["urn:alibaba:idaas:app:scim:User:CREATE"],
                authn_configuration=authn(
                    authn_mode="oauth2", grant_type="bearer_token", authn_param=param(access_token="hidden-token")
                ),
            ),
            **where,
        )
    )
    client.enable_application_provisioning(eiam.EnableApplicationProvisioningRequest(**where))
    shown = client.get_application_provisioning_config(eiam.GetApplicationProvisioningConfigRequest(**where)).body
    config = shown.application_provisioning_config
    assert (config.status, config.provision_protocol_type) == ("enabled", "scim2")
    assert config.scim_provisioning_config.scim_base_url == "https://crm.example.cn/scim/v2/"
    assert config.scim_provisioning_config.provisioning_actions == ["urn:alibaba:idaas:app:scim:User:CREATE"]
    assert "hidden-token" not in str(config.to_map())


def test_a_policy_demands_a_second_factor_until_it_is_disabled(client: Client, instance: str) -> None:
    part = eiam.CreateConditionalAccessPolicyRequestDecisionConfig
    users = eiam.CreateConditionalAccessPolicyRequestConditionsConfigUsers(include_groups=["group_1"])
    decision = part(effect="allow", mfa_type="mfa_required", mfa_authentication_methods=["ia_totp"])
    decision.mfa_authentication_interval_seconds = 600
    made = eiam.CreateConditionalAccessPolicyRequest(
        instance_id=instance,
        conditions_config=eiam.CreateConditionalAccessPolicyRequestConditionsConfig(users=users),
        decision_config=decision,
        **POLICY,
    )
    ident = client.create_conditional_access_policy(made).body.conditional_access_policy_id
    where = {"instance_id": instance, "conditional_access_policy_id": ident}
    client.enable_conditional_access_policy(eiam.EnableConditionalAccessPolicyRequest(**where))
    asked = eiam.GetConditionalAccessPolicyRequest(**where)
    shown = client.get_conditional_access_policy(asked).body.conditional_access_policy
    assert (shown.status, shown.decision_config.mfa_authentication_methods) == ("enabled", ["ia_totp"])
    assert shown.decision_config.mfa_authentication_interval_seconds == 600
    assert shown.conditions_config.users.include_groups == ["group_1"]
    with pytest.raises(Exception, match=r"OperationDenied\.EntityEnabled"):
        client.delete_conditional_access_policy(eiam.DeleteConditionalAccessPolicyRequest(**where))
    client.disable_conditional_access_policy(eiam.DisableConditionalAccessPolicyRequest(**where))
    client.delete_conditional_access_policy(eiam.DeleteConditionalAccessPolicyRequest(**where))
    left = client.list_conditional_access_policies(eiam.ListConditionalAccessPoliciesRequest(instance_id=instance)).body
    assert left.total_count == 0


def test_identity_providers_of_ram_are_made_changed_and_gone(cloud: Cloud) -> None:
    metadata = base64.b64encode(b"<EntityDescriptor><X509Certificate/></EntityDescriptor>").decode()
    saml = cloud("ims", "CreateSAMLProvider", SAMLProviderName="console", EncodedSAMLMetadataDocument=metadata)
    assert saml["SAMLProvider"]["Arn"] == "acs:ram::1234567890123456:saml-provider/console"
    with pytest.raises(Refusal, match=r"EntityAlreadyExists\.SAMLProvider"):
        cloud("ims", "CreateSAMLProvider", SAMLProviderName="console", EncodedSAMLMetadataDocument=metadata)
    cloud("ims", "UpdateSAMLProvider", SAMLProviderName="console", NewDescription="people")
    assert cloud("ims", "GetSAMLProvider", SAMLProviderName="console")["SAMLProvider"]["Description"] == "people"
    cloud("ims", "DeleteSAMLProvider", SAMLProviderName="console")
    with pytest.raises(Refusal, match=r"EntityNotExist\.SAMLProvider"):
        cloud("ims", "GetSAMLProvider", SAMLProviderName="console")

    sent = {"OIDCProviderName": "ci", "IssuerUrl": "https://ci.example.com", "ClientIds": "sts.aliyuncs.com"}
    cloud("ims", "CreateOIDCProvider", Fingerprints="a" * 40, **sent)
    cloud("ims", "AddFingerprintToOIDCProvider", OIDCProviderName="ci", Fingerprint="b" * 40)
    cloud("ims", "RemoveFingerprintFromOIDCProvider", OIDCProviderName="ci", Fingerprint="a" * 40)
    assert cloud("ims", "GetOIDCProvider", OIDCProviderName="ci")["OIDCProvider"]["Fingerprints"] == "b" * 40
    with pytest.raises(Refusal, match="Fingerprints"):
        cloud("ims", "RemoveFingerprintFromOIDCProvider", OIDCProviderName="ci", Fingerprint="b" * 40)
    cloud("ims", "DeleteOIDCProvider", OIDCProviderName="ci")
