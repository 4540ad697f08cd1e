"""SLS at its hosts: `<region>.log.aliyuncs.com` for the service, with a project in front for that project."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from emulators.alicloud.sls import alerts, projects, stores
from emulators.alicloud.sls.desk import Desk
from emulators.alicloud.sls.errors import LogError
from emulators.alicloud.sls.signature import authenticate
from emulators.coverage import note_action, note_call
from emulators.http import Request, Response
from emulators.service import World

PRODUCT, VERSION = "Sls", "2020-12-30"
_HOST = re.compile(
    r"(?:(?P<project>[a-z0-9-]+)\.)?(?P<region>[a-z]{2,}-[a-z0-9-]+?)(?:-intranet|-share)?\.log\.aliyuncs\.com"
)
_Handler = Callable[[Desk, Request, dict[str, str]], Any]


@dataclass(frozen=True)
class Route:
    """An operation. `project` says whether it is asked at a project's host; `path` is a pattern with named parts."""

    name: str
    method: str
    path: str
    handle: _Handler
    project: bool = True


_STORE = r"/logstores/(?P<store>[^/]+)"
_JOB = r"/jobs/(?P<job>[^/]+)"
_RECORDS = r"/resources/(?P<resource>[^/]+)/records"
_RECORD = rf"{_RECORDS}/(?P<record>[^/]+)"
_ROUTES = (
    Route("CreateProject", "POST", "/", projects.create, project=False),
    Route("ListProject", "GET", "/", projects.show_all, project=False),
    Route("ListTagResources", "GET", "/tags", projects.show_tags, project=False),
    Route("TagResources", "POST", "/tag", projects.tag, project=False),
    Route("UntagResources", "POST", "/untag", projects.untag, project=False),
    Route("CreateResourceRecord", "POST", _RECORDS, alerts.create_record, project=False),
    Route("GetResourceRecord", "GET", _RECORD, alerts.show_record, project=False),
    Route("UpdateResourceRecord", "PUT", _RECORD, alerts.update_record, project=False),
    Route("DeleteResourceRecords", "DELETE", _RECORDS, alerts.delete_records, project=False),
    Route("GetProject", "GET", "/", projects.show),
    Route("UpdateProject", "PUT", "/", projects.update),
    Route("DeleteProject", "DELETE", "/", projects.delete),
    Route("GetProjectPolicy", "GET", "/policy", projects.show_policy),
    Route("PutProjectPolicy", "POST", "/policy", projects.put_policy),
    Route("DeleteProjectPolicy", "DELETE", "/policy", projects.delete_policy),
    Route("CreateLogStore", "POST", "/logstores", stores.create),
    Route("ListLogStores", "GET", "/logstores", stores.show_all),
    Route("GetLogStore", "GET", _STORE, stores.show),
    Route("UpdateLogStore", "PUT", _STORE, stores.update),
    Route("DeleteLogStore", "DELETE", _STORE, stores.delete),
    Route("GetLogStoreMeteringMode", "GET", f"{_STORE}/meteringmode", stores.show_metering_mode),
    Route("UpdateLogStoreMeteringMode", "PUT", f"{_STORE}/meteringmode", stores.put_metering_mode),
    Route("ListShards", "GET", f"{_STORE}/shards", stores.show_shards),
    Route("CreateIndex", "POST", f"{_STORE}/index", stores.create_index),
    Route("GetIndex", "GET", f"{_STORE}/index", stores.show_index),
    Route("UpdateIndex", "PUT", f"{_STORE}/index", stores.update_index),
    Route("DeleteIndex", "DELETE", f"{_STORE}/index", stores.delete_index),
    Route("CreateJob", "POST", "/jobs", alerts.create),
    Route("GetJob", "GET", _JOB, alerts.show),
    Route("UpdateJob", "PUT", _JOB, alerts.update),
    Route("DeleteJob", "DELETE", _JOB, alerts.delete),
)


class LogService:
    """The SLS of every region. Projects live in the region of the host at which they were made."""

    name = "SLS"

    def __init__(self, world: World) -> None:
        self._world = world

    def owns(self, host: str) -> bool:
        """Return whether `host` is an SLS endpoint or a project's host."""
        return _HOST.fullmatch(host) is not None

    def handle(self, request: Request) -> Response:
        """Answer one request, errors in SLS's own JSON."""
        number = self._world.store.next("alicloud.request")
        headers = {"x_log_requestid": f"{number:024X}"}
        try:
            answer = self._answer(request)
        except LogError as error:
            body = {"errorCode": error.code, "errorMessage": error.message}
            return Response.of_json(body, error.status, **headers)
        # The policy alone is text, as it was put; an operation that returns nothing has an empty body.
        raw = answer.encode() if isinstance(answer, str) else b"" if answer is None else json.dumps(answer).encode()
        return Response(200, raw, {"Content-Type": "application/json", "x-log-requestid": headers["x_log_requestid"]})

    def _answer(self, request: Request) -> Any:
        place = _HOST.fullmatch(request.host)
        if place is None:
            raise LogError("ProjectNotExist", name=request.host)
        authenticate(request, self._world.store, self._world.now())
        project = place["project"] or ""
        for route in _ROUTES:
            found = re.fullmatch(route.path, request.path)
            if found and (request.method, bool(project)) == (route.method, route.project):
                desk = Desk(self._world.store, self._world.now(), place["region"], project)
                note_call(PRODUCT, VERSION, route.name)
                return route.handle(desk, request, found.groupdict())
        asked = f"{request.method} {request.path} on {'a project' if project else 'the service'}"
        note_action(self._world.store, PRODUCT, VERSION, asked)
        raise LogError("InvalidAction.NotFound", asked=asked)


def operations() -> list[str]:
    """Return the operations that are emulated."""
    return sorted(route.name for route in _ROUTES)
