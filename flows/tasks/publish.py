"""The task that publishes: one release for all orgs, built once, kept by its digest."""

from __future__ import annotations

from pathlib import Path

import click
from cumulusci.core.tasks import BaseTask
from cumulusci.utils.options import CCIOptions, Field

from flows.approval import known_approvers, time_now
from flows.handover import read_outputs
from flows.objectstore import buckets_of
from flows.project import federation_of
from flows.release import compose_release
from flows.shelf import Shelf
from flows.signing import sign_release, write_signed
from flows.tasks.base import told


class PublishOptions(CCIOptions):  # type: ignore[misc]
    """Options of the publish task."""

    sign: str | None = Field(
        None, description="Private SSH key of an approver (or the public one of a key in an agent)"
    )
    out: str | None = Field(None, description="Write the release to this file too, and its signature to FILE.sig")


class Publish(BaseTask):  # type: ignore[misc]
    """Builds the release of all orgs, signs it, and keeps it in the bucket of releases under its digest."""

    Options = PublishOptions

    def _run_task(self) -> None:
        root, options = Path(self.project_config.repo_root), self.parsed_options
        with told() as narrator:
            outputs = read_outputs(project=root)
            buckets = buckets_of(outputs)
            federation = known_approvers(federation_of(root), outputs.environment)
            today = time_now(outputs.environment).date()
            narrator.step(f"Building the release of {len(federation.orgs)} orgs")
            release = compose_release(federation, root)
            signature = sign_release(release.digest, Path(options.sign), federation, today) if options.sign else ""
            if options.out:
                write_signed(release, signature, Path(options.out))
            shelf = Shelf(buckets.releases, buckets.backups)
            shelf.keep_release(release, signature)
            # What counts is what lies there, which an earlier run may have put there and somebody altered since.
            kept = shelf.signed(release.digest)
            builder = kept.builder(federation, today)
        provenance = release.provenance
        source = f"commit {provenance.commit[:12]}, {provenance.tree}" if provenance.commit else provenance.tree
        words = f"signed by {builder.name}" if builder else "not signed"
        click.echo(f"{buckets.releases.name}/{kept.place}: {len(release.bundles)} orgs, {source}, {words}")
        click.echo(release.digest)
        self.return_values = {"release": release.digest, "signer": builder.name if builder else ""}
