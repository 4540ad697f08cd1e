"""Mints access tokens: OAuth 2.0 JWT bearer, signed for one org, posted to that org's own My Domain, kept nowhere.

Salesforce Help, "OAuth 2.0 JWT Bearer Flow for Server-to-Server Integration": RS256; iss = client id, sub = user
name, aud = the login server of the edition; an assertion lives three minutes at most.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import jwt
import requests
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from kit.problems import Problem, Refused
from kit.redaction import redact
from orgs.domains import edition_of_host, hosts
from orgs.federation import Org

KEY_FILE = "SFOA_JWT_KEY_FILE"
KEY = "SFOA_JWT_KEY"
KEY_COMMAND = "SFOA_JWT_KEY_COMMAND"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
ASSERTION_SECONDS = 180
TIMEOUT_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Session:
    """An access to one org. `host` is its My Domain; `identity` the URL https://…/id/<org id>/<user id>."""

    org: str
    host: str
    username: str
    identity: str
    token: str = field(repr=False)

    @property
    def url(self) -> str:
        """The base URL of every API of the org."""
        return f"https://{self.host}"

    @property
    def org_id(self) -> str:
        """The org's id, 00D…"""
        return self.identity.rstrip("/").split("/")[-2]


def mint(org: Org, now: Callable[[], float] = time.time) -> Session:
    """Return a new session for the release runner of `org`. Raises `Refused` with what to do about it."""
    url = token_url(org)
    assertion = jwt.encode(claims(org, now()), private_key(), algorithm="RS256")
    try:
        answer = requests.post(
            url,
            data={"grant_type": GRANT, "assertion": assertion},
            timeout=TIMEOUT_SECONDS,
            allow_redirects=False,
        )
    except requests.RequestException as error:
        raise Refused(
            Problem(
                f"{org.name}: {urlsplit(url).hostname} cannot be reached: {redact(_cause(error))}",
                "the org's My Domain answers from here",
                "see that my_domain and sandbox in federation.yml are right, and that HTTPS_PROXY is "
                "(`sfoa emulators run -- …` for the emulators)",
            )
        ) from error
    return _session(org, answer)


def token_url(org: Org) -> str:
    """Return the URL that an assertion for `org` may be sent to.

    Raises `Refused` when that is not a host of the org's own edition: an assertion for a China org never leaves
    its domains, even when a domain in the federation or a table is wrong.
    """
    url = hosts(org).token_url
    parts = urlsplit(url)
    if parts.scheme != "https" or edition_of_host(parts.hostname or "") != org.edition:
        raise Refused(
            Problem(
                f"{org.name}: no assertion is sent to {parts.hostname or url!r}",
                f"an assertion for an org of the {org.edition} edition goes to a host of that edition only, over TLS",
                f"correct my_domain of {org.name} in federation.yml",
            )
        )
    return url


def claims(org: Org, now: float) -> dict[str, str | int]:
    """Return the claims of an assertion for `org`; `now` is in seconds since the epoch."""
    return {
        "iss": org.runner.client_id,
        "sub": org.runner.username,
        "aud": hosts(org).jwt_audience,
        "exp": int(now) + ASSERTION_SECONDS,
    }


def private_key() -> RSAPrivateKey:
    """Return the runner's key: from $SFOA_JWT_KEY_FILE, $SFOA_JWT_KEY (PEM text), or what the command
    $SFOA_JWT_KEY_COMMAND of a secret manager prints. Raises `Refused` when there is none, or it is no RSA key."""
    pem, source = _pem()
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise Refused(
            Problem(
                f"{source} holds no private key that can be read",
                "the key is PEM, without a passphrase",
                "write it with `openssl genrsa -out runner.key 2048`, and give its certificate to the connected app",
            )
        ) from error
    if not isinstance(key, RSAPrivateKey):
        raise Refused(
            Problem(
                f"{source} holds no RSA key",
                "Salesforce takes assertions signed with RS256 only",
                "make the key with `openssl genrsa -out runner.key 2048`",
            )
        )
    return key


def _pem() -> tuple[bytes, str]:
    if file := os.environ.get(KEY_FILE):
        try:
            return Path(file).read_bytes(), file
        except OSError as error:
            raise Refused(
                Problem(
                    f"cannot read the runner's key {file}: {error.strerror}",
                    f"{KEY_FILE} names a readable file",
                    "run `make up`, which makes the key of the emulators; or name the file of your own key",
                )
            ) from error
    if text := os.environ.get(KEY):
        return text.encode(), f"${KEY}"
    if command := os.environ.get(KEY_COMMAND):
        return _printed_by(command), f"the output of ${KEY_COMMAND}"
    raise Refused(
        Problem(
            "the runner has no key",
            "tokens are minted from a private key",
            f"set one of {KEY_FILE} (a file), {KEY} (PEM text) and {KEY_COMMAND} (a command of your secret manager)",
        )
    )


def _printed_by(command: str) -> bytes:
    try:
        done = subprocess.run(shlex.split(command), capture_output=True, timeout=TIMEOUT_SECONDS)
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        words = "it took too long" if isinstance(error, subprocess.TimeoutExpired) else str(error)
    else:
        if done.returncode == 0:
            return done.stdout
        words = redact(done.stderr.decode(errors="replace").strip()) or f"exit code {done.returncode}"
    raise Refused(
        Problem(
            f"${KEY_COMMAND} failed: {words}",
            "the command prints the private key in PEM to stdout",
            "run it by hand, and see that this machine may read the secret",
        )
    )


_FIXES = {
    "invalid_client_id": "see that runner.client_id in federation.yml is the consumer key of the connected app",
    "invalid_client": "see that runner.client_id in federation.yml is the consumer key of the connected app",
    "invalid_app_access": "assign the runner's permission set to the connected app (admin-approved users)",
}


def _session(org: Org, answer: requests.Response) -> Session:
    try:
        data = answer.json()
    except requests.JSONDecodeError:
        data = {}
    if not isinstance(data, dict):
        data = {}
    if answer.status_code != requests.codes.ok or not {"access_token", "id"} <= data.keys():
        error = str(data.get("error", f"HTTP {answer.status_code}"))
        words = redact(str(data.get("error_description", answer.reason or "")))
        raise Refused(
            Problem(
                f"{org.name} gives no token: {error}: {words}",
                f"the connected app {org.runner.client_id} trusts the runner's certificate and "
                f"{org.runner.username} is an active, pre-authorised user",
                _FIXES.get(
                    error,
                    "see user, certificate and pre-authorisation in the org's connected app; the org's login history "
                    "says more",
                ),
            )
        )
    host = urlsplit(token_url(org)).hostname or ""
    return Session(org.name, host, org.runner.username, str(data["id"]), str(data["access_token"]))


def _cause(error: BaseException) -> str:
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__ or error
    return str(error)
