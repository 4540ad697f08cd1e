"""The task that gives an org the secrets of its external credentials."""

from __future__ import annotations

import click
from cumulusci.utils.options import Field

from flows.credentials import COMMAND_SUFFIX, CUSTOM, Principal, is_set, principals, secret_of, set_secret
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
        set_now, missing, absent = [], [], []
        for principal in principals(bundle.components.values()):
            there = is_set(api, principal)
            if there is None:
                absent.append(principal)
                continue
            values = None if self.parsed_options.check or principal.protocol != CUSTOM else secret_of(principal)
            if values:
                narrator.step(f"Setting the secret of {principal} in {self.org.name}")
                set_secret(api, principal, values, replace=there)
                set_now.append(str(principal))
            elif not there:
                missing.append(principal)
        click.echo(
            f"{self.org.name}: secrets set: {', '.join(set_now) or 'none'}; missing: {len(missing) + len(absent)}"
        )
        self.return_values = {"set": set_now, "missing": [str(each) for each in (*missing, *absent)]}
        refuse_if_any([*map(self._missing, missing), *map(self._absent, absent)])
        return None

    def _missing(self, principal: Principal) -> Problem:
        variable = principal.variable
        return Problem(
            f"{principal} has no secret in {self.org.name}: {variable} (or {variable}{COMMAND_SUFFIX}) is not set",
            "an external credential works once its principal has a secret, which is no metadata",
            f"set {variable}, and run set_credentials again"
            if principal.protocol == CUSTOM
            else f"{principal.protocol}: authenticate it in Setup → Named Credentials",
        )

    def _absent(self, principal: Principal) -> Problem:
        return Problem(
            f"{self.org.name} has no {principal} yet, or doesn't show it",
            "a secret is given to a principal that was deployed",
            "promote first; see that the runner's permission set holds Customize Application",
        )
