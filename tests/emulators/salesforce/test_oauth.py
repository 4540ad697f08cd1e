"""Tokens: who gets one, where, and in which words it is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from emulators.http import Request
from emulators.salesforce.api import Salesforce
from emulators.salesforce.orgs import OrgRecord
from emulators.salesforce.sessions import SESSION_SECONDS
from emulators.service import World
from tests.emulators.salesforce.salesforce_world import (
    CHINA,
    GLOBAL,
    GLOBAL_RUNNER,
    RUNNER,
    Ask,
    Caller,
    Clock,
    post_form,
)

GLOBAL_CLAIMS = {"sub": GLOBAL_RUNNER, "aud": "https://login.salesforce.com"}
AUDIENCE = (400, {"error": "invalid_grant", "error_description": "audience is invalid"})


@pytest.mark.parametrize("host", [CHINA, "test.sfcrmproducts.cn"])
def test_an_assertion_for_the_china_audience_gets_a_token_of_the_china_org(host: str, ask_token: Ask) -> None:
    status, answer = ask_token(host)
    assert status == 200
    assert answer["instance_url"] == f"https://{CHINA}"
    assert answer["access_token"].startswith("00D")
    assert "!AQ" in answer["access_token"]
    assert answer["id"].startswith("https://test.sfcrmproducts.cn/id/00D")


@pytest.mark.parametrize("host", [GLOBAL, "login.salesforce.com"])
def test_an_assertion_for_the_global_audience_gets_a_token_of_the_global_org(host: str, ask_token: Ask) -> None:
    status, answer = ask_token(host, **GLOBAL_CLAIMS)
    assert (status, answer["instance_url"]) == (200, f"https://{GLOBAL}")


@pytest.mark.parametrize("host", ["login.salesforce.com", GLOBAL, "login.sfcrmproducts.cn", "test.salesforce.com"])
def test_an_assertion_for_a_china_org_is_refused_everywhere_else(host: str, ask_token: Ask) -> None:
    assert ask_token(host) == AUDIENCE


@pytest.mark.parametrize(
    "audience",
    ["https://login.salesforce.com", "https://test.salesforce.com", f"https://{CHINA}", ["https://a.example"], None],
)
def test_a_china_org_refuses_every_other_audience(audience: object, ask_token: Ask) -> None:
    assert ask_token(CHINA, aud=audience) == AUDIENCE


def test_a_china_user_with_the_global_audience_gets_nothing_at_a_global_host(ask_token: Ask) -> None:
    assert ask_token("login.salesforce.com", aud="https://login.salesforce.com") == AUDIENCE


def test_an_assertion_of_another_key_is_refused(ask_token: Ask) -> None:
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    assert ask_token(key=other.decode()) == (
        400,
        {"error": "invalid_grant", "error_description": "invalid assertion"},
    )


def test_an_unknown_app_is_an_invalid_client_and_an_unknown_user_has_not_approved(ask_token: Ask) -> None:
    assert ask_token(iss="SOMEBODY_ELSE")[1] == {
        "error": "invalid_client_id",
        "error_description": "client identifier invalid",
    }
    assert ask_token(sub="nobody@acme.example")[1] == {
        "error": "invalid_grant",
        "error_description": "user hasn't approved this consumer",
    }


@pytest.mark.parametrize(("offset", "status"), [(0, 200), (-179, 200), (180, 200), (-181, 400), (481, 400)])
def test_an_assertion_lives_minutes_and_clocks_may_differ(
    offset: int, status: int, ask_token: Ask, clock: Clock
) -> None:
    answered, answer = ask_token(exp=int(clock()) + offset)
    assert answered == status
    if status == 400:
        assert answer["error_description"] == "expired authorization code"


def test_an_assertion_of_salesforce_s_own_cli_counts_its_life_in_milliseconds(ask_token: Ask, clock: Clock) -> None:
    """`exp: Date.now() + 300`, as @salesforce/core 9.4.0 signs it (read 2026-11-22), is a time just ahead."""
    assert ask_token(exp=int(clock() * 1000) + 300)[0] == 200
    assert ask_token(exp=int((clock() - 600) * 1000))[1]["error_description"] == "expired authorization code"


def test_what_is_no_assertion_and_no_grant_is_said_in_salesforce_s_words(salesforce: Salesforce) -> None:
    bearer = "urn:ietf:params:oauth:grant-type:jwt-bearer"
    assert (
        post_form(salesforce, CHINA, grant_type=bearer, assertion="no")[1]["error_description"] == "invalid assertion"
    )
    assert post_form(salesforce, CHINA, grant_type="password")[1]["error"] == "unsupported_grant_type"
    assert post_form(salesforce, CHINA)[1]["error"] == "invalid_request"


def test_a_refresh_token_gives_access_to_its_own_org_only(
    salesforce: Salesforce, china: OrgRecord, caller: Caller
) -> None:
    refresh = salesforce.sessions.grant_refresh(china, china.users[0], "SFOA_RELEASE_RUNNER")
    form = {"grant_type": "refresh_token", "client_id": "SFOA_RELEASE_RUNNER", "refresh_token": refresh}
    status, answer = post_form(salesforce, CHINA, **form)
    assert status == 200
    assert {"access_token", "instance_url", "id", "signature", "issued_at"} <= set(answer)
    expired = {"error": "invalid_grant", "error_description": "expired access/refresh token"}
    assert post_form(salesforce, GLOBAL, **form) == (400, expired)
    assert post_form(salesforce, CHINA, "revoke", token=refresh)[0] == 200
    assert post_form(salesforce, CHINA, **form) == (400, expired)


def test_a_token_ends_with_its_session(caller: Caller, clock: Clock) -> None:
    assert caller("GET", "/services/data/v67.0/limits").status == 200
    clock.seconds += SESSION_SECONDS
    response = caller("GET", "/services/data/v67.0/limits")
    assert response.status == 401
    assert json.loads(response.body) == [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]


def test_a_token_opens_no_other_org(caller: Caller) -> None:
    assert caller("GET", "/services/data/v67.0/limits", host=GLOBAL).status == 401
    assert caller("GET", "/services/oauth2/userinfo", host=GLOBAL).status == 403


def test_no_token_is_stored_as_it_is(caller: Caller, world: World) -> None:
    stored = json.dumps(world.store.all("salesforce.session"))
    assert caller.token not in stored
    assert RUNNER in stored


def test_userinfo_and_identity_name_the_user_and_the_org(caller: Caller, china: OrgRecord) -> None:
    info = caller.get("/services/oauth2/userinfo")
    assert (info["preferred_username"], info["organization_id"]) == (RUNNER, china.id)
    identity = caller.get(f"/id/{china.id}/{china.users[0].id}")
    assert (identity["username"], identity["asserted_user"]) == (RUNNER, True)
    nobody = Caller(caller.salesforce, CHINA, "00Dnonsense")
    assert nobody("GET", "/services/oauth2/userinfo").body == b"Bad_OAuth_Token"


def test_introspection_tells_a_live_token_from_a_revoked_one(salesforce: Salesforce, caller: Caller) -> None:
    form = {"client_id": "SFOA_RELEASE_RUNNER", "token": caller.token}
    assert post_form(salesforce, CHINA, "introspect", **form)[1]["username"] == RUNNER
    assert post_form(salesforce, CHINA, "revoke", token=caller.token)[0] == 200
    after: Any = post_form(salesforce, CHINA, "introspect", **form)[1]
    assert after == {"active": False}


def test_the_front_door_leads_to_lightning_and_nowhere_else(salesforce: Salesforce, caller: Caller) -> None:
    def location(query: str) -> str:
        return dict(salesforce.handle(Request("GET", CHINA, f"/secur/frontdoor.jsp?{query}")).headers)["Location"]

    lightning = "https://acme-cn--uat.sandbox.lightning.sfcrmapps.cn"
    assert location(f"sid={caller.token}&retURL=/setup") == f"{lightning}/setup"
    assert location(f"sid={caller.token}&retURL=//evil.example") == f"{lightning}/lightning/page/home"
    assert location("sid=00Dnonsense").startswith(f"https://{CHINA}/?ec=302")
