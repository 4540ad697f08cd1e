from __future__ import annotations

from dataclasses import replace

import pytest

from flows.components import Component, ComponentKey
from flows.compose import Layer, Removal, compose
from flows.explain import Step, explain
from kit.problems import Place, Refused
from tests.flows.release_support import apex, custom_field


def in_layer(name: str, *components: Component, removals: tuple[Removal, ...] = ()) -> Layer:
    return Layer(
        name, tuple(replace(each, layer=name, source=Place(f"{name}/a.xml", 2)) for each in components), removals
    )


KEY = ComponentKey("CustomField", "Account.Rating__c")
CORE = in_layer("core", custom_field("Account", "Rating__c", "Rating"), apex("Good"))
CHINA = in_layer("china", custom_field("Account", "Rating__c", "评级"))


def removing(key: ComponentKey) -> Layer:
    return in_layer("orgs/uat", removals=(Removal(key, "nobody uses it", Place("orgs/uat/remove.yml", 3)),))


def test_the_last_layer_that_brings_a_component_wins_and_says_what_it_changed() -> None:
    explanation = explain([CORE, CHINA], KEY, "uat")
    assert explanation.winner == compose([CORE, CHINA])[KEY]
    assert [(deed.layer, deed.step, str(deed.place)) for deed in explanation.deeds] == [
        ("core", Step.BRINGS, "core/a.xml:2"),
        ("china", Step.REPLACES, "china/a.xml:2"),
    ]
    [change] = explanation.deeds[1].changes
    assert (change.difference.path, change.difference.shipped, change.difference.found) == ("label", "Rating", "评级")


def test_a_removal_is_shown_with_its_reason_and_its_line() -> None:
    explanation = explain([CORE, CHINA, removing(KEY)], KEY, "uat")
    assert explanation.winner is None
    last = explanation.deeds[-1]
    assert (last.step, last.reason, str(last.place)) == (Step.REMOVES, "nobody uses it", "orgs/uat/remove.yml:3")


def test_a_field_goes_with_its_object_and_the_object_is_named() -> None:
    container = ComponentKey("CustomObject", "Account")
    last = explain([CORE, removing(container)], KEY, "uat").deeds[-1]
    assert (last.step, last.by) == (Step.REMOVES, container)


def test_what_is_brought_again_after_a_removal_is_no_replacement() -> None:
    layers = [CORE, replace(removing(KEY), name="china"), replace(CHINA, name="orgs/uat")]
    explanation = explain(layers, KEY, "uat")
    assert [deed.step for deed in explanation.deeds] == [Step.BRINGS, Step.REMOVES, Step.BRINGS]
    assert explanation.winner == compose(layers)[KEY]


@pytest.mark.parametrize(
    ("key", "fix"),
    [
        (ComponentKey("CustomField", "Account.Ratng__c"), "did you mean CustomField 'Account.Rating__c'?"),
        (ComponentKey("ApexTrigger", "Good"), "did you mean ApexClass 'Good'?"),
        (ComponentKey("CustomFeild", "Account.Other__c"), "did you mean the type CustomField?"),
        (ComponentKey("Zzz", "Other"), "the types here are ApexClass, CustomField"),
    ],
)
def test_an_unknown_component_is_refused_with_the_nearest_name(key: ComponentKey, fix: str) -> None:
    with pytest.raises(Refused) as caught:
        explain([CORE], key, "uat")
    assert caught.value.problems[0].fix == fix
