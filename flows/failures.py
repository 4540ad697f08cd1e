"""What an org refused, led back to the source files that it came from."""

from __future__ import annotations

from collections.abc import Sequence

from flows.metadata_results import ComponentFailure, DeployResult, TestOutcome
from flows.package import LineMap
from kit.problems import Place, Problem, Refused


class PromotionFailed(Refused):
    """The org refused a release, or didn't hold what was deployed to it. `result` is the deployment, if known."""

    def __init__(self, problems: Sequence[Problem], headline: str = "", result: DeployResult | None = None) -> None:
        super().__init__(problems, headline)
        self.result = result


class Lost(PromotionFailed):
    """The org took a release and doesn't give all of it back. `held` is the digest of what it does, in the ledger: it
    is ours, so that nobody takes it for a change by hand."""

    def __init__(self, problems: Sequence[Problem], headline: str, result: DeployResult, held: str) -> None:
        super().__init__(problems, headline, result)
        self.held = held


def failures_of(result: DeployResult, lines: LineMap) -> list[Problem]:
    """Return every failure of a deployment as a problem, with the source file and line where there is one."""
    problems = [_component(failure, lines) for failure in result.failures]
    problems += [_test(failure, lines) for failure in result.tests.failures]
    if not result.success:
        problems += [
            Problem(warning, "Apex covers what production asks for: 75 %", "add tests for the lines not covered")
            for warning in result.tests.warnings
        ]
    if result.error and not problems:
        problems.append(Problem(result.error, "the org completes the deployment", "see Deployment Status in its setup"))
    return problems or [
        Problem(
            f"the deployment ended as {result.status}",
            "a deployment ends as Succeeded",
            "see Deployment Status in the org's setup; if someone cancelled it there, promote again",
        )
    ]


def _component(failure: ComponentFailure, lines: LineMap) -> Problem:
    name = f"{failure.type}:{failure.full_name}" if failure.type else failure.full_name or failure.file
    return Problem(
        f"{name}: {failure.problem}",
        "the org's own check of the component",
        "correct it, or ship what it refers to with it",
        _place(failure.file, failure.line, lines),
    )


def _test(outcome: TestOutcome, lines: LineMap) -> Problem:
    return Problem(
        f"ApexClass:{outcome.name}.{outcome.method}: {outcome.message}",
        "every Apex test that the plan runs passes",
        "correct the class, or its test",
        _place(f"classes/{outcome.name}.cls", outcome.line, lines),
    )


def _place(file: str, line: int, lines: LineMap) -> Place | None:
    """Return the source of a place in the package, or that place itself where no source is known."""
    path = file.removeprefix("unpackaged/")
    return lines.source(path, line) or (Place(file, line) if file else None)
