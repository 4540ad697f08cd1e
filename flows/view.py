"""What people see of a promote: steps, live progress, tables of what was shipped or refused."""

from __future__ import annotations

import io
import sys
from collections.abc import Mapping, Sequence
from types import TracebackType

from rich import box
from rich.console import Console, RenderableType
from rich.markup import escape
from rich.status import Status
from rich.table import Table

from flows.components import ComponentKey
from flows.cost import Cost
from flows.metadata_results import DeployResult
from flows.packages import Missing, Package
from flows.plan import Plan, Severity, Tests
from flows.run import Outcome
from flows.split import Limits
from kit.problems import Problem

LOG_WIDTH = 400
"""Columns at most where nothing is a terminal."""

SHOWN = 20
"""How many components a list names before it says how many more there are."""


class Narrator:
    """Tells people how a promote goes: a line a step, and one live line of progress on a terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live: Status | None = None
        self._said = ""

    def __enter__(self) -> Narrator:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def step(self, text: str) -> None:
        """Print a step."""
        self._end()
        self._console.print(f"→ {escape(text)}")

    def progress(self, result: DeployResult) -> None:
        """Update the live line; without a terminal, print a line when the status changes."""
        words = _progress(result)
        if self._console.is_terminal:
            if self._live is None:
                self._live = self._console.status(words)
                self._live.start()
            self._live.update(words)
        elif result.status != self._said:
            self._console.print(f"  {words}")
        self._said = result.status

    def _end(self) -> None:
        if self._live:
            self._live.stop()
        self._live, self._said = None, ""


def plan_table(plan: Plan) -> Table:
    """Return a plan as a table: what is created, changed, deleted."""
    table = Table(box=box.SIMPLE, title=f"{plan.org}: plan {plan.digest[:12]}", title_justify="left")
    table.add_column("")
    table.add_column("Type")
    table.add_column("Component", overflow="fold")
    for verb, style, keys in (
        ("create", "green", plan.creates),
        ("change", "yellow", plan.changes),
        ("delete", "red", plan.deletes),
    ):
        for key in keys[:SHOWN]:
            table.add_row(f"[{style}]{verb}[/]", key.type, escape(key.full_name))
        if len(keys) > SHOWN:
            table.add_row(f"[{style}]{verb}[/]", "", f"… and {len(keys) - SHOWN} more")
    return table


def package_lines(lacking: Sequence[Missing], required: Sequence[Package]) -> list[str]:
    """Return what of the packages that a release needs is still to be installed, for people."""
    if not required:
        return []
    there = f"Packages: {len(required) - len(lacking)} of {len(required)} are there"
    return [there, *(f"  to do first: {each.words}" for each in lacking)]


def risk_table(plan: Plan) -> Table:
    """Return what a plan may lose or open as a table, the worst first, in both languages."""
    table = Table(box=box.SIMPLE, title=f"{plan.org}: risks 风险", title_justify="left", title_style="bold yellow")
    table.add_column("")
    table.add_column("Component", overflow="fold")
    table.add_column("Risk", overflow="fold")
    styles = {Severity.HIGH: "red", Severity.MEDIUM: "yellow", Severity.LOW: "dim"}
    for risk in plan.risks:
        severity = f"[{styles[risk.severity]}]{risk.severity}[/]"
        table.add_row(severity, escape(risk.component), escape(f"{risk.what}\n{risk.what_zh}"))
    return table


def lines_of_tests(tests: Tests) -> list[str]:
    """Return which tests a plan runs, and why, for people."""
    if not tests.because:
        return [f"Tests: {tests.level.value} {', '.join(tests.classes)}".strip()]
    if not tests.classes:
        return [f"Tests: {tests.level.value}, {tests.because[0]}"]
    named = zip(tests.classes, tests.because, strict=True)
    return [f"Tests: {tests.level.value}", *(f"  {name}: {why}" for name, why in named)]


def cost_line(cost: Cost, limits: Limits) -> str:
    """Return what a plan costs in one line, for people: what isn't known is said to be unknown."""
    size = f"{cost.files} files of {limits.files} in a request, {cost.zip_bytes} bytes zipped of {limits.zip_bytes}"
    parts = "one deployment" if cost.parts == 1 else f"{cost.parts} deployments, one after the other"
    times = f"{cost.deployments} earlier deployment{'s' if cost.deployments != 1 else ''}"
    about = f"unknown: {cost.unknown}" if cost.minutes is None else f"about {cost.minutes} minutes (median of {times})"
    return f"Cost: {parts}; {size}; how long: {about}"


def problem_table(problems: Sequence[Problem], title: str) -> Table:
    """Return what an org refused as a table: what, and where in the source it stands."""
    table = Table(box=box.SIMPLE, title=escape(title), title_justify="left", title_style="bold red")
    table.add_column("Component or test", overflow="fold")
    table.add_column("Where", overflow="fold")
    table.add_column("Problem", overflow="fold")
    for problem in problems:
        name, words = _said(problem)
        table.add_row(escape(name), escape(str(problem.place or "")), escape(words))
    return table


def _said(problem: Problem) -> tuple[str, str]:
    """Return what a problem is about, and its words: those of gates, rings and calendar in both languages."""
    if problem.what_zh:
        return problem.value, f"{problem.what}\n{problem.fix}\n{problem.what_zh}\n{problem.fix_zh}\n{problem.rule}"
    name, _, words = problem.what.partition(": ")
    return name, words or problem.fix


def outcome_text(outcome: Outcome, place: str) -> str:
    """Return how a promote ended, for people; `place` is where the ledger is."""
    plan = outcome.plan
    lacking = [f"  still to {each.words}: a promote does" for each in outcome.lacking]
    if outcome.result:
        lines = [f"{plan.org}: {counts_text(plan.counts)}; {_tests_run(outcome)} tests ran, none failed", *lacking]
    elif outcome.entry is None:
        nothing = f"{plan.org}: nothing to do; it holds bundle {plan.bundle_digest[:12]} already"
        return "\n".join([f"{plan.org}: nothing to deploy", *lacking] if lacking else [nothing])
    else:
        lines = [f"{plan.org}: no metadata to deploy"]
    if outcome.entry:
        lines += [f"  {package_text(each)}" for each in outcome.entry.record.packages]
    if outcome.verification and outcome.verification.differs:
        lines.append("  the org changed on its own: " + _names(outcome.verification.differs))
    if outcome.entry:
        lines.append(f"  ledger: entry {outcome.entry.sequence} in {place}{plan.org}/")
    return "\n".join(lines)


def _tests_run(outcome: Outcome) -> object:
    """Return how many tests ran. The ledger knows: of a run that was resumed the last deployment is a quick one, which
    runs none."""
    if outcome.entry and outcome.entry.record.tests:
        return outcome.entry.record.tests["run"]
    return outcome.result.tests.run or outcome.result.tests_completed if outcome.result else 0


def package_text(package: Mapping[str, str]) -> str:
    """Return what the ledger says of a package: "installed parts 1.2", "upgraded parts from 1.1 to 1.2"."""
    name = package["name"] if package["name"] != package["version"] else "package"
    if package["state"] != "installed":
        return f"was installing {name} {package['version']}"
    if package["was"]:
        return f"upgraded {name} from {package['was']} to {package['version']}"
    return f"installed {name} {package['version']}"


def counts_text(counts: dict[str, int], *, done: bool = True) -> str:
    """Return counts as words: "3 created, 1 changed, 0 deleted"; or what is still to be done: "3 to be created, …"."""
    return ", ".join(f"{count} {verb if done else 'to be ' + verb}" for verb, count in counts.items())


def as_text(renderable: RenderableType) -> str:
    """Return what rich draws as text: as wide as the terminal, or where stdout is none, as wide as it needs."""
    stream = io.StringIO()
    terminal = sys.stdout.isatty()
    console = Console(file=stream, force_terminal=terminal, width=Console().width if terminal else LOG_WIDTH)
    width = console.width if terminal else console.measure(renderable).maximum
    console.print(renderable, width=width)
    return "\n".join(line.rstrip() for line in stream.getvalue().rstrip().splitlines())


def show(console: Console, table: Table) -> None:
    """Print a table; in a log nothing is wrapped, so that names and places can be searched for."""
    if not console.is_terminal:
        console.width = LOG_WIDTH
    console.print(table, width=None if console.is_terminal else console.measure(table).maximum)


def _names(keys: Sequence[ComponentKey]) -> str:
    shown = ", ".join(map(str, keys[:SHOWN]))
    return shown + (f" and {len(keys) - SHOWN} more" if len(keys) > SHOWN else "")


def _progress(result: DeployResult) -> str:
    words = f"{result.status}: {result.components_deployed}/{result.components_total} components"
    if result.tests_total:
        words += f", {result.tests_completed}/{result.tests_total} tests"
    return words + (f" · {result.state}" if result.state else "")
