"""The lock-out guard: before single sign-on or trusted ranges change, somebody must still be able to log in. Pure.

Asked of every release that touches them. What is known to lock people out is refused; what nobody knows is told apart,
and stops production only, as with the gates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from flows.render.network import IpRange
from kit.problems import Problem

LEAST_DAYS = 14
"""How many days a certificate is good for at least: a figure of the kit, time to roll it over in two promotes."""

RULE = "before sign-on or trusted ranges change, somebody can still log in 变更登录方式或可信网段前,必须有人仍能登录"


@dataclass(frozen=True, slots=True)
class Administrator:
    """A break-glass administrator as the org has it. `manages` is whether it may manage users; `sso_only` whether the
    org takes no password of it."""

    username: str
    active: bool = True
    frozen: bool = False
    manages: bool = True
    sso_only: bool = False

    @property
    def gets_in(self) -> bool:
        """Whether it can log in without the identity provider, and mend the org then."""
        return self.active and not self.frozen and self.manages and not self.sso_only


@dataclass(frozen=True, slots=True)
class Accepted:
    """An assertion of the same identity provider that a sandbox of the same edition accepted, and when (ISO 8601)."""

    sandbox: str
    at: str


@dataclass(frozen=True, slots=True)
class Logins:
    """What the guard judges. None is what nobody knows.

    `certificates` are the last days of those that the org would trust; empty when the release renders no sign-on.
    `admins` are the break-glass administrators that the org knows of those that are `named`. `ranges` are those that
    the org would trust, `runner` the address that it sees the runner at; `profiles` are the login ranges, by name, of
    the profiles that may be the runner's. `tried` is the assertion accepted in a
    sandbox; `needs_trial` is whether this org asks for one.
    """

    certificates: Sequence[date] = ()
    named: Sequence[str] = ()
    admins: Sequence[Administrator] | None = None
    passwords_off: bool = False
    ranges: Sequence[IpRange] = ()
    runner: str | None = None
    profiles: Mapping[str, Sequence[IpRange]] = field(default_factory=dict)
    tried: Accepted | None = None
    needs_trial: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """What would lock people `out`, and what nobody knows (`unknown`); `tried` is the assertion that a sandbox accepted
    before, where one was asked for."""

    out: list[Problem] = field(default_factory=list)
    unknown: list[Problem] = field(default_factory=list)
    tried: Accepted | None = None


def judge_lockout(org: str, logins: Logins, today: date) -> Verdict:
    """Return whether somebody can still log in to `org` once the release is there."""
    verdict = Verdict(tried=logins.tried if logins.certificates and logins.needs_trial else None)
    if logins.certificates:
        _certificates(org, logins, today, verdict)
        _administrators(org, logins, verdict)
        _trial(org, logins, verdict)
    if logins.ranges or logins.profiles:
        _runner(org, logins, verdict)
    return verdict


def _certificates(org: str, logins: Logins, today: date, verdict: Verdict) -> None:
    last = max(logins.certificates)
    left = (last - today).days
    if left >= LEAST_DAYS:
        return
    what, zh = (
        (f"the identity provider's certificate expired on {last}", f"身份提供方的证书已于 {last} 过期")
        if left < 0
        else (
            f"the identity provider's certificate expires on {last}, in {left} days",
            f"身份提供方的证书将于 {last} 过期,仅剩 {left} 天",
        )
    )
    verdict.out.append(
        _problem(
            org,
            f"{what}: nobody could log in by SSO then",
            f"{zh}:届时将无人能通过 SSO 登录",
            f"name the provider's next certificate in the landing zone, good for {LEAST_DAYS} days or more, then "
            "`pulumi up`",
            f"在 landing zone 中填入有效期不少于 {LEAST_DAYS} 天的新证书,并执行 pulumi up",
        )
    )


def _administrators(org: str, logins: Logins, verdict: Verdict) -> None:
    fix = "state two active administrators with a password under break_glass in orgs/access.yml, and make them in setup"
    fix_zh = "在 orgs/access.yml 的 break_glass 中登记两名可用密码登录的有效管理员,并在组织中创建"
    if logins.passwords_off:
        what = "login with a password is turned off for all: no break-glass administrator can log in without SSO"
        zh = "已对所有用户禁用密码登录:应急管理员无法绕过 SSO 登录"
        off = "leave isLoginWithSalesforceCredentialsDisabled out of the security settings"
        verdict.out.append(_problem(org, what, zh, off, "从安全设置中删除 isLoginWithSalesforceCredentialsDisabled"))
    elif logins.named and logins.admins is None:
        what = "the org doesn't say whether its break-glass administrators can log in"
        verdict.unknown.append(_problem(org, what, "无法确认应急管理员能否登录", fix, fix_zh))
    elif not any(admin.gets_in for admin in logins.admins or ()):
        why = "; ".join(f"{name} {_why_not(name, logins)}" for name in logins.named) or "none is named"
        what = f"no break-glass administrator can log in without SSO: {why}"
        verdict.out.append(_problem(org, what, f"没有应急管理员能绕过 SSO 登录({why})", fix, fix_zh))


def _why_not(name: str, logins: Logins) -> str:
    found = next((each for each in logins.admins or () if each.username.lower() == name.lower()), None)
    if found is None:
        return "is no user of the org"
    if not found.active:
        return "is not active"
    if found.frozen:
        return "is frozen"
    return "may log in by SSO only" if found.sso_only else "may not manage users"


def _trial(org: str, logins: Logins, verdict: Verdict) -> None:
    if not logins.needs_trial or logins.tried:
        return
    verdict.unknown.append(
        _problem(
            org,
            "no sandbox of the same edition has accepted an assertion signed with this certificate",
            "尚无同版本沙箱接受过以此证书签名的断言",
            "promote to a sandbox that the identity provider serves, log in there by SSO once, then promote again",
            "先发布到由同一身份提供方服务的沙箱,并通过 SSO 登录一次,再重新发布",
        )
    )


def _runner(org: str, logins: Logins, verdict: Verdict) -> None:
    fix = "state the runner's network among office_ranges of the org in orgs/access.yml, or run it behind the egress"
    fix_zh = "在 orgs/access.yml 的 office_ranges 中登记发布机网段,或让其经由出口地址访问"
    if logins.runner is None:
        what = "the org doesn't say at which address it sees the runner"
        verdict.unknown.append(_problem(org, what, "无法确认组织所见的发布机地址", fix, fix_zh))
        return
    if logins.ranges and not any(each.holds(logins.runner) for each in logins.ranges):
        what = f"the runner's own address {logins.runner} is in none of the ranges that the org would trust"
        zh = f"发布机地址 {logins.runner} 不在任何可信网段内"
        verdict.out.append(_problem(org, what, zh, fix, fix_zh))
    for name, ranges in logins.profiles.items():
        if not any(each.holds(logins.runner) for each in ranges):
            what = f"the runner's own address {logins.runner} is in none of the login ranges of the profile {name}"
            zh = f"发布机地址 {logins.runner} 不在简档 {name} 的任何登录 IP 范围内"
            verdict.out.append(_problem(org, what, zh, fix, fix_zh))


def _problem(org: str, what: str, what_zh: str, fix: str, fix_zh: str) -> Problem:
    return Problem(f"{org}: {what}", RULE, fix, None, org, f"{org}:{what_zh}", fix_zh)
