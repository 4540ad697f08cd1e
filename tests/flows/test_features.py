"""What an org doesn't get since its edition lacks what it needs: left out with the reason, or a reason to stop."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import pytest

from flows.bundle import Bundle, build_bundle
from flows.components import Component, ComponentKey
from flows.features import available, excluded_lines, excludes, table, without_missing
from orgs.federation import Edition, Federation, MissingFeatures, load_federation
from tests.flows.gates.builders import Given, apex, part, whole

SHIPPED = load_federation()
UAT = SHIPPED.org("china-uat")
DAY, LATER = date(2024, 1, 1), date(2026, 11, 22)
MOBILE = whole("Settings:Mobile", "<MobileSettings></MobileSettings>")
EXCLUDE = SHIPPED.model_copy(update={"missing_features": {Edition.ALIBABA: MissingFeatures.EXCLUDE}})


def left(
    *components: Component,
    federation: Federation = EXCLUDE,
    today: date = DAY,
    stated: Mapping[str, bool] | None = None,
) -> Bundle:
    bundle, _ = without_missing(build_bundle(components, "62.0"), UAT, federation, today, stated or {})
    return bundle


def test_what_the_edition_lacks_is_left_out_with_reason_source_and_place() -> None:
    bundle, excluded = without_missing(build_bundle([MOBILE, apex("class A {}")], "62.0"), UAT, EXCLUDE, DAY)
    assert list(map(str, bundle.components)) == ["ApexClass:A"]
    (one,) = excluded
    assert (str(one.key), one.reason) == ("Settings:Mobile", "CHN3S lacks Salesforce mobile app")
    assert one.source.startswith("datasheet")
    assert one.place == MOBILE.source
    assert excluded_lines(excluded) == [
        "Left out 已排除: Settings:Mobile: CHN3S lacks Salesforce mobile app 不具备Salesforce 移动应用"
    ]


def test_a_federation_that_stops_leaves_nothing_out_and_so_does_the_global_edition() -> None:
    assert MOBILE.key in left(MOBILE, federation=SHIPPED).components
    assert not excludes(EXCLUDE.org("global-uat"), EXCLUDE)
    both = dict.fromkeys(Edition, MissingFeatures.EXCLUDE)
    assert not excludes(SHIPPED.org("global-uat"), SHIPPED.model_copy(update={"missing_features": both}))


@pytest.mark.parametrize(
    ("edition", "org", "found"),
    [
        (None, None, MissingFeatures.STOP),
        (MissingFeatures.EXCLUDE, None, MissingFeatures.EXCLUDE),
        (MissingFeatures.EXCLUDE, MissingFeatures.STOP, MissingFeatures.STOP),
        (None, MissingFeatures.EXCLUDE, MissingFeatures.EXCLUDE),
    ],
)
def test_an_org_goes_before_its_edition(
    edition: MissingFeatures | None, org: MissingFeatures | None, found: MissingFeatures
) -> None:
    federation = SHIPPED.model_copy(update={"missing_features": {Edition.ALIBABA: edition} if edition else {}})
    assert federation.missing_features_of(UAT.model_copy(update={"missing_features": org})) is found


def test_the_table_is_dated_and_what_nobody_confirmed_is_never_left_out() -> None:
    (mobile,) = [feature for feature in table() if feature["name"] == "mobile-app"]
    assert available(mobile, UAT, {}, date(2023, 1, 1)) is None
    assert available(mobile, UAT, {}, DAY) is False
    assert available(mobile, UAT, {}, LATER) is None  # an app was published since, nobody has confirmed it
    assert MOBILE.key in left(MOBILE, today=LATER).components
    assert MOBILE.key not in left(MOBILE, today=LATER, stated={"mobile-app": False}).components
    assert MOBILE.key in left(MOBILE, stated={"mobile-app": True}).components


def test_a_child_goes_with_its_container() -> None:
    lake = ComponentKey("CustomObject", "Lake__dlm")
    child = part("CustomField:Lake__dlm.X__c", "fields", "<label>X</label>")
    child = Component(child.key, child.digest, child.layer, child.source, parent=lake, fragment=child.fragment)
    parent = whole(str(lake), "<CustomObject><label>Lake</label></CustomObject>")
    assert left(parent, child, stated={"data-cloud": False}).components == {}


def test_the_gate_tells_what_was_left_out_and_stops_at_what_was_not() -> None:
    bundle, excluded = without_missing(build_bundle([MOBILE], "62.0"), UAT, EXCLUDE, DAY)
    told = {one.id: one for one in Given(more={"excluded": excluded}, federation=EXCLUDE, today=DAY).findings()}
    assert not told["K20.excluded"].blocks
    assert told["K20.excluded"].component == "Settings:Mobile"
    assert bundle.components == {}
    assert "K20.missing" in Given((MOBILE,), today=DAY).ids()
