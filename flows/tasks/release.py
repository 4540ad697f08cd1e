"""The tasks that release managers run: plan, validate, promote, rollback, retrieve."""

from __future__ import annotations

from pathlib import Path

import click
from cumulusci.utils.options import CCIOptions, Field, ListOfStringsOption

from flows.components import ComponentKey
from flows.metadata_results import DeployResult
from flows.project import federation_of
from flows.tasks.base import TIMEOUT_MINUTES, ReleaseOptions, ReleaseTask
from flows.view import Narrator, outcome_text, plan_table, show
from kit.console import people
from kit.problems import Problem, Refused


class DeployOptions(ReleaseOptions):
    """Options of the tasks that deploy."""

    junit: str | None = Field(None, description="Write test results and refused components to this file as JUnit XML")
    timeout: int = Field(TIMEOUT_MINUTES, description="Minutes that a deployment may take before it is cancelled")


class ChangeOptions(DeployOptions):
    """Options of the tasks that change an org."""

    accept_overwrite: ListOfStringsOption | None = Field(
        None, description="Components (Type:FullName, with commas) that were changed by hand and may be overwritten"
    )
    take_over: bool = Field(False, description="Take the org from a run that seems to live, and end what it began")


class RollbackOptions(ChangeOptions):
    """Options of the rollback task."""

    bundle: None = Field(None, description="Not used: what is restored comes out of snapshots")
    to: int | None = Field(
        None, description="Entry of the ledger to go back to, 0 for before the first; default: before the last success"
    )


class PlanTask(ReleaseTask):
    """Shows what a promote would create, change and delete in the org."""

    def work(self, narrator: Narrator) -> DeployResult | None:
        """Print the plan."""
        bundle = self.release()
        plan = self.promotion(bundle.api_version, narrator).plan(bundle)
        show(people(), plan_table(plan))
        self.return_values = {"plan": plan.digest, **plan.counts}
        return None


class Validate(ReleaseTask):
    """Checks with the org that the release could be deployed, tests included. Changes nothing."""

    Options = DeployOptions

    def work(self, narrator: Narrator) -> DeployResult | None:
        """Validate the release."""
        bundle = self.release()
        promotion = self.promotion(bundle.api_version, narrator)
        outcome = promotion.validate(bundle)
        click.echo(outcome_text(outcome, promotion.ledger.place) + " (checked only)")
        self.return_values = {"plan": outcome.plan.digest, **outcome.plan.counts}
        return outcome.result


class Promote(ReleaseTask):
    """Carries the release into the org: lock, snapshot, validate, quick deploy, verify, and the ledger throughout."""

    Options = ChangeOptions

    def work(self, narrator: Narrator) -> DeployResult | None:
        """Promote the release."""
        bundle = self.release()
        promotion = self.promotion(bundle.api_version, narrator)
        outcome = promotion.promote(bundle)
        click.echo(outcome_text(outcome, promotion.ledger.place))
        self.return_values = {"plan": outcome.plan.digest, "bundle": bundle.digest, **outcome.plan.counts}
        return outcome.result


class Rollback(ReleaseTask):
    """Takes the org back to how it was before the last release, or after an earlier entry of the ledger."""

    Options = RollbackOptions

    def work(self, narrator: Narrator) -> DeployResult | None:
        """Roll back."""
        promotion = self.promotion(federation_of(self.root).api_version, narrator)
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
        """Retrieve and write."""
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
        return None
