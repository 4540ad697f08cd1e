"""Alibaba Cloud's RPC products at their real host names: parse, check the signature, dispatch, answer."""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from dataclasses import dataclass
from functools import cache

from emulators.alicloud import products
from emulators.alicloud.account import REGION
from emulators.alicloud.actions import handler
from emulators.alicloud.call import Answer, Call, Handler
from emulators.alicloud.errors import ApiError
from emulators.alicloud.signature import NOBODY, Signatures
from emulators.alicloud.tables import limit, table
from emulators.coverage import note_call
from emulators.http import Request, Response
from emulators.service import World

COVERAGE_KIND = "coverage"
"""Kind of the store's documents of what clients asked for and nobody emulates: product, version, action, calls."""

ANONYMOUS = {("Sts", "AssumeRoleWithOIDC"), ("Sts", "AssumeRoleWithSAML")}
"""Actions that nobody signs: what they bring proves itself."""

_IDEMPOTENCY_KIND = "alicloud.client_token"
_READS = ("Describe", "List", "Get", "Query")
# What differs between two tries of one call, and so says nothing about whether they are the same.
_VOLATILE = {"AccessKeyId", "ClientToken", "Format", "SecurityToken", "Timestamp"} | {
    f"Signature{part}" for part in ("", "Method", "Nonce", "Type", "Version")
}


class AlibabaCloudApi:
    """Answers every host under aliyuncs.com that no other service owns.

    Every AccessKey of the account may do everything: RAM policies are kept, and enforced by OSS alone. Answers are JSON
    always.
    """

    name = "alicloud"

    def __init__(self, world: World) -> None:
        products.load()
        self._world = world
        self._signatures = Signatures(world)

    def owns(self, host: str) -> bool:
        """Return whether `host` is one of Alibaba Cloud's API hosts."""
        return host.endswith(table("hosts")["suffix"])

    def handle(self, request: Request) -> Response:
        """Answer one call in the RPC products' own shapes."""
        number = self._world.store.next("alicloud.request")
        request_id = str(uuid.UUID(hashlib.md5(f"request {number}".encode()).hexdigest(), version=4)).upper()  # noqa: S324
        try:
            answer = self._answer(request)
        except ApiError as error:
            body = {
                "RequestId": request_id,
                "HostId": request.host,
                "Code": error.code,
                "Message": error.message,
                "Recommend": f"https://api.aliyun.com/troubleshoot?q={error.code}&requestId={request_id}",
            }
            return Response.of_json(body, error.status, x_acs_request_id=request_id)
        return Response.of_json({**answer, "RequestId": request_id}, x_acs_request_id=request_id)

    def _answer(self, request: Request) -> Answer:
        parameters = {**request.query, **request.form}
        place = locate(request.host)
        version = parameters.get("Version") or request.headers.get("x-acs-version", "")
        action = parameters.get("Action") or request.headers.get("x-acs-action", "")
        found = handler((place.product, version, action))
        if not place.known:
            raise self._unknown(place.product, version, action)
        anonymous = (place.product, action) in ANONYMOUS
        caller = NOBODY if anonymous else self._signatures.caller(request, parameters)
        if found is None:
            raise self._unknown(place.product, version, action)
        region = parameters.get("RegionId") or place.region or REGION
        if region not in table("regions")["regions"]:
            raise ApiError("InvalidRegionId.NotFound", region=region)
        note_call(place.product, version, action)
        return self._once(found, Call(self._world, place.product, version, action, parameters, region, caller))

    def _once(self, found: Handler, call: Call) -> Answer:
        """Run a handler; a call that repeats a client token gets the first one's answer."""
        token = call.get("ClientToken")
        if call.flag("DryRun"):
            raise ApiError("UnsupportedParameter.DryRun")
        if not token or call.action.startswith(_READS):
            return found(call)
        sent = {key: value for key, value in call.parameters.items() if key not in _VOLATILE}
        digest = hashlib.sha256(json.dumps(sent, sort_keys=True).encode()).hexdigest()
        ident = f"{call.product} {call.action} {token}"
        before = call.store.get(_IDEMPOTENCY_KIND, ident)
        if before and before["until"] > call.now:
            if before["digest"] != digest:
                raise ApiError("IdempotentParameterMismatch")
            answer: Answer = before["answer"]
            return answer
        answer = found(call)
        until = call.now + limit("client_token_seconds")
        call.store.put(_IDEMPOTENCY_KIND, ident, {"digest": digest, "answer": answer, "until": until})
        return answer

    def _unknown(self, product: str, version: str, action: str) -> ApiError:
        ident = f"{product} {version} {action}"
        before = self._world.store.get(COVERAGE_KIND, ident) or {"calls": 0}
        row = {"product": product, "version": version, "action": action, "calls": before["calls"] + 1}
        self._world.store.put(COVERAGE_KIND, ident, row)
        return ApiError("InvalidAction.NotFound", product=product, version=version, action=action or "(none)")


@dataclass(frozen=True)
class ProductHost:
    """What a host name says: its product, its region ("" for none), and whether the product is emulated at all."""

    product: str
    region: str
    known: bool


@cache
def locate(host: str) -> ProductHost:
    """Return what a host under aliyuncs.com stands for; an unknown product goes by its host's first label."""
    hosts = table("hosts")
    name = host.removesuffix(hosts["suffix"])
    for row in hosts["products"]:
        if found := re.fullmatch(row["pattern"], name):
            return ProductHost(row["product"], found.groupdict().get("region") or "", True)
    return ProductHost(name.split(".")[0], "", False)
