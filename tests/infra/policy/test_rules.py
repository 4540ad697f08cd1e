"""A stack that keeps every rule, and each rule broken by one setting of it."""

from __future__ import annotations

import dataclasses
import json
import re
from typing import Any

import pytest

from infra.policy.catalogue import RULES
from infra.policy.keeping import taggable
from infra.policy.model import UNKNOWN, Resource, Stack, Violation, plain, violations

TAGS = {"company": "acme", "environment": "production", "managed-by": "pulumi"}


def allow(**statement: Any) -> str:
    return json.dumps({"Version": "1", "Statement": [{"Effect": "Allow", **statement}]})


def trigger(**more: Any) -> str:
    return json.dumps({"authType": "anonymous", "methods": ["POST"], **more})


def bucket(role: str, **more: Any) -> dict[str, Any]:
    return {"bucket": f"acme-{role}", **more}


def policies(name: str, document: str = "") -> dict[str, Any]:
    kind = {"permissionPolicyType": "Inline", "permissionPolicyDocument": document} if document else {}
    return {"permissionPolicies": [{"permissionPolicyType": "System", "permissionPolicyName": name, **kind}]}


def tunnels(**second: Any) -> dict[str, Any]:
    ike = {"ikeVersion": "ikev2", "ikeEncAlg": "aes256", "ikeAuthAlg": "sha256", "ikePfs": "group14"}
    ipsec = {"ipsecEncAlg": "aes256", "ipsecAuthAlg": "sha256", "ipsecPfs": "group14"}
    ends = [{"tunnelIkeConfig": ike, "tunnelIpsecConfig": ipsec}]
    ends += [
        {"tunnelIkeConfig": ike | second, "tunnelIpsecConfig": {key: second.get(key, ipsec[key]) for key in ipsec}}
    ]
    return {"tunnelOptionsSpecifications": ends}


NAMED = allow(Action="oss:GetObject", Resource="acs:oss:*:*:acme/*", Principal=["1234567890123456"])
OIDC = "acs:ram::1234567890123456:oidc-provider/ci"
TRUST = allow(
    Action="sts:AssumeRole",
    Principal={"Federated": [OIDC]},
    Condition={"StringEquals": {"oidc:sub": ["repo:acme/crm:ref:refs/heads/main"]}},
)
DATABASE = {
    "encryptionKey": "key-1",
    "sslAction": "Open",
    "securityIps": ["10.0.0.0/16"],
    "sqlCollectorStatus": "Enabled",
    "deletionProtection": True,
    "instanceChargeType": "Postpaid",
}
GROUP_RULE = {"type": "ingress", "ipProtocol": "tcp", "portRange": "443/443", "cidrIp": "203.0.113.0/24"}
KEY = {"automaticRotation": "Enabled", "pendingWindowInDays": 30, "deletionProtection": "Enabled"}

# name → token and properties of a stack of production that keeps every rule
GOOD: dict[str, tuple[str, dict[str, Any]]] = {
    "default": ("pulumi:providers:alicloud", {"region": "cn-shanghai"}),
    "replication": (
        "alicloud:oss/bucketReplication:BucketReplication",
        {"destination": {"location": "oss-cn-beijing"}},
    ),
    "peer": ("alicloud:vpc/peerConnection:PeerConnection", {"acceptingRegionId": "cn-beijing"}),
    "device": ("alicloud:vpn/customerGateway:CustomerGateway", {"tags": {**TAGS, "far-end": "CN"}}),
    "tunnels": ("alicloud:vpn/gatewayVpnAttachment:GatewayVpnAttachment", tunnels()),
    "cdn": ("alicloud:cdn/domainNew:DomainNew", {"scope": "domestic"}),
    "ga": ("alicloud:ga/ipSet:IpSet", {"accelerateRegionId": "cn-beijing"}),
    "image": ("alicloud:ecs/imageCopy:ImageCopy", {"destinationRegionId": "cn-beijing"}),
    "key": ("alicloud:kms/key:Key", KEY),
    "disk": ("alicloud:ecs/ecsDisk:EcsDisk", {"encrypted": True}),
    "database": ("alicloud:rds/instance:Instance", DATABASE),
    "files": ("alicloud:nas/fileSystem:FileSystem", {"encryptType": 1}),
    "listener": (
        "alicloud:slb/listener:Listener",
        {"protocol": "https", "tlsCipherPolicy": "tls_cipher_policy_1_2"},
    ),
    "secret": ("alicloud:kms/secret:Secret", {"secretName": "a"}),
    "policy": ("alicloud:oss/bucketPolicy:BucketPolicy", {"bucket": "acme-logs", "policy": NAMED}),
    "preference": ("alicloud:ram/securityPreference:SecurityPreference", {"mfaOperationForLogin": "mandatory"}),
    "sso": ("alicloud:cloudsso/directory:Directory", {"mfaAuthenticationStatus": "Enabled"}),
    "group-access": ("alicloud:cloudsso/accessManagement:AccessManagement", {"principalType": "Group"}),
    "access": (
        "alicloud:cloudsso/accessConfiguration:AccessConfiguration",
        {"permissionPolicies": [{"permissionPolicyType": "System", "permissionPolicyName": "ReadOnlyAccess"}]},
    ),
    "application": ("pulumi-python:dynamic/eiam:SamlApplication", {"name": "crm"}),
    "mfa": (
        "pulumi-python:dynamic/eiam:MfaPolicy",
        {"enabled": True, "methods": ["ia_totp"], "interval_seconds": 3600},
    ),
    "rights": ("alicloud:ram/policy:Policy", {"policyDocument": NAMED}),
    "role": ("alicloud:ram/role:Role", {"assumeRolePolicyDocument": TRUST}),
    "attachment": ("alicloud:ram/rolePolicyAttachment:RolePolicyAttachment", {"policyName": "Deploy"}),
    "passwords": (
        "alicloud:ram/accountPasswordPolicy:AccountPasswordPolicy",
        {"minimumPasswordLength": 14},
    ),
    "private": ("alicloud:rds/connection:Connection", {"netType": "Private"}),
    "access-key": ("alicloud:ram/accessKey:AccessKey", {"status": "Inactive"}),
    "ingress": ("alicloud:ecs/securityGroupRule:SecurityGroupRule", GROUP_RULE),
    "group": ("alicloud:ecs/securityGroup:SecurityGroup", {"innerAccessPolicy": "Drop"}),
    "acl": (
        "alicloud:vpc/networkAcl:NetworkAcl",
        {"ingressAclEntries": [{"policy": "accept", "sourceCidrIp": "10.0.0.0/16", "port": "-1/-1"}]},
    ),
    "machine": ("alicloud:ecs/instance:Instance", {"internetMaxBandwidthOut": 0}),
    "domain": (
        "alicloud:fc/v3CustomDomain:V3CustomDomain",
        {"protocol": "HTTPS", "tlsConfig": {"minVersion": "TLSv1.2"}, "wafConfig": {"enableWaf": True}},
    ),
    "trigger": ("alicloud:fc/v3Trigger:V3Trigger", {"triggerConfig": trigger(disableURLInternet=True)}),
    "api": ("alicloud:apigateway/api:Api", {"authType": "APP", "requestConfig": {"protocol": "HTTPS"}}),
    "gateway": ("alicloud:apigateway/group:Group", {"name": "acme"}),
    "shield": (
        "alicloud:wafv3/domain:Domain",
        {
            "listen": {"httpsPorts": [443], "tlsVersion": "tlsv1.2"},
            "redirect": {"backends": ["group-cn-shanghai.alicloudapi.com"]},
        },
    ),
    "store": ("alicloud:log/store:Store", {"retentionPeriod": 184}),
    "trail": ("alicloud:actiontrail/trail:Trail", {"eventRw": "All", "trailRegion": "All"}),
    "owner": ("alicloud:log/alert:Alert", {"queryLists": [{"query": "event.userIdentity.type: root-account"}]}),
    "address": ("alicloud:ecs/eipAddress:EipAddress", {"deletionProtection": True, "paymentType": "PayAsYouGo"}),
    "nat": ("alicloud:vpc/natGateway:NatGateway", {"deletionProtection": True}),
    "worm-ledger": (
        "alicloud:oss/bucketWorm:BucketWorm",
        {"bucket": "acme-ledger", "status": "Locked", "retentionPeriodInDays": 1095},
    ),
}
for _role in ("logs", "releases", "backups", "ledger"):
    _days = {"lifecycleRules": [{"enabled": True, "expirations": [{"days": 365}]}]} if _role == "logs" else {}
    _of = {"bucket": f"acme-{_role}"}
    GOOD |= {
        f"storage-{_role}": ("alicloud:oss/bucket:Bucket", bucket(_role, **_days)),
        f"bucketacl-{_role}": ("alicloud:oss/bucketAcl:BucketAcl", {**_of, "acl": "private"}),
        f"block-{_role}": (
            "alicloud:oss/bucketPublicAccessBlock:BucketPublicAccessBlock",
            {**_of, "blockPublicAccess": True},
        ),
        f"sse-{_role}": (
            "alicloud:oss/bucketServerSideEncryption:BucketServerSideEncryption",
            {**_of, "sseAlgorithm": "KMS", "kmsMasterKeyId": "key-1"},
        ),
        f"https-{_role}": (
            "alicloud:oss/bucketHttpsConfig:BucketHttpsConfig",
            {**_of, "enable": True, "tlsVersions": ["TLSv1.2", "TLSv1.3"]},
        ),
    }
    if _role != "logs":
        GOOD[f"logging-{_role}"] = ("alicloud:oss/bucketLogging:BucketLogging", {**_of, "targetBucket": "acme-logs"})
    if _role in ("releases", "backups"):
        GOOD[f"versions-{_role}"] = ("alicloud:oss/bucketVersioning:BucketVersioning", {**_of, "status": "Enabled"})

GONE = object()  # the resource isn't there at all
UNPROTECTED = object()
EXPIRING = {"lifecycleRules": [{"enabled": True, "expirations": [{"days": 30}]}]}
OPEN_ENTRY = {"ingressAclEntries": [{"policy": "accept", "sourceCidrIp": "0.0.0.0/0", "port": "-1/-1"}]}

# rule → the resource that breaks it, and by what
BROKEN: dict[str, list[tuple[str, Any]]] = {
    "SFOA-RES-001": [("default", {"region": "ap-southeast-1"}), ("default", {"region": "cn-hongkong"})],
    "SFOA-RES-002": [("replication", {"destination": {"location": "oss-us-west-1"}})],
    "SFOA-RES-003": [("peer", {"acceptingRegionId": "eu-central-1"})],
    "SFOA-RES-004": [("cdn", {"scope": "global"}), ("cdn", {"scope": "overseas"})],
    "SFOA-RES-005": [("ga", {"accelerateRegionId": "us-west-1"})],
    "SFOA-RES-006": [("image", {"destinationRegionId": "ap-southeast-1"})],
    "SFOA-RES-007": [("device", {"tags": {**TAGS, "far-end": "HK"}}), ("device", {"tags": TAGS})],
    "SFOA-ENC-001": [("sse-logs", {"sseAlgorithm": "AES256"}), ("sse-logs", {"kmsMasterKeyId": None})],
    "SFOA-ENC-002": [("sse-ledger", GONE)],
    "SFOA-ENC-003": [("key", {"automaticRotation": "Disabled"}), ("key", {"automaticRotation": None})],
    "SFOA-ENC-004": [("key", {"pendingWindowInDays": 7})],
    "SFOA-ENC-005": [("disk", {"encrypted": False}), ("disk", {"encrypted": None})],
    "SFOA-ENC-006": [("database", {"encryptionKey": None})],
    "SFOA-ENC-007": [("database", {"sslAction": "Close"})],
    "SFOA-ENC-008": [("files", {"encryptType": 0})],
    "SFOA-ENC-009": [("https-logs", {"tlsVersions": ["TLSv1.1", "TLSv1.2"]}), ("https-logs", {"enable": False})],
    "SFOA-ENC-010": [("https-releases", GONE)],
    "SFOA-ENC-011": [("listener", {"tlsCipherPolicy": "tls_cipher_policy_1_0"})],
    "SFOA-ENC-012": [("listener", {"protocol": "http"})],
    "SFOA-ENC-013": [("secret", {"forceDeleteWithoutRecovery": True})],
    "SFOA-ENC-014": [
        ("tunnels", tunnels(ikeVersion="ikev1")),
        ("tunnels", tunnels(ikePfs="group2")),
        ("tunnels", tunnels(ipsecEncAlg="3des")),
        ("tunnels", {"tunnelOptionsSpecifications": None}),
    ],
    "SFOA-ACC-001": [("bucketacl-logs", {"acl": "public-read"}), ("storage-logs", {"acl": "public-read-write"})],
    "SFOA-ACC-002": [("block-logs", {"blockPublicAccess": False})],
    "SFOA-ACC-003": [("block-backups", GONE)],
    "SFOA-ACC-004": [("policy", {"policy": allow(Action="oss:GetObject", Resource="acs:oss:*:*:a", Principal=["*"])})],
    "SFOA-ACC-005": [("preference", {"mfaOperationForLogin": "independent"})],
    "SFOA-ACC-006": [("sso", {"mfaAuthenticationStatus": "Disabled"})],
    "SFOA-ACC-007": [("rights", {"policyDocument": allow(Action="*", Resource="*")})],
    "SFOA-ACC-008": [
        ("role", {"assumeRolePolicyDocument": allow(Action="sts:AssumeRole", Principal={"RAM": ["*"]})}),
        ("role", {"assumeRolePolicyDocument": allow(Action="sts:AssumeRole", Principal={"Federated": [OIDC]})}),
    ],
    "SFOA-ACC-009": [("attachment", {"policyName": "AdministratorAccess"})],
    "SFOA-ACC-010": [("access-key", {"status": "Active"}), ("access-key", {"status": None})],
    "SFOA-ACC-011": [("passwords", {"minimumPasswordLength": 8})],
    "SFOA-ACC-012": [("database", {"securityIps": ["10.0.0.0/16", "0.0.0.0/0"]})],
    "SFOA-ACC-013": [("private", {"netType": "Public"}), ("private", {"netType": None})],
    "SFOA-ACC-014": [
        ("mfa", {"enabled": False}),
        ("mfa", {"methods": ["ia_otp_sms"]}),
        ("mfa", {"methods": []}),
        ("mfa", {"interval_seconds": 604_800}),
        ("mfa", {"interval_seconds": None}),
    ],
    "SFOA-ACC-015": [("mfa", GONE)],
    "SFOA-ACC-016": [("group-access", {"principalType": "User"})],
    "SFOA-ACC-017": [
        ("access", policies("AdministratorAccess")),
        ("access", policies("all", allow(Action="*", Resource="*"))),
    ],
    "SFOA-API-001": [("domain", {"wafConfig": None}), ("domain", {"wafConfig": {"enableWaf": False}})],
    "SFOA-API-002": [("domain", {"protocol": "HTTP,HTTPS"}), ("domain", {"tlsConfig": {"minVersion": "TLSv1.0"}})],
    "SFOA-API-003": [("trigger", {"triggerConfig": trigger()})],
    "SFOA-API-004": [("api", {"authType": "ANONYMOUS"})],
    "SFOA-API-005": [("api", {"requestConfig": {"protocol": "HTTP"}})],
    "SFOA-NET-001": [("ingress", {"cidrIp": "0.0.0.0/0"}), ("ingress", {"cidrIp": None, "ipv6CidrIp": "::/0"})],
    "SFOA-NET-002": [("ingress", {"portRange": "1/65535"}), ("ingress", {"portRange": "-1/-1"})],
    "SFOA-NET-003": [("group", {"innerAccessPolicy": "Accept"})],
    "SFOA-NET-004": [("acl", OPEN_ENTRY)],
    "SFOA-NET-005": [("machine", {"internetMaxBandwidthOut": 10})],
    "SFOA-API-006": [
        ("shield", {"listen": {"httpsPorts": [443], "tlsVersion": "tlsv1.1"}}),
        ("shield", {"listen": {"httpsPorts": [443], "httpPorts": [80], "tlsVersion": "tlsv1.2"}}),
        ("shield", {"listen": {"httpPorts": [80], "focusHttps": True, "tlsVersion": "tlsv1.2"}}),
    ],
    "SFOA-API-007": [("shield", {"redirect": {"backends": ["203.0.113.7"]}}), ("shield", GONE)],
    "SFOA-LOG-001": [("store", {"retentionPeriod": 183}), ("store", {"retentionPeriod": None})],
    "SFOA-LOG-002": [("storage-logs", EXPIRING)],
    "SFOA-LOG-003": [("logging-ledger", GONE)],
    "SFOA-LOG-004": [("trail", {"eventRw": "Write"}), ("trail", {"trailRegion": "cn-beijing"})],
    "SFOA-LOG-005": [("database", {"sqlCollectorStatus": "Disabled"})],
    "SFOA-LOG-006": [("owner", {"queryLists": [{"query": "event.eventName: DeleteTrail"}]}), ("owner", GONE)],
    "SFOA-KEEP-001": [("address", UNPROTECTED), ("storage-backups", UNPROTECTED), ("store", UNPROTECTED)],
    "SFOA-KEEP-002": [("nat", {"deletionProtection": False}), ("key", {"deletionProtection": "Disabled"})],
    "SFOA-KEEP-003": [("storage-releases", {"forceDestroy": True})],
    "SFOA-KEEP-004": [("worm-ledger", GONE)],
    "SFOA-KEEP-005": [("worm-ledger", {"status": "InProgress"})],
    "SFOA-KEEP-006": [("worm-ledger", {"retentionPeriodInDays": 183})],
    "SFOA-KEEP-007": [("storage-ledger", EXPIRING)],
    "SFOA-KEEP-008": [("versions-releases", GONE), ("versions-backups", {"status": "Suspended"})],
    "SFOA-KEEP-009": [("nat", {"tags": {"company": "acme"}}), ("storage-logs", {"tags": None})],
    "SFOA-KEEP-010": [("address", {"paymentType": "Subscription"})],
}


def stack(changed: str = "", change: Any = None) -> Stack:
    resources = []
    for name, (token, properties) in GOOD.items():
        inputs = {"tags": TAGS, **properties} if token in taggable() else dict(properties)
        mine = change if name == changed else {}
        if mine is GONE:
            continue
        if isinstance(mine, dict):
            inputs |= mine
        resources.append(Resource(token, name, inputs, f"urn:{name}", protect=mine is not UNPROTECTED))
    return Stack(tuple(resources))


def ids(found: list[Violation]) -> set[str]:
    return {violation.rule.id for violation in found}


def test_a_stack_that_keeps_every_rule_breaks_none() -> None:
    assert [(v.rule.id, v.resource.name, v.found) for v in violations(RULES, stack())] == []


@pytest.mark.parametrize(
    ("rule", "name", "change"),
    [(rule, name, change) for rule, ways in BROKEN.items() for name, change in ways],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_one_broken_setting_fires_just_its_rule(rule: str, name: str, change: Any) -> None:
    assert ids(violations(RULES, stack(name, change))) == {rule}


def test_every_rule_is_broken_by_some_setting() -> None:
    assert set(BROKEN) == {rule.id for rule in RULES}
    assert len(RULES) >= 25


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_says_itself_in_both_languages_with_its_source(rule: Any) -> None:
    assert re.fullmatch(r"SFOA-[A-Z]{3,4}-\d{3}", rule.id)
    for text in (rule.title, rule.fix):
        assert text.en.isascii()
        assert re.search(r"[\u4e00-\u9fff]", text.zh)
    assert rule.source


@pytest.mark.parametrize(("rule", "ways"), BROKEN.items(), ids=BROKEN)
def test_what_is_known_only_after_the_update_breaks_no_rule(rule: str, ways: list[tuple[str, Any]]) -> None:
    for name, change in ways:
        if isinstance(change, dict):
            assert rule not in ids(violations(RULES, stack(name, dict.fromkeys(change, UNKNOWN))))


def test_outside_production_the_stack_may_be_thrown_away() -> None:
    loose = tuple(
        dataclasses.replace(
            r,
            protect=False,
            properties={
                **r.properties,
                **({"tags": {**r.properties["tags"], "environment": "local"}} if "tags" in r.properties else {}),
            },
        )
        for r in stack("storage-releases", {"forceDestroy": True}).resources
    )
    assert violations(RULES, Stack(loose)) == []


def test_a_link_abroad_with_its_legal_basis_passes() -> None:
    based = {"acceptingRegionId": "eu-central-1", "tags": {**TAGS, "legal-basis": "CAC assessment 2026-17"}}
    assert violations(RULES, stack("peer", based)) == []


def test_a_tunnel_abroad_with_its_legal_basis_passes() -> None:
    based = {"tags": {**TAGS, "far-end": "SE", "legal-basis": "product-safety-escalations"}}
    assert violations(RULES, stack("device", based)) == []


def test_a_bucket_is_found_by_reference_before_its_name_is_known() -> None:
    bare = Resource("alicloud:oss/bucket:Bucket", "a", {}, "urn:a")
    guard = Resource(
        "alicloud:oss/bucketHttpsConfig:BucketHttpsConfig",
        "a",
        {"bucket": UNKNOWN},
        references={"bucket": frozenset({"urn:a"})},
    )
    tls = [rule for rule in RULES if rule.id == "SFOA-ENC-010"]
    assert violations(tls, Stack((bare,)))
    assert not violations(tls, Stack((bare, guard)))


def test_a_secret_reaches_no_rule() -> None:
    secret = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "plaintext": "hunter2"}
    assert plain({"a": [secret]}) == {"a": [UNKNOWN]}
