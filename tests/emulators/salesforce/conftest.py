"""A world with one org of each edition, and a runner whose key its connected app knows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from emulators.salesforce.api import Salesforce
from emulators.salesforce.metadata.components import Key, OrgComponent, OrgComponents
from emulators.salesforce.orgs import OrgRecord
from emulators.service import World
from emulators.store import Store
from tests.emulators.salesforce.salesforce_world import (
    CHINA,
    GLOBAL,
    GLOBAL_RUNNER,
    JWT_BEARER,
    RUNNER,
    Ask,
    Caller,
    Clock,
    post_form,
)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def world(clock: Clock) -> World:
    return World(Store(":memory:"), clock)


@pytest.fixture(scope="session")
def key_pair() -> tuple[str, str]:
    """(private key, certificate), both PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "release runner")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private.decode(), certificate.public_bytes(serialization.Encoding.PEM).decode()


@pytest.fixture
def world_file(key_pair: tuple[str, str]) -> dict[str, Any]:
    app = {"client_id": "SFOA_RELEASE_RUNNER", "certificate": key_pair[1]}
    return {
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
                "users": [{"username": RUNNER, "profile": "System Administrator"}],
                "connected_apps": [app],
                "packages": [
                    {"namespace": "parts", "name": "Parts", "version": number, "version_id": f"04t00000000000{place}"}
                    for place, number in enumerate(("1.2", "1.10"), 1)
                ],
                "apex_tests": {"StoreTest.refuses": {"outcome": "fail", "message": "no", "stack": "line 3"}},
            },
            {
                "name": "global-production",
                "edition": "global",
                "kind": "production",
                "my_domain_host": GLOBAL,
                "login_host": "login.salesforce.com",
                "audience": "https://login.salesforce.com",
                "instance": "NA224",
                "language": "en_US",
                "api_versions": {"floor": 31, "ceiling": 67},
                "users": [{"username": GLOBAL_RUNNER, "profile": "System Administrator"}],
                "connected_apps": [app],
            },
        ]
    }


@pytest.fixture
def salesforce(world: World, world_file: dict[str, Any]) -> Salesforce:
    service = Salesforce(world)
    service.seed(world_file)
    return service


@pytest.fixture
def china(salesforce: Salesforce) -> OrgRecord:
    org = salesforce.orgs.by_host(CHINA)
    assert org is not None
    return org


@pytest.fixture
def caller(salesforce: Salesforce, china: OrgRecord) -> Caller:
    """The release runner of the China org, logged in."""
    return Caller(salesforce, CHINA, salesforce.sessions.open(china, china.users[0], "SFOA_RELEASE_RUNNER"))


@pytest.fixture
def ask_token(salesforce: Salesforce, key_pair: tuple[str, str], clock: Clock) -> Ask:
    """Ask for a token with an assertion; keywords change its claims, the host or the signing key."""

    def ask(host: str = CHINA, key: str = key_pair[0], **claims: Any) -> tuple[int, dict[str, str]]:
        payload = {
            "iss": "SFOA_RELEASE_RUNNER",
            "sub": RUNNER,
            "aud": "https://test.sfcrmproducts.cn",
            "exp": int(clock()),
            **claims,
        }
        assertion = jwt.encode(payload, key, algorithm="RS256")
        return post_form(salesforce, host, grant_type=JWT_BEARER, assertion=assertion)

    return ask


@pytest.fixture
def deployed(world: World, china: OrgRecord) -> Callable[..., None]:
    """Put components into the China org, as a deploy leaves them: `deployed(type, full_name, xml)`."""
    components = OrgComponents(world.store, china.id)

    def put(type_name: str, full_name: str, *files: tuple[str, str], tests: tuple[str, ...] = ()) -> None:
        kept = {path: components.keep(text.encode()) for path, text in files}
        components.put(OrgComponent(Key(type_name, full_name), kept, tests=tests, created=1.0, modified=2.0))

    return put
