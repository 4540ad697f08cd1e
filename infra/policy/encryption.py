"""Encryption at rest and on the way, and the keys."""

from __future__ import annotations

from infra.policy.model import UNKNOWN, Resource, Rules, Severity, Stack, said

RULES = Rules("ENC")
AT_REST = "Data Security Law Art. 27 (encryption among the protective measures); from knowledge"
TLS = "RFC 8996 (2021-03): TLS 1.0 and 1.1 must not be used; from knowledge"
KMS = "help.aliyun.com, KMS, key rotation and key deletion; from knowledge"
STRONG = {"TLSv1.2", "TLSv1.3"}
LEAST_WINDOW_DAYS = 30


@RULES.add(
    "oss.BucketServerSideEncryption",
    title=("A bucket isn't encrypted by a key of ours", "存储空间未使用自有密钥加密"),
    fix=("set sseAlgorithm: KMS and kmsMasterKeyId", "请设置 sseAlgorithm: KMS 和 kmsMasterKeyId"),
    source=AT_REST,
)
def buckets_are_encrypted_by_kms(resource: Resource, _: Stack) -> str | None:
    return resource.unless("sseAlgorithm", "KMS") or resource.when("kmsMasterKeyId", None, "")


@RULES.add(
    "oss.Bucket",
    title=("A bucket has no encryption", "存储空间没有加密配置"),
    fix=("add oss.BucketServerSideEncryption with a KMS key", "请添加使用 KMS 密钥的 oss.BucketServerSideEncryption"),
    source=AT_REST,
    looks_around=True,
)
def every_bucket_has_encryption(resource: Resource, stack: Stack) -> str | None:
    inside = resource.get("serverSideEncryptionRule.sseAlgorithm")
    found = stack.around(resource, "oss.BucketServerSideEncryption")
    return None if found or inside in ("KMS", UNKNOWN) else "no oss.BucketServerSideEncryption"


@RULES.add(
    "kms.Key",
    title=("A key isn't rotated", "密钥未启用自动轮转"),
    fix=(
        "set automaticRotation: Enabled and rotationInterval",
        "请设置 automaticRotation: Enabled 和 rotationInterval",
    ),
    source=KMS,
)
def keys_rotate(resource: Resource, _: Stack) -> str | None:
    symmetric = resource.get("keySpec") in (None, "Aliyun_AES_256", "Aliyun_SM4")  # only these can be rotated
    return resource.unless("automaticRotation", "Enabled") if symmetric else None


@RULES.add(
    "kms.Key",
    title=("A key of production is lost too soon after its deletion", "生产环境密钥的删除等待期过短"),
    fix=("set pendingWindowInDays: 30 or more", "请将 pendingWindowInDays 设为 30 或更长"),
    source=KMS,
    looks_around=True,
)
def keys_wait_before_they_are_lost(resource: Resource, stack: Stack) -> str | None:
    return resource.below("pendingWindowInDays", LEAST_WINDOW_DAYS) if stack.production else None


@RULES.add(
    "ecs.EcsDisk",
    "ecs.Disk",
    title=("A disk isn't encrypted", "云盘未加密"),
    fix=("set encrypted: true", "请设置 encrypted: true"),
    source=AT_REST,
)
def disks_are_encrypted(resource: Resource, _: Stack) -> str | None:
    return resource.unless("encrypted", True)


@RULES.add(
    "rds.Instance",
    title=("A database isn't encrypted at rest", "数据库未启用静态加密"),
    fix=("set encryptionKey, or tdeStatus: Enabled", "请设置 encryptionKey，或 tdeStatus: Enabled"),
    source=AT_REST,
)
def databases_are_encrypted(resource: Resource, _: Stack) -> str | None:
    if resource.get("encryptionKey"):
        return None
    return resource.unless("tdeStatus", "Enabled")


@RULES.add(
    "rds.Instance",
    title=("Connections to a database aren't encrypted", "数据库连接未加密"),
    fix=("set sslAction: Open", "请设置 sslAction: Open"),
    source=TLS,
)
def database_connections_are_encrypted(resource: Resource, _: Stack) -> str | None:
    return resource.unless("sslAction", "Open", "Update")


@RULES.add(
    "nas.FileSystem",
    title=("A file system isn't encrypted", "文件系统未加密"),
    fix=(
        "set encryptType: 2 and kmsKeyId (or encryptType: 1)",
        "请设置 encryptType: 2 和 kmsKeyId（或 encryptType: 1）",
    ),
    source=AT_REST,
)
def file_systems_are_encrypted(resource: Resource, _: Stack) -> str | None:
    return resource.when("encryptType", None, 0)


@RULES.add(
    "oss.BucketHttpsConfig",
    title=("A bucket takes old TLS", "存储空间允许旧版 TLS"),
    fix=(
        "set enable: true and tlsVersions: [TLSv1.2, TLSv1.3]",
        "请设置 enable: true 和 tlsVersions: [TLSv1.2, TLSv1.3]",
    ),
    source=TLS,
)
def buckets_refuse_old_tls(resource: Resource, _: Stack) -> str | None:
    versions = resource.get("tlsVersions", [])
    weak = isinstance(versions, list) and (not versions or not {v for v in versions if v is not UNKNOWN} <= STRONG)
    return resource.unless("enable", True) or (f"tlsVersions: {said(versions)}" if weak else None)


@RULES.add(
    "oss.Bucket",
    title=("A bucket doesn't say which TLS it takes", "存储空间未限定 TLS 版本"),
    fix=("add oss.BucketHttpsConfig", "请添加 oss.BucketHttpsConfig"),
    source=TLS,
    looks_around=True,
)
def every_bucket_limits_tls(resource: Resource, stack: Stack) -> str | None:
    return None if stack.around(resource, "oss.BucketHttpsConfig") else "no oss.BucketHttpsConfig"


@RULES.add(
    "slb.Listener",
    "alb.Listener",
    "nlb.Listener",
    title=("A listener takes old TLS", "监听允许旧版 TLS"),
    fix=("choose tls_cipher_policy_1_2 or stricter", "请选择 tls_cipher_policy_1_2 或更严格的策略"),
    source=TLS,
)
def listeners_refuse_old_tls(resource: Resource, _: Stack) -> str | None:
    old = ("tls_cipher_policy_1_0", "tls_cipher_policy_1_1")
    return resource.when("tlsCipherPolicy", *old) or resource.when("securityPolicyId", *old)


@RULES.add(
    "slb.Listener",
    "alb.Listener",
    title=("A listener takes plain HTTP", "监听使用明文 HTTP"),
    fix=("listen with HTTPS, or forward to such a listener", "请使用 HTTPS 监听，或转发到 HTTPS 监听"),
    source="PIPL Art. 51(3), encryption as a security measure; from knowledge",
    severity=Severity.ADVISORY,
)
def listeners_speak_https(resource: Resource, _: Stack) -> str | None:
    if resource.get("listenerForward") == "on":
        return None
    return resource.when("protocol", "http") or resource.when("listenerProtocol", "HTTP")


@RULES.add(
    "kms.Secret",
    title=("A deleted secret could not be recovered", "凭据删除后无法恢复"),
    fix=("remove forceDeleteWithoutRecovery", "请移除 forceDeleteWithoutRecovery"),
    source=KMS,
)
def secrets_can_be_recovered(resource: Resource, _: Stack) -> str | None:
    return resource.when("forceDeleteWithoutRecovery", True)


@RULES.add(
    "vpn.GatewayVpnAttachment",
    "vpn.Connection",
    title=("An IPsec tunnel negotiates weak encryption", "IPsec 隧道协商弱加密"),
    fix=(
        "set ikev2, aes256 (or aes192, aes), sha256 or more and group14 for both phases of each tunnel",
        "请为每条隧道的两个阶段设置 ikev2、aes256（或 aes192、aes）、sha256 及以上和 group14",
    ),
    source="NIST SP 800-77 rev. 1 (2020-06), 4.1 and 4.2; from knowledge",
)
def tunnels_are_strong(resource: Resource, _: Stack) -> str | None:
    """What is left out becomes IKEv1, SHA-1 or MD5, and group 2."""
    tunnels = resource.get("tunnelOptionsSpecifications")
    if tunnels is UNKNOWN:
        return None
    if not isinstance(tunnels, list) or not tunnels:
        return _weak(resource, "ikeConfig", "ike") or _weak(resource, "ipsecConfig", "ipsec")
    for position, tunnel in enumerate(tunnels):
        if isinstance(tunnel, dict):
            inside = Resource(resource.type, resource.name, tunnel)
            found = _weak(inside, "tunnelIkeConfig", "ike") or _weak(inside, "tunnelIpsecConfig", "ipsec")
            if found:
                return f"tunnelOptionsSpecifications[{position}].{found}"
    return None


def _weak(tunnel: Resource, at: str, phase: str) -> str | None:
    allowed = {"EncAlg": ("aes", "aes192", "aes256"), "AuthAlg": ("sha256", "sha384", "sha512"), "Pfs": ("group14",)}
    allowed |= {"Version": ("ikev2",)} if phase == "ike" else {}
    checks = (tunnel.unless(f"{at}.{phase}{name}", *values) for name, values in allowed.items())
    return next((found for found in checks if found), None)
