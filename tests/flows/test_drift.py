from __future__ import annotations

import json
from dataclasses import replace

import pytest

from flows.bundle import Bundle, bundle_bytes
from flows.components import Component, ComponentKey, MdapiFile, Run
from flows.drift import Drift, What, compare_components, is_standard, listable, unmanaged
from flows.drift_org import drift_of
from flows.drift_report import as_json, as_sarif, as_text, problems_of
from flows.ledger import Event, Ledger, Record
from flows.metadata_results import FileProperties, Retrieved
from flows.objectstore import MemoryStore
from flows.package import lay_out
from kit.problems import Place, Refused
from tests.flows.release_support import apex, bundle_of, custom_field, state_of


def listed(kind: str, name: str, namespace: str = "") -> FileProperties:
    return FileProperties(kind, name, "", "Someone", "2026-11-22T00:00:00.000Z", namespace)


FIELD = custom_field("Account", "Rating__c", "Rating")
CLASS = apex("Good", "{\n    int a;\n}")
LAYOUT = Component(
    ComponentKey("Layout", "Account-A"),
    "d",
    "china",
    Place("metadata/china/layouts/Account-A.layout-meta.xml"),
    files=(
        MdapiFile(
            "layouts/Account-A.layout",
            b"<Layout>\n  <showEmailCheckbox>true</showEmailCheckbox>\n</Layout>",
            (Run(1, Place("metadata/china/layouts/Account-A.layout-meta.xml", 1)),),
        ),
    ),
)


def test_what_came_back_as_it_was_shipped_is_no_drift() -> None:
    components = [FIELD, CLASS, LAYOUT]
    assert compare_components(components, lay_out(components).files) == ()


def test_a_field_is_compared_with_its_element_in_the_object_s_file() -> None:
    files = lay_out([custom_field("Account", "Rating__c", "Grade"), custom_field("Account", "Other__c", "Other")]).files
    [drifted] = compare_components([FIELD], files, [listed("CustomField", "Account.Rating__c")])
    [element] = drifted.elements
    assert (element.difference.path, element.difference.found) == ("label", "Grade")
    assert element.place == FIELD.source
    assert (drifted.what, drifted.changed_by) == (What.CHANGED, "Someone")


def test_a_field_that_the_object_s_file_does_not_hold_is_missing() -> None:
    for files in ({}, lay_out([custom_field("Account", "Other__c", "Other")]).files):
        [drifted] = compare_components([FIELD], files)
        assert (drifted.what, drifted.elements) == (What.MISSING, ())


def test_an_object_s_fields_are_no_additions_to_the_object() -> None:
    data = b"<CustomObject><label>A</label></CustomObject>"
    with_fields = b"<CustomObject><fields><fullName>X__c</fullName></fields><label>A</label></CustomObject>"
    file = MdapiFile("objects/A__c.object", data)
    component = Component(ComponentKey("CustomObject", "A__c"), "d", "core", Place("a"), files=(file,))
    assert compare_components([component], {file.path: with_fields}) == ()


def test_code_that_was_changed_is_shown_by_its_first_line_that_differs() -> None:
    [drifted] = compare_components([CLASS], {"classes/Good.cls": CLASS.files[0].data.replace(b"int a", b"int b")})
    [element] = drifted.elements
    assert (element.difference.path, element.difference.found) == ("classes/Good.cls line 2", "int b;")


def test_line_ends_of_code_do_not_count() -> None:
    assert compare_components([CLASS], {"classes/Good.cls": CLASS.files[0].data.replace(b"\n", b"\r\n")}) == ()


def test_an_element_of_a_file_leads_to_its_line_in_the_source() -> None:
    changed = {"layouts/Account-A.layout": LAYOUT.files[0].data.replace(b"true", b"false")}
    [drifted] = compare_components([LAYOUT], changed)
    assert drifted.elements[0].place == Place("metadata/china/layouts/Account-A.layout-meta.xml", 2)


def test_a_file_added_to_or_lost_from_a_bundle_component_is_an_element() -> None:
    paths = [f"lwc/hello/hello.{kind}" for kind in ("html", "js")]
    files = tuple(MdapiFile(path, b"x") for path in paths)
    component = Component(ComponentKey("LightningComponentBundle", "hello"), "d", "core", Place("a"), files=files)
    [drifted] = compare_components([component], {paths[0]: b"x", "lwc/hello/other.js": b"y"})
    assert [(each.difference.path, each.difference.how.value) for each in drifted.elements] == [
        (paths[1], "missing"),
        ("lwc/hello/other.js", "added"),
    ]


def test_unmanaged_is_what_nobody_shipped_but_not_what_is_standard_or_of_a_managed_package() -> None:
    mine = listed("CustomField", "Account.By_Hand__c")
    others = [
        listed("CustomField", "Account.Rating__c"),
        listed("CustomField", "Account.Industry"),
        listed("CustomField", "Account.pkg__Score__c", "pkg"),
        listed("Settings", "Case"),
    ]
    assert unmanaged([mine, *others], [FIELD.key]) == (mine,)


@pytest.mark.parametrize(
    ("kind", "name", "standard"),
    [
        ("CustomObject", "Account", True),
        ("CustomObject", "Knowledge__kav", True),
        ("CustomObject", "Invoice__c", False),
        ("CustomObject", "Route__mdt", False),
        ("Profile", "Admin", True),
        ("Profile", "Service Agent", False),
        ("Layout", "Account-Account Layout", True),
        ("Layout", "Account-My Layout", False),
        ("PermissionSet", "X00ex00000018ozh", True),
        ("PermissionSet", "Agent", False),
        ("ApexClass", "Anything", False),
    ],
)
def test_standard_components_are_told_by_name(kind: str, name: str, standard: bool) -> None:
    assert is_standard(listed(kind, name)) is standard


def test_additions_in_folders_are_said_not_to_be_looked_for() -> None:
    assert listable(["Report", "CustomField", "Report"]) == (("CustomField",), ("Report",))


class Org:
    """Gives back what it is told to."""

    def __init__(self, files: dict[str, bytes], more: list[FileProperties] | None = None) -> None:
        self.files, self.more = files, more or []

    def retrieve(self, keys: object) -> Retrieved:
        return Retrieved(self.files, ())

    def list_metadata(self, types: object) -> list[FileProperties]:
        return self.more


def released(*bundles: Bundle) -> tuple[Ledger, MemoryStore]:
    """Return a ledger that says an org received the bundles one after the other, and the bucket that holds them."""
    ledger, releases = Ledger(MemoryStore(), MemoryStore()), MemoryStore("releases")
    for bundle in bundles:
        releases.put(f"bundles/{bundle.digest}.zip", bundle_bytes(bundle))
        index = ledger.put_index(state_of(bundle))
        ledger.append("china-uat", Record(Event.SUCCEEDED, "run", bundle.digest, "plan", index=index))
    return ledger, releases


def look(ledger: Ledger, releases: MemoryStore, org: Org) -> Drift:
    return drift_of("china-uat", ledger, releases, lambda version: org)  # type: ignore[arg-type, return-value]


def test_an_org_is_compared_with_the_bundle_of_its_last_success() -> None:
    old, new = bundle_of(FIELD), bundle_of(custom_field("Account", "Rating__c", "Grade"), CLASS)
    ledger, releases = released(old, new)
    ledger.append("china-uat", Record(Event.FAILED, "run", old.digest, "plan"))
    org = Org(dict(lay_out(new.components.values()).files), [listed("ApexClass", "Other")])
    found = look(ledger, releases, org)
    assert (found.entry, found.bundle, found.checked, found.clean) == (2, new.digest, 2, True)
    assert [each.full_name for each in found.unmanaged] == ["Other"]
    assert not look(ledger, releases, Org(dict(lay_out([FIELD, CLASS]).files))).clean


def test_a_state_that_no_one_bundle_holds_is_put_together_from_older_ones() -> None:
    old, new = bundle_of(FIELD), bundle_of(CLASS)
    ledger, releases = released(old, new)
    both = ledger.put_index({**state_of(old), **state_of(new)})
    ledger.append("china-uat", Record(Event.SUCCEEDED, "run", new.digest, "plan", index=both))
    found = look(ledger, releases, Org(dict(lay_out([FIELD, CLASS]).files)))
    assert (found.checked, found.clean) == (2, True)


def test_a_lost_bundle_is_refused_with_what_it_held() -> None:
    ledger, releases = released(bundle_of(FIELD))
    releases.objects.clear()
    with pytest.raises(Refused, match=r"no bundle in the bucket releases holds 1 of 1 .*CustomField:Account.Rating__c"):
        look(ledger, releases, Org({}))


def test_a_swapped_bundle_is_refused() -> None:
    one, other = bundle_of(FIELD), bundle_of(CLASS)
    ledger, releases = released(one)
    releases.put(f"bundles/{one.digest}.zip", bundle_bytes(other))
    with pytest.raises(Refused, match="was swapped"):
        look(ledger, releases, Org({}))


def test_the_report_says_the_same_in_every_form() -> None:
    files = lay_out([custom_field("Account", "Rating__c", "Grade")]).files
    drifted = compare_components([FIELD, CLASS], files, [listed("CustomField", "Account.Rating__c")])
    drift = Drift("china-uat", 3, "b" * 64, 2, drifted, (listed("ApexClass", "Other"),), ("Report",))
    words = as_text(drift)
    assert "1 changed by hand, 1 missing" in words
    assert "label: 'Rating' was shipped, 'Grade' found" in words
    assert "ApexClass:Other" in words
    assert [problem.place for problem in problems_of(drift)] == [CLASS.source, FIELD.source]
    data = as_json(drift)
    assert [each["component"] for each in data["drifted"]] == ["ApexClass:Good", "CustomField:Account.Rating__c"]  # type: ignore[attr-defined]
    log = json.dumps(as_sarif(drift))
    assert all(
        text in log for text in ("drift/changed", "drift/missing", "drift/unmanaged", "Rating__c.field-meta.xml")
    )
    assert "Someone" not in log


def test_a_secret_in_an_element_is_not_shown() -> None:
    secret = "password=hunter2hunter2"
    files = lay_out([custom_field("Account", "Rating__c", secret)]).files
    drift = Drift("china-uat", 1, "b" * 64, 1, compare_components([FIELD], files), (), ())
    forms = [as_text(drift), json.dumps(as_json(drift)), json.dumps(as_sarif(drift)), str(problems_of(drift))]
    assert all("hunter2" not in form for form in forms)


def test_a_clean_drift_has_no_problems() -> None:
    drift = replace(Drift("china-uat", 1, "b" * 64, 1, (), (), ()), unmanaged=(listed("ApexClass", "Other"),))
    assert drift.clean
    assert problems_of(drift) == []
