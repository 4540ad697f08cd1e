"""The hand-over: what a landing zone tells the release engine. Version 1 of the contract.

Imports neither Pulumi nor a provider, so that readers stay fast. No secret ever travels in it.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic_core import PydanticCustomError

from kit.problems import Place, Problem, Refused
from kit.yamlfile import YamlFile, problems_of

CONTRACT_VERSION: Literal[1] = 1


def _ipv4(text: str) -> str:
    try:
        return str(ipaddress.IPv4Address(text))
    except ValueError as error:
        context = {
            "rule": "Salesforce's trusted IP ranges take IPv4 addresses",
            "fix": "run `pulumi refresh`, then `pulumi up`",
        }
        raise PydanticCustomError("ipv4_address", "not an IPv4 address", context) from error


Text = Annotated[str, StringConstraints(min_length=1)]
Ipv4 = Annotated[str, AfterValidator(_ipv4)]
HttpsUrl = Annotated[str, StringConstraints(pattern=r"^https://[a-z0-9.-]+$")]
Url = Annotated[str, StringConstraints(pattern=r"^https://[a-z0-9.-]+(/[^\s?#]*)?(\?[^\s#]*)?$")]
Certificate = Annotated[str, StringConstraints(pattern=r"^-----BEGIN CERTIFICATE-----\n")]
AccountId = Annotated[str, StringConstraints(pattern=r"^[0-9]+$")]


class SamlProvider(BaseModel):
    """What a Salesforce org must know of the identity provider that signs its users in. All of it is public."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    issuer: Text = Field(description="Entity id of the identity provider")
    sso_url: Url = Field(description="Where the org sends its authentication requests")
    logout_url: Url | None = Field(None, description="Where the org sends a user who logs out")
    certificate: Certificate = Field(description="PEM certificate that assertions are signed with")
    next_certificate: Certificate | None = Field(
        None, description="PEM certificate that follows, while both are valid: the first step of a rollover"
    )


class LandingZoneOutputs(BaseModel):
    """The outputs of one stack: flat keys, because a CumulusCI flow resolves only top-level values.

    A stack may export more than this; what is not in the contract is ignored.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    contract_version: Literal[1] = Field(description="Version of this contract")
    stack: Text = Field(description="Pulumi stack that exported it")
    environment: Text = Field(description="Environment that the stack serves, such as production")
    region: Text = Field(description="Alibaba Cloud region id, such as cn-shanghai")
    account_id: AccountId = Field(description="Alibaba Cloud account that owns everything named here")
    network_vpc_id: Text = Field(description="VPC of the landing zone")
    network_vswitch_ids: tuple[Text, ...] = Field(
        min_length=1, description="Switches of the app tier, in the order of the configured zones"
    )
    network_egress_ips: tuple[Ipv4, ...] = Field(
        min_length=1, description="Every public address that traffic to the orgs can come from, in pool order"
    )
    network_security_group_ids: dict[str, Text] = Field(description="Security group of each tier: app, data, edge")
    storage_endpoint: HttpsUrl = Field(description="Public OSS endpoint of the region")
    storage_releases_bucket: Text = Field(description="Bucket of bundles and plans, versioned")
    storage_ledger_bucket: Text = Field(description="Bucket of the release ledger, under a retention policy")
    storage_backups_bucket: Text = Field(description="Bucket of snapshots and data backups, versioned")
    storage_logs_bucket: Text = Field(description="Bucket of access logs")
    storage_kms_key_id: Text = Field(description="KMS key that encrypts the buckets")
    absent: tuple[Text, ...] = Field(
        (), description="Components that the stack has turned off: their keys are absent or empty"
    )
    network_private_zone: Text | None = Field(None, description="Name of the private DNS zone")
    network_tunnels: tuple[Ipv4, ...] = Field(
        (), description="Public addresses of this side of the IPsec tunnels, for the devices at the other end"
    )
    storage_state_url: Text | None = Field(None, description="Address for `pulumi login` of the state bucket")
    identity_provider: Literal["eiam", "external"] | None = Field(
        None, description="Who signs users in: IDaaS EIAM, or a provider of the customer's"
    )
    identity_saml: dict[str, SamlProvider] = Field(
        default_factory=dict, description="For each org of the alibaba edition: its identity provider"
    )
    identity_roles: dict[str, Text] = Field(
        default_factory=dict, description="ARN of each RAM role: platform, release-runner, auditor, support, ci-…"
    )
    audit_trail: Text | None = Field(None, description="Name of the ActionTrail trail")
    audit_trail_bucket: Text | None = Field(None, description="Bucket of the trail, under a retention policy")
    audit_log_project: Text | None = Field(None, description="SLS project of the landing zone's logs")
    integration_origins: tuple[HttpsUrl, ...] = Field(
        (), description="Origins of pages that embed the orgs, or that the orgs embed"
    )
    integration_endpoints: dict[str, Url] = Field(
        default_factory=dict, description="URL of each endpoint that the orgs call, such as events"
    )
    integration_callbacks: dict[str, Url] = Field(
        default_factory=dict, description="Public URL of each inbound callback: official-account, mini-program, wecom"
    )
    integration_pages: HttpsUrl | None = Field(
        None, description="Address of pages of the company's own that the orgs embed, behind WAF; one of the origins"
    )
    integration_aliases: dict[str, Text] = Field(
        default_factory=dict, description="For each domain behind WAF, what its CNAME record has to point to"
    )
    integration_event_bus: Text | None = Field(None, description="EventBridge bus of change events")
    integration_extracts_bucket: Text | None = Field(None, description="Bucket of bulk extracts, inside China")


def parse_outputs(data: Mapping[str, object], source: str) -> LandingZoneOutputs:
    """Return the contract that `data` holds, as `pulumi stack output --json` prints it.

    `source` is what errors call it: a file name or the stack. Raises `Refused` with every problem at once.
    """
    place = Place(source)
    if not data:
        raise Refused(
            Problem(
                "the stack has no outputs",
                "a landing zone that stands exports its contract",
                "run `pulumi up` first",
                place,
            )
        )
    version = data.get("contract_version")
    if version is not None and version != CONTRACT_VERSION:
        raise Refused(
            Problem(
                "contract_version is one that this release of the kit doesn't know",
                f"this release reads version {CONTRACT_VERSION}",
                "run `pulumi up` with the same release of the kit as the one that reads its outputs",
                place,
                repr(version),
            )
        )
    try:
        return LandingZoneOutputs.model_validate(data)
    except ValidationError as error:
        problems = problems_of(error, YamlFile(source, data, {}))
        raise Refused(problems, f"{source}: not the outputs of a landing zone") from error
