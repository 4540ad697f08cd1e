"""Which API version an org is spoken to with: the project's, or where the org is behind, its own highest one. Pure.

Instances get a seasonal release at different times, so the same release may meet an org that is one behind. Then it is
deployed in the org's version, as long as the org knows every type that is in it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from flows.bundle import Bundle, build_bundle
from flows.components import ComponentKey
from flows.metadata_types import metadata_types
from kit.problems import Place, Problem, Refused, refuse_if_any
from orgs.federation import Org, api_number

FLOOR = "31.0"
"""The lowest version that both editions answer (orgs/editions.yml)."""


def deploy_version(project: str, ceiling: str | None, org: Org) -> str:
    """Return the lower of the project's API version and the org's `ceiling`, the highest one that it answers, such as
    "67.0"; the project's when the org doesn't say (None). Raises `Refused` when the org is below its own floor."""
    if ceiling is None or api_number(project) <= api_number(ceiling):
        return project
    if api_number(ceiling) < api_number(org.api_version_floor):
        what = f"{org.name} answers API versions up to {ceiling} only, below its floor {org.api_version_floor}"
        rule = "an org answers the lowest API version that its callers use (api_version_floor in federation.yml)"
        raise Refused(Problem(what, rule, "see that this is the org that federation.yml means; correct its floor"))
    return ceiling


def in_version(bundle: Bundle, version: str, known: Collection[str], org: str) -> Bundle:
    """Return the bundle as it is deployed in `version`, to an org that knows the types `known` in it.

    Raises `Refused` with every component of a type that the org doesn't know in that version, each with its place.
    """
    refuse_if_any(_too_new(bundle, version, known, org), f"{org} is behind the release: it answers API {version}")
    return build_bundle(bundle.components.values(), version)


def type_in_describe(kind: str) -> str:
    """Return the type that `describeMetadata` lists a component's type under: of a child that of its container, of a
    folder that of what lies in it. Metadata API Developer Guide, "describeMetadata()"."""
    types = metadata_types()
    if kind not in types.by_name:
        return types.container_of[kind].name if kind in types.container_of else kind
    found = types.by_name[kind]
    return found.folder_content_type or found.alias_for or kind


def _too_new(bundle: Bundle, version: str, known: Collection[str], org: str) -> Iterator[Problem]:
    for key, component in bundle.components.items():
        if type_in_describe(key.type) not in known:
            yield _problem(key, component.source, version, bundle.api_version, org)


def _problem(key: ComponentKey, place: Place, version: str, wanted: str, org: str) -> Problem:
    return Problem(
        f"{key}: {org} doesn't know the type {key.type} in API version {version}",
        f"a release of API version {wanted} goes to an org that is behind in the org's own version",
        f"wait for the org's seasonal release, or name the component in remove.yml of orgs/{org}",
        place,
        str(key),
        f"{org} 的 API 版本 {version} 不支持元数据类型 {key.type}",
        f"等待该组织的季度升级,或在 orgs/{org} 的 remove.yml 中排除该组件",
    )
