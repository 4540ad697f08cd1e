"""Keeping: what bears state outlives a slip, and everything says whose it is."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Final

from infra.limits import limits
from infra.policy.model import UNKNOWN, Resource, Rules, Severity, Stack
from infra.policy.records import expirations

RULES = Rules("KEEP")
OURS = "the kit's own rule"
WORM = "help.aliyun.com, OSS, retention policies (WORM); from knowledge"
OWNERSHIP: Final = ("company", "environment", "managed-by")

# What can't be made again as it was: data, keys, and the addresses that orgs trust.
STATE: Final = frozenset(
    {
        "ecs.EipAddress",
        "ecs.EcsDisk",
        "kms.Key",
        "kms.Secret",
        "kvstore.Instance",
        "log.Project",
        "log.Store",
        "mongodb.Instance",
        "nas.FileSystem",
        "oss.Bucket",
        "oss.BucketWorm",
        "polardb.Cluster",
        "rds.Instance",
        "vpc.NatGateway",
        "vpc.Network",
        "vpc.Switch",
    }
)
# Kind → property and values by which the service itself refuses deletion.
REFUSES: Final[dict[str, tuple[str, tuple[object, ...]]]] = {
    "ecs.EipAddress": ("deletionProtection", (True,)),
    "kms.Key": ("deletionProtection", ("Enabled",)),
    "mongodb.Instance": ("dbInstanceReleaseProtection", (True,)),
    "rds.Instance": ("deletionProtection", (True,)),
    "vpc.NatGateway": ("deletionProtection", (True,)),
}


@RULES.add(
    *STATE,
    title=("A resource of production that bears state isn't protected", "生产环境中承载状态的资源未受保护"),
    fix=("set protect=True in its ResourceOptions", "请在 ResourceOptions 中设置 protect=True"),
    source=OURS,
    looks_around=True,
)
def state_is_protected(resource: Resource, stack: Stack) -> str | None:
    return "protect: false" if stack.production and not resource.protect else None


@RULES.add(
    *REFUSES,
    title=("The cloud would delete a resource of production without asking", "云服务未启用生产资源的删除保护"),
    fix=("turn its deletion protection on", "请启用删除保护"),
    source="help.aliyun.com, the Create action of each service, DeletionProtection; from knowledge",
    looks_around=True,
)
def the_cloud_refuses_deletion(resource: Resource, stack: Stack) -> str | None:
    path, allowed = REFUSES[resource.kind]
    return resource.unless(path, *allowed) if stack.production else None


@RULES.add(
    "oss.Bucket",
    "ram.Policy",
    "ram.Role",
    "ram.User",
    "rds.Instance",
    title=("Production would be emptied along with its resource", "删除资源时会清空生产数据"),
    fix=("remove forceDestroy (or force)", "请移除 forceDestroy（或 force）"),
    source=OURS,
    looks_around=True,
)
def production_is_never_emptied(resource: Resource, stack: Stack) -> str | None:
    return (resource.when("forceDestroy", True) or resource.when("force", True)) if stack.production else None


@RULES.add(
    "oss.Bucket",
    title=("The ledger can be rewritten", "发布账本可被改写"),
    fix=("add oss.BucketWorm to the ledger's bucket", "请为账本存储空间添加 oss.BucketWorm"),
    source=WORM,
    looks_around=True,
)
def the_ledger_is_retained(resource: Resource, stack: Stack) -> str | None:
    return "no oss.BucketWorm" if _is(resource, "ledger") and not stack.around(resource, "oss.BucketWorm") else None


@RULES.add(
    "oss.BucketWorm",
    title=("A retention policy of production isn't locked", "生产环境的合规保留策略未锁定"),
    fix=("set status: Locked (this can't be taken back)", "请设置 status: Locked（不可撤销）"),
    source=WORM,
    looks_around=True,
)
def retention_is_locked(resource: Resource, stack: Stack) -> str | None:
    return resource.unless("status", "Locked") if stack.production else None


@RULES.add(
    "oss.BucketWorm",
    title=("A retention policy of production is shorter than six months", "生产环境的合规保留期不足六个月"),
    fix=("set retentionPeriodInDays: 184 or more", "请将 retentionPeriodInDays 设为 184 或更长"),
    source=f"{limits().logs.source}; from knowledge",
    looks_around=True,
)
def retention_is_long_enough(resource: Resource, stack: Stack) -> str | None:
    return resource.below("retentionPeriodInDays", limits().logs.days.least) if stack.production else None


@RULES.add(
    "oss.Bucket",
    title=("The ledger's lifecycle deletes entries", "生命周期规则会删除账本记录"),
    fix=("remove the expirations of its lifecycle rules", "请移除其生命周期规则中的过期设置"),
    source=OURS,
)
def the_ledger_does_not_expire(resource: Resource, _: Stack) -> str | None:
    if not _is(resource, "ledger"):
        return None
    return next((f"lifecycleRules: {days} days" for days in expirations(resource)), None)


@RULES.add(
    "oss.Bucket",
    title=("What is overwritten in this bucket is lost", "该存储空间中被覆盖的对象无法恢复"),
    fix=("add oss.BucketVersioning with status: Enabled", "请添加 status 为 Enabled 的 oss.BucketVersioning"),
    source="help.aliyun.com, OSS, versioning; from knowledge",
    looks_around=True,
)
def releases_and_backups_keep_versions(resource: Resource, stack: Stack) -> str | None:
    if not (_is(resource, "releases") or _is(resource, "backups")):
        return None
    kept = any(v.get("status") in ("Enabled", UNKNOWN) for v in stack.around(resource, "oss.BucketVersioning"))
    return None if kept else "no oss.BucketVersioning"


@RULES.add(
    title=("A resource doesn't say whose it is", "资源未标明归属"),
    fix=(f"set the tags {', '.join(OWNERSHIP)}", f"请设置标签 {'、'.join(OWNERSHIP)}"),
    source=OURS,
    severity=Severity.ADVISORY,
)
def resources_say_whose_they_are(resource: Resource, _: Stack) -> str | None:
    tags = resource.get("tags", {})
    if resource.type not in taggable() or tags is UNKNOWN:
        return None
    missing = [key for key in OWNERSHIP if key not in tags]
    return f"tags: {', '.join(missing)} missing" if missing else None


@RULES.add(
    "ecs.EipAddress",
    "ecs.Instance",
    "rds.Instance",
    "vpc.NatGateway",
    title=("A prepaid resource can't be destroyed with its stack", "包年包月资源无法随堆栈销毁"),
    fix=("pay as you go, or take it out of the stack", "请改为按量付费，或移出堆栈"),
    source="help.aliyun.com, release of subscription instances; from knowledge",
    severity=Severity.ADVISORY,
)
def resources_can_be_released(resource: Resource, _: Stack) -> str | None:
    return resource.when("paymentType", "Subscription") or resource.when("instanceChargeType", "Prepaid", "PrePaid")


@functools.cache
def taggable() -> frozenset[str]:
    """Return the type tokens whose inputs have `tags`, by the dated table that `python -m infra.policy.sdk` writes."""
    table = json.loads(Path(__file__).with_name("taggable.json").read_text(encoding="utf-8"))
    return frozenset(table["types"])


def _is(bucket: Resource, role: str) -> bool:
    return bucket.name.rpartition("-")[2] == role
