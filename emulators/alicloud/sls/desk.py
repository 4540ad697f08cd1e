"""What the operations of SLS have at hand: the project they are asked at, and where things are kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from emulators.alicloud.sls.errors import LogError
from emulators.http import Request
from emulators.store import Document, Store

PROJECT_KIND = "sls.project"
STORE_KIND = "sls.logstore"
JOB_KIND = "sls.job"


@dataclass(frozen=True)
class Desk:
    """One request's surroundings. `now` is in seconds since the epoch; `name` is the host's project, "" for none."""

    store: Store
    now: float
    region: str
    name: str

    @property
    def project(self) -> Document:
        """Return the host's project. Raises `LogError` ProjectNotExist."""
        return self.find_project(self.name)

    def find_project(self, name: str) -> Document:
        """Return a project of the region by its name. Raises `LogError` ProjectNotExist."""
        found = self.store.get(PROJECT_KIND, name)
        if found is None or found["region"] != self.region:
            raise LogError("ProjectNotExist", name=name)
        return found

    def keep_project(self, project: Document) -> None:
        """Keep a project, as changed now."""
        self.store.put(PROJECT_KIND, project["projectName"], project | {"lastModifyTime": self.stamp})

    def log_store(self, name: str) -> Document:
        """Return a log store of the project. Raises `LogError` ProjectNotExist, LogStoreNotExist."""
        found = self.store.get(STORE_KIND, f"{self.project['projectName']}/{name}")
        if found is None:
            raise LogError("LogStoreNotExist", name=name)
        return found

    def keep_log_store(self, log_store: Document) -> None:
        """Keep a log store, as changed now."""
        place = f"{self.name}/{log_store['logstoreName']}"
        self.store.put(STORE_KIND, place, log_store | {"lastModifyTime": int(self.now)})

    @property
    def stamp(self) -> str:
        """The time as projects show it."""
        return datetime.fromtimestamp(self.now, UTC).strftime("%Y-%m-%d %H:%M:%S")


def body_of(request: Request) -> dict[str, Any]:
    """Return a request's JSON object. Raises `LogError` ParameterInvalid when it is none."""
    try:
        body = request.json
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise LogError("ParameterInvalid", name="body", rule="a JSON object")
    return body
