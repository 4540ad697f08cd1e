"""An org that knows no release runner gets one by a token that an administrator gives once; then its key rolls over."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests

from emulators.testing import Running
from flows.bootstrap import TOKEN, By, Done, bootstrap, opened_by_administrator
from flows.components import ComponentKey
from flows.metadata_api import MetadataApi
from flows.runneraccess import NAME
from flows.tokens import mint, private_key
from kit.problems import Refused
from orgs.domains import hosts
from orgs.federation import load_federation
from orgs.runnerkey import RunnerKey, ensure_runner_key
from orgs.world import world
from tests.e2e.released import Project

pytestmark = pytest.mark.e2e

ORG = load_federation().org("china-uat")
OTHER = load_federation().org("china-east")
ADMINISTRATOR = "break.glass.one@acme-cn.example.uat"
CLI = "PlatformCLI"
BOOTSTRAP = ("cci", "task", "run", "bootstrap", "--org", ORG.name, "--wait", "0")


@pytest.fixture
def by_hand(tmp_path: Path) -> RunnerKey:
    """The key by which a test stands in for an administrator's login in a browser."""
    return ensure_runner_key(tmp_path / "administrator")


@pytest.fixture
def fresh(project: Project, clouds: Running, by_hand: RunnerKey) -> Project:
    """A project one of whose orgs has users and Salesforce's own CLI app, and no app of the kit's."""
    pem = (clouds.emulators.home / "runner" / "runner.crt").read_text()
    orgs: list[Any] = world(load_federation(), pem)["orgs"]  # type: ignore[assignment]
    bare = {
        "users": [
            {"username": ORG.runner.username, "profile": "Standard User"},
            {"username": ADMINISTRATOR, "profile": "System Administrator"},
        ],
        "connected_apps": [{"client_id": CLI, "certificate": by_hand.certificate.read_text()}],
    }
    body = {"orgs": [org | bare if org["name"] == ORG.name else org for org in orgs]}
    requests.post(f"http://127.0.0.1:{clouds.port}/seed", json=body, timeout=60).raise_for_status()
    return project


def administrators_token(key: RunnerKey) -> str:
    its = hosts(ORG)
    claims = {"iss": CLI, "sub": ADMINISTRATOR, "aud": its.jwt_audience, "exp": int(time.time()) + 180}
    assertion = jwt.encode(claims, key.key.read_text(), algorithm="RS256")
    form = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": assertion}
    answer = requests.post(its.token_url, data=form, timeout=30)
    answer.raise_for_status()
    return str(answer.json()["access_token"])


def told(project: Project, *command: str, **environment: str) -> tuple[int, str]:
    """Run a command with more in its environment: its exit code, and all that it said, in one line."""
    done = replace(project, environment=project.environment | environment).run(*command)
    return done.returncode, " ".join((done.stdout + done.stderr).split())


def test_a_token_used_once_lets_the_runner_in_and_its_key_is_rolled_over_in_two_steps(
    fresh: Project, by_hand: RunnerKey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    status, said = told(fresh, *BOOTSTRAP)
    assert status == 1
    assert TOKEN in said

    token = administrators_token(by_hand)
    with pytest.raises(Refused, match="takes no token like this one"):
        opened_by_administrator(OTHER, token)

    status, said = told(fresh, *BOOTSTRAP, **{TOKEN: token})
    assert status == 0, said
    assert "ConnectedApp:Sfoa_Release_Runner" in said
    assert "is needed no more" in said
    assert token not in said
    kept = [path.read_bytes() for path in fresh.root.rglob("*") if path.is_file()]
    assert not any(token.encode() in data for data in kept)
    key = private_key()
    assert bootstrap(ORG, "62.0", key, None, "", print, wait=0) == Done(By.RUNNER, ())
    wanted = [ComponentKey("ConnectedApp", NAME), ComponentKey("PermissionSet", NAME)]
    files = MetadataApi(mint(ORG), "62.0").retrieve(wanted).files
    app = files[f"connectedApps/{NAME}.connectedApp"].decode()
    assert "<isAdminApproved>true" in app
    assert "<scopes>Full" not in app
    assert b"ModifyAllData" not in files[f"permissionsets/{NAME}.permissionset"]

    following = ensure_runner_key(tmp_path / "next")
    status, said = told(fresh, *BOOTSTRAP, "--next_certificate", str(following.certificate))
    assert status == 0, said
    assert f"{NAME}_Next" in said
    assert mint(ORG).username == ORG.runner.username  # the key in use goes on working
    status, said = told(fresh, *BOOTSTRAP, SFOA_JWT_KEY_FILE=str(following.key))
    assert status == 0, said
    with pytest.raises(Refused, match="invalid assertion"):
        mint(ORG)
    monkeypatch.setenv("SFOA_JWT_KEY_FILE", str(following.key))
    assert mint(ORG).username == ORG.runner.username


def test_an_org_without_the_runners_user_is_left_alone(fresh: Project, by_hand: RunnerKey) -> None:
    assert fresh.root.is_dir()
    nobody = ORG.runner.model_copy(update={"username": "nobody@acme-cn.example.uat"})
    unknown = ORG.model_copy(update={"runner": nobody})
    with pytest.raises(Refused, match=r"no user nobody@acme-cn\.example\.uat"):
        bootstrap(unknown, "62.0", private_key(), None, administrators_token(by_hand), print, wait=0)
