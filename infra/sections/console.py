"""The section `sfoa:console`: who gets in to Alibaba Cloud itself, people by SSO and machines by OIDC."""

from __future__ import annotations

import re
from typing import Annotated, Literal, NoReturn, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from infra.limits import limits
from infra.rules import AccountId
from infra.sections.base import Section
from infra.sections.identity import Metadata

Host = Literal["github", "gitlab", "yunxiao", "instance"]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,23}$")]
Fingerprint = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{40}$")]

ISSUERS: dict[str, str] = {
    "github": "https://token.actions.githubusercontent.com",
    "gitlab": "https://gitlab.com",
}
"""Who signs the tokens of jobs: docs.github.com, "OpenID Connect reference"; docs.gitlab.com, "ID tokens"; 2026-11."""


def _wrong(what: str, rule: str, fix: str) -> NoReturn:
    raise PydanticCustomError("setting", "{what}", {"what": what, "rule": rule, "fix": fix})


def _repository(name: str) -> str:
    rule = "a role of CI trusts one repository, whole and by name: another one's jobs must not get in"
    if re.search(r"[*?]", name):
        _wrong("a wildcard over repositories", rule, "name the repository: owner/name")
    if not re.fullmatch(r"[\w.-]+(/[\w.-]+)+", name, re.ASCII):
        _wrong("not a repository", rule, "write owner/name, on GitLab group/subgroup/project")
    return name


def _ref(name: str) -> str:
    rule = "a branch or an environment by name, or by what it begins with: release/*"
    if not re.fullmatch(r"[\w./-]+\*?", name, re.ASCII):
        _wrong("not one branch or environment", rule, "name it: main")
    return name


def _subject(text: str) -> str:
    if not text or re.search(r"[*?\s]", text):
        _wrong("not one subject", "the subject of a token is compared whole", "copy `sub` from a token of the job")
    return text


def _not_administrator(name: str) -> str:
    if name in limits().administering.policies:
        rule = "nobody becomes administrator of every account"
        what = "everything in every account"
        if name != "AdministratorAccess":
            what, rule = f"{name}: who has it can give everything to anybody", f"{rule}, by a detour either"
        _wrong(what, rule, "name policies of what is needed: ReadOnlyAccess")
    return name


Repository = Annotated[str, AfterValidator(_repository)]
Ref = Annotated[str, AfterValidator(_ref)]
Subject = Annotated[str, AfterValidator(_subject)]
# A word of any script counted by a pattern takes a tenth of a second to compile: its length stands apart.
GroupName = Annotated[str, StringConstraints(pattern=r"^[\w.-]+$", max_length=128)]
AccessName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,32}$")]
SystemPolicy = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,128}$"), AfterValidator(_not_administrator)]


class PasswordPolicy(Section):
    """Passwords of RAM users, where there are any. They always need every class of characters."""

    minimum_length: int = Field(14, ge=12, le=32, description="Characters that a password has at least")
    max_age_days: int = Field(90, ge=0, le=1095, description="After how many days a password ends; never when 0")
    reuse_prevention: int = Field(5, ge=0, le=24, description="How many earlier passwords can't be used again")
    max_login_attempts: int = Field(5, ge=1, le=32, description="Wrong passwords within an hour before a user waits")


class SecurityPreference(Section):
    """How RAM users sign in. A second factor is demanded, always: there is no setting for it."""

    session_hours: int = Field(6, ge=1, le=24, description="After how many hours a console session ends")
    login_networks: tuple[str, ...] = Field(
        (), description="CIDR ranges from which alone people sign in; anywhere when empty"
    )
    idle_days: Literal[90, 180, 365, 730] = Field(
        90, description="After how many days without use users and AccessKeys are shut off"
    )


class AccessConfiguration(Section):
    """What a group can be given in an account by CloudSSO."""

    name: AccessName = Field(description="Name")
    policies: tuple[SystemPolicy, ...] = Field(min_length=1, description="Policies of Alibaba Cloud's own")
    session_minutes: int = Field(60, ge=15, le=720, description="After how many minutes a session ends")


def _unlike(accounts: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(accounts)) < len(accounts):
        _wrong("an account is named twice", "a group gets an access configuration in an account once", "name it once")
    return accounts


class Assignment(Section):
    """What a group gets where. People get nothing themselves: there is no setting for it."""

    group: GroupName = Field(description="One of the groups")
    access: AccessName = Field(description="One of the access configurations")
    accounts: Annotated[tuple[AccountId, ...], AfterValidator(_unlike)] = Field(
        (), description="Accounts of the resource directory in which the group gets it; the stack's own when empty"
    )


class CloudSso(Section):
    """CloudSSO of the resource directory: only in its management account. MFA is demanded, always."""

    directory: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,62}[a-z0-9]$")] = Field(
        description="Name of the directory, part of its sign-in address; unique among all customers"
    )
    groups: tuple[GroupName, ...] = Field((), description="Groups of people")
    access: tuple[AccessConfiguration, ...] = Field((), description="Access configurations")
    assignments: tuple[Assignment, ...] = Field((), description="Which group gets which access in which accounts")

    @model_validator(mode="after")
    def _assigns_what_there_is(self) -> Self:
        rule = "an assignment is of a group and an access configuration that the same section names"
        known = {"group": set(self.groups), "access": {access.name for access in self.access}}
        for part, names in known.items():
            named = {getattr(assignment, part) for assignment in self.assignments}
            if strangers := ", ".join(sorted(named - names)):
                choice = ", ".join(sorted(names)) or "there is none"
                _wrong(f"assignments: no {part} {strangers}", rule, f"use one of {choice}, or add it")
        pairs = [(each.group, each.access) for each in self.assignments]
        if twice := ", ".join(
            sorted({f"{group} and {access}" for group, access in pairs if pairs.count((group, access)) > 1})
        ):
            _wrong(
                f"assignments: {twice} stand together twice", "one assignment names all accounts", "join their accounts"
            )
        return self


class CiRole(Section):
    """A role that the jobs of one repository get by an OIDC token, or those on hosts of yours by the ECS instance."""

    name: Name = Field(description="Name of the role, behind ci-")
    host: Host = Field(description="Whose CI runs the jobs; instance: any, on ECS instances that you give the role")
    repository: Repository | None = Field(
        None, description="Repository on GitHub (owner/name) or GitLab (group/project)"
    )
    branch: Ref | None = Field(None, description="Branch whose jobs get the role; may end with *")
    environment: Ref | None = Field(None, description="GitHub: environment whose jobs get the role")
    subject: Subject | None = Field(
        None, description="Whole subject of the tokens, in place of repository and branch; always for Yunxiao"
    )
    issuer: Annotated[str, StringConstraints(pattern=r"^https://[^\s?#*]+$")] | None = Field(
        None, description="Who signs the tokens; GitHub's or gitlab.com's when absent"
    )
    audience: Annotated[str, StringConstraints(pattern=r"^[^\s*,]{1,128}$")] = Field(
        "sts.aliyuncs.com", description="Audience that the job asks for in its token"
    )
    fingerprints: tuple[Fingerprint, ...] = Field(
        (), max_length=5, description="SHA-1 of the CA certificates of the issuer's host, as RAM checks them"
    )
    rights: Literal["release-runner", "validator", "platform", "auditor"] = Field(
        "release-runner", description="Whose rights the jobs have; validator for merge requests"
    )

    @model_validator(mode="after")
    def _names_its_jobs(self) -> Self:
        if self.host == "instance":
            return self._by_its_host()
        rule = "a role of CI is for the jobs of one repository, on one branch or in one environment"
        if not self.fingerprints:
            _wrong(
                "no fingerprints", "RAM takes tokens of a host whose certificates it knows", "add fingerprints: [...]"
            )
        if not self.issuer and self.host not in ISSUERS:
            _wrong(f"no issuer for {self.host}", rule, "set issuer: the `iss` of a token of the job")
        if self.subject:
            if self.repository or self.branch or self.environment:
                _wrong("subject beside repository, branch or environment", rule, "keep either")
        elif self.host == "yunxiao":
            _wrong("no subject", rule, "set subject: the `sub` of a token of the pipeline")
        elif not self.repository or bool(self.branch) == bool(self.environment):
            _wrong("no repository with one of branch and environment", rule, "set repository, and branch: main")
        elif self.environment and self.host != "github":
            _wrong("environment", "tokens of GitLab name the branch", "set branch, and protect it")
        return self

    def _by_its_host(self) -> Self:
        given = {name for name in ("repository", "branch", "environment", "subject", "issuer") if getattr(self, name)}
        if found := ", ".join(sorted(given | ({"fingerprints"} if self.fingerprints else set()))):
            _wrong(
                f"{found} beside host: instance",
                "whoever is on the instance has its role: no token is asked for",
                "leave it out",
            )
        return self

    @property
    def issuer_url(self) -> str:
        """Return who signs the tokens."""
        return self.issuer or ISSUERS[self.host]

    @property
    def token_subject(self) -> str:
        """Return the subject of the tokens; one that ends with * stands for all that begin with the rest.

        Sources: docs.github.com, "OpenID Connect reference" (subject claims); docs.gitlab.com, "ID tokens"; 2026-11.
        """
        if self.subject:
            return self.subject
        if self.host == "gitlab":
            return f"project_path:{self.repository}:ref_type:branch:ref:{self.branch}"
        if self.environment:
            return f"repo:{self.repository}:environment:{self.environment}"
        return f"repo:{self.repository}:ref:refs/heads/{self.branch}"


def _apart(ci: tuple[CiRole, ...]) -> tuple[CiRole, ...]:
    names = [role.name for role in ci]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        _wrong(f"{', '.join(twice)}: named twice", "each role of CI has a name of its own", "rename one")
    return ci


class ConsoleSettings(Section):
    """`sfoa:console`: every part is optional."""

    saml: Metadata | None = Field(
        None, description="SAML metadata of who signs people in to the roles; users of the account with MFA when absent"
    )
    roles: bool = Field(True, description="Whether there are the roles platform, release-runner, auditor and support")
    session_hours: int = Field(1, ge=1, le=12, description="For how many hours a role can be assumed at a time")
    password_policy: PasswordPolicy | None = Field(None, description="The account's password policy")
    security_preference: SecurityPreference | None = Field(
        None, description="How RAM users of the account sign in, MFA demanded; stays as it is when the stack ends"
    )
    cloud_sso: CloudSso | None = Field(None, description="CloudSSO; only in the management account")
    ci: Annotated[tuple[CiRole, ...], AfterValidator(_apart)] = Field(
        (), description="Roles of CI, by OIDC or on instances"
    )
