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
from collections.abc import Iterable, Mapping
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
