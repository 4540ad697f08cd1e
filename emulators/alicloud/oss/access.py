"""Who may do what: ACLs, bucket policies as far as they bear on transport and the public, public access block."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from typing import Any

from emulators.alicloud.account import ACCOUNT_ID, AccessKey
from emulators.alicloud.oss.errors import OssError
from emulators.alicloud.oss.model import Bucket, Version

PUBLIC_ACLS = ("public-read", "public-read-write")
BUCKET_ACLS = ("private", *PUBLIC_ACLS)
OBJECT_ACLS = ("default", *BUCKET_ACLS)


def authorize(
    caller: AccessKey | None, bucket: Bucket, key: str, action: str, *, secure: bool, version: Version | None
) -> None:
    """Raise `OssError` AccessDenied unless `caller` may do `action` (such as "oss:GetObject").

    Every AccessKey of the account may do anything that no Deny of the bucket policy names; RAM policies are not
    evaluated. `None` is the public: it may what ACLs or an Allow for "*" give it.
    """
    resource = f"acs:oss:*:{ACCOUNT_ID}:{bucket.name}" + (f"/{key}" if key else "")
    effects = {
        statement.get("Effect")
        for statement in statements(bucket.config.get("policy", ""))
        if _applies(statement, caller, action, resource, secure)
    }
    if "Deny" in effects:
        raise OssError("AccessDenied", "You have no right to access this object because of bucket policy.")
    if caller or "Allow" in effects:
        return
    acl = version.acl if version and version.acl != "default" else bucket.acl
    if acl == "public-read-write" and action in ("oss:GetObject", "oss:PutObject", "oss:ListObjects"):
        return
    if acl == "public-read" and action in ("oss:GetObject", "oss:ListObjects"):
        return
    if not key:
        raise OssError("AccessDenied", "Anonymous access is forbidden for this operation.")
    raise OssError("AccessDenied")


def statements(policy: str) -> list[dict[str, Any]]:
    """Return the statements of a bucket policy; [] for none."""
    found = json.loads(policy).get("Statement", []) if policy else []
    return [found] if isinstance(found, dict) else list(found)


def is_public(policy: str) -> bool:
    """Return whether a policy allows the public something without a condition."""
    return any(
        statement.get("Effect") == "Allow"
        and "*" in _many(statement.get("Principal"))
        and not statement.get("Condition")
        for statement in statements(policy)
    )


def _applies(statement: dict[str, Any], caller: AccessKey | None, action: str, resource: str, secure: bool) -> bool:
    principals = _many(statement.get("Principal"))
    if "*" not in principals and (caller is None or ACCOUNT_ID not in principals):
        return False
    return (
        any(fnmatchcase(action.lower(), pattern.lower()) for pattern in _many(statement.get("Action")))
        and any(
            fnmatchcase(resource.split(":", 4)[4], pattern.split(":", 4)[-1])
            for pattern in _many(statement.get("Resource"))
        )
        and all(
            _holds(operator, name, values, secure)
            for operator, tests in (statement.get("Condition") or {}).items()
            for name, values in tests.items()
        )
    )


def _holds(operator: str, name: str, values: Any, secure: bool) -> bool:
    """Return whether a condition holds. Requests come from no VPC; of others than these, none ever holds."""
    if (operator, name) == ("StringNotEquals", "acs:SourceVpc"):
        return True
    if (operator, name) != ("Bool", "acs:SecureTransport"):
        return False
    return ("true" if secure else "false") in [str(value).lower() for value in _many(values)]


def _many(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]
