"""A job of CI without a key: its token is exchanged at the emulated STS."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from alibabacloud_tea_openapi.client import Client
from alibabacloud_tea_openapi.models import Config, OpenApiRequest, Params
from darabonba.runtime import RuntimeOptions

from emulators.alicloud import oidc
from emulators.alicloud.account import ACCESS_KEY_ID, ACCESS_KEY_SECRET
from emulators.testing import Running, running
from pipelines.oidc import PROOF, PROVIDER, ROLE
from tests.federated import FINGERPRINT, Idp

ROOT = Path(__file__).parents[2]
ACCOUNT = "acs:ram::1234567890123456"
TRUSTED = f"{ACCOUNT}:oidc-provider/ci"
JOB = "project_path:acme/it/crm:ref_type:branch:ref:main"


def call(clouds: Running, service: str, version: str, action: str, **asked: str) -> None:
    key = {"access_key_id": ACCESS_KEY_ID, "access_key_secret": ACCESS_KEY_SECRET}
    client = Client(Config(**key, endpoint=f"{service}.aliyuncs.com", ca=str(clouds.ca_file)))
    form = {"style": "RPC", "method": "POST", "protocol": "HTTPS", "pathname": "/", "auth_type": "AK"}
    params = Params(action=action, version=version, req_body_type="formData", body_type="json", **form)
    client.call_api(params, OpenApiRequest(query=asked), RuntimeOptions())


@pytest.fixture(scope="module")
def idp() -> Idp:
    return Idp(time.time(), "https://gitlab.com")


@pytest.fixture(scope="module")
def clouds(tmp_path_factory: pytest.TempPathFactory, idp: Idp) -> Iterator[Running]:
    """An account whose role `ci-release` trusts the main branch of one repository."""
    trust = {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": {"Federated": [TRUSTED]},
        "Condition": {"StringEquals": {"oidc:aud": "sts.aliyuncs.com", "oidc:sub": JOB}},
    }
    with running(tmp_path_factory.mktemp("clouds")) as made, pytest.MonkeyPatch.context() as patch:
        for name, value in made.environment.items():
            patch.setenv(name, value)
        oidc.publish(made.store, idp.issuer, [idp.jwk()], FINGERPRINT)
        named = {"OIDCProviderName": "ci", "IssuerUrl": idp.issuer, "ClientIds": "sts.aliyuncs.com"}
        call(made, "ims", "2019-08-15", "CreateOIDCProvider", Fingerprints=FINGERPRINT, **named)
        policy = json.dumps({"Version": "1", "Statement": [trust]})
        call(made, "ram", "2015-05-01", "CreateRole", RoleName="ci-release", AssumeRolePolicyDocument=policy)
        yield made


def exported(clouds: Running, **told: str) -> subprocess.CompletedProcess[str]:
    """Do what a job's line does, and print which keys it has then."""
    keyless = {name: value for name, value in os.environ.items() if "ACCESS_KEY" not in name and PROOF not in name}
    outside: Mapping[str, str] = {name: value for name, value in clouds.environment.items() if "ACCESS_KEY" not in name}
    line = f'set -e; eval "$({shlex.quote(sys.executable)} -m pipelines.oidc)"; printenv ALIBABA_CLOUD_SECURITY_TOKEN'
    return subprocess.run(
        ["bash", "-c", line], cwd=ROOT, env={**keyless, **outside, **told}, capture_output=True, text=True, timeout=60
    )


def test_the_token_of_a_job_becomes_keys_that_are_exported(clouds: Running, idp: Idp) -> None:
    told = {ROLE: f"{ACCOUNT}:role/ci-release", PROVIDER: TRUSTED, PROOF: idp.token(JOB)}
    done = exported(clouds, **told)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def test_a_job_of_another_branch_stops_and_says_why(clouds: Running, idp: Idp) -> None:
    told = {ROLE: f"{ACCOUNT}:role/ci-release", PROVIDER: TRUSTED, PROOF: idp.token(JOB.replace("main", "other"))}
    done = exported(clouds, **told)
    assert done.returncode != 0
    assert "NoPermission" in done.stderr
    assert told[PROOF] not in done.stderr
    assert done.stdout == ""


def test_a_job_that_is_told_no_role_says_what_to_set(clouds: Running, idp: Idp) -> None:
    done = exported(clouds, **{PROOF: idp.token(JOB)})
    assert done.returncode != 0
    assert ROLE in done.stderr
