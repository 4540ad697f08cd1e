from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from flows import tokens
from kit.problems import Refused
from orgs.domains import Hosts, hosts
from orgs.federation import Federation, load_federation


def pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


class Answer:
    """Records what was posted, and answers."""

    def __init__(self, status: int, body: dict[str, str]) -> None:
        self.posted: list[tuple[str, dict[str, str]]] = []
        self._status, self._body = status, body

    def __call__(self, url: str, data: dict[str, str], **options: object) -> requests.Response:
        assert options["allow_redirects"] is False
        self.posted.append((url, data))
        response = requests.Response()
        response.status_code = self._status
        response._content = str(self._body).replace("'", '"').encode()
        return response


GRANTED = {
    "access_token": "00D000000000001EAA!token",
    "id": "https://test.sfcrmproducts.cn/id/00D000000000001EAA/005000000000001AAA",
    "instance_url": "https://evil.example.com",
}


@pytest.fixture(scope="session")
def federation() -> Federation:
    return load_federation()


@pytest.fixture(autouse=True)
def no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (tokens.KEY_FILE, tokens.KEY, tokens.KEY_COMMAND):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def with_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(tokens.KEY, pem(KEY).decode())


@pytest.mark.usefixtures("with_key")
@pytest.mark.parametrize(
    ("name", "url", "audience"),
    [
        ("china-uat", "https://acme-cn--uat.sandbox.my.sfcrmproducts.cn", "https://test.sfcrmproducts.cn"),
        ("china-production", "https://acme-cn.my.sfcrmproducts.cn", "https://login.sfcrmproducts.cn"),
        ("global-uat", "https://acme--uat.sandbox.my.salesforce.com", "https://test.salesforce.com"),
        ("global-production", "https://acme.my.salesforce.com", "https://login.salesforce.com"),
    ],
)
def test_an_assertion_goes_to_the_org_s_own_domain_with_its_edition_s_audience(
    federation: Federation, monkeypatch: pytest.MonkeyPatch, name: str, url: str, audience: str
) -> None:
    answer = Answer(200, GRANTED)
    monkeypatch.setattr(requests, "post", answer)
    org = federation.org(name)
    tokens.mint(org)
    ((posted, form),) = answer.posted
    assert posted == f"{url}/services/oauth2/token"
    claims = jwt.decode(form["assertion"], KEY.public_key(), algorithms=["RS256"], audience=audience)
    assert (claims["iss"], claims["sub"]) == (org.runner.client_id, org.runner.username)


@pytest.mark.usefixtures("with_key")
def test_a_session_stays_at_the_my_domain_whatever_instance_the_answer_names(
    federation: Federation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests, "post", Answer(200, GRANTED))
    session = tokens.mint(federation.org("china-uat"))
    assert session.url == "https://acme-cn--uat.sandbox.my.sfcrmproducts.cn"
    assert session.org_id == "00D000000000001EAA"
    assert "token" not in repr(session)


@pytest.mark.usefixtures("with_key")
@pytest.mark.parametrize(
    "host",
    [
        "acme-cn.my.salesforce.com",
        "acme-cn.my.sfcrmproducts.cn.example.com",
        "sfcrmproducts.cn.example.com",
        "example.com",
        "xsfcrmproducts.cn",
    ],
)
def test_an_assertion_for_a_china_org_is_never_sent_outside_its_domains(
    federation: Federation, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    org = federation.org("china-production")
    answer = Answer(200, GRANTED)
    monkeypatch.setattr(requests, "post", answer)

    def wrong(_org: object) -> Hosts:
        return replace(hosts(org), my_domain=host)

    monkeypatch.setattr(tokens, "hosts", wrong)
    with pytest.raises(Refused, match="no assertion is sent"):
        tokens.mint(org)
    assert answer.posted == []


def test_the_key_comes_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(pem(KEY))
    monkeypatch.setenv(tokens.KEY_FILE, str(tmp_path / "key"))
    assert tokens.private_key().public_key() == KEY.public_key()


def test_the_key_comes_from_a_command_of_a_secret_manager(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(pem(KEY))
    program = f"print(open({str(tmp_path / 'key')!r}).read())"
    monkeypatch.setenv(tokens.KEY_COMMAND, f'{sys.executable} -c "{program}"')
    assert tokens.private_key().public_key() == KEY.public_key()


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        (tokens.KEY_FILE, "/nowhere/key", "No such file"),
        (tokens.KEY, "no key", "no private key that can be read"),
        (tokens.KEY, pem(ec.generate_private_key(ec.SECP256R1())).decode(), "no RSA key"),
        (tokens.KEY_COMMAND, "false", "exit code 1"),
        (tokens.KEY_COMMAND, "/nowhere/vault read", "No such file"),
        (tokens.KEY_COMMAND, "vault 'read", "No closing quotation"),
    ],
)
def test_a_key_that_cannot_be_had_is_said_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(Refused, match=words) as refused:
        tokens.private_key()
    assert refused.value.problems[0].fix


def test_without_any_key_all_three_ways_are_named() -> None:
    with pytest.raises(Refused) as refused:
        tokens.private_key()
    assert all(name in str(refused.value) for name in (tokens.KEY_FILE, tokens.KEY, tokens.KEY_COMMAND))


@pytest.mark.usefixtures("with_key")
def test_a_refusal_carries_the_org_s_own_words_and_no_assertion(
    federation: Federation, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = Answer(400, {"error": "invalid_grant", "error_description": "user hasn t approved this consumer"})
    monkeypatch.setattr(requests, "post", answer)
    with pytest.raises(Refused, match="invalid_grant: user hasn t approved") as refused:
        tokens.mint(federation.org("china-uat"))
    assert answer.posted[0][1]["assertion"] not in str(refused.value)
