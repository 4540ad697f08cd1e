"""Gives an org what the release runner logs in by: connected app, permission set and its assignment; once for each org.

The first time an administrator's access token opens the org. From then on the runner changes its own access, a new key
included: the app of the next key is put beside the one in use, and takes its place once the runner holds that key.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

import requests
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from flows.apiversion import FLOOR, deploy_version
from flows.components import Component
from flows.metadata_api import MetadataApi
from flows.package import assemble
from flows.runneraccess import NAME, connected_app, lacks, permission_set, with_next
from flows.snapshot import components_of
from flows.tokens import TIMEOUT_SECONDS, Session, mint, token_url
from kit.problems import Problem, Refused
from kit.redaction import redact
from orgs.domains import hosts
from orgs.editions import OrgKind
from orgs.federation import Org
from orgs.runnerkey import certificate_of

TOKEN = "SFOA_BOOTSTRAP_TOKEN"  # noqa: S105  the name of a variable
DEPLOY_SECONDS = 600


class By(StrEnum):
    """Who opened the org."""

    RUNNER = "the runner"
    NEXT_KEY = "the runner, with the next key"
    ADMINISTRATOR = "an administrator"


@dataclass(frozen=True, slots=True)
class Done:
    """What was done: who opened the org, and what was deployed or assigned, "" for nothing of it."""

    by: By
    changed: tuple[str, ...]


def bootstrap(
    org: Org,
    api_version: str,
    key: RSAPrivateKey,
    following: x509.Certificate | None,
    token: str,
    tell: Callable[[str], None],
    wait: float = 600,
) -> Done:
    """See that the runner can log in to `org` with `key`, and that its app and permission set are as they should be.

    `following` is the certificate of the key that comes next: an app for it is put beside the one in use. `token` is an
    administrator's, "" for none; it is used only when the runner can't log in. `wait`: seconds that an app may take to
    work. Raises `Refused`.
    """
    session, by = _opened(org, token)
    api = MetadataApi(session, deploy_version(api_version, MetadataApi(session, FLOOR).highest_version(), org))
    wanted: list[Component] = []
    if by is not By.RUNNER:
        wanted.append(connected_app(org, certificate_of(key, datetime.now(UTC))))
    if following and following.public_key() != key.public_key():
        wanted.append(connected_app(org, following, upcoming=True))
    grants = permission_set()
    if lacks(grants, components_of(api.retrieve([grants.key]).files, [grants.key]).get(grants.key)):
        wanted.append(grants)
    runner = _runner_id(api, org)
    if wanted:
        tell(f"Deploying {', '.join(str(each.key) for each in wanted)} to {org.name}, opened by {by}")
        _deploy(api, org, wanted)
    changed = [str(each.key) for each in wanted]
    if _assign(api, runner):
        changed.append(f"PermissionSetAssignment of {org.runner.username}")
    _logs_in(org, tell, wait)
    return Done(by, tuple(changed))


def _opened(org: Org, token: str) -> tuple[Session, By]:
    """Return a session of the runner, by the key in use or the next one, else one of the administrator."""
    try:
        return mint(org), By.RUNNER
    except Refused as refused:
        reason = refused.problems[0].what
    try:
        return mint(with_next(org)), By.NEXT_KEY
    except Refused:
        pass
    if token:
        return opened_by_administrator(org, token), By.ADMINISTRATOR
    raise Refused(
        Problem(
            f"the runner can't log in, and {TOKEN} holds no access token of an administrator of "
            f"{hosts(org).my_domain}: {reason}",
            "an org is opened once by an administrator, before it knows the runner",
            f"log in to {hosts(org).my_domain} as an administrator, put the access token into {TOKEN} for this one "
            "command, and run it again",
        )
    )


def opened_by_administrator(org: Org, token: str) -> Session:
    """Return a session from an administrator's access token, which is sent to the org's own My Domain and nowhere else.

    Raises `Refused` when the token is not good there, or when what it opens is not the org of the federation.
    """
    host = token_url(org).split("/")[2]
    try:
        answer = requests.get(
            f"https://{host}/services/oauth2/userinfo",
            headers={"Authorization": f"Bearer {token}"},
            timeout=TIMEOUT_SECONDS,
            allow_redirects=False,
        )
        about = answer.json() if answer.ok else {}
    except requests.JSONDecodeError:
        about = {}
    except requests.RequestException as error:
        raise Refused(_not_this(org, f"{host} cannot be reached: {redact(str(error))}")) from error
    ident, user = str(about.get("organization_id", "")), str(about.get("user_id", ""))
    if not ident or not user:
        raise Refused(_not_this(org, f"{host} takes no token like this one (HTTP {answer.status_code})"))
    if not token.startswith(f"{ident[:15]}!"):
        raise Refused(_not_this(org, f"the token is one of another org than {ident}"))
    session = Session(
        org.name, host, str(about.get("preferred_username", "")), f"https://{host}/id/{ident}/{user}", token
    )
    (row,) = MetadataApi(session, "60.0").records("SELECT Id, IsSandbox FROM Organization")
    if row["Id"][:15] != ident[:15] or bool(row["IsSandbox"]) is not (org.kind is OrgKind.SANDBOX):
        raise Refused(_not_this(org, f"{ident} is no {org.kind}"))
    return session


def _runner_id(api: MetadataApi, org: Org) -> str:
    """Return the id of the runner's user."""
    name = org.runner.username.replace("\\", "\\\\").replace("'", "\\'")
    rows = api.records(f"SELECT Id, IsActive FROM User WHERE Username = '{name}'")  # noqa: S608  quoted
    if rows and rows[0]["IsActive"]:
        return str(rows[0]["Id"])
    raise Refused(
        Problem(
            f"{org.name} has {'no' if not rows else 'only an inactive'} user {org.runner.username}",
            "the runner is a user of the org of its own",
            "create it in Setup → Users (a profile with few rights; the permission set adds what a release needs), or "
            "correct runner.username in federation.yml",
        )
    )


def _deploy(api: MetadataApi, org: Org, wanted: list[Component]) -> None:
    package = assemble(wanted, api.api_version)
    result = api.wait(api.deploy(package.zip, None, check_only=False), lambda _: None, DEPLOY_SECONDS)
    if not result.success:
        failures = [
            Problem(
                f"{org.name} refuses {each.type} {each.full_name}: {redact(each.problem)}",
                "the org takes the runner's connected app and permission set",
                "give the administrator Customize Application and Modify All Data, and run it again",
            )
            for each in result.failures
        ]
        raise Refused(failures or _not_this(org, redact(result.error)), f"{org.name} was not bootstrapped")


def _assign(api: MetadataApi, runner: str) -> bool:
    """Give the runner's user the permission set; return whether it lacked it."""
    where = f"AssigneeId = '{runner}' AND PermissionSet.Name = '{NAME}'"
    if api.records(f"SELECT Id FROM PermissionSetAssignment WHERE {where}"):  # noqa: S608  an id and a name of ours
        return False
    (row,) = api.records(f"SELECT Id FROM PermissionSet WHERE Name = '{NAME}'")  # noqa: S608  a name of ours
    api.call("POST", "sobjects/PermissionSetAssignment", json={"AssigneeId": runner, "PermissionSetId": row["Id"]})
    return True


def _logs_in(org: Org, tell: Callable[[str], None], wait: float) -> None:
    """Wait until the runner can log in: an org may take ten minutes to know a connected app (Salesforce's own hint)."""
    end, pause = time.monotonic() + wait, 0.5
    while True:
        try:
            mint(org)
        except Refused:
            if time.monotonic() + pause > end:
                raise
            tell(f"{org.name} doesn't know the connected app yet")
            time.sleep(pause)
            pause = min(pause * 2, 15.0)
        else:
            return


def _not_this(org: Org, what: str) -> Problem:
    return Problem(
        f"{org.name}: {what}",
        f"the administrator's token is one of {org.name}, at {hosts(org).my_domain}",
        f"log in to that org as an administrator, and put the new access token into {TOKEN}",
    )
