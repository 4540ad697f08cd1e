"""What the editions lack, by a dated table for each instance, and which components need it. Pure.

A component that needs what is known to be missing is left out of what goes to an org, or stops the release, as
`missing_features` of the federation says. What nobody has confirmed is asked for, and never left out.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase, translate
from functools import cache
from pathlib import Path
from typing import Any

from flows.bundle import Bundle, build_bundle
from flows.components import ComponentKey
from kit.problems import Place
from kit.yamlfile import read_yaml
from orgs.editions import Edition
from orgs.federation import Federation, MissingFeatures, Org

TABLE_FILE = Path(__file__).with_name("features.yml")
_NAMESPACE = re.compile(r"(?:^|\.)([A-Za-z]\w*?)__[A-Za-z]\w*?__[a-z]+\b")


@dataclass(frozen=True, slots=True)
class Excluded:
    """A component that an org doesn't get, since its instance lacks the feature: why, by which source."""

    key: ComponentKey
    feature: str
    feature_zh: str
    instance: str
    source: str
    place: Place

    @property
    def words(self) -> str:
        """What is told to people."""
        return f"{self.key}: {self.instance} lacks {self.feature} 不具备{self.feature_zh}"

    def as_json(self) -> dict[str, str]:
        """Return it as plain data."""
        return {"component": str(self.key), "feature": self.feature, "reason": self.reason, "source": self.source}

    @property
    def reason(self) -> str:
        """Why it is left out."""
        return f"{self.instance} lacks {self.feature}"


@cache
def table() -> tuple[dict[str, Any], ...]:
    """Return the dated table of features."""
    features: list[dict[str, Any]] = read_yaml(TABLE_FILE).data["features"]
    return tuple(features)


def available(feature: Mapping[str, Any], org: Org, stated: Mapping[str, bool], today: date) -> bool | None:
    """Return whether the org has the feature on that day, None when nobody has confirmed it; what people `stated` of
    the org goes before the table."""
    name = feature["name"]
    if name in stated:
        return stated[name]
    if not any(fnmatchcase(org.instance, pattern) for pattern in feature.get("instances", ["*"])):
        return True
    known: list[bool | None] = [entry["available"] for entry in feature["history"] if entry["since"] <= today]
    return known[-1] if known else None


def needs(feature: Mapping[str, Any], key: ComponentKey, packages: Collection[str]) -> bool:
    """Return whether a component needs a feature. The namespaces of `packages` are there all the same."""
    packaged = _NAMESPACE.search(key.full_name) if feature.get("namespaces") else None
    if packaged or key.type == "InstalledPackage":
        namespace = packaged[1] if packaged else key.full_name
        if namespace in packages:
            return False
    return bool(packaged) or bool(_component_shape(tuple(feature["components"])).match(str(key)))


def excludes(org: Org, federation: Federation) -> bool:
    """Return whether what the org's edition lacks is left out of its releases."""
    return org.edition is Edition.ALIBABA and federation.missing_features_of(org) is MissingFeatures.EXCLUDE


def without_missing(
    bundle: Bundle,
    org: Org,
    federation: Federation,
    today: date,
    stated: Mapping[str, bool] | None = None,
    packages: Collection[str] = (),
) -> tuple[Bundle, tuple[Excluded, ...]]:
    """Return the bundle without what the org's edition lacks on that day, and what was left out; a child goes with its
    container. Where the federation wants a release stopped instead, the bundle comes back as it is."""
    if not excludes(org, federation):
        return bundle, ()
    excluded = {one.key: one for one in _missing(bundle, org, today, stated or {}, packages)}
    if not excluded:
        return bundle, ()
    left = [each for key, each in bundle.components.items() if key not in excluded]
    return build_bundle(left, bundle.api_version), tuple(excluded.values())


def excluded_lines(excluded: Iterable[Excluded]) -> list[str]:
    """Return what was left out, and why, for people: a line each."""
    return [f"Left out 已排除: {each.words}" for each in excluded]


def _missing(
    bundle: Bundle, org: Org, today: date, stated: Mapping[str, bool], packages: Collection[str]
) -> Iterator[Excluded]:
    lacking = [feature for feature in table() if available(feature, org, stated, today) is False]
    for key, component in bundle.components.items():
        for feature in lacking:
            if any(needs(feature, each, packages) for each in _with_parent(key, component.parent)):
                about = feature["title"], feature["zh"], org.instance, str(feature["source"]).strip()
                yield Excluded(key, *about, component.source)
                break


def _with_parent(key: ComponentKey, parent: ComponentKey | None) -> Iterable[ComponentKey]:
    return (key, parent) if parent else (key,)


@cache
def _component_shape(patterns: tuple[str, ...]) -> re.Pattern[str]:
    """Return the patterns of a feature as one expression; without patterns, one that nothing matches."""
    return re.compile("|".join(map(translate, patterns)) or r"(?!)")
