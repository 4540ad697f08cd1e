"""Records: what was done is logged, and the logs are kept as long as the law asks."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from infra.limits import limits
from infra.policy.model import UNKNOWN, Resource, Rules, Severity, Stack

RULES = Rules("LOG")
LAW = f"{limits().logs.source}; from knowledge"
TRAIL = "help.aliyun.com, ActionTrail, create a single-account trail; from knowledge"


@RULES.add(
    "log.Store",
    title=("Logs are deleted before six months have passed", "日志保存不足六个月"),
    fix=("set retentionPeriod: 184 or more", "请将 retentionPeriod 设为 184 或更长"),
    source=LAW,
)
def log_stores_keep_six_months(resource: Resource, _: Stack) -> str | None:
    return resource.below("retentionPeriod", limits().logs.days.least)


@RULES.add(
    "oss.Bucket",
    title=("A bucket of logs deletes them before six months have passed", "日志存储空间保存日志不足六个月"),
    fix=("let its lifecycle expire objects after 184 days or more", "请将生命周期过期时间设为 184 天或更长"),
    source=LAW,
    looks_around=True,
)
def log_buckets_keep_six_months(resource: Resource, stack: Stack) -> str | None:
    least = limits().logs.days.least
    if not stack.around(resource, "oss.BucketLogging", by="targetBucket"):
        return None
    return next((f"lifecycleRules: {days} days" for days in expirations(resource) if days < least), None)


@RULES.add(
    "oss.Bucket",
    title=("Access to a bucket isn't logged", "存储空间未启用访问日志"),
    fix=("add oss.BucketLogging", "请添加 oss.BucketLogging"),
    source=LAW,
    looks_around=True,
)
def every_bucket_logs_access(resource: Resource, stack: Stack) -> str | None:
    receives = stack.around(resource, "oss.BucketLogging", by="targetBucket")
    logs = stack.around(resource, "oss.BucketLogging") or resource.get("logging")
    return None if receives or logs else "no oss.BucketLogging"


@RULES.add(
    "actiontrail.Trail",
    title=("The trail doesn't record every action everywhere", "操作审计未记录所有地域的全部事件"),
    fix=("set eventRw: All, trailRegion: All, status: Enable", "请设置 eventRw: All、trailRegion: All、status: Enable"),
    source=TRAIL,
)
def trails_record_everything(resource: Resource, _: Stack) -> str | None:
    return (
        resource.unless("eventRw", "All")
        or resource.unless("trailRegion", "All", None)
        or resource.when("status", "Disable")
    )


@RULES.add(
    "rds.Instance",
    title=("Statements to a database aren't audited", "数据库未启用 SQL 审计"),
    fix=("set sqlCollectorStatus: Enabled", "请设置 sqlCollectorStatus: Enabled"),
    source=LAW,
    severity=Severity.ADVISORY,
)
def databases_audit_statements(resource: Resource, _: Stack) -> str | None:
    return resource.unless("sqlCollectorStatus", "Enabled")


@RULES.add(
    "actiontrail.Trail",
    title=("Nobody is told when the account's owner signs in", "主账号登录时无人收到告警"),
    fix=(
        "add a log.Alert over the trail's log store that looks for root-account, and contacts to tell",
        "请在操作审计日志库上添加查询 root-account 的 log.Alert，并指定联系人",
    ),
    source="CIS Alibaba Cloud Foundation Benchmark, monitoring of root account logins; from knowledge",
    looks_around=True,
)
def sign_ins_of_the_owner_are_told(_: Resource, stack: Stack) -> str | None:
    if not stack.production:
        return None
    alerts = (*stack.of("log.Alert"), *stack.of("sls.Alert"))
    return None if any(_asks(alert, "root-account") for alert in alerts) else "no alert on root-account"


def _asks(alert: Resource, word: str) -> bool:
    asked = alert.get("queryLists", alert.get("configuration"))
    return asked is UNKNOWN or word in json.dumps(asked, default=repr)


def expirations(bucket: Resource) -> Iterator[float]:
    """Yield after how many days each enabled lifecycle rule deletes what is current."""
    rules = bucket.get("lifecycleRules")
    for rule in rules if isinstance(rules, list) else ():
        if isinstance(rule, Mapping) and rule.get("enabled", True) not in (False, UNKNOWN):
            yield from _days(rule.get("expirations"))


def _days(expirations: Any) -> Iterator[float]:
    for item in expirations if isinstance(expirations, list) else ():
        days = item.get("days") if isinstance(item, Mapping) else None
        if isinstance(days, int | float) and days > 0:
            yield days
