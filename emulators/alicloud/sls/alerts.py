"""Alerts of SLS, which are jobs of a project, and the account's records: who is told of an alert, and how.

No query is run, so no alert is ever raised. Records are written in one region and read in all of them: SLS, "Data
structure of alert resource data", and aliyun-log-go-sdk 0.1.108, whose own tests ask cn-heyuan.
"""

from __future__ import annotations

import json
import re
from typing import Any

from emulators.alicloud.sls.desk import JOB_KIND, Desk, body_of
from emulators.alicloud.sls.errors import LogError
from emulators.http import Request
from emulators.store import Document

RECORD_KIND = "sls.record"
WRITTEN_IN = "cn-heyuan"

_NAME = re.compile(r"[A-Za-z][\w-]{1,63}")
_RECORD = re.compile(r"[A-Za-z][\w.-]{1,59}")
_SCHEDULES = ("FixedRate", "Cron", "Hourly", "Daily", "Weekly")
# Kind of record → the field of its value that repeats the record's id, and what else the value must have.
_RECORDS: dict[str, tuple[str, dict[str, type]]] = {
    "sls.common.user": ("user_id", {"user_name": str, "enabled": bool, "email": list}),
    "sls.common.user_group": ("user_group_id", {"user_group_name": str, "enabled": bool, "members": list}),
    "sls.alert.action_policy": (
        "action_policy_id",
        {"action_policy_name": str, "labels": dict, "primary_policy_script": str, "secondary_policy_script": str},
    ),
}


def create(desk: Desk, request: Request, _: dict[str, str]) -> None:
    body = body_of(request)
    name = str(body.get("name", ""))
    if not _NAME.fullmatch(name):
        raise LogError("ParameterInvalid", name="name", rule="2 to 64 letters, digits, hyphens and underscores")
    if desk.store.get(JOB_KIND, _place(desk, name)):
        raise LogError("JobAlreadyExist", name=name)
    desk.store.put(JOB_KIND, _place(desk, name), _checked(body) | {"createTime": int(desk.now), "status": "ENABLED"})


def show(desk: Desk, _: Request, parts: dict[str, str]) -> Any:
    return _job(desk, parts["job"])


def update(desk: Desk, request: Request, parts: dict[str, str]) -> None:
    job = _job(desk, parts["job"])
    fixed = {"name": job["name"], "lastModifiedTime": int(desk.now)}
    desk.store.put(JOB_KIND, _place(desk, job["name"]), job | _checked(body_of(request)) | fixed)


def delete(desk: Desk, _: Request, parts: dict[str, str]) -> None:
    desk.store.delete(JOB_KIND, _place(desk, _job(desk, parts["job"])["name"]))


def create_record(desk: Desk, request: Request, parts: dict[str, str]) -> None:
    body = body_of(request)
    ident = str(body.get("id", ""))
    if desk.store.get(RECORD_KIND, f"{_written(desk, parts['resource'])}/{ident}"):
        raise LogError("ResourceRecordAlreadyExist", name=ident)
    _keep_record(desk, parts["resource"], ident, body, int(desk.now))


def show_record(desk: Desk, _: Request, parts: dict[str, str]) -> Any:
    return _record(desk, parts["resource"], parts["record"])


def update_record(desk: Desk, request: Request, parts: dict[str, str]) -> None:
    before = _record(desk, _written(desk, parts["resource"]), parts["record"])
    _keep_record(desk, parts["resource"], parts["record"], body_of(request), before["createTime"])


def delete_records(desk: Desk, request: Request, parts: dict[str, str]) -> None:
    resource = _written(desk, parts["resource"])
    for ident in request.query.get("ids", "").split(","):
        _record(desk, resource, ident)
        desk.store.delete(RECORD_KIND, f"{resource}/{ident}")


def _place(desk: Desk, name: str) -> str:
    return f"{desk.project['projectName']}/{name}"


def _job(desk: Desk, name: str) -> Document:
    found = desk.store.get(JOB_KIND, _place(desk, name))
    if found is None:
        raise LogError("JobNotExist", name=name)
    return found


def _checked(body: Document) -> Document:
    """Return an alert of version 2 that asks something, says when it is raised, and tells somebody."""
    configuration, schedule = body.get("configuration") or {}, body.get("schedule") or {}
    wrong = {
        "type": body.get("type") != "Alert",
        "displayName": not body.get("displayName"),
        "configuration.version": configuration.get("version") != "2.0",
        "configuration.queryList": not all(
            row.get("store") and row.get("query") for row in configuration.get("queryList") or [{}]
        ),
        "configuration.severityConfigurations": not configuration.get("severityConfigurations"),
        "configuration.policyConfiguration": not (configuration.get("policyConfiguration") or {}).get("alertPolicyId"),
        "schedule.type": schedule.get("type") not in _SCHEDULES,
    }
    for name in (name for name, is_wrong in wrong.items() if is_wrong):
        raise LogError("ParameterInvalid", name=name, rule="as the API reference of alerts has it")
    return body


def _written(desk: Desk, resource: str) -> str:
    if desk.region != WRITTEN_IN:
        raise LogError("ParameterInvalid", name="region", rule=f"records of {resource} are written in {WRITTEN_IN}")
    return resource


def _record(desk: Desk, resource: str, ident: str) -> Document:
    found = desk.store.get(RECORD_KIND, f"{resource}/{ident}")
    if found is None:
        raise LogError("ResourceRecordNotExist", name=ident)
    return found


def _keep_record(desk: Desk, resource: str, ident: str, body: Document, created: int) -> None:
    if resource not in _RECORDS:
        raise LogError("ResourceNotExist", name=resource)
    repeated, fields = _RECORDS[resource]
    try:
        value = json.loads(str(body.get("value", "")))
    except ValueError:
        value = None
    if not isinstance(value, dict) or value.get(repeated) != ident or not _RECORD.fullmatch(ident):
        raise LogError("ParameterInvalid", name="value", rule=f"a JSON object whose {repeated} is the record's id")
    for name, kind in fields.items():
        if not isinstance(value.get(name), kind):
            raise LogError("ParameterInvalid", name=f"value.{name}", rule=f"a {kind.__name__}")
    record = {"id": ident, "tag": body.get("tag", ""), "value": body["value"]}
    times = {"createTime": created, "lastModifyTime": int(desk.now)}
    desk.store.put(RECORD_KIND, f"{resource}/{ident}", record | times)
