"""What the tasks share: the org, the landing zone's buckets, the bundle; and failures that CumulusCI understands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from cumulusci.core.exceptions import CumulusCIFailure, CumulusCIUsageError
from cumulusci.core.tasks import BaseSalesforceTask
from cumulusci.utils.options import CCIOptions, Field

from flows.admission import BEIJING
from flows.apiversion import FLOOR, deploy_version, in_version
from flows.approval import known_approvers, time_now
from flows.bundle import Bundle
from flows.components import Component, ComponentKey
from flows.compose import compose_for
from flows.features import Excluded, excluded_lines, excludes
from flows.handover import read_outputs
from flows.junit import junit
from flows.ledger import Ledger
from flows.metadata_api import MetadataApi
from flows.metadata_results import DeployResult
from flows.objectstore import buckets_of
from flows.orgbundle import fitted
from flows.planfile import read_plan
from flows.project import federation_of
from flows.promote import Promotion
from flows.relatedtests import Wanted
from flows.release import Release
from flows.render.layer import merges, with_rendered
from flows.render.network import SECURITY
from flows.shelf import Shelf
from flows.signing import is_digest, read_signed
from flows.snapshot import components_of
from flows.substitute import has_placeholders, substituted
from flows.tasks.keychain import FederationOrg
from flows.tasks.packages import CciInstaller
from flows.view import Narrator, problem_table, show
from kit.console import people
from kit.problems import Problem, Refused, refuse_if_any
from orgs.access import FILE as ACCESS_FILE
from orgs.access import Access, load_access
from orgs.federation import Federation, Org

TIMEOUT_MINUTES = 60
"""How long a deployment may take where no option says otherwise."""


class ReleaseOptions(CCIOptions):  # type: ignore[misc]
    """Options of every task that works on a release."""

    bundle: str | None = Field(
        None,
        description="What to use in place of the bundle composed from metadata/: a release's or bundle's file, or its "
        "digest, which is then fetched from the bucket of releases (cci task run publish)",
    )


@contextmanager
def told() -> Iterator[Narrator]:
    """Tell people how the work goes on; what is refused is printed as a table, and the task fails."""
    console = people()
    try:
        with Narrator(console) as narrator:
            yield narrator
    except Refused as refused:
        show(console, problem_table(refused.problems, refused.headline))
        raise CumulusCIFailure(_short(refused)) from None


def write_report(path: Path, data: bytes) -> None:
    """Write a report for other tools. Raises `CumulusCIUsageError` when the disk doesn't take it there."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    except OSError as error:
        raise CumulusCIUsageError(f"cannot write {path}: {error.strerror}") from error


class ReleaseTask(BaseSalesforceTask):  # type: ignore[misc]
    """A task over one org of the federation. What is refused is printed as a table, and the task fails."""

    Options = ReleaseOptions
    release_digest = ""
    """The digest of the release that the option `bundle` names; "" for none."""
    security: Component | None = None
    """The security settings that the org has, once it was asked."""
    excluded: tuple[Excluded, ...] = ()
    """What the org doesn't get of the release, since its edition lacks what it needs."""

    def work(self, narrator: Narrator) -> DeployResult | None:
        """Do the task's work; return the deployment that it made, if any. Raises `Refused`."""
        raise NotImplementedError

    def _run_task(self) -> None:
        with told() as narrator:
            try:
                result = self.work(narrator)
            except Refused as refused:
                self._write_junit(getattr(refused, "result", None), refused.problems)
                raise
        self._write_junit(result, ())

    @property
    def root(self) -> Path:
        """The project's folder."""
        return Path(self.project_config.repo_root)

    @property
    def org(self) -> Org:
        """The org of the federation that `--org` names."""
        if not isinstance(self.org_config, FederationOrg):
            raise CumulusCIUsageError(
                f"{self.org_config.name} is no org of the federation; `sfoa federation show` lists them"
            )
        return self.org_config.org

    @property
    def access(self) -> Access:
        """What the project states of how people sign in to its orgs."""
        return load_access(self.root / "orgs" / ACCESS_FILE, federation_of(self.root))

    def release(self, of: Org | None = None) -> Bundle:
        """Return what an org (default: the task's) gets: the bundle of the option, else the one composed for it; with
        the landing zone's values in it, and what is rendered from them on top.

        What the task's own org has now is asked of it; what is said of another org is good for comparing only.
        """
        org, given = of or self.org, self.parsed_options.bundle
        federation, own = federation_of(self.root), org.name == self.org.name
        bundle = self._given(given, org) if given else compose_for(federation, org, self.root)
        if excludes(org, federation):
            bundle = self._without_missing(bundle, org, federation)
        if own:
            bundle = self._in_version(bundle)
        if not (org.parts or has_placeholders(bundle)):
            return bundle
        outputs = read_outputs(project=self.root)
        held = self._held(bundle.api_version) if own else None
        done = with_rendered(substituted(bundle, outputs), org, federation, outputs, self.access, held)
        for line in done.diff_lines if held is not None else ():
            self.logger.info(f"{org.name}: {line}")
        return done.bundle

    def _without_missing(self, bundle: Bundle, org: Org, federation: Federation) -> Bundle:
        """Return the bundle without what the org's edition lacks today; of the task's own org that is told and kept."""
        own = org.name == self.org.name
        today = time_now(read_outputs(project=self.root).environment).astimezone(BEIJING).date()
        left, excluded = fitted(bundle, org, federation, self.root, today, self.stated_facts if own else None)
        if own:
            self.excluded = excluded
            for line in excluded_lines(excluded):
                self.logger.info(f"{org.name}: {line}")
        return left

    def _in_version(self, bundle: Bundle) -> Bundle:
        """Return the bundle in the API version that the org is spoken to with. Raises `Refused` with what is too new
        for the org."""
        version = deploy_version(bundle.api_version, self.ceiling, self.org)
        if version == bundle.api_version:
            return bundle
        self.logger.info(f"{self.org.name}: deploying in API version {version}, not {bundle.api_version}: its highest")
        return in_version(bundle, version, self.api(version).known_types(), self.org.name)

    @cached_property
    def ceiling(self) -> str | None:
        """The highest API version that the org answers, None when it doesn't say."""
        return MetadataApi(self.org_config.session, FLOOR, renew=self.org_config.renew).highest_version()

    @property
    def stated_facts(self) -> Path | None:
        """The file of facts that the task's options name."""
        stated = getattr(self.parsed_options, "facts", None)
        return Path(stated) if stated else None

    def _held(self, api_version: str) -> dict[ComponentKey, Component]:
        """Return what the org has now of what is merged with it. Raises `Refused` when it doesn't say: to take that
        for nothing would delete it."""
        keys = merges(self.org, self.access)
        held = components_of(self.api(api_version).retrieve(keys).files, keys) if keys else {}
        silent = [key for key in keys if key not in held]
        refuse_if_any(
            Problem(
                f"{self.org.name} doesn't give back {key}",
                "what is rendered is merged with what the org has; every org has security settings",
                "give the runner's user the permissions View Setup and Modify Metadata; of a profile see that the org "
                "has one of the name that orgs/access.yml states",
            )
            for key in silent
        )
        self.security = held.get(SECURITY)
        return held

    def _given(self, given: str, org: Org) -> Bundle:
        """Return an org's bundle out of a file or of what was published; a signature has to be good."""
        outputs = read_outputs(project=self.root)
        if is_digest(given):
            buckets = buckets_of(outputs)
            signed = Shelf(buckets.releases, buckets.backups).signed(given)
        else:
            signed = read_signed(Path(given))
        federation = known_approvers(federation_of(self.root), outputs.environment)
        builder = signed.builder(federation, time_now(outputs.environment).date())
        words = f"signed by {builder.name}" if builder else "not signed"
        self.logger.info(f"{signed.place}: {signed.digest}, {words}")
        self.release_digest = signed.digest if isinstance(signed.content, Release) else ""
        return signed.bundle_for(org.name)

    def promotion(self, api_version: str, narrator: Narrator) -> Promotion:
        """Return what carries a release into the org, or takes it back, as the task's options say."""
        buckets = buckets_of(read_outputs(project=self.root))
        options = self.parsed_options
        return Promotion(
            org=self.org,
            api=lambda: self.api(api_version),
            ledger=Ledger.of(buckets),
            releases=buckets.releases,
            backups=buckets.backups,
            reporter=narrator,
            timeout=getattr(options, "timeout", TIMEOUT_MINUTES) * 60,
            accepted=_keys(getattr(options, "accept_overwrite", None) or ()),
            take_over=getattr(options, "take_over", False),
            approved=read_plan(Path(plan)) if (plan := getattr(options, "plan", None)) else None,
            release=self.release_digest,
            tests=_wanted(getattr(options, "tests", None)),
            installer=CciInstaller(self.project_config, self.org_config),
        )

    def api(self, api_version: str) -> MetadataApi:
        """Return the org's Metadata API, in this version or in the org's highest one where that is lower."""
        version = deploy_version(api_version, self.ceiling, self.org)
        return MetadataApi(self.org_config.session, version, renew=self.org_config.renew)

    def _write_junit(self, result: DeployResult | None, problems: tuple[Problem, ...]) -> None:
        path: Any = getattr(self.parsed_options, "junit", None)
        if path:
            write_report(Path(path), junit(self.org.name, result, problems))


def _wanted(name: str | None) -> Wanted:
    try:
        return Wanted(name or Wanted.USUAL)
    except ValueError as error:
        raise CumulusCIUsageError(f"tests: {name!r} is none of {', '.join(Wanted)}") from error


def _keys(names: Iterable[str]) -> frozenset[ComponentKey]:
    try:
        return frozenset(ComponentKey.parse(name.strip()) for name in names)
    except ValueError as error:
        raise CumulusCIUsageError(f"accept_overwrite: {error}") from error


def _short(refused: Refused) -> str:
    """Return the headline, and the first problem when it is the only one: the table has the rest."""
    return f"{refused.headline}: {refused.problems[0].what}" if len(refused.problems) == 1 else refused.headline
