"""Gets a job of CI in without a key: its host's token becomes keys of a RAM role that end within the hour.

`eval "$(python -m pipelines.oidc)"` exports them. It reads the token from ALIYUN_TOKEN, and whose keys to ask for from
ALIBABA_CLOUD_ROLE_ARN and ALIBABA_CLOUD_OIDC_PROVIDER_ARN, as Alibaba Cloud's own libraries do. GitHub has an action.
"""

from __future__ import annotations

import os
import shlex
import sys
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import requests

PROOF = "ALIYUN_TOKEN"
ROLE = "ALIBABA_CLOUD_ROLE_ARN"
PROVIDER = "ALIBABA_CLOUD_OIDC_PROVIDER_ARN"
STS = "https://sts.aliyuncs.com/"
SECONDS = 30
EXPORTED = {
    "ALIBABA_CLOUD_ACCESS_KEY_ID": "AccessKeyId",
    "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "AccessKeySecret",
    "ALIBABA_CLOUD_SECURITY_TOKEN": "SecurityToken",
}


class Denied(Exception):
    """STS gave no keys."""


def keys(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment variables of the role's keys (STS, AssumeRoleWithOIDC, version 2015-04-01).

    Raises `KeyError` with the name of what isn't set, and `Denied` when STS doesn't give any.
    """
    # In the body: the official library sends the token in the address, which then is in every error and log.
    asked = {
        "Action": "AssumeRoleWithOIDC",
        "Format": "JSON",
        "Version": "2015-04-01",
        "Timestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "SignatureNonce": uuid.uuid4().hex,
        "RoleArn": environment[ROLE],
        "OIDCProviderArn": environment[PROVIDER],
        "OIDCToken": environment[PROOF],
        "RoleSessionName": "release",
    }
    try:
        answer = requests.post(STS, data=asked, timeout=SECONDS).json()
        if "Credentials" not in answer:
            raise Denied(f"{answer.get('Code')}: {answer.get('Message')}")
    except (requests.RequestException, ValueError) as error:
        raise Denied(f"{STS} doesn't answer: {error}") from error
    return {name: answer["Credentials"][field] for name, field in EXPORTED.items()}


def hand_over(given: Callable[[], dict[str, str]]) -> int:
    """Print one `export` for each key; on failure nothing but `false`, so that `eval` fails. Returns the exit code."""
    try:
        exports = [f"export {name}={shlex.quote(value)}" for name, value in given().items()]
    except KeyError as error:
        print(f"{error.args[0]} is not set: docs/ci-identity.md says where its value comes from", file=sys.stderr)
    except Denied as denied:
        print(f"No keys for the job: {denied}", file=sys.stderr)
    else:
        print("\n".join(exports))
        return 0
    print("false")
    return 1


if __name__ == "__main__":
    sys.exit(hand_over(lambda: keys(os.environ)))
