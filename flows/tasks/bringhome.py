"""The task that brings home what was changed in an org. It changes no org, and no file that people work on."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import click
from cumulusci.core.exceptions import CumulusCIUsageError
from cumulusci.utils.options import CCIOptions, Field, ListOfStringsOption

from flows.bringhome import bring_home, refuse_data, summary
from flows.components import ComponentKey
from flows.drift import What
from flows.drift_org import drift_of
from flows.gitbranch import repository
from flows.handover import read_outputs
from flows.ledger import Ledger
from flows.metadata_results import DeployResult
from flows.objectstore import buckets_of
from flows.source.project import read_project
from flows.tasks.base import ReleaseTask
from flows.view import Narrator


class BackPromoteOptions(CCIOptions):  # type: ignore[misc]
    """Options of the back_promote task."""

    components: ListOfStringsOption | None = Field(
        None, description="What to bring home (Type:FullName, with commas); default: what drift finds changed"
    )
    layer: str | None = Field(
        None, description="Layer to bring it into, such as china; default: where the org has each component from"
    )
    accept: ListOfStringsOption | None = Field(
        None, description="Components (Type:FullName, with commas) whose data may leave a China org"
    )
    summary: str | None = Field(None, description="Write the summary to this file as Markdown as well")


class BackPromote(ReleaseTask):
    """Leaves what was changed in the org as a branch, in source format, after a scan for data. Changes no org."""

    Options = BackPromoteOptions

    def work(self, narrator: Narrator) -> DeployResult | None:
        """Bring home."""
        options = self.parsed_options
        git = repository(self.root)
        day = datetime.now().astimezone().date().isoformat()
        branch = f"bring-home/{self.org.name}-{day}"
        git.refuse_branch(branch)
        project = read_project(self.root)
        outputs = read_outputs(project=self.root)
        keys, missing = list(_keys(options.components or (), "components")), list[ComponentKey]()
        if not keys:
            narrator.step(f"Looking what was changed in {self.org.name} since its last release")
            buckets = buckets_of(outputs)
            drift = drift_of(self.org.name, Ledger.of(buckets), buckets.releases, self.api)
            keys = [each.component.key for each in drift.drifted if each.what is What.CHANGED]
            missing = [each.component.key for each in drift.drifted if each.what is What.MISSING]
        self.return_values = {"branch": "", "components": 0}
        if keys:
            narrator.step(f"Retrieving {len(keys)} components from {self.org.name}")
            retrieved = self.api(project.api_version).retrieve(keys).files
            found = bring_home(project, self.org, keys, retrieved, layer=options.layer or "", outputs=outputs)
            refuse_data(found, _keys(options.accept or (), "accept"))
            text = summary(self.org.name, day, found, missing)
            click.echo(text)
            if found.files or found.removed:
                git.refuse_uncommitted([*found.files, *found.removed])
                message = f"Bring home changes of {self.org.name}\n\n{text}"
                commit = git.branch(branch, found.files, message, found.removed)
                click.echo(f"{self.org.name}: {len(found.brought)} components on the branch {branch} ({commit[:12]})")
                self.return_values = {"branch": branch, "commit": commit, "components": len(found.brought)}
            if options.summary:
                Path(options.summary).write_text(text, encoding="utf-8")
        if not self.return_values["branch"]:
            gone = f"; deleted in the org: {', '.join(map(str, missing))}" if missing else ""
            click.echo(f"{self.org.name}: nothing to bring home{gone}")
        return None


def _keys(names: Iterable[str], option: str) -> frozenset[ComponentKey]:
    try:
        return frozenset(ComponentKey.parse(name.strip()) for name in names if name.strip())
    except ValueError as error:
        raise CumulusCIUsageError(f"{option}: {error}") from error
