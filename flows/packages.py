"""The packages that a release needs in an org, and which of them the org still lacks. Pure.

CumulusCI resolves and installs them (`dependencies` in cumulusci.yml); see flows/tasks/packages.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from flows.ledger import Entry  # it knows plans, and they know packages


class Kind(StrEnum):
    """What a dependency is: a managed package, or metadata out of another repository."""

    MANAGED = "managed"
    METADATA = "metadata"


@dataclass(frozen=True, slots=True)
class Package:
    """What a release needs before its metadata. `name` is a package's namespace or its version's id (04t…), or what a
    repository is called; `version` its number, id or commit, never a range."""

    kind: Kind
    name: str
    version: str

    def __str__(self) -> str:
        return self.version if self.name == self.version else f"{self.name} {self.version}"

    def as_json(self) -> dict[str, str]:
        """Return the package as plain data."""
        return {**asdict(self), "kind": self.kind.value}


@dataclass(frozen=True, slots=True)
class Missing:
    """A package that an org lacks. `was` is the version that it has, "" for none."""

    package: Package
    was: str = ""

    @property
    def words(self) -> str:
        """What is to be done, for people."""
        return f"upgrade {self.package} from {self.was}" if self.was else f"install {self.package}"

    def record(self, state: str) -> dict[str, str]:
        """Return what the ledger says of it; `state` is "installing" or "installed"."""
        return {**self.package.as_json(), "was": self.was, "state": state}


class Installer(Protocol):
    """Who knows the packages of the project and of an org, and installs them."""

    def required(self) -> tuple[Package, ...]:
        """Return what the project depends on, in the order in which it is installed."""
        ...

    def lacking(self, shipped: Mapping[str, str]) -> tuple[Missing, ...]:
        """Return what of it the org lacks. `shipped` is what the ledger says was installed: version by name."""
        ...

    def install(self, package: Package) -> None:
        """Install one. Raises `PromotionFailed` when the org doesn't take it."""
        ...


class NoPackages:
    """An installer for a project that depends on nothing."""

    def required(self) -> tuple[Package, ...]:
        """Return nothing."""
        return ()

    def lacking(self, shipped: Mapping[str, str]) -> tuple[Missing, ...]:  # noqa: ARG002
        """Return nothing."""
        return ()

    def install(self, package: Package) -> None:
        """Install nothing: nothing is lacking."""
        raise AssertionError(f"{package} was not required")


def shipped_packages(entries: Iterable[Entry]) -> dict[str, str]:
    """Return the version by name of what an org's entries, oldest first, say was installed."""
    done = (each for entry in entries for each in entry.record.packages if each["state"] == "installed")
    return {each["name"]: each["version"] for each in done}
