"""What a gate must know besides the bundle and the files of orgs/: facts about the org and the release.

Each fact that is None is unknown: a gate that needs it says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from flows.components import ComponentKey
from flows.compose import Removal
from flows.features import Excluded
from flows.gates.waivers import Waiver
from flows.packages import Package
from kit.problems import Place
from kit.yamlfile import YamlFile, parse_model, read_yaml
from orgs.checklist import Checklist
from orgs.crossborder import Register
from orgs.partners import Partners


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SiteFacts(_Entry):
    """What is known of a public site: its ICP number, who takes content down, whether posters' names are real, and
    for how many days posts are kept with their time and address."""

    icp_number: str | None = None
    takedown_contact: str | None = None
    real_name_verification: bool | None = None
    content_days: Annotated[int, Field(ge=0)] | None = None


class OrgFacts(_Entry):
    """What is known of the org as it is now, read from it or stated by people (`sfoa gate --facts FILE`)."""

    api_ceiling: str | None = Field(None, pattern=r"^[1-9][0-9]{1,2}\.0$")
    features: Mapping[str, bool] = {}
    break_glass_admins: tuple[str, ...] | None = None
    trusted_ranges: tuple[tuple[str, str], ...] | None = None
    multiple_saml_configs: bool | None = None
    runner_addresses: tuple[str, ...] | None = None
    salesforce_to_salesforce: bool | None = Field(None, description="Whether Salesforce to Salesforce is on.")
    sites: Mapping[str, SiteFacts] = {}
    marketplace_packages: tuple[str, ...] = Field(
        (), description="Namespaces, or ids of versions (04t…), that Alibaba Cloud Marketplace has for this org."
    )
    empty_components: tuple[str, ...] = Field((), description="Type:FullName of what holds no data in this org.")
    exported_components: tuple[str, ...] = Field((), description="Type:FullName of what was exported beforehand.")


@dataclass(frozen=True, slots=True)
class Deviation:
    """A component of an overlay that replaces or patches one of an earlier layer. `since` is None when nobody knows."""

    key: ComponentKey
    layer: str
    replaces: str
    place: Place
    since: date | None


@dataclass(frozen=True, slots=True)
class Facts:
    """All facts of one run of the gates.

    `deviations` and `authors` (by component: e-mail address and day of the last change) are None when they were not
    looked for; so are `deletes`, what the release deletes in the org, when there is no plan. `removals` are what the
    org's overlays leave out; `packages` are those that the release needs;
    `checklist` is what people did for the org's channels. `excluded` are components that the org doesn't get, since its
    edition lacks what they need.
    """

    register: Register
    register_file: YamlFile
    org: OrgFacts = field(default_factory=lambda: OrgFacts.model_validate({}))
    waivers: tuple[Waiver, ...] = ()
    deviations: tuple[Deviation, ...] | None = None
    partners: Partners | None = None
    authors: Mapping[ComponentKey, Mapping[str, date]] | None = None
    deletes: tuple[ComponentKey, ...] | None = None
    removals: tuple[Removal, ...] = ()
    packages: tuple[Package, ...] = ()
    checklist: Checklist | None = None
    excluded: tuple[Excluded, ...] = ()


def read_org_facts(path: Path) -> OrgFacts:
    """Read a file of facts. Raises `Refused`."""
    return parse_model(OrgFacts, read_yaml(path))


def facts_file(root: Path, org: str, stated: Path | None = None) -> Path | None:
    """Return the file of facts that is `stated`, else the project's own of that org, else None."""
    own = root / "orgs" / "facts" / f"{org}.yml"
    return stated or (own if own.is_file() else None)
