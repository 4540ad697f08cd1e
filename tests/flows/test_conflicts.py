"""What a run would overwrite of a change by hand, three-way: as it was shipped, as it is in the org, as it would be."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from flows.components import Component
from flows.conflicts import CHANGED, DELETED, Clash, Conflict, Side, conflicts_of, problems_of, refuse_conflicts
from flows.package import lay_out
from tests.flows.release_support import apex, custom_field

FIELD = custom_field("Case", "X__c", "Old")
MORE = b"<description>Why</description></fields>"


def relabelled(label: str, more: bytes = b"</fields>") -> Component:
    made = custom_field("Case", "X__c", label)
    assert made.fragment
    return replace(made, fragment=replace(made.fragment, xml=made.fragment.xml.replace(b"</fields>", more)))


def clashes(base: Component | None, theirs: Component, ours: Component | None) -> list[Clash]:
    key = theirs.key
    files = lay_out([theirs]).files
    found = conflicts_of({key: CHANGED}, {key: base} if base else {}, files, {key: ours} if ours else {})
    return list(found.values())


def test_an_element_is_shown_as_shipped_as_it_is_and_as_it_would_be() -> None:
    [clash] = clashes(FIELD, relabelled("Theirs"), relabelled("Ours"))
    [side] = clash.sides
    assert (side.path, side.base, side.theirs, side.ours) == ("label", "Old", "Theirs", "Ours")
    assert str(side) == "label: 'Old' was shipped, 'Theirs' is in the org, 'Ours' would replace it"


def test_what_the_run_leaves_as_shipped_is_lost_as_well() -> None:
    [clash] = clashes(FIELD, relabelled("Theirs"), relabelled("Old", MORE))
    assert [(side.path, side.ours) for side in clash.sides] == [("label", "Old")]


def test_what_was_added_by_hand_would_be_replaced_by_nothing() -> None:
    [clash] = clashes(FIELD, relabelled("Old", MORE), relabelled("New"))
    assert [(side.path, side.base, side.theirs, side.ours) for side in clash.sides] == [("description", "", "Why", "")]
    assert "nothing was shipped, 'Why' is in the org, nothing would replace it" in clash.sentence


def test_a_change_by_hand_that_equals_what_is_shipped_is_no_conflict() -> None:
    assert clashes(FIELD, relabelled("Same"), relabelled("Same")) == []
    assert clashes(apex("A"), apex("A", "{ int a; }"), apex("A", "{ int a; }")) == []


def test_an_element_that_equals_what_is_shipped_is_no_conflict_whatever_else_the_run_changes() -> None:
    assert clashes(FIELD, relabelled("Same"), relabelled("Same", MORE)) == []


def test_code_is_shown_as_differences_from_what_was_shipped() -> None:
    [clash] = clashes(apex("A", "{\n}"), apex("A", "{\nint theirs;\n}"), apex("A", "{\nint ours;\n}"))
    in_the_org, in_the_run = clash.diffs
    assert "+++ classes/A.cls (in the org)" in in_the_org
    assert "+int theirs;" in in_the_org
    assert "+++ classes/A.cls (this run)" in in_the_run
    assert "+int ours;" in in_the_run
    assert in_the_org in str(clash)


def test_what_is_to_be_deleted_was_changed_for_nothing() -> None:
    [clash] = clashes(FIELD, relabelled("Theirs"), None)
    assert [(side.theirs, side.ours) for side in clash.sides] == [("Theirs", "")]


def test_without_what_was_shipped_all_that_differs_from_the_run_is_shown() -> None:
    [clash] = clashes(None, relabelled("Theirs"), relabelled("Ours"))
    assert [(side.base, side.theirs, side.ours) for side in clash.sides] == [("", "Theirs", "Ours")]


def test_what_somebody_deleted_has_no_elements() -> None:
    found = conflicts_of({FIELD.key: DELETED}, {FIELD.key: FIELD}, {}, {FIELD.key: relabelled("Ours")})
    assert found[FIELD.key].sentence == "CustomField:Case.X__c: was deleted in the org by hand"


def test_secrets_are_masked_in_every_form() -> None:
    token = "Bearer " + "a1b2c3d4" * 4
    [clash] = clashes(FIELD, relabelled(f"Theirs {token}"), relabelled("Ours"))
    [code] = clashes(apex("A"), apex("A", f"{{ String s = '{token}'; }}"), apex("A", "{ }"))
    for text in (str(clash), str(code), json.dumps(clash.as_json()), str(problems_of([clash, code]))):
        assert "a1b2c3d4" not in text
        assert "[redacted]" in text


def test_problems_lead_to_the_source_and_name_what_to_accept() -> None:
    found = clashes(FIELD, relabelled("Theirs"), relabelled("Ours"))
    with pytest.raises(Conflict, match="changed by hand where this run would write") as refused:
        refuse_conflicts({each.key: each for each in found}, (), "china-uat")
    [problem] = refused.value.problems
    assert problem.place
    assert problem.place.file == "X__c.field-meta.xml"
    assert "accept_overwrite CustomField:Case.X__c" in problem.fix
    refuse_conflicts({each.key: each for each in found}, {FIELD.key}, "china-uat")


def test_as_data_it_says_all_three_sides() -> None:
    clash = Clash(FIELD.key, CHANGED, (Side("label", "a", "b", "c"),), ("--- x",))
    assert clash.as_json() == {
        "component": "CustomField:Case.X__c",
        "what": "was changed in the org by hand",
        "elements": [{"path": "label", "base": "a", "theirs": "b", "ours": "c"}],
        "diffs": ["--- x"],
    }
