"""The layer `rendered`: lays what the landing zone's outputs come to over an org's bundle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from flows.bundle import Bundle, build_bundle
from flows.components import Component, ComponentKey
from flows.render.elements import Value, changed, missing, root_of, whole
from flows.render.integration import integration
from flows.render.network import PATH, SECURITY, Merged, as_elements, diff_lines, merge, ranges_of, wanted
from flows.render.profiles import keys, login_ranges, wanted_logins, with_logins
from flows.render.sso import sso_configs, sso_settings
from infra.outputs import LandingZoneOutputs
from kit.problems import Place, Problem, refuse_if_any
from kit.yamlfile import read_yaml
from orgs.access import Access
from orgs.editions import OrgKind
from orgs.federation import Federation, Org, Part

DEFAULTS = Path(__file__).with_name("defaults.yml")

Held = Mapping[ComponentKey, Component]
"""What an org has now of the components that are merged with it."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """An org's bundle with the layer on top. `network` is what becomes of its trusted ranges, None when none are
    rendered; `logins` what becomes of the login ranges of its profiles, by name."""

    bundle: Bundle
    network: Merged | None = None
    logins: Mapping[str, Merged] = field(default_factory=dict)

    @property
    def diff_lines(self) -> list[str]:
        """What becomes of the org's ranges, for people, a line each; nothing when all stays."""
        lines = [f"trusted ranges: {line}" for line in diff_lines(self.network)] if self.network else []
        for name, merged in self.logins.items():
            lines += [f"login ranges of profile {name}: {line}" for line in diff_lines(merged)]
        return lines


def merges(org: Org, access: Access) -> tuple[ComponentKey, ...]:
    """Return which components of an org have to be known to render its layer."""
    return (SECURITY, *keys(access.of(org.name))) if Part.NETWORK in org.parts else ()


def with_rendered(
    bundle: Bundle,
    org: Org,
    federation: Federation,
    outputs: LandingZoneOutputs,
    access: Access,
    held: Held | None = None,
) -> Rendered:
    """Return the bundle with what the outputs come to; what a layer of metadata/ says of settings stands.

    `held` is what the org has now of what `merges`, None when nobody asked it: then the bundle lacks what the org has
    of others, and is good for comparing with a ledger, not for a deploy. The digest of a merged component counts only
    what is ours, so that an org to which somebody added a range still holds the release. Raises `Refused` when a
    component of the layer is in the metadata already.
    """
    source = Place(f"outputs of stack {outputs.stack}")
    stated = access.of(org.name)
    provider = outputs.identity_saml.get(org.name) if Part.SSO in org.parts else None
    security: list[tuple[str, Value]] = []
    components = dict(bundle.components)
    made: list[Component] = []
    if provider:
        made += sso_configs(org, provider, stated.sign_on, source)
        security += [*_defaults(org.edition.value, "Security"), *sso_settings(provider, stated.sign_on)]
        if org.kind is OrgKind.PRODUCTION and (domain := _defaults("production", "MyDomain")):
            key = ComponentKey("Settings", "MyDomain")
            components[key] = _settled(components.get(key), key, "settings/MyDomain.settings", domain, source)
    if Part.INTEGRATION in org.parts:
        made += integration(federation, outputs, stated, source)
    refuse_if_any((_twice(each, components[each.key]) for each in made if each.key in components), "rendered twice")
    components |= {each.key: each for each in made}
    logins: dict[str, Merged] = {}
    for key in keys(stated) if Part.NETWORK in org.parts else ():
        name, base = key.full_name, components.get(key)
        ours = wanted_logins(outputs, stated, name)
        logins[name] = merge(ours, login_ranges((held or {}).get(key)))
        mine = with_logins(base, name, ours, source)
        components[key] = replace(with_logins(base, name, logins[name].ranges, source), digest=mine.digest)
    ranges = wanted(outputs, stated) if Part.NETWORK in org.parts else ()
    if not (security or ranges):
        return Rendered(build_bundle(components.values(), bundle.api_version), logins=logins)
    base = _settled(components.get(SECURITY), SECURITY, PATH, security, source)
    network = merge(ranges, ranges_of((held or {}).get(SECURITY))) if ranges else None
    components[SECURITY] = _trusting(base, ranges, network, source)
    return Rendered(build_bundle(components.values(), bundle.api_version), network, logins)


def _trusting(base: Component, ranges: tuple[Any, ...], network: Merged | None, source: Place) -> Component:
    """Return security settings with all ranges in them, and the digest of those with ours alone."""
    if network is None:
        return base
    ours = changed(base, as_elements(ranges), source)
    return replace(changed(base, as_elements(network.ranges), source), digest=ours.digest)


def _settled(
    base: Component | None, key: ComponentKey, path: str, elements: list[tuple[str, Value]], source: Place
) -> Component:
    """Return settings that say all of the elements; what `base` says stays."""
    if base is None:
        return whole(key.type, key.full_name, path, elements, source)
    root = root_of(base)
    left = elements if root is None else missing(root, elements)
    return changed(base, left, source) if left else base


def _twice(made: Component, there: Component) -> Problem:
    return Problem(
        f"{made.key} is rendered from the landing zone's outputs, and in the layer {there.layer} too",
        "a name that begins with Sfoa_ is the kit's own",
        "rename the component, or leave the part out of the org's `render` in federation.yml",
        there.source,
    )


def _defaults(group: str, settings: str) -> list[tuple[str, Value]]:
    found = _table().get(group, {}).get(settings, {})
    return [(name, list(value.items()) if isinstance(value, dict) else value) for name, value in found.items()]


@cache
def _table() -> Mapping[str, Any]:
    data: Mapping[str, Any] = read_yaml(DEFAULTS).data
    return data
