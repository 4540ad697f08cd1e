"""Log stores of SLS: how long they keep logs, their shards, and their index. They take no logs."""

from __future__ import annotations

import re
from typing import Any

from emulators.alicloud.sls.desk import STORE_KIND, Desk, body_of
from emulators.alicloud.sls.errors import LogError
from emulators.http import Request

# SLS API reference, CreateLogStore.
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{1,61}[a-z0-9]")
MOST_DAYS = 3650
MOST_SHARDS = 256
_FIXED = ("logstoreName", "shardCount", "createTime", "index", "meteringMode")
_HASH_SPACE = 2**128


def create(desk: Desk, request: Request, _: dict[str, str]) -> None:
    body = body_of(request)
    name = str(body.get("logstoreName", ""))
    if not _NAME.fullmatch(name):
        raise LogError(
            "ParameterInvalid", name="logstoreName", rule="3 to 63 lower-case letters, digits, hyphens and underscores"
        )
    if desk.store.get(STORE_KIND, f"{desk.project['projectName']}/{name}"):
        raise LogError("LogStoreAlreadyExist", name=name)
    shards = body.get("shardCount", 2)
    if not isinstance(shards, int) or not 1 <= shards <= MOST_SHARDS:
        raise LogError("ParameterInvalid", name="shardCount", rule=f"1 to {MOST_SHARDS}")
    desk.keep_log_store(
        {
            "autoSplit": False,
            "maxSplitShard": 0,
            "appendMeta": False,
            "enable_tracking": False,
            "telemetryType": "",
            "mode": "standard",
            "ttl": 30,
            **_checked(body),
            "logstoreName": name,
            "shardCount": shards,
            "createTime": int(desk.now),
            "meteringMode": "ChargeByFunction",
            "index": None,
        }
    )


def show_all(desk: Desk, request: Request, _: dict[str, str]) -> Any:
    wanted, name = request.query.get("logstoreName", ""), desk.project["projectName"]
    found = [one["logstoreName"] for _, one in desk.store.all(STORE_KIND, f"{name}/")]
    named = [one for one in found if wanted in one]
    offset, size = int(request.query.get("offset") or 0), int(request.query.get("size") or 200)
    rows = named[offset : offset + size]
    return {"count": len(rows), "total": len(named), "logstores": rows}


def show(desk: Desk, _: Request, parts: dict[str, str]) -> Any:
    log_store = desk.log_store(parts["store"])
    return {name: value for name, value in log_store.items() if name not in ("index", "meteringMode")}


def update(desk: Desk, request: Request, parts: dict[str, str]) -> None:
    desk.keep_log_store(desk.log_store(parts["store"]) | _checked(body_of(request)))


def delete(desk: Desk, _: Request, parts: dict[str, str]) -> None:
    name = desk.log_store(parts["store"])["logstoreName"]
    desk.store.delete(STORE_KIND, f"{desk.name}/{name}")


def show_metering_mode(desk: Desk, _: Request, parts: dict[str, str]) -> Any:
    return {"meteringMode": desk.log_store(parts["store"])["meteringMode"]}


def put_metering_mode(desk: Desk, request: Request, parts: dict[str, str]) -> None:
    mode = body_of(request).get("meteringMode")
    if mode not in ("ChargeByFunction", "ChargeByDataIngest"):
        raise LogError("ParameterInvalid", name="meteringMode", rule="ChargeByFunction or ChargeByDataIngest")
    desk.keep_log_store(desk.log_store(parts["store"]) | {"meteringMode": mode})


def show_shards(desk: Desk, _: Request, parts: dict[str, str]) -> Any:
    log_store = desk.log_store(parts["store"])
    count = log_store["shardCount"]
    edges = [f"{_HASH_SPACE * number // count:032x}" for number in range(count)] + ["f" * 32]
    return [
        {
            "shardID": number,
            "status": "readwrite",
            "inclusiveBeginKey": edges[number],
            "exclusiveEndKey": edges[number + 1],
            "createTime": log_store["createTime"],
        }
        for number in range(count)
    ]


def create_index(desk: Desk, request: Request, parts: dict[str, str]) -> None:
    log_store = desk.log_store(parts["store"])
    if log_store["index"]:
        raise LogError("IndexAlreadyExist")
    desk.keep_log_store(log_store | {"index": _index(request)})


def show_index(desk: Desk, _: Request, parts: dict[str, str]) -> Any:
    log_store = desk.log_store(parts["store"])
    if not log_store["index"]:
        raise LogError("IndexConfigNotExist")
    return {"ttl": log_store["ttl"], "index_mode": "v2", **log_store["index"]}


def update_index(desk: Desk, request: Request, parts: dict[str, str]) -> None:
    log_store = desk.log_store(parts["store"])
    if not log_store["index"]:
        raise LogError("IndexConfigNotExist")
    desk.keep_log_store(log_store | {"index": _index(request)})


def delete_index(desk: Desk, _: Request, parts: dict[str, str]) -> None:
    desk.keep_log_store(desk.log_store(parts["store"]) | {"index": None})


def _index(request: Request) -> dict[str, Any]:
    index = body_of(request)
    if not index.get("line") and not index.get("keys"):
        raise LogError("ParameterInvalid", name="index", rule="line or keys, or both")
    return index


def _checked(body: dict[str, Any]) -> dict[str, Any]:
    days = body.get("ttl", 30)
    if not isinstance(days, int) or not 1 <= days <= MOST_DAYS:
        raise LogError("ParameterInvalid", name="ttl", rule=f"1 to {MOST_DAYS} days")
    return {name: value for name, value in body.items() if name not in _FIXED and value is not None}
