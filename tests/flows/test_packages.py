"""Packages before metadata: planned, approved with the plan, installed once, and kept in the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from cumulusci.core.dependencies.dependencies import (
    PackageNamespaceVersionDependency,
    PackageVersionIdDependency,
    UnmanagedGitHubRefDependency,
)

from flows.failures import PromotionFailed
from flows.ledger import Event, Ledger
from flows.objectstore import Buckets, MemoryStore
from flows.packages import Kind, Missing, Package, shipped_packages
from flows.planfile import read_plan, write_plan
from flows.promote import Promotion
from flows.tasks.packages import _number, _package
from flows.view import outcome_text, package_lines
from kit.problems import Problem, Refused
from orgs.federation import load_federation
from tests.flows.release_support import OrgInMemory, apex, bundle_of

PARTS, NEWER = Package(Kind.MANAGED, "parts", "1.2"), Package(Kind.MANAGED, "parts", "1.10")
VISITS = Package(Kind.METADATA, "https://github.com/acme/visits", "0123abc")
BUNDLE = bundle_of(apex("A"), apex("ATest", test=True))


class Killed(BaseException):
    """The process was killed: nothing gets to clean up."""


@dataclass
class Installs:
    """The packages of a project, and an org that takes them."""

    wanted: tuple[Package, ...]
    held: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    fail: BaseException | None = None

    def required(self) -> tuple[Package, ...]:
        return self.wanted

    def lacking(self, shipped: Mapping[str, str]) -> tuple[Missing, ...]:
        has = {**shipped, **self.held}
        return tuple(
            Missing(each, has.get(each.name, "")) for each in self.wanted if has.get(each.name) != each.version
        )

    def install(self, package: Package) -> None:
        self.asked.append(str(package))
        if self.fail:
            error, self.fail = self.fail, None
            raise error
        self.held[package.name] = package.version


@pytest.fixture
def org() -> OrgInMemory:
    return OrgInMemory()


@pytest.fixture
def promotion(org: OrgInMemory) -> Promotion:
    buckets = Buckets(MemoryStore("releases"), MemoryStore("ledger"), MemoryStore("backups"))
    china_uat = load_federation().org("china-uat")
    made = Promotion(china_uat, lambda: org, Ledger.of(buckets), buckets.releases, buckets.backups)  # type: ignore[arg-type, return-value]
    made.installer = Installs((PARTS, VISITS))
    return made


def packages(promotion: Promotion) -> list[dict[str, str]]:
    """Return what the newest entry says of packages."""
    return [dict(each) for each in promotion.ledger.entries("china-uat")[-1].record.packages]


def test_a_package_comes_before_the_metadata_and_the_ledger_has_both(promotion: Promotion, org: OrgInMemory) -> None:
    org.before = lambda call: None if promotion.installer.asked == ["parts 1.2", f"{VISITS}"] else pytest.fail(call)  # type: ignore[attr-defined]
    outcome = promotion.promote(BUNDLE)
    assert packages(promotion) == [
        {"kind": "managed", "name": "parts", "version": "1.2", "was": "", "state": "installed"},
        {"kind": "metadata", "name": VISITS.name, "version": "0123abc", "was": "", "state": "installed"},
    ]
    assert "installed parts 1.2" in outcome_text(outcome, "oss://ledger/")
    assert promotion.ledger.verify()[1] == []


def test_a_second_promote_installs_and_records_nothing(promotion: Promotion) -> None:
    promotion.promote(BUNDLE)
    before = len(promotion.ledger.entries("china-uat"))
    assert "nothing to do" in outcome_text(promotion.promote(BUNDLE), "oss://ledger/")
    assert len(promotion.ledger.entries("china-uat")) == before


def test_an_upgrade_alone_is_a_release_without_metadata(promotion: Promotion, org: OrgInMemory) -> None:
    promotion.promote(BUNDLE)
    requests = len(org.requests)
    promotion.installer.wanted = (NEWER, VISITS)  # type: ignore[attr-defined]
    assert package_lines(promotion.lacking(), promotion.plan(BUNDLE).packages) == [
        "Packages: 1 of 2 are there",
        "  to do first: upgrade parts 1.10 from 1.2",
    ]
    outcome = promotion.promote(BUNDLE)
    assert "upgraded parts from 1.2 to 1.10" in outcome_text(outcome, "oss://ledger/")
    assert len(org.requests) == requests
    assert promotion.ledger.state_of("china-uat") == {key: one.digest for key, one in BUNDLE.components.items()}
    assert promotion.promote(BUNDLE).entry is None
    assert promotion.rollback().plan.empty


def test_a_rollback_says_first_that_packages_stay(promotion: Promotion) -> None:
    promotion.promote(BUNDLE)
    assert f"package {VISITS}: it stays installed" in promotion.inverse().losses


def test_a_package_that_the_org_refuses_ends_the_run_before_any_metadata(
    promotion: Promotion, org: OrgInMemory
) -> None:
    promotion.installer.fail = PromotionFailed([Problem("no such version", "", "")], "china-uat did not take it")  # type: ignore[attr-defined]
    with pytest.raises(PromotionFailed):
        promotion.promote(BUNDLE)
    assert org.requests == {}
    last = promotion.ledger.entries("china-uat")[-1].record
    assert (last.event, last.problems) == (Event.FAILED, ("no such version",))
    assert promotion.promote(BUNDLE).entry is not None


@pytest.mark.parametrize("at", ["first", "second"])
def test_a_run_that_died_installing_is_ended_by_the_same_command(promotion: Promotion, at: str) -> None:
    installs = promotion.installer
    assert isinstance(installs, Installs)
    if at == "second":
        installs.held["parts"] = "1.2"
    installs.fail = Killed()
    with pytest.raises(Killed):
        promotion.promote(BUNDLE)
    assert packages(promotion)[-1]["state"] == "installing"
    promotion.take_over = True
    outcome = promotion.promote(BUNDLE)
    assert outcome.entry is not None
    assert shipped_packages(promotion.ledger.entries("china-uat"))[VISITS.name] == "0123abc"
    assert installs.held == {"parts": "1.2", VISITS.name: "0123abc"}


def test_packages_are_part_of_what_is_approved(promotion: Promotion, tmp_path: Path) -> None:
    plan = promotion.plan(BUNDLE)
    write_plan(plan, tmp_path / "plan.json")
    assert read_plan(tmp_path / "plan.json") == plan
    assert replace(plan, packages=()).digest != plan.digest
    promotion.approved = plan
    promotion.installer.wanted = (NEWER,)  # type: ignore[attr-defined]
    with pytest.raises(Refused, match=r"parts 1\.2, .* then, parts 1\.10 now"):
        promotion.promote(BUNDLE)
    assert promotion.ledger.entries("china-uat") == []


def test_a_validation_says_which_packages_it_could_not_take_for_there(promotion: Promotion) -> None:
    outcome = promotion.validate(BUNDLE)
    assert "still to install parts 1.2" in outcome_text(outcome, "oss://ledger/")
    assert promotion.installer.asked == []  # type: ignore[attr-defined]


def test_every_dependency_of_cumulusci_has_one_name_and_one_version() -> None:
    managed = PackageNamespaceVersionDependency(namespace="parts", version="1.2")
    by_id = PackageVersionIdDependency(version_id="04t000000000001AAA")
    source = "https://github.com/acme/visits"
    other = UnmanagedGitHubRefDependency(github=source, ref="0123abc", subfolder="unpackaged/pre/first")
    assert _package(managed) == PARTS
    assert str(_package(by_id)) == "04t000000000001AAA"
    assert _package(other) == Package(Kind.METADATA, f"{source}/unpackaged/pre/first", "0123abc")
    assert (_number("1.2"), _number("1.2 (Beta 3)")) == ("1.2", "1.2b3")
