"""What the kit's RAM roles may do (`roles.yml`), and whom a role trusts. Pure, but for reading the table once."""

from __future__ import annotations

import datetime
import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from infra.sections.console import CiRole
from kit.yamlfile import parse_model, read_yaml

SAML_RECIPIENT = "https://signin.aliyun.com/saml-role/sso"
"""Where a response of role SSO is posted to on the site of mainland China (RAM, "SAML response for role-based SSO")."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Statement(_Frozen):
    """What is allowed or denied. Texts in braces stand for names of the stack."""

    effect: Literal["Allow", "Deny"]
    actions: tuple[str, ...] = Field(min_length=1)
    resources: tuple[str, ...] = Field(min_length=1)
    condition: dict[str, dict[str, str]] | None = None


class Rights(_Frozen):
    """A role's rights: policies of Alibaba Cloud's own by name, and statements of ours.

    `people` is whether people have a role with them too, and not jobs of CI alone.
    """

    about: str
    people: bool = True
    system: tuple[str, ...]
    statements: tuple[Statement, ...]

    def document(self, names: Mapping[str, str]) -> str:
        """Return the statements as a policy document of RAM. `names` has a text for each brace."""
        return _document([_filled(statement, names) for statement in self.statements])


class Roles(_Frozen):
    """The whole table. `as_of` is the day on which it was last compared with its sources."""

    source: str
    as_of: datetime.date
    roles: dict[str, Rights]


@functools.cache
def roles() -> dict[str, Rights]:
    """Return the rights of each role that ships with the kit."""
    return parse_model(Roles, read_yaml(Path(__file__).with_name("roles.yml"))).roles


def trusting_saml(provider: str) -> str:
    """Return the trust in whom a SAML provider (its ARN) signs on for the console or the CLI."""
    return _trust({"Federated": [provider]}, {"StringEquals": {"saml:recipient": SAML_RECIPIENT}})


def trusting_mfa(account: str) -> str:
    """Return the trust in users of the account itself who have shown a second factor."""
    return _trust({"RAM": [f"acs:ram::{account}:root"]}, {"Bool": {"acs:MFAPresent": "true"}})


def trusting_ci(provider: str, ci: CiRole) -> str:
    """Return the trust in the jobs of one repository, on a branch or in an environment, by their OIDC tokens."""
    equal = {"oidc:iss": [ci.issuer_url], "oidc:aud": [ci.audience]}
    if "*" in ci.token_subject:
        return _trust(
            {"Federated": [provider]}, {"StringEquals": equal, "StringLike": {"oidc:sub": [ci.token_subject]}}
        )
    return _trust({"Federated": [provider]}, {"StringEquals": equal | {"oidc:sub": [ci.token_subject]}})


def trusting_instances() -> str:
    """Return the trust in the ECS instances that are given the role (ECS user guide, "Instance RAM roles")."""
    return _trust({"Service": ["ecs.aliyuncs.com"]})


def _trust(principal: Mapping[str, list[str]], condition: Mapping[str, Any] | None = None) -> str:
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal}
    return _document([statement | ({"Condition": condition} if condition else {})])


def _filled(statement: Statement, names: Mapping[str, str]) -> dict[str, Any]:
    filled: dict[str, Any] = {
        "Effect": statement.effect,
        "Action": list(statement.actions),
        "Resource": [resource.format_map(names) for resource in statement.resources],
    }
    return filled | ({"Condition": statement.condition} if statement.condition else {})


def _document(statements: list[dict[str, Any]]) -> str:
    return json.dumps({"Version": "1", "Statement": statements})
