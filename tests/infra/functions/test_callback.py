"""The callback function itself, against the platform's own sample, another implementation, and an emulated org."""

from __future__ import annotations

import base64
import hashlib
import json
import logging
import time
import urllib.request
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from alibabacloud_kms20160120 import models as kms
from alibabacloud_kms20160120.client import Client as KmsClient
from alibabacloud_tea_openapi.models import Config
from cryptography import x509
from cryptography.hazmat.primitives import hashes, padding, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from emulators.alicloud.account import ACCESS_KEY_ID, ACCESS_KEY_SECRET
from emulators.salesforce.metadata.components import Key, OrgComponent, OrgComponents
from emulators.salesforce.orgs import Orgs
from emulators.service import World
from emulators.testing import Running, running
from infra.functions.callback import entry
from infra.functions.callback.callback import Call, Callback, Channel
from infra.functions.callback.envelope import NotOurs, key_of, opened
from infra.functions.callback.message import Malformed, message, parse
from infra.functions.callback.salesforce import NotPublished
from infra.functions.callback.seen import Seen, State
from infra.functions.callback.signature import signature_of

TOKEN = "QDG6eK"
ENCODING_KEY = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
CORP = "wx5823bf96d3bd56c7"
NOW = 1_409_659_813.0
# WeCom's sample code (WXBizMsgCrypt, Sample): the check of an address, and a text message.
ECHO = {
    "msg_signature": "5c45ff5e21c57e6ad56bac8758b79b1d9ac89fd3",
    "timestamp": "1409659589",
    "nonce": "263014780",
    "echostr": "P9nAzCzyDtyTWESHep1vC5X9xho/qYX3Zpb4yKa9SKld1DsH3Iyt3tP3zNdtp+4RPcs8TgAE7OaBO+FZXvnaqQ==",
}
MESSAGE = {
    "msg_signature": "477715d11cdb4164915debcba66cb864d751f3e6",
    "timestamp": "1409659813",
    "nonce": "1372623149",
}
ENCRYPTED = (
    "RypEvHKD8QQKFhvQ6QleEB4J58tiPdvo+rtK1I9qca6aM/wvqnLSV5zEPeusUiX5L5X/0lWfrf0QADHHhGd3QczcdCUpj911L3vg3W/sYYvuJTs3"
    "TUUkSUXxaccAS0qhxchrRYt66wiSpGLYL42aM6A8dTT+6k4aSknmPj48kzJs8qLjvd4Xgpue06DOdnLxAUHzM6+kDZ+HMZfJYuR+LtwGc2hgf5gs"
    "ijff0ekUNXZiqATP7PF5mZxZ3Izoun1s4zG4LUMnvw2r+KqCKIw+3IQH03v+BCA9nMELNqbSf6tiWSrXJB3LAVGUcallcrw8V2t9EL4EhzJWrQUa"
    "x5wLVMNS0+rUPA3k22Ncx4XXZS9o0MBH27Bo6BpNelZpS+/uh9KsNlY6bHCmJU9p8g7m3fVKn28H3KDYA5Pl/T8Z1ptDAVe0lXdQ2YoyyH2uyPIG"
    "HBZZIs2pDBS8R07+qN+E7Q=="
)
CHINA = "acme-cn--uat.sandbox.my.sfcrmproducts.cn"
EVENT_FIELDS = ("Channel__c", "MessageKey__c", "Type__c", "Event__c", "Sender__c", "Payload__c")


class Desk:
    """A callback with one channel of each platform, and what it published."""

    def __init__(self, now: float = NOW) -> None:
        self.now = now
        self.published: list[Mapping[str, object]] = []
        self.broken = False
        channel = Channel(TOKEN, key_of(ENCODING_KEY), CORP)
        names = ("wecom", "official-account", "mini-program")
        self.callback = Callback(dict.fromkeys(names, channel), self._publish, lambda: self.now)

    def _publish(self, fields: Mapping[str, object]) -> None:
        if self.broken:
            raise NotPublished("the org answered 503")
        self.published.append(fields)

    def get(self, name: str, query: Mapping[str, str]) -> tuple[int, str]:
        reply = self.callback.answer(Call("GET", f"/{name}", query))
        return reply.status, reply.text

    def post(self, name: str, query: Mapping[str, str], body: bytes) -> tuple[int, str, str]:
        reply = self.callback.answer(Call("POST", f"/{name}", query, body))
        return reply.status, reply.text, reply.outcome


def sealed(text: bytes, receiver: str = CORP) -> str:
    """Return a ciphertext, made here anew: the tests share no code with what they test."""
    key = base64.b64decode(ENCODING_KEY + "=")
    padder = padding.PKCS7(256).padder()
    plain = padder.update(b"r" * 16 + len(text).to_bytes(4, "big") + text + receiver.encode()) + padder.finalize()
    cipher = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    return base64.b64encode(cipher.update(plain) + cipher.finalize()).decode()


def signed_query(encrypted: str, now: float = NOW, nonce: str = "n1") -> dict[str, str]:
    stamp = str(int(now))
    digest = hashlib.sha1("".join(sorted([TOKEN, stamp, nonce, encrypted])).encode()).hexdigest()
    return {"msg_signature": digest, "timestamp": stamp, "nonce": nonce}


def xml_of(encrypted: str) -> bytes:
    return f"<xml><ToUserName>{CORP}</ToUserName><Encrypt><![CDATA[{encrypted}]]></Encrypt></xml>".encode()


def test_the_platform_s_own_sample_is_verified_and_read() -> None:
    desk = Desk()
    assert desk.get("wecom", ECHO) == (200, "1616140317555161061")
    assert desk.post("wecom", MESSAGE, xml_of(ENCRYPTED)) == (200, "success", "published")
    (event,) = desk.published
    assert tuple(event) == EVENT_FIELDS
    assert [event[name] for name in EVENT_FIELDS[:5]] == ["wecom", "wecom:4561255354251345929", "text", "", "mycreate"]
    assert json.loads(str(event["Payload__c"]))["Content"] == "hello"


def test_wechat_checks_an_address_by_the_plain_signature() -> None:
    stamp, nonce = str(int(NOW)), "n"
    digest = hashlib.sha1("".join(sorted([TOKEN, stamp, nonce])).encode()).hexdigest()
    query = {"signature": digest, "timestamp": stamp, "nonce": nonce, "echostr": "5837397576500011341"}
    desk = Desk()
    assert desk.get("official-account", query) == (200, "5837397576500011341")
    assert desk.get("mini-program", query | {"signature": digest[:-1] + "x"}) == (403, "")
    assert desk.get("official-account", query | {"echostr": "<script>"}) == (400, "")
    assert desk.get("wecom", query) == (403, "")


def test_a_mini_program_may_speak_json() -> None:
    desk = Desk()
    inner = json.dumps({"MsgType": "event", "Event": "user_enter_tempsession", "FromUserName": "o1"}).encode()
    encrypted = sealed(inner)
    body = json.dumps({"ToUserName": "gh", "Encrypt": encrypted}).encode()
    assert desk.post("mini-program", signed_query(encrypted), body)[2] == "published"
    assert desk.published[0]["Event__c"] == "user_enter_tempsession"
    assert desk.published[0]["MessageKey__c"] == f"mini-program:{hashlib.sha256(inner).hexdigest()}"


@pytest.mark.parametrize(
    ("name", "query", "body", "outcome"),
    [
        ("wecom", {"msg_signature": "0" * 40}, None, "unsigned"),
        ("wecom", {"nonce": "other"}, None, "unsigned"),
        ("wecom", {"timestamp": str(int(NOW) - 301)}, None, "stale"),
        ("wecom", {"timestamp": "٣"}, None, "stale"),
        ("wecom", {}, b"x" * 70_000, "too-large"),
        ("wecom", {}, b"<xml><a></xml>", "malformed"),
        ("wecom", {}, b"[" * 60_000, "malformed"),
        ("wecom", {}, b"<xml><Content>plain mode</Content></xml>", "unsigned"),
        ("wecom", {}, b'<!DOCTYPE x [<!ENTITY e "boom">]><xml><Encrypt>&e;</Encrypt></xml>', "malformed"),
        ("unknown", {}, None, "unknown-channel"),
    ],
)
def test_what_is_not_true_new_and_whole_is_refused(
    name: str, query: dict[str, str], body: bytes | None, outcome: str
) -> None:
    desk = Desk()
    status, text, said = desk.post(name, MESSAGE | query, body or xml_of(ENCRYPTED))
    assert (said, text, desk.published) == (outcome, "", [])
    assert 400 <= status < 500


def test_a_message_for_another_receiver_is_refused() -> None:
    desk = Desk()
    encrypted = sealed(b"<xml><MsgId>1</MsgId></xml>", "wxother")
    assert desk.post("wecom", signed_query(encrypted), xml_of(encrypted))[2] == "not-ours"
    assert desk.published == []


def test_a_message_is_passed_on_once_however_often_it_comes() -> None:
    desk = Desk()
    for nonce in ("a", "b"):
        encrypted = sealed(b"<xml><MsgId>77</MsgId><MsgType>text</MsgType></xml>")
        desk.post("wecom", signed_query(encrypted, nonce=nonce), xml_of(encrypted))
    assert len(desk.published) == 1
    desk.now += 1000
    encrypted = sealed(b"<xml><MsgId>77</MsgId></xml>")
    assert desk.post("wecom", signed_query(encrypted), xml_of(encrypted))[2] == "stale"


def test_what_the_org_did_not_take_may_be_tried_again() -> None:
    desk = Desk()
    desk.broken = True
    assert desk.post("wecom", MESSAGE, xml_of(ENCRYPTED)) == (503, "", "not-published")
    desk.broken = False
    assert desk.post("wecom", MESSAGE, xml_of(ENCRYPTED)) == (200, "success", "published")


def test_a_message_that_is_under_way_is_asked_for_again() -> None:
    seen = Seen()
    assert [seen.begin("k", NOW), seen.begin("k", NOW)] == [State.NEW, State.PENDING]
    seen.done("k")
    assert seen.begin("k", NOW) is State.DONE
    assert seen.begin("k", NOW + 1000) is State.NEW


def test_logs_hold_nothing_of_a_message(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    desk = Desk()
    desk.post("wecom", MESSAGE, xml_of(ENCRYPTED))
    assert "outcome=published" in caplog.text
    assert not [
        word for word in ("hello", "mycreate", ENCRYPTED[:20], TOKEN, "4561255354251345929") if word in caplog.text
    ]


@given(st.binary(max_size=300))
def test_whatever_is_sent_is_read_or_refused(body: bytes) -> None:
    for read in (lambda: parse(body), lambda: message("wecom", body)):
        try:
            read()
        except Malformed:
            continue
    with pytest.raises(NotOurs):
        opened(base64.b64encode(body).decode(), key_of(ENCODING_KEY), CORP)


@given(st.binary(max_size=300), st.text(st.characters(codec="ascii"), min_size=1, max_size=40))
def test_what_was_sealed_for_a_receiver_is_opened_for_it_alone(text: bytes, receiver: str) -> None:
    key = key_of(ENCODING_KEY)
    assert opened(sealed(text, receiver), key, receiver) == text
    with pytest.raises(NotOurs):
        opened(sealed(text, receiver), key, receiver + "x")


@given(st.lists(st.text(max_size=20), min_size=3, max_size=4))
def test_the_order_of_what_is_signed_does_not_count(parts: list[str]) -> None:
    assert signature_of(*parts) == signature_of(*reversed(parts))


@pytest.fixture(scope="module")
def keys() -> tuple[str, str]:
    """(private key, certificate), both PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "callbacks")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    made = made.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=30))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    certificate = made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    return private.decode(), certificate.decode()


@pytest.fixture
def cloud(tmp_path: Path, keys: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    """An org of the China edition with the platform event, the function's secret in KMS, and its environment."""
    world = {
        "orgs": [
            {
                "name": "china-uat",
                "edition": "alibaba",
                "kind": "sandbox",
                "my_domain_host": CHINA,
                "login_host": "test.sfcrmproducts.cn",
                "audience": "https://test.sfcrmproducts.cn",
                "instance": "CHN3S",
                "language": "zh_CN",
                "api_versions": {"floor": 31, "ceiling": 67},
                "users": [{"username": "callbacks@acme-cn.example", "profile": "System Administrator"}],
                "connected_apps": [{"client_id": "SFOA_CALLBACKS", "certificate": keys[1]}],
            }
        ]
    }
    secret = {
        "channels": {"wecom": {"token": TOKEN, "aes_key": ENCODING_KEY, "receiver": CORP}},
        "salesforce": {
            "client_id": "SFOA_CALLBACKS",
            "username": "callbacks@acme-cn.example",
            "private_key": keys[0],
        },
    }
    with running(tmp_path) as clouds:
        clouds.emulators.seed(world)
        for name, value in clouds.environment.items():
            monkeypatch.setenv(name, value)
        config = {"access_key_id": ACCESS_KEY_ID, "access_key_secret": ACCESS_KEY_SECRET, "region_id": "cn-shanghai"}
        client = KmsClient(Config(ca=str(clouds.ca_file), **config))
        client.create_secret(
            kms.CreateSecretRequest(secret_name="acme/callbacks", version_id="1", secret_data=json.dumps(secret))
        )
        _deploy_event(clouds)
        for name, value in ENVIRONMENT.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(entry, "_made", [])
        monkeypatch.setattr(urllib.request, "_opener", None)  # it remembers the proxy of the first test
        yield clouds


ENVIRONMENT = {
    "CHANNELS": "wecom",
    "REGION": "cn-shanghai",
    "SECRET_NAME": "acme/callbacks",
    "SALESFORCE_URL": f"https://{CHINA}",
    "SALESFORCE_AUDIENCE": "https://test.sfcrmproducts.cn",
    "SALESFORCE_API_VERSION": "64.0",
    "SALESFORCE_EVENT": "SocialMessage__e",
}
CONTEXT = SimpleNamespace(
    credentials=SimpleNamespace(access_key_id=ACCESS_KEY_ID, access_key_secret=ACCESS_KEY_SECRET, security_token=None)
)


def _deploy_event(clouds: Running) -> None:
    org = Orgs(World(clouds.store)).by_host(CHINA)
    assert org is not None
    components = OrgComponents(clouds.store, org.id)
    space = 'xmlns="http://soap.sforce.com/2006/04/metadata"'
    parts = {
        "CustomObject": {"SocialMessage__e": f"<CustomObject {space}><label>Social message</label></CustomObject>"}
    }
    parts["CustomField"] = {
        f"SocialMessage__e.{name}": f"<CustomField {space}><label>{name}</label><type>LongTextArea</type>"
        "<length>131072</length></CustomField>"
        for name in EVENT_FIELDS
    }
    for kind, named in parts.items():
        for full, text in named.items():
            kept = {f"objects/{full}": components.keep(text.encode())}
            components.put(OrgComponent(Key(kind, full), kept, created=1.0, modified=1.0))


def _events(clouds: Running) -> list[dict[str, Any]]:
    return [row for _, row in clouds.store.all("salesforce.record") if row.get("MessageKey__c")]


def _invoked(query: Mapping[str, str], body: bytes) -> dict[str, Any]:
    """Call the function as Function Compute's HTTP trigger does."""
    event = {
        "version": "v1",
        "rawPath": "/wecom",
        "body": base64.b64encode(body).decode(),
        "isBase64Encoded": True,
        "headers": {"Content-Type": "text/xml"},
        "queryParameters": dict(query),
        "requestContext": {"http": {"method": "POST", "path": "/wecom"}},
    }
    return entry.handle(json.dumps(event).encode(), CONTEXT)


def test_a_message_becomes_a_platform_event_of_the_org(cloud: Running) -> None:
    """From the trigger's event to the record: the secret by KMS, the token by JWT, the event by REST."""
    now = time.time()
    encrypted = sealed("<xml><MsgId>9001</MsgId><MsgType>text</MsgType><Content>你好</Content></xml>".encode())
    query = signed_query(encrypted, now)
    assert _invoked(query, xml_of(encrypted))["statusCode"] == 200
    assert _invoked(query, xml_of(encrypted)) == {
        "statusCode": 200,
        "headers": {"Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff"},
        "isBase64Encoded": False,
        "body": "success",
    }
    (event,) = _events(cloud)
    assert (event["Channel__c"], event["MessageKey__c"], event["Type__c"]) == ("wecom", "wecom:9001", "text")
    assert json.loads(event["Payload__c"])["Content"] == "你好"


def test_a_token_that_has_ended_is_renewed(cloud: Running) -> None:
    for number in (1, 2):
        encrypted = sealed(f"<xml><MsgId>{number}</MsgId></xml>".encode())
        assert _invoked(signed_query(encrypted, time.time()), xml_of(encrypted))["statusCode"] == 200
        for ident, _ in cloud.store.all("salesforce.session"):
            cloud.store.delete("salesforce.session", ident)
    assert len(_events(cloud)) == 2


def test_an_org_that_refuses_lets_the_platform_try_again(cloud: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SALESFORCE_EVENT", "Missing__e")
    encrypted = sealed(b"<xml><MsgId>3</MsgId></xml>")
    answer = _invoked(signed_query(encrypted, time.time()), xml_of(encrypted))
    assert (answer["statusCode"], answer["body"]) == (503, "")


def test_without_its_secret_the_function_says_nothing_but_that_it_failed(
    cloud: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_NAME", "acme/missing")
    answer = _invoked(MESSAGE, xml_of(ENCRYPTED))
    assert (answer["statusCode"], answer["body"]) == (500, "")
