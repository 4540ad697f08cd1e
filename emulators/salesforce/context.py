"""What the REST resources of one call share."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property, partial
from typing import Any

from emulators.http import Request
from emulators.salesforce import errors
from emulators.salesforce.catalog import Catalog
from emulators.salesforce.metadata.components import OrgComponents
from emulators.salesforce.metadata.requests import deploy_requests
from emulators.salesforce.orgs import OrgRecord, Orgs, Session
from emulators.salesforce.packages import PackageVersion, offered
from emulators.salesforce.records import Records
from emulators.salesforce.schema import ObjectType, Schema, schema_of
from emulators.salesforce.soql_run import Engine
from emulators.service import World


@dataclass(frozen=True)
class Context:
    """One authenticated REST call. `api` is "data" or "tooling"; `version` is a whole number (67)."""

    world: World
    org: OrgRecord
    session: Session
    request: Request
    version: int
    api: str = "data"

    @property
    def root(self) -> str:
        """The path of the API version: `/services/data/v67.0`."""
        return f"/services/data/v{self.version}.0"

    @property
    def base(self) -> str:
        """The path before `/sobjects` and `/query`."""
        return f"{self.root}/tooling" if self.api == "tooling" else self.root

    @cached_property
    def components(self) -> OrgComponents:
        """The metadata components of the org."""
        return OrgComponents(self.world.store, self.org.id)

    @cached_property
    def schema(self) -> Schema:
        """The objects of the org."""
        return schema_of(self.components)

    @cached_property
    def packages(self) -> tuple[PackageVersion, ...]:
        """The package versions that the org can install."""
        return offered(Orgs(self.world).declared(self.org))

    @cached_property
    def records(self) -> Records:
        """The records of the org, written as the caller."""
        deploys = partial(deploy_requests, self.world, self.org)
        catalog = Catalog(self.org, self.schema, self.components, deploys, self.packages)
        return Records(self.world, catalog, self.session)

    @property
    def today(self) -> date:
        """The day in UTC."""
        return datetime.fromtimestamp(self.world.now(), UTC).date()

    @property
    def method(self) -> str:
        """The HTTP method; `_HttpMethod` stands in for one that a client cannot send."""
        return self.request.query.get("_HttpMethod", self.request.method).upper()

    def engine(self, *, deleted: bool = False) -> Engine:
        """Return what runs queries for this call."""
        return Engine(self.schema, self.records, self.api, self.base, self.today, deleted=deleted)

    def object(self, name: str) -> ObjectType:
        """Return an object by name. Raises `RestError` NOT_FOUND."""
        found = self.schema.object(name, self.api)
        if found is None:
            raise errors.not_found()
        return found

    def of_tooling(self, name: str) -> ObjectType:
        """Return an object that the org itself writes, whichever API sees it."""
        return self.schema.objects[name.lower()]

    def json_object(self) -> dict[str, Any]:
        """Return the body, a JSON object. Raises `RestError` JSON_PARSER_ERROR."""
        try:
            body = self.request.json
        except ValueError as error:
            raise errors.bad_json(f"Unexpected character at [line:1, column:1]: {error}") from error
        if not isinstance(body, dict):
            raise errors.bad_json("The request body must be a JSON object at [line:1, column:1]")
        return body

    def now_text(self) -> str:
        """Return the time as HTTP headers print it."""
        return time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(self.world.now()))
