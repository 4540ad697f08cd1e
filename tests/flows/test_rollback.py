from __future__ import annotations

from collections.abc import Iterable, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from flows import plan as planning
from flows.bundle import Bundle, build_bundle
from flows.components import ComponentKey
from flows.conflicts import Conflict
from flows.failures import PromotionFailed
from flows.ledger import Event, Ledger
from flows.metadata_results import Retrieved
from flows.objectstore import Buckets, MemoryStore
from flows.package import DESTRUCTIVE_POST
from flows.promote import Promotion
from flows.rollback import Undone, inverse
from flows.snapshot import of_files
from flows.verify import verify
from kit.problems import Refused
from orgs.federation import load_federation
from tests.flows.release_support import OrgInMemory, apex, bundle_of, bundles, custom_field, state_of

UAT = load_federation().org("china-uat")
CLASS_A, FIELD_X = ComponentKey("ApexClass", "A"), ComponentKey("CustomField", "Case.X__c")
FIRST = bundle_of(apex("A"), custom_field("Case", "X__c", "old"))
SECOND = bundle_of(apex("A", "{ int a; }"), apex("B"))


class Killed(BaseException):
    """The process was killed."""


def promotion_of(org: OrgInMemory) -> Promotion:
    buckets = Buckets(MemoryStore("releases"), MemoryStore("ledger"), MemoryStore("backups"))
    return Promotion(UAT, lambda: org, Ledger.of(buckets), buckets.releases, buckets.backups)  # type: ignore[arg-type, return-value]


@pytest.fixture
def org() -> OrgInMemory:
    return OrgInMemory()


@pytest.fixture
def promotion(org: OrgInMemory) -> Promotion:
    return promotion_of(org)


@given(bundles, bundles)
def test_a_promote_and_its_rollback_give_the_state_before(unmanaged: Bundle, release: Bundle) -> None:
    org = OrgInMemory()
    promotion_of(org).promote(unmanaged)  # by a ledger that the promotion knows nothing of
    before, promotion = org.holds, promotion_of(org)
    if promotion.promote(release).entry:
        promotion.rollback()
    assert org.holds == before
    assert promotion.ledger.state_of("china-uat") == {}
    assert promotion.ledger.verify()[1] == []


@given(bundles, st.lists(bundles, min_size=2, max_size=4), st.data())
def test_any_entry_can_be_gone_back_to(unmanaged: Bundle, releases: list[Bundle], data: st.DataObject) -> None:
    org = OrgInMemory()
    promotion_of(org).promote(unmanaged)
    promotion = promotion_of(org)
    states = {0: (org.holds, promotion.ledger.state_of("china-uat"))}
    for release in releases:
        if entry := promotion.promote(release).entry:
            states[entry.sequence] = (org.holds, state_of(release))
    last = max(states)
    target = data.draw(st.sampled_from(sorted(states)))
    if target == last:
        with pytest.raises(Refused, match="is where entry"):
            promotion.rollback(target)
        return
    promotion.rollback(target)
    assert (org.holds, promotion.ledger.state_of("china-uat")) == states[target]
    assert promotion.ledger.verify()[1] == []


@given(bundles, bundles)
def test_a_rollback_can_be_rolled_back(first: Bundle, second: Bundle) -> None:
    org = OrgInMemory()
    promotion = promotion_of(org)
    promotion.promote(first)
    if not promotion.promote(second).entry:
        return
    there = org.holds
    if promotion.rollback().entry:
        promotion.rollback()
    assert org.holds == there
    assert promotion.ledger.state_of("china-uat") == state_of(second)


def test_a_rollback_is_recorded_as_one_with_the_snapshot_of_what_it_undid(promotion: Promotion) -> None:
    first = promotion.promote(FIRST).entry
    assert first
    promotion.promote(SECOND)
    entry = promotion.rollback().entry
    assert entry
    assert entry.record.rollback_to == first.sequence
    assert entry.record.event is Event.SUCCEEDED
    kept = promotion.backups.list("snapshots/")
    assert f"snapshots/{entry.record.snapshot}.zip" in kept


def test_what_cannot_be_undone_is_listed_before_anything_is_done(promotion: Promotion, org: OrgInMemory) -> None:
    promotion.promote(FIRST)
    promotion.promote(SECOND)
    (loss,) = promotion.inverse().losses
    assert loss.startswith("CustomField:Case.X__c: the values of its records stay deleted")
    said: list[str] = []

    class Heard:
        def step(self, text: str) -> None:
            said.append(f"{len(org.requests)} {text}")

        def progress(self, result: object) -> None:
            pass

    asked = len(org.requests)
    promotion.reporter = Heard()
    promotion.rollback()
    assert f"{asked} Can't be undone: {loss}" in said


STEPS = ["retrieve", "validate", "wait validation", "quick", "quick answered", "wait deployment", "verify"]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("to", [None, 4])
def test_a_rollback_killed_at_any_step_is_finished_by_the_same_command(
    promotion: Promotion, org: OrgInMemory, step: str, to: int | None
) -> None:
    promotion.promote(FIRST)
    there, before = org.holds, len(org.deploys) + 1
    promotion.promote(SECOND)
    left, seen = [step], set()

    def kill(call: str) -> None:
        seen.add(call)
        name = "verify" if call == "retrieve" and "wait deployment" in seen else call
        if name in left:
            left.clear()
            raise Killed

    org.before = kill
    with pytest.raises(Killed):
        promotion.rollback(to)
    promotion.rollback(to)
    assert org.holds == there
    assert promotion.ledger.state_of("china-uat") == state_of(FIRST)
    assert len(org.deploys) == before + 1, "it is deployed exactly once"
    assert promotion.ledger.verify()[1] == []


def test_a_standard_field_that_a_release_customized_stays_and_is_named(promotion: Promotion, org: OrgInMemory) -> None:
    promotion.promote(FIRST)
    promotion.promote(bundle_of(*FIRST.components.values(), apex("B"), custom_field("Case", "Status", "State")))
    assert promotion.inverse().losses == ("CustomField:Case.Status: standard, it stays as it is",)
    promotion.rollback()
    assert ("Case", "Status") in org.fields
    assert promotion.ledger.state_of("china-uat") == state_of(FIRST)


class OrgWithNovelties(OrgInMemory):
    """Knows a type that the kit's table doesn't: `Novelty`, in files `novelties/NAME.novelty`."""

    def retrieve(self, keys: Iterable[ComponentKey]) -> Retrieved:
        wanted = list(keys)
        novelties = {f"novelties/{key.full_name}.novelty" for key in wanted if key.type == "Novelty"}
        found = super().retrieve(wanted)
        return Retrieved(
            {**found.files, **{path: data for path, data in self.files.items() if path in novelties}}, found.messages
        )

    def _apply(self, package: Mapping[str, bytes]) -> None:
        super()._apply(package)
        self.files |= {path: data for path, data in package.items() if path.startswith("novelties/")}
        for member in etree.fromstring(package.get(DESTRUCTIVE_POST, b"<none/>")).iterfind("{*}types/{*}members"):
            self.files.pop(f"novelties/{member.text}.novelty", None)


def test_a_component_of_a_project_s_own_type_is_changed_created_and_taken_back() -> None:
    """`registryCustomizations` of sfdx-project.json bring types that the kit's table lacks."""

    def release(**novelties: str) -> Bundle:
        parts = [(ComponentKey("Novelty", name), text.encode()) for name, text in novelties.items()]
        return bundle_of(
            apex("A"), *(of_files(key, [(f"novelties/{key.full_name}.novelty", xml)]) for key, xml in parts)
        )

    org = OrgWithNovelties({"novelties/One.novelty": b"by hand"})
    promotion = promotion_of(org)
    promotion.promote(release(One="first"))
    before = org.holds
    assert org.files["novelties/One.novelty"] == b"first"
    promotion.promote(release(One="second", Two="new"))
    assert (org.files["novelties/One.novelty"], org.files["novelties/Two.novelty"]) == (b"second", b"new")
    promotion.rollback()
    assert org.holds == before
    promotion.rollback(to=0)
    assert org.files == {"novelties/One.novelty": b"by hand"}


HOURS = "<loginHours><mondayEnd>1020</mondayEnd><mondayStart>300</mondayStart></loginHours>"


@pytest.mark.parametrize(("held", "added"), [("", 1), (HOURS, 0), ("<loginHours/>", 0)])
def test_login_hours_that_a_release_brought_to_a_profile_are_taken_away_again(held: str, added: int) -> None:
    """A profile that restricted none gets the empty element that the Metadata API takes for that; others stay as is."""
    key, path = ComponentKey("Profile", "Sales"), "profiles/Sales.profile"
    xml = f'<Profile xmlns="http://soap.sforce.com/2006/04/metadata"><custom>true</custom>{held}</Profile>'
    snapshot = build_bundle([of_files(key, [(path, xml.encode())])], "64.0")
    run = Undone(
        planning.Plan("china-uat", "d", "b", (), (key,), (), planning.tests_for([], production=False)), snapshot
    )
    back = inverse([run], {key: "new"}, {}, org="china-uat", production=False)
    (file,) = back.bundle.components[key].files
    root = etree.fromstring(file.data)
    assert [etree.QName(each).localname for each in root] == ["custom"] + ["loginHours"] * (added or bool(held))
    assert [len(each) for each in root][1:] == ([0] if added else [2] if held == HOURS else [0])
    assert verify(back.bundle.components.values(), {path: xml.encode()}).differs == ()
    assert [loss for loss in back.losses if "login ranges" in loss]


def test_there_is_nothing_to_roll_back_where_nothing_was_promoted(promotion: Promotion) -> None:
    with pytest.raises(Refused, match="there is something to undo"):
        promotion.rollback()


def test_an_entry_that_is_no_success_is_no_place_to_go_back_to(promotion: Promotion) -> None:
    promotion.promote(FIRST)
    with pytest.raises(Refused, match="entry 2 of china-uat is no success") as refused:
        promotion.rollback(2)
    assert "one of 0, 4" in refused.value.problems[0].fix


def test_a_change_by_hand_stops_a_promote_until_it_is_accepted_by_name(promotion: Promotion, org: OrgInMemory) -> None:
    promotion.promote(FIRST)
    org.files["classes/A.cls"] = b"public class A { /* by hand */ }"
    del org.fields["Case", "X__c"]
    release = bundle_of(apex("A", "{ int a; }"), custom_field("Case", "X__c", "new"))
    deploys = len(org.deploys)
    with pytest.raises(Conflict) as refused:
        promotion.promote(release)
    told = [problem.what for problem in refused.value.problems]
    by_hand, deleted = told
    assert by_hand == "ApexClass:A: was changed in the org by hand; classes/A.cls has other code"
    assert deleted == "CustomField:Case.X__c: was deleted in the org by hand"
    promotion.accepted = {CLASS_A}
    with pytest.raises(Conflict, match=r"CustomField:Case\.X__c"):
        promotion.promote(release)
    assert len(org.deploys) == deploys
    promotion.accepted = {CLASS_A, FIELD_X}
    entry = promotion.promote(release).entry
    assert entry
    assert entry.record.accepted == ("ApexClass:A", "CustomField:Case.X__c")


def test_a_change_by_hand_of_what_the_release_leaves_alone_stops_nothing(
    promotion: Promotion, org: OrgInMemory
) -> None:
    promotion.promote(FIRST)
    org.files["classes/A.cls"] = b"public class A { /* by hand */ }"
    promotion.promote(bundle_of(apex("A"), custom_field("Case", "X__c", "new")))
    assert b"by hand" in org.files["classes/A.cls"]


def test_a_rollback_overwrites_no_change_by_hand_either(promotion: Promotion, org: OrgInMemory) -> None:
    promotion.promote(FIRST)
    promotion.promote(SECOND)
    org.files["classes/A.cls"] = b"public class A { /* by hand */ }"
    with pytest.raises(Conflict, match="ApexClass:A"):
        promotion.rollback()


def test_an_altered_snapshot_is_not_deployed(promotion: Promotion) -> None:
    promotion.promote(FIRST)
    promotion.promote(SECOND)
    store = promotion.backups
    first, second = (store.get(key) for key in store.list("snapshots/"))
    for key, data in zip(store.list("snapshots/"), (second, first), strict=True):
        store.put(key, data)
    with pytest.raises(Refused, match="was altered"):
        promotion.rollback()


def test_a_release_that_failed_in_verification_can_be_promoted_again_and_is_no_change_by_hand(
    promotion: Promotion, org: OrgInMemory
) -> None:
    promotion.promote(FIRST)
    org.lose = "classes/B.cls"
    with pytest.raises(PromotionFailed, match="ApexClass:B was deployed, but"):
        promotion.promote(SECOND)
    org.lose = ""
    assert promotion.promote(SECOND).entry
    assert promotion.ledger.state_of("china-uat") == state_of(SECOND)


@pytest.mark.parametrize("again", [False, True])
def test_what_failed_in_verification_is_taken_back_as_well(promotion: Promotion, org: OrgInMemory, again: bool) -> None:
    promotion.promote(FIRST)
    before = org.holds

    def lose(call: str) -> None:
        org.lose = "classes/A.cls" if call == "retrieve" and len(org.deploys) > 1 else ""

    org.before = lose
    with pytest.raises(PromotionFailed, match="ApexClass:A was deployed, but"):
        promotion.promote(SECOND)
    org.before, org.lose = lambda _call: None, ""
    if again:
        promotion.promote(SECOND)
    promotion.rollback()
    assert org.holds == before
    assert promotion.ledger.state_of("china-uat") == state_of(FIRST)
    assert promotion.ledger.verify()[1] == []
