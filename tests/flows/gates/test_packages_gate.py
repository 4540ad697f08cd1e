"""Managed packages in the China edition: known to be missing, not known, or named because the Marketplace has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from flows.packages import Kind, Package
from tests.flows.gates.builders import Given

PARTS = Package(Kind.MANAGED, "parts", "1.2")
REPOSITORY = Package(Kind.METADATA, "https://github.com/acme/visits/unpackaged/pre/first", "0123abc")
ABSENT = {"features": {"appexchange": False}}


def ids(org: str, known: Mapping[str, object], *packages: Package) -> set[str]:
    """Return the findings of rule K20 on a release that needs these packages."""
    more: dict[str, Any] = {"packages": packages}
    return {one.id for one in Given(org=org, known=known, more=more).findings() if one.rule.id == "K20"}


@pytest.mark.parametrize(
    ("org", "known", "expected"),
    [
        ("china-uat", ABSENT, {"K20.missing"}),
        ("china-uat", {}, {"K20.unknown"}),
        ("china-uat", {**ABSENT, "marketplace_packages": ["parts"]}, set()),
        ("china-uat", {**ABSENT, "marketplace_packages": ["others"]}, {"K20.missing"}),
        ("china-uat", {"features": {"appexchange": True}}, set()),
        ("global-uat", ABSENT, set()),
    ],
)
def test_a_managed_package_goes_to_china_only_where_it_is_there(
    org: str, known: Mapping[str, object], expected: set[str]
) -> None:
    assert ids(org, known, PARTS) == expected


def test_metadata_of_another_repository_is_no_package_of_the_appexchange() -> None:
    assert ids("china-uat", ABSENT, REPOSITORY) == set()
