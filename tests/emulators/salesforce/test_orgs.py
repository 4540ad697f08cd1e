"""Which orgs there are, under which hosts, and what a world file must hold."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulators.http import Request
from emulators.salesforce import ids
from emulators.salesforce.api import Salesforce
from emulators.salesforce.hosts import classify, lightning_host
from emulators.salesforce.orgs import OrgRecord
from emulators.service import World
from kit.problems import Refused
from tests.emulators.salesforce.salesforce_world import CHINA, GLOBAL, Caller


@pytest.mark.parametrize(
    ("host", "edition", "purpose", "my_domain"),
    [
        ("login.salesforce.com", "global", "login", "login.salesforce.com"),
        ("test.sfcrmproducts.cn", "alibaba", "login", "test.sfcrmproducts.cn"),
        ("acme.my.salesforce.com", "global", "my_domain", "acme.my.salesforce.com"),
        (CHINA, "alibaba", "my_domain", CHINA),
        ("acme-cn--uat.sandbox.lightning.sfcrmapps.cn", "alibaba", "lightning", CHINA),
        ("acme.lightning.force.com", "global", "lightning", "acme.my.salesforce.com"),
    ],
)
def test_a_host_is_known_for_what_it_is(host: str, edition: str, purpose: str, my_domain: str) -> None:
    found = classify(host)
    assert found is not None
    assert (found.edition, found.purpose, found.my_domain) == (edition, purpose, my_domain)
    if purpose == "lightning":
        assert lightning_host(my_domain) == host


@pytest.mark.parametrize(
    "host", ["salesforce.com", "my.salesforce.com", "acme.my.salesforce.com.evil.example", "oss.aliyuncs.com"]
)
def test_other_hosts_are_not_ours(host: str, salesforce: Salesforce) -> None:
    assert not salesforce.owns(host)


@pytest.mark.parametrize("host", ["nobody.my.sfcrmproducts.cn", "nobody.lightning.force.com"])
def test_a_my_domain_without_an_org_says_that_there_is_none(host: str, salesforce: Salesforce) -> None:
    response = salesforce.handle(Request("GET", host, "/services/data"))
    assert response.status == 404
    assert b"URL No Longer Exists" in response.body
    assert host.partition(".")[0].encode() in response.body


def test_an_org_keeps_its_id_and_its_content_when_it_is_seeded_again(
    salesforce: Salesforce, china: OrgRecord, caller: Caller, world_file: dict[str, Any]
) -> None:
    caller("POST", "/services/data/v67.0/sobjects/Account", {"Name": "Kept"})
    world_file["orgs"][0]["users"].append({"username": "second@acme-cn.example", "profile": "Standard User"})
    salesforce.seed(world_file)
    again = salesforce.orgs.by_host(CHINA)
    assert again is not None
    assert (again.id, again.created, len(again.users)) == (china.id, china.created, 2)
    assert caller.records("SELECT Name FROM Account") == [{"Name": "Kept"}]
    assert salesforce.orgs.by_id(china.id[:15]) == again


def test_a_wrong_world_file_is_refused_with_everything_that_is_wrong(salesforce: Salesforce, world: World) -> None:
    before = world.store.all("salesforce.org")
    with pytest.raises(Refused) as refused:
        salesforce.seed({"orgs": [{"name": "x", "api_versions": {"floor": "31"}, "users": [{}], "connected_apps": {}}]})
    said = str(refused.value)
    for place in (
        "orgs[0].edition",
        "orgs[0].api_versions.floor",
        "orgs[0].users[0].username",
        "orgs[0].connected_apps",
    ):
        assert place in said
    assert world.store.all("salesforce.org") == before


def test_the_version_list_ends_with_the_latest(salesforce: Salesforce) -> None:
    anybody = Caller(salesforce, GLOBAL)
    versions = anybody.get("/services/data")
    assert versions[0] == {"label": "Summer '14", "url": "/services/data/v31.0", "version": "31.0"}
    assert versions[-1] == {"label": "Summer '26", "url": "/services/data/v67.0", "version": "67.0"}


@pytest.mark.parametrize("version", ["30.0", "68.0"])
def test_a_version_that_the_org_lacks_does_not_exist(version: str, caller: Caller) -> None:
    assert caller.refused("GET", f"/services/data/v{version}/limits") == (
        404,
        "NOT_FOUND",
        "The requested resource does not exist",
    )


# 15 → 18 characters, as public examples of the conversion show it.
@pytest.mark.parametrize(
    ("short", "suffix"), [("001A000000006Vm", "IAI"), ("000000000000000", "AAA"), ("012000000000000", "AAA")]
)
def test_the_checksum_of_an_id_is_the_published_one(short: str, suffix: str) -> None:
    assert ids.with_checksum(short) == short + suffix


@given(st.text(st.sampled_from("abcXYZ019"), min_size=15, max_size=15))
def test_an_id_is_found_in_both_forms_and_a_wrong_checksum_is_no_id(short: str) -> None:
    full = ids.with_checksum(short)
    assert ids.normal(short) == ids.normal(full) == full
    wrong = "A" if full[-1] != "A" else "B"
    assert ids.normal(full[:-1] + wrong) is None
