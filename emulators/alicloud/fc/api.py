"""FC at its hosts: `<region>.fc.aliyuncs.com`, the account in front or not, and `fcv3.<region>.aliyuncs.com`."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from emulators.alicloud.fc import domains, functions
from emulators.alicloud.fc.desk import Desk
from emulators.alicloud.fc.errors import FunctionError
from emulators.alicloud.fc.signature import RoaSignatures
from emulators.coverage import note_action, note_call
from emulators.http import Request, Response
from emulators.service import World

PRODUCT, VERSION = "FC", "2023-03-30"
_HOST = re.compile(r"(?:(?:\d+\.)?(?P<old>[a-z]{2}-[a-z0-9-]+)\.fc|fcv3\.(?P<new>[a-z]{2}-[a-z0-9-]+))\.aliyuncs\.com")
_Handler = Callable[[Desk, dict[str, str]], Any]


@dataclass(frozen=True)
class Route:
    """An operation; `path`, below the version, is a pattern with named parts."""

    name: str
    method: str
    path: str
    handle: _Handler


_FUNCTION = r"/functions/(?P<function>[^/]+)"
_TRIGGER = rf"{_FUNCTION}/triggers/(?P<trigger>[^/]+)"
_DOMAIN = r"/custom-domains/(?P<domain>[^/]+)"
_ROUTES = (
    Route("CreateFunction", "POST", "/functions", functions.create),
    Route("ListFunctions", "GET", "/functions", functions.show_all),
    Route("GetFunction", "GET", _FUNCTION, functions.show),
    Route("UpdateFunction", "PUT", _FUNCTION, functions.update),
    Route("DeleteFunction", "DELETE", _FUNCTION, functions.delete),
    Route("CreateTrigger", "POST", f"{_FUNCTION}/triggers", functions.create_trigger),
    Route("GetTrigger", "GET", _TRIGGER, functions.show_trigger),
    Route("UpdateTrigger", "PUT", _TRIGGER, functions.update_trigger),
    Route("DeleteTrigger", "DELETE", _TRIGGER, functions.delete_trigger),
    Route("TagResources", "POST", "/tags-v2", functions.tag),
    Route("UntagResources", "DELETE", "/tags-v2", functions.untag),
    Route("CreateCustomDomain", "POST", "/custom-domains", domains.create),
    Route("GetCustomDomain", "GET", _DOMAIN, domains.show),
    Route("UpdateCustomDomain", "PUT", _DOMAIN, domains.update),
    Route("DeleteCustomDomain", "DELETE", _DOMAIN, domains.delete),
)


class FunctionCompute:
    """The FC of every region. Functions are kept here; who may call one has it run (`run.py`)."""

    name = "FC"

    def __init__(self, world: World) -> None:
        self._world = world
        self._signatures = RoaSignatures(world)

    def owns(self, host: str) -> bool:
        """Return whether `host` is an FC endpoint."""
        return _HOST.fullmatch(host) is not None

    def handle(self, request: Request) -> Response:
        """Answer one request, errors in FC's own JSON."""
        ident = str(uuid.UUID(int=self._world.store.next("alicloud.request"), version=4))
        try:
            answer = self._answer(request)
        except FunctionError as error:
            body = {"RequestId": ident, "Code": error.code, "Message": error.message}
            return Response.of_json(body, error.status, x_acs_request_id=ident)
        if answer is None:
            return Response(204, b"", {"x-acs-request-id": ident})
        return Response.of_json(answer, x_acs_request_id=ident)

    def _answer(self, request: Request) -> Any:
        self._signatures.check(request)
        place = _HOST.fullmatch(request.host)
        region = (place["old"] or place["new"]) if place else ""
        path = request.path.removeprefix(f"/{VERSION}")
        for route in _ROUTES:
            found = re.fullmatch(route.path, path)
            if found and request.method == route.method:
                note_call(PRODUCT, VERSION, route.name)
                return route.handle(Desk(self._world.store, self._world.now(), region, request), found.groupdict())
        asked = f"{request.method} {request.path}"
        note_action(self._world.store, PRODUCT, VERSION, asked)
        raise FunctionError(404, "InvalidAction.NotFound", f"{asked}: the SFoA kit emulators do not answer it.")


def operations() -> list[str]:
    """Return the operations that are emulated."""
    return sorted(route.name for route in _ROUTES)
