"""What an org's edition and instance can't take: missing features, hosts of the other edition, API versions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

from flows.bundle import Bundle
from flows.components import Component, ComponentKey
from flows.features import available, needs, table
from flows.gates.facts import Facts
from flows.gates.finding import Finding, finding, unknown
from flows.gates.reading import components_of, lines_of, place_of, raw, values, xml_of
from flows.gates.residency import CODE
from flows.packages import Kind
from kit.problems import Place
from orgs.editions import Edition, rules_of
from orgs.federation import Federation, Org, api_number

TEXTS = (*CODE, "Flow", "FlexiPage", "CustomLabel", "EmailTemplate", "WebLink", "QuickAction", "CustomMetadata")
_INSTANCE = re.compile(r"(?i)(?:^|\.)(?:na|eu|ap|cs|um|usa|gbr|deu|fra|jpn|ind|aus|chn)\d+s?\.[\w.]+$")


def gate(bundle: Bundle, org: Org, federation: Federation, facts: Facts, today: date) -> Iterator[Finding]:  # noqa: ARG001  a gate's signature
    """Judge whether the org's edition can take the bundle."""
    yield from _versions(bundle, org, facts)
    if org.edition is Edition.ALIBABA:
        yield from _features(bundle, org, facts, today)
    yield from _foreign_hosts(bundle, org)


def _features(bundle: Bundle, org: Org, facts: Facts, today: date) -> Iterator[Finding]:
    for one in facts.excluded:
        texts = {"feature": one.feature, "feature_zh": one.feature_zh, "instance": one.instance}
        yield finding("K20.excluded", one.key, one.place, **texts)
    for feature in table():
        state = available(feature, org, facts.org.features, today)
        if state:
            continue
        named = set(facts.org.marketplace_packages)
        for package in facts.packages if feature.get("namespaces") else ():
            if package.kind is Kind.MANAGED and package.name not in named:
                yield _lacks(feature, org, f"package:{package}", None, state)
        for key, component in bundle.components.items():
            if not needs(feature, key, named):
                continue
            yield _lacks(feature, org, key, component.source, state)


def _lacks(
    feature: dict[str, Any], org: Org, what: ComponentKey | str, place: Place | None, state: bool | None
) -> Finding:
    if state is None:
        ask = "--facts (features, marketplace_packages)" if feature.get("namespaces") else "--facts (features)"
        fact, zh = f"whether {org.instance} has {feature['title']}", f"{org.instance} 是否具备{feature['zh']}"
        return unknown("K20", what, place, fact, ask, zh)
    texts = {"feature": feature["title"], "feature_zh": feature["zh"]}
    return finding("K20.missing", what, place, instance=org.instance, **texts)


def _foreign_hosts(bundle: Bundle, org: Org) -> Iterator[Finding]:
    """Yield hosts of the other edition, and of single instances of either."""
    china = org.edition is Edition.ALIBABA
    other = Edition.GLOBAL if china else Edition.ALIBABA
    foreign, instance = _hosts_below(rules_of(other).domains), _hosts_below(rules_of(org.edition).domains)
    domains = (*rules_of(other).domains, *rules_of(org.edition).domains)
    for component in components_of(bundle, *TEXTS):
        text = raw(component).decode("utf-8", "replace").lower()
        if not any(domain in text for domain in domains):
            continue
        for place, line in lines_of(component, code=True):
            for match in foreign.finditer(line):
                check = "K21.global-host" if china else "K21.china-host"
                yield finding(check, component.key, place, host=match[0])
            for match in instance.finditer(line):
                if _INSTANCE.search(match[0]):
                    yield finding("K21.instance-host", component.key, place, host=match[0])


def _hosts_below(domains: Iterable[str]) -> re.Pattern[str]:
    below = "|".join(re.escape(domain) for domain in domains)
    return re.compile(rf"(?i)(?<![\w.@-])(?:[\w-]+\.)*(?:{below})(?![\w-]|\.\w)")


def _versions(bundle: Bundle, org: Org, facts: Facts) -> Iterator[Finding]:
    floor, ceiling = org.api_version_floor, facts.org.api_ceiling
    if ceiling is None:
        fact, zh = "the highest API version of the org", "组织支持的最高 API 版本"
        yield unknown("K10", f"org:{org.name}", None, fact, "--facts (api_ceiling)", zh)
    used: list[tuple[object, Component | None, str]] = [("bundle", None, bundle.api_version)]
    for component in bundle.components.values():
        if component.fragment is None:
            used += [(component.key, component, version) for version in _own_versions(component)]
    for name, one, version in used:
        place = place_of(one, f"<apiVersion>{version}") if one else None
        if api_number(version) < api_number(floor):
            yield finding("K10.below-floor", name, place, version=version, floor=floor)
        if ceiling is not None and api_number(version) > api_number(ceiling):
            yield finding("K10.above-ceiling", name, place, version=version, ceiling=ceiling)


def _own_versions(component: Component) -> list[str]:
    if not any(b"<apiVersion>" in file.data for file in component.files):
        return []
    return [version for version in values(xml_of(component), "apiVersion") if re.fullmatch(r"\d+\.\d+", version)]
