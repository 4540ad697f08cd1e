"""The tasks that release managers run: plan, gate, validate, promote, rollback, retrieve."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from cumulusci.core.exceptions import TaskOptionsError
from cumulusci.utils.options import CCIOptions, Field, ListOfStringsOption

from flows.bundle import Bundle
from flows.checked import checked
from flows.components import ComponentKey
from flows.cost import cost_of
from flows.gates.finding import Finding
from flows.gates.report import counts
from flows.gates.report import junit as gate_junit
from flows.gates.report import text as gate_text
from flows.metadata_results import DeployResult
from flows.packages import Missing
from flows.plan import Plan
from flows.planfile import write_plan
from flows.project import federation_of
from flows.promote import Promotion
from flows.run import Outcome
from flows.tasks.base import TIMEOUT_MINUTES, ReleaseOptions, ReleaseTask, write_report
from flows.tasks.credentials import secrets_after, secrets_before
from flows.tasks.keeper import doorkeeper
from flows.view import Narrator, cost_line, lines_of_tests, outcome_text, package_lines, plan_table, risk_table, show
from kit.console import people
from kit.problems import Problem, Refused, refuse_if_any

FACTS = "A YAML file of facts about the org; default: orgs/facts/<org>.yml, if there is one"

SARIF = "Write the gates' findings and what was refused, with file and line, to this file as SARIF"
TESTS = (
    "Which Apex tests run: all (local ones), specified (the release's own), related (those that name what changes); "
    "usual, the default: all in production, else specified"
)


TO = "Entry of the ledger to go back to, 0 for before the first; default: before the last success"


class DeployOptions(ReleaseOptions):
    """Options of the tasks that deploy."""

    junit: str | None = Field(None, description="Write test results and refused components to this file as JUnit XML")
    timeout: int = Field(TIMEOUT_MINUTES, description="Minutes that a deployment may take before it is cancelled")


class ChangeOptions(DeployOptions):
    """Options of the tasks that change an org."""

    plan: str | None = Field(None, description="Deploy this plan only, as the task plan wrote it to a file")
    approvals: str | None = Field(
        None, description="Folder of <approver>.sig files (sfoa approve); default: approvals/<the plan's digest>"
    )
    accept_overwrite: ListOfStringsOption | None = Field(
        None, description="Components (Type:FullName, with commas) that were changed by hand and may be overwritten"
    )
    take_over: bool = Field(False, description="Take the org from a run that seems to live, and end what it began")


class PlanOptions(ReleaseOptions):
    """Options of the plan task."""

    tests: str | None = Field(None, description=TESTS)
    out: str | None = Field(None, description="Write the plan to this file: what is approved, and then promoted")
    rollback: bool = Field(False, description="Plan what a rollback would do, in place of a promote")
    to: int | None = Field(None, description=f"With rollback: {TO}")


class GateOptions(ReleaseOptions):
    """Options of the gate task."""

    facts: str | None = Field(None, description=FACTS)
    junit: str | None = Field(None, description="Write the gates' findings to this file as JUnit XML")
    sarif: str | None = Field(None, description=SARIF)


class ValidateOptions(DeployOptions):
    """Options of the validate task."""

    tests: str | None = Field(None, description=TESTS)
    facts: str | None = Field(None, description=FACTS)
    sarif: str | None = Field(None, description=SARIF)


class PromoteOptions(ChangeOptions):
    """Options of the promote task."""

    tests: str | None = Field(None, description=TESTS + "; those of the plan that was approved, if there is one")
    emergency: str | None = Field(
        None, description="Why it can't wait for calendar and rings; headquarters signs it (sfoa approve --emergency)"
    )
    facts: str | None = Field(None, description=FACTS)


class RollbackOptions(ChangeOptions):
    """Options of the rollback task."""

    bundle: None = Field(None, description="Not used: what is restored comes out of snapshots")
    to: int | None = Field(None, description=TO)
    emergency: str | None = Field(
        None,
        description="Why it can't wait for calendar and approvals; headquarters signs it (sfoa approve --emergency)",
    )


class PlanTask(ReleaseTask):
    """Shows what a promote, or a rollback, would create, change and delete in the org."""

    Options = PlanOptions

    def _init_options(self, kwargs: Any) -> None:
        super()._init_options(kwargs)
        if self.parsed_options.to is not None and not self.parsed_options.rollback:
            raise TaskOptionsError("to: only a rollback goes back to an entry; add `--rollback True`, or leave it out")

    def work(self, narrator: Narrator) -> DeployResult | None:
        """Print the plan."""
        promotion, plan, bundle, lacking = self._planned(narrator)
        cost = cost_of(plan, bundle, promotion.limits, promotion.ledger.entries(self.org.name))
        if plan.empty and not lacking:
            narrator.step("Nothing to do: the org holds all of it already")
        else:
            self._show(plan, cost_line(cost, promotion.limits), lacking, narrator)
        if self.parsed_options.out:
            write_plan(plan, Path(self.parsed_options.out), cost.as_json(promotion.limits))
            click.echo(f"{self.org.name}: plan {plan.digest} in {self.parsed_options.out}")
        packages = [each.words for each in lacking]
        self.return_values = {"plan": plan.digest, **plan.counts, **({"packages": packages} if packages else {})}
        return None

    @staticmethod
    def _show(plan: Plan, cost: str, lacking: tuple[Missing, ...], narrator: Narrator) -> None:
        show(people(), plan_table(plan))
        if plan.risks:
            show(people(), risk_table(plan))
        for line in (*package_lines(lacking, plan.packages), *lines_of_tests(plan.tests), cost):
            narrator.step(line)

    def _planned(self, narrator: Narrator) -> tuple[Promotion, Plan, Bundle, tuple[Missing, ...]]:
        """Return what plans, the plan, what it deploys, and the packages that come first."""
        if self.parsed_options.rollback:
            promotion = self.promotion(federation_of(self.root).api_version, narrator)
            way = promotion.inverse(self.parsed_options.to)
            for loss in way.losses:
                narrator.step(f"Can't be undone: {loss}")
            return promotion, way.plan, way.bundle, ()
        bundle = self.release()
        promotion = self.promotion(bundle.api_version, narrator)
        return promotion, promotion.plan(bundle), bundle, promotion.lacking()


class Gate(ReleaseTask):
    """Asks the gates, the freeze calendar and the rings whether the release may go to the org. Changes nothing."""

    Options = GateOptions

    def work(self, narrator: Narrator) -> DeployResult | None:
        """Print what they find."""
        findings: list[Finding] = []
        try:
            self._ask(narrator, findings)
        except Refused as refused:
            _write_sarif(self.parsed_options.sarif, self.org.name, findings, refused)
            raise
        _write_sarif(self.parsed_options.sarif, self.org.name, findings)
        return None

    def _ask(self, narrator: Narrator, findings: list[Finding]) -> None:
        """Print what the gates find, and refuse what they stop; what they find is added to `findings` first."""
        bundle = self.release()
        keeper = doorkeeper(self, narrator)
        plan = self.promotion(bundle.api_version, narrator).plan(bundle)
        findings += keeper.findings(plan, bundle)
        timing = keeper.timing()
        click.echo(gate_text(self.org.name, findings))
        secrets_before(self, bundle, narrator)
        if self.parsed_options.junit:
            Path(self.parsed_options.junit).write_text(gate_junit(self.org.name, findings), encoding="utf-8")
        self.return_values = {"bundle": bundle.digest, **counts(findings)}
        refuse_if_any([*keeper.stopping(findings), *keeper.locked_out(plan, bundle), *timing], keeper.headline)

    def _write_junit(self, result: DeployResult | None, problems: tuple[Problem, ...]) -> None:
        """Leave the file as `work` wrote it: the findings are more than what is refused."""


class Validate(ReleaseTask):
    """Checks with gates and org that the release could be deployed, tests included. Changes nothing."""

    Options = ValidateOptions

    def work(self, narrator: Narrator) -> DeployResult | None:
        """Validate the release."""
        findings: list[Finding] = []
        try:
            outcome = self._validated(narrator, findings)
        except Refused as refused:
            _write_sarif(self.parsed_options.sarif, self.org.name, findings, refused)
            raise
        _write_sarif(self.parsed_options.sarif, self.org.name, findings)
        self.return_values = {"plan": outcome.plan.digest, **outcome.plan.counts}
        return outcome.result

    def _validated(self, narrator: Narrator, findings: list[Finding]) -> Outcome:
        """Return what came of it; what the gates find is added to `findings`, whether or not it stops the release."""
        bundle = self.release()
        promotion = self.promotion(bundle.api_version, narrator)
        keeper = doorkeeper(self, narrator)

        def gates(plan: Plan, of: Bundle) -> Sequence[Finding]:
            found = keeper.findings(plan, of)
            findings.extend(found)
            return found

        promotion.keeper = replace(keeper, gates=gates)
        outcome = promotion.validate(bundle)
        click.echo(outcome_text(outcome, promotion.ledger.place) + " (checked only)")
        return outcome


def _write_sarif(file: str | None, org: str, findings: Sequence[Finding], refused: Refused | None = None) -> None:
    if file:
        log = json.dumps(checked(org, findings, refused), ensure_ascii=False, indent=2)
        write_report(Path(file), f"{log}\n".encode())


class Promote(ReleaseTask):
    """Carries the release into the org: gates, approvals, lock, snapshot, validate, quick deploy, verify, ledger."""

    Options = PromoteOptions

    def work(self, narrator: Narrator) -> DeployResult | None:
        """Promote the release."""
        bundle = self.release()
        promotion = self.promotion(bundle.api_version, narrator)
        promotion.keeper = doorkeeper(self, narrator)
        outcome = promotion.promote(bundle)
        without = secrets_after(self, bundle, narrator)
        click.echo(outcome_text(outcome, promotion.ledger.place))
        self.return_values = {"plan": outcome.plan.digest, "bundle": bundle.digest, **outcome.plan.counts}
        if without:
            self.return_values["without_secret"] = [each.value for each in without]
        return outcome.result


class Rollback(ReleaseTask):
    """Takes the org back to how it was before the last release, or after an earlier entry of the ledger."""

    Options = RollbackOptions

    def work(self, narrator: Narrator) -> DeployResult | None:
        """Roll back."""
        promotion = self.promotion(federation_of(self.root).api_version, narrator)
        promotion.keeper = doorkeeper(self, narrator)
        outcome = promotion.rollback(self.parsed_options.to)
        text = outcome_text(outcome, promotion.ledger.place)
        click.echo(
            f"rolled back: {text}" if outcome.result else f"{self.org.name}: there is nothing that can be undone"
        )
        self.return_values = {"plan": outcome.plan.digest, **outcome.plan.counts}
        return outcome.result


class RetrieveOptions(CCIOptions):  # type: ignore[misc]
    """Options of the retrieve task."""

    types: ListOfStringsOption = Field(
        ..., description="What to retrieve: types (every component that the org lists) or Type:FullName, with commas"
    )
    path: str = Field("retrieved", description="Folder to write the files to, in Metadata API format")


class Retrieve(ReleaseTask):
    """Writes what the org holds to a folder."""

    Options = RetrieveOptions

    def work(self, narrator: Narrator) -> DeployResult | None:
        """Retrieve and write. What was named and isn't there is refused, after the others are written."""
        wanted = [name for name in self.parsed_options.types if name]
        named = [ComponentKey.parse(name) for name in wanted if ":" in name]
        listed = [name for name in wanted if ":" not in name]
        api = self.api(federation_of(self.root).api_version)
        narrator.step(f"Retrieving {', '.join(wanted)} from {self.org.name}")
        keys = [*named, *(ComponentKey(each.type, each.full_name) for each in api.list_metadata(listed))]
        retrieved = api.retrieve(keys)
        folder = Path(self.parsed_options.path).resolve()
        for name, data in retrieved.files.items():
            target = (folder / name).resolve()
            if not target.is_relative_to(folder):
                raise Refused(
                    Problem(
                        f"the org's package holds {name!r}",
                        f"files are written below {folder} only",
                        "look at who answered: this is no package of Salesforce's",
                    )
                )
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
        for message in retrieved.messages:
            narrator.step(message)
        click.echo(f"{self.org.name}: {len(retrieved.files)} files in {folder}")
        self.return_values = {"files": len(retrieved.files)}
        refuse_if_any(
            Problem(
                f"{self.org.name} has no {key}",
                "what is retrieved by name is in the org",
                f"look for its name: cci task run retrieve --org {self.org.name} --types {key.type}",
            )
            for key in retrieved.lacks(named)
        )
        return None
