"""What the landing zone's outputs come to on top of an org's bundle."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from lxml import etree

from flows.bundle import Bundle, build_bundle
from flows.components import Component, ComponentKey
from flows.conflicts import CHANGED, conflicts_of
from flows.package import assemble
from flows.render.elements import whole
from flows.render.layer import merges, with_rendered
from flows.render.network import MARK, PATH, SECURITY, IpRange, as_elements, dropped, ranges_of
from flows.render.profiles import login_ranges, may_be, with_logins
from flows.render.sso import CONFIG, good_until, passwords_off, several_configs
from infra.outputs import parse_outputs
from kit.problems import Place, Refused
from orgs.access import Access, load_access
from orgs.federation import Org, Part, load_federation
from tests.landed import OUTPUTS

FEDERATION = load_federation()
UAT, PRODUCTION = FEDERATION.org("china-uat"), FEDERATION.org("china-production")
HERE = Place("metadata/china/Security.settings-meta.xml", 3)
NOBODY = Access.model_validate({"as_of": "2026-11-22"})
INTEGRATION: dict[str, Any] = {
    "integration_endpoints": {"events": "https://events.acme-cn.example/orgs"},
    "integration_origins": ["https://portal.acme-cn.example"],
    "integration_callbacks": {"wecom": "https://callback.acme-cn.example/wecom"},
}
HAND = IpRange("198.51.100.7", "198.51.100.7", "VPN of the auditors")


def certificate(name: str) -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    built = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
    built = built.serial_number(x509.random_serial_number()).not_valid_before(now)
    made = built.not_valid_after(now + timedelta(days=90)).sign(key, hashes.SHA256())
    return made.public_bytes(serialization.Encoding.PEM).decode()


ONE, TWO = certificate("one"), certificate("two")


def security(*elements: tuple[str, str]) -> Component:
    inside = [("sessionSettings", list(elements))] if elements else []
    return whole("Settings", "Security", PATH, inside, HERE)


def provider(org: Org, *certificates: str) -> dict[str, Any]:
    about = {"issuer": "https://idp.example/saml", "sso_url": "https://idp.example/sso"}
    names = ("certificate", "next_certificate")
    return {"identity_saml": {org.name: about | dict(zip(names, certificates, strict=False))}}


def lay(
    org: Org, *components: Component, held: Component | None = None, access: Access = NOBODY, **outputs: object
) -> Bundle:
    given = parse_outputs({**OUTPUTS, **outputs}, "outputs")
    now = {SECURITY: held} if held else None
    return with_rendered(build_bundle(components, "62.0"), org, FEDERATION, given, access, now).bundle


def text(component: Component, path: str) -> str:
    root = etree.fromstring(component.files[0].data)
    return root.findtext("/".join(f"{{*}}{name}" for name in path.split("/"))) or ""


def keys(bundle: Bundle, *types: str) -> set[str]:
    return {str(key) for key in bundle.components if not types or key.type in types}


def test_an_org_of_the_global_edition_gets_nothing_unless_it_asks() -> None:
    org = FEDERATION.org("global-uat")
    assert lay(org, **INTEGRATION).components == {}
    asking = org.model_copy(update={"render": (Part.INTEGRATION,)})
    assert "NamedCredential:Sfoa_events" in keys(lay(asking, **INTEGRATION))
    assert merges(org, NOBODY) == ()


def test_an_org_can_do_without_parts() -> None:
    org = UAT.model_copy(update={"render": (Part.NETWORK,)})
    assert keys(lay(org, **INTEGRATION, **provider(UAT, ONE))) == {"Settings:Security"}


def test_outputs_without_identity_and_integration_come_to_trusted_ranges_only() -> None:
    assert keys(lay(UAT)) == {"Settings:Security"}


def test_what_metadata_says_of_settings_stands_and_only_the_rest_is_added() -> None:
    ours = security(("enableU2F", "false"), ("sessionTimeout", "TwoHours"))
    found = lay(UAT, ours, **provider(UAT, ONE)).components[SECURITY]
    assert text(found, "sessionSettings/enableU2F") == "false"
    assert text(found, "sessionSettings/sessionTimeout") == "TwoHours"
    assert text(found, "sessionSettings/skipSFAWhenMFADirectUILogin") == "true"
    assert text(found, "singleSignOnSettings/enableSamlLogin") == "true"
    assert text(found, "sessionSettings/requireHttpOnly") == "true"
    assert text(found, "sessionSettings/identityConfirmationOnEmailChange") == "true"
    assert [(patch.layer, patch.source.file) for patch in found.patches][-1:] == [
        ("rendered", "outputs of stack local")
    ]


def test_production_takes_logins_at_its_own_domain_only_and_a_sandbox_does_not_say() -> None:
    assert "Settings:MyDomain" in keys(lay(PRODUCTION, **provider(PRODUCTION, ONE)))
    assert "Settings:MyDomain" not in keys(lay(UAT, **provider(UAT, ONE)))


def test_a_certificate_is_rolled_over_in_two_steps_that_never_touch_the_one_in_use() -> None:
    before = lay(UAT, **provider(UAT, ONE))
    both = lay(UAT, **provider(UAT, ONE, TWO))
    after = lay(UAT, **provider(UAT, TWO))
    first, second = keys(before, "SamlSsoConfig"), keys(after, "SamlSsoConfig")
    assert len(first) == len(second) == 1
    assert first != second
    assert keys(both, "SamlSsoConfig") == first | second
    for key in first | second:
        stays = [each.components[parsed] for each in (before, both, after) if (parsed := _key(key)) in each.components]
        assert len({each.digest for each in stays}) == 1
    assert text(both.components[SECURITY], "singleSignOnSettings/enableMultipleSamlConfigs") == "true"
    assert text(before.components[SECURITY], "singleSignOnSettings/enableMultipleSamlConfigs") == ""


def _key(text: str) -> ComponentKey:
    return ComponentKey.parse(text)


def test_users_are_made_just_in_time_where_the_org_says_so() -> None:
    stated = {"as_of": "2026-11-22", "orgs": {"china-uat": {"sign_on": {"just_in_time": True}}}}
    found = lay(UAT, access=Access.model_validate(stated), **provider(UAT, ONE))
    (config,) = [each for key, each in found.components.items() if key.type == "SamlSsoConfig"]
    assert (text(config, "userProvisioning"), text(config, "identityMapping")) == ("true", "FederationId")
    assert text(found.components[SECURITY], "singleSignOnSettings/enableSamlJitProvisioning") == "true"


def test_a_certificate_that_is_none_is_refused() -> None:
    broken = "-----BEGIN CERTIFICATE-----\nbm90IG9uZQ==\n-----END CERTIFICATE-----\n"
    with pytest.raises(Refused, match="certificate of china-uat"):
        lay(UAT, **provider(UAT, broken))


def test_the_endpoints_come_with_credentials_that_hold_no_secret() -> None:
    found = lay(UAT, **INTEGRATION)
    assert keys(found) == {
        *("Settings:Security", "RemoteSiteSetting:Sfoa_events", "ExternalCredential:Sfoa_events"),
        *("NamedCredential:Sfoa_events", "CspTrustedSite:Sfoa_portal_acme_cn_example"),
        *("CorsWhitelistOrigin:Sfoa_portal_acme_cn_example", "CustomObject:Sfoa_Callback__e"),
        *("CustomField:Sfoa_Callback__e.Channel__c", "CustomField:Sfoa_Callback__e.Body__c"),
    }
    assert all(component.layer == "rendered" for component in found.components.values())
    assert assemble(found.components.values(), "62.0").zip


def test_users_are_sent_to_orgs_that_are_named() -> None:
    stated = {"as_of": "2026-11-22", "orgs": {"china-uat": {"redirects_to": ["global-uat"]}}}
    found = lay(UAT, access=Access.model_validate(stated)).components
    assert (
        text(found[ComponentKey("RedirectWhitelistUrl", "Sfoa_global_uat")], "url")
        == "https://acme--uat.sandbox.my.salesforce.com"
    )


SALES = ComponentKey("Profile", "Custom%3A Sales Profile")
RESTRICTED: dict[str, object] = {
    "office_ranges": [{"name": "Shanghai office", "start": "203.0.113.0", "end": "203.0.113.31"}],
    "profiles": {SALES.full_name: "trusted"},
}


def access(**stated: object) -> Access:
    return Access.model_validate({"as_of": "2026-11-22", "orgs": {"china-uat": stated}})


def profile(*ranges: IpRange, more: str = "") -> Component:
    made = with_logins(None, SALES.full_name, ranges, HERE)
    body = made.files[0].data.replace(b"</Profile>", f"{more}</Profile>".encode())
    return replace(made, files=(made.files[0]._replace(data=body),))


def log_in(given: Access, *components: Component, held: Component | None = None) -> tuple[Component, list[str]]:
    now = {SALES: held} if held else None
    outputs = parse_outputs(OUTPUTS, "outputs")
    made = with_rendered(build_bundle(components, "62.0"), UAT, FEDERATION, outputs, given, now)
    return made.bundle.components[SALES], made.diff_lines


def test_users_of_a_profile_log_in_from_egress_and_offices_only_and_what_others_put_there_stays() -> None:
    stated = access(**RESTRICTED)
    assert merges(UAT, stated) == (SECURITY, SALES)
    old = IpRange("47.100.0.9", "47.100.0.9", f"{MARK}egress of stack local")
    asked, said = log_in(stated, held=profile(HAND, old))
    assert [each.start for each in login_ranges(asked)] == ["47.100.0.1", "198.51.100.7", "203.0.113.0"]
    about = f"login ranges of profile {SALES.full_name}"
    assert f"{about}: + 47.100.0.1 {MARK}egress of stack local" in said
    assert f"{about}: - 47.100.0.9 {MARK}egress of stack local" in said
    assert f"{about}: = 198.51.100.7 VPN of the auditors" in said
    unasked, _ = log_in(stated)
    assert asked.digest == unasked.digest  # a range that somebody added is no change of the release
    assert HAND not in login_ranges(unasked)


def test_a_profile_of_the_metadata_keeps_what_it_holds_and_another_one_holds_nothing_else() -> None:
    rights = "<userPermissions><enabled>true</enabled><name>RunReports</name></userPermissions>"
    ours, _ = log_in(access(**RESTRICTED), profile(HAND, more=rights))
    assert "RunReports" in ours.files[0].data.decode()
    assert HAND in login_ranges(ours)
    assert len(login_ranges(ours)) == 3
    alone, _ = log_in(access(**RESTRICTED))
    root = etree.fromstring(alone.files[0].data)
    assert {etree.QName(each).localname for each in root} == {"loginIpRanges"}


def test_a_profile_is_opened_again_by_a_range_that_holds_every_address() -> None:
    opened, _ = log_in(access(profiles={SALES.full_name: "anywhere"}))
    (only,) = login_ranges(opened)
    assert only.holds("8.8.8.8")
    assert only.ours


def test_a_profile_whose_users_could_not_log_in_from_any_office_is_refused() -> None:
    with pytest.raises(ValueError, match="nobody could log in but from the landing zone"):
        access(profiles={"Admin": "trusted"})


@pytest.mark.parametrize(
    ("name", "label", "may"),
    [
        ("Admin", "System Administrator", True),
        ("Admin", "系统管理员", True),  # labels of standard profiles come in the language of who asks
        ("Admin", "Standard User", False),
        ("Custom%3A Sales Profile", "Custom: Sales Profile", True),
        ("Custom%3A Sales Profile", "System Administrator", False),
        ("Custom%3A Sales Profile", None, True),
    ],
)
def test_whether_a_profile_may_be_the_runner_s_is_told_by_its_label(name: str, label: str | None, may: bool) -> None:
    assert may_be(name, label) is may


def test_metadata_that_takes_a_name_of_the_kit_s_is_refused_with_its_place() -> None:
    mine = whole("RemoteSiteSetting", "Sfoa_events", "remoteSiteSettings/Sfoa_events.remoteSite", [], HERE)
    with pytest.raises(Refused) as refused:
        lay(UAT, mine, **INTEGRATION)
    assert refused.value.problems[0].place == HERE


def test_what_others_trust_goes_with_the_deploy_but_is_no_change_of_ours() -> None:
    held = whole("Settings", "Security", PATH, as_elements([HAND]), HERE)
    asked, unasked = lay(UAT, held=held), lay(UAT)
    assert HAND in ranges_of(asked.components[SECURITY])
    assert HAND not in ranges_of(unasked.components[SECURITY])
    assert asked.components[SECURITY].digest == unasked.components[SECURITY].digest
    assert asked.digest != unasked.digest  # who approves a bundle approves its bytes


def test_a_range_that_somebody_added_meanwhile_would_be_lost_and_is_told() -> None:
    mine = IpRange("47.100.0.1", "47.100.0.1", f"{MARK}egress of stack local")
    now = whole("Settings", "Security", PATH, as_elements([mine, HAND]), HERE)
    stale = whole("Settings", "Security", PATH, as_elements([mine]), HERE)
    assert dropped(stale, now) == (HAND,)
    assert dropped(now, stale) == ()
    assert dropped(security(), now) == ()  # says nothing of ranges: the org keeps its own

    clashes = conflicts_of({SECURITY: CHANGED}, {}, {PATH: now.files[0].data}, {SECURITY: stale})
    assert "198.51.100.7" in clashes[SECURITY].sentence


def test_what_the_guard_reads_of_a_release_is_what_was_rendered() -> None:
    found = lay(UAT, **provider(UAT, ONE, TWO)).components
    configs = [each for key, each in found.items() if key.type == CONFIG]
    assert {good_until(each) for each in configs} == {(datetime.now(UTC) + timedelta(days=90)).date()}
    assert several_configs(found[SECURITY])
    assert not passwords_off(found[SECURITY])
    assert good_until(found[SECURITY]) == date.min


def test_the_file_that_ships_is_read_and_an_unknown_org_is_named_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "access.yml"
    file.write_text("as_of: 2026-11-22\norgs:\n  china-uatt: {}\n")
    with pytest.raises(Refused) as refused:
        load_access(file, FEDERATION)
    assert "access.yml:3" in str(refused.value)
    assert "china-uat" in str(refused.value)
    assert load_access(file.with_name("none.yml"), FEDERATION).of("china-uat").office_ranges == ()


@pytest.mark.parametrize(
    "office",
    [
        {"name": "upside down", "start": "203.0.113.9", "end": "203.0.113.1"},
        {"name": "half the world", "start": "0.0.0.0", "end": "128.0.0.0"},
    ],
)
def test_a_range_goes_up_and_has_a_limit(tmp_path: Path, office: dict[str, str]) -> None:
    file = tmp_path / "access.yml"
    inner = ", ".join(f"{key}: {value}" for key, value in office.items())
    file.write_text(f"as_of: 2026-11-22\norgs:\n  china-uat:\n    office_ranges:\n      - {{{inner}}}\n")
    with pytest.raises(Refused, match=r"access\.yml:5"):
        load_access(file, FEDERATION)
