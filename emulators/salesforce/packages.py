"""Managed packages: those that the world file says an org can install, and how one gets installed.

What an org has installed are its components of the type InstalledPackage, whichever way they came: the Metadata API,
which names a package by namespace and version, or a PackageInstallRequest, which names a version by its id. The world
file declares them in the org's `packages`: `namespace`, `name`, `version` ("1.2", "1.2.3") and `version_id` (04t…).

Source: Metadata API Developer Guide, "InstalledPackage" (38.0 to 68.0); First-Generation Managed Packaging Developer
Guide, "Install First-Generation Managed Packages Using Metadata API" (45.0, 68.0; excerpts read 2026-11-22).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from emulators.salesforce import ids
from emulators.salesforce.metadata.components import Key, OrgComponent, OrgComponents
from emulators.salesforce.metadata.xmlform import canonical, document, elements, fragment, local, parse

TYPE = "InstalledPackage"
_REMOTE_SITES, _REMOTE_SITES_SINCE = "activateRSS", 43  # an element, and the API version that it is required from
_NIL = f'<{_REMOTE_SITES} xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true"/>'


@dataclass(frozen=True)
class PackageVersion:
    """A released version of a managed package. `id` has 18 characters."""

    namespace: str
    name: str
    version: str
    id: str

    @property
    def package_id(self) -> str:
        """The id of the package, the same for all of its versions and in every org."""
        return ids.derived("033", self.namespace)

    @property
    def numbers(self) -> tuple[int, int, int]:
        """Major, minor and patch number."""
        major, minor, patch = (*map(int, self.version.split(".")), 0, 0)[:3]
        return major, minor, patch


def offered(declared: Mapping[str, Any]) -> tuple[PackageVersion, ...]:
    """Return the package versions that an org's part of the world file declares."""
    return tuple(
        PackageVersion(each["namespace"], each["name"], each["version"], ids.normal(each["version_id"]) or "")
        for each in declared.get("packages", ())
    )


def installed(components: OrgComponents, versions: Iterable[PackageVersion]) -> list[tuple[str, PackageVersion]]:
    """Return what an org has installed: the id of the installation, and the version."""
    by_name = {(each.namespace, each.version): each for each in versions}
    held = components.of_type(TYPE)
    found = ((one, by_name.get((one.key.full_name, version_in(components.content(one))))) for one in held)
    return [(one.id, version) for one, version in found if version]


def version_in(xml: bytes) -> str:
    """Return the version number that an InstalledPackage states, "" for none."""
    return (parse(xml).findtext("{*}versionNumber") or "").strip()


def misuse(xml: bytes, types: Collection[str], api_version: int | None) -> str | None:
    """Return what is wrong with how an InstalledPackage comes: with other `types` in its manifest, or incomplete."""
    if set(types) != {TYPE}:
        return f"{TYPE} must be the only metadata type that is specified in the manifest"
    if (api_version or 0) >= _REMOTE_SITES_SINCE and not (parse(xml).findtext(f"{{*}}{_REMOTE_SITES}") or "").strip():
        return f"Required field is missing: {_REMOTE_SITES}"
    return None


def as_retrieved(xml: bytes) -> bytes:
    """Return an InstalledPackage as a retrieve gives it: without password, whatever was chosen for remote sites nil."""
    kept = [each for each in elements(parse(xml)) if local(each) not in ("password", _REMOTE_SITES)]
    return document(TYPE, [f"    {_NIL}", *(fragment(each) for each in kept)])


def refusal(
    namespace: str, version: str, versions: Iterable[PackageVersion], held: Iterable[PackageVersion]
) -> str | None:
    """Return why a version can't be installed: it doesn't exist, or a newer one is there. None when it can."""
    wanted = next((each for each in versions if (each.namespace, each.version) == (namespace, version)), None)
    if wanted is None:
        return f"InstalledPackage version number : {version} does not exist!"
    newer = [each for each in held if each.namespace == namespace and each.numbers > wanted.numbers]
    return f"A newer version of this package is installed: {newer[0].version}" if newer else None


def install(components: OrgComponents, version: PackageVersion, now: float, username: str) -> None:
    """Put a package version into an org, as its upgrade where an older one is there."""
    held = components.get(TYPE, version.namespace)
    xml = f"<{TYPE}><versionNumber>{version.version}</versionNumber></{TYPE}>"
    digest = components.keep(canonical(parse(xml.encode())))
    components.put(
        OrgComponent(
            Key(TYPE, version.namespace),
            {f"installedPackages/{version.namespace}.installedPackage": digest},
            id=held.id if held else "",
            created=held.created if held else now,
            created_by=held.created_by if held else username,
            modified=now,
            modified_by=username,
        )
    )
