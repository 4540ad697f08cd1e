"""Secrets of external credentials: which principals a release has, which lack their secret in the org, and setting it.

Secrets are no metadata. Connect REST API Developer Guide, "Credential" (56.0 and later): GET says whether a principal
is configured and never what with; POST creates, PUT replaces. A secret comes from the environment or from the command
of a secret manager, as the runner's key does.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from flows.components import Component
from flows.contents import metadata_root
from flows.metadata_api import ApiRefused, MetadataApi
from kit.problems import Problem, Refused

PREFIX = "SFOA_SECRET_"
COMMAND_SUFFIX = "_COMMAND"
RESOURCE = "named-credentials/credential"
NAMED = "NamedPrincipal"
CUSTOM = "Custom"
COMMAND_SECONDS = 30


@dataclass(frozen=True, slots=True, order=True)
class Principal:
    """A named principal of an external credential: by whom the org calls out."""

    credential: str
    name: str
    protocol: str

    @property
    def variable(self) -> str:
        """The environment variable that holds its secret: SFOA_SECRET_<CREDENTIAL>_<PRINCIPAL>."""
        return PREFIX + re.sub(r"[^A-Z0-9]+", "_", f"{self.credential}_{self.name}".upper()).strip("_")

    def __str__(self) -> str:
        return f"{self.credential}.{self.name}"


def principals(components: Iterable[Component]) -> tuple[Principal, ...]:
    """Return the named principals of the external credentials among `components`, sorted."""
    found = []
    for component in components:
        root = metadata_root(component.files[0].data) if component.key.type == "ExternalCredential" else None
        if root is None:
            continue
        protocol = root.findtext("{*}authenticationProtocol", "")
        found += [
            Principal(component.key.full_name, each.findtext("{*}parameterName", ""), protocol)
            for each in root.iter("{*}externalCredentialParameters")
            if each.findtext("{*}parameterType") == NAMED
        ]
    return tuple(sorted(found))


def is_set(api: MetadataApi, principal: Principal) -> bool | None:
    """Return whether the org has a secret of a principal, None when it has no such principal. Raises `ApiRefused`."""
    try:
        return bool(api.call("GET", RESOURCE, params=_who(principal))["authenticationStatus"] == "Configured")
    except ApiRefused as refused:
        if refused.code == "NOT_FOUND":
            return None
        raise


def set_secret(api: MetadataApi, principal: Principal, values: Mapping[str, str], *, replace: bool) -> None:
    """Give a principal its secret values, by name; `replace` when it has some. Raises `ApiRefused`."""
    body = {
        **_who(principal),
        "authenticationProtocol": principal.protocol,
        "credentials": {name: {"value": value, "encrypted": True} for name, value in values.items()},
    }
    api.call("PUT" if replace else "POST", RESOURCE, json=body)


def secret_of(principal: Principal, environment: Mapping[str, str] = os.environ) -> Mapping[str, str] | None:
    """Return the values that the environment has for a principal, None when it has none.

    A variable holds a JSON object of names and values ({"token": …}), or what `<variable>_COMMAND` prints is one.
    Raises `Refused`, without a word of what it read.
    """
    text = environment.get(principal.variable)
    if text is None and (command := environment.get(principal.variable + COMMAND_SUFFIX)):
        text = _printed(principal, command)
    if text is None:
        return None
    try:
        values = json.loads(text)
    except ValueError:
        values = None
    if not isinstance(values, dict) or not values or not all(isinstance(each, str) for each in values.values()):
        raise Refused(
            Problem(
                f"{principal.variable} is no JSON object of names and texts, for {principal}",
                'a secret has names, as the credential\'s headers use them: {"token": "…"}',
                "correct it in the secret manager",
            )
        )
    return values


Held = Mapping[Principal, bool | None]
"""Of each principal whether the org has its secret; None when the org has no such principal."""


def look(api: MetadataApi, wanted: Iterable[Principal]) -> Held:
    """Return which of the principals have their secret in an org. Raises `ApiRefused`."""
    return {principal: is_set(api, principal) for principal in wanted}


def give(api: MetadataApi, held: Held, tell: Callable[[str], None]) -> tuple[Principal, ...]:
    """Give each principal that the org has the secret that the environment has for it, and return those that got one.
    The org never says what it holds, so one that is there is set again. Raises `ApiRefused`, and `Refused` for a secret
    that is none."""
    given = []
    for principal, there in held.items():
        if there is None or principal.protocol != CUSTOM:
            continue
        if values := secret_of(principal):
            tell(f"Setting the secret of {principal} in {api.session.org}")
            set_secret(api, principal, values, replace=there)
            given.append(principal)
    return tuple(given)


def configured(principal: Principal, environment: Mapping[str, str] = os.environ) -> bool:
    """Return whether the environment names a secret for a principal, or a command that prints one."""
    return bool({principal.variable, principal.variable + COMMAND_SUFFIX} & environment.keys())


def lacking(org: str, held: Held, given: Collection[Principal] = ()) -> list[Problem]:
    """Return which principals are without their secret in an org, and what to do, in both languages."""
    left = ((principal, there) for principal, there in held.items() if not there and principal not in given)
    return [_missing(org, principal) if there is False else _absent(org, principal) for principal, there in left]


def _missing(org: str, principal: Principal) -> Problem:
    variable = principal.variable
    custom = principal.protocol == CUSTOM
    return Problem(
        f"{principal} has no secret in {org}: {variable} (or {variable}{COMMAND_SUFFIX}) is not set",
        "an external credential works once its principal has a secret, which is no metadata",
        f"set {variable}, and run set_credentials"
        if custom
        else f"{principal.protocol}: authenticate it in Setup → Named Credentials",
        value=str(principal),
        what_zh=f"{principal} 在 {org} 中没有密钥:未设置 {variable}(或 {variable}{COMMAND_SUFFIX})",
        fix_zh=f"设置 {variable} 并运行 set_credentials" if custom else "请在 Setup → Named Credentials 中完成认证",
    )


def _absent(org: str, principal: Principal) -> Problem:
    return Problem(
        f"{org} has no {principal} yet, or doesn't show it",
        "a secret is given to a principal that was deployed",
        "promote first; see that the runner's permission set holds Customize Application",
        value=str(principal),
        what_zh=f"{org} 尚无 {principal},或不予显示",
        fix_zh="请先发布;并确认发布用户的权限集包含 Customize Application",
    )


def _who(principal: Principal) -> dict[str, str]:
    return {"externalCredential": principal.credential, "principalName": principal.name, "principalType": NAMED}


def _printed(principal: Principal, command: str) -> str:
    try:
        done = subprocess.run(shlex.split(command), capture_output=True, text=True, timeout=COMMAND_SECONDS)
        failed = f"exit code {done.returncode}" if done.returncode else ""
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        failed = type(error).__name__
    if not failed:
        return done.stdout
    raise Refused(
        Problem(
            f"the command of {principal.variable}{COMMAND_SUFFIX} failed: {failed}",
            "it prints the secret as JSON to stdout",
            "run it by hand, and see that this machine may read the secret",
        )
    )
