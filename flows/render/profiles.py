"""Login ranges of profiles: from where the users of a profile may log in at all. Elsewhere they are turned away.

A profile's list is replaced by the one that comes (as `updateMetadata` does, Salesforce Stack Exchange 250292), and one
that doesn't come is left alone. So what is rendered is ours and whatever the org has of others. Permission sets have no
such list (Metadata API Developer Guide, "PermissionSet": its fields).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from urllib.parse import unquote

from flows.components import Component, ComponentKey
from flows.render.elements import Value, changed, root_of, whole
from flows.render.network import MARK, IpRange, wanted
from flows.xmltext import NAMESPACE, child_text
from infra.outputs import LandingZoneOutputs
from kit.problems import Place
from kit.yamlfile import read_yaml
from orgs.access import LoginFrom, OrgAccess

PROFILE = "Profile"
ADMINISTRATORS = "Admin"
ANYWHERE = IpRange("0.0.0.0", "255.255.255.255", f"{MARK}from anywhere")  # noqa: S104  no address to listen at
NAMES_FILE = Path(__file__).with_name("profiles.yml")


def keys(access: OrgAccess) -> tuple[ComponentKey, ...]:
    """Return the profiles that login ranges are rendered for."""
    return tuple(ComponentKey(PROFILE, name) for name in sorted(access.profiles))


def wanted_logins(outputs: LandingZoneOutputs, access: OrgAccess, name: str) -> tuple[IpRange, ...]:
    """Return the login ranges that the kit wants a profile to have."""
    return (ANYWHERE,) if access.profiles[name] is LoginFrom.ANYWHERE else wanted(outputs, access)


def with_logins(base: Component | None, name: str, ranges: Sequence[IpRange], source: Place) -> Component:
    """Return the profile `base`, or where metadata/ has none a file of nothing else, with these login ranges."""
    elements: list[tuple[str, Value]] = [("loginIpRanges", _entry(each)) for each in ranges]
    if base is None:
        return whole(PROFILE, name, f"profiles/{name}.profile", elements, source)
    return changed(base, elements, source)


def login_ranges(profile: Component | None) -> tuple[IpRange, ...]:
    """Return the login ranges of a profile; of no component, none."""
    root = root_of(profile) if profile else None
    if root is None:
        return ()
    return tuple(
        IpRange(*(child_text(each, name).strip() for name in ("startAddress", "endAddress", "description")))
        for each in root.iterfind(f"{{{NAMESPACE}}}loginIpRanges")
    )


def may_be(profile: str, label: str | None) -> bool:
    """Return whether a profile's API name may be that of the profile that people see as `label` (None: not known).

    A custom profile's API name is its label, encoded. Standard profiles have names of their own, and labels in the
    language of who asks: only another one's English label tells that it isn't this one.
    """
    names = _standard_names()
    if label is None:
        return True
    if profile in names:
        return label == names[profile] or label not in names.values()
    return unquote(profile) == label


def _entry(each: IpRange) -> list[tuple[str, Value]]:
    about: list[tuple[str, Value]] = [("description", each.description)] if each.description else []
    return [*about, ("endAddress", each.end), ("startAddress", each.start)]


@cache
def _standard_names() -> Mapping[str, str]:
    names: Mapping[str, str] = read_yaml(NAMES_FILE).data["standard"]
    return names
