from __future__ import annotations

from flows.verify import verify
from tests.flows.release_support import apex, bundle_of, custom_field, package_files

FIELD = custom_field("Case", "X__c", "Label")


def given_back(text: str) -> dict[str, bytes]:
    document = f'<CustomObject xmlns="http://soap.sforce.com/2006/04/metadata">{text}</CustomObject>'
    return {"objects/Case.object": document.encode()}


def test_what_comes_back_as_it_was_shipped_is_right() -> None:
    bundle = bundle_of(apex("A"), FIELD)
    found = verify(bundle.components.values(), package_files(bundle))
    assert (found.checked, found.missing, found.differs) == (2, (), ())


def test_what_the_org_adds_and_reorders_does_not_count() -> None:
    files = given_back("<fields><label>Label</label><required>false</required><fullName>X__c</fullName></fields>")
    assert verify([FIELD], files).differs == ()


def test_a_changed_value_is_a_difference() -> None:
    files = given_back("<fields><fullName>X__c</fullName><label>Other</label></fields>")
    assert verify([FIELD], files).differs == (FIELD.key,)


def test_a_component_that_is_not_there_is_missing() -> None:
    files = given_back("<fields><fullName>Y__c</fullName><label>Label</label></fields>")
    assert verify([FIELD, apex("A")], files).missing == (FIELD.key, apex("A").key)


def test_line_ends_do_not_count() -> None:
    component = apex("A", "{\n}")
    (file,) = component.files
    assert verify([component], {file.path: file.data.replace(b"\n", b"\r\n") + b"\r\n"}).differs == ()
