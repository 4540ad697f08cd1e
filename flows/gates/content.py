"""Duties of who publishes a site or community from the mainland: filing number, moderation, takedown, guests."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from flows.bundle import Bundle
from flows.components import Component
from flows.gates.duties import figures
from flows.gates.facts import Facts, SiteFacts
from flows.gates.finding import Finding, finding, unknown
from flows.gates.reading import children, components_of, is_true, lines_of, place_of, value, xml_of
from orgs.editions import Edition
from orgs.federation import Federation, Org

SITES = ("Network", "CustomSite", "SiteDotCom")
PAGES = ("ExperienceBundle", "DigitalExperienceBundle", "LightningComponentBundle", "CustomLabel", "ApexPage")


def gate(bundle: Bundle, org: Org, federation: Federation, facts: Facts, today: date) -> Iterator[Finding]:  # noqa: ARG001  a gate's signature
    """Judge the public sites that a bundle brings to a China org, and what their guests may do."""
    if org.edition is not Edition.ALIBABA:
        return
    sites = components_of(bundle, *SITES)
    for site in sites:
        known = facts.org.sites.get(site.key.full_name, SiteFacts())
        yield from _filing(site, known, bundle)
        yield from _moderation(site, known, bundle)
    yield from _guests(bundle)


def _filing(site: Component, known: SiteFacts, bundle: Bundle) -> Iterator[Finding]:
    number = known.icp_number
    if number is None:
        yield unknown("R21", site.key, site.source, "the ICP filing number", "--facts (sites)", "ICP 备案号")
    elif not number:
        yield finding("R21.no-number", site.key, site.source)
    elif not any(number in line for page in components_of(bundle, *PAGES) for _, line in lines_of(page)):
        yield finding("R21.number-not-shown", site.key, site.source, number=number)


def _moderation(site: Component, known: SiteFacts, bundle: Bundle) -> Iterator[Finding]:
    if site.key.type != "Network":
        return
    root = xml_of(site)
    rules = [(rule, xml_of(rule)) for rule in components_of(bundle, "ModerationRule")]
    active = [(rule, about) for rule, about in rules if value(about, "active") != "false"]
    if not rules or not components_of(bundle, "KeywordList"):
        yield finding("R20.no-moderation", site.key, site.source)
    elif not active:
        yield finding("R20.moderation-off", site.key, place_of(rules[0][0], "<active>"))
    elif all(children(about, "userCriteria") for _, about in active):
        yield finding("R20.moderation-of-some", site.key, place_of(active[0][0], "<userCriteria>"))
    if not is_true(root, "allowMembersToFlag"):
        yield finding("R20.no-flagging", site.key, site.source)
    if known.takedown_contact is None:
        yield unknown("R20", site.key, site.source, "the takedown contact", "--facts (sites)", "内容下架联系人")
    elif not known.takedown_contact:
        yield finding("R20.no-takedown-contact", site.key, site.source)
    if known.content_days is None:
        yield unknown(
            "R20", site.key, site.source, "for how many days posts are kept", "--facts (sites)", "发帖记录保存天数"
        )
    elif known.content_days < figures()["content_days"]:
        texts = {"days": known.content_days, "least": figures()["content_days"]}
        yield finding("R20.short-archive", site.key, site.source, **texts)
    if is_true(root, "selfRegistration"):
        place = place_of(site, "selfRegistration")
        if known.real_name_verification is None:
            yield unknown(
                "R20",
                site.key,
                place,
                "whether posters' real names are verified",
                "--facts (sites)",
                "发帖人是否实名认证",
            )
        elif not known.real_name_verification:
            yield finding("R20.no-real-names", site.key, place)


def _guests(bundle: Bundle) -> Iterator[Finding]:
    for component in components_of(bundle, "Profile", "PermissionSet"):
        root = xml_of(component)
        if not {value(root, "userLicense"), value(root, "license")} & {"Guest", "Guest User License"}:
            continue
        for entry in children(root, "objectPermissions"):
            rights = [
                name
                for name in ("allowEdit", "allowDelete", "viewAllRecords", "modifyAllRecords")
                if is_true(entry, name)
            ]
            if rights:
                place = place_of(component, f"<object>{value(entry, 'object')}<")
                values = {"object": value(entry, "object"), "rights": ", ".join(rights)}
                yield finding("R20.guest-rights", component.key, place, **values)
        for entry in children(root, "userPermissions"):
            if is_true(entry, "enabled") and value(entry, "name") in ("ViewAllData", "ModifyAllData", "ApiEnabled"):
                place = place_of(component, f"<name>{value(entry, 'name')}<")
                yield finding("R20.guest-rights", component.key, place, object="*", rights=value(entry, "name"))
