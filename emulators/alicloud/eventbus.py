"""EventBridge at the account's own host, where events are put on a bus: kept to no one, passed on to functions.

Its signature is that of the official SDK (alibabacloud-eventbridge 1.2: HMAC-SHA1 over method, three headers, every
x-acs- header and the path). An event is passed on before the answer; what a target doesn't take is kept under
`eventbridge.undelivered`.
"""

from __future__ import annotations

import base64
import hmac
import json
import re
import uuid
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any, Literal

from emulators.alicloud.account import ACCOUNT_ID, AccessKey, access_key
from emulators.alicloud.call import iso
from emulators.alicloud.fc.errors import FunctionError
from emulators.alicloud.fc.run import run
from emulators.alicloud.grants import may
from emulators.alicloud.products.eventbridge import BUS, RULE
from emulators.alicloud.tables import limit
from emulators.coverage import note_action, note_call
from emulators.http import Request, Response
from emulators.service import World
from emulators.store import Document

PRODUCT, VERSION = "EventBridge", "2015-06-06"
UNDELIVERED = "eventbridge.undelivered"
MOST_BYTES = 64 * 1024  # of one event: EventBridge, "Limits"; from knowledge
_HOST = re.compile(rf"{ACCOUNT_ID}\.eventbridge\.(?P<region>[a-z0-9-]+?)(?:-vpc)?\.aliyuncs\.com")
_DEMANDED = ("id", "source", "type", "specversion", "aliyuneventbusname")


class EventRefused(Exception):
    """An answer that refuses everything that was sent."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


class EventBus:
    """The buses of every region, as those see them who have events."""

    name = "EventBridge"
    waits: Literal[True] = True

    def __init__(self, world: World) -> None:
        self._world = world

    def owns(self, host: str) -> bool:
        """Return whether `host` is the account's own of EventBridge."""
        return _HOST.fullmatch(host) is not None

    def handle(self, request: Request) -> Response:
        """Answer PutEvents: each event by itself, or a refusal of them all."""
        ident = str(uuid.UUID(int=self._world.store.next("alicloud.request"), version=4)).upper()
        try:
            entries = self._put(request)
        except EventRefused as error:
            body = {"requestId": ident, "code": error.code, "message": error.message}
            return Response.of_json(body, error.status)
        failed = sum("ErrorCode" in entry for entry in entries)
        answer = {"RequestId": ident, "ResourceOwnerAccountId": ACCOUNT_ID, "FailedEntryCount": failed}
        return Response.of_json(answer | {"EntryList": entries})

    def _put(self, request: Request) -> list[Document]:
        place = _HOST.fullmatch(request.host)
        assert place is not None
        key = self._caller(request)
        if (request.method, request.path) != ("POST", "/openapi/putEvents"):
            asked = f"{request.method} {request.path}"
            note_action(self._world.store, PRODUCT, VERSION, asked)
            raise EventRefused(404, "InvalidAction.NotFound", f"{asked}: the SFoA kit emulators do not answer it.")
        note_call(PRODUCT, VERSION, "PutEvents")
        try:
            events = request.json
        except ValueError:
            events = None
        if not isinstance(events, list):
            raise EventRefused(400, "InvalidArgument", "The body is no JSON list of CloudEvents.")
        return [self._entry(place["region"], key, event) for event in events]

    def _entry(self, region: str, key: AccessKey, event: Document) -> Document:
        absent = [name for name in _DEMANDED if not event.get(name)]
        if absent or len(json.dumps(event).encode()) > MOST_BYTES:
            return _failed(event, "InvalidCloudEvent", f"{absent} absent, or more than {MOST_BYTES} bytes")
        name = event["aliyuneventbusname"]
        bus = self._world.store.get(BUS.place, name)
        if bus is None or bus["region"] != region:
            return _failed(event, "EventBusNotExist", f"The event bus {name} does not exist.")
        if not may(
            self._world.store,
            key,
            "eventbridge:PutEvents",
            f"acs:eventbridge:{region}:{ACCOUNT_ID}:eventbus/{name}",
            {},
        ):
            return _failed(event, "EventBusAccessDenied", f"No permission to put events on {name}.")
        whole = {**event, "aliyunaccountid": ACCOUNT_ID, "aliyunregionid": region}
        whole["aliyunpublishtime"] = iso(self._world.now())
        for _, rule in self._world.store.all(RULE.place, f"{name}:"):
            if rule["Status"] == "ENABLE" and matches(json.loads(rule["pattern"]), whole):
                self._pass_on(region, rule, whole)
        return {"EventId": event["id"]}

    def _pass_on(self, region: str, rule: Document, event: Document) -> None:
        for target in rule["targets"]:
            given = {row["ResourceKey"]: row for row in target.get("ParamList") or []}
            try:
                if target["Type"] != "acs.fc.function" or given.get("Body", {}).get("Form") != "ORIGINAL":
                    raise FunctionError(501, "UnsupportedOperation.Target", f"{target['Type']} isn't emulated")
                run(self._world, region, given["functionName"]["Value"], json.dumps(event).encode())
            except FunctionError as error:
                ident = f"{rule['id']}:{target.get('Id')}:{event['id']}"
                kept = {"code": error.code, "message": error.message, "event": event}
                self._world.store.put(UNDELIVERED, ident, kept)

    def _caller(self, request: Request) -> AccessKey:
        ident, _, given = request.headers.get("authorization", "").removeprefix("acs:").partition(":")
        key, now = access_key(self._world.store, ident), self._world.now()
        if key is None or not key.active or (key.expires and key.expires <= now):
            raise EventRefused(403, "InvalidAccessKeyId", "The AccessKey is not found, or has ended.")
        if not hmac.compare_digest(key.token, request.headers.get("x-acs-security-token", "")):
            raise EventRefused(403, "InvalidSecurityToken", "The security token is not the AccessKey's.")
        wanted = base64.b64encode(hmac.digest(key.secret.encode(), to_sign(request).encode(), "sha1")).decode()
        if not hmac.compare_digest(wanted, given):
            raise EventRefused(403, "SignatureNotMatch", f"The signature does not match; to sign: {to_sign(request)}")
        try:
            sent = parsedate_to_datetime(request.headers.get("date", "")).timestamp()
        except ValueError:
            raise EventRefused(400, "InvalidTimestamp", "The date is no HTTP date.") from None
        if abs(sent - now) > limit("signature_seconds"):
            raise EventRefused(403, "InvalidTimestamp", "The date is too far from the server's.")
        return key


def to_sign(request: Request) -> str:
    """Return what is signed of a request."""
    own = {name: value for name, value in request.headers.items() if name.startswith("x-acs-")}
    lines = "".join(f"{name}:{own[name]}\n" for name in sorted(own))
    head = (request.headers.get(name, "") for name in ("content-md5", "content-type", "date"))
    return "\n".join((request.method, *head)) + f"\n{lines}{request.path}"


def matches(pattern: Mapping[str, Any], event: Mapping[str, Any]) -> bool:
    """Return whether an event has what a rule's pattern names: a value of each list, or one with its prefix."""
    return all(
        matches(wanted, event.get(name) or {})
        if isinstance(wanted, dict)
        else any(_fits(one, event.get(name)) for one in wanted)
        for name, wanted in pattern.items()
    )


def _fits(wanted: Any, found: Any) -> bool:
    if isinstance(wanted, dict):
        return isinstance(found, str) and "prefix" in wanted and found.startswith(wanted["prefix"])
    return bool(wanted == found)


def _failed(event: Document, code: str, message: str) -> Document:
    return {"EventId": event.get("id"), "ErrorCode": code, "ErrorMessage": message}


def operations() -> list[str]:
    """Return the operations that are emulated."""
    return ["PutEvents"]
