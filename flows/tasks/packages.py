"""The project's dependencies, resolved and installed by CumulusCI: its resolver, and its task update_dependencies."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from cumulusci.core.config import TaskConfig
from cumulusci.core.dependencies.dependencies import (
    PackageNamespaceVersionDependency,
    PackageVersionIdDependency,
    StaticDependency,
    parse_dependencies,
)
from cumulusci.core.dependencies.resolvers import get_static_dependencies
from cumulusci.core.exceptions import CumulusCIException
from cumulusci.core.runtime import BaseCumulusCI
from cumulusci.salesforce_api.exceptions import MetadataApiError
from cumulusci.tasks.salesforce.update_dependencies import UpdateDependencies
from simple_salesforce.exceptions import SalesforceError

from flows.failures import PromotionFailed
from flows.packages import Kind, Missing, Package
from flows.tasks.keychain import FederationKeychain
from kit.problems import Problem, Refused

RESOLUTION = "production"
"""The stack of CumulusCI's resolvers: released versions only, in sandboxes too, so that all orgs get the same."""


class CciInstaller:
    """What a project depends on (`dependencies` in cumulusci.yml), and what of it one org has."""

    def __init__(self, project_config: Any, org_config: Any) -> None:
        self._project, self._org = project_config, org_config
        self._resolved = cache(self._resolve)

    def required(self) -> tuple[Package, ...]:
        """Return what the project depends on, each in the version that CumulusCI resolves. Raises `Refused`."""
        return tuple(self._resolved())

    def lacking(self, shipped: Mapping[str, str]) -> tuple[Missing, ...]:
        """Return what the org lacks: packages by what it has installed, other metadata by what the ledger says."""
        found = []
        for package, dependency in self._resolved().items():
            if isinstance(dependency, PackageNamespaceVersionDependency):
                if self._org.has_minimum_package_version(dependency.namespace, _number(dependency.version)):
                    continue
                held = self._org.installed_packages.get(dependency.namespace) or ()
                found.append(Missing(package, str(held[0].number) if held else ""))
            elif isinstance(dependency, PackageVersionIdDependency):
                there = {version.id[:15] for held in self._org.installed_packages.values() for version in held}
                if dependency.version_id[:15] not in there:
                    found.append(Missing(package))
            elif shipped.get(package.name) != package.version:
                found.append(Missing(package, shipped.get(package.name, "")))
        return tuple(found)

    def install(self, package: Package) -> None:
        """Install one of the packages that are required. Raises `PromotionFailed` with what the org says."""
        stated = self._resolved()[package].dict(exclude_none=True)
        task = UpdateDependencies(self._project, TaskConfig({"options": {"dependencies": [stated]}}), self._org)
        try:
            task()
        except (CumulusCIException, MetadataApiError, SalesforceError) as error:
            what = f"{package}: {getattr(error, 'content', None) or error}"
            fix = "see which versions the org can install; cumulusci.yml, dependencies, names this one"
            headline = f"{self._org.name} did not take {package}"
            raise PromotionFailed([Problem(what, "packages come before the metadata", fix)], headline) from error

    def _resolve(self) -> dict[Package, StaticDependency]:
        try:
            stated = parse_dependencies(self._project.project__dependencies)
            resolved = get_static_dependencies(self._project, stated, resolution_strategy=RESOLUTION) if stated else []
        except CumulusCIException as error:
            fix = "name a package by namespace and version or by version_id, a repository by github and tag"
            raise Refused(Problem(f"cumulusci.yml, dependencies: {error}", "each leads to one version", fix)) from error
        return {_package(each): each for each in resolved}


def installer_of(root: Path, org: str) -> CciInstaller:
    """Return what the project in `root` depends on and what of it an org of the federation has, for who is no task of
    CumulusCI. Raises `Refused`."""
    try:
        project = BaseCumulusCI(load_keychain=False, repo_info={"root": str(root)}).project_config
        project.keychain = FederationKeychain(project, None)
        found = project.keychain.get_org(org)
        found.refresh_oauth_token(project.keychain)
    except CumulusCIException as error:
        fix = "see that `cci org list` shows the org"
        raise Refused(Problem(f"CumulusCI: {error}", "CumulusCI knows what packages a project needs", fix)) from error
    return CciInstaller(project, found)


def _package(dependency: StaticDependency) -> Package:
    if isinstance(dependency, PackageNamespaceVersionDependency):
        return Package(Kind.MANAGED, dependency.namespace, dependency.version)
    if isinstance(dependency, PackageVersionIdDependency):
        return Package(Kind.MANAGED, dependency.version_id, dependency.version_id)
    place = getattr(dependency, "github", None) or getattr(dependency, "zip_url", "")
    name = "/".join(filter(None, (str(place), dependency.subfolder)))
    return Package(Kind.METADATA, name, getattr(dependency, "ref", None) or str(place))


def _number(version: str) -> str:
    """Return a version as CumulusCI compares it: "1.2 (Beta 3)" is 1.2b3."""
    number, _, beta = version.partition(" (Beta ")
    return f"{number}b{beta.rstrip(')')}" if beta else number
