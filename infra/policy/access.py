"""Who gets in: public access to data, MFA, wildcard rights and trust, long-lived keys."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from infra.limits import limits
from infra.policy.model import UNKNOWN, Resource, Rules, Severity, Stack, said

RULES = Rules("ACC")
PIPL = "PIPL Art. 51(4), operational rights are limited; from knowledge"
OSS = "help.aliyun.com, OSS, block public access and bucket policy; from knowledge"
MLPS = "GB/T 22239-2019 (MLPS 2.0), 8.1.4.1 identity authentication; from knowledge"
EIAM_MFA = "pulumi-python:dynamic/eiam:MfaPolicy"
DAY_SECONDS = 86_400
ANYONE = {"*", "0.0.0.0/0", "0.0.0.0", "::/0"}  # noqa: S104  refused here, not listened on


@RULES.add(
    "oss.BucketAcl",
    "oss.Bucket",
    "oss.BucketObject",
    title=("Objects can be read by anyone", "任何人都可以读取对象"),
    fix=("set acl: private", "请设置 acl: private"),
    source=OSS,
)
def buckets_are_private(resource: Resource, _: Stack) -> str | None:
    return resource.when("acl", "public-read", "public-read-write")


@RULES.add(
    "oss.BucketPublicAccessBlock",
    "oss.AccountPublicAccessBlock",
    title=("Public grants aren't blocked", "未阻止公共访问授权"),
    fix=("set blockPublicAccess: true", "请设置 blockPublicAccess: true"),
    source=OSS,
)
def public_access_is_blocked(resource: Resource, _: Stack) -> str | None:
    return resource.unless("blockPublicAccess", True)


@RULES.add(
    "oss.Bucket",
    title=("A bucket has no block of public access", "存储空间没有阻止公共访问的配置"),
    fix=("add oss.BucketPublicAccessBlock", "请添加 oss.BucketPublicAccessBlock"),
    source=OSS,
    looks_around=True,
)
def every_bucket_blocks_public_access(resource: Resource, stack: Stack) -> str | None:
    found = stack.around(resource, "oss.BucketPublicAccessBlock") or stack.of("oss.AccountPublicAccessBlock")
    return None if found else "no oss.BucketPublicAccessBlock"


@RULES.add(
    "oss.BucketPolicy",
    "oss.Bucket",
    title=("A bucket policy lets everyone in", "Bucket Policy 允许所有人访问"),
    fix=("name the principals, or add a Condition", "请指定 Principal，或添加 Condition"),
    source=OSS,
)
def bucket_policies_name_whom_they_let_in(resource: Resource, _: Stack) -> str | None:
    for statement in _allowed(resource.get("policy")):
        if "*" in _listed(statement.get("Principal")) and not statement.get("Condition"):
            return 'policy: Allow with Principal "*" and no Condition'
    return None


@RULES.add(
    "ram.SecurityPreference",
    title=("People can log in to the console without MFA", "用户可不经 MFA 登录控制台"),
    fix=("set mfaOperationForLogin: mandatory", "请设置 mfaOperationForLogin: mandatory"),
    source=MLPS,
)
def login_demands_mfa(resource: Resource, _: Stack) -> str | None:
    if resource.get("enforceMfaForLogin") in (True, UNKNOWN):
        return None
    return resource.unless("mfaOperationForLogin", "mandatory")


@RULES.add(
    "cloudsso.Directory",
    title=("CloudSSO lets people in without MFA", "云 SSO 未启用 MFA"),
    fix=("set mfaAuthenticationStatus: Enabled", "请设置 mfaAuthenticationStatus: Enabled"),
    source=MLPS,
)
def sso_demands_mfa(resource: Resource, _: Stack) -> str | None:
    if resource.get("samlIdentityProviderConfiguration.ssoStatus") == "Enabled":
        return None  # the identity provider asks for the second factor
    return resource.unless("mfaAuthenticationStatus", "Enabled")


@RULES.add(
    "ram.Policy",
    title=("A RAM policy allows everything on everything", "RAM 策略允许对所有资源执行所有操作"),
    fix=("name actions and resources", "请指明操作和资源"),
    source=PIPL,
)
def policies_name_what_they_allow(resource: Resource, _: Stack) -> str | None:
    documents = [resource.get("policyDocument"), resource.get("document"), {"Statement": resource.get("statements")}]
    if any(_everything(document) for document in documents):
        return "Allow of Action * on Resource *"
    return None


@RULES.add(
    "ram.Role",
    title=("A role trusts more than it names", "角色信任范围过宽"),
    fix=(
        "name the account, service or provider; bind an OIDC trust to its audience and subject",
        "请指明账号、服务或身份提供商；OIDC 信任须限定 aud 与 sub",
    ),
    source=PIPL,
)
def roles_name_whom_they_trust(resource: Resource, _: Stack) -> str | None:
    for document in (resource.get("assumeRolePolicyDocument"), resource.get("document")):
        for statement in _allowed(document):
            principals = _listed(statement.get("Principal"))
            if "*" in principals or any(p.endswith((":user/*", ":role/*")) for p in principals):
                return f"trusts {said(principals)}"
            federated = any(":oidc-provider/" in principal for principal in principals)
            if federated and not any("oidc:sub" in keys for keys in _conditions(statement)):
                return "trusts every subject of an OIDC provider: no condition on oidc:sub"
    return None


@RULES.add(
    "ram.UserPolicyAttachment",
    "ram.GroupPolicyAttachment",
    "ram.RolePolicyAttachment",
    title=("Someone becomes administrator of the account", "授予了账号管理员权限"),
    fix=("attach a policy that names what is needed", "请附加仅包含所需权限的策略"),
    source=PIPL,
)
def nobody_is_administrator(resource: Resource, _: Stack) -> str | None:
    return resource.when("policyName", "AdministratorAccess")


@RULES.add(
    "ram.AccessKey",
    title=("A long-lived AccessKey is made", "创建了长期 AccessKey"),
    fix=("assume a role instead: by OIDC in CI, by SSO for people", "请改为扮演角色：CI 用 OIDC，人员用 SSO"),
    source=PIPL,
)
def no_long_lived_keys(resource: Resource, _: Stack) -> str | None:
    return resource.unless("status", "Inactive")


@RULES.add(
    "ram.AccountPasswordPolicy",
    title=("Passwords may be short", "密码长度要求过短"),
    fix=("set minimumPasswordLength: 12 or more", "请将 minimumPasswordLength 设为 12 或更长"),
    source=MLPS,
    severity=Severity.ADVISORY,
)
def passwords_are_long(resource: Resource, _: Stack) -> str | None:
    return resource.below("minimumPasswordLength", 12)


@RULES.add(
    "rds.Instance",
    "kvstore.Instance",
    "mongodb.Instance",
    "gpdb.Instance",
    title=("A database takes connections from anywhere", "数据库允许任意来源连接"),
    fix=("name the ranges of the app tier in securityIps", "请在 securityIps 中填写应用层网段"),
    source=PIPL,
)
def databases_name_their_clients(resource: Resource, _: Stack) -> str | None:
    for path in ("securityIps", "securityIpLists"):
        given = resource.get(path)
        if any(source in ANYONE for source in _listed(given)):
            return f"{path}: {said(given)}"
    return None


@RULES.add(
    "rds.Connection",
    "kvstore.Connection",
    "mongodb.PublicNetworkAddress",
    "polardb.EndpointAddress",
    title=("A database gets a public address", "为数据库分配了公网地址"),
    fix=("connect from inside the VPC", "请从专有网络内部连接"),
    source=PIPL,
)
def databases_have_no_public_address(resource: Resource, _: Stack) -> str | None:
    kind = resource.get("netType")
    return None if kind in ("Private", UNKNOWN) else f"{resource.kind}: a public endpoint"


@RULES.add(
    EIAM_MFA,
    title=("Administrators get in without a second factor", "管理员无需二次认证即可登录"),
    fix=(
        "keep the policy on, with ia_totp or ia_webauthn, asked again within a day",
        "请保持策略启用，使用 ia_totp 或 ia_webauthn，并在一天内重新验证",
    ),
    source=MLPS,
)
def sign_in_demands_a_second_factor(resource: Resource, _: Stack) -> str | None:
    methods = resource.get("methods")
    if methods is not UNKNOWN and not set(_listed(methods)) & {"ia_totp", "ia_webauthn"}:
        return f"methods: {said(methods)}"
    interval = resource.get("interval_seconds", 0)
    if interval is not UNKNOWN and not 0 < interval <= DAY_SECONDS:
        return f"interval_seconds: {said(interval)}"
    return resource.unless("enabled", True)


@RULES.add(
    "pulumi-python:dynamic/eiam:SamlApplication",
    title=("An identity provider signs users in without a policy of a second factor", "身份提供商未配置二次认证策略"),
    fix=("add eiam.MfaPolicy to the stack", "请在堆栈中添加 eiam.MfaPolicy"),
    source=MLPS,
    looks_around=True,
)
def applications_stand_behind_a_second_factor(_resource: Resource, stack: Stack) -> str | None:
    return None if stack.of(EIAM_MFA) else "no eiam.MfaPolicy"


@RULES.add(
    "cloudsso.AccessManagement",
    title=("CloudSSO gives a person access directly", "云 SSO 直接向个人授予访问权限"),
    fix=("assign the access configuration to a group", "请将访问配置授予用户组"),
    source=PIPL,
)
def access_is_for_groups(resource: Resource, _: Stack) -> str | None:
    return resource.unless("principalType", "Group")


@RULES.add(
    "cloudsso.AccessConfiguration",
    title=("CloudSSO makes people administrators of accounts", "云 SSO 使人员成为账号管理员"),
    fix=("name policies of what is needed", "请仅列出所需权限的策略"),
    source=PIPL,
)
def sso_makes_no_administrators(resource: Resource, _: Stack) -> str | None:
    for policy in _list(resource.get("permissionPolicies")):
        if not isinstance(policy, Mapping):
            continue
        name = policy.get("permissionPolicyName")
        kind = policy.get("permissionPolicyType")
        if kind == "System" and isinstance(name, str) and name in limits().administering.policies:
            return f"permissionPolicies: {name}"
        if _everything(policy.get("permissionPolicyDocument")):
            return f"permissionPolicies: {said(name)} allows Action * on Resource *"
    return None


def _everything(document: object) -> bool:
    """Return whether a policy document allows every action on every resource."""
    for statement in _allowed(document):
        actions = _listed(statement.get("Action", statement.get("actions")))
        resources = _listed(statement.get("Resource", statement.get("resources")))
        if ("*" in actions or "*:*" in actions) and any(one == "*" or set(one) <= set("acs:*") for one in resources):
            return True
    return False


def _allowed(document: object) -> Iterator[Mapping[str, Any]]:
    """Yield the Allow statements of a policy document, which stands as JSON text or as a structure."""
    if isinstance(document, str):
        try:
            document = json.loads(document)
        except ValueError:
            return
    statements = document.get("Statement") if isinstance(document, Mapping) else None
    for statement in [statements] if isinstance(statements, Mapping) else _list(statements):
        if isinstance(statement, Mapping) and statement.get("Effect", statement.get("effect")) == "Allow":
            yield statement


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _listed(value: object) -> list[str]:
    """Return every text in a value that may be one text, a list, or a mapping of either (as Principal may)."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",")]
    if isinstance(value, Mapping):
        value = list(value.values())
    return [text for item in _list(value) for text in _listed(item)]


def _conditions(statement: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    conditions = statement.get("Condition")
    if isinstance(conditions, Mapping):
        yield from (keys for keys in conditions.values() if isinstance(keys, Mapping))
