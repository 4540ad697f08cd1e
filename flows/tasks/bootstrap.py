"""The task that gives an org what the release runner logs in by."""

from __future__ import annotations

import os
from pathlib import Path

import click
from cryptography import x509
from cumulusci.utils.options import CCIOptions, Field

from flows.bootstrap import TOKEN, bootstrap
from flows.metadata_results import DeployResult
from flows.project import federation_of
from flows.tasks.base import ReleaseTask
from flows.tokens import private_key
from flows.view import Narrator
from kit.problems import Problem, Refused


class BootstrapOptions(CCIOptions):  # type: ignore[misc]
    """Options of the bootstrap task."""

    next_certificate: str | None = Field(
        None, description="PEM file of the certificate of the runner's next key, to make it known to the org"
    )
    wait: int = Field(10, description="Minutes that the org may take to know the connected app")


class Bootstrap(ReleaseTask):
    """Gives an org the connected app, the permission set and the assignment that the release runner needs."""

    Options = BootstrapOptions

    def _update_credentials(self) -> None:
        """Ask for no token: before this task has run there may be none to get."""

    def work(self, narrator: Narrator) -> DeployResult | None:
        """See that the runner can log in."""
        token = os.environ.get(TOKEN, "")
        options = self.parsed_options
        following = _certificate(Path(options.next_certificate)) if options.next_certificate else None
        version = federation_of(self.root).api_version
        done = bootstrap(self.org, version, private_key(), following, token, narrator.step, options.wait * 60)
        click.echo(f"{self.org.name}: the release runner logs in; changed: {', '.join(done.changed) or 'nothing'}")
        if following and following.public_key() != private_key().public_key():
            click.echo(
                "Both keys are good now. Give the runner the next key, then run this again: it ends the old one."
            )
        if token:
            click.echo(f"{TOKEN} is needed no more: unset it, and end that session in the org.")
        self.return_values = {"changed": list(done.changed)}
        return None


def _certificate(path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError) as error:
        raise Refused(
            Problem(
                f"{path} holds no certificate: {error}",
                "the next key's certificate is a PEM file",
                "make one with `sfoa federation runner-key --out FOLDER`",
            )
        ) from error
