"""Apex tests of an emulated org. No Apex is executed: a table in the world file says how each test ends.

The world file's org may hold `apex_tests` ({"Class.method": {"outcome": "fail", "message", "stack"}}) and
`apex_coverage` ({"Class": percent}). What it doesn't name passes, and is covered fully once any test has run.
Sources: Metadata API Developer Guide, "Running a Subset of Tests in a Deployment", and Salesforce DX Developer Guide,
"Build and Release Your App with Metadata API" (excerpts read 2026-11-22); the rest from knowledge.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from emulators.salesforce.metadata.components import Key
from emulators.salesforce.metadata.messages import DeployMessage, error
from emulators.salesforce.metadata.options import DeployOptions
from emulators.salesforce.metadata.state import OrgState
from emulators.salesforce.orgs import OrgRecord
from emulators.store import Document

COVERAGE_NEEDED = 75  # percent; Metadata API Developer Guide, "Running a Subset of Tests in a Deployment"
# Of these levels each class and trigger of the deploy must be covered by itself, in a sandbox too.
_EACH_CLASS = ("RunSpecifiedTests", "RunRelevantTests")
_MILLISECONDS_A_TEST = 20.0

# "Running Tests in a Deployment" (read 2026-11-22): to API version 33.0 production tested deploys of most types, not of
# Apex alone. Which types it left out is from knowledge of that page's older editions.
_TESTED_NEARLY_ALL = 33
_UNTESTED = frozenset(
    ("ApexComponent", "ApexPage", "Dashboard", "EmailTemplate", "Report", "Scontrol", "StaticResource")
)

_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/|'(?:\\.|[^'\\])*'", re.DOTALL)
_TEST_CLASS = re.compile(r"@istest\b[^{;]*?\bclass\s+(\w+)", re.IGNORECASE | re.DOTALL)
_METHOD = re.compile(
    r"(?:@istest\b(?:\s*\([^)]*\))?\s*(?:(?:public|private|global|static)\s+)*|\bstatic\s+testmethod\s+|\btestmethod\s+static\s+)"
    r"void\s+(\w+)\s*\(",
    re.IGNORECASE,
)
# "Run Relevant Apex Tests in a Deployment (Beta)" (262.0, excerpt read 2026-11-22): which tests are always run, and
# which when one of the components that they name is deployed.
_CRITICAL = re.compile(r"@istest\s*\([^)]*\bcritical\s*=\s*true\b", re.IGNORECASE)
_MADE_FOR = re.compile(r"@istest\s*\([^)]*\btestfor\s*=\s*'([^']*)'", re.IGNORECASE)
_PAIR = re.compile(r"(Apex(?:Class|Trigger))\s*:\s*(\w+)")
_ANNOTATION = re.compile(r"@istest\s*\([^)]*\)", re.IGNORECASE)
_LINE_OF_CODE = re.compile(r"[;{]")


@dataclass(frozen=True)
class TestResult:
    """How one test method ended."""

    __test__ = False

    id: str
    class_name: str
    method: str
    passed: bool
    message: str = ""
    stack: str = ""
    milliseconds: float = _MILLISECONDS_A_TEST


@dataclass(frozen=True)
class Coverage:
    """How many of a class's or trigger's lines the tests ran."""

    id: str
    name: str
    type: str
    lines: int
    uncovered: int


@dataclass(frozen=True)
class TestRun:
    """What the tests of a deploy came to. `level` "" means that none were asked for."""

    __test__ = False

    level: str = ""
    results: tuple[TestResult, ...] = ()
    coverage: tuple[Coverage, ...] = ()
    warnings: tuple[tuple[str, str], ...] = ()
    enforced: bool = False
    problems: list[DeployMessage] = field(default_factory=list)

    @property
    def failures(self) -> list[TestResult]:
        """The results that did not pass."""
        return [result for result in self.results if not result.passed]

    def as_document(self) -> Document:
        """Return results and coverage as plain data, for the store and for answers."""
        return {
            "tests": [vars(test) for test in self.results],
            "coverage": [vars(row) for row in self.coverage],
            "coverage_warnings": [list(pair) for pair in self.warnings],
        }

    @property
    def coverage_lacks(self) -> bool:
        """Whether the deploy must fail for want of coverage."""
        return self.enforced and bool(self.warnings)


def test_methods(key: Key, files: Mapping[str, bytes]) -> tuple[str, ...]:
    """Return the test methods of an Apex class; the class counts when it is annotated with @isTest."""
    if key.type != "ApexClass":
        return ()
    code = "\n".join(data.decode("utf-8", "replace") for path, data in files.items() if not path.endswith("-meta.xml"))
    code = _COMMENT.sub(" ", code)
    return tuple(dict.fromkeys(_METHOD.findall(code))) if _TEST_CLASS.search(code) else ()


test_methods.__test__ = False  # type: ignore[attr-defined]


def level_of(org: OrgRecord, state: OrgState, options: DeployOptions) -> str:
    """Return the test level that a deploy gets: production runs all local tests when Apex comes with it."""
    if options.test_level:
        return options.test_level
    if options.run_all_tests:
        return "RunAllTestsInOrg"
    if options.run_tests:
        return "RunSpecifiedTests"
    if org.is_sandbox:
        return "NoTestRun"
    untested = _UNTESTED if options.api_version and options.api_version <= _TESTED_NEARLY_ALL else None
    tested = (key.type not in untested if untested else key.type in ("ApexClass", "ApexTrigger") for key in state.incoming)
    return "RunLocalTests" if any(tested) else "NoTestRun"


def run_tests(org: OrgRecord, state: OrgState, options: DeployOptions, declared: Document) -> TestRun:
    """Return how the tests of a deploy end, over the org as the deploy would leave it."""
    level = level_of(org, state, options)
    if level == "NoTestRun":
        return TestRun()
    classes = _test_classes(state)
    problems = []
    if level == "RunSpecifiedTests":
        wanted = {name.rpartition(".")[2] if name.count(".") else name: name for name in options.run_tests}
        missing = [name for name in wanted.values() if not _chosen(classes, name)]
        problems = [
            error(Key("ApexClass", name), "package.xml", f"Apex test class not found: {name}") for name in missing
        ]
        classes = {name: methods for each in options.run_tests for name, methods in _chosen(classes, each).items()}
    elif level == "RunRelevantTests":
        classes = _relevant(state, classes)
    table: Mapping[str, Mapping[str, str]] = declared.get("apex_tests", {})
    results = tuple(
        _result(state, name, method, table) for name, methods in sorted(classes.items()) for method in methods
    )
    coverage = _coverage(state, declared.get("apex_coverage", {}), tested=bool(results))
    warnings = tuple(_coverage_warnings(state, level, coverage))
    enforced = not org.is_sandbox or level in _EACH_CLASS
    return TestRun(level, results, coverage, warnings, enforced=enforced, problems=problems)


def _test_classes(state: OrgState) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for key in state.all_keys():
        if key.type == "ApexClass":
            coming = state.incoming.get(key)
            methods = test_methods(key, coming.files) if coming else state.held[key].tests
            if methods:
                found[key.full_name] = methods
    return found


def _chosen(classes: Mapping[str, tuple[str, ...]], wanted: str) -> dict[str, tuple[str, ...]]:
    lower = wanted.lower()
    return {name: methods for name, methods in classes.items() if name.lower() == lower}


def _relevant(state: OrgState, classes: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Return the test classes that come with the deploy or name what does, in their code or by `testFor`, and those
    that are critical."""
    coming = {key for key in state.incoming if key.type in ("ApexClass", "ApexTrigger")}
    names = {key.full_name for key in coming}
    word = re.compile(r"\b(?:" + "|".join(map(re.escape, sorted(names))) + r")\b") if names else None

    def chosen(name: str) -> bool:
        code = _code(state, Key("ApexClass", name))
        return (
            name in names
            or bool(_CRITICAL.search(code))
            or bool({Key(*pair) for each in _MADE_FOR.findall(code) for pair in _PAIR.findall(each)} & coming)
            or bool(word and word.search(_ANNOTATION.sub(" ", code)))
        )

    return {name: methods for name, methods in classes.items() if chosen(name)}


def _code(state: OrgState, key: Key) -> str:
    coming = state.incoming.get(key)
    data = next(iter(coming.files.values())) if coming else state.components.content(state.held[key])
    return data.decode("utf-8", "replace")


def _result(state: OrgState, name: str, method: str, table: Mapping[str, Mapping[str, str]]) -> TestResult:
    said = table.get(f"{name}.{method}", {})
    passed = str(said.get("outcome", "pass")).lower() != "fail"
    ident = state.components.id_of(Key("ApexClass", name))
    if passed:
        return TestResult(ident, name, method, passed=True)
    message = said.get("message", "System.AssertException: Assertion Failed")
    stack = said.get("stack", f"Class.{name}.{method}: line 1, column 1")
    return TestResult(ident, name, method, False, message, stack)


def _coverage(state: OrgState, declared: Mapping[str, float], *, tested: bool) -> tuple[Coverage, ...]:
    found = []
    for key in sorted(k for k in state.all_keys() if k.type in ("ApexClass", "ApexTrigger")):
        code = _COMMENT.sub(" ", _code(state, key))
        if key.type == "ApexClass" and re.search(r"@istest\b", code, re.IGNORECASE):
            continue
        lines = len(_LINE_OF_CODE.findall(code))
        percent = float(declared.get(key.full_name, 100 if tested else 0))
        uncovered = round(lines * (100 - percent) / 100)
        kind = "Class" if key.type == "ApexClass" else "Trigger"
        found.append(Coverage(state.components.id_of(key), key.full_name, kind, lines, uncovered))
    return tuple(found)


def _coverage_warnings(state: OrgState, level: str, coverage: Iterable[Coverage]) -> Iterable[tuple[str, str]]:
    """Yield (name, message): each deployed class by itself for specified tests, else the whole org's average."""
    if level in _EACH_CLASS:
        for each in coverage:
            percent = _percent(each.lines, each.uncovered)
            if Key(f"Apex{each.type}", each.name) in state.incoming and percent < COVERAGE_NEEDED:
                yield (
                    each.name,
                    (
                        f"Test coverage of selected Apex {each.type} is {percent}%, "
                        f"at least {COVERAGE_NEEDED}% test coverage is required."
                    ),
                )
        return
    rows = list(coverage)
    percent = _percent(sum(row.lines for row in rows), sum(row.uncovered for row in rows))
    if percent < COVERAGE_NEEDED:
        yield (
            "",
            (
                f"Average test coverage across all Apex Classes and Triggers is {percent}%, "
                f"at least {COVERAGE_NEEDED}% test coverage is required."
            ),
        )
    for row in rows:
        if row.type == "Trigger" and row.lines and row.lines == row.uncovered:
            yield row.name, "Test coverage of selected Apex Trigger is 0%, at least 1% test coverage is required."


def _percent(lines: int, uncovered: int) -> int:
    return (lines - uncovered) * 100 // lines if lines else 100
