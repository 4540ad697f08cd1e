"""The preflight: may and can this stack be built in this account? Every failure with its fix, all together."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from infra.account import KEY_ID, KEY_SECRET, Account, CallFailed, LiveAccount, has_credentials
from infra.sections.identity import EiamIdentity
from infra.settings import Settings, read_settings, stack_file
from infra.stackfile import config_values, project_folder, unsealed
from kit.problems import Refused, refuse_if_any
from kit.yamlfile import parse_model, read_yaml

CONSOLE = "https://ram.console.aliyun.com"


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Read(_Row):
    """One read of `preflight.yml`. `part` names the setting without which it isn't tried ("audit", "console.ci")."""

    product: str
    host: str
    version: date
    action: str
    right: str
    part: str = ""
    path: str = "/"


class Quota(_Row):
    """A default quota."""

    name: str
    most: int
    source: str


class Table(_Row):
    """`preflight.yml`."""

    as_of: date
    source: str
    reads: tuple[Read, ...]
    refusals: dict[str, tuple[str, ...]]
    quotas: dict[str, Quota]


@dataclass(frozen=True, slots=True)
class Check:
    """What one check found, as `sfoa doctor` shows it."""

    name: str
    ok: bool
    detail: str
    fix: str = ""


@functools.cache
def table() -> Table:
    """Return the table that ships with the kit."""
    file = read_yaml(Path(__file__).with_name("preflight.yml"))
    return parse_model(Table, file)


def checks(stack: str) -> Iterator[Check]:
    """Yield what is found for a stack of the project around the working directory, as it is found."""
    try:
        root = project_folder(Path.cwd())
        file = stack_file(root, stack)
        settings = read_settings(config_values(root, stack), os.environ, file)
        refuse_if_any(unsealed(root, stack))
    except Refused as refused:
        for problem in refused.problems:
            told = str(problem).partition("\n")[0]
            yield Check(f"config of {stack}", False, f"{told}; rule: {problem.rule}", problem.fix)
        return
    yield Check(f"config of {stack}", True, f"{settings.environment.value} in {settings.region}")
    if not has_credentials(os.environ):
        fix = f"export {KEY_ID[0]} and {KEY_SECRET[0]} (and a security token with temporary ones)"
        yield Check("credentials", False, "the environment holds no AccessKey", fix)
        return
    yield from examine(settings, LiveAccount(settings.region))


def examine(settings: Settings, account: Account) -> Iterator[Check]:
    """Yield every check of an account; without an identity none of the others means anything."""
    identity = _identity(settings, account)
    yield from identity
    if not all(check.ok for check in identity):
        return
    yield _site(settings, account)
    answers: dict[str, dict[str, Any]] = {}
    for read in table().reads:
        if read.part and not _has(settings, read.part):
            continue
        check, answer = _tried(settings, account, read)
        yield check
        answers[read.right] = answer
    yield from _buckets(settings, account)
    if settings.audit:
        yield from _log_projects(settings, account)
    yield from _network(settings, answers)
    yield from _integration(settings, answers)
    yield from _cloud_sso(settings, answers.get("cloudsso:ListDirectories"))


def _identity(settings: Settings, account: Account) -> list[Check]:
    try:
        found = account.read(f"sts.{settings.region}.aliyuncs.com", "2015-04-01", "GetCallerIdentity")
    except CallFailed as failed:
        return [Check("credentials", False, _said(failed), _fix_of(failed, "sts:GetCallerIdentity"))]
    who = str(found["AccountId"])
    checks = [Check("credentials", True, str(found["Arn"]))]
    right = who == settings.account_id
    fix = "" if right else "use credentials of that account, or correct alicloud:accountId"
    checks.append(Check("account", right, who if right else f"{who}; the stack is for {settings.account_id}", fix))
    return checks


def _site(settings: Settings, account: Account) -> Check:
    """The billing API of the mainland answers "NotApplicable" for an account of the international site."""
    try:
        account.read("business.aliyuncs.com", "2017-12-14", "QueryAvailableInstances", PageSize="1")
        site = "Domestic"
    except CallFailed as failed:
        if failed.code != "NotApplicable":
            return Check("account type", False, _said(failed), _fix_of(failed, "bssapi:QueryAvailableInstances"))
        site = "International"
    right = site == settings.account_type
    detail = site if right else f"{site}; the stack says {settings.account_type}"
    return Check("account type", right, detail, "" if right else f"set alicloud:accountType: {site}")


def _has(settings: Settings, part: str) -> bool:
    if part == "eiam":
        return isinstance(settings.identity, EiamIdentity)
    head, _, rest = part.partition(".")
    found = getattr(settings.network, head, None) or getattr(settings, head, None)
    return bool(getattr(found, rest, None) if rest else found)


def _tried(settings: Settings, account: Account, read: Read) -> tuple[Check, dict[str, Any]]:
    name = f"{read.product} {read.action}"
    sent = {"RegionId": settings.region} if "{region}" in read.host and read.path == "/" else {}
    if read.product in ("Vpc", "Ecs"):
        sent["PageSize"] = "50"  # the most that these products take; more than that no default quota allows
    try:
        host = read.host.format(region=settings.region)
        answer = account.read(host, read.version.isoformat(), read.action, read.path, **sent)
    except CallFailed as failed:
        return Check(name, False, _said(failed), _fix_of(failed, read.right)), {}
    return Check(name, True, "allowed"), answer


def _buckets(settings: Settings, account: Account) -> Iterator[Check]:
    try:
        found = account.buckets()
    except CallFailed as failed:
        yield Check("OSS ListBuckets", False, _said(failed), _fix_of(failed, "oss:ListBuckets"))
        return
    yield Check("OSS ListBuckets", True, f"allowed, {len(found)} listed")
    parts = {"releases": True, "ledger": True, "backups": True, "logs": True, "state": settings.storage.state}
    parts |= {"trail": _has(settings, "audit"), "extracts": _has(settings, "integration.events")}
    wanted = {settings.labels.bucket(part) for part, is_made in parts.items() if is_made}
    yield _room("buckets", len(found), len(wanted - {*found}))


def _log_projects(settings: Settings, account: Account) -> Iterator[Check]:
    try:
        found = account.log_projects()
    except CallFailed as failed:
        yield Check("SLS ListProject", False, _said(failed), _fix_of(failed, "log:ListProject"))
        return
    yield Check("SLS ListProject", True, f"allowed, {len(found)} listed")
    yield _room("log_projects", len(found), int(settings.labels.log_project("logs") not in found))


def _integration(settings: Settings, answers: dict[str, dict[str, Any]]) -> Iterator[Check]:
    ours = {
        "eventbridge:ListEventBuses": ("event_buses", "EventBusName", settings.labels.plain("integration", "changes")),
        "apigateway:DescribeApiGroups": ("api_groups", "GroupName", settings.labels.api("integration", "gateway")),
    }
    for right, (kind, field, name) in ours.items():
        if answers.get(right):
            found = [row[field] for row in _rows(answers, right)]
            yield _room(kind, len(found), int(name not in found))


def _cloud_sso(settings: Settings, answer: dict[str, Any] | None) -> Iterator[Check]:
    """A resource directory has one CloudSSO directory: `pulumi up` can't make a second one beside another team's."""
    wanted = settings.console and settings.console.cloud_sso
    if not wanted or not answer:
        return
    others = [str(row.get("DirectoryName")) for row in answer["Directories"]]
    if not others or others == [wanted.directory]:
        yield Check("CloudSSO directory", True, others[0] if others else "none yet")
        return
    theirs = ", ".join(others)
    fix = f"leave cloud_sso out of sfoa:console, and assign access in {theirs}; or remove that, if nobody uses it"
    yield Check("CloudSSO directory", False, f"{theirs} stands already; an account has one", fix)


def _fix_of(failed: CallFailed, right: str) -> str:
    kinds = table().refusals.items()
    kind = next((kind for kind, codes in kinds if failed.code.startswith(codes)), "")
    return {
        "credentials": f"use an AccessKey that is active and whole: {KEY_ID[0]}, {KEY_SECRET[0]}, or renew its token",
        "denied": f"allow {right} to this identity in a RAM policy ({CONSOLE})",
        "closed": f"open the service once in its console, then run this again ({right.partition(':')[0]})",
    }.get(kind, "try again; if it stays, look at network and proxy, and at the message")


def _said(failed: CallFailed) -> str:
    return f"{failed.code or 'no answer'}: {failed.message}"[:300]


def _network(settings: Settings, answers: dict[str, dict[str, Any]]) -> Iterable[Check]:
    rows: dict[str, Callable[[list[dict[str, Any]]], Iterable[Check]]] = {
        "vpc:DescribeZones": lambda found: [_zones(settings, found)],
        "vpc:DescribeVpcs": lambda found: _vpcs(settings, found, _rows(answers, "vpc:DescribeVSwitches")),
        "vpc:DescribeEipAddresses": lambda found: [_eips(settings, found)],
        "vpc:DescribeNatGateways": lambda found: _gateways(settings, found),
        "vpc:DescribeCustomerGateways": lambda found: [_devices(settings, found)],
    }
    for right, look in rows.items():
        if answers.get(right):
            yield from look(_rows(answers, right))


def _rows(answers: dict[str, dict[str, Any]], right: str) -> list[dict[str, Any]]:
    """Return the rows of an answer: the list in the one mapping that it holds."""
    for value in answers.get(right, {}).values():
        if isinstance(value, dict):
            for rows in value.values():
                if isinstance(rows, list):
                    return rows
    return []


def _zones(settings: Settings, found: list[dict[str, Any]]) -> Check:
    known = sorted(str(zone["ZoneId"]) for zone in found)
    missing = [zone for zone in settings.network.zones if zone not in known]
    if missing:
        fix = f"choose three of {', '.join(known)}"
        return Check("zones", False, f"{', '.join(missing)}: not sold to this account in {settings.region}", fix)
    return Check("zones", True, ", ".join(settings.network.zones))


def _vpcs(settings: Settings, found: list[dict[str, Any]], switches: list[dict[str, Any]]) -> Iterable[Check]:
    ours = {vpc["VpcId"] for vpc in found if vpc["VpcName"] == settings.labels.vpc("network", "vpc")}
    wanted, adopt = IPv4Network(settings.network.cidr), settings.network.adopt
    if adopt is None:
        yield _room("vpcs", len(found), 0 if ours else 1)
        taken = {vpc["VpcId"]: IPv4Network(vpc["CidrBlock"]) for vpc in found if vpc["VpcId"] not in ours}
        yield _free(wanted, taken)
        return
    vpc = next((vpc for vpc in found if vpc["VpcId"] == adopt.vpc_id), None)
    if vpc is None:
        fix = f"correct sfoa:network.adopt.vpc_id: {', '.join(str(v['VpcId']) for v in found) or 'there is none'}"
        yield Check("adopted VPC", False, f"{adopt.vpc_id} isn't in {settings.region}", fix)
        return
    whole = IPv4Network(vpc["CidrBlock"])
    if not wanted.subnet_of(whole):
        yield Check(
            "adopted VPC", False, f"{wanted} lies outside {whole}", "set sfoa:network.cidr to a free part of it"
        )
        return
    yield Check("adopted VPC", True, f"{adopt.vpc_id}, {whole}")
    mine = settings.labels.vpc("network", "")
    inside = [s for s in switches if s["VpcId"] == adopt.vpc_id and not s["VSwitchName"].startswith(mine)]
    yield _free(wanted, {s["VSwitchId"]: IPv4Network(s["CidrBlock"]) for s in inside})


def _free(wanted: IPv4Network, taken: dict[str, IPv4Network]) -> Check:
    conflicts = [f"{ident} ({block})" for ident, block in taken.items() if block.overlaps(wanted)]
    if not conflicts:
        return Check("addresses", True, str(wanted))
    space = IPv4Network("10.0.0.0/8").subnets(new_prefix=wanted.prefixlen)
    free = next((block for block in space if not any(block.overlaps(other) for other in taken.values())), None)
    fix = f"set sfoa:network.cidr to a free range{f', such as {free}' if free else ''}"
    return Check("addresses", False, f"{wanted} overlaps {', '.join(conflicts)}", fix)


def _eips(settings: Settings, found: list[dict[str, Any]]) -> Check:
    mine = settings.labels.vpc("network", "egress-")
    standing = sum(str(eip["Name"]).startswith(mine) for eip in found)
    return _room("eips", len(found), max(0, settings.network.egress_ips - standing))


def _gateways(settings: Settings, found: list[dict[str, Any]]) -> Iterable[Check]:
    adopt = settings.network.adopt
    if adopt is None or adopt.nat_gateway_id:
        return
    inside = [gateway for gateway in found if gateway["VpcId"] == adopt.vpc_id]
    ours = any(gateway["Name"] == settings.labels.vpc("network", "nat") for gateway in inside)
    yield _room("nat_gateways", len(inside), 0 if ours else 1)


def _devices(settings: Settings, found: list[dict[str, Any]]) -> Check:
    ipsec = settings.network.link and settings.network.link.ipsec
    ends = {end.address for end in ipsec.ends.values()} if ipsec else set()
    mine = settings.labels.vpc("link", "")
    standing = {row["IpAddress"] for row in found if str(row["Name"]).startswith(mine)}
    return _room("customer_gateways", len(found), len(ends - standing))


def _room(kind: str, used: int, needed: int) -> Check:
    quota = table().quotas[kind]
    name, detail = f"quota of {quota.name}", f"{used} of {quota.most} in use, {needed} more needed"
    if used + needed <= quota.most:
        return Check(name, True, detail)
    return Check(name, False, f"{detail} (default quota)", "release some, or raise it in Quota Center and say so there")
