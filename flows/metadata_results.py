"""What the Metadata API answers, parsed once: deployments with their component and test failures, retrieves."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flows.components import ComponentKey

PENDING = frozenset({"Pending", "InProgress", "Canceling", "FinalizingDeploy"})


@dataclass(frozen=True, slots=True)
class ComponentFailure:
    """A component that the org refused. `file` is a path in the package; `line` and `column` are 0 if unknown."""

    type: str
    full_name: str
    problem: str
    file: str
    line: int = 0
    column: int = 0


@dataclass(frozen=True, slots=True)
class TestOutcome:
    """One test method. `message` is empty when it passed; `line` is where it failed, 0 if unknown."""

    __test__ = False  # pytest: this is no test class

    name: str
    method: str
    seconds: float
    message: str = ""
    stack: str = ""

    @property
    def line(self) -> int:
        """The line of the test class where it failed; 0 if unknown."""
        found = re.search(rf"Class\.(?:\w+\.)?{re.escape(self.name)}\.\w+: line (\d+)", self.stack)
        return int(found.group(1)) if found else 0


@dataclass(frozen=True, slots=True)
class TestResult:
    """What the tests of a deployment gave. `warnings` are those about code coverage."""

    __test__ = False

    run: int = 0
    seconds: float = 0.0
    failures: tuple[TestOutcome, ...] = ()
    passed: tuple[TestOutcome, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DeployResult:
    """A deployment as the org reports it, running or done. `components` are those that it told of, as Type:FullName."""

    id: str
    status: str
    done: bool
    success: bool
    check_only: bool
    components_total: int
    components_deployed: int
    components_failed: int
    tests_total: int
    tests_completed: int
    tests_failed: int
    state: str
    error: str
    failures: tuple[ComponentFailure, ...]
    tests: TestResult
    components: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class FileProperties:
    """One component as the org lists it. `namespace` is that of the package that it came with, empty without one."""

    type: str
    full_name: str
    file: str
    changed_by: str
    changed_at: str
    namespace: str = ""


@dataclass(frozen=True, slots=True)
class Retrieved:
    """What a retrieve gave: files by path in the package, and what the org said about those it didn't find."""

    files: Mapping[str, bytes]
    messages: tuple[str, ...]

    def lacks(self, named: Iterable[ComponentKey]) -> list[ComponentKey]:
        """Return which of the components that were asked for by name the org said it doesn't have."""
        said = set(self.messages)
        return [
            key
            for key in named
            if f"Entity of type '{key.type}' named '{key.full_name}' cannot be found" in said
            or f"Entity type: '{key.type}' is unknown" in said
        ]


def parse_deploy(data: Mapping[str, Any]) -> DeployResult:
    """Return the deployment of a `deployResult` object of the REST API."""
    details = data.get("details") or {}
    tests = details.get("runTestResult") or {}
    status = str(data.get("status", ""))
    return DeployResult(
        id=str(data["id"]),
        status=status,
        done=bool(data.get("done", status not in PENDING)),
        success=status == "Succeeded",
        check_only=bool(data.get("checkOnly")),
        components_total=_int(data.get("numberComponentsTotal")),
        components_deployed=_int(data.get("numberComponentsDeployed")),
        components_failed=_int(data.get("numberComponentErrors")),
        tests_total=_int(data.get("numberTestsTotal")),
        tests_completed=_int(data.get("numberTestsCompleted")),
        tests_failed=_int(data.get("numberTestErrors")),
        state=str(data.get("stateDetail") or ""),
        error=str(data.get("errorMessage") or ""),
        failures=tuple(map(_failure, _many(details.get("componentFailures")))),
        tests=TestResult(
            run=_int(tests.get("numTestsRun")),
            seconds=_milliseconds(tests.get("totalTime")),
            failures=tuple(map(_outcome, _many(tests.get("failures")))),
            passed=tuple(map(_outcome, _many(tests.get("successes")))),
            warnings=tuple(str(each.get("message", "")) for each in _many(tests.get("codeCoverageWarnings"))),
        ),
        components=frozenset(
            f"{each.get('componentType') or ''}:{each.get('fullName') or ''}"
            for name in ("componentSuccesses", "componentFailures")
            for each in _many(details.get(name))
        ),
    )


def unzip(data: bytes) -> dict[str, bytes]:
    """Return the files of a retrieved package by path, without the folder that some orgs put them in."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {
            name.removeprefix("unpackaged/"): archive.read(name)
            for name in archive.namelist()
            if not name.endswith("/")
        }


def _failure(data: Mapping[str, Any]) -> ComponentFailure:
    return ComponentFailure(
        type=str(data.get("componentType") or ""),
        full_name=str(data.get("fullName") or ""),
        problem=str(data.get("problem") or "the org gave no reason"),
        file=str(data.get("fileName") or ""),
        line=_int(data.get("lineNumber")),
        column=_int(data.get("columnNumber")),
    )


def _outcome(data: Mapping[str, Any]) -> TestOutcome:
    return TestOutcome(
        name=str(data.get("name") or ""),
        method=str(data.get("methodName") or ""),
        seconds=_milliseconds(data.get("time")),
        message=str(data.get("message") or ""),
        stack=str(data.get("stackTrace") or ""),
    )


def _many(value: object) -> list[Any]:
    """Return what is one object, a list of them, or nothing, as a list."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _int(value: object) -> int:
    return int(float(str(value))) if value not in {None, ""} else 0


def _milliseconds(value: object) -> float:
    return float(str(value)) / 1000 if value not in {None, ""} else 0.0
