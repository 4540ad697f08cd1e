"""The emulated org through its real host name: proxy, TLS, `requests` and simple-salesforce."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests
from simple_salesforce import Salesforce, SalesforceExpiredSession, SalesforceMalformedRequest

from emulators.testing import Running, running
from tests.emulators.salesforce.salesforce_world import CHINA, JWT_BEARER, RUNNER


@pytest.fixture
def emulators(tmp_path: Path, world_file: dict[str, Any]) -> Iterator[Running]:
    with running(tmp_path) as emulators:
        emulators.emulators.seed(world_file)
        yield emulators


@pytest.fixture
def http(emulators: Running) -> Iterator[requests.Session]:
    with requests.Session() as session:
        _route(session, emulators)
        yield session


def _route(session: requests.Session, emulators: Running) -> None:
    """Send a session through the emulators, whatever proxies and CAs the machine's environment names."""
    session.trust_env = False
    session.proxies, session.verify = emulators.proxies, str(emulators.ca_file)


def token(http: requests.Session, key: str, now: float) -> dict[str, str]:
    claims = {"iss": "SFOA_RELEASE_RUNNER", "sub": RUNNER, "aud": "https://test.sfcrmproducts.cn", "exp": int(now)}
    form = {"grant_type": JWT_BEARER, "assertion": jwt.encode(claims, key, algorithm="RS256")}
    answer: dict[str, str] = http.post(f"https://{CHINA}/services/oauth2/token", data=form, timeout=10).json()
    return answer


def test_simple_salesforce_works_with_a_china_org(
    emulators: Running, http: requests.Session, key_pair: tuple[str, str]
) -> None:
    answer = token(http, key_pair[0], time.time())
    org = Salesforce(
        instance_url=answer["instance_url"], session_id=answer["access_token"], version="64.0", session=http
    )
    created = org.Account.create({"Name": "上海"})
    assert org.Account.get(created["id"])["Name"] == "上海"
    assert org.query_all("SELECT Name, Owner.Username FROM Account")["records"][0]["Owner"]["Username"] == RUNNER
    assert org.Organization.get(answer["id"].split("/")[-2])["InstanceName"] == "CHN3S"
    assert any(row["name"] == "Account" for row in org.describe()["sobjects"])
    org.Account.update(created["id"], {"Name": "北京"})
    org.Account.delete(created["id"])
    assert org.query("SELECT COUNT() FROM Account")["totalSize"] == 0
    with pytest.raises(SalesforceMalformedRequest, match="No such column"):
        org.query("SELECT Nme FROM Account")
    stranger = Salesforce(instance_url=f"https://{CHINA}", session_id="00Dnonsense", session=http)
    with pytest.raises(SalesforceExpiredSession):
        stranger.query("SELECT Id FROM Account")


def test_an_org_remembers_across_a_restart(
    tmp_path: Path, world_file: dict[str, Any], key_pair: tuple[str, str]
) -> None:
    with running(tmp_path) as first, requests.Session() as http:
        first.emulators.seed(world_file)
        _route(http, first)
        session = token(http, key_pair[0], time.time())["access_token"]
        Salesforce(instance_url=f"https://{CHINA}", session_id=session, session=http).Account.create({"Name": "Kept"})
    with running(tmp_path) as second, requests.Session() as http:
        _route(http, second)
        org = Salesforce(instance_url=f"https://{CHINA}", session_id=session, session=http)
        assert org.query("SELECT Name FROM Account")["records"][0]["Name"] == "Kept"
