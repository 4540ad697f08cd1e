"""Queries: what they find, and how Salesforce words what is wrong with them."""

from __future__ import annotations

import operator
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulators.salesforce import soql
from emulators.salesforce.errors import RestError
from emulators.salesforce.metadata.components import OrgComponents
from emulators.salesforce.periods import period
from emulators.salesforce.schema import ObjectType, Schema, schema_of
from emulators.salesforce.soql_run import Engine
from emulators.store import Store
from tests.emulators.salesforce.salesforce_world import Caller

TODAY = date(2026, 11, 22)
SCHEMA: Schema = schema_of(OrgComponents(Store(":memory:"), "00D000000000001EAA"))


class Table:
    """Accounts and contacts in memory."""

    def __init__(self, **rows: list[dict[str, Any]]) -> None:
        self._rows = rows

    def rows(self, obj: ObjectType, *, deleted: bool = False) -> list[dict[str, Any]]:
        return [row for row in self._rows.get(obj.name, []) if deleted or not row.get("IsDeleted")]


ACCOUNTS: list[dict[str, Any]] = [
    {"Id": "001000000000001AAA", "Name": "Alpha", "NumberOfEmployees": 10, "Industry": "Retail"},
    {"Id": "001000000000002AAA", "Name": "beta", "NumberOfEmployees": 20, "Industry": "Retail"},
    {"Id": "001000000000003AAA", "Name": "Gamma%", "NumberOfEmployees": None, "Industry": "Energy"},
    {"Id": "001000000000004AAA", "Name": None, "NumberOfEmployees": 5, "Industry": None},
]
CONTACTS: list[dict[str, Any]] = [
    {"Id": "003000000000001AAA", "LastName": "Li", "AccountId": "001000000000001AAA"},
    {"Id": "003000000000002AAA", "LastName": "Wang", "AccountId": "001000000000001AAA"},
    {"Id": "003000000000003AAA", "LastName": "Zhao", "AccountId": None},
]


def run(text: str) -> list[dict[str, Any]]:
    table = Table(Account=ACCOUNTS, Contact=CONTACTS)
    return Engine(SCHEMA, table, "data", "/services/data/v67.0", TODAY).run(text).records


def names(where: str) -> list[Any]:
    return [row["Name"] for row in run(f"SELECT Name FROM Account {where}")]


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("WHERE Name = 'ALPHA'", ["Alpha"]),
        ("WHERE Name != 'alpha'", ["beta", "Gamma%", None]),
        ("WHERE Name = null", [None]),
        ("WHERE Name LIKE 'a%' OR Name LIKE '_eta'", ["Alpha", "beta"]),
        (r"WHERE Name LIKE '%\%'", ["Gamma%"]),
        ("WHERE NumberOfEmployees >= 10", ["Alpha", "beta"]),
        ("WHERE NOT NumberOfEmployees >= 10", ["Gamma%", None]),
        (
            "WHERE Industry IN ('Retail', 'Energy') AND (NumberOfEmployees > 15 OR NumberOfEmployees = null)",
            ["beta", "Gamma%"],
        ),
        ("WHERE Industry NOT IN ('Retail')", ["Gamma%", None]),
        ("WHERE Id IN (SELECT AccountId FROM Contact WHERE LastName = 'Li')", ["Alpha"]),
        ("WHERE Id NOT IN (SELECT AccountId FROM Contact)", ["beta", "Gamma%", None]),
        ("WHERE Id = '001000000000002'", ["beta"]),
        ("ORDER BY Name", [None, "Alpha", "beta", "Gamma%"]),
        ("ORDER BY Industry DESC NULLS LAST, NumberOfEmployees DESC", ["beta", "Alpha", "Gamma%", None]),
        ("ORDER BY Name LIMIT 2 OFFSET 1", ["Alpha", "beta"]),
    ],
)
def test_a_condition_finds_what_it_names(where: str, found: list[Any]) -> None:
    assert names(where) == found


def test_parents_and_children_come_as_records_of_their_own() -> None:
    (li,) = run("SELECT Id, Account.Name, Account.Industry FROM Contact WHERE LastName = 'Li'")
    assert (li["Account"]["Name"], li["Account"]["Industry"]) == ("Alpha", "Retail")
    assert li["Account"]["attributes"]["type"] == "Account"
    (zhao,) = run("SELECT Account.Name FROM Contact WHERE LastName = 'Zhao'")
    assert zhao["Account"] is None
    alpha, beta = run("SELECT Name, (SELECT LastName FROM Contacts ORDER BY LastName DESC) FROM Account LIMIT 2")
    assert [row["LastName"] for row in alpha["Contacts"]["records"]] == ["Wang", "Li"]
    assert beta["Contacts"] is None


def test_groups_count_sum_and_filter() -> None:
    rows = run(
        "SELECT Industry, COUNT(Id), SUM(NumberOfEmployees) staff, MAX(Name) FROM Account "
        "GROUP BY Industry HAVING COUNT(Id) > 1"
    )
    assert rows == [
        {"attributes": {"type": "AggregateResult"}, "Industry": "Retail", "expr0": 2, "staff": 30.0, "expr1": "beta"}
    ]
    assert run("SELECT COUNT_DISTINCT(Industry) kinds FROM Account")[0]["kinds"] == 2


def test_count_alone_answers_a_size_and_no_records() -> None:
    table = Table(Account=ACCOUNTS)
    result = Engine(SCHEMA, table, "data", "", TODAY).run("SELECT COUNT() FROM Account WHERE Industry = 'Retail'")
    assert (result.total, result.records) == (2, [])


@pytest.mark.parametrize(
    ("query", "code", "words"),
    [
        ("SELECT Id FRM Account", "MALFORMED_QUERY", "unexpected token: 'Account'"),
        ("SELECT Id FROM", "MALFORMED_QUERY", "unexpected token: '<EOF>'"),
        (
            "SELECT Id FROM Account WHERE Id = '1' AND Name = '2' OR Name = '3'",
            "MALFORMED_QUERY",
            "unexpected token: 'OR'",
        ),
        ("SELECT Id# FROM Account", "MALFORMED_QUERY", "line 1:9 no viable alternative at character '#'"),
        (
            "SELECT Nme FROM Account",
            "INVALID_FIELD",
            "Column:8\nNo such column 'Nme' on entity 'Account'.",
        ),
        ("SELECT Id\nFROM Account\nWHERE Nme = '1'", "INVALID_FIELD", "ERROR at Row:3:Column:7\nNo such column 'Nme'"),
        ("SELECT Boss.Name FROM Contact", "INVALID_FIELD", "Didn't understand relationship 'Boss' in field path."),
        ("SELECT Id FROM Store__c", "INVALID_TYPE", "sObject type 'Store__c' is not supported."),
        (
            "SELECT (SELECT Id FROM Shops) FROM Account",
            "INVALID_TYPE",
            "Didn't understand relationship 'Shops'",
        ),
        ("SELECT Id FROM FlowDefinition", "INVALID_TYPE", "sObject type 'FlowDefinition' is not supported."),
        (
            "SELECT Id FROM Account WHERE Name = 5",
            "INVALID_FIELD",
            "of type string and should be enclosed in quotes",
        ),
        ("SELECT Id FROM Account WHERE NumberOfEmployees = '5'", "INVALID_FIELD", "should not be enclosed in quotes"),
        (
            "SELECT Id FROM Account WHERE CreatedDate > 2026-13-01T00:00:00Z",
            "MALFORMED_QUERY",
            "Invalid date: 2026-13-01",
        ),
        ("SELECT Id FROM Account WHERE CreatedDate = LAST_N_YEARS:9999", "INVALID_FIELD", "is out of range"),
        ("SELECT Id FROM Account WHERE Id IN (SELECT Id, Name FROM Contact)", "MALFORMED_QUERY", "Only one column"),
        ("SELECT Name, COUNT(Id) FROM Account", "MALFORMED_QUERY", "Field must be grouped or aggregated: Name"),
        ("SELECT FIELDS(ALL) FROM Account", "MALFORMED_QUERY", "LIMIT of at most 200"),
    ],
)
def test_what_is_wrong_is_said_as_salesforce_says_it(query: str, code: str, words: str) -> None:
    with pytest.raises(RestError) as refused:
        run(query)
    assert refused.value.code == code
    assert words in refused.value.message


def test_keywords_are_names_where_only_a_name_can_stand() -> None:
    query = soql.parse("SELECT Order, Limit, Group FROM Group ORDER BY Order")
    assert [str(item.what) for item in query.items] == ["Order", "Limit", "Group"]
    assert query.source == "Group"


PYTHON: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
Oracle = tuple[str, Callable[[dict[str, Any]], bool]]


@st.composite
def conditions(draw: st.DrawFn, depth: int = 3) -> Oracle:
    """A condition as SOQL text, and the same as a Python function."""
    shape = draw(st.sampled_from(["compare", "and", "or", "not"])) if depth else "compare"
    if shape == "not":
        text, test = draw(conditions(depth=depth - 1))
        return f"NOT ({text})", lambda row: not test(row)
    if shape in ("and", "or"):
        parts = draw(st.lists(conditions(depth=depth - 1), min_size=2, max_size=3))
        joined = f" {shape.upper()} ".join(f"({text})" for text, _ in parts)
        tests = [test for _, test in parts]
        together = all if shape == "and" else any
        return joined, lambda row: together(test(row) for test in tests)
    sign = draw(st.sampled_from(sorted(PYTHON)))
    compare = PYTHON[sign]
    if draw(st.booleans()):
        number = draw(st.integers(-5, 5))
        return f"NumberOfEmployees {sign} {number}", lambda row: _known(row["NumberOfEmployees"], sign, number, compare)
    word = draw(st.text(st.sampled_from("abAB'\\ 中"), min_size=1, max_size=2).filter(str.strip))
    quoted = word.replace("\\", "\\\\").replace("'", "\\'")
    return f"Name {sign} '{quoted}'", lambda row: _known(
        row["Name"] and row["Name"].lower(), sign, word.lower(), compare
    )


def _known(value: Any, sign: str, other: Any, compare: Callable[[Any, Any], bool]) -> bool:
    return sign == "!=" if value is None else compare(value, other)


ROWS = st.fixed_dictionaries(
    {
        "NumberOfEmployees": st.none() | st.integers(-5, 5),
        "Name": st.none() | st.text(st.sampled_from("abAB'\\ 中"), min_size=1, max_size=2).filter(str.strip),
    }
)


@given(conditions(), st.lists(ROWS, max_size=5))
def test_every_condition_finds_what_python_finds(condition: Oracle, rows: list[dict[str, Any]]) -> None:
    text, test = condition
    engine = Engine(SCHEMA, Table(Account=rows), "data", "", TODAY)
    found = engine.run(f"SELECT Name, NumberOfEmployees FROM Account WHERE {text}").records
    wanted = [row for row in rows if test(row)]
    assert [(r["Name"], r["NumberOfEmployees"]) for r in found] == [(r["Name"], r["NumberOfEmployees"]) for r in wanted]


@given(st.text(max_size=40))
def test_no_text_makes_the_parser_do_anything_but_parse_or_refuse(text: str) -> None:
    for query in (text, f"SELECT {text} FROM Account", f"SELECT Id FROM Account WHERE {text}"):
        assert _outcome(query) in ("parsed", "MALFORMED_QUERY", "NUMBER_OUTSIDE_VALID_RANGE")


def _outcome(query: str) -> str:
    try:
        soql.parse(query)
    except RestError as refused:
        return refused.code
    return "parsed"


@pytest.mark.parametrize(
    ("literal", "first", "after"),
    [
        ("TODAY", "2026-11-22", "2026-11-23"),
        ("THIS_WEEK", "2026-11-22", "2026-11-29"),
        ("LAST_MONTH", "2026-10-01", "2026-11-01"),
        ("NEXT_QUARTER", "2027-01-01", "2027-04-01"),
        ("THIS_YEAR", "2026-01-01", "2027-01-01"),
        ("LAST_N_DAYS:7", "2026-11-15", "2026-11-23"),
        ("LAST_N_MONTHS:2", "2026-09-01", "2026-11-01"),
        ("NEXT_N_YEARS:1", "2027-01-01", "2028-01-01"),
        ("N_DAYS_AGO:1", "2026-11-21", "2026-11-22"),
    ],
)
def test_a_period_has_a_first_day_and_a_day_after(literal: str, first: str, after: str) -> None:
    assert period(literal, TODAY) == (date.fromisoformat(first), date.fromisoformat(after))


def test_times_compare_with_periods_and_moments() -> None:
    rows = [{"Id": "001000000000001AAA", "CreatedDate": "2026-11-22T01:00:00.000+0000"}]
    engine = Engine(SCHEMA, Table(Account=rows), "data", "", TODAY)

    def found(where: str) -> int:
        return engine.run(f"SELECT COUNT() FROM Account WHERE {where}").total

    assert found("CreatedDate = TODAY") == 1
    assert found("CreatedDate < TODAY") == 0
    assert found("CreatedDate >= 2026-11-22T09:00:00+08:00") == 1
    assert found("CreatedDate > 2026-11-22T01:00:00Z") == 0


def test_the_queries_of_cumulusci_are_answered(caller: Caller) -> None:
    (user,) = caller.records(
        "SELECT Id,(SELECT PermissionSetId FROM PermissionSetAssignments) FROM User "
        "WHERE Username = 'release.runner@acme-cn.example.uat'"
    )
    assert user["PermissionSetAssignments"] is None
    assert caller.records("SELECT Profile.Name FROM User")[0]["Profile"]["Name"] == "System Administrator"
    assert caller.records("SELECT MemberName, MemberType, RevisionCounter FROM SourceMember", "tooling/") == []
    installed = (
        "SELECT SubscriberPackage.Id, SubscriberPackage.NamespacePrefix, SubscriberPackageVersionId "
        "FROM InstalledSubscriberPackage"
    )
    assert caller.records(installed, "tooling/") == []
