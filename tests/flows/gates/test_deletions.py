"""What a release still uses of what it deletes: found at its line, and only where it is certain."""

from __future__ import annotations

import pytest

from flows.components import Component, ComponentKey
from flows.gates.references import mentions, references, stems_of
from tests.flows.gates.builders import Given, apex, field, part, whole

RATING = "CustomField:Visit__c.Rating__c"
VISIT = "CustomObject:Visit__c"
FLOW = (
    "<Flow>\n<recordLookups><name>Get</name><object>Visit__c</object></recordLookups>\n"
    "<loops><name>Each</name><collectionReference>Get</collectionReference></loops>\n"
    "<start><object>Visit__c</object></start>\n"
    "<assignments>\n<assignToReference>%s</assignToReference></assignments></Flow>"
)
BUNDLE = "LightningComponentBundle:visit"


def formula(text: str) -> Component:
    return field("Visit__c.Sum__c", f"\n<formula>{text}</formula>")


def imports(what: str) -> Component:
    return whole(BUNDLE, f"import x from '@salesforce/{what}';", "lwc/visit/visit.js")


def rule(tag: str, body: str) -> Component:
    return part("AssignmentRule:Case.Usual", "assignmentRule", f"<{tag}>{body}</{tag}>")


USED: list[tuple[str, Component]] = [
    (RATING, formula("Amount__c * Rating__c")),
    (RATING, formula("Amount__c *\n  Rating__c")),
    ("CustomField:Visit__c.Store__c", formula("Store__r.Name")),
    ("CustomLabel:Hello", formula("$Label.Hello")),
    ("CustomPermission:Edit", formula("$Permission.Edit")),
    ("CustomField:Limits__c.Rating__c", formula("$Setup.Limits__c.Rating__c")),
    ("CustomField:Level__mdt.Days__c", formula("$CustomMetadata.Level__mdt.Gold.Days__c")),
    (RATING, field("Shop__c.Sum__c", "<summarizedField>Visit__c.Rating__c</summarizedField>")),
    (VISIT, field("Shop__c.Visit__c", "<referenceTo>Visit__c</referenceTo>")),
    ("GlobalValueSet:Grades", field("Shop__c.G__c", "<valueSet><valueSetName>Grades</valueSetName></valueSet>")),
    (RATING, whole("Flow:F", FLOW % "$Record.Rating__c")),
    (RATING, whole("Flow:F", FLOW % "Get.Rating__c")),
    (RATING, whole("Flow:F", FLOW % "Each.Rating__c")),
    (
        RATING,
        whole("Flow:F", (FLOW % "x").replace("<start>", "<description>{!$Record.Rating__c}</description><start>")),
    ),
    (VISIT, whole("Flow:F", FLOW % "x")),
    ("Flow:Sub", whole("Flow:F", "<Flow><subflows><flowName>Sub</flowName></subflows></Flow>")),
    (
        "ApexClass:Act",
        whole(
            "Flow:F",
            "<Flow><actionCalls><actionName>Act</actionName><actionType>apex</actionType></actionCalls></Flow>",
        ),
    ),
    (RATING, apex("class A { Object o = Visit__c.Rating__c; }")),
    (RATING, apex("class A { Object o = [SELECT Id, Rating__c FROM Visit__c]; }")),
    (RATING, apex("class A { Object o = new Visit__c(Name = 'x', Rating__c = 1); }")),
    ("CustomField:Account.Rating__c", apex("class A { Object o = Schema.Account.Rating__c; }")),
    (VISIT, apex("class A { List<Visit__c> all; }")),
    (VISIT, apex("class A { void a() { Visit__c one = null; } }")),
    (VISIT, whole("ApexTrigger:T", "trigger T on Visit__c (before insert) {}", "triggers/T.trigger")),
    (RATING, imports("schema/Visit__c.Rating__c")),
    ("ApexClass:Visits", imports("apex/Visits.find")),
    ("CustomLabel:Hello", imports("label/c.Hello")),
    (
        "PermissionSet:P",
        whole("PermissionSetGroup:G", "<PermissionSetGroup><permissionSets>P</permissionSets></PermissionSetGroup>"),
    ),
    (
        "BusinessProcess:Case.Usual",
        part("RecordType:Case.Usual", "recordTypes", "<businessProcess>Usual</businessProcess>"),
    ),
    (BUNDLE, whole("QuickAction:Q", "<QuickAction><lightningWebComponent>visit</lightningWebComponent></QuickAction>")),
    ("Queue:Q", rule("ruleEntry", "<assignedTo>Q</assignedTo><assignedToType>Queue</assignedToType>")),
]
FALLS: list[tuple[str, Component]] = [
    (
        RATING,
        whole(
            "PermissionSet:P",
            "<PermissionSet><fieldPermissions><field>Visit__c.Rating__c</field></fieldPermissions></PermissionSet>",
        ),
    ),
    (
        RATING,
        whole(
            "ReportType:V",
            "<ReportType><sections><columns><field>Rating__c</field><table>Visit__c</table></columns></sections></ReportType>",
        ),
    ),
    (VISIT, whole("Layout:Visit__c-Visit", "<Layout></Layout>")),
    (VISIT, whole("ReportType:V", "<ReportType><baseObject>Visit__c</baseObject></ReportType>")),
    ("CustomObject:Level__mdt", whole("CustomMetadata:Level.Gold", "<CustomMetadata></CustomMetadata>")),
]
UNCERTAIN: list[tuple[str, Component]] = [
    (RATING, formula("'Rating__c' &amp; /* Rating__c */ Name")),
    (RATING, formula("Store__r.Rating__c")),
    (RATING, field("Shop__c.Sum__c", "<formula>Rating__c</formula>")),
    ("CustomLabel:Hello", formula("$User.Hello")),
    (RATING, whole("Flow:F", FLOW % "Other.Rating__c")),
    (RATING, whole("Flow:F", FLOW % "$Record.Store__r.Rating__c")),
    (
        "ApexClass:Act",
        whole(
            "Flow:F",
            "<Flow><actionCalls><actionName>Act</actionName><actionType>quickAction</actionType></actionCalls></Flow>",
        ),
    ),
    (RATING, apex("class A { void a(Shop__c s) { s.Rating__c = 1; } // Visit__c.Rating__c\n}")),
    (RATING, apex("class A { String s = 'Visit__c.Rating__c'; }")),
    (RATING, apex("class A { Object o = [SELECT Id, (SELECT Rating__c FROM Visits__r) FROM Shop__c]; }")),
    (VISIT, apex("class A { Object o = [SELECT Visit__c FROM Use__c WHERE Visit__c IN :ids ORDER BY Visit__c]; }")),
    (VISIT, apex("class A { void a(Use__c u) { u.Visit__c = null; Object o = new Use__c(Visit__c = null); } }")),
    (RATING, whole(BUNDLE, "// import x from '@salesforce/schema/Visit__c.Rating__c';", "lwc/visit/visit.js")),
    ("Queue:Q", rule("ruleEntry", "<assignedTo>Q</assignedTo><assignedToType>User</assignedToType>")),
    ("CustomField:Visit__c.Ratings__c", formula("Rating__c")),
]


def named(deleted: str, component: Component) -> list[bool]:
    """Return of each reference to what is deleted whether its entry falls."""
    return [one.goes for one in references(component, [ComponentKey.parse(deleted)])]


def name(case: tuple[str, Component]) -> str:
    return f"{case[0]} {case[1].key}"


def numbered(cases: list[tuple[str, Component]]) -> list[str]:
    return [f"{at} {name(case)}" for at, case in enumerate(cases)]


@pytest.mark.parametrize(("deleted", "component"), USED, ids=numbered(USED))
def test_what_is_used_is_found(deleted: str, component: Component) -> None:
    assert named(deleted, component) == [False]


@pytest.mark.parametrize(("deleted", "component"), FALLS, ids=numbered(FALLS))
def test_an_entry_that_falls_with_it_is_told_apart(deleted: str, component: Component) -> None:
    assert named(deleted, component) == [True]


@pytest.mark.parametrize(("deleted", "component"), UNCERTAIN, ids=numbered(UNCERTAIN))
def test_what_may_mean_something_else_is_left_to_the_org(deleted: str, component: Component) -> None:
    assert named(deleted, component) == []


@pytest.mark.parametrize(("deleted", "component"), USED + FALLS, ids=numbered(USED + FALLS))
def test_all_that_names_it_mentions_it_however_much_is_deleted(deleted: str, component: Component) -> None:
    wanted = stems_of([ComponentKey.parse(deleted)])
    held = component.fragment.xml if component.fragment else component.files[0].data
    text = held + b"\n" + component.key.full_name.encode()
    assert mentions(text, wanted)
    assert mentions(text, wanted | {b"Another%d" % number for number in range(20)})


def release(*components: Component, deletes: tuple[str, ...]) -> list[tuple[str, str, int]]:
    found = Given(components, more={"deletes": [ComponentKey.parse(one) for one in deletes]}).findings()
    return [(one.id, one.component, one.place.line) for one in found if one.id.startswith("K78.")]


def test_a_finding_says_the_line_of_the_word_even_far_down_in_a_formula() -> None:
    component = formula("IF(ISBLANK(Name),\n  0,\n  Rating__c)")
    assert release(component, deletes=(RATING,)) == [("K78.still-used", "CustomField:Visit__c.Sum__c", 5)]


def test_what_the_release_holds_itself_is_not_deleted() -> None:
    kept = field("Visit__c.Rating__c", "<type>Number</type>")
    assert release(kept, formula("Rating__c"), deletes=(RATING,)) == []


def test_a_standard_field_stays_whatever_the_plan_says() -> None:
    layout = "<Layout><layoutSections><layoutColumns><layoutItems><field>Industry</field></layoutItems></layoutColumns>"
    component = whole("Layout:Account-A", f"{layout}</layoutSections></Layout>")
    assert release(component, deletes=("CustomField:Account.Industry",)) == []


def test_without_a_plan_nothing_is_said_of_deletions() -> None:
    assert not {one.id for one in Given((formula("Rating__c"),)).findings()} & {"K78.still-used", "K78.entry-falls"}
