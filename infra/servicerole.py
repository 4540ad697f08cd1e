"""Roles that services of Alibaba Cloud take on, with the rights that one purpose needs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pulumi
import pulumi_alicloud as ali

Statement = dict[str, Any]


def service_role(
    logical: str,
    name: str,
    service: str,
    statements: pulumi.Input[Sequence[Statement]],
    tags: dict[str, str],
    opts: pulumi.ResourceOptions,
) -> tuple[ali.ram.Role, ali.ram.RolePolicyAttachment]:
    """Return a role called `name` that `service` takes on, and what gives it its rights (they share the name)."""
    trust = {"Action": "sts:AssumeRole", "Effect": "Allow", "Principal": {"Service": [service]}}
    role = ali.ram.Role(
        logical,
        role_name=name,
        description=f"Taken on by {service}: {logical.replace('-', ' ', 1)}",
        assume_role_policy_document=json.dumps({"Version": "1", "Statement": [trust]}),
        tags=tags,
        opts=opts,
    )
    policy = ali.ram.Policy(
        logical,
        policy_name=name,
        description=f"Rights of the role {name}",
        policy_document=pulumi.Output.from_input(statements).apply(
            lambda rows: json.dumps({"Version": "1", "Statement": list(rows)})
        ),
        tags=tags,
        opts=opts,
    )
    attachment = ali.ram.RolePolicyAttachment(
        logical,
        role_name=role.role_name,
        policy_name=policy.policy_name,
        policy_type="Custom",
        opts=opts,
    )
    return role, attachment


def allow(actions: Sequence[str], *resources: str) -> Statement:
    """Return a statement that allows `actions` on `resources`."""
    return {"Effect": "Allow", "Action": list(actions), "Resource": list(resources)}
