"""The task that gives an org the secrets of its external credentials."""

from __future__ import annotations

from collections.abc import Iterable

import click
from cumulusci.utils.options import Field

from flows.bundle import Bundle
from flows.credentials import configured, give, lacking, look, principals
from flows.metadata_api import ApiRefused
from flows.metadata_results import DeployResult
from flows.tasks.base import ReleaseOptions, ReleaseTask
from flows.view import Narrator
from kit.problems import Problem, refuse_if_any


class CredentialOptions(ReleaseOptions):
    """Options of the set_credentials task."""

    check: bool = Field(False, description="Only say which principals lack their secret; set nothing")


class SetCredentials(ReleaseTask):
    """Gives the principals of the release's external credentials their secrets, through the org's API."""

    Options = CredentialOptions

    def work(self, narrator: Narrator) -> DeployResult | None:
        """Set what the environment has a secret for; refuse when a principal is left without one."""
        bundle = self.release()
        api = self.api(bundle.api_version)
        held = look(api, principals(bundle.components.values()))
        given = () if self.parsed_options.check else give(api, held, narrator.step)
        without = lacking(self.org.name, held, given)
        set_now = [str(each) for each in given]
        click.echo(f"{self.org.name}: secrets set: {', '.join(set_now) or 'none'}; missing: {len(without)}")
        self.return_values = {"set": set_now, "missing": [each.value for each in without]}
        refuse_if_any(without)
        return None


def secrets_after(task: ReleaseTask, bundle: Bundle, narrator: Narrator) -> list[Problem]:
    """Give the principals of a release that was promoted their secrets, where the environment has any; tell which are
    without one, and return them. Raises `Refused` for a secret that is none, or that the org doesn't take."""
    wanted = principals(bundle.components.values())
    api = task.api(bundle.api_version)
    try:
        held = look(api, wanted)
    except ApiRefused as refused:
        narrator.step(f"Not known: which credentials have their secret 无法确认哪些凭据已有密钥 ({refused.code})")
        return []
    without = lacking(task.org.name, held, give(api, held, narrator.step))
    _tell(without, narrator)
    return without


def secrets_before(task: ReleaseTask, bundle: Bundle, narrator: Narrator) -> None:
    """Tell which principals of a release would be without their secret after a promote. Sets nothing."""
    wanted = [each for each in principals(bundle.components.values()) if not configured(each)]
    try:
        held = look(task.api(bundle.api_version), wanted)
    except ApiRefused as refused:
        narrator.step(f"Not known: which credentials have their secret 无法确认哪些凭据已有密钥 ({refused.code})")
        return
    _tell(lacking(task.org.name, held), narrator)


def _tell(without: Iterable[Problem], narrator: Narrator) -> None:
    for each in without:
        narrator.step(f"No secret: {each.what}; {each.fix} {each.what_zh};{each.fix_zh}")
