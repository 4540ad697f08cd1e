"""RAM's policy language: what is allowed, and what a condition lets through."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from emulators.alicloud.permissions import allows, holds

LEDGER = "acs:oss:cn-shanghai:1:acme-ledger"
READ: dict[str, Any] = {"Effect": "Allow", "Action": ["oss:Get*"], "Resource": ["acs:oss:*:*:acme-ledger/*"]}
KEPT: dict[str, Any] = {"Effect": "Deny", "Action": "oss:GetObject", "Resource": "*"}


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "1", "Statement": list(statements)}


def test_what_no_policy_names_is_refused() -> None:
    assert allows([policy(READ)], "oss:GetObject", f"{LEDGER}/orgs/1", {})
    assert not allows([policy(READ)], "oss:PutObject", f"{LEDGER}/orgs/1", {})
    assert not allows([policy(READ)], "oss:GetObject", "acs:oss:cn-shanghai:1:acme-other/orgs/1", {})
    assert not allows([], "oss:GetObject", LEDGER, {})


def test_a_deny_of_one_policy_wins_over_the_allow_of_another() -> None:
    assert not allows([policy(READ), policy(KEPT)], "oss:GetObject", f"{LEDGER}/1", {})
    tight = KEPT | {"Condition": {"StringNotEquals": {"acs:SourceVpc": ["vpc-1"]}}}
    assert not allows([policy(READ), policy(tight)], "oss:GetObject", f"{LEDGER}/1", {})
    assert allows([policy(READ), policy(tight)], "oss:GetObject", f"{LEDGER}/1", {"acs:SourceVpc": "vpc-1"})


@pytest.mark.parametrize(
    ("conditions", "found", "expected"),
    [
        ({"Bool": {"acs:SecureTransport": "true"}}, "true", True),
        ({"Bool": {"acs:SecureTransport": ["false"]}}, "true", False),
        ({"Bool": {"acs:SecureTransport": "true"}}, None, False),
        ({"StringLike": {"acs:SecureTransport": ["release/*"]}}, "release/1", True),
        ({"StringNotLike": {"acs:SecureTransport": "release/*"}}, "release/1", False),
        ({"NumericLessThan": {"acs:SecureTransport": "1"}}, "0", False),
    ],
)
def test_conditions_hold_as_documented(conditions: dict[str, Any], found: str | None, expected: bool) -> None:
    context = {} if found is None else {"acs:SecureTransport": found}
    assert holds(conditions, context) is expected


@given(some.text(some.characters(blacklist_characters="*?"), max_size=20), some.text(max_size=20))
def test_only_stars_and_question_marks_are_wild(pattern: str, text: str) -> None:
    condition = {"StringLike": {"oidc:sub": pattern}}
    assert holds(condition, {"oidc:sub": text}) is (pattern == text)
    assert holds({"StringLike": {"oidc:sub": f"{pattern}*"}}, {"oidc:sub": pattern + text})
