"""Host names follow from edition, My Domain and sandbox, and every host leads back to its edition."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orgs.domains import edition_of_host, hosts_of
from orgs.editions import Edition

LABEL = st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=16)
MY_DOMAIN = st.lists(LABEL, min_size=1, max_size=2).map(lambda parts: "a" + "-".join(parts))
SANDBOX = st.none() | st.text(string.ascii_lowercase, min_size=1, max_size=10)

# Hosts that first-party code, its tests or the vendors' pages name.
KNOWN = {
    "login.salesforce.com": Edition.GLOBAL,
    "test.salesforce.com": Edition.GLOBAL,
    "acme.my.salesforce.com": Edition.GLOBAL,
    "x--sb.sandbox.my.salesforce.com": Edition.GLOBAL,
    "foo.lightning.force.com": Edition.GLOBAL,
    "foo--uat.lightning.force.com": Edition.GLOBAL,
    "acme.my.salesforce-setup.com": Edition.GLOBAL,
    "acme--c.vf.force.com": Edition.GLOBAL,
    "login.sfcrmproducts.cn": Edition.ALIBABA,
    "test.sfcrmproducts.cn": Edition.ALIBABA,
    "foo.my.sfcrmproducts.cn": Edition.ALIBABA,
    "foo--sbx.sandbox.my.sfcrmproducts.cn": Edition.ALIBABA,
    "foo.lightning.sfcrmapps.cn": Edition.ALIBABA,
    "foo--sbx.sandbox.lightning.sfcrmapps.cn": Edition.ALIBABA,
    "foo.setup.sfcrmproducts.cn": Edition.ALIBABA,
    "foo.visual.sfcrmapps.cn": Edition.ALIBABA,
    "foo.my.sfcrmapps.cn": Edition.ALIBABA,
    "email.sfcrmproducts.cn": Edition.ALIBABA,
    "foo.my.salesforce.cn": None,
}


@pytest.mark.parametrize(("host", "edition"), KNOWN.items())
def test_every_host_that_a_source_names_leads_to_its_edition(host: str, edition: Edition | None) -> None:
    assert edition_of_host(host) is edition
    assert edition_of_host(host.upper() + ".") is edition


@pytest.mark.parametrize(
    "host",
    [
        "",
        "cn",
        "example.com",
        "sfcrmproducts.cn.example.com",
        "login.sfcrmproducts.cn.evil.example",
        "notsfcrmproducts.cn",
        "mysalesforce.com",
        "evil-force.com",
        "login.salesforce.com@evil.example",
        "help.aliyun.com",
    ],
)
def test_a_host_outside_both_editions_has_none(host: str) -> None:
    assert edition_of_host(host) is None


def test_the_china_sandbox_has_the_hosts_that_the_vendors_code_expects() -> None:
    hosts = hosts_of(Edition.ALIBABA, "foo", "sbx")
    assert hosts.login == "test.sfcrmproducts.cn"
    assert hosts.my_domain == "foo--sbx.sandbox.my.sfcrmproducts.cn"
    assert hosts.lightning == "foo--sbx.sandbox.lightning.sfcrmapps.cn"
    assert hosts.jwt_audience == "https://test.sfcrmproducts.cn"
    assert hosts.saml_entity_id == "https://foo--sbx.sandbox.my.sfcrmproducts.cn"
    assert hosts.scim_base_url == "https://foo--sbx.sandbox.my.sfcrmproducts.cn/services/scim/v2/"


def test_the_china_production_org_has_the_hosts_that_the_vendors_code_expects() -> None:
    hosts = hosts_of(Edition.ALIBABA, "foo")
    assert (hosts.login, hosts.my_domain) == ("login.sfcrmproducts.cn", "foo.my.sfcrmproducts.cn")
    assert hosts.lightning == "foo.lightning.sfcrmapps.cn"
    assert hosts.token_url == "https://foo.my.sfcrmproducts.cn/services/oauth2/token"


def test_a_global_sandbox_logs_in_at_test_salesforce_com() -> None:
    hosts = hosts_of(Edition.GLOBAL, "x", "sb")
    assert hosts.jwt_audience == "https://test.salesforce.com"
    assert hosts.my_domain == "x--sb.sandbox.my.salesforce.com"


def test_a_host_that_no_source_proves_is_left_out() -> None:
    assert hosts_of(Edition.ALIBABA, "foo").visualforce is None
    assert hosts_of(Edition.ALIBABA, "foo", "sbx").setup is None


@given(st.sampled_from(Edition), MY_DOMAIN, SANDBOX)
def test_every_derived_host_leads_back_to_its_edition(edition: Edition, my_domain: str, sandbox: str | None) -> None:
    hosts = hosts_of(edition, my_domain, sandbox)
    names = [hosts.login, hosts.my_domain, hosts.lightning, hosts.setup, hosts.visualforce]
    assert {edition_of_host(name) for name in names if name} == {edition}


@given(MY_DOMAIN, SANDBOX, MY_DOMAIN, SANDBOX)
def test_two_orgs_never_share_a_my_domain_host(
    one: str, one_sandbox: str | None, two: str, two_sandbox: str | None
) -> None:
    same_host = (
        hosts_of(Edition.ALIBABA, one, one_sandbox).my_domain == hosts_of(Edition.ALIBABA, two, two_sandbox).my_domain
    )
    assert same_host == ((one, one_sandbox) == (two, two_sandbox))
